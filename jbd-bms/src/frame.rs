//! The classic frame: `DD`, register, status, length, data, checksum, `77`.
//!
//! ```text
//! request  DD | A5 read / 5A write | register | length | data | checksum (2) | 77
//! answer   DD | register | status  |            length | data | checksum (2) | 77
//! ```
//!
//! The checksum is the 16-bit two's complement of a byte sum, big endian. A
//! request sums register, length and data; an answer sums status, length and
//! data, which leaves the register byte unprotected.

use alloc::vec::Vec;
use core::fmt;

use crate::bytes::u16_at;
use crate::error::{FrameError, Status};

/// First byte of every frame.
pub const START: u8 = 0xDD;
/// Last byte of every frame.
pub const END: u8 = 0x77;
/// Everything of a frame but its data.
pub const OVERHEAD: usize = 7;
/// The longest frame that the length byte allows.
pub const MAX_LEN: usize = 255 + OVERHEAD;

const READ: u8 = 0xA5;
const WRITE: u8 = 0x5A;

const AT_REGISTER: usize = 1;
const AT_STATUS: usize = 2;
const AT_LENGTH: usize = 3;
const AT_DATA: usize = 4;

/// A complete request, ready to be written.
///
/// `Debug` shows the register and the length only, because password requests
/// are requests too.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Asks for a register.
    #[must_use]
    pub fn read(register: u8) -> Self {
        Self::build(READ, register, &[], 0)
    }

    /// Asks for a register that wants arguments, such as the parameter block.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooLong`] above 255 bytes.
    pub fn read_with(register: u8, data: &[u8]) -> Result<Self, FrameError> {
        Ok(Self::build(READ, register, data, length(data)?))
    }

    /// Writes a register.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooLong`] above 255 bytes.
    pub fn write(register: u8, data: &[u8]) -> Result<Self, FrameError> {
        Ok(Self::build(WRITE, register, data, length(data)?))
    }

    pub(crate) fn read_array<const N: usize>(register: u8, data: [u8; N]) -> Self {
        const { assert!(N <= 255) }
        Self::build(READ, register, &data, N as u8)
    }

    pub(crate) fn write_array<const N: usize>(register: u8, data: [u8; N]) -> Self {
        const { assert!(N <= 255) }
        Self::build(WRITE, register, &data, N as u8)
    }

    fn build(direction: u8, register: u8, data: &[u8], length: u8) -> Self {
        let mut bytes = Vec::with_capacity(data.len() + OVERHEAD);
        bytes.extend([START, direction, register, length]);
        bytes.extend(data);
        bytes.extend(checksum(register, length, data).to_be_bytes());
        bytes.push(END);
        Self { bytes }
    }

    /// What to write to the device.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The register that is read or written.
    #[must_use]
    pub fn register(&self) -> u8 {
        self.bytes.get(2).copied().unwrap_or_default()
    }

    /// Whether the request changes something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.bytes.get(1) == Some(&WRITE)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("register", &self.register())
            .field("is_write", &self.is_write())
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

fn length(data: &[u8]) -> Result<u8, FrameError> {
    u8::try_from(data.len()).map_err(|_| FrameError::TooLong(data.len()))
}

/// A complete, sound answer, borrowed from where it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The register that the answer is about.
    pub register: u8,
    /// How the device took the request.
    pub status: Status,
    /// The content.
    pub data: &'a [u8],
    /// The frame carried checksum 0000 where another was due; see
    /// [the deviating refusals](Frame::parse).
    pub zero_checksum: bool,
}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes` and how many bytes it takes, or `None`
    /// while it is incomplete.
    ///
    /// Some firmware sends refusals without data under checksum 0000 instead of
    /// the right one. They are accepted and marked.
    ///
    /// # Errors
    ///
    /// A [`FrameError`] as soon as the bytes can no longer become a frame.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        match scan(bytes)? {
            Scan::Incomplete => Ok(None),
            Scan::Complete { len } => Ok(bytes.get(..len).and_then(Self::checked).zip(Some(len))),
        }
    }

    /// The view of bytes that [`scan`] found complete.
    pub(crate) fn checked(bytes: &'a [u8]) -> Option<Self> {
        let (&[_, register, status, len], rest) = bytes.split_first_chunk::<AT_DATA>()?;
        let data = rest.get(..usize::from(len))?;
        let carried = u16_at(rest, data.len())?;
        Some(Self {
            register,
            status: Status::from(status),
            data,
            zero_checksum: carried == 0 && checksum(status, len, data) != 0,
        })
    }

    /// The answer as the device would send it.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooLong`] above 255 data bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let len = length(self.data)?;
        let status = self.status.code();
        let sum = match self.zero_checksum {
            true => 0,
            false => checksum(status, len, self.data),
        };
        let mut bytes = Vec::with_capacity(self.data.len() + OVERHEAD);
        bytes.extend([START, self.register, status, len]);
        bytes.extend(self.data);
        bytes.extend(sum.to_be_bytes());
        bytes.push(END);
        Ok(bytes)
    }
}

