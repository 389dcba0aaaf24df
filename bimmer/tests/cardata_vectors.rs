//! Every vector of `data/cardata.json`.

use std::time::Duration;

use bimmer::cardata::device_flow::{Pending, Step};
use bimmer::cardata::soc::{
    ChargeKind, ChargingSession, Condition, DrivingSession, Efficiency, learned_rate,
};
use bimmer::cardata::stream::StreamMessage;
use bimmer::cardata::{
    Action, Budget, ClimateActivity, Datum, ErrorId, IdClaims, IecStatus, MotionDetector, Overview,
    Source, TelematicData, Telemetry, Value, descriptor::DataType, descriptor::Descriptor,
    normal_unit, primary_vins, signature,
};
use bimmer::http::Response;
use bimmer::types::parse_time;
use bimmer::{LoginError, Pkce, Position, capture};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

fn vectors(name: &str) -> Json {
    let all: Json = serde_json::from_str(include_str!("data/cardata.json")).unwrap();
    all[name].clone()
}

fn rows(name: &str) -> Vec<Json> {
    vectors(name).as_array().unwrap().clone()
}

fn begin() -> DateTime<Utc> {
    parse_time("2026-03-01T10:00:00Z").unwrap()
}

fn at(step: &Json) -> DateTime<Utc> {
    begin() + TimeDelta::milliseconds((step["t"].as_f64().unwrap() * 1000.0) as i64)
}

#[track_caller]
fn close(actual: f64, expected: &Json, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (actual - expected).abs() < 0.000_06,
        "{what}: {actual}, not {expected}"
    );
}

