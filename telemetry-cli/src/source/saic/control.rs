//! What a car can be told.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use saic_ismart::charging::{HeatingScheduleAnswer, ReadHeatingSchedule};
use saic_ismart::vehicle::{Panes, Seat, Seats, WindowAction, Windows};
use saic_ismart::{
    BasicStatus, ChargeCommand, ChargeManagement, ChargeSchedule, ChargeSettings, ChargingData,
    Client, Climate, Command, CurrentLimit, Error, Profile, SeatHeating, TargetSoc, Vehicle,
    VehicleStatus,
};

use super::error::SaicError;
use super::polling::Questions;
use super::schedule;
use super::text::WithText;
use crate::config::SaicAllow;
use crate::control::vehicle::{self, LOWEST_TEMPERATURE_C, SEAT_LEVELS, TEMPERATURES_C};
use crate::control::{Control, Form, Offer, clock};
use crate::native::SaicCar;
use crate::value::Value;
use crate::zone::Zone;

/// What the climate is started at if nobody says; every car takes it.
const COMFORTABLE_C: u8 = 22;

/// Hottest index of an MG4, whose heater has no other.
const HOTTEST: u8 = 19;

/// What the car offers, by its features and by what it reports, and what of it
/// the configuration allows.
pub(super) fn offers(car: &SaicCar, allow: &SaicAllow) -> Vec<Offer> {
    let profile = &car.profile;
    let lacks = |feature| car.info.feature(feature) == Some("0");
    let basic = car.status.as_ref().map(|status| &status.basic);
    let management = car.charging.as_ref().map(|charging| &charging.management);
    let mut offers = Vec::new();
    let mut offer = |control, allowed| offers.push(Offer::new(control, allowed));
    if !lacks("S61") {
        offer(&vehicle::LOCKED, allow.lock);
        offer(&vehicle::LOCK_DOORS, true);
        offer(&vehicle::OPEN_BOOT, allow.open_boot);
        offer(&vehicle::WINDOWS, allow.windows);
        if profile.has_sunroof {
            offer(&vehicle::SUNROOF, allow.sunroof);
        }
        offer(&vehicle::FIND_CAR, true);
        let reports = |level: Option<u8>| level.is_some();
        if basic.is_some_and(|basic| reports(basic.steering_wheel_heating)) {
            offer(&vehicle::STEERING_WHEEL, true);
        }
        if basic.is_some_and(|basic| basic.rear_window_heating.is_some()) {
            offer(&vehicle::REAR_WINDOW, true);
        }
        if basic.is_some_and(|basic| reports(basic.seat_heating_rear_left)) {
            offer(&vehicle::SEAT_REAR_LEFT, true);
            offer(&vehicle::SEAT_REAR_RIGHT, true);
        }
    }
    offer(&vehicle::REFRESH, true);
    if profile.drive.has_plug() {
        offer(&vehicle::START_CHARGING, true);
        offer(&vehicle::STOP_CHARGING, true);
        offer(&vehicle::CABLE_LOCK, allow.cable_lock);
        offer(&vehicle::BATTERY_HEATING, true);
        if profile.has_target_soc {
            offer(&vehicle::TARGET_SOC, true);
        }
        offers.extend([
            Offer::new(&vehicle::CHARGING_SCHEDULE, true).with_extra(schedule::CHARGING),
            Offer::new(&vehicle::HEATING_SCHEDULE, true).with_extra(schedule::HEATING),
        ]);
        let mut offer = |control, allowed| offers.push(Offer::new(control, allowed));
        if profile.has_current_limit {
            offer(&vehicle::CURRENT_LIMIT, true);
        }
        let feeds = management.and_then(|management| management.range_after_discharging_km());
        if feeds.is_some_and(|km| km > 0) {
            offer(&vehicle::V2X, allow.v2x);
            offer(&vehicle::V2X_FLOOR, allow.v2x);
        }
    }
    if !lacks("T11") {
        offers.push(Offer::new(&vehicle::CLIMATE, true));
        let (lowest, highest) = profile.temperatures_c;
        let place = |celsius: u8| usize::from(celsius.saturating_sub(LOWEST_TEMPERATURE_C));
        let own = TEMPERATURES_C.get(place(lowest)..=place(highest));
        let own = Form::Select(Cow::Borrowed(own.unwrap_or(&TEMPERATURES_C)));
        offers.push(Offer::new(&vehicle::CLIMATE_AT, true).with_form(own));
        let modes = Form::Select(Cow::Borrowed(climate_modes(profile)));
        offers.push(Offer::new(&vehicle::CLIMATE_MODE, true).with_form(modes));
    }
    let levels = match profile.seat_heating {
        SeatHeating::None => None,
        SeatHeating::Levels => Some(&SEAT_LEVELS[..]),
        SeatHeating::OnOff => Some(&SEAT_LEVELS[..2]),
    };
    if let Some(levels) = levels {
        for control in [&vehicle::SEAT_FRONT_LEFT, &vehicle::SEAT_FRONT_RIGHT] {
            let form = Form::Select(Cow::Borrowed(levels));
            offers.push(Offer::new(control, true).with_form(form));
        }
    }
    offers
}

