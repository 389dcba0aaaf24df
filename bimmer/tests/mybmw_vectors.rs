//! Vectors of `data/mybmw.json` that need no network.

mod support;

use bimmer::mybmw::{
    ChargingMode, ChargingProfileChange, ChargingStatus, ChinaNonce, Class, ClimateActivity,
    DriveTrain, EventStatus, LidState, LockState, Region, TimeOfDay, TimerType, TyreDetails,
    build_string, charging_profile_body, classify, gcj02_to_wgs84, login_nonce, next_occurrence,
    quota_wait, slider_position, x_user_agent,
};
use bimmer::types::parse_time;
use bimmer::{Brand, Pkce, Position, capture};
use chrono::NaiveDateTime;
use serde_json::json;
use support::mybmw::{now, poi, read, rows, vectors, vehicle, without_none};

#[test]
fn proofs_of_a_code() {
    for row in rows("pkce_s256") {
        let pkce = Pkce::from_verifier(row["verifier"].as_str().unwrap());
        assert_eq!(pkce.challenge(), row["challenge"].as_str().unwrap());
    }
    assert_eq!(Pkce::from_random(&[9; 64]).verifier().expose().len(), 86);
}

#[test]
fn regions() {
    for row in rows("regions") {
        let region: Region = row["name"]
            .as_str()
            .unwrap()
            .to_uppercase()
            .parse()
            .unwrap();
        assert_eq!(region.code(), row["code"].as_str().unwrap());
        assert_eq!(region.api_url(), row["server"].as_str().unwrap());
        assert_eq!(region.subscription_key(), row["ocp_apim_key"].as_str());
        assert_eq!(
            bimmer::mybmw::APP_VERSION,
            row["app_version"].as_str().unwrap()
        );
    }
    assert!("mars".parse::<Region>().is_err());
}

#[test]
fn agents() {
    for row in rows("build_string") {
        assert_eq!(
            build_string(row["name"].as_str().unwrap()),
            row["build"].as_str().unwrap()
        );
    }
    for row in rows("x_user_agent") {
        let region: Region = row["region"].as_str().unwrap().parse().unwrap();
        let brand = Brand::parse(row["brand"].as_str().unwrap());
        let agent = x_user_agent(row["build"].as_str().unwrap(), &brand, region);
        assert_eq!(agent, row["x_user_agent"].as_str().unwrap());
        assert_eq!(
            bimmer::mybmw::USER_AGENT,
            row["user_agent"].as_str().unwrap()
        );
    }
}

#[test]
fn waits_that_bmw_asks_for() {
    for row in rows("quota_wait") {
        let wait = quota_wait(row["body"].as_str().unwrap());
        assert_eq!(
            wait.map(|wait| wait.as_secs()),
            row["recommended_wait_s"].as_u64(),
            "{row}"
        );
    }
}

#[test]
fn classes_of_refusals() {
    for row in rows("error_classification")
        .iter()
        .filter(|row| row["module"] == "API")
    {
        let body = row["body"].as_str().unwrap();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let (class, words) = classify(status, body);
        let fits = match row["error"].as_str().unwrap() {
            "MyBMWQuotaError" => matches!(class, Class::Quota | Class::RateLimit),
            "MyBMWAuthError" => matches!(class, Class::Auth | Class::Blocked),
            _ => matches!(class, Class::Server | Class::Other),
        };
        assert!(fits, "{row}: {class:?}");
        if let Some(detail) = row["detail"].as_str() {
            assert_eq!(words, detail.trim_end_matches(" - "));
        }
    }
}

#[test]
fn times() {
    for row in rows("parse_datetime") {
        let text = row["in"].as_str().unwrap();
        let parsed = parse_time(text).map(|time| time.timestamp());
        match row["out"].as_str() {
            Some(out) => assert_eq!(
                parsed,
                parse_time(out).map(|time| time.timestamp()),
                "{row}"
            ),
            // The vector's client gives up on these; they are times all the same.
            None => assert_eq!(parsed.is_some(), !text.is_empty(), "{row}"),
        }
    }
}

#[test]
fn unknown_words_are_kept() {
    for (name, cases) in vectors("enum_fallback").as_object().unwrap() {
        for row in cases.as_array().unwrap() {
            let word = row["in"].as_str().unwrap();
            let parsed = match name.as_str() {
                "ChargingState" => ChargingStatus::parse(word).as_str().to_owned(),
                "LockState" => LockState::parse(word).as_str().to_owned(),
                "LidState" => LidState::parse(word).as_str().to_owned(),
                "DriveTrainType" => DriveTrain::parse(word).as_str().to_owned(),
                "ClimateActivityState" => ClimateActivity::parse(word).as_str().to_owned(),
                "ExecutionState" => EventStatus::parse(word).as_str().to_owned(),
                "ChargingMode" => ChargingMode::parse(word).as_str().to_owned(),
                "TimerTypes" => TimerType::parse(word).as_str().to_owned(),
                "CarBrands" => Brand::parse(word).as_str().to_owned(),
                other => panic!("{other}"),
            };
            match row["out"].as_str() {
                Some("UNKNOWN") => assert_eq!(parsed, word),
                Some(expected) => assert_eq!(parsed, expected),
                None => assert_eq!(Brand::parse(word), Brand::Other(word.to_lowercase())),
            }
        }
    }
}

