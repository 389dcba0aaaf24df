//! MariaDB: every stored reading, exactly once, whatever is killed when.
//!
//! The journal's entries are written in their order. The number of the last
//! one stands in the database, in the row of this gateway, and changes in the
//! transaction that inserts the rows: after each new connection the sink asks
//! for it and goes on behind it. The cursor that the journal keeps says only
//! what it may delete, and may lag behind.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep, timeout};

use crate::config;
use crate::database::DatabaseError;
use crate::event::{Device, DeviceId};
use crate::exit;
use crate::journal::{Consumer, Entry};
use crate::sink::Context;
use crate::stats::Stats;
use crate::supervisor::{Exit, Task};

use failure::{Class, Failure, layout_words};
use session::{Gateway, Session};
use settings::Settings;

mod failure;
pub mod originals;
mod session;
mod settings;

/// Under this name the journal remembers what it may delete.
pub const CONSUMER: &str = "mariadb";

/// How often the server sees a sign of life, and the journal is told how far we
/// are while there is much to write. Each is a commit of its own, so not more
/// often.
const BEAT: Duration = Duration::from_secs(60);

/// How often old rows are deleted.
const FORGET: Duration = Duration::from_secs(3600);

/// How long the end may take: what was read last should arrive.
const DRAIN: Duration = Duration::from_secs(5);

/// Writes what the journal holds until the task is shut down, then what is
/// left, for a few seconds at most.
///
/// Ends with [`Exit::Transient`] when the connection is lost, so that the
/// supervisor decides when there is another one; with [`Exit::LoginNeeded`]
/// when a person has to do something; with [`Exit::Fatal`] for a configuration
/// that cannot work.
pub async fn run(config: config::MariaDb, context: Context, task: Task) -> Exit {
    let settings = match Settings::new(&config) {
        Ok(settings) => settings,
        Err(wrong) => return Exit::Fatal(wrong),
    };
    let Some(journal) = &context.journal else {
        return Exit::Fatal("there is no journal to write".to_owned());
    };
    let consumer = match journal.consumer(CONSUMER).await {
        Ok(consumer) => consumer,
        Err(error) => return Exit::Transient(error.to_string()),
    };
    let gateway = Gateway {
        id: journal.gateway().to_owned(),
        name: context.gateway_name.clone(),
    };
    let opened = tokio::select! {
        opened = open(&settings, gateway, &context.stats, &task.name) => opened,
        () = task.shutdown.cancelled() => return Exit::Stopped,
    };
    let (session, taken) = match opened {
        Ok(opened) => opened,
        Err(failure) => return failure.exit(&settings),
    };
    if taken > consumer.newest() {
        let newest = consumer.newest();
        let failure = Failure {
            class: Class::Person,
            text: format!(
                "it holds entries of this gateway up to number {taken}, and the journal here ends \
                 at {newest}: the state directory is an old backup, or the copy of another \
                 gateway's. Begin a new one: stop telemetry and move telemetry.sqlite away"
            ),
        };
        return failure.exit(&settings);
    }
    context.stats.well(&task.name);
    let encryption = match session.encryption.as_str() {
        "" => "none",
        version => version,
    };
    if session.encryption.is_empty() && settings.place.is_remote {
        tracing::warn!(
            place = %settings.place,
            "the connection is not encrypted; see `tls` in `telemetry config sample`"
        );
    }
    tracing::info!(place = %settings.place, server = session.server, encryption, "connected");
    let sink = Sink {
        session,
        saved: consumer.taken(),
        consumer,
        taken,
        seen: taken,
        batch: config.batch,
        history: config.history,
        devices: BTreeMap::new(),
        learned: None,
        stats: context.stats.clone(),
        name: task.name.clone(),
        told: HashSet::new(),
    };
    match sink.run(&task).await {
        Ok(()) => Exit::Stopped,
        Err(Trouble::Server(failure)) => failure.exit(&settings),
        Err(Trouble::Journal(error)) => Exit::Transient(error.to_string()),
    }
}

async fn open(
    settings: &Settings,
    gateway: Gateway,
    stats: &Stats,
    component: &str,
) -> Result<(Session, i64), Failure> {
    let mut session = Session::open(settings, gateway).await?;
    session.migrate().await?;
    let counts = stats.counts();
    let trouble = counts
        .get(component)
        .and_then(|counts| counts.last_error.as_ref());
    let taken = session.introduce(trouble).await?;
    Ok((session, taken))
}

/// Connects once and looks around: what was found, in plain words.
///
/// # Errors
/// What is in the way, and what to do about it.
pub async fn probe(config: &config::MariaDb) -> Result<String, exit::Failure> {
    let settings = Settings::new(config)
        .map_err(|wrong| exit::Failure::new(exit::Code::Configuration, wrong))?;
    let nobody = Gateway {
        id: String::new(),
        name: String::new(),
    };
    let found = async {
        let mut session = Session::open(&settings, nobody).await?;
        let version = session.layout().await?;
        if version > 0 {
            session.try_to_write().await?;
        }
        let checked = match settings.tls.verifies() {
            true => "certificate checked",
            false => "certificate not checked",
        };
        let encryption = match session.encryption.as_str() {
            "" => "not encrypted".to_owned(),
            version => format!("{version}, {checked}"),
        };
        let found = format!(
            "{} at {}, {encryption}; database {}: {}",
            session.server,
            settings.place,
            settings.database,
            layout_words(version)
        );
        session.close().await;
        Ok(found)
    };
    found
        .await
        .map_err(|failure: Failure| failure.for_command(&settings))
}

