//! Messages of the account.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

/// The server writes times as its own clock shows them: an hour ahead.
const SERVER_OFFSET: TimeDelta = TimeDelta::hours(1);
/// Older messages are forgotten.
const KEPT: usize = 200;

#[derive(Debug, Clone, Default)]
pub(super) struct Mailbox {
    /// Group and content, oldest first.
    messages: Vec<(&'static str, Value)>,
    next_id: u64,
}

impl Mailbox {
    pub(super) fn vehicle_started(&mut self, vin: &str, name: &str, now_s: u64) {
        self.next_id += 1;
        let time = i64::try_from(now_s)
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .and_then(|time| time.checked_add_signed(SERVER_OFFSET))
            .map(|time| time.format("%Y-%m-%d %H:%M:%S").to_string());
        let message = json!({
            "messageId": 91_000_000 + self.next_id,
            "messageType": "323",
            "title": "Vehicle Start",
            "content": format!("{name} was started."),
            "messageTime": time,
            "readStatus": 0,
            "sender": "TBOX",
            "vin": vin,
        });
        self.messages.push(("ALARM", message));
        let surplus = self.messages.len().saturating_sub(KEPT);
        self.messages.drain(..surplus);
    }

    fn count(&self, group: &str, unread_only: bool) -> usize {
        let counts = |(of, message): &&(&str, Value)| {
            *of == group && (!unread_only || message["readStatus"] == 0)
        };
        self.messages.iter().filter(counts).count()
    }

    pub(super) fn page(&self, group: &str, page: usize, size: usize) -> Value {
        let all: Vec<_> = self
            .messages
            .iter()
            .rev()
            .filter(|(of, _)| *of == group)
            .collect();
        let page: Vec<_> = all
            .iter()
            .skip(page.saturating_sub(1).saturating_mul(size))
            .take(size)
            .map(|(_, message)| message.clone())
            .collect();
        let mut answer = self.counts(false);
        answer["messages"] = page.into();
        answer["recordsNumber"] = all.len().into();
        answer["totalNumber"] = all.len().into();
        answer
    }

    pub(super) fn counts(&self, unread_only: bool) -> Value {
        json!({
            "alarmNumber": self.count("ALARM", unread_only),
            "commandNumber": self.count("COMMAND", unread_only),
            "newsNumber": self.count("NEWS", unread_only),
        })
    }

    pub(super) fn change(&mut self, body: &Value) {
        let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let id = text(&body["messageId"]);
        match body["actionType"].as_str().unwrap_or_default() {
            "READ" => {
                for (_, message) in &mut self.messages {
                    if text(&message["messageId"]) == id {
                        message["readStatus"] = 1.into();
                    }
                }
            }
            "DELETE" => self
                .messages
                .retain(|(_, message)| text(&message["messageId"]) != id),
            other => {
                let group = other.strip_prefix("DELETE_").unwrap_or_default().to_owned();
                self.messages.retain(|(of, _)| *of != group);
            }
        }
    }
}
