//! `telemetry decode`: what a device said, from recorded bytes.
//!
//! ```text
//!   chunk     lines of hexadecimal ──▶ notification chunks
//!   btsnoop   a phone's log ──▶ packets ──▶ att ──▶ notification chunks
//!   stream    notification chunks ──▶ frames
//!   answer    frames ──▶ JSON objects
//! ```

pub mod answer;
pub mod att;
pub mod btsnoop;
pub mod chunk;
pub mod stream;
