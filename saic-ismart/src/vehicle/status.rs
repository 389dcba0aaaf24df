use chrono::{DateTime, TimeDelta, Utc};

use super::position::Position;
use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{codes, from_json, model};
use crate::vin::Vin;

codes! {
    /// The ignition (`powerMode`).
    PowerMode, power_mode {
        /// Off.
        0 => Off,
        /// Accessories only.
        1 => Accessory,
        /// On.
        2 => On,
        /// Starting.
        3 => Start,
    }
}

codes! {
    /// What the climate does (`remoteClimateStatus`). What 1 to 4 mean differs
    /// by series: see [`crate::Profile::climate_activity`].
    ClimateStatus, climate_status {
        /// Off.
        0 => Off,
        /// Blowing only, or the lowest fan.
        1 => Blowing,
        /// On.
        2 => On,
        /// Strong cooling, or the highest fan.
        3 => Cooling,
        /// Strong heating.
        4 => Heating,
        /// Front defroster.
        5 => FrontDefrost,
        /// Started inside the car: remote commands are refused.
        6 => InCarControl,
    }
}

model! {
    /// What the car reports about itself (`basicVehicleStatus`). Doors and
    /// windows in front go by role, those behind by side of the car; seats go by
    /// side. [`crate::Profile::right_hand_drive`] tells which front side is which.
    BasicStatus {
        /// Odometer, 0.1 km (`mileage`). Some cars stop counting at 65535
        /// here: then [`odometer_km`](Self::odometer_km) knows nothing, and [`crate::RvsChargeStatus::odometer_deci_km`] counts on.
        odometer_deci_km: u32 = "mileage" as "crate::scale::odometer",
        /// Electric range, 0.1 km (`fuelRangeElec`).
        electric_range_deci_km: u32 = "fuelRangeElec" as "crate::scale::electric_range",
        /// Fuel range, 0.1 km (`fuelRange`). Electric cars repeat the electric range here.
        fuel_range_deci_km: u32 = "fuelRange" as "crate::scale::fuel_range",
        /// Fuel in the tank, percent (`fuelLevelPrc`).
        fuel_percent: u8 = "fuelLevelPrc" as "crate::scale::percent",
        /// State of charge in whole percent (`extendedData1`).
        soc_percent: u8 = "extendedData1" as "crate::scale::percent",
        /// Charging (`extendedData2`). Seen in cached status.
        charging: bool = "extendedData2" as "crate::scale::flag",
        /// 12 V battery, 0.1 V (`batteryVoltage`).
        aux_battery_voltage_deci_v: u16 = "batteryVoltage" as "crate::scale::aux_voltage",
        /// Inside, °C (`interiorTemperature`).
        interior_temperature_c: i8 = "interiorTemperature" as "crate::scale::temperature",
        /// Outside, °C (`exteriorTemperature`).
        exterior_temperature_c: i8 = "exteriorTemperature" as "crate::scale::temperature",
        /// Tyre in front on the left, 4 kPa (`frontLeftTyrePressure`).
        tyre_front_left: u8 = "frontLeftTyrePressure" as "crate::scale::tyre_pressure",
        /// Tyre in front on the right, 4 kPa (`frontRightTyrePressure`).
        tyre_front_right: u8 = "frontRightTyrePressure" as "crate::scale::tyre_pressure",
        /// Tyre behind on the left, 4 kPa (`rearLeftTyrePressure`).
        tyre_rear_left: u8 = "rearLeftTyrePressure" as "crate::scale::tyre_pressure",
        /// Tyre behind on the right, 4 kPa (`rearRightTyrePressure`).
        tyre_rear_right: u8 = "rearRightTyrePressure" as "crate::scale::tyre_pressure",
        /// Unknown unit (`rearLeftOSTyrePressure`).
        tyre_rear_left_os_raw: i64 = "rearLeftOSTyrePressure" as "crate::scale::raw",
        /// Unknown unit (`rearRightOSTyrePressure`).
        tyre_rear_right_os_raw: i64 = "rearRightOSTyrePressure" as "crate::scale::raw",
        /// The tyre monitor reports a fault (`wheelTyreMonitorStatus`).
        tyre_monitor_fault: bool = "wheelTyreMonitorStatus" as "crate::scale::flag",
        /// Open (`driverDoor`).
        driver_door_open: bool = "driverDoor" as "crate::scale::flag",
        /// Open (`passengerDoor`).
        passenger_door_open: bool = "passengerDoor" as "crate::scale::flag",
        /// Open (`rearLeftDoor`).
        rear_left_door_open: bool = "rearLeftDoor" as "crate::scale::flag",
        /// Open (`rearRightDoor`).
        rear_right_door_open: bool = "rearRightDoor" as "crate::scale::flag",
        /// Open (`bootStatus`).
        boot_open: bool = "bootStatus" as "crate::scale::flag",
        /// Open (`bonnetStatus`).
        bonnet_open: bool = "bonnetStatus" as "crate::scale::flag",
        /// Open or ventilated (`driverWindow`). Not to be trusted without an
        /// odometer: see [`windows_known`](Self::windows_known).
        driver_window_open: bool = "driverWindow" as "crate::scale::flag",
        /// Open or ventilated (`passengerWindow`).
        passenger_window_open: bool = "passengerWindow" as "crate::scale::flag",
        /// Open or ventilated (`rearLeftWindow`).
        rear_left_window_open: bool = "rearLeftWindow" as "crate::scale::flag",
        /// Open or ventilated (`rearRightWindow`).
        rear_right_window_open: bool = "rearRightWindow" as "crate::scale::flag",
        /// Open (`sunroofStatus`).
        sunroof_open: bool = "sunroofStatus" as "crate::scale::flag",
        /// Locked (`lockStatus`).
        locked: bool = "lockStatus" as "crate::scale::flag",
        /// 1 = running or ready to drive (`engineStatus`).
        engine_status: i64 = "engineStatus" as "crate::scale::raw",
        /// Ignition (`powerMode`).
        power_mode: PowerMode = "powerMode" as "power_mode",
        /// Applied (`handBrake`). Some cars report it never.
        hand_brake: bool = "handBrake" as "crate::scale::flag",
        /// The car's own network is awake (`canBusActive`).
        can_bus_active: bool = "canBusActive" as "crate::scale::flag",
        /// When the car's own network was active last (`timeOfLastCANBUSActivity`).
        last_can_activity_at: DateTime<Utc> = "timeOfLastCANBUSActivity" as "crate::scale::epoch_s",
        /// Number of the journey (`currentJourneyId`).
        journey_id: u32 = "currentJourneyId" as "crate::scale::count",
        /// Length of the journey, 0.1 km (`currentJourneyDistance`). Begins anew
        /// with each journey and each charge.
        journey_distance_deci_km: u32 = "currentJourneyDistance" as "crate::scale::distance",
        /// Climate (`remoteClimateStatus`).
        climate: ClimateStatus = "remoteClimateStatus" as "climate_status",
        /// Rear screen heater on (`rmtHtdRrWndSt`).
        rear_window_heating: bool = "rmtHtdRrWndSt" as "crate::scale::flag",
        /// Seat heating in front on the left, level 0 to 3 (`frontLeftSeatHeatLevel`).
        seat_heating_front_left: u8 = "frontLeftSeatHeatLevel" as "crate::scale::byte",
        /// Seat heating in front on the right, level 0 to 3 (`frontRightSeatHeatLevel`).
        seat_heating_front_right: u8 = "frontRightSeatHeatLevel" as "crate::scale::byte",
        /// Seat heating behind on the left, 0 is off (`secondRowLeftSeatHeatLevel`).
        seat_heating_rear_left: u8 = "secondRowLeftSeatHeatLevel" as "crate::scale::byte",
        /// Seat heating behind on the right, 0 is off (`secondRowRightSeatHeatLevel`).
        seat_heating_rear_right: u8 = "secondRowRightSeatHeatLevel" as "crate::scale::byte",
        /// Steering wheel heating, 0 is off (`steeringHeatLevel`).
        steering_wheel_heating: u8 = "steeringHeatLevel" as "crate::scale::byte",
        /// Why it is not heated (`steeringWheelHeatFailureReason`); numbers unknown.
        steering_wheel_heating_failure: i64 = "steeringWheelHeatFailureReason" as "crate::scale::raw",
        /// On (`dippedBeamStatus`).
        dipped_beam_on: bool = "dippedBeamStatus" as "crate::scale::flag",
        /// On (`mainBeamStatus`).
        main_beam_on: bool = "mainBeamStatus" as "crate::scale::flag",
        /// On (`sideLightStatus`).
        side_light_on: bool = "sideLightStatus" as "crate::scale::flag",
        /// Number of the key that was seen last, 0 for none (`lastKeySeen`). No time.
        last_key_seen: u32 = "lastKeySeen" as "crate::scale::count",
        /// Alarm (`vehicleAlarmStatus`); 2 is seen on a parked and locked car.
        alarm_status: i64 = "vehicleAlarmStatus" as "crate::scale::raw",
        /// Bars of the fuel gauge (`clstrDspdFuelLvlSgmt`).
        fuel_gauge_bars: u8 = "clstrDspdFuelLvlSgmt" as "crate::scale::byte",
        /// Unknown (`vehElecRngDsp`).
        electric_range_display_raw: i64 = "vehElecRngDsp" as "crate::scale::raw",
        /// Unknown (`elecRangeDspMode`).
        electric_range_mode_raw: i64 = "elecRangeDspMode" as "crate::scale::raw",
        /// Unknown (`elecRangeStdA`).
        electric_range_standard_a_raw: i64 = "elecRangeStdA" as "crate::scale::raw",
        /// Unknown (`elecRangeStdB`).
        electric_range_standard_b_raw: i64 = "elecRangeStdB" as "crate::scale::raw",
    }
}

