//! Commands: what a topic and its payload ask for. Judged before anything is
//! sent; what does not fit a car never reaches it.

use saic_ismart::vehicle::{Command as CarCommand, Seat, Seats, WindowAction};
use saic_ismart::{
    ChargeCommand, ChargeSchedule, Climate, CurrentLimit, Profile, ScheduleMode, SeatHeating,
    TargetSoc,
};
use serde_json::{Map, Value};

use super::extra::Extra;
use super::refresh::{Mode, Period};

/// What somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The mode of polling.
    Mode(Mode),
    /// A period of polling, s.
    Period(Period, u32),
    /// Whether the car is asked rarely, because its owner is away.
    Holiday(bool),
    /// What the battery holds, kWh; nothing for what the series says.
    Capacity(Option<f64>),
    /// Whether something draws from the traction battery.
    HvActive(bool),
    /// Start or stop charging, lock or unlock the cable.
    Charge(ChargeCommand),
    /// Where charging stops.
    TargetSoc(TargetSoc),
    /// Limit of the AC current.
    CurrentLimit(CurrentLimit),
    /// When to charge.
    ChargingSchedule(ChargeSchedule),
    /// Heat the battery now.
    BatteryHeating(bool),
    /// When to heat it: hour and minute, and whether at all.
    BatteryHeatingSchedule {
        /// At all.
        on: bool,
        /// Hour and minute.
        start: (u8, u8),
    },
    /// The temperature of the climate, °C.
    Temperature(u8),
    /// The climate.
    Climate(ClimateWish),
    /// The level of a seat in front.
    Seat(Side, u8),
    /// What the original does not know; not every car has it.
    Extra(Extra),
    /// Anything that goes to the car as it is.
    Car(CarCommand),
    /// Done by doing nothing: there is no such command.
    Nothing,
}

/// What the climate shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClimateWish {
    /// Run at the temperature that is set.
    On,
    /// Stop.
    Off,
    /// Clear the windscreen.
    Front,
    /// Blow without cooling.
    BlowingOnly,
}

/// A seat in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// Longest payload of a command.
const LONGEST: usize = 1024;

