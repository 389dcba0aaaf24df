//! What differs between series: battery, temperatures, seats, drive.

use crate::charging::{ChargeManagement, ChargingData, RvsChargeStatus};
use crate::error::Error;
use crate::vehicle::{BasicStatus, Climate, ClimateStatus, Seats, VehicleInfo};

/// What drives a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drive {
    /// Battery only.
    Electric,
    /// Battery with a plug, and an engine.
    PlugInHybrid,
    /// Battery without a plug, and an engine: charging calls make no sense.
    Hybrid,
    /// An engine only.
    Combustion,
}

impl Drive {
    /// Whether it can be charged.
    #[must_use]
    pub const fn has_plug(self) -> bool {
        matches!(self, Self::Electric | Self::PlugInHybrid)
    }

    /// Whether it burns fuel.
    #[must_use]
    pub const fn has_fuel(self) -> bool {
        !matches!(self, Self::Electric)
    }
}

/// Levels of seat heating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeatHeating {
    /// No heated seats.
    None,
    /// Levels 0 to 3.
    Levels,
    /// Off (0) and on (1).
    OnOff,
}

/// What the climate of a car does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClimateActivity {
    /// Nothing.
    Off,
    /// Blows.
    Blowing,
    /// Cools or heats.
    On,
    /// Cools.
    Cooling,
    /// Heats.
    Heating,
    /// Defrosts the windscreen.
    FrontDefrost,
    /// Runs under control from inside the car: remote commands are refused.
    InCarControl,
}

/// How a series counts temperatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scale {
    /// °C − 14.
    Linear,
    /// °C.
    Degrees,
    /// As the app of the MGS6 sends them, from 16 °C.
    Mgs6,
}

/// Index of 16 °C and following on the MGS6. 29 °C is interpolated.
const MGS6_INDEXES: [u8; 15] = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 19];
const MGS6_LOWEST_C: u8 = 16;

/// What differs between series, worked out from the vehicle list. Every value
/// can be overridden where the list is wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// What drives it.
    pub drive: Drive,
    /// Usable capacity of the battery, kWh; `None` if only the car knows.
    pub battery_kwh: Option<f64>,
    /// Lowest and highest temperature of the climate, °C.
    pub temperatures_c: (u8, u8),
    /// Heated seats in front.
    pub seat_heating: SeatHeating,
    /// The target state of charge can be set.
    pub has_target_soc: bool,
    /// The limit of the AC current can be set.
    pub has_current_limit: bool,
    /// It has a sunroof.
    pub has_sunroof: bool,
    /// The driver sits on the right.
    pub right_hand_drive: bool,
    /// Tank, litres.
    pub tank_l: Option<f64>,
    /// Energies that the car reports, multiplied by this, are right. `None`:
    /// worked out from both capacities.
    pub energy_factor_override: Option<f64>,
    series: String,
    scale: Scale,
    aux_voltage: AuxVoltage,
}

/// How the reported voltage of the 12 V battery relates to the real one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct AuxVoltage {
    factor: f64,
    offset_v: f64,
}

const AS_REPORTED: AuxVoltage = AuxVoltage {
    factor: 1.0,
    offset_v: 0.0,
};

impl Default for Profile {
    /// An electric car of an unknown series.
    fn default() -> Self {
        Self {
            drive: Drive::Electric,
            battery_kwh: None,
            temperatures_c: (16, 28),
            seat_heating: SeatHeating::Levels,
            has_target_soc: true,
            has_current_limit: true,
            has_sunroof: true,
            right_hand_drive: false,
            tank_l: None,
            energy_factor_override: None,
            series: String::new(),
            scale: Scale::Linear,
            aux_voltage: AS_REPORTED,
        }
    }
}

