//! Source: the gateway itself, a device like others.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;

use crate::event::{Device, DeviceId, DeviceKind, Reading};
use crate::filter::Keep;
use crate::hub::{Handling, Hub};
use crate::journal::Journal;
use crate::metric::gateway;
use crate::stats::{Counts, Stats};
use crate::supervisor::{Exit, Task};
use crate::value::Value;

const INTERVAL: Duration = Duration::from_secs(30);

/// Id of the device that stands for the gateway `gateway_id`.
pub fn device_id(gateway_id: &str) -> DeviceId {
    DeviceId::new(&["gateway", gateway_id])
}

/// Reports on the gateway until it ends.
pub async fn run(name: String, hub: Hub, journal: Journal, stats: Stats, task: Task) -> Exit {
    let id = device_id(journal.gateway());
    let version = env!("CARGO_PKG_VERSION");
    hub.announce(
        Device {
            name,
            vendor: "telemetry".to_owned(),
            model: Some("gateway".to_owned()),
            software_version: Some(version.to_owned()),
            ..Device::unknown(id.clone(), DeviceKind::Gateway)
        },
        Handling {
            source: task.name.clone(),
            interval: INTERVAL,
            keep: Keep::Nothing,
        },
    );
    let started_at = Utc::now();
    let mut tick = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = task.shutdown.cancelled() => return Exit::Stopped,
        }
        let backlog = match journal.backlog().await {
            Ok(backlog) => backlog,
            Err(error) => return Exit::Transient(error.to_string()),
        };
        let mut reading = Reading::new(id.clone(), DeviceKind::Gateway, Utc::now());
        let values = &mut reading.values;
        values.set(&gateway::VERSION, Value::from(version));
        values.set(&gateway::STARTED_AT, Value::from(started_at));
        let counts = stats.counts();
        values.set(&gateway::POLLS, parts(&counts, |of| whole(of.polls)));
        values.set(&gateway::FAILURES, parts(&counts, |of| whole(of.failures)));
        values.set(
            &gateway::POLL_DURATION_S,
            parts(&counts, |of| Some(of.poll_duration?.as_secs_f64().into())),
        );
        values.set(
            &gateway::SET_ASIDE,
            parts(&counts, |of| {
                whole(of.set_aside).filter(|_| of.set_aside > 0)
            }),
        );
        values.set(
            &gateway::HEALTH,
            parts(&counts, |of| Some(of.health().into())),
        );
        values.set(
            &gateway::LAST_ERROR,
            parts(&counts, |of| {
                Some(of.last_error.as_ref()?.1.as_str().into())
            }),
        );
        values.set(
            &gateway::LAST_ERROR_AT,
            parts(&counts, |of| Some(of.last_error.as_ref()?.0.into())),
        );
        values.set(
            &gateway::QUOTA_LEFT,
            parts(&counts, |of| Some((of.quota_left? as f64).into())),
        );
        values.set(
            &gateway::JOURNAL_BACKLOG,
            Value::Map(
                backlog
                    .into_iter()
                    .map(|(name, count)| (name, Value::from(count as f64)))
                    .collect(),
            ),
        );
        values.set(&gateway::JOURNAL_DROPPED, whole(journal.dropped()));
        values.set(&gateway::EVENTS_MISSED, whole(hub.missed()));
        values.set(&gateway::IMPLAUSIBLE, whole(hub.implausible()));
        hub.read(reading);
    }
}

fn whole(count: u64) -> Option<Value> {
    i64::try_from(count).ok().map(Value::from)
}

/// One value per component.
fn parts(counts: &BTreeMap<String, Counts>, value: impl Fn(&Counts) -> Option<Value>) -> Value {
    Value::Map(
        counts
            .iter()
            .filter_map(|(name, counts)| Some((name.clone(), value(counts)?)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::database::Database;
    use crate::journal::Limits;

    #[tokio::test]
    async fn components_are_described_in_plain_words() {
        let database = Database::open(None).await.unwrap();
        let limits = Limits {
            commit_interval: Duration::ZERO,
            max_age: INTERVAL,
            max_bytes: 1 << 20,
            history: None,
        };
        let journal = Journal::open(database.into(), limits, ["mariadb".to_owned()].into());
        let journal = journal.await.unwrap();
        let hub = Hub::new(None, INTERVAL, vec![]);
        let stats = Stats::default();
        stats.failed("mariadb", "trying again", "nothing listens there");
        stats.failed("jbd pack", "trying again", "out of reach");
        stats.polled("jbd pack", INTERVAL);
        stats.well("mqtt");
        stats.set_aside("mqtt", 2);
        let shutdown = CancellationToken::new();
        let task = Task {
            name: "gateway".to_owned(),
            shutdown: shutdown.clone(),
        };
        let mut events = hub.follow();
        let source = run("Home".to_owned(), hub.clone(), journal, stats, task);
        let source = tokio::spawn(source);
        let reading = loop {
            if let crate::event::Event::Reading(reading) = events.next().await {
                break reading;
            }
        };
        let text = |metric| serde_json::to_string(&reading.values.get(metric)).unwrap();
        assert_eq!(
            text(&gateway::HEALTH),
            r#"{"jbd pack":"ok","mariadb":"trying again: nothing listens there","mqtt":"ok, 2 readings set aside"}"#
        );
        assert_eq!(
            text(&gateway::LAST_ERROR),
            r#"{"jbd pack":"out of reach","mariadb":"nothing listens there"}"#
        );
        assert_eq!(text(&gateway::SET_ASIDE), r#"{"mqtt":2}"#);
        assert_eq!(text(&gateway::JOURNAL_BACKLOG), r#"{"mariadb":0}"#);
        assert!(text(&gateway::LAST_ERROR_AT).starts_with(r#"{"jbd pack":"20"#));
        shutdown.cancel();
        assert_eq!(source.await.unwrap(), Exit::Stopped);
    }
}
