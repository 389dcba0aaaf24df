//! `export`

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use super::{ConfigArgs, StateDirArgs};
use crate::config::parse_duration;
use crate::event::DeviceKind;

/// `export`
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// Only devices of this kind
    #[arg(long, value_parser = device_kinds())]
    pub kind: Option<DeviceKind>,
    /// Only this device, such as `jbd-a4c13830c28e`
    #[arg(long, value_name = "ID")]
    pub device: Option<String>,
    /// From this time on: `2026-11-01T00:00:00Z`, or `30d` for 30 days ago
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub from: Option<Moment>,
    /// Up to, but not including, this time
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub to: Option<Moment>,
    /// What is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The form of exported readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A table with a header; one kind of device at a time
    #[default]
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// A point in time, as such or counted back from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(DateTime<Utc>),
    /// So long ago.
    Ago(Duration),
}

impl Moment {
    /// Reads `2026-11-01T00:00:00+01:00` or `30d`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        parse_duration(text).map(Self::Ago).map_err(|_| {
            "neither a time such as 2026-11-01T00:00:00Z nor a duration such as 30d".to_owned()
        })
    }

    /// The time, if it is `now` now.
    pub fn resolve(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            // Durations end at 100 years: this does not overflow.
            Self::Ago(duration) => now - duration,
        }
    }
}

fn device_kinds() -> impl clap::builder::TypedValueParser<Value = DeviceKind> {
    // The gateway's own figures are not part of the history.
    let kinds = DeviceKind::ALL
        .iter()
        .filter(|kind| **kind != DeviceKind::Gateway);
    PossibleValuesParser::new(kinds.map(|kind| kind.as_str())).try_map(|name| {
        let mut kinds = DeviceKind::ALL.into_iter();
        kinds
            .find(|kind| kind.as_str() == name)
            .ok_or("no such kind")
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    #[test]
    fn moments_are_times_or_ages() {
        let now = Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap();
        for (text, time) in [
            (
                "2026-11-01T01:00:00+01:00",
                Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0),
            ),
            ("30d", Utc.with_ymd_and_hms(2026, 10, 22, 12, 0, 0)),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.resolve(now), time.unwrap());
        }
        assert!(Moment::parse("yesterday").is_err());
    }
}