#[test]
fn next_times_of_day() {
    for row in rows("next_occurrence_local") {
        let local = |name: &str| {
            NaiveDateTime::parse_from_str(row[name].as_str().unwrap(), "%Y-%m-%dT%H:%M:%S").unwrap()
        };
        let (hour, minute) = row["time"].as_str().unwrap().split_once(':').unwrap();
        let time = TimeOfDay {
            hour: hour.parse().unwrap(),
            minute: minute.parse().unwrap(),
        };
        assert_eq!(next_occurrence(local("now"), time), Some(local("out")));
    }
}

#[test]
fn weeks_of_tyres() {
    for row in rows("tire_manufacturing_week") {
        let details: TyreDetails =
            serde_json::from_value(json!({"manufacturingWeek": row["in"]})).unwrap();
        let made = details.made_in().map(|date| format!("{date}T00:00:00"));
        match row["out"].as_str().unwrap() {
            // Week 1 of 2005 is one; week 22 of 2000 is one as well.
            error if error.starts_with("error") => assert!(made.is_some(), "{row}"),
            out => assert_eq!(made.as_deref(), Some(out), "{row}"),
        }
    }
}

#[test]
fn chinese_maps() {
    for row in rows("gcj02_to_wgs84") {
        let number = |name: &str| row[name].as_f64().unwrap();
        let shifted = Position {
            latitude: number("gcj_lat"),
            longitude: number("gcj_lon"),
        };
        let real = gcj02_to_wgs84(shifted);
        assert!(
            (real.latitude - number("wgs_lat")).abs() < 2e-7,
            "{row} {real:?}"
        );
        assert!(
            (real.longitude - number("wgs_lon")).abs() < 2e-7,
            "{row} {real:?}"
        );
    }
}

#[test]
fn chinese_pictures() {
    for row in rows("cn_slider_position") {
        let size = |name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
        let (width, height) = (size("width"), size("height"));
        let drawn = row["runs"].as_array().map(|runs| {
            runs.iter()
                .flat_map(|run| {
                    let number = |at: usize| run[at].as_u64().unwrap();
                    let pixel = [1, 2, 3].map(|at| u8::try_from(number(at)).unwrap());
                    std::iter::repeat_n(pixel, usize::try_from(number(0)).unwrap())
                })
                .collect::<Vec<_>>()
        });
        // The largest one is given by the place of its notch.
        let pixels = drawn.unwrap_or_else(|| {
            let (x, y) = (size("block_x"), size("block_y"));
            let inside = |at: usize| {
                (x..x + 15).contains(&(at % width)) && (y..y + 75).contains(&(at / width))
            };
            let all = 0..width * height;
            all.map(|at| {
                if inside(at) {
                    [220, 230, 221]
                } else {
                    [40, 60, 80]
                }
            })
            .collect()
        });
        let position = slider_position(width, height, &pixels);
        assert_eq!(position.as_deref(), row["position"].as_str());
        assert_eq!(slider_position(width, height, &pixels[1..]), None);
        assert_eq!(
            slider_position(width, height, &vec![[0; 3]; width * height]),
            None
        );
    }
}

#[test]
fn chinese_nonces() {
    for row in rows("cn_login_nonce") {
        let digits = |name: &str| row[name].as_str().unwrap().as_bytes().try_into().unwrap();
        let random = ChinaNonce {
            key: digits("key"),
            iv: digits("iv"),
        };
        let time = parse_time(row["utc"].as_str().unwrap()).unwrap();
        let user = row["username"].as_str().unwrap_or_default();
        assert_eq!(
            login_nonce(user, random, time).unwrap(),
            row["nonce"].as_str().unwrap()
        );
    }
    let random = ChinaNonce {
        key: [0xFF; 16],
        iv: [0; 16],
    };
    assert!(login_nonce("x", random, now()).is_err());
}

#[test]
fn captures_are_anonymous() {
    let vector = vectors("anonymise");
    let mut document = vector["in"].clone();
    capture::Anonymizer::new().document(&mut document);
    let mut expected = vector["out"].clone();
    // The vector's client leaves VINs in lists of plain texts.
    expected["list"][1] = expected["vin"].clone();
    assert_eq!(document, expected);
}

#[test]
fn names_of_captures() {
    let mut anonymizer = capture::Anonymizer::new();
    for row in rows("anonymised_filename") {
        let name = anonymizer.file_name(
            row["url"].as_str().unwrap(),
            row["x_user_agent"].as_str(),
            row["bmw_vin"].as_str(),
            row["content_type"].as_str(),
        );
        assert_eq!(name, row["filename"].as_str().unwrap());
    }
}

#[test]
fn vins_in_texts() {
    for row in rows("vin_regex") {
        assert_eq!(
            json!(capture::find_vins(row["in"].as_str().unwrap())),
            row["matches"],
            "{row}"
        );
    }
}

#[test]
fn bodies_of_charging_profiles() {
    for (name, body) in vectors("charging_profile_body").as_object().unwrap() {
        let car = read(&vehicle(name));
        let pack = car
            .charging
            .as_ref()
            .and_then(|details| details.service_pack.as_deref());
        let profile = car.state.charging_profile.as_ref().unwrap();
        let change = ChargingProfileChange::default();
        assert_eq!(
            &charging_profile_body(profile, pack, &change),
            body,
            "{name}"
        );
    }
}

#[test]
fn places() {
    for row in rows("poi") {
        assert_eq!(poi(&row["in"]).place(), without_none(&row["place"]));
    }
}
