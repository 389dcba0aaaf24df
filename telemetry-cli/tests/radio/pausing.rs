//! The source of a pack that is paused.

use std::sync::Arc;
use std::time::Duration;

use telemetry_cli::config::Jbd;
use telemetry_cli::control::Controls;
use telemetry_cli::database::Database;
use telemetry_cli::event::Availability;
use telemetry_cli::hub::Hub;
use telemetry_cli::radio::paused;
use telemetry_cli::source::{self, Context};
use telemetry_cli::stats::Stats;
use telemetry_cli::supervisor::{Exit, Task};
use tokio_util::sync::CancellationToken;

use crate::bluez::{Stage, radio};
use crate::{BASIC_INFO, eventually, named};

#[test]
fn a_paused_pack_is_offline_by_intention_and_comes_back() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        let radio = radio();
        let hub = Hub::new(None, Duration::from_secs(300), vec![]);
        let context = Context {
            hub: hub.clone(),
            radio: radio.clone(),
            stats: Stats::default(),
            database: Arc::new(Database::open(None).await.unwrap()),
            controls: Controls::default(),
            state_dir: None,
        };
        let stats = context.stats.clone();
        let task = Task {
            name: "jbd".to_owned(),
            shutdown: CancellationToken::new(),
        };
        let shutdown = task.shutdown.clone();
        // The link is held, and nothing is due for a long while.
        let config = Jbd {
            interval: Duration::from_secs(59),
            ..Jbd::named("Pack 1")
        };
        let target = config.target();
        assert_eq!(target, named("Pack 1"));
        let source = tokio::spawn(source::jbd::run(config, context, task));

        let availability = || {
            let mut known = hub.snapshot();
            known.pop().map(|known| known.availability)
        };
        let connected = || stage.bluez.with(|service| service.is_connected(1));
        eventually("it is read", || {
            availability() == Some(Availability::Online)
        })
        .await;
        assert!(connected());

        for duration in [3600, 7200] {
            let until = radio.pause(&target, Duration::from_secs(duration));
            let reason = paused(until);
            assert!(reason.starts_with("paused until 2"), "{reason}");
            let offline = Some(Availability::Offline { reason });
            eventually("it is offline", || availability() == offline).await;
        }
        eventually("the pack is free", || !connected()).await;
        let answer = stage.bluez.with(|service| service.phone(1, &BASIC_INFO));
        assert!(answer.starts_with(&[0xDD, 0x03]));

        radio.resume(&target);
        // At once, and not when the next poll would have been.
        eventually("it is online again", || {
            availability() == Some(Availability::Online)
        })
        .await;
        let counts = stats.counts();
        assert_eq!(counts["jbd"].failures, 0);
        shutdown.cancel();
        assert_eq!(source.await.unwrap(), Exit::Stopped);
        radio.close().await;
    });
}
