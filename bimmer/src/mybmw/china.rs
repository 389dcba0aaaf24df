//! What the Chinese servers want besides a token.

use std::fmt::Write as _;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// Each character's partner is as far from the other end.
const ALPHABET: &[u8; 36] = b"01234abcdefghijklmnopqrstuvwxyz56789";
const VERSION: &str = "u3.6.1";

/// The random parts of a [`login_nonce`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChinaNonce {
    /// 16 hexadecimal digits in lower case.
    pub key: [u8; 16],
    /// 16 hexadecimal digits in lower case.
    pub iv: [u8; 16],
}

impl ChinaNonce {
    /// From random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let digit = |byte: u8| b"0123456789abcdef"[usize::from(byte & 15)];
        let mut digits = Self {
            key: [0; 16],
            iv: [0; 16],
        };
        let (key, iv) = random.split_at(16);
        for (to, from) in digits.key.iter_mut().zip(key) {
            *to = digit(*from);
        }
        for (to, from) in digits.iv.iter_mut().zip(iv) {
            *to = digit(*from);
        }
        digits
    }
}

/// The header `x-login-nonce`: proves that the time and the user are known.
/// `user` is the phone number, or the account's number in a renewal.
///
/// # Errors
///
/// [`Error::Configuration`] if `random` is not hexadecimal digits.
pub fn login_nonce(user: &str, random: ChinaNonce, now: DateTime<Utc>) -> Result<String, Error> {
    let text = |bytes: &'_ [u8; 16]| {
        let digits = bytes.iter().all(|byte| ALPHABET.contains(byte));
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|_| digits)
            .map(str::to_owned);
        text.ok_or_else(|| Error::Configuration("the nonce needs hexadecimal digits".to_owned()))
    };
    let (key, iv) = (text(&random.key)?, text(&random.iv)?);
    let ((k1, k2), (i1, i2)) = (key.split_at(8), iv.split_at(8));
    let skipped = user.chars().count().saturating_sub(4);
    let ending: String = user.chars().skip(skipped).collect();
    let digest = Sha256::digest(format!("{k2}{i1}{VERSION}{ending}{k1}{i2}").as_bytes());
    let digest = hex(&digest);
    let mut mirrored = random.key;
    for at in [4, 12] {
        let place = ALPHABET
            .iter()
            .position(|byte| *byte == mirrored[at])
            .unwrap_or_default();
        mirrored[at] = ALPHABET[ALPHABET.len() - 1 - place];
    }
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT");
    let plain = format!("{user}&{date}&{k1}");
    let cipher = cbc::Encryptor::<aes::Aes128>::new(&mirrored.into(), &random.iv.into())
        .encrypt_padded_vec::<Pkcs7>(plain.as_bytes());
    let (front, back) = digest.split_at(32);
    Ok(format!("{k2}{i1}{front}{}{k1}{i2}{back}", hex(&cipher)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
