//! Reading vectors.

use jbd_bms::frame::Frame;
use serde_json::Value;

pub(crate) fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) fn only_frame(bytes: &[u8]) -> Frame<'_> {
    let (frame, used) = Frame::parse(bytes).unwrap().unwrap();
    assert_eq!(used, bytes.len());
    assert_eq!(frame.to_bytes().unwrap(), bytes);
    frame
}
