use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::bits::CodecError;
use super::dispatcher::{AccountDispatcher, CarDispatcher};
use crate::hex;

/// What both protocols begin their content with.
const KIND: u8 = b'1';
/// Bytes in front of the dispatcher of a login.
const ACCOUNT_HEAD: usize = 4;
/// Bytes in front of the dispatcher of a call to a car: three, and 16 zeros.
const CAR_HEAD: usize = 19;
/// Added to the length of the payload of a call to a car.
const CAR_EXTRA: usize = 3;

/// The text of a login or a PIN check (protocol 1.1). The length of the data in
/// the dispatcher is filled in.
///
/// # Errors
///
/// [`CodecError::Range`] if a field holds what it cannot.
pub fn seal_account(dispatcher: &AccountDispatcher, data: &[u8]) -> Result<String, CodecError> {
    let dispatcher = AccountDispatcher {
        data_length: u32::try_from(data.len()).map_err(|_| CodecError::Range)?,
        ..dispatcher.clone()
    }
    .to_bytes()?;
    let length = u16::try_from(dispatcher.len() + ACCOUNT_HEAD).map_err(|_| CodecError::Range)?;
    let [low, high] = length.to_le_bytes();
    let payload = [&[0x11, 0, low, high], dispatcher.as_slice(), data].concat();
    let characters = 5 + 2 * payload.len();
    let characters = u16::try_from(characters).map_err(|_| CodecError::Range)?;
    Ok(format!("{characters:04X}1{}", upper_hex(&payload)))
}

/// Reads the text of a login or a PIN check (protocol 1.1): its dispatcher and
/// its application data.
///
/// # Errors
///
/// [`CodecError`], whatever the text is.
pub fn open_account(text: &str) -> Result<(AccountDispatcher, Vec<u8>), CodecError> {
    let (length, digits) = split(text, |text| (text.get(..4), text.get(4), text.get(5..)))?;
    if length > text.len() {
        return Err(CodecError::CutOff);
    }
    let payload = hex::decode(digits).ok_or(CodecError::NoFrame)?;
    let &[_, _, low, high, ..] = payload.as_slice() else {
        return Err(CodecError::CutOff);
    };
    let end = usize::from(u16::from_le_bytes([low, high]));
    let (head, data) = payload.split_at_checked(end).ok_or(CodecError::CutOff)?;
    let dispatcher = head.get(ACCOUNT_HEAD..).ok_or(CodecError::NoFrame)?;
    Ok((AccountDispatcher::from_bytes(dispatcher)?, data.to_vec()))
}

/// The text of a call to a car (protocol 2.1). The length of the data in the
/// dispatcher is filled in.
///
/// # Errors
///
/// [`CodecError::Range`] if a field holds what it cannot.
pub fn seal_car(dispatcher: &CarDispatcher, data: &[u8]) -> Result<String, CodecError> {
    let dispatcher = CarDispatcher {
        data_length: Some(u16::try_from(data.len()).map_err(|_| CodecError::Range)?),
        ..dispatcher.clone()
    }
    .to_bytes()?;
    let length = u8::try_from(dispatcher.len() + CAR_EXTRA).map_err(|_| CodecError::Range)?;
    let mut payload = vec![0x21, length, 0];
    payload.resize(CAR_HEAD, 0);
    payload.extend_from_slice(&dispatcher);
    payload.extend_from_slice(data);
    let count = u16::try_from(payload.len() + CAR_EXTRA).map_err(|_| CodecError::Range)?;
    Ok(format!("1{count:04X}{}", upper_hex(&payload)))
}

/// Reads the text of a call to a car (protocol 2.1): its dispatcher and its
/// application data.
///
/// # Errors
///
/// [`CodecError`], whatever the text is.
pub fn open_car(text: &str) -> Result<(CarDispatcher, Vec<u8>), CodecError> {
    let (length, digits) = split(text, |text| (text.get(1..5), text.first(), text.get(5..)))?;
    let payload = hex::decode(digits).ok_or(CodecError::NoFrame)?;
    if length > payload.len() + CAR_EXTRA {
        return Err(CodecError::CutOff);
    }
    let rest = payload.get(CAR_HEAD..).ok_or(CodecError::CutOff)?;
    let length = usize::from(payload.get(1).copied().unwrap_or_default());
    let length = length.checked_sub(CAR_EXTRA).ok_or(CodecError::NoFrame)?;
    let (dispatcher, data) = rest.split_at_checked(length).ok_or(CodecError::CutOff)?;
    Ok((CarDispatcher::from_bytes(dispatcher)?, data.to_vec()))
}

type Parts<'a> = (Option<&'a [u8]>, Option<&'a u8>, Option<&'a [u8]>);

/// The length that a frame gives, and its hexadecimal digits.
fn split<'a>(
    text: &'a str,
    parts: impl Fn(&'a [u8]) -> Parts<'a>,
) -> Result<(usize, &'a [u8]), CodecError> {
    let (Some(length), Some(&KIND), Some(digits)) = parts(text.as_bytes()) else {
        return Err(CodecError::NoFrame);
    };
    let Some([high, low]) = hex::decode(length).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok())
    else {
        return Err(CodecError::NoFrame);
    };
    Ok((usize::from(u16::from_be_bytes([high, low])), digits))
}

fn upper_hex(bytes: &[u8]) -> String {
    let mut text = hex::encode(bytes);
    text.make_ascii_uppercase();
    text
}

/// The header `APP-SIGNATURE` of a frame.
#[must_use]
pub fn frame_signature(frame: &str) -> String {
    let key = frame.as_bytes().get(1..frame.len() / 2).unwrap_or_default();
    sign(&Md5::digest(key).into(), frame)
}

/// The header `APP-VERIFICATION-STRING` of a call to the JSON gateway. `path`
/// begins with a slash and includes the query.
#[must_use]
pub fn gateway_signature(path: &str, timestamp_ms: i64, content_type: &str) -> String {
    let timestamp = timestamp_ms.to_string();
    let path_key = hex::encode(&Md5::digest(path));
    let key = Md5::digest(format!("{path_key}{timestamp}1{content_type}"));
    let key = Md5::digest(format!("{}{timestamp}", hex::encode(&key)));
    sign(&key.into(), &format!("{path}{timestamp}1{content_type}"))
}

/// HMAC-SHA256, keyed with the hex text of a digest.
fn sign(key: &[u8; 16], message: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&hex::encode_16(key)) else {
        unreachable!("HMAC takes keys of any length");
    };
    mac.update(message.as_bytes());
    hex::encode(&mac.finalize().into_bytes())
}

/// What stands for a control PIN: MD5 of the PIN and two zeros, upper-case hex.
#[must_use]
pub fn pin_hash(pin: &str) -> String {
    upper_hex(&Md5::digest(format!("{pin}00")))
}
