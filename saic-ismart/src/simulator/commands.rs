//! What cars do when told to, and what they refuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::car::Car;
use super::report;

/// A refusal with the number that its message ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    PoweredOn,
    NotLocked,
    Failed,
    TooFrequent,
    CheckVehicle,
}

impl Rejected {
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::PoweredOn => "The vehicle power is not off, please switch it off first.(1)",
            Self::NotLocked => "Please lock the vehicle and switch it off first.(2)",
            Self::Failed => "The operation failed.(33)",
            Self::TooFrequent => {
                "Too many remote operations, please start the vehicle with its key.(71)"
            }
            Self::CheckVehicle => "Please check the vehicle status.(255)",
        }
    }
}

/// Carries out `/vehicle/control`.
pub(super) fn control(car: &mut Car, body: &Value, now_s: u64) -> Result<Value, Rejected> {
    let kind: u32 = body["rvcReqType"]
        .as_str()
        .and_then(|kind| kind.parse().ok())
        .ok_or(Rejected::Failed)?;
    let params = params(body);
    let value = |id: u64| {
        params
            .iter()
            .find(|param| param.0 == id)
            .map(|param| param.1)
    };
    let on = |id: u64| value(id) == Some(1);
    if matches!(kind, 1..=3) && car.is_driving() {
        return Err(Rejected::PoweredOn);
    }
    if matches!(kind, 0 | 5 | 6 | 8 | 32) {
        if car.is_driving() {
            return Err(Rejected::PoweredOn);
        }
        if !car.locked {
            return Err(Rejected::NotLocked);
        }
    }
    // A climate start counts twice.
    let starts_climate = kind == 6 && value(19) != Some(0);
    let cost = if starts_climate { 2 } else { 1 };
    if let Some(allowance) = car.config.command_allowance
        && car.commands_since_drive + cost > allowance
    {
        return Err(Rejected::TooFrequent);
    }
    match kind {
        0 => car.horn_or_lights = on(1),
        1 => car.locked = true,
        2 if value(7) == Some(2) => car.boot_open = true,
        2 => car.locked = false,
        3 => windows(car, &value)?,
        5 => seats(car, &value)?,
        6 => climate(car, &value)?,
        7 => {}
        8 => car.steering_wheel = on(24),
        32 => car.rear_window = on(23),
        _ => return Err(Rejected::Failed),
    }
    car.commands_since_drive += cost;
    Ok(json!({
        "rvcReqType": BASE64.encode([kind as u8]),
        "rvcReqSts": BASE64.encode([1]),
        "failureType": 0,
        "basicVehicleStatus": report::basic(car, now_s),
        "gpsPosition": report::position(car, now_s),
    }))
}

