//! Supervision: every source and sink is a task of its own, restarted by how
//! it ended. One bad device never disturbs another.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::stats::Stats;

/// A component that ran this long without an end has recovered.
const HEALTHY: Duration = Duration::from_secs(120);

/// How often a parked component looks whether its credentials changed.
const PARKED_LOOK: Duration = Duration::from_secs(5);

/// How a component ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to.
    Stopped,
    /// Something failed that may work next time: what.
    Transient(String),
    /// The user has to do something first: what.
    LoginNeeded(String),
    /// The configuration is wrong: how.
    Fatal(String),
}

/// How long a component waits between failures.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Backoff {
    /// For links: Bluetooth, broker, database.
    pub const LINK: Self = Self {
        first: Duration::from_secs(1),
        most: Duration::from_secs(60),
    };

    /// For clouds, which count what they are asked.
    pub const CLOUD: Self = Self {
        first: Duration::from_secs(30),
        most: Duration::from_secs(900),
    };

    /// The wait after `failures` in a row: doubled each time, by chance
    /// between half and all of it.
    pub fn wait(self, failures: u32) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.most).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// What a component is, to the supervisor.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its name in logs and metrics, such as `jbd garage` or `mqtt`.
    pub name: String,
    /// How long it waits between failures.
    pub backoff: Backoff,
    /// Files whose change ends the wait for a login.
    pub credentials: Vec<PathBuf>,
}

/// What a component gets from the supervisor each time it starts.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of the component.
    pub name: String,
    /// Cancelled when the component has to end.
    pub shutdown: CancellationToken,
}

/// Starts components and keeps them running.
#[derive(Debug)]
pub struct Supervisor {
    shutdown: CancellationToken,
    tasks: JoinSet<Option<Fault>>,
    stats: Stats,
}

/// A component whose configuration was wrong from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Name of the component.
    pub component: String,
    /// What is wrong.
    pub reason: String,
}

impl Supervisor {
    /// A supervisor whose components end with `shutdown`.
    pub fn new(shutdown: CancellationToken, stats: Stats) -> Self {
        Self {
            shutdown,
            tasks: JoinSet::new(),
            stats,
        }
    }

    /// Runs `start` as a task, again and again as its ends demand.
    pub fn supervise<S, F>(&mut self, component: Component, start: S)
    where
        S: Fn(Task) -> F + Send + 'static,
        F: Future<Output = Exit> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        let stats = self.stats.clone();
        self.tasks
            .spawn(async move { keep_running(component, start, shutdown, stats).await });
    }

    /// Waits until all components have ended. A component that finds its
    /// configuration wrong when it first starts ends the others too, and is
    /// returned.
    pub async fn join(mut self) -> Option<Fault> {
        let mut fault = None;
        while let Some(ended) = self.tasks.join_next().await {
            if let Ok(Some(found)) = ended {
                self.shutdown.cancel();
                fault.get_or_insert(found);
            }
        }
        fault
    }
}

async fn keep_running<S, F>(
    component: Component,
    start: S,
    shutdown: CancellationToken,
    stats: Stats,
) -> Option<Fault>
where
    S: Fn(Task) -> F,
    F: Future<Output = Exit> + Send + 'static,
{
    let name = &component.name;
    let mut in_a_row = 0;
    let mut first = true;
    loop {
        let began = Instant::now();
        // Before the start: what is mended while it fails counts, too.
        let credentials = state(&component.credentials);
        let exit = run_once(
            name,
            start(Task {
                name: name.clone(),
                shutdown: shutdown.clone(),
            }),
        )
        .await;
        if shutdown.is_cancelled() {
            return None;
        }
        if began.elapsed() >= HEALTHY {
            in_a_row = 0;
        }
        in_a_row += 1;
        match &exit {
            Exit::Stopped => {}
            Exit::Transient(reason) => stats.failed(name, "trying again", reason),
            Exit::Fatal(reason) | Exit::LoginNeeded(reason) => {
                stats.failed(name, "waiting for you", reason);
            }
        }
        match exit {
            Exit::Stopped => return None,
            Exit::Fatal(reason) if first => {
                return Some(Fault {
                    component: name.clone(),
                    reason,
                });
            }
            Exit::Fatal(reason) | Exit::LoginNeeded(reason) => {
                let then = match component.credentials.is_empty() {
                    true => ", then restart telemetry",
                    false => "; it goes on when the file of its password changes, or at a restart",
                };
                tracing::error!(component = %name, "waiting for you: {reason}{then}");
                if !changed(&component.credentials, credentials, &shutdown).await {
                    return None;
                }
                tracing::info!(component = %name, "credentials changed, trying again");
                in_a_row = 0;
            }
            Exit::Transient(reason) => {
                let wait = component.backoff.wait(in_a_row);
                // An outage is worth one warning, not one per attempt.
                if in_a_row == 1 {
                    tracing::warn!(component = %name, "{reason}; trying again");
                } else {
                    tracing::debug!(component = %name, ?wait, "{reason}; trying again");
                }
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shutdown.cancelled() => return None,
                }
            }
        }
        first = false;
    }
}

