//! The same requests and answers under a MODBUS-TCP header instead of unit and
//! checksum.

use alloc::vec::Vec;

use super::{Answer, Request, UnitId};

/// Transaction, protocol, length, unit.
pub const HEAD_LEN: usize = 7;
/// The longest frame that the specification allows, bytes.
pub const MAX_LEN: usize = 260;
/// The port that stations listen on.
pub const PORT: u16 = 502;

/// Why bytes are not a MODBUS-TCP answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TcpError {
    /// The protocol field is not 0.
    #[error("protocol {0} is not MODBUS")]
    Protocol(u16),
    /// The length field is outside 3..=254.
    #[error("{0} bytes are no MODBUS answer")]
    Length(u16),
    /// The content is no answer to functions 3, 6 or 16.
    #[error("the content is no answer to functions 3, 6 or 16")]
    Content,
}

impl Request {
    /// The request as a TCP frame.
    #[must_use]
    pub fn to_tcp(&self, transaction: u16) -> Vec<u8> {
        let mut pdu = Vec::new();
        self.put(&mut pdu);
        frame(transaction, self.unit(), &pdu)
    }
}

/// An RTU request under a TCP header instead of its unit and checksum; `None` if
/// it is too short for one.
#[cfg(feature = "tcp")]
pub(crate) fn wrap(transaction: u16, rtu: &[u8]) -> Option<Vec<u8>> {
    let (&unit, rest) = rtu.split_first()?;
    let (pdu, _) = rest.split_last_chunk::<2>()?;
    Some(frame(transaction, UnitId(unit), pdu))
}

/// A complete answer, borrowed from where it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The number of the request that is answered.
    pub transaction: u16,
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
    /// A [`TcpError`]; the stream is out of step then and of no more use.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, TcpError> {
        let Some((&[t0, t1, p0, p1, l0, l1, unit], rest)) = bytes.split_first_chunk::<HEAD_LEN>()
        else {
            return Ok(None);
        };
        let (protocol, length) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([l0, l1]));
        if protocol != 0 {
            return Err(TcpError::Protocol(protocol));
        }
        if !(3..=254).contains(&length) {
            return Err(TcpError::Length(length));
        }
        let pdu_len = usize::from(length) - 1;
        let Some(pdu) = rest.get(..pdu_len) else {
            return Ok(None);
        };
        let frame = Self {
            transaction: u16::from_be_bytes([t0, t1]),
            unit: UnitId(unit),
            answer: Answer::parse(pdu).ok_or(TcpError::Content)?,
        };
        Ok(Some((frame, HEAD_LEN + pdu_len)))
    }

    /// The same answer as an RTU frame.
    #[must_use]
    pub fn to_rtu(&self) -> Vec<u8> {
        let (unit, answer) = (self.unit, self.answer);
        super::Frame { unit, answer }.to_bytes()
    }

    /// The answer as a station would send it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut pdu = Vec::new();
        self.answer.put(&mut pdu);
        frame(self.transaction, self.unit, &pdu)
    }
}

fn frame(transaction: u16, unit: UnitId, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_LEN + pdu.len());
    super::pdu::put_words(&mut bytes, &[transaction, 0, pdu.len() as u16 + 1]);
    bytes.push(unit.0);
    bytes.extend(pdu);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_carry_the_specified_bytes() {
        let request = Request::read(UnitId::DEFAULT, 50022, 1).unwrap();
        assert_eq!(
            request.to_tcp(0x1501),
            [0x15, 0x01, 0, 0, 0, 6, 1, 3, 0xC3, 0x66, 0, 1]
        );
        let answer = [0x15, 0x01, 0, 0, 0, 5, 1, 3, 2, 0, 4];
        for len in 0..answer.len() {
            assert_eq!(Frame::parse(&answer[..len]), Ok(None));
        }
        let (frame, used) = Frame::parse(&answer).unwrap().unwrap();
        assert_eq!((frame.transaction, used), (0x1501, answer.len()));
        assert!(request.accepts(frame.unit, &frame.answer));
        assert_eq!(frame.to_bytes(), answer);
    }

    #[test]
    fn what_is_no_modbus_is_refused() {
        assert_eq!(
            Frame::parse(b"HTTP/1.1 400"),
            Err(TcpError::Protocol(0x5450))
        );
        assert_eq!(
            Frame::parse(&[0, 1, 0, 0, 2, 0, 1, 3]),
            Err(TcpError::Length(512))
        );
        assert_eq!(
            Frame::parse(&[0, 1, 0, 0, 0, 4, 1, 3, 4, 0]),
            Err(TcpError::Content)
        );
    }
}