fn climate_modes(profile: &Profile) -> &'static [&'static str] {
    let is = |prefixes: &[&str]| {
        let mut prefixes = prefixes.iter();
        prefixes.any(|prefix| profile.series().starts_with(prefix))
    };
    if is(&["ZP22"]) {
        &["off", "on"]
    } else if is(&["EH32"]) {
        &["off", "on", "fan", "defrost", "heat"]
    } else if is(&["IS31P"]) {
        &["off", "on", "fan", "defrost", "max_cool", "heat"]
    } else if is(&["MIS3E", "MZS3E", "P12L", "EP21"]) {
        &["off", "on", "fan", "defrost", "max_cool", "max_heat"]
    } else {
        &["off", "on", "fan", "defrost"]
    }
}

/// A command to a car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    Control(Command),
    Charging(ChargeCommand),
    Settings(ChargeSettings),
    BatteryHeating(bool),
    ChargingSchedule(ChargeSchedule),
    /// Daily at this hour and minute, or not.
    HeatingSchedule(Option<(u8, u8)>),
    /// Nothing but the questions that follow each command.
    Refresh,
}

/// What a car said when it carried out a command.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// JSON text with its state.
    pub(super) status: Option<String>,
    pub(super) management: Option<ChargeManagement>,
    /// The schedule that it has now, with its JSON text.
    pub(super) heating: Option<(HeatingScheduleAnswer, Option<String>)>,
    /// That schedule, if it is another one than it was told.
    pub(super) keeps: Option<String>,
}

/// The state that a car answered a command with, and its JSON text. It comes
/// without its time, mostly: without one, whatever the cloud remembers of
/// earlier would count as newer.
pub(super) fn status_after(text: &str, now: DateTime<Utc>) -> Option<(VehicleStatus, String)> {
    let mut answer: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let timeless = VehicleStatus::from_json(text).ok()?.status_at.is_none();
    if timeless {
        answer.insert("statusTime".to_owned(), now.timestamp().into());
    }
    let text = serde_json::Value::from(answer).to_string();
    let status = VehicleStatus::from_json(&text).ok()?;
    is_state(&status).then_some((status, text))
}

fn is_state(status: &VehicleStatus) -> bool {
    let basic = &status.basic;
    *basic != BasicStatus::default() && !basic.is_placeholder()
}

impl Order {
    /// What `control` asks of the car, and is not impossible for it.
    pub(super) fn of(
        control: &'static Control,
        value: &Value,
        car: &SaicCar,
    ) -> Result<Self, SaicError> {
        let profile = &car.profile;
        let command = |command| Ok(Self::Control(command));
        let charging = |command| Ok(Self::Charging(command));
        let none = || SaicError::Control("this car has no such control".to_owned());
        match value {
            Value::Bool(true) if *control == vehicle::REFRESH => Ok(Self::Refresh),
            Value::Bool(on) if *control == vehicle::LOCKED => command(match on {
                true => Command::Lock,
                false => Command::Unlock,
            }),
            Value::Bool(true) if *control == vehicle::LOCK_DOORS => command(Command::Lock),
            Value::Bool(true) if *control == vehicle::OPEN_BOOT => command(Command::OpenTailgate),
            Value::Bool(true) if *control == vehicle::START_CHARGING => {
                charging(ChargeCommand::Start)
            }
            Value::Bool(true) if *control == vehicle::STOP_CHARGING => {
                charging(ChargeCommand::Stop)
            }
            Value::Bool(on) if *control == vehicle::CABLE_LOCK => charging(match on {
                true => ChargeCommand::LockCable,
                false => ChargeCommand::UnlockCable,
            }),
            Value::Bool(on) if *control == vehicle::V2X => charging(match on {
                true => ChargeCommand::StartV2x,
                false => ChargeCommand::StopV2x,
            }),
            Value::Bool(on) if *control == vehicle::BATTERY_HEATING => {
                Ok(Self::BatteryHeating(*on))
            }
            Value::Bool(on) if *control == vehicle::STEERING_WHEEL => {
                command(Command::SteeringWheelHeating { on: *on })
            }
            Value::Bool(on) if *control == vehicle::REAR_WINDOW => {
                command(Command::RearWindowHeating { on: *on })
            }
            Value::Bool(on) if *control == vehicle::SEAT_REAR_LEFT => {
                command(rear(Seat::RearLeft, *on))
            }
            Value::Bool(on) if *control == vehicle::SEAT_REAR_RIGHT => {
                command(rear(Seat::RearRight, *on))
            }
            Value::Bool(true) if *control == vehicle::CLIMATE => {
                command(Command::Climate(profile.climate_start(COMFORTABLE_C)?))
            }
            Value::Bool(false) if *control == vehicle::CLIMATE => {
                command(Command::Climate(Climate::Stop))
            }
            Value::Float(percent) if *control == vehicle::TARGET_SOC => {
                let target_soc = Some(target(*percent)?);
                Ok(Self::Settings(ChargeSettings {
                    target_soc,
                    ..ChargeSettings::default()
                }))
            }
            Value::Text(word) => Self::of_word(control, word, car),
            _ => Err(none()),
        }
    }