/// What an answer of a car in deep sleep gives as its temperature.
const PLACEHOLDER_TEMPERATURE_C: i8 = -40;

/// Where the odometer of some cars ends.
const FULL_ODOMETER_DECI_KM: u32 = 65_535;

impl BasicStatus {
    /// Odometer in km, unless it is one that has come to its end.
    #[must_use]
    pub fn odometer_km(&self) -> Option<f64> {
        let counting = self
            .odometer_deci_km
            .filter(|raw| *raw != FULL_ODOMETER_DECI_KM);
        counting.map(|raw| f64::from(raw) / 10.0)
    }

    /// Electric range in km.
    #[must_use]
    pub fn electric_range_km(&self) -> Option<f64> {
        self.electric_range_deci_km.map(|raw| f64::from(raw) / 10.0)
    }

    /// Fuel range in km.
    #[must_use]
    pub fn fuel_range_km(&self) -> Option<f64> {
        self.fuel_range_deci_km.map(|raw| f64::from(raw) / 10.0)
    }

    /// Length of the journey in km.
    #[must_use]
    pub fn journey_distance_km(&self) -> Option<f64> {
        self.journey_distance_deci_km
            .map(|raw| f64::from(raw) / 10.0)
    }

    /// 12 V battery in V, as reported.
    #[must_use]
    pub fn aux_battery_voltage_v(&self) -> Option<f64> {
        self.aux_battery_voltage_deci_v
            .map(|raw| f64::from(raw) / 10.0)
    }

