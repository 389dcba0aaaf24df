//! The gateway as a whole: what `run`, `demo` and the drop-in commands start
//! from a configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::compat;
use crate::config::{Config, DropIn, Pin, Secret};
use crate::control::Controls;
use crate::database::{Database, DatabaseError};
use crate::hub::Hub;
use crate::journal::{Journal, Limits, Writer};
use crate::radio::Radio;
use crate::sink;
use crate::source::{self, Context};
use crate::stats::Stats;
use crate::supervisor::{Backoff, Component, Exit, Fault, Supervisor, Task};

/// What the journal may hold in memory where there is no file.
const MEMORY: u64 = 4 << 20;

/// A gateway that is ready to run.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    context: Context,
    journal: Journal,
    sinks: Supervisor,
    sinks_shutdown: CancellationToken,
    /// Cancelled when an added sink has ended by itself.
    seen_enough: CancellationToken,
}

impl Gateway {
    /// Opens the database at `file`, in memory without one, and goes on from
    /// what it holds.
    ///
    /// # Errors
    /// If the database cannot be opened.
    pub async fn open(
        config: Config,
        radio: Radio,
        file: Option<&Path>,
    ) -> Result<Self, DatabaseError> {
        let database = match config.store.exclusive {
            true => Database::open_exclusive(file).await?,
            false => Database::open(file).await?,
        };
        let database = Arc::new(database);
        let limits = limits(&config, file.is_some());
        let journal = Journal::open(database.clone(), limits, consumers(&config)).await?;
        let restored = journal.last_readings().await?;
        let hub = Hub::new(Some(journal.clone()), config.gateway.heartbeat, restored);
        let stats = Stats::default();
        let sinks_shutdown = CancellationToken::new();
        Ok(Self {
            config,
            context: Context {
                hub,
                radio,
                stats: stats.clone(),
                controls: Controls::default(),
                database,
                state_dir: None,
            },
            journal,
            sinks: Supervisor::new(sinks_shutdown.clone(), stats),
            sinks_shutdown,
            seen_enough: CancellationToken::new(),
        })
    }

    /// Keeps sessions and the like in this directory.
    #[must_use]
    pub fn with_state_dir(mut self, directory: Option<&Path>) -> Self {
        self.context.state_dir = directory.map(Path::to_path_buf);
        self
    }

    /// Adds a sink besides those of the configuration. If it stops without
    /// being asked to, because nobody reads its output any more, the gateway
    /// ends.
    pub fn add_sink<S, F>(&mut self, name: &str, start: S)
    where
        S: Fn(Hub, Task) -> F + Send + 'static,
        F: Future<Output = Exit> + Send + 'static,
    {
        let hub = self.context.hub.clone();
        let seen_enough = self.seen_enough.clone();
        self.sinks.supervise(link(name, vec![]), move |task| {
            let sink = start(hub.clone(), task);
            let seen_enough = seen_enough.clone();
            async move {
                let exit = sink.await;
                if exit == Exit::Stopped {
                    seen_enough.cancel();
                }
                exit
            }
        });
    }

    /// Runs until `shutdown`, or until a component finds its configuration
    /// wrong. Ends in the order of the data: sources, journal, sinks.
    ///
    /// # Errors
    /// The component whose configuration is wrong.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Fault> {
        let Self {
            config,
            context,
            journal,
            mut sinks,
            sinks_shutdown,
            seen_enough,
        } = self;
        let stats = &context.stats;
        let core_shutdown = CancellationToken::new();
        let mut core = Supervisor::new(core_shutdown.clone(), stats.clone());
        start_core(&mut core, &context.hub, &journal);
        start_sinks(&mut sinks, &config, &context, &journal);
        let sources_shutdown = CancellationToken::new();
        let mut sources = Supervisor::new(sources_shutdown.clone(), stats.clone());
        start_sources(&mut sources, &config, &context, &journal);

        let core = tokio::spawn(core.join());
        let sources = tokio::spawn(sources.join());
        let sinks = tokio::spawn(sinks.join());
        // A group cancels its token when a configuration turns out wrong.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = seen_enough.cancelled() => {}
            () = sources_shutdown.cancelled() => {}
            () = sinks_shutdown.cancelled() => {}
        }
        sources_shutdown.cancel();
        let source_fault = sources.await.ok().flatten();
        core_shutdown.cancel();
        let core_fault = core.await.ok().flatten();
        sinks_shutdown.cancel();
        let sink_fault = sinks.await.ok().flatten();
        context.database.checkpoint().await;
        let fault = source_fault.or(core_fault).or(sink_fault);
        fault.map_or(Ok(()), Err)
    }
}

/// Without a file the history would only fill the memory.
fn limits(config: &Config, file: bool) -> Limits {
    let max_bytes = config.gateway.journal_max_megabytes.saturating_mul(1 << 20);
    Limits {
        commit_interval: config.gateway.commit_interval,
        max_age: config.gateway.journal_max_age,
        max_bytes: if file {
            max_bytes
        } else {
            max_bytes.min(MEMORY)
        },
        history: (file && config.store.sqlite).then_some(config.store.history),
    }
}

/// Who has a right to the journal's entries.
fn consumers(config: &Config) -> BTreeSet<String> {
    let history = config.mqtt.as_ref().is_some_and(|mqtt| mqtt.history);
    let mqtt = history.then_some(sink::mqtt::CONSUMER);
    let mariadb = config.mariadb.as_ref().map(|_| match &config.drop_in {
        Some(DropIn::BluettiMonitor) => sink::mariadb::originals::CONSUMER,
        _ => sink::mariadb::CONSUMER,
    });
    let consumers = mqtt.into_iter().chain(mariadb);
    consumers.map(str::to_owned).collect()
}

