//! The part of MODBUS that power stations speak, as bytes.
//!
//! Functions 3, 6 and 16 and exceptions, in RTU frames (over Bluetooth, without
//! the silent intervals of a serial line) and in TCP frames. Written here because
//! over Bluetooth the end of an answer follows from the request and from the
//! answer's own head, never from a pause.

#[cfg(feature = "bundle")]
pub mod bundle;
mod crc;
mod exception;
mod pdu;
mod rtu;
pub mod tcp;

pub use crc::crc16_modbus;
pub use exception::ExceptionCode;
pub use pdu::{
    Answer, MAX_READ_COUNT, MAX_WRITE_COUNT, Operation, Request, RequestError, UnitId, Words,
};
pub use rtu::{Frame, FrameError, MAX_LEN};
pub(crate) use rtu::{Scan, scan};
