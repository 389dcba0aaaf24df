/// Bytes that one step takes: that many lookups do not wait for each other.
const STEP: usize = 8;

/// `TABLES[n][byte]` is what `byte` followed by `n` zeros leaves.
static TABLES: [[u16; 256]; STEP] = tables();

const fn tables() -> [[u16; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u16;
        let mut zeros = 0;
        while zeros < STEP {
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 {
                    (value >> 1) ^ 0xA001
                } else {
                    value >> 1
                };
                bit += 1;
            }
            tables[zeros][index] = value;
            zeros += 1;
        }
        index += 1;
    }
    tables
}

/// CRC-16/MODBUS: reflected polynomial 0xA001, start 0xFFFF. Goes over the wire
/// with its low byte first.
#[must_use]
pub fn crc16_modbus(bytes: &[u8]) -> u16 {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
    let look = |table: &[u16; 256], byte: u8| table[usize::from(byte)];
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let crc = steps
        .iter()
        .fold(0xFFFF_u16, |crc, &[a, b, c, d, e, f, g, h]| {
            let [low, high] = crc.to_le_bytes();
            look(t7, a ^ low)
                ^ look(t6, b ^ high)
                ^ look(t5, c)
                ^ look(t4, d)
                ^ look(t3, e)
                ^ look(t2, f)
                ^ look(t1, g)
                ^ look(t0, h)
        });
    rest.iter()
        .fold(crc, |crc, &byte| (crc >> 8) ^ look(t0, crc as u8 ^ byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_single_bytes_agree() {
        let bytes: [u8; 40] = core::array::from_fn(|index| (index * 37) as u8);
        for len in 0..bytes.len() {
            let bitwise = bytes[..len].iter().fold(0xFFFF, |crc, &byte| {
                (0..8).fold(crc ^ u16::from(byte), |crc, _| {
                    (crc >> 1) ^ if crc & 1 == 1 { 0xA001 } else { 0 }
                })
            });
            assert_eq!(crc16_modbus(&bytes[..len]), bitwise, "{len} bytes");
        }
    }
}
