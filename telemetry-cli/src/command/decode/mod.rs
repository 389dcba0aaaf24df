//! `telemetry decode`: what a device said, from recorded bytes.
//!
//! ```text
//!   chunk     lines of hexadecimal ──▶ notification chunks
//!   stream    notification chunks ──▶ frames
//!   answer    frames ──▶ JSON objects
//! ```

pub mod answer;
pub mod chunk;
pub mod stream;