/// Numbers and first bytes of the parameters.
fn params(body: &Value) -> Vec<(u64, u8)> {
    let list = body["rvcParams"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter()
        .filter_map(|param| {
            let id = param["paramId"].as_u64()?;
            let bytes = BASE64.decode(param["paramValue"].as_str()?).ok()?;
            Some((id, *bytes.first()?))
        })
        .collect()
}

fn windows(car: &mut Car, value: &dyn Fn(u64) -> Option<u8>) -> Result<(), Rejected> {
    let open = match value(13) {
        Some(0) => false,
        Some(1..=3) => true,
        _ => return Err(Rejected::Failed),
    };
    for (id, pane) in [(9, 0), (10, 1), (11, 2), (12, 3), (8, 4)] {
        if value(id) == Some(1) {
            car.panes_open[pane] = open;
        }
    }
    Ok(())
}

fn seats(car: &mut Car, value: &dyn Fn(u64) -> Option<u8>) -> Result<(), Rejected> {
    for (id, seat) in [(17, 0), (18, 1), (25, 2), (26, 3)] {
        match value(id) {
            Some(level @ 0..=3) => car.seats[seat] = level,
            Some(_) => return Err(Rejected::Failed),
            None => {}
        }
    }
    Ok(())
}

fn climate(car: &mut Car, value: &dyn Fn(u64) -> Option<u8>) -> Result<(), Rejected> {
    let target_c = value(20)
        .filter(|index| *index > 0)
        .map(|index| f64::from(index) + 14.0);
    match value(19) {
        Some(0) => car.climate = 0,
        // The front defroster is refused while the air conditioner runs.
        Some(5) if matches!(car.climate, 2..=4) => return Err(Rejected::CheckVehicle),
        Some(mode @ 1..=5) => car.start_climate(mode, target_c),
        _ => return Err(Rejected::Failed),
    }
    Ok(())
}

/// Carries out `/vehicle/charging/control`.
pub(super) fn charge_control(car: &mut Car, body: &Value) -> Result<Value, Rejected> {
    let plugged = car.is_plugged_ac() || car.is_plugged_dc();
    let wanted = |name: &str| body[name].as_u64().unwrap_or(0);
    match wanted("chrgCtrlReq") {
        0 => {}
        1 if plugged => car.charging_stopped = false,
        2 => car.charging_stopped = true,
        _ => return Err(Rejected::CheckVehicle),
    }
    match wanted("tboxEleccLckCtrlReq") {
        0 => {}
        1 => car.cable_locked = true,
        2 => car.cable_locked = false,
        _ => return Err(Rejected::Failed),
    }
    match wanted("tboxV2XReq") {
        0 => {}
        1 if plugged => car.v2x = true,
        2 => car.v2x = false,
        _ => return Err(Rejected::CheckVehicle),
    }
    let mut answer = report::management(car);
    answer["chrgCtrlDspCmd"] = json!(wanted("chrgCtrlReq"));
    answer["chrgCtrlResp"] = json!(0);
    answer["bmsDsChrgCtrlDspCmd"] = json!(wanted("tboxV2XReq"));
    answer["bmsDsChrgCtrlResp"] = json!(0);
    answer["ccuEleccLckCtrlResp"] = json!(0);
    answer["rvcReqSts"] = json!("AQ==");
    Ok(answer)
}

/// Carries out `/vehicle/charging/setting`.
pub(super) fn charge_setting(car: &mut Car, body: &Value) -> Result<Value, Rejected> {
    let wanted = |name: &str, highest: u8| {
        let code = body[name].as_u64().unwrap_or(0);
        u8::try_from(code)
            .ok()
            .filter(|code| *code <= highest)
            .ok_or(Rejected::Failed)
    };
    let limit = wanted("altngChrgCrntReq", 4)?;
    let target = wanted("onBdChrgTrgtSOCReq", 7)?;
    let floor = wanted("tboxV2XSpSOCReq", 7)?;
    for (setting, code) in [
        (&mut car.limit_code, limit),
        (&mut car.target_code, target),
        (&mut car.v2x_floor_code, floor),
    ] {
        if code > 0 {
            *setting = code;
        }
    }
    let charging = report::management(car);
    Ok(json!({
        "bmsOnBdChrgTrgtSOCDspCmd": car.target_code, "bmsChrgTrgtSOCResp": 0,
        "bmsAltngChrgCrntDspCmd": car.limit_code, "bmsAltngChrgCrntResp": 0,
        "imcuDschrgTrgtSOCDspCmd": car.v2x_floor_code, "imcuDschrgTrgtSOCResp": 0,
        "bmsEstdElecRng": charging["bmsEstdElecRng"], "bmsPackCrnt": charging["bmsPackCrnt"],
        "rvcReqSts": "AQ==",
    }))
}

/// Carries out `/vehicle/charging/reservation`.
pub(super) fn reservation(car: &mut Car, body: &Value) -> Result<Value, Rejected> {
    let wanted = |name: &str, below: u8| {
        let number = body[name]
            .as_u64()
            .and_then(|number| u8::try_from(number).ok());
        number
            .filter(|number| *number < below)
            .ok_or(Rejected::Failed)
    };
    let mode = wanted("tboxReserCtrlReq", 4)?;
    car.schedule = [
        mode,
        wanted("rsvanStHour", 24)?,
        wanted("rsvanStMintue", 60)?,
        wanted("rsvanSpHour", 24)?,
        wanted("rsvanSpMintue", 60)?,
    ];
    let [mode, start_h, start_min, end_h, end_min] = car.schedule;
    Ok(json!({
        "bmsReserCtrlDspCmd": mode,
        "bmsReserStHourDspCmd": start_h, "bmsReserStMintueDspCmd": start_min,
        "bmsReserSpHourDspCmd": end_h, "bmsReserSpMintueDspCmd": end_min,
        "bmsAdpPubChrgSttnDspCmd": 1, "bmsReserChrgCtrlResp": 0, "rvcReqSts": "AQ==",
    }))
}

/// Carries out `/vehicle/charging/ptcHeat`.
pub(super) fn heat(car: &mut Car, body: &Value) -> Result<Value, Rejected> {
    car.battery_heating = match body["ptcHeatReq"].as_u64() {
        Some(1) => true,
        Some(2) => false,
        _ => return Err(Rejected::Failed),
    };
    let request = if car.battery_heating { 1 } else { 2 };
    Ok(json!({ "ptcHeatReqDspCmd": request, "ptcHeatResp": 0, "rvcReqSts": "AQ==" }))
}
