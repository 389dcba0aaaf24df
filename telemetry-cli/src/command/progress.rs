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

/// How far long work is, on stderr if that is a terminal.
pub(super) struct Bar {
    what: &'static str,
    began: Instant,
    /// What was done when it began.
    before: usize,
    terminal: bool,
}

impl Bar {
    pub(super) fn new(what: &'static str, before: usize) -> Self {
        Self {
            what,
            began: Instant::now(),
            before,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        self.terminal
    }

    /// So much of it is done.
    pub(super) fn show(&self, done: usize, all: usize) {
        if self.terminal {
            let line = counted(self.what, [self.before, done, all], self.began.elapsed());
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
            let _ = io::stderr().flush();
        }
    }

    /// Makes room for other words.
    pub(super) fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The line for work of which `before` was done when it began.
fn counted(what: &str, [before, done, all]: [usize; 3], elapsed: Duration) -> String {
    let filled = (WIDTH * done / all.max(1)).min(WIDTH);
    let percent = 100 * done / all.max(1);
    let line = format!("{what} [{:<WIDTH$}] {percent} %", "#".repeat(filled));
    let (since, left) = (done.saturating_sub(before), all.saturating_sub(done));
    if since == 0 || left == 0 {
        return line;
    }
    let seconds = (elapsed.as_secs_f64() * left as f64 / since as f64).ceil() as u64;
    match seconds {
        ..120 => format!("{line}, {seconds} s left"),
        _ => format!("{line}, {} min left", seconds.div_ceil(60)),
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
    fn the_time_left_is_that_of_what_was_done_since_the_start() {
        let at = |before, done| counted("x", [before, done, 200], Duration::from_secs(30));
        assert_eq!(at(0, 0), format!("x [{}] 0 %", " ".repeat(30)));
        assert!(at(0, 100).ends_with("] 50 %, 30 s left"));
        assert!(at(90, 100).ends_with("] 50 %, 5 min left"));
        assert_eq!(at(0, 200), format!("x [{}] 100 %", "#".repeat(30)));
        counted("x", [0, 5, 0], Duration::ZERO);
    }

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