impl Command {
    /// What `payload` on the command topic `name` means for a car.
    ///
    /// # Errors
    /// The reason, for the result.
    pub fn parse(name: &str, payload: &[u8], profile: &Profile) -> Result<Self, String> {
        let text = std::str::from_utf8(payload)
            .ok()
            .filter(|text| text.len() <= LONGEST);
        let text = text.ok_or("The payload is no text, or too long")?.trim();
        let boolean = || boolean(text).ok_or_else(|| unsupported(text));
        if let Some(period) = name.strip_prefix("refresh/period/") {
            let period = Period::ALL.into_iter().find(|one| one.name() == period);
            return Ok(Self::Period(
                period.ok_or_else(|| no_such(name))?,
                period_s(period, text)?,
            ));
        }
        Ok(match name {
            "refresh/mode" => Self::Mode(Mode::parse(text).ok_or_else(|| unsupported(text))?),
            "refresh/holiday" => Self::Holiday(boolean()?),
            "drivetrain/totalBatteryCapacity" => Self::Capacity(capacity_kwh(text)?),
            "drivetrain/hvBatteryActive" => Self::HvActive(boolean()?),
            "drivetrain/charging" => Self::Charge(match boolean()? {
                true => ChargeCommand::Start,
                false => ChargeCommand::Stop,
            }),
            "drivetrain/chargingCableLock" => Self::Charge(match boolean()? {
                true => ChargeCommand::LockCable,
                false => ChargeCommand::UnlockCable,
            }),
            "drivetrain/socTarget" => Self::TargetSoc(target_soc(text, profile)?),
            "drivetrain/chargeCurrentLimit" => Self::CurrentLimit(
                text.parse::<CurrentLimit>()
                    .ok()
                    .filter(|_| profile.has_current_limit)
                    .ok_or_else(|| {
                        format!("Error setting value for payload {}", shortened(text))
                    })?,
            ),
            "drivetrain/chargingSchedule" => Self::ChargingSchedule(
                charging_schedule(text, profile)
                    .map_err(|why| format!("Error setting charging schedule: {why}"))?,
            ),
            "drivetrain/batteryHeating" => Self::BatteryHeating(boolean()?),
            "drivetrain/batteryHeatingSchedule" => heating_schedule(text)
                .map_err(|why| format!("Error setting battery heating schedule: {why}"))?,
            "doors/boot" => match boolean()? {
                true => Self::Nothing,
                false => Self::Car(CarCommand::OpenTailgate),
            },
            "doors/locked" => Self::Car(match boolean()? {
                true => CarCommand::Lock,
                false => CarCommand::Unlock,
            }),
            "climate/remoteTemperature" => {
                Self::Temperature(temperature_c(text, profile).ok_or_else(|| {
                    format!("Error setting temperature target: {}", shortened(text))
                })?)
            }
            "climate/remoteClimateState" => {
                Self::Climate(climate(text).ok_or_else(|| unsupported(text))?)
            }
            "climate/heatedSeatsFrontLeftLevel" => seat(Side::Left, text, profile)?,
            "climate/heatedSeatsFrontRightLevel" => seat(Side::Right, text, profile)?,
            "climate/rearWindowDefrosterHeating" => {
                Self::Car(CarCommand::RearWindowHeating { on: boolean()? })
            }
            "climate/frontWindowDefrosterHeating" => Self::Climate(match boolean()? {
                true => ClimateWish::Front,
                false => ClimateWish::Off,
            }),
            "windows/sunRoof" => Self::Extra(Extra::Sunroof { open: boolean()? }),
            "windows/all" => Self::Extra(Extra::Windows(
                windows(text).ok_or_else(|| unsupported(text))?,
            )),
            "climate/heatedSeatsRearLeftLevel" => rear_seat(Seat::RearLeft, text)?,
            "climate/heatedSeatsRearRightLevel" => rear_seat(Seat::RearRight, text)?,
            "climate/heatedSteeringWheel" => Self::Extra(Extra::SteeringWheel { on: boolean()? }),
            "location/findMyCar" => Self::Car(find_my_car(text).ok_or_else(|| unsupported(text))?),
            _ => return Err(no_such(name)),
        })
    }

    /// Whether it concerns the gateway alone.
    pub fn is_setting(&self) -> bool {
        matches!(
            self,
            Self::Mode(_)
                | Self::Period(..)
                | Self::Holiday(_)
                | Self::Capacity(_)
                | Self::HvActive(_)
        )
    }

    /// Whether a retained one counts: it is a setting that somebody left on the
    /// broker, not a wish of the moment.
    pub fn may_be_retained(&self) -> bool {
        match self {
            Self::Mode(mode) => !mode.is_single(),
            Self::Period(..) | Self::Holiday(_) | Self::Capacity(_) => true,
            _ => false,
        }
    }

    /// Whether the car is asked after it.
    pub fn is_followed_by_poll(&self) -> bool {
        !matches!(
            self,
            Self::Mode(_) | Self::Period(..) | Self::Holiday(_) | Self::Capacity(_)
        )
    }
}

/// What the climate is told.
///
/// # Errors
/// If the car has no such temperature.
pub fn climate_order(
    wish: ClimateWish,
    temperature_c: u8,
    profile: &Profile,
) -> Result<Climate, String> {
    Ok(match wish {
        ClimateWish::On => profile
            .climate_start(temperature_c)
            .map_err(|error| error.to_string())?,
        ClimateWish::Off => Climate::Stop,
        ClimateWish::Front => Climate::FrontDefrost,
        ClimateWish::BlowingOnly => Climate::BlowOnly,
    })
}

