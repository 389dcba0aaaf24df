//! The MQTT stream of changes: what its messages mean, and the rules of its
//! sessions. Both are pure; with the feature `stream`, `Stream` is the
//! connection itself.
//!
//! BMW allows one session per account, for all its vehicles. A second program
//! that connects throws the first one out, and so on in turn.

#[cfg(feature = "stream")]
mod connection;
mod message;
mod rules;

#[cfg(feature = "stream")]
pub use connection::{Stream, StreamEvent, StreamOptions};
pub use message::StreamMessage;
pub use rules::{Ending, Notice, Plan, SessionRules};

/// Seconds between signs of life. The broker drops a client that promises 60.
pub const KEEP_ALIVE_S: u16 = 30;

/// The topic of all vehicles of an account.
#[must_use]
pub fn topic(gcid: &str) -> String {
    format!("{gcid}/+")
}
