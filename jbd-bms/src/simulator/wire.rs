//! The pack's side of the wire.

/// A request as the board sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    Read { register: u8, data: Vec<u8> },
    Write { register: u8, data: Vec<u8> },
    Damaged { register: u8 },
}

impl Incoming {
    pub(super) fn register(&self) -> u8 {
        match self {
            Self::Read { register, .. }
            | Self::Write { register, .. }
            | Self::Damaged { register } => *register,
        }
    }
}

/// Collects written pieces into requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn take(&mut self, written: &[u8]) -> Vec<Incoming> {
        self.bytes.extend_from_slice(written);
        let mut requests = Vec::new();
        loop {
            while self.bytes.first().is_some_and(|&byte| byte != 0xDD) {
                self.bytes.remove(0);
            }
            let [_, direction, register, count, rest @ ..] = self.bytes.as_slice() else {
                return requests;
            };
            let (direction, register, count) = (*direction, *register, *count as usize);
            if direction != 0xA5 && direction != 0x5A {
                self.bytes.remove(0);
                continue;
            }
            if rest.len() < count + 3 {
                return requests;
            }
            let data = rest[..count].to_vec();
            let mut total: u32 = u32::from(register) + count as u32;
            total += data.iter().map(|&byte| u32::from(byte)).sum::<u32>();
            let wanted = (0x1_0000 - total) & 0xFFFF;
            let carried = u32::from(rest[count]) * 256 + u32::from(rest[count + 1]);
            let sound = carried == wanted && rest[count + 2] == 0x77;
            self.bytes.drain(..count + 7);
            requests.push(match (sound, direction) {
                (false, _) => Incoming::Damaged { register },
                (true, 0xA5) => Incoming::Read { register, data },
                (true, _) => Incoming::Write { register, data },
            });
        }
    }
}

/// An answer, whole. The register is not part of its checksum.
pub(super) fn answer(register: u8, status: u8, data: &[u8]) -> Vec<u8> {
    let mut total = u32::from(status) + data.len() as u32;
    let mut bytes = vec![0xDD, register, status, data.len() as u8];
    for &byte in data {
        total += u32::from(byte);
        bytes.push(byte);
    }
    let check = (0x1_0000 - total) & 0xFFFF;
    bytes.push((check >> 8) as u8);
    bytes.push((check & 0xFF) as u8);
    bytes.push(0x77);
    bytes
}

/// Appends a value, high byte first.
pub(super) fn put(data: &mut Vec<u8>, value: u16) {
    data.push((value >> 8) as u8);
    data.push((value & 0xFF) as u8);
}
