//! BMW's simulated clouds as servers.

use axum::http::request::Parts;
use bimmer::http::{Method, Request, Response};
use bimmer::simulator::{Car, CarDataCloud, Drive, MyBmwCloud};
use bimmer::types::Vin;
use chrono::Utc;

use super::{Answer, Cloud};

pub use stream::Stream;

mod stream;

/// Who the clouds let in.
pub const USER: &str = "driver@example.com";
/// With this password.
pub const PASSWORD: &str = "simulated";
/// And any captcha token that begins so, once.
pub const CAPTCHA_TOKEN: &str = "P1_";
/// The one CarData client.
pub const CLIENT_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// The path of the page on which a user confirms a device code.
const CONFIRM: &str = "/oneid/link";

/// The app's cloud, on the clock of this computer.
#[derive(Debug)]
pub struct MyBmw(pub MyBmwCloud);

impl MyBmw {
    /// With a car of each kind. The same seed gives the same course of things.
    pub fn new(seed: u64) -> Self {
        Self::with_cars(cars(), seed)
    }

    /// With these cars.
    pub fn with_cars(cars: Vec<Car>, seed: u64) -> Self {
        Self(MyBmwCloud::new(USER, PASSWORD, cars, seed))
    }
}

impl Cloud for MyBmw {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        match request(head, body) {
            Some(request) => answer(self.0.handle(&request, Utc::now())),
            None => not_allowed(),
        }
    }
}

/// CarData, on the clock of this computer. A device code is confirmed by its
/// page, or by itself when the client asks for the second time.
#[derive(Debug)]
pub struct CarData {
    /// The cloud itself.
    pub cloud: CarDataCloud,
    /// Questions after a code, by the body that asks.
    asked: Option<String>,
    user_code: Option<String>,
}

impl CarData {
    /// With a car of each kind. The same seed gives the same course of things.
    pub fn new(seed: u64) -> Self {
        Self::with_cars(cars(), seed)
    }

    /// With these cars.
    pub fn with_cars(cars: Vec<Car>, seed: u64) -> Self {
        Self {
            cloud: CarDataCloud::new(CLIENT_ID, cars, seed),
            asked: None,
            user_code: None,
        }
    }

    /// Where its user is sent is this server, not BMW's.
    fn begun(&mut self, request: &Request, response: &mut Response) {
        let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(&response.body) else {
            return;
        };
        if let Some(code) = json["user_code"].as_str() {
            self.user_code = Some(code.to_owned());
            let base = request.url.split("/gcdm").next().unwrap_or_default();
            json["verification_uri"] = format!("{base}{CONFIRM}").into();
            response.body = json.to_string().into_bytes();
        }
    }

    fn confirm_when_asked_twice(&mut self, request: &Request) {
        if !request.body.contains("device_code") {
            return;
        }
        if self.asked.replace(request.body.clone()) == Some(request.body.clone())
            && let Some(code) = self.user_code.take()
        {
            self.cloud.confirm(&code);
        }
    }

    fn page(&mut self, query: &str) -> Answer {
        let code = query.strip_prefix("user_code=").unwrap_or_default();
        let (status, text) = match self.cloud.confirm(code) {
            true => (200, "confirmed\n"),
            false => (404, "there is no such code\n"),
        };
        Answer {
            status,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: text.as_bytes().to_vec(),
        }
    }
}

impl Cloud for CarData {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        if head.uri.path() == CONFIRM {
            return self.page(head.uri.query().unwrap_or_default());
        }
        let Some(request) = request(head, body) else {
            return not_allowed();
        };
        if head.uri.path() == "/gcdm/oauth/token" {
            self.confirm_when_asked_twice(&request);
        }
        let mut response = self.cloud.handle(&request, Utc::now());
        if head.uri.path() == "/gcdm/oauth/device/code" {
            self.begun(&request, &mut response);
        }
        answer(response)
    }
}

/// A battery car, a plug-in hybrid, a combustion car, and a battery MINI.
pub fn cars() -> Vec<Car> {
    let car =
        |vin: &str, brand: &str, model: &str| Vin::new(vin).map(|vin| Car::new(vin, brand, model));
    [
        car("WBA00SIM000000001", "BMW_I", "i4 Simulated"),
        car("WBA00SIM000000002", "BMW", "330e Simulated")
            .map(|car| car.with_drive(Drive::PluginHybrid)),
        car("WBA00SIM000000003", "BMW", "320d Simulated")
            .map(|car| car.with_drive(Drive::Combustion)),
        car("WMW00SIM000000004", "MINI", "Cooper Simulated"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `None` for methods that neither cloud knows.
fn request(head: &Parts, body: &[u8]) -> Option<Request> {
    let method = match head.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => return None,
    };
    let host = head.headers.get("host");
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(method, format!("http://{host}{path}"));
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        request = request.with_header(name.to_string(), value);
    }
    request.body = String::from_utf8_lossy(body).into_owned();
    Some(request)
}

fn answer(response: Response) -> Answer {
    Answer {
        status: response.status,
        headers: response.headers,
        body: response.body,
    }
}

fn not_allowed() -> Answer {
    Answer {
        status: 405,
        ..Answer::default()
    }
}
