//! The endpoints.

use serde_json::{Value, json};

use super::commands::{self, Rejected};
use super::{Cloud, EVENT_KEPT_MS, Event, Garage, Outcome, report};

/// A request in plain text, of somebody who is logged in.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) route: &'a str,
    pub(super) query: &'a str,
    pub(super) body: Value,
    pub(super) event_id: &'a str,
}

impl Call<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn number(&self, name: &str) -> usize {
        self.query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
    }

    /// The hash of a VIN, in the query or in the body.
    fn vin(&self) -> Option<&str> {
        self.query("vin").or_else(|| self.body["vin"].as_str())
    }
}

const PENDING: &str = "The remote control instruction failed, please try again later.";

impl Cloud {
    /// An outcome, and the event id that goes with it.
    pub(super) fn answer(&mut self, call: &Call<'_>, now_ms: u64) -> (Outcome, Option<String>) {
        if let Some(outcome) = self.answer_about_account(call) {
            return (outcome, None);
        }
        let Some(car) = self
            .garage
            .iter()
            .position(|garage| Some(garage.hash.as_str()) == call.vin())
        else {
            let message = "The current service is not within the package scope.";
            return (Outcome::Code(36_805, message.to_owned()), None);
        };
        if let Some(outcome) = self.answer_about_car(call, car) {
            return (outcome, None);
        }
        self.answer_of_car(call, car, now_ms)
    }

    fn answer_about_account(&mut self, call: &Call<'_>) -> Option<Outcome> {
        Some(match (call.method, call.route) {
            ("GET", "/user/timezone") => Outcome::Data(json!({ "timezone": "Europe/Berlin" })),
            ("GET", "/vehicle/list") => Outcome::Data(self.vehicle_list()),
            ("GET", "/message/list") => {
                let group = call.query("messageGroup").unwrap_or("ALARM");
                let (page, size) = (call.number("pageNum"), call.number("pageSize"));
                Outcome::Data(self.mailbox.page(group, page, size))
            }
            ("GET", "/message/unreadCount") => Outcome::Data(self.mailbox.counts(true)),
            ("GET", "/message/notificationList") => {
                Outcome::Data(json!({ "notifications": [], "recordsNumber": 0 }))
            }
            ("PUT", "/message/status") => {
                self.mailbox.change(&call.body);
                Outcome::Done
            }
            ("GET", "/vehicle/btkey/userKeyList") => Outcome::Data(json!({ "keyList": [] })),
            ("GET", "/user/account/userInfo") => {
                Outcome::Data(json!({ "userName": "demo", "account": self.config.user }))
            }
            ("GET", "/user/region") => Outcome::Data(json!({ "region": "eu" })),
            ("GET", "/navi/poi/favorite/list") => {
                Outcome::Data(json!({ "poiList": [], "totalNumber": 0 }))
            }
            ("POST", "/navi/poi/send") => Outcome::Done,
            _ => return None,
        })
    }

