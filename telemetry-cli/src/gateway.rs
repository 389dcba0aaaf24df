//! The gateway as a whole: what `run`, `demo` and the drop-in commands start
//! from a configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Secret};
use crate::database::{Database, DatabaseError};
use crate::hub::Hub;
use crate::journal::{Journal, Limits, Writer};
use crate::radio::Radio;
use crate::sink;
use crate::source::{self, Context};
use crate::stats::Stats;
use crate::supervisor::{Backoff, Component, Exit, Fault, Supervisor, Task};

/// A gateway that is ready to run.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    context: Context,
    journal: Journal,
    writer: Writer,
    sinks: Supervisor,
    sinks_shutdown: CancellationToken,
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
        let database = Arc::new(Database::open(file).await?);
        let limits = limits(&config);
        let (journal, writer) = Journal::open(database.clone(), limits).await?;
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
                database,
            },
            journal,
            writer,
            sinks: Supervisor::new(sinks_shutdown.clone(), stats),
            sinks_shutdown,
        })
    }

    /// The hub, to follow what happens.
    pub fn hub(&self) -> &Hub {
        &self.context.hub
    }

    /// How many devices the configuration names.
    pub fn source_count(&self) -> usize {
        self.config.jbd.len()
    }

    /// Adds a sink besides those of the configuration.
    pub fn add_sink<S, F>(&mut self, name: &str, start: S)
    where
        S: Fn(Hub, Task) -> F + Send + 'static,
        F: Future<Output = Exit> + Send + 'static,
    {
        let hub = self.context.hub.clone();
        self.sinks
            .supervise(link(name, vec![]), move |task| start(hub.clone(), task));
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
            writer,
            mut sinks,
            sinks_shutdown,
        } = self;
        let writer_shutdown = CancellationToken::new();
        let writer: JoinHandle<()> = tokio::spawn(writer.run(writer_shutdown.clone()));
        start_sinks(&mut sinks, &config, &context, &journal);
        let sources_shutdown = CancellationToken::new();
        let mut sources = Supervisor::new(sources_shutdown.clone(), context.stats.clone());
        start_sources(&mut sources, &config, &context, &journal);

        let hub = context.hub.clone();
        let silence = sources_shutdown.clone();
        tokio::spawn(async move { hub.watch(silence).await });
        let sources = tokio::spawn(sources.join());
        let sinks = tokio::spawn(sinks.join());
        // Each group cancels its token when a configuration turns out wrong,
        // and the output that people read when nobody reads it any more.
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sources_shutdown.cancelled() => {}
            () = sinks_shutdown.cancelled() => {}
        }
        sources_shutdown.cancel();
        let source_fault = sources.await.ok().flatten();
        writer_shutdown.cancel();
        if let Err(error) = writer.await {
            tracing::error!(%error, "the journal ended badly");
        }
        sinks_shutdown.cancel();
        let sink_fault = sinks.await.ok().flatten();
        source_fault.or(sink_fault).map_or(Ok(()), Err)
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        commit_interval: config.gateway.commit_interval,
        max_age: config.gateway.journal_max_age,
        max_bytes: config.gateway.journal_max_megabytes * 1_000_000,
        history: config.store.sqlite.then_some(config.store.history),
    }
}

fn start_sinks(sinks: &mut Supervisor, config: &Config, context: &Context, journal: &Journal) {
    if let Some(mqtt) = &config.mqtt {
        let component = link("mqtt", watched(mqtt.password.as_ref()));
        let (mqtt, home_assistant) = (mqtt.clone(), config.home_assistant.clone());
        let context = sink::Context {
            hub: context.hub.clone(),
            journal: Some(journal.clone()),
            stats: context.stats.clone(),
            gateway: source::gateway::device_id(journal.gateway()),
            gateway_name: config.gateway.name.clone(),
        };
        sinks.supervise(component, move |task| {
            sink::mqtt::run(mqtt.clone(), home_assistant.clone(), context.clone(), task)
        });
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
        let credentials = watched(jbd.password.as_ref());
        let component = link(&format!("jbd {}", jbd.title()), credentials);
        let (jbd, context) = (jbd.clone(), context.clone());
        sources.supervise(component, move |task| {
            source::jbd::run(jbd.clone(), context.clone(), task)
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
