//! From the newest message about a car.

use chrono::{DateTime, Utc};
use saic_ismart::Message;

use super::Publications;

/// The topics of a message that was sent at `at`.
pub fn message(message: &Message, at: DateTime<Utc>) -> Publications {
    let mut topics = Publications::default();
    let mut say = |name: &str, text: Option<String>| {
        if let Some(text) = text {
            topics.setting(&format!("info/lastMessage/{name}"), text);
        }
    };
    say("messageId", message.id.as_ref().map(ToString::to_string));
    say("messageType", message.kind.clone());
    say("title", message.title.clone());
    say("messageTime", Some(super::text::timestamp(at)));
    say("sender", message.sender.clone());
    say("content", message.content.clone());
    say("status", Some(read_status(message).to_owned()));
    say(
        "vin",
        message.vin.as_ref().map(|vin| vin.as_str().to_owned()),
    );
    topics
}

fn read_status(message: &Message) -> &'static str {
    match message.is_read() {
        Some(false) => "unread",
        Some(true) => "read",
        None => "unknown",
    }
}