impl Profile {
    /// Of a car in the vehicle list.
    #[must_use]
    pub fn of(vehicle: &VehicleInfo) -> Self {
        let series = vehicle.series_key();
        let model = vehicle.model.as_deref().unwrap_or_default().to_uppercase();
        let feature = |code| vehicle.feature(code);
        let nmc = feature("BType") == Some("1") || feature("Battery") == Some("1");
        let mut profile = Self {
            drive: drive(vehicle, &series, &model),
            seat_heating: match feature("HeatedSeat") {
                Some("1") => SeatHeating::Levels,
                Some("2") => SeatHeating::OnOff,
                // A list without features, as that of India, says nothing.
                None if vehicle.features.is_empty() => SeatHeating::Levels,
                _ => SeatHeating::None,
            },
            has_target_soc: nmc,
            has_sunroof: feature("S35").or_else(|| feature("Sunroof")) != Some("0"),
            right_hand_drive: feature("LRD") == Some("1"),
            series,
            ..Self::default()
        };
        profile.apply_series(nmc);
        profile
    }

    /// Another usable capacity, kWh: packs of different sizes share series.
    #[must_use]
    pub fn with_battery_kwh(mut self, kwh: f64) -> Self {
        self.battery_kwh = (kwh > 0.0).then_some(kwh);
        self
    }

    /// As if the vehicle list named another series.
    #[must_use]
    pub fn with_series(mut self, series: &str) -> Self {
        self.series = series.trim().to_uppercase();
        let nmc = self.has_target_soc;
        self.apply_series(nmc);
        self
    }