    fn of_word(control: &'static Control, word: &str, car: &SaicCar) -> Result<Self, SaicError> {
        let profile = &car.profile;
        let number = || word.parse::<u8>().map_err(|_| wrong(word));
        let management = car.charging.as_ref().map(|charging| &charging.management);
        let command = if *control == vehicle::FIND_CAR {
            match word {
                "stop" => Command::StopFinding,
                _ => Command::Find {
                    horn: word != "lights",
                    lights: word != "horn",
                },
            }
        } else if *control == vehicle::CLIMATE_AT {
            Command::Climate(profile.climate_start(number()?)?)
        } else if *control == vehicle::CLIMATE_MODE {
            Command::Climate(climate(profile, word)?)
        } else if *control == vehicle::SEAT_FRONT_LEFT || *control == vehicle::SEAT_FRONT_RIGHT {
            front(car, number()?, *control == vehicle::SEAT_FRONT_LEFT)
        } else if *control == vehicle::WINDOWS {
            Command::Windows(Windows {
                panes: Panes::WINDOWS,
                action: match word {
                    "close" => WindowAction::Close,
                    "ventilate" => WindowAction::Ventilate,
                    // The newer app's number, where that app was watched.
                    _ if profile.series().starts_with("MIS3E") => WindowAction::Open,
                    _ => WindowAction::OpenOld,
                },
            })
        } else if *control == vehicle::SUNROOF {
            Command::Windows(Windows {
                panes: Panes::SUNROOF,
                action: match word {
                    "close" => WindowAction::Close,
                    _ => WindowAction::OpenOld,
                },
            })
        } else if *control == vehicle::CURRENT_LIMIT {
            let limit: CurrentLimit = word.parse().map_err(SaicError::Control)?;
            return Ok(Self::Settings(ChargeSettings {
                // The present target goes along, or the car forgets it.
                target_soc: management.and_then(|management| management.target_soc),
                current_limit: Some(limit),
                v2x_target_soc: None,
            }));
        } else if *control == vehicle::V2X_FLOOR {
            let v2x_target_soc = Some(target(f64::from(number()?))?);
            return Ok(Self::Settings(ChargeSettings {
                v2x_target_soc,
                ..ChargeSettings::default()
            }));
        } else if *control == vehicle::CHARGING_SCHEDULE {
            let schedule = schedule::charging(word).ok_or_else(|| wrong(word))?;
            return Ok(Self::ChargingSchedule(schedule));
        } else if *control == vehicle::HEATING_SCHEDULE {
            let time = clock::time(word);
            return match time.is_some() || word == clock::OFF {
                true => Ok(Self::HeatingSchedule(time)),
                false => Err(wrong(word)),
            };
        } else {
            return Err(wrong(word));
        };
        Ok(Self::Control(command))
    }