pub(crate) enum Scan {
    Incomplete,
    Complete { len: usize },
}

/// Looks at a candidate as far as its bytes go. Only the length byte decides
/// where a frame ends: data may contain both marks anywhere.
pub(crate) fn scan(bytes: &[u8]) -> Result<Scan, FrameError> {
    match bytes.first() {
        None => return Ok(Scan::Incomplete),
        Some(&START) => {}
        Some(&other) => return Err(FrameError::Start(other)),
    }
    let Some(&status) = bytes.get(AT_STATUS) else {
        return Ok(Scan::Incomplete);
    };
    // Without this rule a stray start mark could demand 262 bytes and hold up
    // the real answer behind it.
    if !matches!(status, 0x00 | 0x80..=0x8F) {
        return Err(FrameError::Status(status));
    }
    let Some(&len) = bytes.get(AT_LENGTH) else {
        return Ok(Scan::Incomplete);
    };
    let total = usize::from(len) + OVERHEAD;
    let Some(frame) = bytes.get(..total) else {
        return Ok(Scan::Incomplete);
    };
    let data = frame.get(AT_DATA..total - 3).unwrap_or_default();
    let got = u16_at(frame, total - 3).unwrap_or_default();
    match frame.last() {
        Some(&END) => {}
        other => return Err(FrameError::End(other.copied().unwrap_or_default())),
    }
    let expected = checksum(status, len, data);
    if got != expected && !(len == 0 && got == 0) {
        return Err(FrameError::Checksum { expected, got });
    }
    Ok(Scan::Complete { len: total })
}

fn checksum(first: u8, len: u8, data: &[u8]) -> u16 {
    data.iter()
        .fold(u16::from(first) + u16::from(len), |sum, &byte| {
            sum.wrapping_add(u16::from(byte))
        })
        .wrapping_neg()
}

const _: () = assert!(AT_REGISTER < AT_STATUS && AT_STATUS < AT_LENGTH && AT_LENGTH < AT_DATA);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_carry_the_documented_bytes() {
        assert_eq!(
            Request::read(0x03).bytes(),
            [0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77]
        );
        assert_eq!(
            Request::read(0x00).bytes(),
            [0xDD, 0xA5, 0x00, 0x00, 0x00, 0x00, 0x77]
        );
        assert_eq!(
            Request::write_array(0xE1, [0, 2]).bytes(),
            [0xDD, 0x5A, 0xE1, 0x02, 0x00, 0x02, 0xFF, 0x1B, 0x77]
        );
    }

    #[test]
    fn an_oversized_request_is_refused() {
        assert_eq!(
            Request::write(0xA0, &[0; 256]),
            Err(FrameError::TooLong(256))
        );
    }

    #[test]
    fn incomplete_is_no_error() {
        let whole = [0xDD, 0x04, 0x00, 0x02, 0x0C, 0xE4, 0xFF, 0x0E, 0x77];
        for len in 0..whole.len() {
            assert_eq!(Frame::parse(&whole[..len]), Ok(None), "{len} bytes");
        }
        let (frame, used) = Frame::parse(&whole).unwrap().unwrap();
        assert_eq!(
            (frame.register, frame.data, used),
            (4, &[0x0C, 0xE4][..], 9)
        );
    }

    #[test]
    fn debug_of_a_request_shows_no_content() {
        let request = Request::write_array(6, [6, 9, 9, 9, 9, 9, 9]);
        assert!(!alloc::format!("{request:?}").contains("9, 9"));
    }
}
