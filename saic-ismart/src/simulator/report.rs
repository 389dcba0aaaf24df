//! What a car tells the cloud, in the numbers of the cloud.

use serde_json::{Value, json};

use super::car::Car;

/// What the telematics box puts into fields that it does not report.
const NOT_REPORTED: i64 = -128;

/// `statusTime`, position, state and alerts (`/vehicle/status`).
pub(super) fn status(car: &Car, now_s: u64) -> Value {
    json!({
        "statusTime": now_s,
        "gpsPosition": position(car, now_s),
        "basicVehicleStatus": basic(car, now_s),
        "extendedVehicleStatus": { "alertDataSum": [] },
    })
}

/// The shorter form that the cloud keeps (`/vehicle/status/cache`).
pub(super) fn cached(car: &Car, now_s: u64) -> Value {
    const KEPT: [&str; 19] = [
        "bonnetStatus",
        "bootStatus",
        "lockStatus",
        "passengerWindow",
        "rearLeftWindow",
        "rearRightWindow",
        "frontLeftTyrePressure",
        "frontRightTyrePressure",
        "rearLeftTyrePressure",
        "rearRightTyrePressure",
        "extendedData1",
        "extendedData2",
        "fuelRangeElec",
        "fuelLevelPrc",
        "mileage",
        "engineStatus",
        "remoteClimateStatus",
        "rmtHtdRrWndSt",
        "sunroofStatus",
    ];
    let mut status = basic(car, now_s);
    if let Some(fields) = status.as_object_mut() {
        fields.retain(|name, _| KEPT.contains(&name.as_str()));
    }
    json!({
        "statusTime": now_s,
        "onlineStatus": 1,
        "gpsPosition": { "wayPoint": { "position": place(car) } },
        "basicVehicleStatus": status,
    })
}

pub(super) fn position(car: &Car, now_s: u64) -> Value {
    json!({
        "gpsStatus": 3,
        "timeStamp": now_s,
        "wayPoint": {
            "heading": whole(car.heading_deg) % 360,
            "speed": tenths(car.speed_kmh),
            "hdop": 8,
            "satellites": 11,
            "position": place(car),
        },
    })
}

fn place(car: &Car) -> Value {
    json!({
        "latitude": whole(car.place_deg.0 * 1e6),
        "longitude": whole(car.place_deg.1 * 1e6),
        "altitude": 34,
    })
}

