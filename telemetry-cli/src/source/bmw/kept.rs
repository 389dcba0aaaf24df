//! What is known of an account between two runs, so that a restart costs no
//! calls.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bimmer::cardata::soc::Learning;
use bimmer::cardata::{BasicData, Datum, Source, Telemetry};
use bimmer::mybmw::Profile;
use bimmer::types::Brand;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A JSON file that is replaced as a whole; nothing without a path.
#[derive(Debug)]
pub(super) struct Kept<T> {
    path: Option<PathBuf>,
    pub(super) data: T,
}

impl<T: Default + Serialize + DeserializeOwned> Kept<T> {
    /// What an earlier run left. A file that cannot be read as such is as good
    /// as none.
    pub(super) fn load(path: Option<PathBuf>) -> io::Result<Self> {
        let text = match path.as_deref().map(fs::read_to_string) {
            Some(Ok(text)) => text,
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => String::new(),
        };
        let data = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { path, data })
    }

    pub(super) fn save(&self) -> io::Result<()> {
        match &self.path {
            Some(path) => replace(path, &serde_json::to_vec(&self.data)?),
            None => Ok(()),
        }
    }
}

/// A crash leaves the old file or the new one. It is not waited until the disk
/// has it: that may take seconds, and what a power cut takes can be had again.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // It says where the cars are.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(content)?;
    fs::rename(&new, path)
}

/// Of a MyBMW account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MyBmwData {
    /// Any text that this installation keeps: BMW counts calls by it.
    pub(super) installation: Option<String>,
    /// When a poll began last.
    pub(super) polled_at: Option<DateTime<Utc>>,
    pub(super) active: bool,
    /// Nothing is asked before.
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) listed_at: Option<DateTime<Utc>>,
    cars: Vec<Listed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    profile: Profile,
    /// The list it was in, which the profile itself does not say.
    brand: String,
}

impl MyBmwData {
    pub(super) fn profiles(&self) -> Vec<Profile> {
        let listed = |car: &Listed| {
            let mut profile = car.profile.clone();
            profile.listed_as = Some(Brand::parse(&car.brand));
            profile
        };
        self.cars.iter().map(listed).collect()
    }

    pub(super) fn list(&mut self, profiles: &[Profile], now: DateTime<Utc>) {
        let listed = |profile: &Profile| Listed {
            profile: profile.clone(),
            brand: profile.brand().to_string(),
        };
        self.cars = profiles.iter().map(listed).collect();
        self.listed_at = Some(now);
    }
}

/// Of a CarData account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CarDataData {
    /// When the cloud was asked which cars there are.
    pub(super) mapped_at: Option<DateTime<Utc>>,
    /// Nothing is asked before.
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) cars: BTreeMap<String, KeptCar>,
}

/// One car.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptCar {
    pub(super) basics: Option<BasicData>,
    /// What the estimates of its state of charge have learned.
    pub(super) learned: Learning,
    /// The account is not its main user: the stream alone tells of it.
    pub(super) stream_only: bool,
    /// When that could not be found out last.
    pub(super) not_described_at: Option<DateTime<Utc>>,
    /// When REST was asked about it last.
    pub(super) asked_at: Option<DateTime<Utc>>,
    /// When the stream said something about it last.
    pub(super) streamed_at: Option<DateTime<Utc>>,
    entries: Vec<KeptEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptEntry {
    key: String,
    streamed: bool,
    received: DateTime<Utc>,
    #[serde(flatten)]
    datum: Datum,
}

impl KeptCar {
    pub(super) fn telemetry(&self) -> Telemetry {
        let mut telemetry = Telemetry::new();
        for entry in &self.entries {
            let source = match entry.streamed {
                true => Source::Stream,
                false => Source::Rest,
            };
            telemetry.apply(&entry.key, &entry.datum, source, entry.received);
        }
        telemetry
    }

    pub(super) fn keep(&mut self, telemetry: &Telemetry) {
        let entry = |(key, entry): (&str, &bimmer::cardata::Entry)| KeptEntry {
            key: key.to_owned(),
            streamed: entry.source == Source::Stream,
            received: entry.received,
            datum: Datum {
                value: entry
                    .value
                    .as_ref()
                    .and_then(|value| serde_json::to_value(value).ok()),
                unit: entry.unit.clone(),
                timestamp: entry.timestamp,
            },
        };
        self.entries = telemetry.iter().map(entry).collect();
    }
}

#[cfg(test)]
mod tests {
    use bimmer::cardata::TelematicData;

    use super::*;

    #[test]
    fn what_is_kept_comes_back_the_same() {
        let body = br#"{"telematicData": {
            "vehicle.vehicle.travelledDistance":
                {"value": "1000", "unit": "mi", "timestamp": "2026-03-01T10:00:00Z"},
            "vehicle.drivetrain.batteryManagement.header":
                {"value": "57", "unit": "percent", "timestamp": "2026-03-01T10:00:00Z"},
            "vehicle.isMoving": {"value": "ASN_isFalse", "timestamp": "2026-03-01T10:00:01Z"},
            "vehicle.of.tomorrow": {"value": "INVALID", "timestamp": "2026-03-01T10:00:02Z"}}}"#;
        let data = TelematicData::read(body).unwrap();
        let now = DateTime::from_timestamp(1_772_359_300, 0).unwrap();
        let mut telemetry = Telemetry::new();
        assert_eq!(telemetry.apply_rest(&data, now), 4);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("account.json");
        let mut kept: Kept<CarDataData> = Kept::load(Some(path.clone())).unwrap();
        let car = kept.data.cars.entry("WBA".to_owned()).or_default();
        car.keep(&telemetry);
        kept.save().unwrap();
        let kept: Kept<CarDataData> = Kept::load(Some(path.clone())).unwrap();
        let back = kept.data.cars["WBA"].telemetry();
        let all = |of: &Telemetry| {
            let entries = of
                .iter()
                .map(|(key, entry)| (key.to_owned(), entry.clone()));
            entries.collect::<Vec<_>>()
        };
        assert_eq!(all(&back), all(&telemetry));
        fs::write(&path, "{").unwrap();
        let kept: Kept<CarDataData> = Kept::load(Some(path)).unwrap();
        assert!(kept.data.cars.is_empty());
    }
}
