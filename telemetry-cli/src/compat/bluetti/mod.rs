//! The tools for Bluetti power stations that others made: `bluetti-monitor`,
//! `bluetti-mqtt`, `bluetti-logger`, `bluetti-discovery`.

pub mod log;
pub mod survey;
pub mod tables;
