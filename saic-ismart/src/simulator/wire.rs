//! The envelope from the cloud's side: requests are opened and checked,
//! responses sealed. Written apart from [`crate::envelope`], so that a mistake
//! there does not cancel out here.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::HttpRequest;
use crate::http::Response;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] * 16 + pair[1])
            .collect(),
    )
}

fn md5(text: &str) -> [u8; 16] {
    Md5::digest(text).into()
}

fn hmac_sha256(key: &str, message: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// What stands for a VIN in requests.
pub(super) fn vin_hash(vin: &str) -> String {
    hex(&Sha256::digest(vin))
}

/// Why a request is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    HeaderMissing(&'static str),
    Stale,
    Signature,
    Body,
}

/// A request in plain text.
pub(super) struct Opened {
    pub(super) token: String,
    pub(super) content_type: String,
    pub(super) body: String,
}

/// A request older than this was replayed or comes from a wrong clock.
const SKEW_ALLOWED_MS: u64 = 15 * 60 * 1000;

/// Decrypts a request and checks what signs it. `path` is the part below the
/// base URL, with its query.
pub(super) fn open(request: &HttpRequest, path: &str, now_ms: u64) -> Result<Opened, Refusal> {
    let header = |name| request.header(name).ok_or(Refusal::HeaderMissing(name));
    let timestamp = header("APP-SEND-DATE")?;
    let tenant = header("tenant-id")?;
    let user_type = header("User-Type")?;
    let encrypted = header("APP-CONTENT-ENCRYPTED")?;
    let content_type = header("ORIGINAL-CONTENT-TYPE")?;
    let given = header("APP-VERIFICATION-STRING")?;
    let token = request.header("blade-auth").unwrap_or_default();
    let sent_ms: u64 = timestamp.parse().map_err(|_| Refusal::Stale)?;
    if sent_ms.abs_diff(now_ms) > SKEW_ALLOWED_MS {
        return Err(Refusal::Stale);
    }
    let cipher = std::str::from_utf8(&request.body)
        .map_err(|_| Refusal::Body)?
        .trim();
    let first = hex(&md5(&format!("{path}{tenant}{token}{user_type}")));
    let key = hex(&md5(&format!(
        "{first}{timestamp}{encrypted}{content_type}"
    )));
    let hmac_key = hex(&md5(&format!("{key}{timestamp}")));
    let message =
        format!("{path}{tenant}{token}{user_type}{timestamp}{encrypted}{content_type}{cipher}");
    if hmac_sha256(&hmac_key, &message) != given {
        return Err(Refusal::Signature);
    }
    let body = if cipher.is_empty() {
        String::new()
    } else {
        let key: [u8; 16] = unhex(&key)
            .and_then(|key| key.try_into().ok())
            .ok_or(Refusal::Body)?;
        let mut buffer = unhex(cipher).ok_or(Refusal::Body)?;
        let plain = cbc::Decryptor::<Aes128>::new(&key.into(), &md5(timestamp).into())
            .decrypt_padded::<Pkcs7>(&mut buffer)
            .map_err(|_| Refusal::Body)?;
        String::from_utf8(plain.to_vec()).map_err(|_| Refusal::Body)?
    };
    Ok(Opened {
        token: token.to_owned(),
        content_type: content_type.to_owned(),
        body,
    })
}

/// Encrypts and signs a response. The content type is that of the request.
pub(super) fn seal(body: &str, content_type: &str, now_ms: u64) -> Response {
    let timestamp = now_ms.to_string();
    let key = md5(&format!("{timestamp}1{content_type}"));
    let mut buffer = body.as_bytes().to_vec();
    buffer.resize(body.len() + 16, 0);
    let cipher = cbc::Encryptor::<Aes128>::new(&key.into(), &md5(&timestamp).into())
        .encrypt_padded::<Pkcs7>(&mut buffer, body.len())
        .map(hex)
        .unwrap_or_default();
    let hmac_key = hex(&md5(&format!("{}{timestamp}", hex(&key))));
    let signature = hmac_sha256(&hmac_key, &format!("{timestamp}1{content_type}{cipher}"));
    let header = |name: &str, value: String| (name.to_owned(), value);
    Response {
        status: 200,
        headers: vec![
            header("Content-Type", format!("{content_type};charset=utf-8")),
            header("APP-CONTENT-ENCRYPTED", "1".to_owned()),
            header("APP-SEND-DATE", timestamp),
            header("ORIGINAL-CONTENT-TYPE", content_type.to_owned()),
            header("APP-VERIFICATION-STRING", signature),
        ],
        body: cipher.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published answers, the one of the real cloud among them.
    #[test]
    fn seals_as_the_cloud_does() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/envelope.json")).unwrap();
        let responses = vectors["responses"].as_array().unwrap();
        for case in responses {
            let header = |name: &str| {
                let mut headers = case["headers"].as_object().unwrap().iter();
                let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.unwrap().1.as_str().unwrap()
            };
            let sent_ms = header("APP-SEND-DATE").parse().unwrap();
            let body = case["body"].as_str().unwrap();
            let ours = seal(body, header("ORIGINAL-CONTENT-TYPE"), sent_ms);
            assert_eq!(ours.body, case["wire_body"].as_str().unwrap().as_bytes());
            let signature = ours.header("APP-VERIFICATION-STRING").unwrap();
            assert_eq!(
                signature,
                header("APP-VERIFICATION-STRING"),
                "{}",
                case["name"]
            );
        }
        assert_eq!(responses.len(), 7);
    }

    /// The published requests of other people's clients.
    #[test]
    fn opens_as_the_cloud_does() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/envelope.json")).unwrap();
        for case in vectors["requests"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap_or_default();
            let headers = case["headers"].as_object().unwrap();
            let mut request = HttpRequest {
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                body: text("wire_body").as_bytes().to_vec(),
                ..HttpRequest::default()
            };
            let now_ms = case["timestamp_ms"].as_u64().unwrap();
            let multipart = text("name").contains("multipart");
            if multipart {
                request.body.clear();
            }
            let opened = open(&request, text("path"), now_ms)
                .map_err(|e| format!("{e:?}"))
                .unwrap();
            if !multipart {
                assert_eq!(opened.body, text("body").trim(), "{}", text("name"));
            }
            let elsewhere = open(&request, "/other", now_ms).err();
            assert_eq!(elsewhere, Some(Refusal::Signature));
            assert_eq!(open(&request, text("path"), 0).err(), Some(Refusal::Stale));
        }
    }
}