    /// Tyre pressures in bar: front left, front right, rear left, rear right.
    #[must_use]
    pub fn tyre_pressures_bar(&self) -> [Option<f64>; 4] {
        [
            self.tyre_front_left,
            self.tyre_front_right,
            self.tyre_rear_left,
            self.tyre_rear_right,
        ]
        .map(|raw| raw.map(|raw| f64::from(raw) * 4.0 / 100.0))
    }

    /// Running or ready to drive.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.engine_status == Some(1)
    }

    /// Parked: not running, or the hand brake is applied.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        !self.is_running() || self.hand_brake == Some(true)
    }

    /// Something draws from the traction battery: driving, climate or the rear
    /// screen heater. Charging is not part of this.
    #[must_use]
    pub fn is_hv_active(&self) -> bool {
        self.is_running()
            || self.climate.is_some_and(|climate| climate.code() > 0)
            || self.rear_window_heating == Some(true)
    }

    /// Whether the window fields mean anything: they do not in an answer without odometer.
    #[must_use]
    pub fn windows_known(&self) -> bool {
        self.odometer_deci_km.is_some()
    }

    /// What the cloud makes up while the car sleeps deeply: no odometer and no
    /// range, or −40 °C. Not to be used; ask again later.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        let nothing = self.odometer_deci_km.is_none()
            && self.electric_range_deci_km.is_none()
            && self.fuel_range_deci_km == Some(0);
        nothing
            || self.interior_temperature_c == Some(PLACEHOLDER_TEMPERATURE_C)
            || self.exterior_temperature_c == Some(PLACEHOLDER_TEMPERATURE_C)
    }
}

