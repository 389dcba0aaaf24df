//! Messages of this region in the words of the others, so that the models of
//! the whole crate read them. Raw values that count in the same measure go over
//! as they are; the others are turned into the measure of the models.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::charge::{Charge, ChargeStatus};
use super::control::ControlAnswer;
use super::status::{BasicStatus, Position, Status};

/// 0.2 psi in units of 4 kPa.
const TYRE_FACTOR: f64 = 0.2 * 6.894_757 / 4.0;
/// `bmsChrgSts` of a car that charges in whatever way.
const CHARGING: u8 = 3;
/// `bmsChrgSts` of a car that is plugged in and does not charge.
const NOT_CHARGING: u8 = 7;
/// `bmsChrgSts` of a car without a cable.
const UNPLUGGED: u8 = 0;

impl Status {
    /// As `/vehicle/status` of the other regions has it, for
    /// [`VehicleStatus::from_json`](crate::VehicleStatus::from_json). Tyre
    /// pressures are rounded to 4 kPa.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "statusTime": self.status_at_s,
            "gpsPosition": position(&self.position),
            "basicVehicleStatus": basic(&self.basic),
            "extendedVehicleStatus": {
                "alertDataSum": self.alerts.iter().flatten().map(|alert| {
                    json!({ "id": alert.id, "value": alert.value })
                }).collect::<Vec<_>>(),
            },
        })
        .to_string()
    }
}

impl ControlAnswer {
    /// As `/vehicle/control` of the other regions has it, for
    /// [`ControlAnswer::from_json`](crate::vehicle::ControlAnswer::from_json).
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "rvcReqType": BASE64.encode(&self.kind),
            "rvcReqSts": BASE64.encode(&self.status),
            "failureType": self.failure,
            "gpsPosition": position(&self.position),
            "basicVehicleStatus": basic(&self.basic),
        })
        .to_string()
    }
}

impl ChargeStatus {
    /// As `/vehicle/charging/status` of the other regions has it, for
    /// [`ChargingStatus::from_json`](crate::charging::ChargingStatus::from_json).
    #[must_use]
    pub fn to_status_json(&self) -> String {
        json!({
            "statusTime": self.status_at_s,
            "gpsPosition": position(&self.position),
            "chargingStatus": self.charge.rvs(),
        })
        .to_string()
    }

    /// As `/vehicle/charging/mgmtData` of the other regions has it, for
    /// [`ChargingData::from_json`](crate::ChargingData::from_json). The state is
    /// inferred from "charging" and "cable connected"; whether the current is AC
    /// or DC is not known.
    #[must_use]
    pub fn to_data_json(&self) -> String {
        let state = match (self.charge.charging, self.charge.cable_connected) {
            (true, _) => CHARGING,
            (false, true) => NOT_CHARGING,
            (false, false) => UNPLUGGED,
        };
        json!({
            "chrgMgmtData": {
                "bmsPackSOCDsp": self.charge.soc_deci_percent,
                "bmsPackCrnt": self.charge.current_raw,
                "bmsPackVol": self.charge.voltage_raw,
                "bmsChrgSts": state,
                "chrgngRmnngTime": self.charge.minutes_left,
            },
            "rvsChargeStatus": self.charge.rvs(),
        })
        .to_string()
    }
}

