//! The cloud in memory, with cars that live, for tests and demonstrations.
//! **Unstable**: this module may change in any release.
//!
//! A [`Cloud`] is a state machine without a network and without a clock: a
//! request and the time go in, a response comes out. Cars charge, drive, sleep
//! and lose their signal by a plan and a seed, so that two runs with the same
//! seed and the same requests are equal. It speaks the encrypted protocol and
//! was written from the protocol's description, not from the rest of this
//! crate.
//!
//! ```
//! use saic_ismart::simulator::{Cloud, CloudConfig, InProcess};
//! use saic_ismart::{Client, Credentials, Region};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), saic_ismart::Error> {
//! let cloud = InProcess::new(Cloud::new(CloudConfig::default(), 7));
//! let demo = Credentials::email("demo@example.com", "demo-password");
//! let client = Client::builder(Region::Europe, demo).transport(cloud).build()?;
//! for car in client.vehicles().await? {
//!     println!("{:?}", car.model);
//! }
//! # Ok(())
//! # }
//! ```

mod account;
mod car;
mod commands;
mod config;
mod in_process;
#[cfg(feature = "india")]
mod india;
mod mailbox;
mod random;
mod report;
mod routes;
mod wire;

use serde_json::{Value, json};

pub use config::{Activity, CarConfig, CloudConfig, Faults, Phase};
pub use in_process::{InProcess, Peer};
#[cfg(feature = "india")]
pub use india::{IndiaCloud, IndiaConfig};

use crate::http::Response;
use account::Account;
use car::{Car, Happening};
use mailbox::Mailbox;
use random::Random;

/// A request as a server receives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// In capitals.
    pub method: String,
    /// Path and query as on the wire.
    pub target: String,
    /// Names, in any case, and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Where the API lives on a host.
pub const BASE_PATH: &str = "/api.app/v1";

/// A simulated cloud with one account.
#[derive(Debug, Clone)]
pub struct Cloud {
    config: CloudConfig,
    account: Account,
    mailbox: Mailbox,
    garage: Vec<Garage>,
    random: Random,
    next_event: u64,
    last_ms: Option<u64>,
    live_calls: u64,
}

/// A car, and what the cloud keeps about it.
#[derive(Debug, Clone)]
struct Garage {
    car: Car,
    hash: String,
    cache: Value,
    alarm_switches: Vec<(i64, bool)>,
    event: Option<Event>,
}

/// A call that a car has not answered yet, or just has.
#[derive(Debug, Clone)]
struct Event {
    id: String,
    path: String,
    body: Value,
    ready_ms: u64,
    ends_ms: u64,
    outcome: Option<Outcome>,
}

/// How long an answered event can be asked for.
const EVENT_KEPT_MS: u64 = 5 * 60 * 1000;

/// What an endpoint answers.
#[derive(Debug, Clone)]
enum Outcome {
    Data(Value),
    Done,
    Code(i64, String),
}

impl Cloud {
    /// Nobody is logged in. The same seed gives the same course of things.
    #[must_use]
    pub fn new(config: CloudConfig, seed: u64) -> Self {
        let garage = config
            .cars
            .iter()
            .zip(seed..)
            .map(|(car, seed)| Garage {
                hash: wire::vin_hash(&car.vin),
                car: Car::new(car.clone(), seed),
                cache: Value::Null,
                alarm_switches: (0..=6).map(|kind| (kind, false)).collect(),
                event: None,
            })
            .collect();
        Self {
            config,
            account: Account::default(),
            mailbox: Mailbox::default(),
            garage,
            random: Random::new(seed),
            next_event: 1_000,
            last_ms: None,
            live_calls: 0,
        }
    }