/// One entry of `alertDataSum`. Its shape is unknown; older cars report pairs of
/// number and value, where value 0 is fine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// Number (`id`), where there is one.
    pub id: Option<i64>,
    /// Value (`value`), where there is one.
    pub value: Option<i64>,
    /// JSON text of all of it.
    pub json: String,
}

impl<'de> serde::Deserialize<'de> for Alert {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let entry = serde_json::Value::deserialize(json)?;
        let number = |key| entry.get(key).and_then(serde_json::Value::as_i64);
        Ok(Self {
            id: number("id"),
            value: number("value"),
            json: entry.to_string(),
        })
    }
}

model! {
    /// `extendedVehicleStatus`.
    ExtendedStatus {
        ;
        /// Alerts (`alertDataSum`).
        alerts: Vec<Alert> = "alertDataSum",
    }
}

model! {
    /// State of the car (`/vehicle/status`, and `/vehicle/status/cache` with less in it).
    VehicleStatus {
        /// When the car reported last (`statusTime`). The same time again means
        /// that the cloud repeats an old answer.
        status_at: DateTime<Utc> = "statusTime" as "crate::scale::epoch_s",
        /// Connected, says the cache (`onlineStatus`); stays 1 while the car sleeps.
        online_status: i64 = "onlineStatus" as "crate::scale::raw",
        ;
        /// Where it is (`gpsPosition`).
        position: Position = "gpsPosition",
        /// Everything else (`basicVehicleStatus`).
        basic: BasicStatus = "basicVehicleStatus",
        /// Alerts (`extendedVehicleStatus`).
        extended: ExtendedStatus = "extendedVehicleStatus",
    }
}

from_json!(VehicleStatus);

impl VehicleStatus {
    /// How long ago the car reported, by the clock given. Negative if in the future.
    #[must_use]
    pub fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.status_at.map(|at| now - at)
    }

    /// Whether the car has reported since `previous`.
    #[must_use]
    pub fn is_newer_than(&self, previous: &Self) -> bool {
        self.status_at > previous.status_at
    }

    /// Speed in km/h, 0 while parked; `None` without a fix.
    #[must_use]
    pub fn speed_kmh(&self) -> Option<f64> {
        let speed = self.position.speed_kmh()?;
        Some(if self.basic.is_parked() { 0.0 } else { speed })
    }
}

/// `GET /vehicle/status`: asks the car itself, which wakes it up and costs its
/// 12 V battery.
#[derive(Debug, Clone)]
pub struct LiveStatus(pub Vin);

impl Endpoint for LiveStatus {
    type Answer = VehicleStatus;

    fn name(&self) -> &'static str {
        "vehicle status"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        format!(
            "{}&vehStatusReqType=2",
            endpoint::with_vin("/vehicle/status", &self.0)
        )
    }

    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        Some(crate::india::Asked::Status)
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<VehicleStatus, DecodeError> {
        endpoint::required(data)
    }
}

/// `GET /vehicle/status/cache`: what the car reported last, without waking it.
#[derive(Debug, Clone)]
pub struct CachedStatus(pub Vin);

impl Endpoint for CachedStatus {
    type Answer = VehicleStatus;

    fn name(&self) -> &'static str {
        "cached vehicle status"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        format!(
            "{}&vehStatusReqType=2",
            endpoint::with_vin("/vehicle/status/cache", &self.0)
        )
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<VehicleStatus, DecodeError> {
        endpoint::required(data)
    }
}
