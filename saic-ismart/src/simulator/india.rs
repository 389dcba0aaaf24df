//! The cloud of India: another protocol, the same cars.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::car::Car;
use super::{BASE_PATH, CarConfig, HttpRequest, Peer, commands, plain, report, wire};
use crate::http::Response;
use crate::india::{
    AccountDispatcher, BasicStatus, CarDispatcher, Charge, ChargeStatus, ControlAnswer,
    ControlRequest, Coordinates, LoginAnswer, LoginRequest, PinRequest, Position, Status,
    StatusRequest, WayPoint, frame_signature, gateway_signature, open_account, open_car, pin_hash,
    seal_account, seal_car,
};

/// Numbers of results.
const DONE: u16 = 0;
const SESSION_LOST: u16 = 2;
const PENDING: u16 = 4;
const NOT_AVAILABLE: u16 = 5;
const WRONG_PIN: u16 = 9;
const NOT_REGISTERED: u16 = 15_011;
const WRONG_PASSWORD: u16 = 15_018;
const MALFORMED: u16 = 3;

/// How often a car is asked before it answers.
const ASKED: u32 = 2;
/// 4 kPa in units of 0.2 psi.
const TYRE_FACTOR: f64 = 4.0 / 6.894_757 / 0.2;

/// The account and the car of a simulated Indian cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct IndiaConfig {
    /// Accepted at login, ten digits.
    pub phone: String,
    /// Accepted at login.
    pub password: String,
    /// Accepted before commands.
    pub pin: String,
    /// The car.
    pub car: CarConfig,
    /// The car is shared with this account, which may not see it charge.
    pub shared: bool,
}

impl Default for IndiaConfig {
    /// `9876543210` with `demo-password` and PIN `1234`.
    fn default() -> Self {
        Self {
            phone: "9876543210".to_owned(),
            password: "demo-password".to_owned(),
            pin: "1234".to_owned(),
            car: CarConfig {
                vin: "MZDEMO00000000001".to_owned(),
                model: "Windsor EV".to_owned(),
                series: "WINDSOR".to_owned(),
                name: "Demo Windsor".to_owned(),
                place_deg: (19.076, 72.8777),
                ..CarConfig::default()
            },
            shared: false,
        }
    }
}

/// A simulated Indian cloud with one account and one car, as a state machine
/// without network and clock. Frames go through the codec of this crate, which
/// recorded frames judge; what is answered to what was written from the
/// description of the protocol.
#[derive(Debug, Clone)]
pub struct IndiaCloud {
    config: IndiaConfig,
    car: Car,
    session: Option<String>,
    sessions: u64,
    pin_shown: bool,
    event: Option<Event>,
    events: u32,
    last_ms: Option<u64>,
}

impl Peer for IndiaCloud {
    fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        Self::handle(self, request, now_ms)
    }
}

/// What a car has been asked. A new question takes the place of an older one.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: u32,
    application: String,
    message_id: u8,
    asked: u32,
}

impl IndiaCloud {
    /// Nobody is logged in. The same seed gives the same course of things.
    #[must_use]
    pub fn new(config: IndiaConfig, seed: u64) -> Self {
        Self {
            car: Car::new(config.car.clone(), seed),
            config,
            session: None,
            sessions: 0,
            pin_shown: false,
            event: None,
            events: 40,
            last_ms: None,
        }
    }

    /// Somebody else logs in to the account: the session of the client ends.
    pub fn log_in_elsewhere(&mut self) {
        self.session = None;
    }

    /// How often somebody logged in.
    #[must_use]
    pub const fn logins(&self) -> u64 {
        self.sessions
    }

    /// Whether a signal reaches the car.
    pub const fn set_signal(&mut self, signal: bool) {
        self.car.signal = signal;
    }

