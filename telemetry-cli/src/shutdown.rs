//! The end of the process, as the user or the service manager asks for it.

use tokio_util::sync::CancellationToken;

/// A token that is cancelled by Ctrl-C and, on Unix, by SIGTERM. A second
/// Ctrl-C ends the process at once.
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        asked().await;
        cancelled.cancel();
        asked().await;
        std::process::exit(130);
    });
    token
}

#[cfg(unix)]
async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
