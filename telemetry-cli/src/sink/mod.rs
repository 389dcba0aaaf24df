//! Sinks: what consumes events. They know no source.

pub mod stdout;
pub mod table;