pub(super) fn basic(car: &Car, now_s: u64) -> Value {
    let driving = car.is_driving();
    let range = if car.config.has_plug {
        tenths(car.range_km())
    } else {
        0
    };
    let open = |pane: usize| i64::from(car.panes_open[pane]);
    // A macro call of this size is beyond the recursion limit of `json!`.
    let mut fields = json!({
        "mileage": tenths(car.odometer_km),
        "fuelRangeElec": range,
        "fuelRange": if car.config.has_plug { range } else { 4_120 },
        "fuelLevelPrc": if car.config.has_plug { 0 } else { 63 },
        "extendedData1": whole(car.soc_percent()),
        "extendedData2": i64::from(car.is_charging()),
        "batteryVoltage": tenths(car.aux_v),
        "interiorTemperature": whole(car.interior_c),
        "exteriorTemperature": whole(car.exterior_c),
        "frontLeftTyrePressure": 65, "frontRightTyrePressure": 64,
        "rearLeftTyrePressure": 66, "rearRightTyrePressure": 63,
        "rearLeftOSTyrePressure": NOT_REPORTED, "rearRightOSTyrePressure": NOT_REPORTED,
        "wheelTyreMonitorStatus": 0,
    });
    let more = json!({
        "driverDoor": 0, "passengerDoor": 0, "rearLeftDoor": 0, "rearRightDoor": 0,
        "bootStatus": i64::from(car.boot_open), "bonnetStatus": 0,
        "driverWindow": open(0), "passengerWindow": open(1),
        "rearLeftWindow": open(2), "rearRightWindow": open(3), "sunroofStatus": open(4),
        "lockStatus": i64::from(car.locked),
        "engineStatus": i64::from(driving),
        "powerMode": if driving { 2 } else { 0 },
        "handBrake": i64::from(!driving),
        "canBusActive": i64::from(!car.is_asleep()),
        "timeOfLastCANBUSActivity": now_s,
        "currentJourneyId": car.journey,
        "currentJourneyDistance": tenths(car.journey_km),
    });
    let rest = json!({
        "remoteClimateStatus": car.climate,
        "rmtHtdRrWndSt": i64::from(car.rear_window),
        "frontLeftSeatHeatLevel": car.seats[0], "frontRightSeatHeatLevel": car.seats[1],
        "secondRowLeftSeatHeatLevel": car.seats[2], "secondRowRightSeatHeatLevel": car.seats[3],
        "steeringHeatLevel": i64::from(car.steering_wheel), "steeringWheelHeatFailureReason": 0,
        "dippedBeamStatus": i64::from(driving || car.horn_or_lights),
        "mainBeamStatus": 0, "sideLightStatus": i64::from(driving),
        "lastKeySeen": 4_242, "vehicleAlarmStatus": if car.locked { 2 } else { 0 },
        "clstrDspdFuelLvlSgmt": 0, "vehElecRngDsp": 0,
    });
    merge(&mut fields, more);
    merge(&mut fields, rest);
    fields
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// `chrgMgmtData` and `rvsChargeStatus` (`/vehicle/charging/mgmtData`).
pub(super) fn charging(car: &Car) -> Value {
    json!({ "chrgMgmtData": management(car), "rvsChargeStatus": rvs(car) })
}

/// `/vehicle/charging/status`.
pub(super) fn charging_status(car: &Car, now_s: u64) -> Value {
    json!({
        "chargingStatus": rvs(car),
        "gpsPosition": position(car, now_s),
        "statusTime": now_s,
    })
}

fn pack_v(car: &Car) -> f64 {
    340.0 + car.soc_percent() * 0.7
}

fn current_raw(car: &Car) -> i64 {
    20_000 - whole(car.power_kw * 1_000.0 / pack_v(car) * 20.0)
}

fn state(car: &Car) -> i64 {
    let plugged = car.is_plugged_ac() || car.is_plugged_dc();
    if car.v2x {
        13
    } else if !plugged {
        0
    } else if car.charging_stopped {
        8
    } else if !car.is_charging() {
        2
    } else if car.is_plugged_dc() {
        10
    } else {
        1
    }
}

/// `chrgMgmtData`.
pub(super) fn management(car: &Car) -> Value {
    let remaining = car
        .minutes_to_target()
        .map_or(1_023, |minutes| whole(minutes).min(1_022));
    let range = whole(car.range_km());
    let full_km = car.range_km() / car.soc_percent().max(1.0) * car.target_percent();
    let mut fields = json!({
        "bmsPackSOCDsp": tenths(car.soc_percent()),
        "bmsPackCrnt": current_raw(car), "bmsPackCrntV": 0,
        "bmsPackVol": whole(pack_v(car) * 4.0),
        "bmsChrgSts": state(car), "bmsChrgSpRsn": 0, "bmsDsChrgSpRsn": 0,
        "bmsEstdElecRng": whole(full_km).min(2_045),
        "clstrElecRngToEPT": range,
        "imcuVehElecRng": range, "imcuVehElecRngV": 0,
        "imcuChrgngEstdElecRng": if car.is_charging() { whole(full_km) } else { 0 },
        "imcuChrgngEstdElecRngV": 0,
        "imcuDschrgngEstdElecRng": 118, "imcuDschrgngEstdElecRngV": 0,
        "chrgngRmnngTime": remaining, "chrgngRmnngTimeV": i64::from(remaining == 1_023),
        "chrgngSpdngTime": 0, "chrgngSpdngTimeV": 0,
        "chrgngAddedElecRng": 0, "chrgngAddedElecRngV": 0,
        "disChrgngRmnngTime": 1_023, "disChrgngRmnngTimeV": 1,
    });
    let [mode, start_h, start_min, end_h, end_min] = car.schedule;
    let volts = if car.grid_kw > 0.0 { 230.0 } else { 0.0 };
    let amperes = if car.grid_kw > 0.0 {
        car.grid_kw * 1_000.0 / volts
    } else {
        0.0
    };
    let more = json!({
        "bmsOnBdChrgTrgtSOCDspCmd": car.target_code,
        "bmsAltngChrgCrntDspCmd": car.limit_code,
        "bmsChrgCtrlDspCmd": if car.charging_stopped { 2 } else { 1 },
        "bmsReserCtrlDspCmd": mode,
        "bmsReserStHourDspCmd": start_h, "bmsReserStMintueDspCmd": start_min,
        "bmsReserSpHourDspCmd": end_h, "bmsReserSpMintueDspCmd": end_min,
        "bmsAdpPubChrgSttnDspCmd": 0,
        "bmsPTCHeatReqDspCmd": if car.battery_heating { 1 } else { 2 },
        "bmsPTCHeatResp": 0, "bmsPTCHeatSpRsn": 0,
        "ccuEleccLckCtrlDspCmd": i64::from(car.cable_locked && (car.is_plugged_ac() || car.is_plugged_dc())),
        "ccuOnbdChrgrPlugOn": i64::from(car.is_plugged_ac()),
        "ccuOffBdChrgrPlugOn": i64::from(car.is_plugged_dc()),
        "chrgngDoorPosSts": i64::from(car.is_plugged_ac() || car.is_plugged_dc()),
        "chrgngDoorOpenCnd": 0,
        "onBdChrgrAltrCrntInptCrnt": whole(amperes * 5.0),
        "onBdChrgrAltrCrntInptVol": whole(volts / 2.0),
        "bmsChrgOtptCrntReq": 1_023, "bmsChrgOtptCrntReqV": 1,
    });
    merge(&mut fields, more);
    fields
}

fn rvs(car: &Car) -> Value {
    let plugged = car.is_plugged_ac() || car.is_plugged_dc();
    // The car counts energy in the measure of the pack that it believes in.
    let measure = car.config.reported_kwh / car.config.battery_kwh.max(0.1);
    let duration = car.charge_ended_s.saturating_sub(car.charge_started_s);
    json!({
        "chargingGunState": i64::from(plugged),
        "chargingType": if car.is_plugged_dc() { 5 } else if plugged { 6 } else { 0 },
        "fuelRangeElec": tenths(car.range_km()),
        "mileage": tenths(car.odometer_km),
        "mileageOfDay": tenths(car.journey_km),
        "mileageSinceLastCharge": tenths(car.since_charge_km),
        "realtimePower": tenths(car.energy_kwh * measure),
        "lastChargeEndingPower": tenths(car.last_charge_kwh * measure),
        "powerUsageOfDay": tenths(car.since_charge_kwh * measure),
        "powerUsageSinceLastCharge": tenths(car.since_charge_kwh * measure),
        "totalBatteryCapacity": tenths(car.config.reported_kwh),
        "workingCurrent": current_raw(car),
        "workingVoltage": whole(pack_v(car) * 4.0),
        "startTime": car.charge_started_s,
        "endTime": car.charge_ended_s,
        "chargingDuration": duration,
        "chargingElectricityPhase": 0, "chargingPileID": "", "chargingPileSupplier": "",
        "fotaLowestVoltage": 0, "staticEnergyConsumption": 0,
    })
}

fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn tenths(value: f64) -> i64 {
    whole(value * 10.0)
}
