//! Telling a car what somebody wants.

use std::fmt;

use saic_ismart::vehicle::Command as CarCommand;
use saic_ismart::{ChargeSchedule, Error, TargetSoc};

use super::super::allowance::is_limit;
use super::super::command::{ClimateWish, Command, Side, climate_order, seats};
use super::super::refresh::Mode;
use super::super::topics::Publications;
use super::super::topics::charging::{charging_schedule, heating_schedule, heating_stop_reason};
use super::reason::{reason, refusal};
use super::{Car, Memory};
use crate::sink::mqtt::session::Outgoing;

const SUCCESS: &str = "Success";

const READ_ONLY: &str = "this gateway is read only: start it without `--read-only`";

/// Whether a command of this name concerns the gateway alone.
pub(super) fn is_about_the_gateway(name: &str) -> bool {
    name.starts_with("refresh/")
        || name == "drivetrain/totalBatteryCapacity"
        || name == "drivetrain/hvBatteryActive"
}

/// Whether a command starts the climate at the temperature that is set.
pub(super) fn starts_climate(name: &str, payload: &[u8]) -> bool {
    name == "climate/remoteClimateState" && payload.trim_ascii().eq_ignore_ascii_case(b"on")
}

impl Car {
    /// Carries out a command, and answers; with what, if it was one.
    pub(super) async fn command(
        &mut self,
        name: &str,
        payload: &[u8],
        retained: bool,
    ) -> Option<String> {
        if payload.is_empty() {
            return None;
        }
        let parsed = Command::parse(name, payload, self.vehicle.profile());
        if retained && !parsed.as_ref().is_ok_and(Command::may_be_retained) {
            tracing::info!(
                command = name,
                "a command that the broker had kept does not count"
            );
            if let Ok(Command::Mode(_)) = parsed {
                // Home Assistant leaves it there with the other settings.
                self.answer(name, SUCCESS);
            }
            return None;
        }
        // A setting may be kept on its topic; others are over when they are done.
        let is_wish = parsed.as_ref().is_ok_and(Command::is_followed_by_poll);
        let is_setting = parsed.as_ref().is_ok_and(Command::is_setting);
        let orders = self.orders;
        let result = match parsed {
            Err(why) => Err(why.into()),
            Ok(command) if self.shared.options.read_only && !command.is_setting() => {
                Err(READ_ONLY.to_owned().into())
            }
            Ok(command) => self.execute(command).await,
        };
        // What has told the car nothing wakes it for nothing.
        let was_told = is_setting || self.orders > orders;
        let has_effect = result
            .as_ref()
            .map_or_else(Fault::may_have_effect, |()| true);
        if is_wish && was_told && has_effect {
            self.refresh.set_mode(Mode::Force);
        }
        self.say_refresh();
        let answer = match result {
            Ok(()) => SUCCESS.to_owned(),
            Err(fault) => {
                let why = fault.to_string();
                tracing::warn!(command = name, "{why}");
                self.tell_failure("command_error", name, &why);
                if fault.is_limit() {
                    self.tell_failure("command_limit_reached", name, &why);
                }
                format!("Failed: {why}")
            }
        };
        self.answer(name, &answer);
        if is_wish && answer == SUCCESS {
            self.clear(name);
        }
        self.save().await;
        Some(answer)
    }

    pub(super) fn answer(&self, name: &str, result: &str) {
        self.shared
            .tell(self.topic(&format!("{name}/result")), result.to_owned());
    }

    /// What is done is not to be done again by whoever starts next on this
    /// broker. Whether it was kept there cannot be seen of a fresh message; an
    /// empty one is no command.
    fn clear(&self, name: &str) {
        self.shared.speaker.say(Outgoing::Tell {
            topic: self.topic(&format!("{name}/set")),
            payload: String::new(),
            retain: true,
        });
    }

    fn tell_failure(&self, event_type: &str, name: &str, why: &str) {
        let event = serde_json::json!({
            "event_type": event_type,
            "command": format!("{name}/set"),
            "detail": why,
        });
        self.shared.tell(
            self.topic(&format!("events/{event_type}")),
            event.to_string(),
        );
    }

    /// What the cloud says to an order.
    fn heard<T>(&mut self, answer: Result<T, Error>) -> Result<T, Fault> {
        self.orders += 1;
        if let Err(error) = &answer {
            self.memory.allowance.refused(error);
        }
        answer.map_err(Fault::Car)
    }