/// The highest level of the seats in front; 0 if they are not heated.
pub fn highest_level(profile: &Profile) -> u8 {
    match profile.seat_heating {
        SeatHeating::None => 0,
        SeatHeating::Levels => 3,
        SeatHeating::OnOff => 1,
    }
}

/// Both seats, one of them at a new level.
pub fn seats(side: Side, level: u8, known: (u8, u8)) -> Seats {
    match side {
        Side::Left => Seats::Front {
            left: level,
            right: known.1,
        },
        Side::Right => Seats::Front {
            left: known.0,
            right: level,
        },
    }
}

/// A command topic below the prefix of all cars: the VIN and the name.
pub fn topic<'t>(topic: &'t str, vehicles: &str) -> Option<(&'t str, &'t str)> {
    let rest = topic.strip_prefix(vehicles)?.strip_prefix('/')?;
    let (vin, command) = rest.split_once('/')?;
    Some((vin, command.strip_suffix("/set")?))
}

fn unsupported(text: &str) -> String {
    format!("Unsupported payload {}", shortened(text))
}

fn no_such(name: &str) -> String {
    format!("Unsupported topic {}/set", shortened(name))
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(SHOWN).collect()
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number, perhaps written with a fraction of nothing.
fn whole(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number.fract() == 0.0).then_some(number)
}

/// Seconds that a period can have. Home Assistant is offered less.
const LONGEST_PERIOD_S: u32 = 2_592_000;
const SHORTEST_PERIOD_S: u32 = 5;

/// −1 brings the default back, as in the original, which takes other nonsense, too.
fn period_s(period: Option<Period>, text: &str) -> Result<u32, String> {
    let (Some(period), Some(seconds)) = (period, whole(text)) else {
        return Err(format!(
            "Error setting value for payload {}",
            shortened(text)
        ));
    };
    if seconds == -1.0 {
        return Ok(super::refresh::Periods::default().get(period));
    }
    let low = match period {
        // A car that was shut down is then parked at once.
        Period::InactiveGrace | Period::AfterShutdown => 0,
        Period::Active | Period::Inactive => SHORTEST_PERIOD_S,
    };
    let high = LONGEST_PERIOD_S;
    match (f64::from(low)..=f64::from(high)).contains(&seconds) {
        true => Ok(seconds as u32),
        false => Err(format!(
            "Error setting value for payload {}: from {low} to {high} seconds",
            shortened(text)
        )),
    }
}

fn capacity_kwh(text: &str) -> Result<Option<f64>, String> {
    let kwh: Option<f64> = text.parse().ok().filter(|kwh| (0.0..=1000.0).contains(kwh));
    let kwh = kwh.ok_or_else(|| format!("Error setting battery capacity: {}", shortened(text)))?;
    Ok((kwh > 0.0).then_some(kwh))
}

fn target_soc(text: &str, profile: &Profile) -> Result<TargetSoc, String> {
    let percent = whole(text).filter(|percent| (0.0..=100.0).contains(percent));
    let step = percent.and_then(|percent| TargetSoc::from_percent(percent as u8));
    let step = step.ok_or_else(|| {
        format!(
            "Error setting SoC target: Unknown target battery percentage: {}",
            shortened(text)
        )
    })?;
    match profile.has_target_soc {
        true => Ok(step),
        false => Err("Error setting SoC target: this car has none".to_owned()),
    }
}

/// Clamped to what the car can do; half a degree is rounded.
fn temperature_c(text: &str, profile: &Profile) -> Option<u8> {
    let wanted: f64 = text
        .parse()
        .ok()
        .filter(|wanted: &f64| wanted.is_finite())?;
    let (lowest, highest) = profile.temperatures_c;
    Some(wanted.round().clamp(lowest.into(), highest.into()) as u8)
}

