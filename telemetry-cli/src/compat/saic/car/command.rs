//! Telling a car what somebody wants.

use saic_ismart::vehicle::Command as CarCommand;
use saic_ismart::{ChargeSchedule, Error, TargetSoc};

use super::super::command::{ClimateWish, Command, Side, climate_order, seats};
use super::super::refresh::Mode;
use super::super::topics::Publications;
use super::super::topics::charging::{charging_schedule, heating_schedule, heating_stop_reason};
use super::reason::reason;
use super::{Car, Memory};

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
    /// Carries out a command, and answers.
    pub(super) async fn command(&mut self, name: &str, payload: &[u8], retained: bool) {
        if payload.is_empty() {
            return;
        }
        let parsed = Command::parse(name, payload, self.vehicle.profile());
        if retained && !parsed.as_ref().is_ok_and(Command::may_be_retained) {
            tracing::info!(
                command = name,
                "a command that the broker had kept does not count"
            );
            return;
        }
        let result = match parsed {
            Err(why) => Err(why),
            Ok(command) if self.shared.options.read_only && !command.is_setting() => {
                Err(READ_ONLY.to_owned())
            }
            Ok(command) => {
                let poll = command.is_followed_by_poll();
                let done = self.execute(command).await;
                if poll && done.is_ok() {
                    self.refresh.set_mode(Mode::Force);
                }
                done
            }
        };
        if let Err(why) = &result {
            tracing::warn!(command = name, "{why}");
            self.tell_failure(name, why);
        }
        let answer = result.map_or_else(|why| format!("Failed: {why}"), |()| "Success".to_owned());
        self.say_refresh();
        self.shared
            .tell(self.topic(&format!("{name}/result")), answer);
        self.save().await;
    }

    fn tell_failure(&self, name: &str, why: &str) {
        let event = serde_json::json!({
            "event_type": "command_error",
            "command": format!("{name}/set"),
            "detail": why,
        });
        self.shared
            .tell(self.topic("events/command_error"), event.to_string());
    }

    async fn execute(&mut self, command: Command) -> Result<(), String> {
        let now = self.shared.now();
        match command {
            Command::Mode(mode) => self.refresh.set_mode(mode),
            Command::Period(period, seconds) => self.refresh.set_period(period, seconds),
            Command::HvActive(active) => {
                self.refresh.set_hv_active(active, now);
                let mut topics = Publications::default();
                topics.flag("drivetrain/hvBatteryActive", Some(active));
                self.say(topics);
            }
            Command::Capacity(kwh) => self.set_capacity(kwh),
            Command::Charge(order) => said(self.vehicle.control_charging(order).await)?,
            Command::TargetSoc(target) => self.set_target_soc(target).await?,
            Command::CurrentLimit(limit) => {
                let target = self.memory.target_soc.and_then(TargetSoc::from_percent);
                let echo = Echo::new(self, "drivetrain/chargeCurrentLimit", limit.to_string());
                let result = said(self.vehicle.set_current_limit(limit, target).await);
                echo.end(self, result)?;
            }
            Command::ChargingSchedule(schedule) => self.set_charging_schedule(schedule).await?,
            Command::BatteryHeating(on) => {
                let answer = self
                    .vehicle
                    .heat_battery(on)
                    .await
                    .map_err(|error| reason(&error))?;
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
                    said(self.vehicle.control(CarCommand::Seats(wanted)).await)?;
                    if let saic_ismart::vehicle::Seats::Front { left, right } = wanted {
                        self.memory.seats = (left, right);
                    }
                }
            }
            Command::Extra(extra) => {
                let order = extra.order(self.extras(), self.vehicle.profile())?;
                said(self.vehicle.control(order).await)?;
            }
            Command::Car(order) => said(self.vehicle.control(order).await)?,
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

    async fn set_target_soc(&mut self, target: TargetSoc) -> Result<(), String> {
        let echo = Echo::new(self, "drivetrain/socTarget", target.percent().to_string());
        let result = said(self.vehicle.set_target_soc(target).await);
        echo.end(self, result)?;
        self.memory.target_soc = Some(target.percent());
        Ok(())
    }

    async fn set_charging_schedule(&mut self, schedule: ChargeSchedule) -> Result<(), String> {
        let echo = Echo::new(
            self,
            "drivetrain/chargingSchedule",
            charging_schedule(schedule),
        );
        let result = said(self.vehicle.set_charge_schedule(schedule).await);
        echo.end(self, result)?;
        self.set_schedule(schedule);
        Ok(())
    }

    /// What is set already is not sent.
    async fn set_heating_schedule(&mut self, on: bool, start: (u8, u8)) -> Result<(), String> {
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
        let result = said(self.vehicle.set_heating_schedule(start_at).await);
        echo.end(self, result)?;
        // Only now: a failed call can be repeated.
        self.memory.heating = (on, start);
        Ok(())
    }

    async fn set_temperature(&mut self, temperature_c: u8) -> Result<(), String> {
        if needs_restart(&self.memory, temperature_c) {
            let order = climate_order(ClimateWish::On, temperature_c, self.vehicle.profile())?;
            said(self.vehicle.control(CarCommand::Climate(order)).await)?;
        }
        self.memory.temperature_c = temperature_c;
        let mut topics = Publications::default();
        topics.setting("climate/remoteTemperature", temperature_c.to_string());
        self.say(topics);
        Ok(())
    }

    async fn set_climate(&mut self, wish: ClimateWish) -> Result<(), String> {
        let (lowest, highest) = self.vehicle.profile().temperatures_c;
        let temperature = self.memory.temperature_c.clamp(lowest, highest);
        let order = climate_order(wish, temperature, self.vehicle.profile())?;
        said(self.vehicle.control(CarCommand::Climate(order)).await)?;
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

fn said<T>(answer: Result<T, Error>) -> Result<(), String> {
    answer.map(drop).map_err(|error| reason(&error))
}

/// A value that is shown while the car is told, and taken back if that fails.
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

    fn end(self, car: &mut Car, result: Result<(), String>) -> Result<(), String> {
        if result.is_err() {
            match self.before {
                Some(before) => show(car, self.topic, before),
                None => {
                    car.memory.held.remove(self.topic);
                }
            }
        }
        result
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
