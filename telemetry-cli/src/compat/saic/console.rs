//! Without a broker: what would be published, as lines on stdout.

use std::io::Write as _;

use tokio_util::sync::CancellationToken;

use crate::sink::mqtt::session::{Outbox, Outgoing};
use crate::supervisor::Exit;

/// Prints until `shutdown`, or until nobody reads any more. Topics stand without
/// `prefix`, as in the original's log.
pub(super) async fn run(mut outgoing: Outbox, prefix: String, shutdown: CancellationToken) -> Exit {
    loop {
        let said = tokio::select! {
            biased;
            said = outgoing.recv() => said,
            () = shutdown.cancelled() => return Exit::Stopped,
        };
        let line = match said {
            Some(Outgoing::Hold { topic, payload, .. } | Outgoing::Tell { topic, payload, .. }) => {
                let rest = topic.strip_prefix(&prefix);
                let topic = rest
                    .and_then(|rest| rest.strip_prefix('/'))
                    .unwrap_or(&topic);
                format!("{topic}: {payload}\n")
            }
            Some(Outgoing::Listen(_)) => {
                outgoing.listening();
                continue;
            }
            Some(Outgoing::Release(_) | Outgoing::Repeat(_)) => continue,
            None => return Exit::Stopped,
        };
        let mut stdout = std::io::stdout().lock();
        if stdout
            .write_all(line.as_bytes())
            .and_then(|()| stdout.flush())
            .is_err()
        {
            return Exit::Stopped;
        }
    }
}