#[test]
fn answers_to_a_device_login() {
    for row in rows("device_flow_token_poll") {
        let started = Response {
            status: 200,
            headers: Vec::new(),
            body: br#"{"user_code": "AbCd1234", "device_code": "d", "interval": 5}"#.to_vec(),
        };
        let pkce = Pkce::from_random(&[1; 64]);
        let mut pending = Pending::started(&started, pkce, begin()).unwrap();
        assert!(
            pending
                .verification_url_complete
                .ends_with("/oneid/link?user_code=AbCd1234")
        );
        let body = match &row["body"] {
            Json::String(text) => text.clone().into_bytes(),
            body => body.to_string().into_bytes(),
        };
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let answer = Response {
            status,
            headers: Vec::new(),
            body,
        };
        let step = pending.judge(Ok(&answer), begin());
        let action = row["action"].as_str().unwrap();
        let wait = Step::Wait(Duration::from_secs(5));
        match action.split([':', ',', '(']).next().unwrap().trim() {
            "done" => {
                let Step::Done(token) = step else {
                    panic!("{step:?}")
                };
                assert_eq!(token.access_token.expose(), "A");
                assert_eq!(token.refresh_token.expose(), "R");
                assert_eq!(token.gcid.as_deref(), row["body"]["gcid"].as_str());
                assert_eq!(token.expires_at, begin() + TimeDelta::seconds(3599));
            }
            "wait interval" => assert_eq!(step, wait),
            "interval += 5" => assert_eq!(step, Step::Wait(Duration::from_secs(10))),
            "retry" => {
                assert_eq!(step, wait);
                assert_eq!(pending.judge(Ok(&answer), begin()), wait);
                assert_eq!(pending.judge(Ok(&answer), begin()), wait);
                assert!(matches!(
                    pending.judge(Ok(&answer), begin()),
                    Step::Failed(LoginError::Unavailable { status: 503, .. })
                ));
            }
            "abort and start a new flow" => assert_eq!(step, Step::Failed(LoginError::CodeLost)),
            "abort" => {
                let Step::Failed(reason) = step else {
                    panic!("{step:?}")
                };
                let fits = match row["body"]["error"].as_str().unwrap() {
                    "access_denied" => reason == LoginError::Denied,
                    "expired_token" => reason == LoginError::CodeExpired,
                    "invalid_grant" => matches!(reason, LoginError::SessionEnded { .. }),
                    "invalid_client" => matches!(reason, LoginError::UnknownClient { .. }),
                    "invalid_request" => matches!(reason, LoginError::Malformed { .. }),
                    _ => false,
                };
                assert!(fits && !reason.is_retryable(), "{reason:?}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn claims_of_the_id_token() {
    let row = vectors("id_token");
    let claims = IdClaims::read(&row["jwt"].as_str().unwrap().into()).unwrap();
    let gcid = row["claims"]["gcid"].as_str().unwrap();
    assert_eq!(claims.gcid.as_deref(), Some(gcid));
    assert_eq!(
        claims.dynamic_scopes[0],
        row["claims"]["dynamic_scopes"][0].as_str().unwrap()
    );
    assert_eq!(
        claims.expires_at(),
        parse_time(row["expires_at"].as_str().unwrap())
    );
    let lead = claims.expires_at().unwrap() - bimmer::Token::MARGIN;
    assert_eq!(
        Some(lead),
        parse_time(row["reconnect_at_with_300s_lead"].as_str().unwrap())
    );
    claims.check_stream(gcid).unwrap();
    let other = claims.check_stream("11111111-bbbb-4ccc-8ddd-eeeeeeeeeeee");
    assert!(matches!(other, Err(LoginError::ScopeMissing { .. })));
}

#[test]
fn what_to_do_about_error_ids() {
    for row in rows("error_actions") {
        let id = ErrorId::new(row["exveErrorId"].as_str().unwrap());
        let expected = match row["action"].as_str().unwrap() {
            "reauthenticate" => Action::Login,
            "refresh token then retry once" => Action::Refresh,
            "scope missing: new device flow with explicit scope" => Action::LoginWithScope,
            "drop vin from polling" => Action::DropVehicle,
            "forget container id, list and recreate" => Action::RenewContainer,
            "input error" => Action::CorrectInput,
            "treat delete as success" => Action::AlreadyGone,
            "list containers, reuse or delete own old ones" => Action::TooManyContainers,
            "restart pagination" => Action::RestartPages,
            "no image" => Action::NoImage,
            "empty list" => Action::EmptyList,
            "remove the unknown descriptor" => Action::RemoveKey,
            "container too large or forbidden: retry with reduced descriptor set" => {
                Action::ReduceContainer
            }
            "quota cool-down" => Action::WaitForQuota,
            "retry with back-off" => Action::Retry,
            other => panic!("{other}"),
        };
        assert_eq!(id.action(), expected, "{}", id.as_str());
        assert!(!id.meaning().is_empty());
    }
}

#[test]
fn values_without_their_key() {
    for row in rows("value_typing") {
        let value = Value::read(&row["in"]);
        let out = &row["out"];
        match out["kind"].as_str().unwrap() {
            "null" => assert_eq!(value, None, "{row}"),
            "number" => assert_eq!(value, Some(Value::Number(out["value"].as_f64().unwrap()))),
            "bool" => assert_eq!(value, Some(Value::Bool(out["value"].as_bool().unwrap()))),
            "text" => assert_eq!(
                value,
                Some(Value::Text(out["value"].as_str().unwrap().into()))
            ),
            other => panic!("{other}"),
        }
    }
}

/// The vectors leave words of keys other than ASN ones as they are. Here the
/// catalogue knows more: two of them become truth values.
#[test]
fn truth_values_by_key() {
    for row in rows("boolean") {
        let key = row["descriptor"].as_str().unwrap();
        let value = Value::typed(key, &row["in"]);
        let expected = match (&row["out"], row["in"].as_str()) {
            (_, Some("OPEN")) => Some(Value::Bool(true)),
            (_, Some("false")) => Some(Value::Bool(false)),
            (Json::Null, _) => None,
            (Json::Bool(value), _) => Some(Value::Bool(*value)),
            (Json::String(text), _) => Some(Value::Text(text.clone())),
            (other, _) => panic!("{other}"),
        };
        assert_eq!(value, expected, "{row}");
    }
    let typed = |key, word: &str| Value::typed(key, &Json::from(word));
    assert_eq!(
        typed("vehicle.body.flap.isLocked", "FLAP_UNLOCKED"),
        Some(Value::Bool(false))
    );
    assert_eq!(
        typed("vehicle.body.flap.isLocked", "FLAP_LOCKED"),
        Some(Value::Bool(true))
    );
    let hospitality = "vehicle.body.chargingPort.isHospitalityActive";
    assert_eq!(
        typed(hospitality, "HOSPITALITY_INACTIVE"),
        Some(Value::Bool(false))
    );
    assert_eq!(
        typed(hospitality, "HOSPITALITY_ACTIVE"),
        Some(Value::Bool(true))
    );
    let session = "vehicle.body.chargingPort.isoSessionId";
    assert_eq!(typed(session, "00123"), Some(Value::Text("00123".into())));
}

#[test]
fn units() {
    for row in rows("unit") {
        let unit = row["in"].as_str().and_then(normal_unit);
        // Ours spells degrees out, too.
        let expected = row["out"]
            .as_str()
            .map(|unit| unit.replace("celsius", "°C"));
        assert_eq!(unit, expected, "{row}");
    }
}

#[test]
fn times() {
    for row in rows("timestamp_accept") {
        let accepted = parse_time(row["in"].as_str().unwrap()).is_some();
        assert_eq!(accepted, row["accepted"].as_bool().unwrap(), "{row}");
    }
}

#[test]
fn rest_and_stream_are_merged() {
    let mut telemetry = Telemetry::new();
    let now = begin() + TimeDelta::hours(1);
    for step in vectors("merge")["steps"].as_array().unwrap() {
        let body = step["message"].to_string();
        match step["source"].as_str().unwrap() {
            "rest" => {
                let data = TelematicData::read(body.as_bytes()).unwrap();
                telemetry.apply_rest(&data, now);
            }
            _ => {
                let message = StreamMessage::decode(body.as_bytes()).unwrap();
                telemetry.apply_stream(&message, now);
            }
        }
        let seen = Overview::of(&telemetry, now);
        let after = &step["after"];
        assert_eq!(
            seen.soc_percent.map(|soc| soc.value),
            after["battery"].as_f64()
        );
        let status = seen
            .charging_status
            .as_ref()
            .map(|status| status.value.as_str());
        assert_eq!(status, after["chargingstatus"].as_str());
        let target = seen.target_soc_percent.map(|target| target.value);
        assert_eq!(target, after["chargingtarget"].as_f64());
        assert_eq!(
            seen.plugged_in.map(|plug| plug.value),
            after["chargerconnected"].as_bool()
        );
        assert_eq!(
            seen.range_km.map(|range| range.value),
            after["remainingrange"].as_f64()
        );
        assert_eq!(
            seen.odometer_km.map(|km| km.value),
            after["mileage"].as_f64()
        );
        assert_eq!(
            seen.moving.map(|moving| moving.value),
            after["moving"].as_bool()
        );
        assert_eq!(
            seen.last_update,
            parse_time(after["last_update"].as_str().unwrap())
        );
    }
    let soc = telemetry
        .get("vehicle.drivetrain.batteryManagement.header")
        .unwrap();
    assert_eq!(
        (soc.source, soc.age(now)),
        (Source::Stream, TimeDelta::hours(1))
    );
}

fn telemetry_of(data: &Json) -> Telemetry {
    let mut telemetry = Telemetry::new();
    for (key, value) in data.as_object().unwrap() {
        let value = Some(value.clone()).filter(|value| !value.is_null());
        let datum = Datum {
            value,
            unit: None,
            timestamp: Some(begin()),
        };
        telemetry.apply(key, &datum, Source::Rest, begin());
    }
    telemetry
}

#[test]
fn state_of_the_socket() {
    for row in rows("status") {
        let seen = Overview::of(&telemetry_of(&row["data"]), begin()).iec_status;
        let expected = match row["iec_status"].as_str().unwrap() {
            "A" => Some(IecStatus::A),
            "B" => Some(IecStatus::B),
            "C" => Some(IecStatus::C),
            _ => None,
        };
        assert_eq!(seen, expected, "{row}");
    }
}

#[test]
fn usual_values() {
    for row in rows("values") {
        let seen = Overview::of(&telemetry_of(&row["data"]), begin());
        assert_eq!(
            seen.soc_percent.map(|soc| soc.value),
            row["soc"].as_f64(),
            "{row}"
        );
        assert_eq!(
            seen.range_km.map(|range| range.value),
            row["range"].as_f64(),
            "{row}"
        );
        let climate = seen
            .climate
            .map(|climate| climate.value != ClimateActivity::Off);
        assert_eq!(climate, row["climate_on"].as_bool(), "{row}");
    }
}

#[test]
fn state_of_charge_while_charging() {
    for row in rows("soc_charging") {
        let name = row["name"].as_str().unwrap();
        let kind = if row["method"] == "DC" {
            ChargeKind::Dc
        } else {
            ChargeKind::Ac
        };
        let soc = row["start_soc"].as_f64().unwrap();
        let capacity = row["capacity_kwh"].as_f64().unwrap();
        let mut session =
            ChargingSession::start(kind, capacity, soc, begin(), Efficiency::default())
                .with_target(row["target"].as_f64())
                .of_plugin_hybrid(row["phev"].as_bool().unwrap());
        for step in row["steps"].as_array().unwrap() {
            let now = at(step);
            let number = |name: &str| step[name].as_f64();
            match step["op"].as_str().unwrap() {
                "ac" => {
                    let phases = u8::try_from(step["ph"].as_u64().unwrap()).unwrap();
                    let aux = number("aux").unwrap_or(0.0);
                    session.ac(number("v").unwrap(), number("a").unwrap(), phases, aux, now);
                }
                "power" => session.power(number("kw").unwrap(), 0.0, now),
                "tick" => session.tick(now),
                "soc" => session.reported(number("soc").unwrap(), now),
                "level" => session.bmw_prediction(number("soc").unwrap(), now),
                "status" => session.stop(),
                "end" => {
                    let learned = row["learned"].as_object().unwrap();
                    let (key, part) = learned.iter().next().unwrap();
                    let (condition, measured) = session.measured(number("soc").unwrap()).unwrap();
                    assert_eq!(&condition.key(), key);
                    close(measured, part, name);
                }
                other => panic!("{other}"),
            }
            close(
                session.predicted(now),
                &step["predicted"],
                &format!("{name} {step}"),
            );
            if step["net_kwh"].is_number() {
                close(
                    session.net_kwh(),
                    &step["net_kwh"],
                    &format!("{name} {step}"),
                );
                close(session.power_kw().unwrap(), &step["last_power_kw"], name);
            }
        }
    }
}

#[test]
fn efficiency_is_learned() {
    let row = vectors("efficiency_learning");
    let condition = Condition::ac(3, 230.0, 15.0);
    assert_eq!(condition.key(), row["condition_key"].as_str().unwrap());
    let mut efficiency = Efficiency::default();
    for step in row["rows"].as_array().unwrap() {
        let believed = efficiency.learn(condition, step["measured"].as_f64().unwrap());
        assert_eq!(believed, step["accepted"].as_bool().unwrap(), "{step}");
        let learned = efficiency.learned(condition).unwrap();
        close(learned.efficiency, &step["efficiency"], "efficiency");
        assert_eq!(
            u64::from(learned.samples),
            step["samples"].as_u64().unwrap()
        );
    }
    let other = efficiency.expected(ChargeKind::Ac, Some(Condition::ac(1, 230.0, 6.0)));
    close(other, &row["average_other_condition"], "other condition");
}

#[test]
fn state_of_charge_while_driving() {
    for row in rows("soc_driving") {
        let number = |name: &str| row[name].as_f64().unwrap();
        let (capacity, rate) = (number("capacity_kwh"), number("consumption"));
        let (soc, km) = (number("start_soc"), number("start_km"));
        let mut session = DrivingSession::start(capacity, rate, soc, Some(km));
        for step in row["steps"].as_array().unwrap() {
            let number = |name: &str| step[name].as_f64().unwrap();
            match step["op"].as_str().unwrap() {
                "km" => session.odometer(number("km")),
                "gps" => session.gps(Position::new(number("lat"), number("lon")).unwrap()),
                "soc" => session.reported(number("soc")),
                "end" => {
                    let (measured, km) = session.measured(number("soc")).unwrap();
                    let learned = learned_rate(rate, 0, measured, km);
                    let expected = row["learned_kwh_per_km"].as_f64().unwrap();
                    assert!((learned - expected).abs() < 0.000_06);
                }
                other => panic!("{other}"),
            }
            close(
                session.predicted(),
                &step["predicted"],
                &row["name"].to_string(),
            );
        }
    }
}

#[test]
fn motion() {
    for row in rows("motion") {
        let mut detector = MotionDetector::default();
        for step in row["steps"].as_array().unwrap() {
            let now = at(step);
            let number = |name: &str| step[name].as_f64().unwrap();
            match step["op"].as_str().unwrap() {
                "gps" => detector.gps(Position::new(number("lat"), number("lon")).unwrap(), now),
                "km" => detector.odometer(number("km"), now),
                "door" => detector.doors(step["state"].as_str().unwrap(), now),
                "charging" => detector.charging(step["on"].as_bool().unwrap()),
                "none" => {}
                other => panic!("{other}"),
            }
            assert_eq!(
                detector.is_moving(now),
                step["is_moving"].as_bool(),
                "{} {step}",
                row["name"]
            );
        }
    }
}

#[test]
fn distances() {
    for row in rows("haversine_m") {
        let point = |name: &str| {
            let point = &row[name];
            Position::new(point[0].as_f64().unwrap(), point[1].as_f64().unwrap()).unwrap()
        };
        let expected = row["m"].as_f64().unwrap();
        assert!(
            (point("a").distance_m(point("b")) - expected).abs() < 0.006,
            "{row}"
        );
    }
}

#[test]
fn pauses_after_quota_answers() {
    for row in rows("rate_limit_cooldown") {
        let now = parse_time(row["now"].as_str().unwrap()).unwrap();
        let mut budget = Budget::default();
        let answers = row["retry_after"].as_array().unwrap();
        for (header, pause) in answers.iter().zip(row["cooldown_s"].as_array().unwrap()) {
            let waited = budget.refused(header.as_str(), now);
            assert_eq!(waited.as_secs(), pause.as_u64().unwrap(), "{row}");
            assert_eq!(budget.take(now), Err(waited));
        }
    }
}

#[test]
fn what_logs_may_show() {
    for row in rows("redact_vin")
        .into_iter()
        .chain(rows("redact_sensitive"))
    {
        assert_eq!(
            capture::redact(row["in"].as_str().unwrap()),
            row["out"].as_str().unwrap()
        );
    }
}

#[test]
fn signatures_of_containers() {
    for row in rows("container_signature") {
        let keys = row["descriptors"].as_array().unwrap();
        let keys: Vec<&str> = keys.iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(signature(&keys), row["sha1"].as_str().unwrap());
    }
}

/// The vectors read lists only; a single object is what the specification has,
/// and is read here as well.
#[test]
fn vehicles_of_the_main_user() {
    for row in rows("mapping_primary_vins") {
        let mappings = bimmer::cardata::read_mappings(row["in"].to_string().as_bytes()).unwrap();
        let vins = primary_vins(&mappings);
        if row["in"].get("vin").is_some() {
            assert_eq!(vins.len(), 1);
            continue;
        }
        let expected: Vec<&str> = row["out"]
            .as_array()
            .unwrap()
            .iter()
            .map(|vin| vin.as_str().unwrap())
            .collect();
        assert_eq!(
            vins.iter().map(|vin| vin.as_str()).collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn the_catalogue() {
    let catalogue = rows("catalogue");
    assert_eq!(catalogue.len(), 295);
    assert_eq!(Descriptor::all().len(), 295);
    for row in &catalogue {
        let key = row[0].as_str().unwrap();
        let descriptor = Descriptor::of(key).unwrap_or_else(|| panic!("{key}"));
        let data_type = match row[1].as_str() {
            Some("string") => DataType::Text,
            Some("boolean") => DataType::Boolean,
            Some("float" | "double") => DataType::Float,
            Some(_) => DataType::Integer,
            None => DataType::Unspecified,
        };
        assert_eq!(descriptor.data_type, data_type, "{key}");
        assert_eq!(descriptor.unit, row[2].as_str(), "{key}");
        assert_eq!(descriptor.is_streamed, row[3].as_bool().unwrap(), "{key}");
        let values = row[4].as_array().map_or_else(Vec::new, |values| {
            values.iter().map(|value| value.as_str().unwrap()).collect()
        });
        assert_eq!(descriptor.values, values, "{key}");
    }
    assert_eq!(
        Descriptor::all()
            .iter()
            .filter(|row| row.is_streamed)
            .count(),
        245
    );
}
