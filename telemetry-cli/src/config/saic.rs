//! `[[saic]]`: an iSMART account.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Secret, duration};
use crate::filter::Keep;
use crate::zone::Zone;

/// `[[saic]]`: an iSMART account with all its cars.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saic {
    /// E-mail address, or the digits of a phone number.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Where the account was made.
    #[serde(default)]
    pub region: SaicRegion,
    /// Of a phone number: digits.
    #[serde(default)]
    pub country_code: Option<String>,
    /// Another cloud, such as a simulated one.
    #[serde(default)]
    pub base_url: Option<String>,
    /// PEM file with the authority that signed its certificate, if the system
    /// does not know it.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Who decides when a car is woken up.
    #[serde(default)]
    pub polling: SaicPolling,
    /// How often the cloud is asked for what it knows by itself.
    #[serde(with = "duration", default = "Saic::default_interval")]
    pub interval: Duration,
    /// How often a car that drives is asked.
    #[serde(with = "duration", default = "Saic::default_driving_interval")]
    pub driving_interval: Duration,
    /// How often a car that charges is asked.
    #[serde(with = "duration", default = "Saic::default_charging_interval")]
    pub charging_interval: Duration,
    /// A car that does nothing is asked after this time.
    #[serde(with = "duration", default = "Saic::default_parked_interval")]
    pub parked_interval: Duration,
    /// At most so many questions to each car in 24 hours, restarts included.
    #[serde(default = "Saic::default_live_calls_per_day")]
    pub live_calls_per_day: u32,
    /// Of the battery heating schedule, such as `Europe/Rome`; that of this
    /// computer if absent.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How long the account is left to another device that logged in.
    #[serde(with = "duration", default = "Saic::default_relogin_delay")]
    pub relogin_delay: Duration,
    /// Let the car send a message when it is started.
    #[serde(default = "super::yes")]
    pub start_messages: bool,
    /// Which readings are stored.
    #[serde(default)]
    pub store: Keep,
    /// `[saic.vehicle.VIN]`
    #[serde(default)]
    pub vehicle: BTreeMap<String, SaicVehicle>,
    /// `[saic.allow]`
    #[serde(default)]
    pub allow: SaicAllow,
}

/// Regions of the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaicRegion {
    /// Europe, the United Kingdom, and the rest of the world.
    #[default]
    Eu,
    /// Australia and New Zealand.
    Au,
    /// Türkiye.
    Tr,
    /// Israel.
    Il,
    /// Brazil.
    Br,
    /// Thailand.
    Th,
    /// China.
    Cn,
    /// India, whose cars are on another cloud: refused with the reason.
    #[serde(alias = "india")]
    In,
}

impl SaicRegion {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Au => "au",
            Self::Tr => "tr",
            Self::Il => "il",
            Self::Br => "br",
            Self::Th => "th",
            Self::Cn => "cn",
            Self::In => "in",
        }
    }
}

/// Who decides when a car is woken up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaicPolling {
    /// Messages and what the cloud remembers tell when a car does something.
    #[default]
    Hybrid,
    /// The rules of the Python gateway: only its drop-in has them, and this is
    /// refused with the reason.
    Original,
}

/// `[saic.vehicle.VIN]`: what the cloud tells wrong about a car.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaicVehicle {
    /// What people call it.
    pub label: Option<String>,
    /// Usable capacity of the battery.
    pub battery_kwh: Option<f64>,
    /// Series, if the list has a wrong one.
    pub series: Option<String>,
}

/// `[saic.allow]`: which commands that can hurt are let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaicAllow {
    /// Lock and unlock.
    pub lock: bool,
    /// Unlock the tailgate.
    pub open_boot: bool,
    /// Move windows.
    pub windows: bool,
    /// Move the sunroof.
    pub sunroof: bool,
    /// Lock and release the charging cable.
    pub cable_lock: bool,
    /// Feed from the traction battery.
    pub v2x: bool,
}

impl Saic {
    /// The account of `user`, everything else by default.
    pub fn new(user: String, password: Secret) -> Self {
        Self {
            user,
            password,
            region: SaicRegion::default(),
            country_code: None,
            base_url: None,
            ca: None,
            polling: SaicPolling::default(),
            interval: Self::default_interval(),
            driving_interval: Self::default_driving_interval(),
            charging_interval: Self::default_charging_interval(),
            parked_interval: Self::default_parked_interval(),
            live_calls_per_day: Self::default_live_calls_per_day(),
            time_zone: None,
            relogin_delay: Self::default_relogin_delay(),
            start_messages: true,
            store: Keep::default(),
            vehicle: BTreeMap::new(),
            allow: SaicAllow::default(),
        }
    }

    /// The time zone that is named, else that of this computer; `None` if there
    /// is none of that name.
    pub fn zone(&self) -> Option<Zone> {
        match &self.time_zone {
            Some(name) => Zone::parse(name),
            None => Some(Zone::System),
        }
    }

    /// What is said about the car `vin`, in whatever case it is written.
    pub fn vehicle(&self, vin: &str) -> SaicVehicle {
        let mut told = self.vehicle.iter();
        let found = told.find(|(key, _)| key.eq_ignore_ascii_case(vin));
        found.map(|(_, told)| told.clone()).unwrap_or_default()
    }

    fn default_interval() -> Duration {
        Duration::from_secs(60)
    }

    fn default_driving_interval() -> Duration {
        Duration::from_secs(30)
    }

    fn default_charging_interval() -> Duration {
        Duration::from_secs(300)
    }

    fn default_parked_interval() -> Duration {
        Duration::from_secs(86_400)
    }

    fn default_live_calls_per_day() -> u32 {
        600
    }

    fn default_relogin_delay() -> Duration {
        Duration::from_secs(900)
    }
}