    /// The series, in capitals.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.series
    }

    fn apply_series(&mut self, nmc: bool) {
        let series = self.series.clone();
        let is = |prefix: &str| series.starts_with(prefix);
        if is("EH32") {
            self.temperatures_c = (17, 33);
            self.battery_kwh = Some(match (is("EH32 X3"), nmc) {
                (true, _) => 77.0,
                (false, true) => 64.0,
                (false, false) => 51.0,
            });
        } else if is("AH4EM") {
            self.temperatures_c = (17, 33);
            self.aux_voltage = AuxVoltage {
                factor: 0.82,
                offset_v: 4.85,
            };
        } else if is("EP2CP3") {
            self.battery_kwh = Some(50.3);
        } else if is("EP2DP3") {
            self.battery_kwh = Some(61.1);
        } else if is("ZS EV MCE") {
            self.temperatures_c = (16, 29);
            self.scale = Scale::Degrees;
        } else if is("NEW ZS") {
            self.temperatures_c = (15, 29);
            self.scale = Scale::Degrees;
        } else if is("GLOSTER") {
            self.temperatures_c = (17, 31);
            self.scale = Scale::Degrees;
        } else if is("HECTOR MCE") {
            self.temperatures_c = (17, 33);
        } else if is("CN202SR") {
            self.temperatures_c = (17, 28);
        } else if is("ZS EV") {
            self.battery_kwh = Some(if nmc { 68.3 } else { 49.0 });
        } else if is("MIS3E") {
            self.temperatures_c = (16, 30);
            self.scale = Scale::Mgs6;
            self.battery_kwh = Some(74.3);
        } else if is("MZS3E") {
            self.temperatures_c = (16, 30);
            self.scale = Scale::Mgs6;
            self.battery_kwh = Some(62.1);
            self.has_current_limit = false;
        } else if is("IS31P") {
            self.tank_l = Some(65.0);
        } else if is("AS33P") {
            self.temperatures_c = (16, 30);
            self.battery_kwh = Some(23.2);
            self.energy_factor_override = Some(1.0 / 3.0);
            self.has_target_soc = false;
            self.has_current_limit = false;
            self.tank_l = Some(37.0);
        } else if is("S12L") || is("P12L") {
            self.battery_kwh = Some(96.5);
        } else if is("ZP22") {
            self.temperatures_c = (16, 30);
            self.battery_kwh = Some(1.83);
            self.has_target_soc = false;
            self.has_current_limit = false;
            self.tank_l = Some(36.0);
        }
    }

    /// The index that stands for a temperature.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] outside [`temperatures_c`](Self::temperatures_c).
    pub fn temperature_index(&self, temperature_c: u8) -> Result<u8, Error> {
        let (lowest, highest) = self.temperatures_c;
        if !(lowest..=highest).contains(&temperature_c) {
            return Err(Error::InvalidValue(format!(
                "{temperature_c} °C is outside {lowest} to {highest} °C of this car"
            )));
        }
        let outside = || Error::InvalidValue(format!("no index stands for {temperature_c} °C"));
        match self.scale {
            Scale::Linear => temperature_c.checked_sub(14),
            Scale::Degrees => Some(temperature_c),
            Scale::Mgs6 => temperature_c
                .checked_sub(MGS6_LOWEST_C)
                .and_then(|step| MGS6_INDEXES.get(usize::from(step)).copied()),
        }
        .ok_or_else(outside)
    }

    /// Climate on at a temperature.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] outside the range of the car.
    pub fn climate_start(&self, temperature_c: u8) -> Result<Climate, Error> {
        let index = self.temperature_index(temperature_c)?;
        Ok(Climate::Start { index })
    }

    /// Whether the car knows the level of seat heating.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] with the levels it knows.
    pub fn check_seat_level(&self, seats: &Seats) -> Result<(), Error> {
        let highest = match self.seat_heating {
            SeatHeating::None => {
                return Err(Error::InvalidValue(
                    "this car has no heated seats".to_owned(),
                ));
            }
            // Seats behind are switched on with 3, whatever those in front know.
            SeatHeating::OnOff if matches!(seats, Seats::Front { .. }) => 1,
            SeatHeating::Levels | SeatHeating::OnOff => 3,
        };
        let level = seats.level();
        if level > highest {
            return Err(Error::InvalidValue(format!(
                "seat heating level {level} is outside 0 to {highest}"
            )));
        }
        Ok(())
    }

    /// What the climate status means on this series.
    #[must_use]
    pub fn climate_activity(&self, status: ClimateStatus) -> ClimateActivity {
        let is = |prefix: &str| self.series.starts_with(prefix);
        let modes = is("MIS3E") || is("MZS3E") || is("P12L") || is("IS31P") || is("EP21");
        match (status.code(), modes) {
            (0, _) => ClimateActivity::Off,
            (5, _) => ClimateActivity::FrontDefrost,
            (6, _) => ClimateActivity::InCarControl,
            (1, _) => ClimateActivity::Blowing,
            (2, _) if is("EH32") => ClimateActivity::Heating,
            (4, _) if is("EH32") => ClimateActivity::Blowing,
            // The MG3 shows 3 when it ignored a command.
            (3, _) if is("ZP22") => ClimateActivity::Off,
            (3, _) => ClimateActivity::Cooling,
            (4, true) => ClimateActivity::Heating,
            _ => ClimateActivity::On,
        }
    }

    /// What energies in kWh have to be multiplied with, because the car counts
    /// in the measure of another pack. 1 where nothing is known.
    #[must_use]
    pub fn energy_factor(&self, rvs: &RvsChargeStatus) -> f64 {
        if let Some(factor) = self.energy_factor_override {
            return factor;
        }
        match (self.battery_kwh, rvs.capacity_kwh()) {
            (Some(usable), Some(reported)) => usable / reported,
            _ => 1.0,
        }
    }

    /// Usable capacity in kWh: the known one, else what the car says.
    #[must_use]
    pub fn capacity_kwh(&self, rvs: &RvsChargeStatus) -> Option<f64> {
        self.battery_kwh.or_else(|| rvs.capacity_kwh())
    }

    /// State of charge in percent, from the best source.
    #[must_use]
    pub fn soc_percent(&self, basic: &BasicStatus, charging: Option<&ChargingData>) -> Option<f64> {
        charging
            .and_then(|charging| charging.management.soc_percent())
            .or_else(|| basic.soc_percent.map(f64::from))
    }

    /// Electric range in km, from the best source.
    #[must_use]
    pub fn range_km(&self, basic: &BasicStatus, charging: Option<&ChargingData>) -> Option<f64> {
        charging
            .and_then(|charging| charging.rvs.electric_range_km())
            .or_else(|| basic.electric_range_km())
            .or_else(|| {
                let range = |management: &ChargeManagement| management.range_km().map(f64::from);
                charging.and_then(|charging| range(&charging.management))
            })
    }

    /// Odometer in km, from the best source.
    #[must_use]
    pub fn odometer_km(&self, basic: &BasicStatus, charging: Option<&ChargingData>) -> Option<f64> {
        charging
            .and_then(|charging| charging.rvs.odometer_km())
            .or_else(|| basic.odometer_km())
    }

    /// 12 V battery in V, corrected for series that report too low.
    #[must_use]
    pub fn aux_battery_voltage_v(&self, basic: &BasicStatus) -> Option<f64> {
        let AuxVoltage { factor, offset_v } = self.aux_voltage;
        basic
            .aux_battery_voltage_v()
            .map(|volts| volts * factor + offset_v)
    }
}

