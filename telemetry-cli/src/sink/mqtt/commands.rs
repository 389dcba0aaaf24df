//! Commands from the broker: `…/<device>/<key>/set` in, `…/result` out.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::topics::Topics;
use crate::control::Controls;

/// The same command again within this time is the same one: a broker may
/// deliver it twice, and fingers are nervous.
const SAME: Duration = Duration::from_secs(1);

/// Commands under way. More of them is no user, but a loop somewhere.
const MOST: usize = 64;

/// The id comes back in the result. One that makes that larger than a packet
/// may be would cost the connection.
const LONGEST_ID: usize = 1000;

/// Carries commands to their devices and brings the results back.
#[derive(Debug)]
pub(super) struct Commands {
    topics: Topics,
    controls: Controls,
    under_way: JoinSet<Answer>,
    last: HashMap<String, (Vec<u8>, Instant)>,
}

/// What became of a command.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// Where the result goes, not retained.
    pub(super) topic: String,
    /// It, as JSON.
    pub(super) payload: String,
    /// Whom it was meant for.
    pub(super) device: String,
    /// The state is what it was before.
    pub(super) failed: bool,
}

impl Commands {
    /// For the devices below `topics`.
    pub(super) fn new(topics: Topics, controls: Controls) -> Self {
        Self {
            topics,
            controls,
            under_way: JoinSet::new(),
            last: HashMap::new(),
        }
    }

    /// Takes a message; false if it is none of a command.
    pub(super) fn take(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
        now: Instant,
    ) -> bool {
        let Some((device, word)) = self.topics.command(topic) else {
            return false;
        };
        if payload.is_empty() {
            // Somebody clears a retained one.
        } else if retained {
            tracing::warn!(
                topic,
                "ignored: a retained command would be carried out again at each connection; \
                 publish it without `retain`, and clear this one with an empty payload"
            );
        } else if self.repeated(topic, payload, now) {
            tracing::debug!(topic, "ignored: the same command came a moment ago");
        } else if self.under_way.len() >= MOST {
            tracing::warn!(topic, "ignored: {MOST} commands are under way already");
        } else {
            let topic = self.topics.result(device, word);
            self.start(topic, device.to_owned(), word.to_owned(), payload);
        }
        true
    }

    fn start(&mut self, topic: String, device: String, word: String, payload: &[u8]) {
        let controls = self.controls.clone();
        let order = Order::parse(payload);
        self.under_way.spawn(async move {
            let (id, outcome) = match order {
                Err(wrong) => (Value::Null, Err(wrong)),
                Ok(Order { id, value }) => {
                    let outcome = controls.send(&device, &word, &value).await;
                    (id, outcome.map_err(|refusal| refusal.to_string()))
                }
            };
            if let Err(reason) = &outcome {
                tracing::warn!(topic, "command refused: {reason}");
            }
            let failed = outcome.is_err();
            Answer {
                payload: json!({"id": id, "ok": !failed, "error": outcome.err()}).to_string(),
                topic,
                device,
                failed,
            }
        });
    }

    fn repeated(&mut self, topic: &str, payload: &[u8], now: Instant) -> bool {
        self.last.retain(|_, (_, at)| now < *at + SAME);
        let known = self.last.get(topic);
        if known.is_some_and(|(before, _)| before == payload) {
            return true;
        }
        self.last
            .insert(topic.to_owned(), (payload.to_owned(), now));
        false
    }

    /// The next result; never if no command is under way. Cancel safe.
    pub(super) async fn next(&mut self) -> Answer {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(answer)) => return answer,
                Some(Err(error)) => tracing::error!(%error, "a bug: a command panicked"),
                None => std::future::pending().await,
            }
        }
    }

    /// True if a result is to come.
    pub(super) fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }
}

/// A command's payload: the plain value, or `{"id": …, "value": …}` where the
/// sender wants to recognise the result.
#[derive(Debug, PartialEq)]
struct Order {
    id: Value,
    value: String,
}

impl Order {
    fn parse(payload: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(payload).map_err(|_| "the payload is no text".to_owned())?;
        if !text.trim_start().starts_with('{') {
            return Ok(Self {
                id: Value::Null,
                value: text.to_owned(),
            });
        }
        let mut order: serde_json::Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| format!("the payload is no JSON: {error}"))?;
        let value = match order.remove("value") {
            Some(Value::String(text)) => text,
            Some(plain @ (Value::Bool(_) | Value::Number(_))) => plain.to_string(),
            _ => return Err("the payload has no plain `value`".to_owned()),
        };
        let id = order.remove("id").unwrap_or(Value::Null);
        match id.to_string().len() <= LONGEST_ID {
            true => Ok(Self { id, value }),
            false => Err(format!("the `id` is longer than {LONGEST_ID} characters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Commands {
        Commands::new(Topics::new("t").unwrap(), Controls::default())
    }

    fn order(payload: &str) -> Result<(Value, String), String> {
        Order::parse(payload.as_bytes()).map(|order| (order.id, order.value))
    }

    #[test]
    fn a_payload_is_a_value_with_or_without_an_id() {
        assert_eq!(order("on"), Ok((Value::Null, "on".into())));
        assert_eq!(
            order(r#"{"value": 21.5}"#),
            Ok((Value::Null, "21.5".into()))
        );
        assert_eq!(
            order(r#" {"id": 7, "value": true}"#),
            Ok((json!(7), "true".into()))
        );
        for wrong in ["{", r#"{"id": 1}"#, r#"{"value": [1]}"#] {
            assert!(order(wrong).unwrap_err().starts_with("the payload "));
        }
        assert!(Order::parse(b"\xff").is_err());
        let long = format!(r#"{{"id": "{}", "value": true}}"#, "x".repeat(LONGEST_ID));
        assert!(order(&long).unwrap_err().contains("longer than"));
    }

    #[tokio::test(start_paused = true)]
    async fn only_fresh_commands_count() {
        let mut commands = commands();
        let now = Instant::now();
        let topic = "t/pack/charge_mosfet_on/set";
        assert!(!commands.take("t/pack/charge_mosfet_on", b"on", false, now));
        assert!(commands.take(topic, b"on", true, now), "retained");
        assert!(commands.take(topic, b"", false, now), "cleared");
        assert!(!commands.is_busy());
        assert!(commands.take(topic, b"on", false, now));
        assert!(commands.take(topic, b"on", false, now + SAME / 2), "twice");
        assert!(commands.take(topic, b"off", false, now + SAME / 2));
        assert_eq!(commands.under_way.len(), 2);
        let answer = commands.next().await;
        assert_eq!(answer.topic, "t/pack/charge_mosfet_on/result");
        assert!(answer.failed);
        assert!(answer.payload.contains("no device `pack`"));
        commands.next().await;
        assert!(!commands.is_busy());
        assert!(commands.take(topic, b"off", false, now + 2 * SAME));
        assert!(commands.is_busy());
    }

    #[tokio::test]
    async fn an_id_comes_back() {
        let mut commands = commands();
        let order = br#"{"id": "a\"1", "value": "on"}"#;
        assert!(commands.take("t/pack/lock/set", order, false, Instant::now()));
        let answer: Value = serde_json::from_str(&commands.next().await.payload).unwrap();
        assert_eq!(answer["id"], "a\"1");
        assert_eq!(answer["ok"], false);
        assert!(answer["error"].is_string());
    }
}
