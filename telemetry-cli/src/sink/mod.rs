//! Consumers of events.

pub mod home_assistant;
pub mod mqtt;