    /// What the cloud knows about a car without asking it.
    fn answer_about_car(&mut self, call: &Call<'_>, car: usize) -> Option<Outcome> {
        let garbage = self.random.happens(self.config.faults.cache_garbage);
        let garage = &mut self.garage[car];
        Some(match (call.method, call.route) {
            ("GET", "/vehicle/status/cache") => {
                let mut cached = garage.cache.clone();
                if garbage {
                    for (field, value) in [
                        ("extendedData1", 0),
                        ("mileage", 16_777_215),
                        ("bonnetStatus", 1),
                        ("bootStatus", 1),
                    ] {
                        cached["basicVehicleStatus"][field] = json!(value);
                    }
                }
                Outcome::Data(cached)
            }
            ("GET", "/vehicle/alarmSwitch") => {
                let switch = |(kind, on): &(i64, bool)| {
                    let on = i64::from(*on);
                    json!({ "alarmType": kind, "functionSwitch": on, "alarmSwitch": on })
                };
                let list: Vec<_> = garage.alarm_switches.iter().map(switch).collect();
                Outcome::Data(json!({ "alarmSwitchList": list }))
            }
            ("PUT", "/vehicle/alarmSwitch") => {
                let list = call.body["alarmSwitchList"].as_array();
                for switch in list.map(Vec::as_slice).unwrap_or_default() {
                    let wanted = switch["alarmType"].as_i64();
                    let on = switch["alarmSwitch"] == 1 && switch["functionSwitch"] == 1;
                    for (kind, state) in &mut garage.alarm_switches {
                        if Some(*kind) == wanted {
                            *state = on;
                        }
                    }
                }
                Outcome::Done
            }
            ("GET", "/charging/batteryHeating") => {
                let (start, on) = garage.car.heating_schedule;
                Outcome::Data(json!({ "startTime": start, "status": i64::from(on) }))
            }
            ("POST", "/charging/batteryHeating") => {
                let start = call.body["startTime"].as_u64().unwrap_or(0);
                garage.car.heating_schedule = (start, call.body["status"] == 1);
                Outcome::Done
            }
            ("GET", "/vehicle/statisticsBasicInfo") => Outcome::Data(
                json!({ "vin": garage.car.config.vin, "initialDate": 1_700_000_000_000_u64 }),
            ),
            ("GET", "/vehicle/statisticsInfo") => Outcome::Data(json!({
                "mileage": (garage.car.journey_km * 10.0).round(),
                "powerConsumption": (garage.car.since_charge_kwh * 10.0).round(),
            })),
            ("GET", "/vehicle/tbox/onlineStatus") => {
                Outcome::Data(json!({ "onlineStatus": i64::from(garage.car.is_reachable()) }))
            }
            ("GET", "/vehicle/featureList") => {
                Outcome::Data(json!({ "featureList": features(garage) }))
            }
            ("GET", "/fota/campaign") => Outcome::Data(json!({ "campaignList": [] })),
            ("GET", "/vehicle/geoFence" | "/vehicle/geofence/setting") => Outcome::Data(json!({})),
            ("POST", "/vehicle/geofence/setting" | "/vehicle/btkey/activation") => Outcome::Done,
            _ => return None,
        })
    }

    /// What only the car itself can answer: the first request begins an event,
    /// further ones ask for it.
    fn answer_of_car(
        &mut self,
        call: &Call<'_>,
        car: usize,
        now_ms: u64,
    ) -> (Outcome, Option<String>) {
        let known = matches!(
            (call.method, call.route),
            (
                "GET",
                "/vehicle/status" | "/vehicle/charging/mgmtData" | "/vehicle/charging/status"
            ) | (
                "POST",
                "/vehicle/control"
                    | "/vehicle/charging/control"
                    | "/vehicle/charging/setting"
                    | "/vehicle/charging/reservation"
                    | "/vehicle/charging/ptcHeat"
            )
        );
        if !known {
            return (Outcome::Code(404, "no such endpoint".to_owned()), None);
        }
        let pending = || Outcome::Code(4, PENDING.to_owned());
        let garage = &mut self.garage[car];
        if matches!(call.event_id, "0" | "") {
            self.live_calls += 1;
            self.next_event += 1;
            let wait_s = if garage.car.is_asleep() {
                self.random.between(20.0, 30.0)
            } else {
                self.random.between(2.0, 5.0)
            };
            let ready_ms = now_ms.saturating_add((wait_s * 1_000.0) as u64);
            let id = format!("{}{:03}", self.next_event, self.random.number() % 1_000);
            // A new call overtakes an earlier one, which is never answered then.
            garage.event = Some(Event {
                id: id.clone(),
                path: call.route.to_owned(),
                body: call.body.clone(),
                ready_ms,
                ends_ms: ready_ms.saturating_add(EVENT_KEPT_MS),
                outcome: None,
            });
            return (Outcome::Done, Some(id));
        }
        let Some(event) = &mut garage.event else {
            return (pending(), None);
        };
        let ours = event.id == call.event_id && event.path == call.route && now_ms < event.ends_ms;
        if !ours || now_ms < event.ready_ms {
            return (pending(), None);
        }
        if event.outcome.is_none() {
            if !garage.car.is_reachable() {
                return (pending(), None);
            }
            garage.car.wake();
            let now_s = now_ms / 1_000;
            let mut outcome = carry_out(garage, now_s);
            // Without this fault, the course of things is what it was before there was one.
            let jump = self.config.faults.temperature_jump;
            if jump > 0.0
                && self.random.happens(jump)
                && let Some(Outcome::Data(data)) = &mut outcome
                && let Some(inside) = data["basicVehicleStatus"]["interiorTemperature"].as_i64()
            {
                data["basicVehicleStatus"]["interiorTemperature"] = json!(inside + 40);
            }
            if let Some(event) = &mut garage.event {
                event.outcome = outcome;
            }
            garage.cache = report::cached(&garage.car, now_s);
        }
        let outcome = garage
            .event
            .as_ref()
            .and_then(|event| event.outcome.clone());
        (outcome.unwrap_or_else(pending), None)
    }

