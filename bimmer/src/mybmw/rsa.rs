//! Encryption with a public key (RSA, PKCS #1 v1.5), which one step of the
//! Chinese login wants.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

/// A key from a server, in reasonable sizes.
const SIZES: std::ops::RangeInclusive<usize> = 64..=1024;
/// Bytes that the padding needs at least.
const OVERHEAD: usize = 11;

/// A public key.
#[derive(Debug)]
pub(super) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
    size: usize,
}

impl PublicKey {
    /// Reads a key in PEM, `None` if it is none.
    pub(super) fn from_pem(pem: &str) -> Option<Self> {
        let body: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        let der = STANDARD.decode(body).ok()?;
        let (0x30, outer, _) = element(&der)? else {
            return None;
        };
        // With the name of the algorithm in front, or the two numbers alone.
        let numbers = match element(outer)? {
            (0x30, _, rest) => {
                let (0x03, bits, _) = element(rest)? else {
                    return None;
                };
                let (0x30, numbers, _) = element(bits.strip_prefix(&[0])?)? else {
                    return None;
                };
                numbers
            }
            _ => outer,
        };
        let (0x02, modulus, rest) = element(numbers)? else {
            return None;
        };
        let (0x02, exponent, _) = element(rest)? else {
            return None;
        };
        let modulus = BigUint::from_bytes_be(modulus);
        let exponent = BigUint::from_bytes_be(exponent);
        let size = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        let usable = SIZES.contains(&size) && (2..=64).contains(&exponent.bits());
        usable.then_some(Self {
            modulus,
            exponent,
            size,
        })
    }

    /// Encrypts a short text. `random` becomes the padding; zeros in it are skipped.
    pub(super) fn encrypt(&self, plain: &[u8], random: &[u8]) -> Option<Vec<u8>> {
        let padding = self.size.checked_sub(3 + plain.len())?;
        if padding + 3 < OVERHEAD {
            return None;
        }
        let noise: Vec<u8> = random
            .iter()
            .copied()
            .filter(|byte| *byte != 0)
            .take(padding)
            .collect();
        if noise.len() < padding {
            return None;
        }
        let block = [&[0, 2], &noise[..], &[0], plain].concat();
        let cipher = BigUint::from_bytes_be(&block).modpow(&self.exponent, &self.modulus);
        let bytes = cipher.to_bytes_be();
        let mut whole = vec![0; self.size.checked_sub(bytes.len())?];
        whole.extend(bytes);
        Some(whole)
    }
}

/// Tag, content and rest of a DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if *first >= 0x80 {
        let digits = usize::from(first & 0x7F);
        if !(1..=3).contains(&digits) {
            return None;
        }
        let (number, after) = rest.split_at_checked(digits)?;
        length = number
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../tests/data/rsa_public.pem");
    const PRIVATE_EXPONENT: &str = include_str!("../../tests/data/rsa_private_exponent.txt");

    #[test]
    fn what_is_encrypted_can_be_decrypted() {
        let key = PublicKey::from_pem(PEM).unwrap();
        let random: Vec<u8> = (0..=255).collect();
        let cipher = key.encrypt("p&ss wörd".as_bytes(), &random).unwrap();
        assert_eq!(cipher.len(), key.size);
        let exponent = BigUint::parse_bytes(PRIVATE_EXPONENT.trim().as_bytes(), 16).unwrap();
        let block = BigUint::from_bytes_be(&cipher)
            .modpow(&exponent, &key.modulus)
            .to_bytes_be();
        assert_eq!(block[0], 2);
        let end = block.iter().position(|byte| *byte == 0).unwrap();
        assert_eq!(&block[end + 1..], "p&ss wörd".as_bytes());
        assert!(end > 8);
        assert_eq!(key.encrypt(&[1; 200], &random), None);
        assert_eq!(key.encrypt(b"x", &[0; 500]), None);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "-----BEGIN PUBLIC KEY-----\nMA==\n", "MIIB", "////"] {
            assert!(PublicKey::from_pem(text).is_none(), "{text}");
        }
    }
}
