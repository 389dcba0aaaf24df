//! The account's messages: which are new, for which car, and what to do about
//! them. Each car has its own newest message. What is new is decided by the ids:
//! the times have no time zone, and an hour of autumn comes twice.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::message::ChangeMessages;
use saic_ismart::{Message, MessageId};
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// So many messages are remembered.
const REMEMBERED: usize = 500;

/// What was seen before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    ids: VecDeque<String>,
    /// Time of the newest message of each car.
    newest: BTreeMap<String, DateTime<Utc>>,
}

/// What follows from a list of messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// To be told to the cloud.
    pub changes: Vec<ChangeMessages>,
    /// New messages, one for each car: the VIN, the message and its time.
    pub news: Vec<(String, Message, DateTime<Utc>)>,
    /// Nothing older is of interest.
    pub reached_known: bool,
}

impl Seen {
    /// Takes messages, the newest first.
    pub fn take(&mut self, messages: Vec<Message>, zone: Zone, now: DateTime<Utc>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut news: BTreeMap<String, (Message, DateTime<Utc>)> = BTreeMap::new();
        for message in messages {
            let Some(id) = message.id.clone() else {
                continue;
            };
            if message.is_read() == Some(false) {
                outcome
                    .changes
                    .push(ChangeMessages::Read { id: id.clone() });
            }
            if self.knows(&id) {
                outcome.reached_known = true;
                continue;
            }
            self.remember(&id);
            let Some(vin) = message.vin.as_ref().map(|vin| vin.as_str().to_owned()) else {
                continue;
            };
            let at = time(&message, zone, now);
            // Behind a known one, it may be one that was forgotten.
            let counts =
                !outcome.reached_known || self.newest.get(&vin).is_none_or(|known| at > *known);
            if !counts || news.contains_key(&vin) {
                outcome.changes.extend(deletion(&message));
                continue;
            }
            // A time of tomorrow would hide all of today's.
            let newest = self.newest.entry(vin.clone()).or_insert(at.min(now));
            *newest = at.min(now).max(*newest);
            news.insert(vin, (message, at));
        }
        outcome.news = news
            .into_iter()
            .map(|(vin, (message, at))| (vin, message, at))
            .collect();
        outcome
    }

    /// Whether one of them was seen: what follows in the list was seen, too.
    pub fn reaches(&self, messages: &[Message]) -> bool {
        let mut ids = messages.iter().filter_map(|message| message.id.as_ref());
        ids.any(|id| self.knows(id))
    }

    fn knows(&self, id: &MessageId) -> bool {
        let id = id.to_string();
        self.ids.iter().any(|known| *known == id)
    }

    fn remember(&mut self, id: &MessageId) {
        self.ids.push_back(id.to_string());
        if self.ids.len() > REMEMBERED {
            self.ids.pop_front();
        }
    }
}

/// Each start of an engine leaves one behind: only the newest is kept.
fn deletion(message: &Message) -> Option<ChangeMessages> {
    let id = message.id.clone().filter(|_| message.is_vehicle_start())?;
    Some(ChangeMessages::Delete { id })
}

/// The time of a message, which [`Seen::take`] read, if it is beyond doubt: it
/// may be written in another time zone than the account's, which is a quarter of
/// an hour away at least.
pub fn certain_time(
    message: &Message,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let is_recent = (now - at).abs() < TimeDelta::minutes(10);
    (message.created_at.is_some() || is_recent).then_some(at)
}