enum Trouble {
    Server(Failure),
    Journal(DatabaseError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        Self::Journal(error)
    }
}

struct Sink {
    session: Session,
    consumer: Consumer,
    /// Number of the last entry that is in the database.
    taken: i64,
    /// What of it the journal knows.
    saved: i64,
    /// Up to here there is nothing more to write. Ahead of `taken` where
    /// another version has left entries that this one cannot read.
    seen: i64,
    batch: u32,
    history: Option<Duration>,
    devices: BTreeMap<DeviceId, Device>,
    learned: Option<Instant>,
    stats: Stats,
    name: String,
    /// Devices whose refused readings were reported.
    told: HashSet<DeviceId>,
}

impl Sink {
    async fn run(mut self, task: &Task) -> Result<(), Trouble> {
        // What the database has, the journal need not keep.
        self.save().await?;
        let patience = async {
            task.shutdown.cancelled().await;
            sleep(DRAIN).await;
        };
        let worked = tokio::select! {
            result = self.work(task) => Some(result),
            () = patience => None,
        };
        self.save().await?;
        match worked {
            Some(Ok(())) => {
                // It may hang like everything else.
                let _ = timeout(DRAIN, self.session.close()).await;
                Ok(())
            }
            Some(Err(trouble)) => Err(trouble),
            None => {
                tracing::warn!("ended before the database had everything");
                Ok(())
            }
        }
    }

    async fn work(&mut self, task: &Task) -> Result<(), Trouble> {
        let mut beat = interval_at(Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forget = interval(FORGET);
        forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ending = task.shutdown.is_cancelled();
            self.catch_up().await?;
            if ending {
                return Ok(());
            }
            tokio::select! {
                () = self.consumer.wait_beyond(self.seen) => {}
                _ = beat.tick() => self.session.beat(self.behind()).await?,
                _ = forget.tick(), if self.history.is_some() => {
                    if self.forget().await? {
                        // There may be more, and readings come first.
                        forget.reset_immediately();
                    }
                }
                () = task.shutdown.cancelled() => {}
            }
        }
    }

    /// Writes everything that the journal holds.
    async fn catch_up(&mut self) -> Result<(), Trouble> {
        self.seen = self.consumer.newest();
        let mut entries = self.consumer.after(self.taken, self.batch).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let mut saved = Instant::now();
        while let Some(last) = entries.last() {
            let last = last.number;
            self.learn(&entries).await?;
            let began = Instant::now();
            self.seen = self.consumer.newest();
            let behind = self.seen.saturating_sub(last);
            let write = self
                .session
                .write(&entries, &self.devices, self.taken, behind);
            // While the server works, the journal is read on.
            let read = self.consumer.after(last, self.batch);
            let (written, next) = tokio::join!(write, read);
            let aside = written?;
            self.taken = last;
            self.consumer.note(last);
            self.stats.polled(&self.name, began.elapsed());
            self.report(&entries, &aside);
            entries = next?;
            // A journal at its bound must not take for lost what is written.
            if saved.elapsed() >= BEAT {
                self.save().await?;
                saved = Instant::now();
            }
        }
        self.session.rest();
        Ok(())
    }

    /// Gets the descriptions of the devices: of new ones at once, of all now
    /// and then.
    async fn learn(&mut self, entries: &[Entry]) -> Result<(), DatabaseError> {
        let recently = self.learned.is_some_and(|at| at.elapsed() < BEAT);
        let known = |entry: &Entry| self.devices.contains_key(&entry.reading.device);
        if recently && entries.iter().all(known) {
            return Ok(());
        }
        for device in self.consumer.devices().await? {
            self.devices.insert(device.id.clone(), device);
        }
        // Those that nobody has described.
        for Entry { reading, .. } in entries {
            let id = &reading.device;
            if !self.devices.contains_key(id) {
                let stranger = Device::unknown(id.clone(), reading.kind);
                self.devices.insert(id.clone(), stranger);
            }
        }
        self.learned = Some(Instant::now());
        Ok(())
    }

    fn report(&mut self, entries: &[Entry], aside: &[(i64, String)]) {
        self.stats.set_aside(&self.name, aside.len() as u64);
        for (number, reason) in aside {
            let entry = entries.iter().find(|entry| entry.number == *number);
            let Some(device) = entry.map(|entry| &entry.reading.device) else {
                continue;
            };
            if self.told.insert(device.clone()) {
                tracing::warn!(
                    device = %device.masked(),
                    number,
                    reason,
                    "the database refuses a reading; it is kept in the table set_aside, and so \
                     are others like it"
                );
            } else {
                tracing::debug!(device = %device.masked(), number, reason, "set aside");
            }
        }
    }

    fn behind(&self) -> i64 {
        self.consumer.newest().saturating_sub(self.taken)
    }

    async fn save(&mut self) -> Result<(), DatabaseError> {
        if self.taken != self.saved {
            self.consumer.advance(self.taken).await?;
            self.saved = self.taken;
        }
        Ok(())
    }

    /// Deletes some old rows, if there are any; whether there were.
    async fn forget(&mut self) -> Result<bool, Failure> {
        let Some(history) = self.history else {
            return Ok(false);
        };
        let forgotten = self.session.forget(Utc::now() - history).await?;
        if forgotten > 0 {
            tracing::debug!(forgotten, "old rows deleted");
        }
        Ok(forgotten > 0)
    }
}
