use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::lenient;
use crate::types::{Brand, Vin, open_enum};

open_enum! {
    /// What drives a vehicle.
    DriveTrain {
        /// Fuel only.
        Combustion = "COMBUSTION",
        /// Battery with a plug, and fuel.
        PluginHybrid = "PLUGIN_HYBRID",
        /// Battery only.
        Electric = "ELECTRIC",
        /// Battery with a small engine that charges it.
        RangeExtender = "ELECTRIC_WITH_RANGE_EXTENDER",
        /// Fuel, with a battery that has no plug.
        Hybrid = "HYBRID",
        /// Fuel, with a 48 V battery.
        MildHybrid = "MILD_HYBRID",
    }
}

impl DriveTrain {
    /// Whether it burns fuel.
    #[must_use]
    pub const fn has_combustion(&self) -> bool {
        !matches!(self, Self::Electric | Self::Other(_))
    }

    /// Whether it has a battery with a plug.
    #[must_use]
    pub const fn has_electric(&self) -> bool {
        matches!(
            self,
            Self::Electric | Self::PluginHybrid | Self::RangeExtender
        )
    }
}

/// What a vehicle is. Source: `GET /eadrax-vcs/v5/vehicle-data/profile`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Profile {
    /// The vehicle.
    pub vin: Vin,
    /// `BMW`, `BMW_I`, `MINI`, `DRITTKUNDE`, as it came.
    #[serde(default, rename = "brand", deserialize_with = "lenient::text")]
    pub brand_name: Option<String>,
    /// The brand whose list the vehicle was in.
    #[serde(skip_deserializing, default)]
    pub listed_as: Option<Brand>,
    /// Name of the model.
    #[serde(default, deserialize_with = "lenient::text")]
    pub model: Option<String>,
    /// Model year.
    #[serde(default, deserialize_with = "lenient::integer")]
    pub year: Option<i64>,
    /// Body type, as `G26`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub body_type: Option<String>,
    /// What drives it.
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub drive_train: Option<DriveTrain>,
    /// Colour, ARGB.
    #[serde(default, deserialize_with = "lenient::integer")]
    pub color: Option<i64>,
    /// Country.
    #[serde(default, deserialize_with = "lenient::text")]
    pub country_of_origin: Option<String>,
    /// Head unit, as `MGU`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub head_unit_type: Option<String>,
    /// Head unit, raw.
    #[serde(default, deserialize_with = "lenient::text")]
    pub head_unit_raw: Option<String>,
    /// iDrive version, as `ID8`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub hmi_version: Option<String>,
    /// Telematics unit.
    #[serde(default, deserialize_with = "lenient::text")]
    pub telematics_unit: Option<String>,
    /// Software now.
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub software_version_current: Option<SoftwareVersion>,
    /// Software at delivery.
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub software_version_ex_factory: Option<SoftwareVersion>,
    /// When the cloud read it; older accounts only.
    #[serde(default, deserialize_with = "lenient::time")]
    pub last_fetched: Option<chrono::DateTime<chrono::Utc>>,
}

/// A software version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SoftwareVersion {
    /// Integration step.
    #[serde(deserialize_with = "lenient::integer")]
    pub i_step: Option<i64>,
    /// Month of the release.
    #[serde(deserialize_with = "lenient::maybe")]
    pub pu_step: Option<PuStep>,
    /// Series.
    #[serde(deserialize_with = "lenient::text")]
    pub series_cluster: Option<String>,
}

/// Month of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PuStep {
    /// 1 to 12.
    pub month: u8,
    /// Two digits.
    pub year: u8,
}

impl Profile {
    /// The brand. A Supra calls itself a third party's car; the list it came in
    /// knows better.
    #[must_use]
    pub fn brand(&self) -> Brand {
        let own = self.brand_name.as_deref().map(Brand::parse);
        match (own, &self.listed_as) {
            (Some(own @ (Brand::Bmw | Brand::Mini | Brand::Toyota)), _) => own,
            (_, Some(listed)) => listed.clone(),
            (Some(own), None) => own,
            (None, None) => self.vin.brand(),
        }
    }