/// A panic ends the task it happens in and nothing else.
async fn run_once<F>(name: &str, future: F) -> Exit
where
    F: Future<Output = Exit> + Send + 'static,
{
    // Ends the task when this future is dropped.
    let mut task = JoinSet::new();
    task.spawn(future);
    match task.join_next().await {
        Some(Ok(exit)) => exit,
        Some(Err(error)) => {
            tracing::error!(component = %name, %error, "a bug: it panicked and is restarted");
            Exit::Transient(format!("internal error: {error}"))
        }
        None => Exit::Stopped,
    }
}

type FileState = Vec<Option<(SystemTime, u64)>>;

fn state(files: &[PathBuf]) -> FileState {
    files
        .iter()
        .map(|file| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.modified().ok()?, data.len()))
        })
        .collect()
}

/// Waits until `files` are not as `before`; false if `shutdown` came first.
async fn changed(files: &[PathBuf], before: FileState, shutdown: &CancellationToken) -> bool {
    while state(files) == before {
        tokio::select! {
            () = tokio::time::sleep(PARKED_LOOK) => {}
            () = shutdown.cancelled() => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn component(credentials: Vec<PathBuf>) -> Component {
        Component {
            name: "test".to_owned(),
            backoff: Backoff::LINK,
            credentials,
        }
    }

    /// Runs a component whose n-th start ends as `ends` says; stops it at the
    /// end of the list. How often it started, how long that took, and the
    /// fault.
    async fn run(
        ends: Vec<Exit>,
        credentials: Vec<PathBuf>,
        mut meanwhile: impl FnMut(),
    ) -> (u32, Duration, Option<Fault>) {
        let shutdown = CancellationToken::new();
        let mut supervisor = Supervisor::new(shutdown.clone(), Stats::default());
        let starts = Arc::new(AtomicU32::new(0));
        let count = starts.clone();
        supervisor.supervise(component(credentials), move |task| {
            let end = ends
                .get(count.fetch_add(1, Ordering::SeqCst) as usize)
                .cloned();
            async move {
                match end {
                    Some(Exit::Transient(reason)) if reason == "panic" => panic!("on purpose"),
                    Some(end) => end,
                    None => {
                        task.shutdown.cancel();
                        Exit::Stopped
                    }
                }
            }
        });
        let began = Instant::now();
        let join = supervisor.join();
        tokio::pin!(join);
        let fault = loop {
            tokio::select! {
                fault = &mut join => break fault,
                () = tokio::time::sleep(Duration::from_secs(60)) => meanwhile(),
            }
            if began.elapsed() > Duration::from_secs(3600) {
                shutdown.cancel();
            }
        };
        (starts.load(Ordering::SeqCst), began.elapsed(), fault)
    }

    fn transient(times: usize) -> Vec<Exit> {
        vec![Exit::Transient("no answer".to_owned()); times]
    }

    #[tokio::test(start_paused = true)]
    async fn transient_ends_are_tried_again_ever_more_slowly() {
        let (starts, took, fault) = run(transient(5), vec![], || ()).await;
        assert_eq!((starts, fault), (6, None));
        // 1 + 2 + 4 + 8 + 16 s, each between half and all of it.
        assert!((15..=31).contains(&took.as_secs()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_failure_like_others() {
        let ends = vec![Exit::Transient("panic".to_owned())];
        let (starts, _, fault) = run(ends, vec![], || ()).await;
        assert_eq!((starts, fault), (2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_waits_for_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let ends = vec![Exit::LoginNeeded("log in".to_owned())];
        let mut minutes = 0;
        let (starts, took, _) = run(ends, vec![file.clone()], || {
            minutes += 1;
            if minutes == 10 {
                std::fs::write(&file, "new").unwrap();
            }
        })
        .await;
        assert_eq!(starts, 2);
        assert!(took >= Duration::from_secs(600), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_configuration_ends_everything_at_the_start_only() {
        let fatal = Exit::Fatal("no such thing".to_owned());
        let (starts, _, fault) = run(vec![fatal.clone()], vec![], || ()).await;
        assert_eq!(starts, 1);
        assert_eq!(fault.unwrap().reason, "no such thing");

        let mut later = transient(1);
        later.push(fatal);
        let (starts, took, fault) = run(later, vec![], || ()).await;
        assert_eq!((starts, fault), (2, None));
        assert!(took >= Duration::from_secs(3600), "parked: {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_healthy_while_resets_the_wait() {
        let shutdown = CancellationToken::new();
        let mut supervisor = Supervisor::new(shutdown.clone(), Stats::default());
        let starts = Arc::new(AtomicU32::new(0));
        let count = starts.clone();
        supervisor.supervise(component(vec![]), move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::time::sleep(HEALTHY).await;
                Exit::Transient("lost".to_owned())
            }
        });
        tokio::time::sleep((HEALTHY + Backoff::LINK.first) * 100).await;
        shutdown.cancel();
        assert_eq!(supervisor.join().await, None);
        assert!(starts.load(Ordering::SeqCst) >= 100);
    }
}