fn climate(text: &str) -> Option<ClimateWish> {
    Some(match text.to_ascii_lowercase().as_str() {
        "on" => ClimateWish::On,
        "off" => ClimateWish::Off,
        "front" => ClimateWish::Front,
        "blowingonly" => ClimateWish::BlowingOnly,
        _ => return None,
    })
}

fn seat(side: Side, text: &str, profile: &Profile) -> Result<Command, String> {
    let wrong = |why: String| format!("Error setting heated seats: {why}");
    let highest = highest_level(profile);
    if highest == 0 {
        return Ok(Command::Nothing);
    }
    let level = whole(text).ok_or_else(|| wrong(unsupported(text)))?;
    match (0.0..=f64::from(highest)).contains(&level) {
        true => Ok(Command::Seat(side, level as u8)),
        false => Err(wrong(format!(
            "Invalid heated seat level {}. Range must be from 0 to {highest} inclusive",
            shortened(text)
        ))),
    }
}

/// Seats behind are on or off; on is 3, as the car says it.
fn rear_seat(seat: Seat, text: &str) -> Result<Command, String> {
    let on = match whole(text) {
        Some(0.0) => false,
        Some(3.0) => true,
        _ => {
            return Err(format!(
                "Error setting heated seats: {}. Seats behind know 0 and 3",
                unsupported(text)
            ));
        }
    };
    Ok(Command::Extra(Extra::RearSeat { seat, on }))
}

fn windows(text: &str) -> Option<WindowAction> {
    Some(match text.to_ascii_lowercase().as_str() {
        "open" => WindowAction::Open,
        "ventilate" => WindowAction::Ventilate,
        "close" => WindowAction::Close,
        _ => return None,
    })
}

fn find_my_car(text: &str) -> Option<CarCommand> {
    let find = |horn, lights| CarCommand::Find { horn, lights };
    Some(match text.to_ascii_lowercase().as_str() {
        "activate" => find(true, true),
        "lights_only" => find(false, true),
        "horn_only" => find(true, false),
        "stop" => CarCommand::StopFinding,
        _ => return None,
    })
}

fn charging_schedule(text: &str, profile: &Profile) -> Result<ChargeSchedule, String> {
    let object = object(text)?;
    let mode = string(&object, "mode")?.to_ascii_uppercase();
    let mode = match mode.as_str() {
        "DISABLED" => ScheduleMode::Off,
        "UNTIL_CONFIGURED_TIME" => ScheduleMode::UntilTime,
        "UNTIL_CONFIGURED_SOC" if !profile.has_target_soc => {
            return Err("this car has no target SoC".to_owned());
        }
        "UNTIL_CONFIGURED_SOC" => ScheduleMode::UntilTargetSoc,
        other => return Err(format!("no mode {}", shortened(other))),
    };
    Ok(ChargeSchedule {
        start: clock(string(&object, "startTime")?)?,
        end: clock(string(&object, "endTime")?)?,
        mode,
    })
}

fn heating_schedule(text: &str) -> Result<Command, String> {
    let object = object(text)?;
    let on = string(&object, "mode")?.eq_ignore_ascii_case("on");
    let start = clock(string(&object, "startTime")?)?;
    Ok(Command::BatteryHeatingSchedule { on, start })
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))
}

fn string<'o>(object: &'o Map<String, Value>, key: &str) -> Result<&'o str, String> {
    object
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("`{key}` is missing"))
}

/// `6:00`, `06:00` or `06:00:00`.
fn clock(text: &str) -> Result<(u8, u8), String> {
    let wrong = || format!("`{}` is no time of day", shortened(text));
    let mut parts = text.trim().split(':').map(|part| {
        let digits =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u8>().ok().filter(|_| digits)
    });
    let (hour, minute) = (parts.next().flatten(), parts.next().flatten());
    let seconds = parts.next().unwrap_or(Some(0));
    match (hour, minute, seconds, parts.next()) {
        (Some(hour @ 0..24), Some(minute @ 0..60), Some(0..60), None) => Ok((hour, minute)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
