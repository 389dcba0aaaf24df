//! The station's side of the wire.

/// A request as a unit sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) unit: u8,
    pub(super) function: u8,
    pub(super) start: u16,
    /// Values of a write; for a read the number of registers alone.
    pub(super) words: Vec<u16>,
}

/// Takes a request apart; anything but a complete and sound one is nothing.
pub(super) fn parse(bytes: &[u8]) -> Option<Incoming> {
    if bytes.len() < 8 {
        return None;
    }
    let (body, tail) = bytes.split_at(bytes.len() - 2);
    if checksum(body) != u16::from(tail[1]) * 256 + u16::from(tail[0]) {
        return None;
    }
    let word = |at: usize| u16::from(body[at]) * 256 + u16::from(body[at + 1]);
    let words = match body[1] {
        0x10 => {
            let count = usize::from(word(4));
            if body.len() != 7 + 2 * count || usize::from(body[6]) != 2 * count || count == 0 {
                return None;
            }
            (0..count).map(|index| word(7 + 2 * index)).collect()
        }
        _ if body.len() == 6 => vec![word(4)],
        _ => return None,
    };
    Some(Incoming {
        unit: body[0],
        function: body[1],
        start: word(2),
        words,
    })
}

/// How long the request is whose first bytes these are; requests of unknown
/// functions have no length.
pub(super) fn request_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [_, 0x10, _, _, _, _, count, ..] => Some(9 + usize::from(*count)),
        [_, 0x10, ..] | [] | [_] => None,
        _ => Some(8),
    }
}

/// Values of registers.
pub(super) fn registers(unit: u8, values: &[u16]) -> Vec<u8> {
    let mut bytes = vec![unit, 0x03, (2 * values.len()) as u8];
    for &value in values {
        put(&mut bytes, value);
    }
    closed(bytes)
}

/// What was written.
pub(super) fn written(unit: u8, function: u8, start: u16, what: u16) -> Vec<u8> {
    let mut bytes = vec![unit, function];
    put(&mut bytes, start);
    put(&mut bytes, what);
    closed(bytes)
}

/// A refusal.
pub(super) fn refusal(unit: u8, function: u8, code: u8) -> Vec<u8> {
    closed(vec![unit, function | 0x80, code])
}

fn put(bytes: &mut Vec<u8>, value: u16) {
    bytes.push((value >> 8) as u8);
    bytes.push((value & 0xFF) as u8);
}

fn closed(mut bytes: Vec<u8>) -> Vec<u8> {
    let check = checksum(&bytes);
    bytes.push((check & 0xFF) as u8);
    bytes.push((check >> 8) as u8);
    bytes
}

/// Bit by bit, unlike the client's.
fn checksum(bytes: &[u8]) -> u16 {
    let mut register = 0xFFFFu16;
    for &byte in bytes {
        register ^= u16::from(byte);
        for _ in 0..8 {
            let carry = register & 1;
            register >>= 1;
            if carry == 1 {
                register ^= 0xA001;
            }
        }
    }
    register
}
