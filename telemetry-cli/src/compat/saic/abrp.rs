//! A Better Routeplanner: told after every poll, if the user has given a token
//! for the car.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::car::Answer;
use super::options;
use super::pace::Pace;
use super::raw;
use super::shared::Shared;
use super::telemetry::{is_charging, odometer_km, pack, range_km, speed_kmh, time};
use super::text;
use crate::config::Secret;

/// What a car is to ABRP.
#[derive(Debug)]
pub struct Abrp {
    uri: String,
    api_key: String,
    token: Secret,
    raw: bool,
    pace: Pace,
}

/// In the order of the original.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Telemetry {
    utc: i64,
    #[serde(flatten)]
    soc: Option<Soc>,
    #[serde(flatten)]
    pack: Option<Pack>,
    is_parked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext_temp: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    odometer: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    est_battery_range: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elevation: Option<i16>,
    #[serde(flatten)]
    place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_dcfc: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cabin_temp: Option<i8>,
    #[serde(flatten)]
    tyres: Tyres,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Soc {
    soc: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Pack {
    power: f64,
    voltage: f64,
    current: f64,
    is_charging: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Place {
    lat: f64,
    lon: f64,
}

/// kPa.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Tyres {
    #[serde(skip_serializing_if = "Option::is_none")]
    tire_pressure_fl: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tire_pressure_fr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tire_pressure_rl: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tire_pressure_rr: Option<f64>,
}

/// The message; none without charging data.
pub fn message(answer: &Answer, capacity_kwh: Option<f64>, now: DateTime<Utc>) -> Option<String> {
    let data = answer.charging.as_ref()?;
    let (status, basic) = (&answer.status, &answer.status.basic);
    let pack = pack(answer).map(|pack| Pack {
        power: pack.power,
        voltage: pack.voltage,
        current: pack.current,
        is_charging: is_charging(answer, pack),
    });
    let place = status.position.latitude_longitude_deg();
    let kpa = basic
        .tyre_pressures_bar()
        .map(|bar| bar.map(|bar| text::rounded(bar * 100.0, 0)));
    let [fl, fr, rl, rr] = kpa;
    let telemetry = Telemetry {
        utc: time(status, now).timestamp(),
        soc: data.management.soc_percent().map(|soc| Soc { soc }),
        is_dcfc: pack.as_ref().filter(|pack| pack.is_charging).map(|_| {
            data.management
                .state
                .is_some_and(|state| matches!(state.code(), 10 | 11))
        }),
        pack,
        is_parked: basic.is_parked(),
        ext_temp: basic.exterior_temperature_c,
        odometer: odometer_km(answer),
        speed: speed_kmh(status),
        est_battery_range: range_km(answer),
        heading: status.position.heading_deg(),
        elevation: status.position.altitude_m(),
        place: place.map(|(lat, lon)| Place { lat, lon }),
        capacity: capacity_kwh,
        cabin_temp: basic.interior_temperature_c,
        tyres: Tyres {
            tire_pressure_fl: fl,
            tire_pressure_fr: fr,
            tire_pressure_rl: rl,
            tire_pressure_rr: rr,
        },
    };
    serde_json::to_string(&telemetry).ok()
}

impl Abrp {
    /// For a car with a token.
    pub fn new(options: &options::Abrp, vin: &str) -> Option<Self> {
        Some(Self {
            uri: options.uri.trim_end_matches('/').to_owned(),
            api_key: options.api_key.clone(),
            token: options.tokens.get(vin)?.clone(),
            raw: options.raw,
            pace: Pace::default(),
        })
    }

    /// Tells it. What it answers, or why it was told nothing; none if it is
    /// too early.
    pub async fn send(
        &mut self,
        shared: &Shared,
        answer: &Answer,
        capacity_kwh: Option<f64>,
        now: DateTime<Utc>,
    ) -> Option<String> {
        if !self.pace.allows(now) {
            return None;
        }
        let Some(message) = message(answer, capacity_kwh, now) else {
            return Some("ABRP request skipped: the car gave no charging data".to_owned());
        };
        let said = self.post(shared, &message).await;
        self.pace.sent(said.is_ok(), now);
        Some(said.unwrap_or_else(|why| {
            tracing::warn!("ABRP: {why}");
            why
        }))
    }

    async fn post(&self, shared: &Shared, message: &str) -> Result<String, String> {
        let token = self
            .token
            .reveal()
            .map_err(|error| format!("the user's token: {error}"))?;
        let url = reqwest::Url::parse_with_params(
            &format!("{}/1/tlm/send", self.uri),
            [("token", token.expose_secret()), ("tlm", message)],
        );
        let url = url.map_err(|error| format!("its address: {error}"))?;
        let request = shared
            .http
            .post(url)
            .header("Authorization", format!("APIKEY {}", self.api_key));
        let service = self.raw.then_some("abrp");
        let (status, body) = raw::send(shared, service, request).await?;
        match (status.is_success(), is_refusal(&body)) {
            (true, false) => Ok(shortened(&body)),
            (true, true) => Err(shortened(&body)),
            (false, _) => Err(format!("HTTP {}: {}", status.as_u16(), shortened(&body))),
        }
    }
}

/// Whether the answer itself says that the message was not taken.
fn is_refusal(body: &str) -> bool {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    answer["status"]
        .as_str()
        .is_some_and(|status| status != "ok")
}

fn shortened(body: &str) -> String {
    body.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::super::telemetry::tests::{changed, golden};
    use super::*;

    fn sent(answer: &Answer) -> serde_json::Value {
        let now = DateTime::from_timestamp(1_795_208_450, 0).unwrap();
        serde_json::from_str(&message(answer, Some(64.0), now).unwrap()).unwrap()
    }

    #[test]
    fn the_golden_vector_is_told_as_by_the_original_and_more() {
        let said = sent(&golden());
        assert!((said["power"].as_f64().unwrap() - -7.0605).abs() < 1e-9);
        let mut said = said.as_object().unwrap().clone();
        said.remove("power");
        assert_eq!(
            serde_json::Value::from(said),
            serde_json::json!({"utc": 1_795_208_448, "soc": 53.8, "voltage": 392.25, "current": -18.0,
                "is_charging": true, "is_parked": true, "ext_temp": -3, "odometer": 12345.6, "speed": 0.0,
                "est_battery_range": 250.0, "heading": 271, "elevation": 34, "lat": 52.520_008, "lon": 13.404_954,
                "is_dcfc": false, "capacity": 64.0, "cabin_temp": 21, "tire_pressure_fl": 264.0,
                "tire_pressure_fr": 268.0, "tire_pressure_rl": 260.0})
        );
    }

    #[test]
    fn a_refusal_is_none_of_http() {
        for (body, refusal) in [
            (r#"{"status":"ok","missing":""}"#, false),
            (r#"{"status":"error","errors":["Unknown token"]}"#, true),
            ("taken", false),
            ("[]", false),
            (r#"{"status":7}"#, false),
        ] {
            assert_eq!(is_refusal(body), refusal, "{body}");
        }
    }

    #[test]
    fn what_is_not_plausible_is_left_out() {
        for (from, to, key) in [
            (r#""bmsPackSOCDsp": 538"#, r#""bmsPackSOCDsp": 1023"#, "soc"),
            (
                r#""exteriorTemperature": -3"#,
                r#""exteriorTemperature": 87"#,
                "ext_temp",
            ),
            (r#""bmsPackCrntV": 0"#, r#""bmsPackCrntV": 1"#, "power"),
            (r#""gpsStatus": 3"#, r#""gpsStatus": 0"#, "lat"),
            (r#""mileage": 123456"#, r#""mileage": 0"#, "odometer"),
        ] {
            assert!(sent(&golden()).get(key).is_some());
            assert_eq!(sent(&changed(from, to)).get(key), None, "{key}");
        }
        let without = Answer {
            charging: None,
            ..golden()
        };
        assert_eq!(message(&without, None, Utc::now()), None);
    }
}
