//! Wallboxes on the same broker: what their topics say about a car, and what
//! they are told about it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::mapping;

/// A wallbox that charges one car; an entry of `charging-stations.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargingStation {
    /// Says whether it charges.
    pub charge_state_topic: String,
    /// What it says while it does.
    #[serde(deserialize_with = "plain")]
    pub charging_value: String,
    /// Is told the state of charge, percent.
    #[serde(default)]
    pub soc_topic: Option<String>,
    /// Is told when that was measured, Unix time in s.
    #[serde(default)]
    pub soc_ts_topic: Option<String>,
    /// Is told the electric range, km.
    #[serde(default)]
    pub range_topic: Option<String>,
    /// Says whether the plug is in.
    #[serde(default)]
    pub charger_connected_topic: Option<String>,
    /// What it says while it is.
    #[serde(default, deserialize_with = "optional_plain")]
    pub charger_connected_value: Option<String>,
    /// Its energy meter, Wh.
    #[serde(default)]
    pub imported_energy_topic: Option<String>,
    /// The car.
    pub vin: String,
}

/// What a message of a wallbox is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whether it charges.
    ChargeState,
    /// Whether the plug is in.
    Connected,
    /// Its energy meter.
    ImportedEnergy,
}

impl ChargingStation {
    /// openWB 1.9, by the number of its loading point.
    pub fn loading_point(number: &str, vin: String) -> Self {
        Self {
            charge_state_topic: format!("openWB/lp/{number}/boolChargeStat"),
            charging_value: "1".to_owned(),
            soc_topic: Some(format!("openWB/set/lp/{number}/%Soc")),
            soc_ts_topic: None,
            range_topic: None,
            charger_connected_topic: None,
            charger_connected_value: None,
            imported_energy_topic: None,
            vin,
        }
    }

    /// The topics to listen to.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, Subject)> {
        let more = [
            (&self.charger_connected_topic, Subject::Connected),
            (&self.imported_energy_topic, Subject::ImportedEnergy),
        ];
        let more = more
            .into_iter()
            .filter_map(|(topic, subject)| Some((topic.as_deref()?, subject)));
        std::iter::once((self.charge_state_topic.as_str(), Subject::ChargeState)).chain(more)
    }
}

/// The stations of a file, by VIN: the last entry for a car counts.
///
/// # Errors
/// What is wrong with the file.
pub fn read(json: &str) -> Result<BTreeMap<String, ChargingStation>, String> {
    let stations: Vec<ChargingStation> =
        serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut by_vin = BTreeMap::new();
    for mut station in stations {
        station.vin = mapping::vin(&station.vin)?;
        let written = [
            &station.soc_topic,
            &station.soc_ts_topic,
            &station.range_topic,
        ];
        let topics = station.subscriptions().map(|(topic, _)| topic);
        for topic in topics.chain(written.into_iter().flatten().map(String::as_str)) {
            if topic.is_empty() || topic.contains(['+', '#', '\0']) {
                return Err(format!("`{topic}` is no topic"));
            }
        }
        by_vin.insert(station.vin.clone(), station);
    }
    Ok(by_vin)
}

/// Text, or what people write without quotes.
fn plain<'de, D: serde::Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    let text = optional_plain(json)?;
    text.ok_or_else(|| serde::de::Error::custom("a plain value is expected"))
}

fn optional_plain<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<String>, D::Error> {
    match serde_json::Value::deserialize(json)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(text)),
        plain @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_)) => {
            Ok(Some(plain.to_string()))
        }
        _ => Err(serde::de::Error::custom("a plain value is expected")),
    }
}

/// When the energy meter of a wallbox is worth a poll: each time that this
/// share of the battery has come in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnergyMeter {
    last_wh: Option<f64>,
    threshold_wh: f64,
}

impl EnergyMeter {
    /// Takes a payload. True if the car should be asked.
    pub fn imported(&mut self, payload: &str, min_percent: f64, capacity_kwh: Option<f64>) -> bool {
        let reading: Option<f64> = payload
            .trim()
            .parse()
            .ok()
            .filter(|wh: &f64| wh.is_finite());
        let (Some(wh), Some(capacity)) = (reading, capacity_kwh) else {
            return false;
        };
        let step = (min_percent * capacity * 10.0).ceil();
        if step.is_nan() || step <= 0.0 {
            return false;
        }
        // The first one, or the meter of a new day.
        let fresh = self.last_wh.is_none_or(|last| wh < last);
        self.last_wh = Some(wh);
        let due = !fresh && wh >= self.threshold_wh;
        if fresh || due {
            self.threshold_wh = wh + step;
        }
        due
    }

    /// The plug was pulled or put in: what comes next is another charge.
    pub fn start_over(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str =
        include_str!("../../../packaging/saic-mqtt-gateway/charging-stations.json");

    #[test]
    fn the_sample_is_openwb_2() {
        let stations = read(SAMPLE).unwrap();
        let station = &stations["LSJTEST0000000001"];
        assert_eq!(station.charging_value, "true");
        let topics: Vec<_> = station.subscriptions().collect();
        assert_eq!(
            topics,
            [
                (
                    "openWB/chargepoint/2/get/charge_state",
                    Subject::ChargeState
                ),
                ("openWB/chargepoint/2/get/plug_state", Subject::Connected),
                ("openWB/chargepoint/2/get/imported", Subject::ImportedEnergy),
            ]
        );
        assert_eq!(
            station.soc_topic.as_deref(),
            Some("openWB/set/vehicle/2/get/soc")
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (json, why) in [
            ("{", "expected a sequence"),
            (
                r#"[{"vin":"LSJTEST0000000001"}]"#,
                "missing field `chargeStateTopic`",
            ),
            (
                r#"[{"chargeStateTopic":"a/#","chargingValue":1,"vin":"LSJTEST0000000001"}]"#,
                "`a/#` is no topic",
            ),
            (
                r#"[{"chargeStateTopic":"a","chargingValue":1,"vin":"x"}]"#,
                "`X` is no VIN",
            ),
            (
                r#"[{"chargeStateTopic":"a","chargingValue":[],"vin":"x"}]"#,
                "a plain value",
            ),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
        assert!(read("[]").unwrap().is_empty());
        let nulls = r#"[{"chargeStateTopic":"a","chargingValue":1,"socTopic":null,"chargerConnectedTopic":null,
            "chargerConnectedValue":null,"vin":"LSJTEST0000000001"}]"#;
        assert_eq!(
            read(nulls).unwrap()["LSJTEST0000000001"].charger_connected_value,
            None
        );
    }

    #[test]
    fn a_loading_point_is_openwb_1_9() {
        let station = ChargingStation::loading_point("1", "LSJTEST0000000001".to_owned());
        assert_eq!(station.charge_state_topic, "openWB/lp/1/boolChargeStat");
        assert_eq!(station.soc_topic.as_deref(), Some("openWB/set/lp/1/%Soc"));
    }

    #[test]
    fn a_share_of_the_battery_is_worth_a_poll() {
        let mut meter = EnergyMeter::default();
        let mut polls = |payload| meter.imported(payload, 1.0, Some(64.0));
        for (payload, poll) in [
            ("1000", false),
            ("1639", false),
            ("1640", true),
            ("1700.5", false),
            ("nan", false),
            ("x", false),
            ("2280", true),
            ("5", false),
            ("644", false),
            ("645", true),
        ] {
            assert_eq!(polls(payload), poll, "{payload}");
        }
        assert!(!meter.imported("9999", 0.0, Some(64.0)));
        assert!(!meter.imported("9999", 1.0, None));
    }
}
