//! Sinks: what consumes events. They know no source.

pub mod home_assistant;
pub mod mqtt;
pub mod stdout;
pub mod table;
