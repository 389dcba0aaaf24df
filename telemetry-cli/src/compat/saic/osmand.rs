//! Servers that take OsmAnd's protocol, such as Traccar: told after every poll.

use chrono::{DateTime, Utc};

use super::car::Answer;
use super::options;
use super::pace::Pace;
use super::raw;
use super::shared::Shared;
use super::telemetry::{is_charging, odometer_km, pack, range_km, speed_kmh, time};
use super::text;

/// What a car is to such a server.
#[derive(Debug)]
pub struct Osmand {
    uri: String,
    device: String,
    knots: bool,
    raw: bool,
    pace: Pace,
}

/// km/h in a knot.
const KNOT: f64 = 1.852;

/// Names and values of the query.
pub fn query(
    answer: &Answer,
    device: &str,
    knots: bool,
    now: DateTime<Utc>,
) -> Vec<(&'static str, String)> {
    let (status, basic) = (&answer.status, &answer.status.basic);
    let speed = speed_kmh(status).map(|kmh| if knots { kmh / KNOT } else { kmh });
    let place = status.position.latitude_longitude_deg();
    let hdop = place.and(status.position.way_point.hdop_raw);
    let float = |value: Option<f64>| value.map(text::float);
    let mut query = vec![
        ("id", Some(device.to_owned())),
        ("timestamp", Some(time(status, now).timestamp().to_string())),
        ("is_parked", Some(basic.is_parked().to_string())),
        (
            "ext_temp",
            basic
                .exterior_temperature_c
                .map(|degrees| degrees.to_string()),
        ),
        (
            "odometer",
            // m.
            float(odometer_km(answer).map(|km| text::rounded(km * 1000.0, 0))),
        ),
        ("speed", float(speed)),
        (
            "heading",
            status
                .position
                .heading_deg()
                .map(|degrees| degrees.to_string()),
        ),
        (
            "altitude",
            status
                .position
                .altitude_m()
                .map(|metres| metres.to_string()),
        ),
        ("hdop", hdop.map(|hdop| hdop.to_string())),
        ("lat", float(place.map(|(latitude, _)| latitude))),
        ("lon", float(place.map(|(_, longitude)| longitude))),
    ];
    if let Some(data) = &answer.charging {
        let pack = pack(answer);
        let soc = data.management.soc_percent();
        let charging = pack.map(|pack| is_charging(answer, pack).to_string());
        query.extend([
            ("soc", float(soc)),
            (
                "power",
                float(pack.map(|pack| text::rounded(pack.power, 6))),
            ),
            ("voltage", float(pack.map(|pack| pack.voltage))),
            ("current", float(pack.map(|pack| pack.current))),
            ("is_charging", charging.clone()),
            ("est_battery_range", float(range_km(answer))),
            // What Traccar itself understands.
            ("batt", float(soc)),
            ("charge", charging),
        ]);
    }
    query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

impl Osmand {
    /// For a car.
    pub fn new(options: &options::Osmand, vin: &str) -> Self {
        Self {
            uri: options.uri.clone(),
            device: options
                .device_ids
                .get(vin)
                .cloned()
                .unwrap_or_else(|| vin.to_owned()),
            knots: options.knots,
            raw: options.raw,
            pace: Pace::default(),
        }
    }

    /// Tells it. What it answers, or why it was not reached; none if it is too
    /// early.
    pub async fn send(
        &mut self,
        shared: &Shared,
        answer: &Answer,
        now: DateTime<Utc>,
    ) -> Option<String> {
        if !self.pace.allows(now) {
            return None;
        }
        let query = query(answer, &self.device, self.knots, now);
        let said = self.post(shared, &query).await;
        self.pace.sent(said.is_ok(), now);
        Some(said.unwrap_or_else(|why| {
            tracing::warn!("OsmAnd server: {why}");
            why
        }))
    }

    async fn post(
        &self,
        shared: &Shared,
        query: &[(&'static str, String)],
    ) -> Result<String, String> {
        let url = reqwest::Url::parse_with_params(&self.uri, query)
            .map_err(|error| format!("its address: {error}"))?;
        let service = self.raw.then_some("osmand");
        let (status, body) = raw::send(shared, service, shared.http.post(url)).await?;
        let body: String = body.chars().take(500).collect();
        match status.is_success() {
            true => Ok(body),
            false => Err(format!("HTTP {}: {body}", status.as_u16())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::telemetry::tests::{changed, golden};
    use super::*;

    fn sent(answer: &Answer, knots: bool) -> String {
        let now = DateTime::from_timestamp(1_795_208_450, 0).unwrap();
        let url =
            reqwest::Url::parse_with_params("http://t/", query(answer, "DEV", knots, now)).unwrap();
        url.query().unwrap().to_owned()
    }

    #[test]
    fn the_golden_vector_is_told_as_by_the_original() {
        assert_eq!(
            sent(&golden(), false),
            "id=DEV&timestamp=1795208448&is_parked=true&ext_temp=-3&odometer=12345600.0&speed=0.0&heading=271\
             &altitude=34&hdop=8&lat=52.520008&lon=13.404954&soc=53.8&power=-7.0605&voltage=392.25&current=-18.0\
             &is_charging=true&est_battery_range=250.0&batt=53.8&charge=true"
        );
    }

    #[test]
    fn a_car_that_drives_has_a_speed_and_without_fix_no_place() {
        let drives = changed(
            r#""engineStatus": 0, "handBrake": 1"#,
            r#""engineStatus": 1, "handBrake": 0"#,
        );
        assert!(sent(&drives, false).contains("&speed=51.2&"));
        assert!(sent(&drives, true).contains("&speed=27.64"));
        let blind = sent(&changed(r#""gpsStatus": 3"#, r#""gpsStatus": 1"#), true);
        for name in ["lat=", "heading=", "hdop="] {
            assert!(!blind.contains(name), "{name}");
        }
        let without = Answer {
            charging: None,
            ..golden()
        };
        assert!(!sent(&without, true).contains("soc="));
    }
}