/// Series that are built with a battery only.
const ELECTRIC_SERIES: [&str; 11] = [
    "EH32", "AH4EM", "EP2CP3", "EP2DP3", "EP21", "ZS EV", "MIS3E", "MZS3E", "EC32", "S12L", "P12L",
];

/// The flag `EV` of the list is wrong for some cars, so the series decides
/// first. A car that the list says nothing about is taken for electric: a
/// charging call too many does less harm than none.
fn drive(vehicle: &VehicleInfo, series: &str, model: &str) -> Drive {
    let is = |prefix: &&str| series.starts_with(*prefix);
    if is(&"ZP22") {
        return Drive::Hybrid;
    }
    if ["AS33P", "IS31P"].iter().any(is) {
        return Drive::PlugInHybrid;
    }
    if ELECTRIC_SERIES.iter().any(is) {
        return Drive::Electric;
    }
    let has_flag = vehicle.feature("EV") == Some("1");
    // Packs of any kind: 0 is none.
    let has_pack = vehicle
        .feature("BType")
        .is_some_and(|kind| !matches!(kind, "" | "0"));
    if vehicle.feature("ENERGY") == Some("1") {
        return match has_flag || has_pack {
            true => Drive::PlugInHybrid,
            false => Drive::Hybrid,
        };
    }
    let named =
        |text: &str| text.contains("ELECTRIC") || text.split_whitespace().any(|word| word == "EV");
    let says_nothing = ["EV", "BType"]
        .iter()
        .all(|code| vehicle.feature(code).is_none());
    let electric = has_flag || has_pack || named(series) || named(model) || says_nothing;
    if electric {
        Drive::Electric
    } else {
        Drive::Combustion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(series: &str, features: &str) -> VehicleInfo {
        let list = format!(
            r#"{{"vinList":[{{"series":"{series}","vehicleModelConfiguration":[{features}]}}]}}"#
        );
        let answer = crate::vehicle::VehicleListAnswer::from_json(&list).unwrap();
        answer.vehicles.into_iter().next().unwrap()
    }

    #[test]
    fn temperatures_of_the_mgs6() {
        let profile = Profile::of(&car("MIS3E S", ""));
        let index = |t| profile.temperature_index(t).ok();
        assert_eq!(
            [15, 16, 17, 22, 28, 29, 30, 31].map(index),
            [
                None,
                Some(1),
                Some(3),
                Some(8),
                Some(14),
                Some(16),
                Some(19),
                None
            ]
        );
    }

    /// Names of an older table; nobody has confirmed them on a car.
    #[test]
    fn temperatures_of_indian_series() {
        let index = |series, t| Profile::of(&car(series, "")).temperature_index(t).ok();
        assert_eq!(index("GLOSTER", 22), Some(22));
        assert_eq!(index("NEW ZS", 15), Some(15));
        assert_eq!(index("ZS EV MCE", 29), Some(29));
        assert_eq!(index("ZS EV MCE", 30), None);
        assert_eq!(index("HECTOR MCE", 33), Some(19));
        assert_eq!(index("CN202SR", 17), Some(3));
        assert_eq!(index("ZS EV", 17), Some(3));
    }

    #[test]
    fn drives() {
        let of = |series: &str, features: &str| Profile::of(&car(series, features)).drive;
        let ev = r#"{"itemCode":"EV","itemValue":"1"}"#;
        let hybrid = r#"{"itemCode":"ENERGY","itemValue":"1"}"#;
        assert_eq!(of("EH32 S", ev), Drive::Electric);
        assert_eq!(of("ZS EV", ""), Drive::Electric);
        assert_eq!(of("AS33P S", hybrid), Drive::PlugInHybrid);
        assert_eq!(of("ZP22 EU", ev), Drive::Hybrid);
        assert_eq!(of("XX", hybrid), Drive::Hybrid);
        let pack = |kind| format!(r#"{{"itemCode":"BType","itemValue":"{kind}"}}"#);
        assert_eq!(of("XX", &pack("1 ")), Drive::Electric);
        assert_eq!(of("XX", &pack("2")), Drive::Electric);
        assert_eq!(of("XX", &pack("0")), Drive::Combustion);
        let both = |other: &str| format!("{hybrid},{other}");
        assert_eq!(of("XX", &both(ev)), Drive::PlugInHybrid);
        assert_eq!(of("XX", &both(&pack("2"))), Drive::PlugInHybrid);
        assert_eq!(of("XX", &both(&pack("0"))), Drive::Hybrid);
        let not_ev = r#"{"itemCode":"EV","itemValue":"0"}"#;
        assert_eq!(of("XX", not_ev), Drive::Combustion);
        assert_eq!(of("EP2CP3 S", not_ev), Drive::Electric);
        assert_eq!(of("XX", ""), Drive::Electric);
    }

    #[test]
    fn a_list_without_features_forbids_nothing() {
        let of = |features| Profile::of(&car("XX", features)).seat_heating;
        assert_eq!(of(""), SeatHeating::Levels);
        assert_eq!(
            of(r#"{"itemCode":"EV","itemValue":"1"}"#),
            SeatHeating::None
        );
        assert_eq!(
            of(r#"{"itemCode":"HeatedSeat","itemValue":"2"}"#),
            SeatHeating::OnOff
        );
    }

    #[test]
    fn overrides() {
        let profile = Profile::default()
            .with_series(" eh32 x3 ")
            .with_battery_kwh(76.0);
        assert_eq!(profile.temperatures_c, (17, 33));
        assert_eq!(profile.battery_kwh, Some(76.0));
        let seats = Seats::Front { left: 4, right: 0 };
        assert!(profile.check_seat_level(&seats).is_err());
    }

    #[test]
    fn features_by_code_then_name() {
        let list = r#"{"itemCode":"BATTERY","itemName":"BATTERY","itemValue":"9"},
            {"itemCode":"BType","itemName":"Battery","itemValue":"1"}"#;
        let car = car("EH32", list);
        assert_eq!(car.feature("Battery"), Some("1"));
        assert_eq!(car.feature("BATTERY"), Some("9"));
        assert_eq!(Profile::of(&car).battery_kwh, Some(64.0));
    }

    #[test]
    fn codes_in_other_letters_and_values_with_blanks() {
        let list = r#"{"itemCode":"btype","itemName":"battery","itemValue":" 1 "},
            {"itemCode":"s35","itemValue":"0 "}"#;
        let car = self::car("EH32", list);
        assert_eq!(car.feature("BType"), Some("1"));
        assert_eq!(car.feature("Battery"), None);
        let profile = Profile::of(&car);
        assert!(profile.has_target_soc && !profile.has_sunroof);
    }

    #[test]
    fn the_aux_battery_of_the_urban() {
        let profile = Profile::of(&car("AH4EM", ""));
        let basic = BasicStatus {
            aux_battery_voltage_deci_v: Some(100),
            ..BasicStatus::default()
        };
        assert!((profile.aux_battery_voltage_v(&basic).unwrap() - 13.05).abs() < 1e-9);
    }
}