fn start_core(core: &mut Supervisor, hub: &Hub, journal: &Journal) {
    let journal = journal.clone();
    core.supervise(link("journal", vec![]), move |task| {
        let writer = Writer::new(journal.clone());
        async move {
            writer.run(task.shutdown).await;
            Exit::Stopped
        }
    });
    let hub = hub.clone();
    core.supervise(link("hub", vec![]), move |task| {
        let hub = hub.clone();
        async move {
            hub.watch(task.shutdown).await;
            Exit::Stopped
        }
    });
}

fn start_sinks(sinks: &mut Supervisor, config: &Config, context: &Context, journal: &Journal) {
    let context = sink::Context {
        hub: context.hub.clone(),
        journal: Some(journal.clone()),
        stats: context.stats.clone(),
        controls: context.controls.clone(),
        gateway: source::gateway::device_id(journal.gateway()),
        gateway_name: config.gateway.name.clone(),
    };
    if let Some(mqtt) = &config.mqtt {
        let component = link("mqtt", watched(mqtt.password.as_ref()));
        let (mqtt, home_assistant) = (mqtt.clone(), config.home_assistant.clone());
        let context = context.clone();
        match &config.drop_in {
            None => sinks.supervise(component, move |task| {
                sink::mqtt::run(mqtt.clone(), home_assistant.clone(), context.clone(), task)
            }),
            Some(DropIn::BmwMqtt(messages)) => {
                let messages = messages.clone();
                sinks.supervise(component, move |task| {
                    compat::bmw_mqtt::run(mqtt.clone(), messages.clone(), context.clone(), task)
                });
            }
            Some(DropIn::JbdBmsMqtt(merged)) => {
                let merged = merged.clone();
                sinks.supervise(component, move |task| {
                    compat::jbd_bms_mqtt::run(mqtt.clone(), merged.clone(), context.clone(), task)
                });
            }
            Some(DropIn::BluettiMqtt(topics)) => {
                let topics = topics.clone();
                sinks.supervise(component, move |task| {
                    compat::bluetti::mqtt::run(mqtt.clone(), topics.clone(), context.clone(), task)
                });
            }
            Some(DropIn::BluettiMonitor) => {}
        }
    }
    if let Some(mariadb) = &config.mariadb {
        let component = link("mariadb", watched(mariadb.password.as_ref()));
        let mariadb = mariadb.clone();
        match &config.drop_in {
            Some(DropIn::BluettiMonitor) => sinks.supervise(component, move |task| {
                compat::bluetti::monitor::run(mariadb.clone(), context.clone(), task)
            }),
            _ => sinks.supervise(component, move |task| {
                sink::mariadb::run(mariadb.clone(), context.clone(), task)
            }),
        }
    }
}

fn start_sources(sources: &mut Supervisor, config: &Config, context: &Context, journal: &Journal) {
    let name = config.gateway.name.clone();
    let (hub, journal, stats) = (context.hub.clone(), journal.clone(), context.stats.clone());
    sources.supervise(link("gateway", vec![]), move |task| {
        source::gateway::run(
            name.clone(),
            hub.clone(),
            journal.clone(),
            stats.clone(),
            task,
        )
    });
    for jbd in &config.jbd {
        let pin = jbd.pin.as_ref().map(Pin::secret);
        let mut credentials = watched(jbd.password.as_ref());
        credentials.extend(watched(pin));
        let component = link(&format!("jbd {}", jbd.title()), credentials);
        let (jbd, context) = (jbd.clone(), context.clone());
        sources.supervise(component, move |task| {
            source::jbd::run(jbd.clone(), context.clone(), task)
        });
    }
    for bluetti in &config.bluetti {
        let component = link(&format!("bluetti {}", bluetti.title()), vec![]);
        let (bluetti, context) = (bluetti.clone(), context.clone());
        sources.supervise(component, move |task| {
            source::bluetti::run(bluetti.clone(), context.clone(), task)
        });
    }
    start_saic(sources, config, context);
    start_bmw(sources, config, context);
}

fn start_saic(sources: &mut Supervisor, config: &Config, context: &Context) {
    for saic in &config.saic {
        let mut credentials = watched(Some(&saic.password));
        if let Some(directory) = &context.state_dir {
            credentials.push(source::saic::Files::existing(saic, directory).token());
        }
        let component = Component {
            backoff: Backoff::CLOUD,
            ..link(&format!("saic {}", saic.user), credentials)
        };
        let (saic, context) = (saic.clone(), context.clone());
        sources.supervise(component, move |task| {
            source::saic::run(saic.clone(), context.clone(), task)
        });
    }
}

fn start_bmw(sources: &mut Supervisor, config: &Config, context: &Context) {
    for bmw in &config.bmw {
        let mut credentials = watched(bmw.password.as_ref());
        let directory = context.state_dir.as_deref();
        credentials
            .extend(directory.map(|directory| source::bmw::account::token_file(bmw, directory)));
        let component = Component {
            backoff: Backoff::CLOUD,
            ..link(&format!("bmw {}", bmw.title()), credentials)
        };
        let (bmw, context) = (bmw.clone(), context.clone());
        sources.supervise(component, move |task| {
            source::bmw::run(bmw.clone(), context.clone(), task)
        });
    }
}

/// The file of `secret`, if it is in one.
fn watched(secret: Option<&Secret>) -> Vec<PathBuf> {
    let file = secret.and_then(Secret::watched_file);
    file.map(Path::to_path_buf).into_iter().collect()
}

fn link(name: &str, credentials: Vec<PathBuf>) -> Component {
    Component {
        name: name.to_owned(),
        backoff: Backoff::LINK,
        credentials,
    }
}
