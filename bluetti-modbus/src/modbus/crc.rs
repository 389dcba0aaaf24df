const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut value = index as u16;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xA001
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF. Goes over the wire
/// with its low byte first.
#[must_use]
pub fn crc16_modbus(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| {
        // The index is a byte, the table has 256 entries.
        (crc >> 8) ^ TABLE[usize::from((crc as u8) ^ byte)]
    })
}
