//! The end of the process, as the user or the service manager asks for it.

use tokio_util::sync::CancellationToken;

/// A token that is cancelled by Ctrl-C and, on Unix, by SIGTERM. A second
/// signal, of either kind, ends the process at once with exit code 130.
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let mut signals = Signals::listen();
    tokio::spawn(async move {
        signals.next().await;
        cancelled.cancel();
        signals.next().await;
        std::process::exit(130);
    });
    token
}

/// Those that ask for an end. What cannot be listened to never comes, and the
/// others still do.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let listen = |name, kind| {
            signal(kind)
                .inspect_err(|error| tracing::warn!(%error, "cannot listen to {name}"))
                .ok()
        };
        Self {
            interrupt: listen("SIGINT", SignalKind::interrupt()),
            terminate: listen("SIGTERM", SignalKind::terminate()),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = received(self.interrupt.as_mut()) => {}
            () = received(self.terminate.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_that_cannot_be_listened_to_does_not_hide_the_other() {
        use std::process::{Command, id};

        let mut signals = Signals::listen();
        signals.terminate = None;
        let sent = Command::new("kill")
            .args(["-INT", &id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        signals.next().await;
    }
}