    fn vehicle_list(&self) -> Value {
        let vehicle = |(place, garage): (usize, &Garage)| {
            let config = &garage.car.config;
            json!({
                "vin": config.vin, "series": config.series, "modelName": config.model,
                "name": config.name, "brandName": "MG", "modelYear": "2024",
                "colorName": "Holborn Blue", "bindTime": 1_700_000_000_000_u64,
                "isActivate": true, "isCurrentVehicle": place == 0, "isSubaccount": false,
                "subAccountList": [], "vehicleModelConfiguration": features(garage),
            })
        };
        let list: Vec<_> = self.garage.iter().enumerate().map(vehicle).collect();
        json!({ "vinList": list })
    }
}

fn features(garage: &Garage) -> Value {
    let electric = if garage.car.config.has_plug { "1" } else { "0" };
    let hybrid = if garage.car.config.has_plug { "0" } else { "1" };
    let battery = if garage.car.config.has_plug { "1" } else { "2" };
    let feature = |(code, name, value): (&str, &str, &str)| json!({ "itemCode": code, "itemName": name, "itemValue": value });
    [
        ("J17", "Tire", "1"),
        ("S35", "Sunroof", "0"),
        ("S61", "Remote control", "1"),
        ("T11", "AC", "1"),
        ("DOOR", "DOOR", "1111"),
        ("WINDOW", "WINDOW", "1111"),
        ("EV", "EV", electric),
        ("HeatedSeat", "HeatedSeat", "1"),
        ("ENERGY", "ENERGY", hybrid),
        ("BATTERY", "BATTERY", "1"),
        ("LRD", "LRD", "0"),
        ("BType", "Battery", battery),
    ]
    .map(feature)
    .to_vec()
    .into()
}

/// Lets the car answer the event that it has.
fn carry_out(garage: &mut Garage, now_s: u64) -> Option<Outcome> {
    let Event { path, body, .. } = garage.event.clone()?;
    let car = &mut garage.car;
    let result = match path.as_str() {
        "/vehicle/status" => Ok(report::status(car, now_s)),
        "/vehicle/charging/mgmtData" | "/vehicle/charging/status" if !car.config.has_plug => {
            Err(Rejected::Failed)
        }
        "/vehicle/charging/mgmtData" => Ok(report::charging(car)),
        "/vehicle/charging/status" => Ok(report::charging_status(car, now_s)),
        "/vehicle/control" => commands::control(car, &body, now_s),
        "/vehicle/charging/control" => commands::charge_control(car, &body),
        "/vehicle/charging/setting" => commands::charge_setting(car, &body),
        "/vehicle/charging/reservation" => commands::reservation(car, &body),
        "/vehicle/charging/ptcHeat" => commands::heat(car, &body),
        _ => return None,
    };
    Some(match result {
        Ok(data) => Outcome::Data(data),
        Err(rejected) => Outcome::Code(8, rejected.message().to_owned()),
    })
}
