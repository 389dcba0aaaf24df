use alloc::vec::Vec;

use super::pdu::{EXCEPTION, READ, WRITE_MULTIPLE, WRITE_SINGLE};
use super::{Answer, MAX_READ_COUNT, Request, UnitId, crc16_modbus};

/// The longest answer, bytes.
pub const MAX_LEN: usize = MAX_READ_COUNT as usize * 2 + HEAD + CRC;

/// Unit, function and byte count.
const HEAD: usize = 3;
const CRC: usize = 2;
const REFUSAL_LEN: usize = 5;
const WRITTEN_LEN: usize = 8;

/// Why bytes are not an RTU answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// No function that stations answer.
    #[error("{0:#04x} is none of the functions 3, 6, 16 or their refusals")]
    Function(u8),
    /// A read answer carries an even number of bytes, 2..=250.
    #[error("{0} bytes are no list of registers")]
    ByteCount(u8),
    /// The checksum does not fit the content.
    #[error("checksum {got:#06x}, expected {expected:#06x}")]
    Crc {
        /// What the content adds up to.
        expected: u16,
        /// What the frame carries.
        got: u16,
    },
}

impl Request {
    /// The request as an RTU frame.
    #[must_use]
    pub fn to_rtu(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WRITTEN_LEN);
        bytes.push(self.unit().0);
        self.put(&mut bytes);
        seal(bytes)
    }
}

/// A complete, sound answer, borrowed from where it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who answered.
    pub unit: UnitId,
    /// What was answered.
    pub answer: Answer<'a>,
}

impl<'a> Frame<'a> {
    /// The answer at the start of `bytes` and how many bytes it takes, or `None`
    /// while it is incomplete.
    ///
    /// # Errors
    ///
    /// A [`FrameError`] as soon as the bytes can no longer become an answer.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        match scan(bytes)? {
            Scan::Incomplete => Ok(None),
            Scan::Complete { len } => Ok(bytes.get(..len).and_then(Self::checked).zip(Some(len))),
        }
    }

    /// The view of bytes that [`scan`] found complete.
    pub(crate) fn checked(bytes: &'a [u8]) -> Option<Self> {
        let (&unit, rest) = bytes.split_first()?;
        let pdu = rest.get(..rest.len().checked_sub(CRC)?)?;
        Some(Self {
            unit: UnitId(unit),
            answer: Answer::parse(pdu)?,
        })
    }

    /// The answer as a station would send it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_LEN);
        bytes.push(self.unit.0);
        self.answer.put(&mut bytes);
        seal(bytes)
    }
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc16_modbus(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

pub(crate) enum Scan {
    Incomplete,
    Complete { len: usize },
}

/// Looks at a candidate as far as its bytes go. Its own head tells how long it is.
pub(crate) fn scan(bytes: &[u8]) -> Result<Scan, FrameError> {
    let Some(&function) = bytes.get(1) else {
        return Ok(Scan::Incomplete);
    };
    let len = match function {
        READ => match bytes.get(2) {
            None => return Ok(Scan::Incomplete),
            Some(&count)
                if count == 0 || count % 2 == 1 || u16::from(count) > MAX_READ_COUNT * 2 =>
            {
                return Err(FrameError::ByteCount(count));
            }
            Some(&count) => usize::from(count) + HEAD + CRC,
        },
        WRITE_SINGLE | WRITE_MULTIPLE => WRITTEN_LEN,
        _ if matches!(function ^ EXCEPTION, READ | WRITE_SINGLE | WRITE_MULTIPLE) => REFUSAL_LEN,
        _ => return Err(FrameError::Function(function)),
    };
    let Some((content, &[low, high])) = bytes
        .get(..len)
        .and_then(|frame| frame.split_last_chunk::<CRC>())
    else {
        return Ok(Scan::Incomplete);
    };
    let (expected, got) = (crc16_modbus(content), u16::from_le_bytes([low, high]));
    if got != expected {
        return Err(FrameError::Crc { expected, got });
    }
    Ok(Scan::Complete { len })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_is_no_error() {
        for whole in [
            &[0x01, 0x03, 0x02, 0x07, 0xD5, 0x7B, 0xEB][..],
            &[0x01, 0x83, 0x02, 0xC0, 0xF1],
            &[0x01, 0x06, 0x0B, 0xBF, 0x00, 0x01, 0x7B, 0xCA],
        ] {
            for len in 0..whole.len() {
                assert_eq!(Frame::parse(&whole[..len]), Ok(None), "{len} bytes");
            }
            let (frame, used) = Frame::parse(whole).unwrap().unwrap();
            assert_eq!((frame.to_bytes(), used), (whole.to_vec(), whole.len()));
        }
    }

    #[test]
    fn a_head_that_cannot_be_is_refused_at_once() {
        assert_eq!(Frame::parse(&[1, 4]), Err(FrameError::Function(4)));
        assert_eq!(Frame::parse(&[1, 3, 0]), Err(FrameError::ByteCount(0)));
        assert_eq!(Frame::parse(&[1, 3, 81]), Err(FrameError::ByteCount(81)));
        assert_eq!(Frame::parse(&[1, 3, 252]), Err(FrameError::ByteCount(252)));
    }
}