    /// Tells it to the car, once.
    /// A time of day is that of `zone`.
    pub(super) async fn carry_out(
        self,
        client: &Client,
        vehicle: &Vehicle,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Result<Said, Error> {
        Ok(match self {
            Self::Control(command) => {
                if let Command::Seats(seats) = &command {
                    vehicle.profile().check_seat_level(seats)?;
                }
                let vin = vehicle.vin().clone();
                let tell = saic_ismart::vehicle::Control { vin, command };
                Said {
                    status: client.call(&WithText(tell)).await?.1,
                    ..Said::default()
                }
            }
            Self::Charging(command) => {
                let management = vehicle.control_charging(command).await?.management;
                Said {
                    management: (management != ChargeManagement::default()).then_some(management),
                    ..Said::default()
                }
            }
            Self::Settings(settings) => {
                vehicle.set_charging(settings).await?;
                Said::default()
            }
            Self::BatteryHeating(on) => {
                vehicle.heat_battery(on).await?;
                Said::default()
            }
            Self::ChargingSchedule(schedule) => {
                vehicle.set_charge_schedule(schedule).await?;
                Said::default()
            }
            Self::HeatingSchedule(time) => {
                let next = |time| {
                    let none = || Error::InvalidValue("no clock shows this time".to_owned());
                    zone.next(time, now).ok_or_else(none)
                };
                let at = time.map(next).transpose()?;
                vehicle.set_heating_schedule(at).await?;
                // The cloud knows it by itself. The car has been told, whatever
                // becomes of this question.
                let ask = WithText(ReadHeatingSchedule(vehicle.vin().clone()));
                let heating = client.call(&ask).await.ok();
                let has = heating.as_ref();
                let has = has.and_then(|(answer, _)| schedule::heating_plan(answer, zone));
                let told = schedule::written_heating(at, zone);
                Said {
                    heating,
                    keeps: has.filter(|has| *has != told),
                    ..Said::default()
                }
            }
            Self::Refresh => Said::default(),
        })
    }

    /// Whether what the car says afterwards is what it was told, where that is
    /// one and the same text.
    pub(super) fn took_effect(self, now: Option<&ChargingData>) -> Result<(), SaicError> {
        let Self::ChargingSchedule(wanted) = self else {
            return Ok(());
        };
        let has = now.and_then(|now| schedule::charging_plan(&now.management));
        match has {
            Some(has) if has != schedule::written(wanted) => Err(another_schedule(&has)),
            _ => Ok(()),
        }
    }

    /// What is to be asked to see what came of it.
    pub(super) fn questions(self, said: &Result<Said, Error>, has_plug: bool) -> Questions {
        let nothing = Questions {
            status: false,
            charging: false,
        };
        let told = match said {
            Ok(said) => said.status.as_deref(),
            Err(error) if error.may_have_taken_effect() => None,
            Err(_) => return nothing,
        };
        let told = told.and_then(|text| VehicleStatus::from_json(text).ok());
        match self {
            Self::Control(_) => Questions {
                status: !told.is_some_and(|status| is_state(&status)),
                ..nothing
            },
            Self::Refresh => Questions {
                status: true,
                charging: has_plug,
            },
            Self::HeatingSchedule(_) => nothing,
            _ => Questions {
                charging: has_plug,
                ..nothing
            },
        }
    }
}

/// What a car does that has been told a schedule in vain.
pub(super) fn another_schedule(has: &str) -> SaicError {
    SaicError::Control(format!("the car keeps another schedule: {has}"))
}

fn wrong(word: &str) -> SaicError {
    SaicError::Control(format!("this car does not know `{word}` here"))
}

fn target(percent: f64) -> Result<TargetSoc, SaicError> {
    let mut steps = TargetSoc::ALL.into_iter();
    let step = steps.find(|step| f64::from(step.percent()) == percent);
    step.ok_or_else(|| wrong(&percent.to_string()))
}

fn rear(seat: Seat, on: bool) -> Command {
    let level = if on { 3 } else { 0 };
    Command::Seats(Seats::One { seat, level })
}

/// Both seats go in one command: the other one stays as it is.
fn front(car: &SaicCar, level: u8, is_left: bool) -> Command {
    let basic = car.status.as_ref().map(|status| &status.basic);
    let (left, right) = match basic {
        Some(basic) => (
            basic.seat_heating_front_left,
            basic.seat_heating_front_right,
        ),
        None => (None, None),
    };
    Command::Seats(match is_left {
        true => Seats::Front {
            left: level,
            right: right.unwrap_or(0),
        },
        false => Seats::Front {
            left: left.unwrap_or(0),
            right: level,
        },
    })
}

fn climate(profile: &Profile, word: &str) -> Result<Climate, SaicError> {
    let full = |mode| {
        Ok::<_, SaicError>(Climate::Full {
            mode,
            index: profile.temperature_index(COMFORTABLE_C)?,
            air_conditioner: true,
        })
    };
    Ok(match word {
        "off" => Climate::Stop,
        "on" => profile.climate_start(COMFORTABLE_C)?,
        "fan" => Climate::BlowOnly,
        "defrost" => Climate::FrontDefrost,
        // Without the compressor: the heater alone.
        "heat" if profile.series().starts_with("EH32") => Climate::Full {
            mode: 2,
            index: HOTTEST,
            air_conditioner: false,
        },
        "heat" | "max_heat" => full(4)?,
        "max_cool" => full(3)?,
        _ => return Err(wrong(word)),
    })
}