/// When it was sent. The cloud's text has no time zone.
fn time(message: &Message, zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    let written = || zone.from_local(message.local_time()?);
    message.created_at.or_else(written).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use saic_ismart::message::Messages;

    use super::*;

    const A: &str = "LSJTEST0000000001";
    const B: &str = "LSJTEST0000000002";

    /// Messages from (id, VIN, minute, kind, read).
    fn messages(list: &[(u32, &str, u32, &str, u8)]) -> Vec<Message> {
        let list: Vec<_> = list
            .iter()
            .map(|(id, vin, minute, kind, read)| {
                serde_json::json!({"messageId": id, "vin": vin, "messageType": kind, "readStatus": read,
                    "messageTime": format!("2026-11-20 09:{minute:02}:00")})
            })
            .collect();
        Messages::from_json(&serde_json::json!({"messages": list}).to_string())
            .unwrap()
            .messages
    }

    fn take(seen: &mut Seen, list: &[(u32, &str, u32, &str, u8)]) -> Outcome {
        seen.take(
            messages(list),
            Zone::parse("UTC").unwrap(),
            DateTime::<Utc>::UNIX_EPOCH,
        )
    }

    fn news(outcome: &Outcome) -> Vec<(&str, String)> {
        let id = |message: &Message| message.id.as_ref().unwrap().to_string();
        outcome
            .news
            .iter()
            .map(|(vin, message, _)| (vin.as_str(), id(message)))
            .collect()
    }

    #[test]
    fn each_car_has_its_own_newest_message() {
        let mut seen = Seen::default();
        let list = [
            (9, B, 30, "323", 0),
            (8, A, 20, "323", 0),
            (7, A, 10, "323", 1),
        ];
        let outcome = take(&mut seen, &list);
        assert_eq!(news(&outcome), [(A, "8".to_owned()), (B, "9".to_owned())]);
        assert!(!outcome.reached_known);
        let id = MessageId::Number;
        assert_eq!(
            outcome.changes,
            [
                ChangeMessages::Read { id: id(9) },
                ChangeMessages::Read { id: id(8) },
                ChangeMessages::Delete { id: id(7) },
            ]
        );
        let again = take(&mut seen, &[(9, B, 30, "323", 1), (8, A, 20, "323", 1)]);
        assert_eq!((news(&again), again.reached_known), (vec![], true));
    }

    #[test]
    fn any_kind_of_message_counts_but_only_starts_are_deleted() {
        let mut seen = Seen::default();
        assert!(!seen.reaches(&messages(&[(1, A, 10, "323", 1)])));
        let outcome = take(
            &mut seen,
            &[
                (3, A, 30, "801", 1),
                (2, A, 20, "801", 1),
                (1, A, 10, "323", 1),
            ],
        );
        assert_eq!(news(&outcome), [(A, "3".to_owned())]);
        assert_eq!(
            outcome.changes,
            [ChangeMessages::Delete {
                id: MessageId::Number(1)
            }]
        );
    }

    #[test]
    fn a_message_with_an_unseen_id_is_new_whatever_its_time() {
        let mut seen = Seen::default();
        take(&mut seen, &[(1, A, 50, "323", 1)]);
        // The clock went back by an hour, or the time zone was another one.
        let outcome = take(&mut seen, &[(2, A, 10, "323", 1), (1, A, 50, "323", 1)]);
        assert_eq!(news(&outcome), [(A, "2".to_owned())]);
        assert_eq!(outcome.changes, []);
        // One without a readable time counts as of now, and hides none after it.
        let now = "2026-11-20T09:20:00Z".parse().unwrap();
        let zone = Zone::parse("UTC").unwrap();
        let mut timeless = messages(&[(3, A, 0, "323", 1), (1, A, 50, "323", 1)]);
        timeless[0].time = None;
        assert_eq!(seen.take(timeless, zone, now).news.len(), 1);
        let later = take(&mut seen, &[(4, A, 15, "323", 1), (3, A, 0, "323", 1)]);
        assert_eq!(news(&later), [(A, "4".to_owned())]);
        // Behind a known one it is old, unless it is the newest by its time.
        let old = take(&mut seen, &[(4, A, 15, "323", 1), (9, A, 5, "323", 1)]);
        assert_eq!((news(&old), old.changes.len()), (vec![], 1));
    }

    #[test]
    fn a_restart_brings_no_old_news() {
        let mut seen = Seen::default();
        take(&mut seen, &[(3, A, 30, "323", 1)]);
        let json = serde_json::to_string(&seen).unwrap();
        let mut restored: Seen = serde_json::from_str(&json).unwrap();
        assert_eq!(take(&mut restored, &[(3, A, 30, "323", 1)]).news, []);
        assert_eq!(take(&mut restored, &[(4, A, 31, "323", 1)]).news.len(), 1);
    }

    #[test]
    fn a_time_without_zone_is_certain_only_if_it_is_of_now() {
        let text = &messages(&[(1, A, 0, "323", 0)])[0];
        let at = |minutes| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minutes);
        for (written, now, certain) in [
            (60, 60, true),
            (60, 69, true),
            (60, 75, false),
            (60, 0, false),
        ] {
            let time = certain_time(text, at(written), at(now));
            assert_eq!(time, certain.then_some(at(written)), "{written} {now}");
        }
        let stamped = r#"{"messages": [{"messageId": 1, "createTime": 1795208448000}]}"#;
        let stamped = &Messages::from_json(stamped).unwrap().messages[0];
        assert!(stamped.created_at.is_some());
        assert_eq!(certain_time(stamped, at(60), at(600)), Some(at(60)));
    }

    #[test]
    fn memory_has_an_end() {
        let mut seen = Seen::default();
        for id in 0..2000 {
            take(&mut seen, &[(id, A, 1, "1", 1)]);
        }
        assert_eq!(seen.ids.len(), REMEMBERED);
    }
}
