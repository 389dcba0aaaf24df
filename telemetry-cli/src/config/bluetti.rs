use std::time::Duration;

use bluetti_modbus::encryption::VerifyKey;
use serde::Deserialize;

use crate::filter::Keep;

/// `[[bluetti]]`: a Bluetti power station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bluetti {
    /// The name it advertises.
    #[serde(default)]
    pub name: Option<String>,
    /// Its Bluetooth address.
    #[serde(default)]
    pub address: Option<String>,
    /// `HOST:PORT` where it speaks MODBUS-TCP instead.
    #[serde(default)]
    pub tcp: Option<String>,
    /// What people call it; the advertised name if absent.
    #[serde(default)]
    pub label: Option<String>,
    /// How often it is read.
    #[serde(with = "super::duration", default = "Bluetti::default_interval")]
    pub interval: Duration,
    /// How often its settings are read, at most at every read.
    #[serde(
        with = "super::duration",
        default = "Bluetti::default_settings_interval"
    )]
    pub settings_interval: Duration,
    /// How often its packs are read, at most at every read.
    #[serde(with = "super::duration", default = "Bluetti::default_packs_interval")]
    pub packs_interval: Duration,
    /// Keep the connection between reads.
    #[serde(default = "super::yes")]
    pub hold_link: bool,
    /// Which readings are stored.
    #[serde(default)]
    pub store: Keep,
    /// The unit that answers; found out if absent.
    #[serde(default)]
    pub slave: Option<u8>,
    /// The model whose map is used; asked for if absent.
    #[serde(default)]
    pub model: Option<String>,
    /// Puts its registers among the extras, as they are.
    #[serde(default)]
    pub registers: bool,
    /// `[bluetti.allow]`
    #[serde(default)]
    pub allow: BluettiAllow,
    /// What its signature is checked with instead of the published key. No file
    /// can say it: simulated stations sign with a key of their own.
    #[serde(skip)]
    pub verify_key: Option<VerifyKey>,
}

/// `[bluetti.allow]`: which commands that can hurt are let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BluettiAllow {
    /// Switch the AC output.
    pub ac_output: bool,
    /// Switch the DC output.
    pub dc_output: bool,
    /// Switch the output of a charger.
    pub charger: bool,
    /// Eco mode of both outputs.
    pub eco: bool,
    /// Eco mode of the AC output.
    pub eco_ac: bool,
    /// Below which load that one counts.
    pub eco_power_ac: bool,
    /// Eco mode of the DC output.
    pub eco_dc: bool,
    /// Below which load that one counts.
    pub eco_power_dc: bool,
    /// Power lifting.
    pub power_lifting: bool,
    /// Switch the station off.
    pub power_off: bool,
    /// Feed into the grid.
    pub feed_in: bool,
    /// Couple it with another one.
    pub split_phase: bool,
    /// Its part in that pair.
    pub split_phase_role: bool,
}

impl Bluetti {
    /// The station that advertises `name`, everything else by default.
    pub fn named(name: &str) -> Self {
        Self::new(Some(name.to_owned()), None)
    }

    /// The station with this name or address, everything else by default.
    pub fn new(name: Option<String>, address: Option<String>) -> Self {
        Self {
            name,
            address,
            tcp: None,
            label: None,
            interval: Self::default_interval(),
            settings_interval: Self::default_settings_interval(),
            packs_interval: Self::default_packs_interval(),
            hold_link: true,
            store: Keep::default(),
            slave: None,
            model: None,
            registers: false,
            allow: BluettiAllow::default(),
            verify_key: None,
        }
    }

    /// What the configuration calls it.
    pub fn title(&self) -> &str {
        [&self.label, &self.name, &self.address, &self.tcp]
            .into_iter()
            .find_map(Option::as_deref)
            .unwrap_or_default()
    }

    fn default_interval() -> Duration {
        Duration::from_secs(30)
    }

    fn default_settings_interval() -> Duration {
        Duration::from_secs(150)
    }

    fn default_packs_interval() -> Duration {
        Duration::from_secs(300)
    }
}
