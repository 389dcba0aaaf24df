//! What the system tells of a process.

use std::fs;
use std::time::Instant;

/// Units of processor time in /proc, the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// What a process has used from a moment on.
pub(crate) struct Usage {
    pid: u32,
    began: Instant,
    ticks: f64,
    written: u64,
}

impl Usage {
    /// From now on.
    pub(crate) fn of(pid: u32) -> Self {
        Self {
            pid,
            began: Instant::now(),
            ticks: ticks(pid),
            written: written(pid),
        }
    }

    /// Prints it, under a title.
    pub(crate) fn print(&self, title: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        let megabytes = |name| memory(self.pid, "status", name);
        println!("{title}, after {seconds:.0} s:");
        println!(
            "resident memory         {:>10.1} MB, at most {:.1} MB",
            megabytes("VmRSS:"),
            megabytes("VmHWM:")
        );
        println!("  private               {:>10.1} MB", megabytes("RssAnon:"));
        println!("  of files, mapped      {:>10.1} MB", megabytes("RssFile:"));
        println!(
            "  its share             {:>10.1} MB",
            memory(self.pid, "smaps_rollup", "Pss:")
        );
        println!("threads                 {:>10}", threads(self.pid));
        println!(
            "processor               {:>10.2} % of one core",
            (ticks(self.pid) - self.ticks) / TICKS_PER_S / seconds * 100.0
        );
        let bytes = (written(self.pid) - self.written) as f64;
        println!(
            "written to disk         {:>10.0} kB, in a day {:.1} MB",
            bytes / 1e3,
            bytes / seconds * 86_400.0 / 1e6
        );
    }
}

fn read(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it runs")
}

fn number(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A line of a file in kilobytes, in megabytes.
fn memory(pid: u32, file: &str, name: &str) -> f64 {
    number(&read(pid, file), name).expect("a line") * 1024.0 / 1e6
}

fn threads(pid: u32) -> f64 {
    number(&read(pid, "status"), "Threads:").expect("a line")
}

/// Bytes sent to the disk since its start: whole pages, as the system counts.
fn written(pid: u32) -> u64 {
    number(&read(pid, "io"), "write_bytes:").expect("a line") as u64
}

/// Processor time since its start.
fn ticks(pid: u32) -> f64 {
    let stat = read(pid, "stat");
    // The name, in parentheses, may contain anything.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let times = rest.split_whitespace().skip(11).take(2);
    times
        .map(|time| time.parse::<f64>().expect("a number"))
        .sum()
}