    async fn control(&mut self, order: CarCommand) -> Result<(), Fault> {
        let answer = self.vehicle.control(order).await;
        if answer.is_ok() {
            self.memory.allowance.renew();
        }
        self.heard(answer).map(drop)
    }

    async fn execute(&mut self, command: Command) -> Result<(), Fault> {
        let now = self.shared.now();
        match command {
            Command::Mode(mode) => self.refresh.set_mode(mode),
            Command::Period(period, seconds) => self.refresh.set_period(period, seconds),
            Command::Holiday(holiday) => self.refresh.set_holiday(holiday),
            Command::HvActive(active) => {
                self.refresh.set_hv_active(active, now);
                let mut topics = Publications::default();
                topics.flag("drivetrain/hvBatteryActive", Some(active));
                self.say(topics);
            }
            Command::Capacity(kwh) => self.set_capacity(kwh),
            Command::Charge(order) => {
                let answer = self.vehicle.control_charging(order).await;
                self.heard(answer)?;
            }
            Command::TargetSoc(target) => self.set_target_soc(target).await?,
            Command::CurrentLimit(limit) => {
                let target = self.memory.target_soc.and_then(TargetSoc::from_percent);
                let echo = Echo::new(self, "drivetrain/chargeCurrentLimit", limit.to_string());
                let answer = self.vehicle.set_current_limit(limit, target).await;
                echo.end(self, answer)?;
            }
            Command::ChargingSchedule(schedule) => self.set_charging_schedule(schedule).await?,
            Command::BatteryHeating(on) => {
                let answer = self.vehicle.heat_battery(on).await;
                let answer = self.heard(answer)?;
                if let Some(why) = answer.stop_reason {
                    let mut topics = Publications::default();
                    topics.text(
                        "drivetrain/batteryHeatingStopReason",
                        heating_stop_reason(why),
                    );
                    self.say(topics);
                }
            }
            Command::BatteryHeatingSchedule { on, start } => {
                self.set_heating_schedule(on, start).await?
            }
            Command::Temperature(temperature) => self.set_temperature(temperature).await?,
            Command::Climate(wish) => self.set_climate(wish).await?,
            Command::Seat(side, level) => {
                let wanted = seats(side, level, self.memory.seats);
                if wanted != seats(side, level_of(side, self.memory.seats), self.memory.seats) {
                    self.control(CarCommand::Seats(wanted)).await?;
                    if let saic_ismart::vehicle::Seats::Front { left, right } = wanted {
                        self.memory.seats = (left, right);
                    }
                }
            }
            Command::Extra(extra) => {
                let order = extra.order(self.extras(), self.vehicle.profile())?;
                self.control(order).await?;
            }
            Command::Car(order) => self.control(order).await?,
            Command::Nothing => {}
        }
        Ok(())
    }

    fn set_capacity(&mut self, kwh: Option<f64>) {
        self.memory.capacity_override = kwh;
        let capacity = self.capacity(None);
        self.memory.capacity_kwh = capacity.kwh;
        let mut topics = Publications::default();
        topics.float("drivetrain/totalBatteryCapacity", capacity.kwh);
        self.say(topics);
    }

    async fn set_target_soc(&mut self, target: TargetSoc) -> Result<(), Fault> {
        let echo = Echo::new(self, "drivetrain/socTarget", target.percent().to_string());
        let answer = self.vehicle.set_target_soc(target).await;
        echo.end(self, answer)?;
        self.memory.target_soc = Some(target.percent());
        Ok(())
    }

    async fn set_charging_schedule(&mut self, schedule: ChargeSchedule) -> Result<(), Fault> {
        let echo = Echo::new(
            self,
            "drivetrain/chargingSchedule",
            charging_schedule(schedule),
        );
        let answer = self.vehicle.set_charge_schedule(schedule).await;
        echo.end(self, answer)?;
        self.set_schedule(schedule);
        Ok(())
    }

