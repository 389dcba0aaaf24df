//! Encryption and signatures, both ways: pure functions of content, time and token.
//!
//! Nothing here needs a network or a clock. The keys derive from public values
//! (path, tenant, token, time), so this is a seal against damage and replay, not
//! a secret: TLS keeps the content private.
//!
//! ```
//! use saic_ismart::envelope::{self, ContentType, Sealing};
//!
//! let sealed = envelope::seal(&Sealing {
//!     path: "/x/y",
//!     tenant: "1",
//!     token: "T",
//!     timestamp_ms: 1_700_000_012_000,
//!     content_type: ContentType::Json,
//!     body: r#"{"a":"01234567"}"#,
//! });
//! assert!(sealed.body.starts_with("00304be18e27196a"));
//! assert!(sealed.verification.starts_with("08f0ef8054399cba"));
//! ```

use std::borrow::Cow;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use crate::hex;

/// Value of the header `APP-CONTENT-ENCRYPTED`, part of every key.
const ENCRYPTED: &str = "1";
/// Value of the header `User-Type`, part of the keys of requests.
const USER_TYPE: &str = "app";

const BLOCK: usize = 16;

/// What a body is, as far as the signature distinguishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`: everything that is nothing else, and calls without a body.
    Json,
    /// `application/x-www-form-urlencoded`: login.
    Form,
    /// A multipart type in full, boundary included. Its body is not encrypted.
    Multipart(String),
}

impl ContentType {
    /// From the content type that a request carries by itself.
    #[must_use]
    pub fn of(header: Option<&str>) -> Self {
        match header {
            Some(header) if header.contains("multipart") => Self::Multipart(header.to_owned()),
            Some(header) if header.contains("x-www-form-urlencoded") => Self::Form,
            _ => Self::Json,
        }
    }

    /// As the header `ORIGINAL-CONTENT-TYPE` has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Multipart(header) => header,
        }
    }
}

/// What goes into the seal of a request.
#[derive(Clone)]
pub struct Sealing<'a> {
    /// The path below the base URL with a leading slash, and the query exactly
    /// as it goes over the wire.
    pub path: &'a str,
    /// The tenant of the region.
    pub tenant: &'a str,
    /// The access token, empty before login.
    pub token: &'a str,
    /// The header `APP-SEND-DATE`: Unix time in milliseconds, fresh for each request.
    pub timestamp_ms: i64,
    /// What the body is.
    pub content_type: ContentType,
    /// The body in plain text. White space around it is not sent.
    pub body: &'a str,
}

impl std::fmt::Debug for Sealing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealing")
            .field("path", &self.path)
            .field("timestamp_ms", &self.timestamp_ms)
            .finish_non_exhaustive()
    }
}

/// A request as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The body: lower-case hex of the cipher text. Empty if there is no body.
    pub body: String,
    /// The header `APP-VERIFICATION-STRING`.
    pub verification: String,
}

/// Encrypts and signs a request.
#[must_use]
pub fn seal(request: &Sealing<'_>) -> Sealed {
    let timestamp = request.timestamp_ms.to_string();
    let content_type = request.content_type.as_str();
    let path_key = md5_hex(&[request.path, request.tenant, request.token, USER_TYPE]);
    let key = md5_bytes(&[ascii(&path_key), &timestamp, ENCRYPTED, content_type]);

    let plain = request.body.trim();
    let multipart = matches!(request.content_type, ContentType::Multipart(_));
    let cipher = if plain.is_empty() || multipart {
        String::new()
    } else {
        encrypt(&key, &md5_bytes(&[&timestamp]), plain.as_bytes())
    };
    let message = [
        request.path,
        request.tenant,
        request.token,
        USER_TYPE,
        &timestamp,
        ENCRYPTED,
        content_type,
        &cipher,
    ];
    let verification = signature(&key, &timestamp, &message);
    let body = if multipart {
        request.body.to_owned()
    } else {
        cipher
    };
    Sealed { body, verification }
}

/// A response as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The header `APP-SEND-DATE`.
    pub send_date: Option<&'a str>,
    /// The header `ORIGINAL-CONTENT-TYPE`.
    pub content_type: Option<&'a str>,
    /// The header `APP-VERIFICATION-STRING`.
    pub verification: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// How a response was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// The signature fits the cipher text.
    Valid,
    /// There is a signature, and it does not fit.
    Invalid,
    /// The response is encrypted, but not signed.
    Missing,
    /// The response is not encrypted: there is nothing to sign.
    NotEncrypted,
}

/// A response in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The content.
    pub text: Cow<'a, str>,
    /// What its signature is worth.
    pub signature: Signature,
}