impl Charge {
    fn rvs(&self) -> Value {
        json!({
            "realtimePower": self.energy_raw,
            "powerLevelPrc": self.soc_deci_percent,
            "chargingState": self.charging,
            "chargingGunState": self.cable_connected,
            "fuelRangeElec": self.range_deci_km,
            "chargingType": self.charging_type_raw,
            "chargingTimeLevelPrc": self.minutes_left.filter(|minutes| *minutes != u16::MAX),
            "startTime": self.started_at_s,
            "endTime": self.ended_at_s,
            "chargingCurrent": self.current_raw,
            "chargingVoltage": self.voltage_raw,
            "chargingPileID": self.charger_id,
            "chargingPileSupplier": self.charger_supplier,
            "workingCurrent": self.working_current_raw,
            // Counts in 2.5 V here and in 0.25 V there.
            "workingVoltage": self.working_voltage_raw.map(|raw| u32::from(raw) * 10),
            "mileageSinceLastCharge": self.distance_since_charge_deci_km,
            "powerUsageSinceLastCharge": self.energy_used_since_charge_raw,
            "mileageOfDay": self.distance_today_deci_km,
            "powerUsageOfDay": self.energy_used_today_raw,
            "staticEnergyConsumption": self.static_consumption_raw,
            "chargingElectricityPhase": self.phase_raw,
            "chargingDuration": self.duration_s,
            "lastChargeEndingPower": self.energy_after_last_charge_raw,
            "totalBatteryCapacity": self.capacity_raw,
            "fotaLowestVoltage": self.fota_lowest_voltage_raw,
            "mileage": self.odometer_deci_km,
            "extendedData1": self.extended_1,
            "extendedData2": self.extended_2,
            "extendedData3": self.extended_3,
            "extendedData4": self.extended_4,
        })
    }
}

fn position(position: &Position) -> Value {
    let way = &position.way_point;
    json!({
        "gpsStatus": position.fix,
        "timeStamp": position.at_s,
        "wayPoint": {
            "heading": way.heading_deg,
            "speed": way.speed_deci_kmh,
            "hdop": way.hdop_raw,
            "satellites": way.satellites,
            "position": {
                "latitude": way.coordinates.latitude_micro_deg,
                "longitude": way.coordinates.longitude_micro_deg,
                "altitude": way.coordinates.altitude_m,
            },
        },
    })
}

fn basic(basic: &BasicStatus) -> Value {
    let tyre = |raw: Option<u8>| {
        let known = raw.filter(|raw| (1..=254).contains(raw));
        known.map(|raw| (f64::from(raw) * TYRE_FACTOR).round())
    };
    json!({
        "driverDoor": basic.driver_door_open,
        "passengerDoor": basic.passenger_door_open,
        "rearLeftDoor": basic.rear_left_door_open,
        "rearRightDoor": basic.rear_right_door_open,
        "bootStatus": basic.boot_open,
        "bonnetStatus": basic.bonnet_open,
        "lockStatus": basic.locked,
        "driverWindow": basic.driver_window(),
        "passengerWindow": basic.passenger_window_open,
        "rearLeftWindow": basic.rear_left_window_open,
        "rearRightWindow": basic.rear_right_window_open,
        "sunroofStatus": basic.sunroof_open,
        "frontRightTyrePressure": tyre(basic.tyre_front_right),
        "frontLeftTyrePressure": tyre(basic.tyre_front_left),
        "rearRightTyrePressure": tyre(basic.tyre_rear_right),
        "rearLeftTyrePressure": tyre(basic.tyre_rear_left),
        "wheelTyreMonitorStatus": basic.tyre_monitor,
        "sideLightStatus": basic.side_light_on,
        "dippedBeamStatus": basic.dipped_beam_on,
        "mainBeamStatus": basic.main_beam_on,
        "vehicleAlarmStatus": basic.alarm_status,
        "engineStatus": basic.engine_status,
        "powerMode": basic.power_mode,
        "lastKeySeen": basic.last_key_seen,
        "currentJourneyDistance": basic.journey_distance_deci_km,
        "currentJourneyId": basic.journey_id,
        "interiorTemperature": basic.interior_temperature_c,
        "exteriorTemperature": basic.exterior_temperature_c,
        "fuelLevelPrc": basic.fuel_percent,
        "fuelRange": basic.range_deci_km,
        "remoteClimateStatus": basic.climate,
        "frontLeftSeatHeatLevel": basic.seat_heating_front_left,
        "frontRightSeatHeatLevel": basic.seat_heating_front_right,
        "canBusActive": basic.can_bus_active,
        "timeOfLastCANBUSActivity": basic.last_can_activity_s,
        "clstrDspdFuelLvlSgmt": basic.fuel_gauge_bars,
        "mileage": basic.odometer_deci_km,
        "batteryVoltage": basic.aux_battery_voltage_deci_v,
        "extendedData1": basic.extended_1,
        "extendedData2": basic.extended_2,
        "handBrake": basic.hand_brake,
    })
}
