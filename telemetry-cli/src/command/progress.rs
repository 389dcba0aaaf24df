use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::{Instant, interval};

/// How often the bar moves.
const FRAME: Duration = Duration::from_millis(200);

/// Width of the bar, characters.
const WIDTH: usize = 30;

/// Does `work`, which takes about `duration`, and meanwhile shows on stderr how
/// far it is, if that is a terminal.
pub(super) async fn with_progress<T>(
    what: &str,
    duration: Duration,
    work: impl Future<Output = T>,
) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let began = Instant::now();
    let mut work = std::pin::pin!(work);
    let mut frame = interval(FRAME);
    loop {
        tokio::select! {
            result = &mut work => {
                // A terminal that went away shows nothing.
                let _ = write!(io::stderr(), "\r\x1b[K");
                return result;
            }
            _ = frame.tick() => {
                let line = bar(what, began.elapsed(), duration);
                let _ = write!(io::stderr(), "\r{line}\x1b[K");
                let _ = io::stderr().flush();
            }
        }
    }
}

fn bar(what: &str, elapsed: Duration, duration: Duration) -> String {
    let share = elapsed.as_secs_f64() / duration.as_secs_f64().max(f64::EPSILON);
    let filled = (share.min(1.0) * WIDTH as f64) as usize;
    let left = duration.saturating_sub(elapsed).as_secs_f64().ceil();
    format!("{what} [{:<WIDTH$}] {left} s", "#".repeat(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        let at = |seconds| bar("x", Duration::from_secs(seconds), Duration::from_secs(10));
        assert_eq!(at(0), format!("x [{}] 10 s", " ".repeat(30)));
        assert_eq!(
            at(5),
            format!("x [{}{}] 5 s", "#".repeat(15), " ".repeat(15))
        );
        assert_eq!(at(11), format!("x [{}] 0 s", "#".repeat(30)));
        bar("x", Duration::ZERO, Duration::ZERO);
    }
}