    /// What is set already is not sent.
    async fn set_heating_schedule(&mut self, on: bool, start: (u8, u8)) -> Result<(), Fault> {
        if self.memory.heating == (on, start) {
            return Ok(());
        }
        let start_at = self
            .shared
            .zone()
            .next(start, self.shared.now())
            .filter(|_| on);
        let echo = Echo::new(
            self,
            "drivetrain/batteryHeatingSchedule",
            heating_schedule(on, start),
        );
        let answer = self.vehicle.set_heating_schedule(start_at).await;
        echo.end(self, answer)?;
        // Only now: a failed call can be repeated.
        self.memory.heating = (on, start);
        Ok(())
    }

    async fn set_temperature(&mut self, temperature_c: u8) -> Result<(), Fault> {
        if needs_restart(&self.memory, temperature_c) {
            let order = climate_order(ClimateWish::On, temperature_c, self.vehicle.profile())?;
            self.control(CarCommand::Climate(order)).await?;
        }
        self.memory.temperature_c = temperature_c;
        let mut topics = Publications::default();
        topics.setting("climate/remoteTemperature", temperature_c.to_string());
        self.say(topics);
        Ok(())
    }

    async fn set_climate(&mut self, wish: ClimateWish) -> Result<(), Fault> {
        let (lowest, highest) = self.vehicle.profile().temperatures_c;
        let temperature = self.memory.temperature_c.clamp(lowest, highest);
        let order = climate_order(wish, temperature, self.vehicle.profile())?;
        self.control(CarCommand::Climate(order)).await?;
        self.memory.climate_on = wish == ClimateWish::On;
        Ok(())
    }
}

/// A climate that runs takes a temperature by being started anew. A car carries
/// out few commands: the same one once more is none.
fn needs_restart(memory: &Memory, temperature_c: u8) -> bool {
    memory.climate_on && memory.temperature_c != temperature_c
}

fn level_of(side: Side, (left, right): (u8, u8)) -> u8 {
    match side {
        Side::Left => left,
        Side::Right => right,
    }
}

/// Why a command was not carried out.
enum Fault {
    /// It is none, or not for this car.
    Wrong(String),
    /// The car, or the cloud, refused it.
    Car(Error),
}

impl Fault {
    /// The car takes no more of them.
    fn is_limit(&self) -> bool {
        matches!(self, Self::Car(error) if is_limit(error))
    }

    /// Nobody knows whether the car has obeyed.
    fn may_have_effect(&self) -> bool {
        matches!(self, Self::Car(error) if error.may_have_taken_effect())
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) => f.write_str(why),
            Self::Car(error) if error.may_have_taken_effect() => {
                write!(
                    f,
                    "{}; the car may have obeyed all the same: it is asked",
                    reason(error)
                )
            }
            Self::Car(error) => f.write_str(&refusal(error)),
        }
    }
}

/// A value that is shown while the car is told, and taken back if that certainly
/// fails.
struct Echo {
    topic: &'static str,
    before: Option<String>,
}

impl Echo {
    fn new(car: &mut Car, topic: &'static str, wanted: String) -> Self {
        let before = car.memory.held.get(topic).cloned();
        show(car, topic, wanted);
        Self { topic, before }
    }

    fn end<T>(self, car: &mut Car, answer: Result<T, Error>) -> Result<(), Fault> {
        let failed = |error: &Error| !error.may_have_taken_effect();
        if answer.as_ref().is_err_and(failed) {
            match self.before {
                Some(before) => show(car, self.topic, before),
                None => {
                    car.memory.held.remove(self.topic);
                }
            }
        }
        car.heard(answer).map(drop)
    }
}

fn show(car: &mut Car, topic: &str, value: String) {
    let mut topics = Publications::default();
    topics.text(topic, value);
    car.say(topics);
}

#[cfg(test)]
mod tests {
    use saic_ismart::vehicle::Seats;

    use super::*;

    #[test]
    fn the_temperature_that_is_set_already_costs_no_command() {
        for (climate_on, temperature_c, restart) in
            [(true, 22, false), (true, 21, true), (false, 21, false)]
        {
            let memory = Memory {
                climate_on,
                ..Memory::default()
            };
            assert_eq!(needs_restart(&memory, temperature_c), restart);
        }
    }

    #[test]
    fn a_seat_keeps_the_other_one() {
        assert_eq!(
            [level_of(Side::Left, (1, 2)), level_of(Side::Right, (1, 2))],
            [1, 2]
        );
        assert_eq!(
            seats(Side::Right, 3, (1, 2)),
            Seats::Front { left: 1, right: 3 }
        );
    }
}