    /// Answers a request at this time, Unix time in ms. Any bytes are answered.
    pub fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        let elapsed_ms = self.last_ms.map_or(0, |last| now_ms.saturating_sub(last));
        self.last_ms = Some(self.last_ms.unwrap_or(now_ms).max(now_ms));
        let now_s = now_ms / 1_000;
        self.car.advance(elapsed_ms as f64 / 1_000.0, 1.0, now_s);
        let target = request.target.as_str();
        if let Some(path) = target.strip_prefix(BASE_PATH) {
            return self.gateway(request, path, now_ms);
        }
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let signed = request.header("APP-SIGNATURE") == Some(frame_signature(&text).as_str())
            && request.header("SIGNATURE") == Some("1");
        let answer = match target {
            _ if !signed || request.method != "POST" => None,
            "/TAP.Web/ota.mp" => self.account(&text, now_s),
            "/TAP.Web/ota.mpv21" => self.call(&text, now_s),
            _ => None,
        };
        answer.map_or_else(
            || plain(400, &json!({ "code": 400, "message": "no such request" })),
            |body| Response {
                status: 200,
                headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
                body: body.into_bytes(),
            },
        )
    }

    fn account(&mut self, text: &str, now_s: u64) -> Option<String> {
        let (asked, data) = open_account(text).ok()?;
        let (result, data) = match asked.application.as_str() {
            "501" => self.login(&asked, &data),
            "313" => (self.check_pin(&asked, &data), Vec::new()),
            _ => (MALFORMED, Vec::new()),
        };
        let message = match result {
            WRONG_PASSWORD => Some("The password is wrong"),
            NOT_REGISTERED => Some("The account is not registered"),
            WRONG_PIN => Some("The PIN is wrong"),
            _ => None,
        };
        let answer = AccountDispatcher {
            message_id: asked.message_id + 1,
            created_at_s: u32::try_from(now_s).unwrap_or(0),
            token: None,
            result: Some(result),
            error_message: message.map(|words| words.as_bytes().to_vec()),
            ..asked
        };
        seal_account(&answer, &data).ok()
    }

    fn login(&mut self, asked: &AccountDispatcher, data: &[u8]) -> (u16, Vec<u8>) {
        let user = format!("{:0>50}", self.config.phone);
        if asked.user_id.as_ref() != Some(&user) {
            return (NOT_REGISTERED, Vec::new());
        }
        let wanted: String = self.config.password.chars().take(16).collect();
        match LoginRequest::from_bytes(data) {
            Ok(request) if request.password == wanted => {}
            _ => return (WRONG_PASSWORD, Vec::new()),
        }
        self.sessions += 1;
        self.pin_shown = false;
        self.event = None;
        let token = format!("{:040X}", self.sessions);
        self.session = Some(token.clone());
        let answer = LoginAnswer {
            token: Some(token.clone()),
            refresh_token: Some(token),
        };
        (DONE, answer.to_bytes().unwrap_or_default())
    }

    fn check_pin(&mut self, asked: &AccountDispatcher, data: &[u8]) -> u16 {
        if asked.token.is_none() || asked.token != self.session {
            return SESSION_LOST;
        }
        let wanted = pin_hash(&self.config.pin);
        self.pin_shown = PinRequest::from_bytes(data).is_ok_and(|pin| pin.pin_hash == wanted);
        if self.pin_shown { DONE } else { WRONG_PIN }
    }

    fn call(&mut self, text: &str, now_s: u64) -> Option<String> {
        let (asked, data) = open_car(text).ok()?;
        let mut answer = CarDispatcher {
            message_id: asked.message_id.saturating_add(1),
            created_at_s: u32::try_from(now_s).unwrap_or(0),
            uplink: None,
            downlink: None,
            acknowledged: None,
            ack_required: None,
            ..asked.clone()
        };
        let (result, data) = self.answer(&asked, &data, now_s);
        answer.result = Some(result);
        answer.event_id = self.event.as_ref().map(|event| event.id);
        seal_car(&answer, &data).ok()
    }

    fn answer(&mut self, asked: &CarDispatcher, data: &[u8], now_s: u64) -> (u16, Vec<u8>) {
        let nothing = |result| (result, Vec::new());
        if asked.token.is_none() || asked.token != self.session {
            self.event = None;
            return nothing(SESSION_LOST);
        }
        if asked.vin.as_deref() != Some(self.config.car.vin.as_str()) {
            return nothing(MALFORMED);
        }
        let kind = (asked.application.as_str(), asked.message_id);
        if kind == ("511", 8) && self.config.shared {
            return nothing(NOT_AVAILABLE);
        }
        let known = self.event.as_mut().filter(|event| {
            Some(event.id) == asked.event_id
                && (event.application.as_str(), event.message_id) == kind
        });
        let Some(event) = known else {
            if asked.event_id != Some(0) {
                return nothing(MALFORMED);
            }
            if kind.0 == "510" && !std::mem::take(&mut self.pin_shown) {
                return nothing(WRONG_PIN);
            }
            self.events += 1;
            self.car.wake();
            self.event = Some(Event {
                id: self.events,
                application: asked.application.clone(),
                message_id: asked.message_id,
                asked: 1,
            });
            return nothing(PENDING);
        };
        event.asked += 1;
        if event.asked < ASKED || !self.car.is_reachable() {
            return nothing(PENDING);
        }
        // The first answer to a command says that it is under way.
        let under_way = event.asked == ASKED;
        let data = match kind {
            ("511", 1) if data == StatusRequest { kind: 2 }.to_bytes().unwrap_or_default() => {
                self.status(now_s).to_bytes()
            }
            ("511", 8) if data.is_empty() => self.charging(now_s).to_bytes(),
            ("510", 1) => match ControlRequest::from_bytes(data) {
                Ok(request) => self.control(&request, under_way, now_s).to_bytes(),
                Err(_) => return nothing(MALFORMED),
            },
            _ => return nothing(MALFORMED),
        };
        data.map_or_else(|_| nothing(MALFORMED), |data| (DONE, data))
    }

    fn control(&mut self, request: &ControlRequest, under_way: bool, now_s: u64) -> ControlAnswer {
        let (mut status, mut failure) = (1, 0);
        if !under_way {
            let params: Vec<_> = request
                .params
                .iter()
                .flatten()
                .map(|param| json!({ "paramId": param.id, "paramValue": BASE64.encode(&param.value) }))
                .collect();
            let kind = request.kind.first().copied().unwrap_or_default();
            let body = json!({ "rvcReqType": kind.to_string(), "rvcParams": params });
            (status, failure) = match commands::control(&mut self.car, &body, now_s) {
                Ok(_) => (2, 0),
                Err(_) => (3, 33),
            };
        }
        let state = self.status(now_s);
        ControlAnswer {
            kind: request.kind.clone(),
            status: vec![status],
            failure: Some(failure),
            position: state.position,
            basic: state.basic,
        }
    }

    fn status(&self, now_s: u64) -> Status {
        let basic = report::basic(&self.car, now_s);
        let number = |name: &str| basic[name].as_i64().unwrap_or(0);
        let on = |name: &str| number(name) > 0;
        let byte = |name: &str| u8::try_from(number(name)).unwrap_or(u8::MAX);
        let wide = |name: &str| u32::try_from(number(name)).unwrap_or(0);
        let short = |name: &str| u16::try_from(number(name)).unwrap_or(u16::MAX);
        let tyre = |name: &str| Some((number(name) as f64 * TYRE_FACTOR).round() as u8);
        let degrees = |name: &str| i8::try_from(number(name)).unwrap_or(i8::MIN);
        Status {
            status_at_s: u32::try_from(now_s).unwrap_or(0),
            position: self.position(now_s),
            basic: BasicStatus {
                boot_open: on("bootStatus"),
                locked: on("lockStatus"),
                driver_window_open: Some(on("driverWindow")),
                passenger_window_open: Some(on("passengerWindow")),
                rear_left_window_open: Some(on("rearLeftWindow")),
                rear_right_window_open: Some(on("rearRightWindow")),
                sunroof_open: Some(on("sunroofStatus")),
                tyre_front_right: tyre("frontRightTyrePressure"),
                tyre_front_left: tyre("frontLeftTyrePressure"),
                tyre_rear_right: tyre("rearRightTyrePressure"),
                tyre_rear_left: tyre("rearLeftTyrePressure"),
                tyre_monitor: Some(0),
                side_light_on: on("sideLightStatus"),
                dipped_beam_on: on("dippedBeamStatus"),
                alarm_status: Some(byte("vehicleAlarmStatus")),
                engine_status: byte("engineStatus"),
                power_mode: byte("powerMode"),
                last_key_seen: short("lastKeySeen"),
                journey_distance_deci_km: short("currentJourneyDistance"),
                journey_id: wide("currentJourneyId"),
                interior_temperature_c: degrees("interiorTemperature"),
                exterior_temperature_c: degrees("exteriorTemperature"),
                fuel_percent: byte("fuelLevelPrc"),
                range_deci_km: short("fuelRange"),
                climate: byte("remoteClimateStatus"),
                seat_heating_front_left: Some(byte("frontLeftSeatHeatLevel")),
                seat_heating_front_right: Some(byte("frontRightSeatHeatLevel")),
                can_bus_active: on("canBusActive"),
                last_can_activity_s: wide("timeOfLastCANBUSActivity"),
                odometer_deci_km: wide("mileage"),
                aux_battery_voltage_deci_v: short("batteryVoltage"),
                hand_brake: on("handBrake"),
                ..BasicStatus::default()
            },
            alerts: None,
        }
    }

    fn charging(&self, now_s: u64) -> ChargeStatus {
        let data = report::charging(&self.car);
        let number = |part: &str, name: &str| {
            let number = data[part][name].as_i64().unwrap_or(0);
            u32::try_from(number).unwrap_or(0)
        };
        let rvs = |name: &str| number("rvsChargeStatus", name);
        let short = |name: &str| u16::try_from(rvs(name)).unwrap_or(u16::MAX);
        let pack = |name: &str| u16::try_from(number("chrgMgmtData", name)).unwrap_or(u16::MAX);
        ChargeStatus {
            status_at_s: u32::try_from(now_s).unwrap_or(0),
            position: self.position(now_s),
            charge: Charge {
                energy_raw: short("realtimePower"),
                soc_deci_percent: Some(pack("bmsPackSOCDsp")),
                charging: self.car.is_charging(),
                cable_connected: rvs("chargingGunState") > 0,
                range_deci_km: short("fuelRangeElec"),
                charging_type_raw: short("chargingType") as u8,
                minutes_left: Some(if self.car.is_charging() {
                    pack("chrgngRmnngTime")
                } else {
                    u16::MAX
                }),
                started_at_s: Some(rvs("startTime")),
                ended_at_s: Some(rvs("endTime")),
                current_raw: pack("bmsPackCrnt"),
                voltage_raw: pack("bmsPackVol"),
                working_current_raw: Some(short("workingCurrent")),
                working_voltage_raw: Some(short("workingVoltage") / 10),
                distance_since_charge_deci_km: Some(short("mileageSinceLastCharge")),
                energy_used_since_charge_raw: Some(short("powerUsageSinceLastCharge")),
                duration_s: Some(rvs("chargingDuration")),
                energy_after_last_charge_raw: Some(short("lastChargeEndingPower")),
                odometer_deci_km: rvs("mileage"),
                ..Charge::default()
            },
        }
    }

    fn position(&self, now_s: u64) -> Position {
        let position = report::position(&self.car, now_s);
        let way = &position["wayPoint"];
        let number = |from: &Value, name: &str| {
            let number = from[name].as_i64().unwrap_or(0);
            i32::try_from(number).unwrap_or(0)
        };
        Position {
            way_point: WayPoint {
                coordinates: Coordinates {
                    latitude_micro_deg: number(&way["position"], "latitude"),
                    longitude_micro_deg: number(&way["position"], "longitude"),
                    altitude_m: 34,
                },
                heading_deg: number(way, "heading") as u16,
                speed_deci_kmh: number(way, "speed") as i16,
                hdop_raw: 8,
                satellites: 11,
            },
            at_s: u32::try_from(now_s).unwrap_or(0),
            fix: 3,
        }
    }

    fn gateway(&self, request: &HttpRequest, path: &str, now_ms: u64) -> Response {
        let header = |name| request.header(name).unwrap_or_default();
        let content_type = header("ORIGINAL-CONTENT-TYPE");
        let sent_ms = header("APP-SEND-DATE").parse().unwrap_or(0);
        let signature = gateway_signature(path, sent_ms, content_type);
        if header("APP-VERIFICATION-STRING") != signature || request.method != "GET" {
            return plain(400, &json!({ "code": 400, "message": "bad signature" }));
        }
        let known = request.header("APP-LOGIN-TOKEN") == self.session.as_deref();
        let vin = &self.config.car.vin;
        let of_car = |path: &str| format!("{path}?vin={vin}");
        let data = match path {
            _ if !known || self.session.is_none() => json!({ "code": 7, "message": "log in" }),
            "/vehicle/userVinList" => json!({ "code": 0, "message": "success", "data": [{
                "vin": vin, "brandName": "MG", "modelName": self.config.car.model,
                "series": self.config.car.series, "modelYear": "2025",
            }] }),
            _ if path == of_car("/vehicle/feature/list") => json!({ "code": 0, "data": {
                "configuration": { "S61": "1", "T11": "1", "WINDOW": "1111" },
            } }),
            _ if path == of_car("/vehicle/service/subscription")
                || path == of_car("/navi/vehicle/co2info")
                || path == of_car("/navi/vehicle/co2info/supplementInfo") =>
            {
                json!({ "code": 0, "message": "success" })
            }
            _ => json!({ "code": 404, "message": "no such path" }),
        };
        wire::seal(&data.to_string(), content_type, now_ms)
    }
}