/// Why a response cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The body is no hexadecimal text of whole bytes.
    #[error("the encrypted body is not hexadecimal")]
    NotHex,
    /// The cipher text is not a whole number of blocks.
    #[error("{0} bytes of cipher text are no whole number of blocks")]
    Length(usize),
    /// The padding is wrong: another key, or damage.
    #[error("the encrypted body does not fit its headers")]
    Padding,
    /// The content is no UTF-8 text.
    #[error("the content is not text")]
    NotText,
}

/// Decrypts a response and checks its signature.
///
/// A response that lacks one of the two headers, or has an empty body, is
/// already plain text.
///
/// # Errors
///
/// [`EnvelopeError`], whatever the bytes are.
pub fn open<'a>(response: &Received<'a>) -> Result<Opened<'a>, EnvelopeError> {
    let wire = response.body.trim_ascii();
    let (Some(send_date), Some(content_type)) = (response.send_date, response.content_type) else {
        return plain(wire);
    };
    if wire.is_empty() {
        return plain(wire);
    }
    let key = md5_bytes(&[send_date, ENCRYPTED, content_type]);
    let signature = match response.verification {
        None => Signature::Missing,
        Some(given) => {
            let wire = std::str::from_utf8(wire).map_err(|_| EnvelopeError::NotHex)?;
            let message = [send_date, ENCRYPTED, content_type, wire];
            if signature(&key, send_date, &message).eq_ignore_ascii_case(given.trim()) {
                Signature::Valid
            } else {
                Signature::Invalid
            }
        }
    };
    let mut buffer = hex::decode(wire).ok_or(EnvelopeError::NotHex)?;
    if !buffer.len().is_multiple_of(BLOCK) {
        return Err(EnvelopeError::Length(buffer.len()));
    }
    let iv = md5_bytes(&[send_date]);
    let length = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into())
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| EnvelopeError::Padding)?
        .len();
    buffer.truncate(length);
    let text = String::from_utf8(buffer).map_err(|_| EnvelopeError::NotText)?;
    Ok(Opened {
        text: Cow::Owned(text),
        signature,
    })
}

/// What the cloud is sent in place of the password: its SHA-1, lower-case hex.
#[must_use]
pub fn password_hash(password: &str) -> String {
    hex::encode(&Sha1::digest(password))
}

/// What the cloud is sent in place of a VIN: its SHA-256, lower-case hex. The
/// VIN counts as the vehicle list spells it.
#[must_use]
pub fn vin_hash(vin: &str) -> String {
    hex::encode(&Sha256::digest(vin))
}

fn plain(body: &[u8]) -> Result<Opened<'_>, EnvelopeError> {
    let text = std::str::from_utf8(body).map_err(|_| EnvelopeError::NotText)?;
    Ok(Opened {
        text: Cow::Borrowed(text),
        signature: Signature::NotEncrypted,
    })
}

fn encrypt(key: &[u8; BLOCK], iv: &[u8; BLOCK], plain: &[u8]) -> String {
    let mut buffer = vec![0; (plain.len() / BLOCK + 1) * BLOCK];
    buffer[..plain.len()].copy_from_slice(plain);
    // Cannot fail: the buffer has room for the padding.
    let _ = cbc::Encryptor::<Aes128>::new(&(*key).into(), &(*iv).into())
        .encrypt_padded::<Pkcs7>(&mut buffer, plain.len());
    hex::encode(&buffer)
}

/// HMAC-SHA256 over `message`, keyed with the hex text of MD5(hex(key) + timestamp).
fn signature(key: &[u8; BLOCK], timestamp: &str, message: &[&str]) -> String {
    let hmac_key = md5_hex(&[ascii(&hex::encode_16(key)), timestamp]);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&hmac_key) else {
        unreachable!("HMAC takes keys of any length");
    };
    for part in message {
        mac.update(part.as_bytes());
    }
    hex::encode(&mac.finalize().into_bytes())
}

fn md5_bytes(parts: &[&str]) -> [u8; BLOCK] {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    md5.finalize().into()
}

fn md5_hex(parts: &[&str]) -> [u8; 2 * BLOCK] {
    hex::encode_16(&md5_bytes(parts))
}

fn ascii(digits: &[u8; 2 * BLOCK]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_digests() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../tests/data/envelope.json")).unwrap();
        let digests = vectors["hashes"]["md5"].as_array().unwrap();
        assert_eq!(digests.len(), 5);
        for case in digests {
            let digest = md5_hex(&[case["in"].as_str().unwrap()]);
            assert_eq!(ascii(&digest), case["out"]);
        }
    }
}