    /// Answers a request at this time, Unix time in ms. Any bytes are answered.
    pub fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        self.advance(now_ms);
        let Some(path) = request
            .target
            .strip_prefix(BASE_PATH)
            .filter(|p| p.starts_with('/'))
        else {
            return plain(404, &json!({ "code": 404, "message": "no such path" }));
        };
        let opened = match wire::open(request, path, now_ms) {
            Ok(opened) => opened,
            Err(refusal) => {
                let message = format!("request refused: {refusal:?}");
                return plain(400, &json!({ "code": 2, "message": message }));
            }
        };
        if let Some(disturbed) = self.disturb() {
            return disturbed;
        }
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let mut event_id = None;
        let outcome = if self.random.happens(self.config.faults.unavailable) {
            Outcome::Code(
                6,
                "The service is not available,please try again later.".to_owned(),
            )
        } else if route == "/oauth/token" {
            self.login(request, &opened.body, now_ms)
        } else if !self.account.accepts(&opened.token, now_ms) {
            let message = "Token missing, Authentication failed!";
            return plain(401, &json!({ "code": 401, "message": message }));
        } else {
            let call = routes::Call {
                method: &request.method,
                route,
                query,
                body: serde_json::from_str(&opened.body).unwrap_or(Value::Null),
                event_id: request.header("event-id").unwrap_or("0"),
            };
            let (outcome, event) = self.answer(&call, now_ms);
            event_id = event;
            outcome
        };
        let body = match outcome {
            Outcome::Data(data) => json!({ "code": 0, "message": "success", "data": data }),
            Outcome::Done => json!({ "code": 0, "message": "success" }),
            Outcome::Code(code, message) => json!({ "code": code, "message": message }),
        };
        let mut response = wire::seal(&body.to_string(), &opened.content_type, now_ms);
        if let Some(id) = event_id {
            response.headers.push(("event-id".to_owned(), id));
        }
        self.damage(&mut response);
        response
    }

    /// Somebody else logs in to the account: the session of the client ends.
    pub fn log_in_elsewhere(&mut self) {
        self.account.end_session();
    }

    /// Whether a signal reaches a car, by its place in the configuration.
    pub fn set_signal(&mut self, car: usize, signal: bool) {
        if let Some(garage) = self.garage.get_mut(car) {
            garage.car.signal = signal;
        }
    }

    /// How often somebody logged in.
    #[must_use]
    pub const fn logins(&self) -> u64 {
        self.account.logins()
    }

    /// How often a car was asked or told something; requests that poll do not count.
    #[must_use]
    pub const fn live_calls(&self) -> u64 {
        self.live_calls
    }

    /// Mends or breaks the cloud.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    /// Lets time pass for the cars. [`handle`](Self::handle) does so, too.
    pub fn advance(&mut self, now_ms: u64) {
        let elapsed_ms = self.last_ms.map_or(0, |last| now_ms.saturating_sub(last));
        self.last_ms = Some(self.last_ms.unwrap_or(now_ms).max(now_ms));
        let elapsed_s = elapsed_ms as f64 / 1_000.0;
        let pace = self.config.pace.max(0.0);
        let now_s = now_ms / 1_000;
        for garage in &mut self.garage {
            let happenings = garage.car.advance(elapsed_s, pace, now_s);
            let mut reports = garage.cache.is_null();
            for (happening, at_s) in happenings {
                match happening {
                    Happening::Started if garage.alarm_is_on(3) => {
                        let config = &garage.car.config;
                        self.mailbox
                            .vehicle_started(&config.vin, &config.name, at_s);
                    }
                    Happening::Started => {}
                    Happening::Reported => reports |= garage.car.is_reachable(),
                }
            }
            if reports {
                garage.cache = report::cached(&garage.car, now_s);
            }
        }
    }

    fn login(&mut self, request: &HttpRequest, form: &str, now_ms: u64) -> Outcome {
        // `sword:sword_secret`, the app itself.
        let app = request.header("Authorization") == Some("Basic c3dvcmQ6c3dvcmRfc2VjcmV0");
        if request.method != "POST" || !app {
            return Outcome::Code(401, "Token missing, Authentication failed!".to_owned());
        }
        match self
            .account
            .login(form, &self.config, &mut self.random, now_ms)
        {
            Ok(data) => Outcome::Data(data),
            Err((code, message)) => Outcome::Code(code, message),
        }
    }

    /// Answers that are no answers.
    fn disturb(&mut self) -> Option<Response> {
        let faults = self.config.faults.clone();
        let page = |status| Response {
            status,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: b"<html><body>Service maintenance</body></html>".to_vec(),
        };
        if self.random.happens(faults.server_error) {
            return Some(page(500));
        }
        self.random.happens(faults.web_page).then(|| page(200))
    }

    fn damage(&mut self, response: &mut Response) {
        if self.random.happens(self.config.faults.half_body) {
            response.body.truncate(response.body.len() / 2);
        }
        if self.random.happens(self.config.faults.bad_signature) {
            for (name, value) in &mut response.headers {
                if name == "APP-VERIFICATION-STRING" {
                    *value = "0".repeat(64);
                }
            }
        }
    }
}

impl Garage {
    fn alarm_is_on(&self, kind: i64) -> bool {
        self.alarm_switches.contains(&(kind, true))
    }
}

fn plain(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}
