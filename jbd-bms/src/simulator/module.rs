//! The Bluetooth module's own login.

use super::config::{Access, PackConfig};

const ROOT: &[u8; 15] = b"JBDbtpwd!@#2023";

#[derive(Debug, Clone)]
pub(super) struct Module {
    access: Access,
    address: [u8; 6],
    random: u8,
    key_seen: bool,
    open: bool,
}

impl Module {
    pub(super) fn new(config: &PackConfig) -> Self {
        let mut module = Self {
            access: config.access.clone(),
            address: config.address,
            random: 0,
            key_seen: false,
            open: false,
        };
        module.link_closed(0x24);
        module
    }

    pub(super) fn link_closed(&mut self, random: u8) {
        self.open = !matches!(self.access, Access::ModuleLogin { .. });
        self.key_seen = false;
        self.random = random;
    }

    pub(super) fn passes(&self) -> bool {
        self.open
    }

    /// The answer to a frame for the module; `None` if the bytes are for the board.
    pub(super) fn answer(&mut self, written: &[u8]) -> Option<Vec<u8>> {
        let Access::ModuleLogin {
            password,
            password_is_key,
        } = self.access.clone()
        else {
            return None;
        };
        let (head, rest) = written.split_at_checked(4)?;
        if head[..2] != [0xFF, 0xAA] || rest.len() != head[3] as usize + 1 {
            return None;
        }
        let (data, sum) = rest.split_at(rest.len() - 1);
        let total: u32 = written[2..written.len() - 1]
            .iter()
            .map(|&b| u32::from(b))
            .sum();
        if u32::from(sum[0]) != total & 0xFF {
            return None;
        }
        let password = password.unwrap_or_default().into_bytes();
        let verdict = match head[2] {
            0x15 if password.is_empty() => {
                self.open = data == b"000000";
                if self.open { 2 } else { 1 }
            }
            0x15 if password_is_key => {
                self.open = data == password;
                u8::from(!self.open)
            }
            0x15 => {
                self.key_seen = data == b"000000";
                u8::from(!self.key_seen)
            }
            0x17 if password_is_key => return None,
            0x17 => {
                self.random = self.random.wrapping_mul(5).wrapping_add(77);
                self.random
            }
            0x18 => {
                self.open = self.key_seen && data == self.mask(&password);
                u8::from(!self.open)
            }
            0x1D => u8::from(data != self.mask(ROOT)),
            _ => return None,
        };
        let sum = head[2].wrapping_add(1).wrapping_add(verdict);
        Some(vec![0xFF, 0xAA, head[2], 1, verdict, sum])
    }

    fn mask(&self, secret: &[u8]) -> Vec<u8> {
        (0..secret.len())
            .map(|i| {
                let mixed = match i {
                    0..=5 => secret[i] ^ self.address[i],
                    _ => secret[i],
                };
                ((u16::from(mixed) + u16::from(self.random)) % 256) as u8
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_passwords_are_masked_alike() {
        let config = PackConfig {
            address: [0xA4, 0xC1, 0x37, 0x04, 0x2D, 0xBE],
            ..PackConfig::default()
        };
        let mut module = Module::new(&config);
        module.random = 97;
        assert_eq!(module.mask(b"123412"), [0xF6, 0x54, 0x65, 0x91, 0x7D, 0xED]);
        let root = [
            0x4F, 0xE4, 0xD4, 0xC7, 0xBA, 0x2F, 0xD8, 0xC5, 0x82, 0xA1, 0x84, 0x93, 0x91, 0x93,
            0x94,
        ];
        assert_eq!(module.mask(ROOT), root);
    }
}