    /// Software as the car shows it: `07/2025.55`.
    #[must_use]
    pub fn software(&self) -> Option<String> {
        let software = self.software_version_current.as_ref()?;
        let (step, release) = (software.i_step?.to_string(), software.pu_step?);
        let century = self.year.unwrap_or(2000) / 100;
        let step = step.get(1..).unwrap_or_default();
        Some(format!(
            "{:02}/{century}{:02}.{step}",
            release.month, release.year
        ))
    }
}

open_enum! {
    /// Whether the last state call works.
    LastStateCall {
        /// It cannot.
        NotCapable = "NOT_CAPABLE",
        /// It is not supported.
        NotSupported = "NOT_SUPPORTED",
        /// It does.
        Activated = "ACTIVATED",
    }
}

/// What can be done with a vehicle. Source: `capabilities` of the state answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Capabilities {
    /// Charging profile.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charging_plan_supported: Option<bool>,
    /// Charging settings.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charging_settings_enabled: Option<bool>,
    /// Charge target.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charging_target_soc_enabled: Option<bool>,
    /// Limit of the AC current.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charging_power_limit_enabled: Option<bool>,
    /// Vehicle finder. The command has been seen to work where this says no.
    #[serde(deserialize_with = "lenient::boolean")]
    pub vehicle_finder: Option<bool>,
    /// Places to navigation.
    #[serde(deserialize_with = "lenient::boolean")]
    pub send_poi: Option<bool>,
    /// Horn.
    #[serde(deserialize_with = "lenient::boolean")]
    pub horn: Option<bool>,
    /// Lights.
    #[serde(deserialize_with = "lenient::boolean")]
    pub lights: Option<bool>,
    /// Locking.
    #[serde(deserialize_with = "lenient::boolean")]
    pub lock: Option<bool>,
    /// Unlocking.
    #[serde(deserialize_with = "lenient::boolean")]
    pub unlock: Option<bool>,
    /// Cabin climate.
    #[serde(deserialize_with = "lenient::boolean")]
    pub climate_now: Option<bool>,
    /// `AIR_CONDITIONING` or `VENTILATION`.
    #[serde(deserialize_with = "lenient::text")]
    pub climate_function: Option<String>,
    /// Climate timers.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_climate_timer_supported: Option<bool>,
    /// Charging history.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charging_history_supported: Option<bool>,
    /// Type of the car's apps, as `BLUETOOTH` or `NOT_SUPPORTED`.
    #[serde(deserialize_with = "lenient::text")]
    pub a4a_type: Option<String>,
    /// All others that are true or false, by BMW's name, as `isPlugAndChargeSupported`.
    #[serde(flatten, deserialize_with = "flags")]
    pub flags: BTreeMap<String, bool>,
    /// Charging commands.
    #[serde(deserialize_with = "lenient::maybe")]
    pub remote_charging_commands: Option<RemoteCharging>,
    /// Whether the last state call works.
    #[serde(deserialize_with = "lenient::maybe")]
    pub last_state_call_state: Option<LastStateCall>,
    /// Where the state is from.
    #[serde(deserialize_with = "lenient::text")]
    pub vehicle_state_source: Option<String>,
}

fn flags<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, bool>, D::Error> {
    let all = BTreeMap::<String, serde_json::Value>::deserialize(from)?;
    let flag = |(name, value): (String, serde_json::Value)| Some((name, value.as_bool()?));
    Ok(all.into_iter().filter_map(flag).collect())
}

/// Charging commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RemoteCharging {
    /// `START`, `STOP`.
    #[serde(deserialize_with = "lenient::list")]
    pub charging_control: Vec<String>,
}

impl Capabilities {
    /// Whether charging can be started.
    #[must_use]
    pub fn charge_start(&self) -> bool {
        self.charging_control("START")
    }

    /// Whether charging can be stopped.
    #[must_use]
    pub fn charge_stop(&self) -> bool {
        self.charging_control("STOP")
    }

    fn charging_control(&self, word: &str) -> bool {
        let commands = self.remote_charging_commands.as_ref();
        commands.is_some_and(|commands| commands.charging_control.iter().any(|one| one == word))
    }

    /// Whether there are charging details to ask for.
    #[must_use]
    pub fn has_charging_details(&self) -> bool {
        self.is_charging_plan_supported == Some(true)
            || self.is_charging_settings_enabled == Some(true)
    }
}
