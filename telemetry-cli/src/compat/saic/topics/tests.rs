use chrono::DateTime;
use saic_ismart::charging::HeatingScheduleAnswer;
use saic_ismart::message::Messages;
use saic_ismart::vehicle::VehicleListAnswer;
use saic_ismart::{ChargingData, VehicleStatus};

use super::super::capacity::Capacity;
use super::*;
use crate::zone::Zone;

const STATUS: &str = include_str!("../../../../tests/data/saic-golden-status.json");
const CHARGING: &str = include_str!("../../../../tests/data/saic-golden-charging.json");
const TOPICS: &str = include_str!("../../../../tests/data/saic-golden-topics.txt");

const CAPACITY: Capacity = Capacity {
    kwh: Some(64.0),
    factor: 64.0 / 72.5,
};

fn lines(publications: &[Publications]) -> Vec<String> {
    let all = publications.iter().flat_map(|publications| &publications.0);
    all.map(|one| format!("{} {}", one.topic, one.text))
        .collect()
}

fn both(status_json: &str, charging_json: &str) -> Vec<String> {
    let status_now = VehicleStatus::from_json(status_json).unwrap();
    let data = ChargingData::from_json(charging_json).unwrap();
    let charged = charging::is_charging(&data.management);
    lines(&[
        status(&status_now, charged),
        charging(&status_now.basic, Some(&data), CAPACITY),
    ])
}

#[test]
fn the_golden_vector_comes_out_as_the_original_has_it() {
    // JSON has several lines there.
    let one_line = |text: String| {
        text.replace("{\n  ", "{")
            .replace("\n}", "}")
            .replace(",\n  ", ", ")
    };
    let published: Vec<_> = both(STATUS, CHARGING).into_iter().map(one_line).collect();
    assert_eq!(published, TOPICS.lines().collect::<Vec<_>>());
}

#[test]
fn what_is_unknown_is_not_published() {
    let status_now = VehicleStatus::from_json("{}").unwrap();
    let nothing = lines(&[
        status(&status_now, false),
        charging(&status_now.basic, None, CAPACITY),
    ]);
    assert_eq!(
        nothing,
        [
            "drivetrain/running False",
            "drivetrain/hvBatteryActive False",
            "climate/remoteClimateState off",
            "climate/rearWindowDefrosterHeating off",
        ]
    );
    let data = ChargingData::from_json("{}").unwrap();
    let nothing = Capacity {
        kwh: None,
        factor: 1.0,
    };
    assert_eq!(
        lines(&[charging(&status_now.basic, Some(&data), nothing)]),
        [
            "drivetrain/charging False",
            "drivetrain/remainingChargingTime 0",
            "obc/current 0.0",
            "obc/voltage 0",
            "obc/powerSinglePhase 0.0",
            "obc/powerThreePhase 0.0",
        ]
    );
}

/// Each row is the golden vector with something replaced, and what comes out.
#[test]
fn odd_values_have_their_texts() {
    for (from, to, line) in [
        (
            r#""mileage": 123456"#,
            r#""mileage": 65535"#,
            "!drivetrain/mileage",
        ),
        (r#""mileage": 123456"#, r#""mileage": 0"#, "!windows/driver"),
        (
            r#""mileage": 123456"#,
            r#""mileage": 65535"#,
            "windows/driver False",
        ),
        (
            r#""mileage": 123456"#,
            r#""mileage": 65535"#,
            "windows/all open",
        ),
        (
            r#""fuelRangeElec": 1720"#,
            r#""fuelRangeElec": -128"#,
            "drivetrain/range 250.0",
        ),
        (
            r#""bmsPackSOCDsp": 538"#,
            r#""bmsPackSOCDsp": 1023"#,
            "drivetrain/soc 55.0",
        ),
        (
            r#""bmsPackSOCDsp": 538"#,
            r#""bmsPackSOCDsp": 1001"#,
            "drivetrain/soc 55.0",
        ),
        (
            r#""bmsPackSOCDsp": 538"#,
            r#""bmsPackSOCDsp": 1000"#,
            "drivetrain/soc 100.0",
        ),
        (
            r#""bmsPackCrntV": 0"#,
            r#""bmsPackCrntV": 1"#,
            "!drivetrain/current",
        ),
        (
            r#""bmsPackCrntV": 0"#,
            r#""bmsPackCrntV": 1"#,
            "!drivetrain/power",
        ),
        // Only 1 says that a value is none.
        (
            r#""bmsPackCrntV": 0"#,
            r#""bmsPackCrntV": 5"#,
            "drivetrain/current -18.0",
        ),
        (
            r#""gpsStatus": 3"#,
            r#""gpsStatus": null"#,
            "!location/latitude",
        ),
        (
            r#""gpsStatus": 3"#,
            r#""gpsStatus": null"#,
            "!location/speed",
        ),
        (
            r#""latitude": 52520008"#,
            r#""latitude": null"#,
            "location/heading 271",
        ),
        (
            r#""latitude": 52520008"#,
            r#""latitude": null"#,
            "location/speed 0.0",
        ),
        (
            r#""bmsPackCrnt": 19640"#,
            r#""bmsPackCrnt": 20000"#,
            "drivetrain/current 0.0",
        ),
        (
            r#""chrgngRmnngTimeV": 0"#,
            r#""chrgngRmnngTimeV": 1"#,
            "drivetrain/remainingChargingTime 0",
        ),
        (
            r#""bmsChrgSts": 1"#,
            r#""bmsChrgSts": 10"#,
            "drivetrain/charging True",
        ),
        (
            r#""bmsChrgSts": 1"#,
            r#""bmsChrgSts": 9"#,
            "drivetrain/charging False",
        ),
        (
            r#""bmsChrgSts": 1"#,
            r#""bmsChrgSts": 9"#,
            "drivetrain/hvBatteryActive False",
        ),
        (
            r#""bmsChrgSts": 1"#,
            r#""bmsChrgSts": 13"#,
            "bms/chargeStatus V2X_DISCHARGING",
        ),
        (
            r#""bmsChrgSts": 1"#,
            r#""bmsChrgSts": 99"#,
            "bms/chargeStatus UNKNOWN_99",
        ),
        (
            r#""bmsChrgSpRsn": 0"#,
            r#""bmsChrgSpRsn": 77"#,
            "drivetrain/chargingStopReason OTHER_REASON",
        ),
        (
            r#""bmsPTCHeatResp": 0"#,
            r#""bmsPTCHeatResp": 6"#,
            "drivetrain/batteryHeatingStopReason UNKNOWN_6",
        ),
        (
            r#""bmsOnBdChrgTrgtSOCDspCmd": 5"#,
            r#""bmsOnBdChrgTrgtSOCDspCmd": 0"#,
            "!drivetrain/socTarget",
        ),
        // What follows it in the table is still there.
        (
            r#""bmsOnBdChrgTrgtSOCDspCmd": 5"#,
            r#""bmsOnBdChrgTrgtSOCDspCmd": 0"#,
            "obc/voltage 230",
        ),
        (
            r#""bmsAltngChrgCrntDspCmd": 4"#,
            r#""bmsAltngChrgCrntDspCmd": 0"#,
            "!drivetrain/chargeCurrentLimit",
        ),
        (
            r#""bmsReserCtrlDspCmd": 2"#,
            r#""bmsReserCtrlDspCmd": 0"#,
            "!drivetrain/chargingSchedule",
        ),
        (
            r#""bmsReserStHourDspCmd": 22"#,
            r#""bmsReserStHourDspCmd": 24"#,
            "!drivetrain/chargingSchedule",
        ),
        (
            r#""realtimePower": 390"#,
            r#""realtimePower": 0"#,
            "drivetrain/soc_kwh 34.43",
        ),
        (
            r#""mileageOfDay": 125"#,
            r#""mileageOfDay": 65000"#,
            "drivetrain/mileageOfTheDay 6500.0",
        ),
        (
            r#""mileage": 123456"#,
            r#""mileage": 100"#,
            "!drivetrain/mileageOfTheDay",
        ),
        (
            r#""mileageSinceLastCharge": 842"#,
            r#""mileageSinceLastCharge": 5"#,
            "!drivetrain/efficiencySinceLastCharge",
        ),
        (
            r#""interiorTemperature": 21"#,
            r#""interiorTemperature": 87"#,
            "!climate/interiorTemperature",
        ),
        (
            r#""remoteClimateStatus": 0"#,
            r#""remoteClimateStatus": 2"#,
            "climate/remoteClimateState on",
        ),
        (
            r#""remoteClimateStatus": 0"#,
            r#""remoteClimateStatus": 5"#,
            "climate/remoteClimateState front",
        ),
        (
            r#""remoteClimateStatus": 0"#,
            r#""remoteClimateStatus": 6"#,
            "climate/remoteClimateState unknown (6)",
        ),
        (
            r#""rmtHtdRrWndSt": 0"#,
            r#""rmtHtdRrWndSt": 1"#,
            "climate/rearWindowDefrosterHeating on",
        ),
        (
            r#""gpsStatus": 3"#,
            r#""gpsStatus": 1"#,
            "!location/latitude",
        ),
        (r#""gpsStatus": 3"#, r#""gpsStatus": 1"#, "!location/speed"),
        (
            r#""engineStatus": 0, "handBrake": 1"#,
            r#""engineStatus": 1, "handBrake": 0"#,
            "location/speed 51.2",
        ),
        (
            r#""engineStatus": 0"#,
            r#""engineStatus": 1"#,
            "location/speed 0.0",
        ),
        (
            r#""altitude": 34"#,
            r#""altitude": -501"#,
            "!location/elevation",
        ),
    ] {
        assert!(STATUS.contains(from) || CHARGING.contains(from), "{from}");
        let published = both(&STATUS.replace(from, to), &CHARGING.replace(from, to));
        match line.strip_prefix('!') {
            Some(topic) => {
                let there = published
                    .iter()
                    .find(|one| one.starts_with(&format!("{topic} ")));
                assert_eq!(there, None, "{to}");
            }
            None => assert!(published.iter().any(|one| one == line), "{to}: {line}"),
        }
    }
}

#[test]
fn settings_are_sent_only_when_they_change() {
    let data = ChargingData::from_json(CHARGING).unwrap();
    let published = charging(&Default::default(), Some(&data), CAPACITY);
    let quiet: Vec<_> = published
        .0
        .iter()
        .filter(|one| !one.always)
        .map(|one| one.topic.as_str())
        .collect();
    assert_eq!(
        quiet,
        ["drivetrain/socTarget", "drivetrain/chargeCurrentLimit"]
    );
}

#[test]
fn a_heating_schedule_shows_the_clock_on_the_wall() {
    let zone = Zone::parse("UTC").unwrap();
    let answer = |json| HeatingScheduleAnswer::from_json(json).unwrap();
    let on = answer(r#"{"startTime": 1730525400000, "status": 1}"#);
    let (enabled, start) = charging::heating_answer(&on, zone, (0, 0));
    assert_eq!(
        charging::heating_schedule(enabled, start),
        "{\n  \"mode\": \"on\",\n  \"startTime\": \"05:30\"\n}"
    );
    let off = answer(r#"{"startTime": 0, "status": 0}"#);
    assert_eq!(
        charging::heating_answer(&off, zone, (5, 30)),
        (false, (5, 30))
    );
}

#[test]
fn a_car_says_what_it_is() {
    let list = r#"{"vinList": [{"vin": "LSJTEST0000000001", "brandName": " MG ", "modelName": "MG4 Electric",
        "modelYear": "2023", "series": "EH32 S", "colorName": "Schwarz é", "vehicleModelConfiguration": [
        {"itemCode": "S35", "itemName": "Sunroof", "itemValue": "0"},
        {"itemCode": "X", "itemName": "Y", "itemValue": null}]}]}"#;
    let list = VehicleListAnswer::from_json(list).unwrap();
    assert_eq!(
        lines(&[info(&list.vehicles[0])]),
        [
            "_internal/configuration/raw [{\"itemCode\": \"S35\", \"itemName\": \"Sunroof\", \"itemValue\": \"0\"}, \
             {\"itemCode\": \"X\", \"itemName\": \"Y\", \"itemValue\": null}]",
            "info/brand MG",
            "info/model MG4 ELECTRIC",
            "info/year 2023",
            "info/series EH32 S",
            "info/color Schwarz é",
            "info/configuration/Sunroof 0",
            "info/configuration/S35 0",
        ]
    );
}

#[test]
fn a_message_shows_its_fields() {
    let json = r#"{"messages": [{"messageId": "7", "messageType": "323", "title": "Start", "content": "Started",
        "sender": "TBOX", "readStatus": 0, "vin": "LSJTEST0000000001", "messageTime": "2026-11-20 09:50:00"}]}"#;
    let messages = Messages::from_json(json).unwrap().messages;
    let at = DateTime::from_timestamp(1_795_208_448, 0).unwrap();
    assert_eq!(
        lines(&[message(&messages[0], at)]),
        [
            "info/lastMessage/messageId 7",
            "info/lastMessage/messageType 323",
            "info/lastMessage/title Start",
            "info/lastMessage/messageTime 2026-11-20T21:00:48+00:00",
            "info/lastMessage/sender TBOX",
            "info/lastMessage/content Started",
            "info/lastMessage/status unread",
            "info/lastMessage/vin LSJTEST0000000001",
        ]
    );
}

#[test]
fn what_the_cloud_had_kept_is_shown_as_far_as_it_goes() {
    let kept = |json: &str, soc| {
        let json = format!(r#"{{"statusTime": 1795208448, "basicVehicleStatus": {{{json}}}}}"#);
        lines(&[cached(&VehicleStatus::from_json(&json).unwrap(), soc)])
    };
    assert_eq!(kept("", None), [""; 0]);
    assert_eq!(
        kept(
            r#""mileage": 123456, "lockStatus": 1, "extendedData1": 54, "fuelRangeElec": 2500"#,
            None
        ),
        [
            "drivetrain/mileage 12345.6",
            "doors/locked True",
            "drivetrain/soc 54.0"
        ]
    );
    assert_eq!(
        kept(
            r#""engineStatus": 1, "remoteClimateStatus": 2, "rmtHtdRrWndSt": 0"#,
            None
        ),
        [
            "drivetrain/running True",
            "climate/remoteClimateState on",
            "climate/rearWindowDefrosterHeating off",
        ]
    );
    // Decimals that are known are not rounded away.
    for (known, shown) in [(53.8, false), (54.9, false), (53.0, true), (55.0, true)] {
        let published = kept(r#""extendedData1": 54"#, Some(known));
        assert_eq!(!published.is_empty(), shown, "{known}");
    }
}

#[test]
fn a_reason_is_not_forgotten_with_the_next_answer() {
    let reason = "drivetrain/batteryHeatingStopReason";
    let forgets = |topic: &str, text: &str, held: Option<&str>| {
        let held = held.map(|text| (topic.to_owned(), text.to_owned()));
        let mut topics = Publications::default();
        topics.text(topic, text);
        charging::is_forgotten(&topics.0[0], &held.into_iter().collect())
    };
    for (topic, text, held, is_forgotten) in [
        (reason, "NO_REASON", Some("LOW_BATTERY"), true),
        (
            "drivetrain/chargingStopReason",
            "NO_REASON",
            Some("OTHER_REASON"),
            true,
        ),
        (reason, "NO_REASON", None, false),
        (reason, "NO_REASON", Some("NO_REASON"), false),
        (reason, "UNNECESSARY", Some("LOW_BATTERY"), false),
        ("bms/chargeStatus", "NO_REASON", Some("CHARGING_1"), false),
    ] {
        assert_eq!(
            forgets(topic, text, held),
            is_forgotten,
            "{topic} {text} {held:?}"
        );
    }
}

#[test]
fn a_car_that_feeds_something_does_not_charge() {
    for (code, charges, feeds) in [(1, true, false), (9, false, false), (13, false, true)] {
        let json = CHARGING.replace(r#""bmsChrgSts": 1"#, &format!(r#""bmsChrgSts": {code}"#));
        let management = ChargingData::from_json(&json).unwrap().management;
        let found = (
            charging::is_charging(&management),
            charging::is_feeding(&management),
        );
        assert_eq!(found, (charges, feeds), "{code}");
    }
}

#[test]
fn energy_is_counted_in_tenths_of_a_percent() {
    let energy = |from: &str, to: &str, capacity| {
        let data = ChargingData::from_json(&CHARGING.replace(from, to)).unwrap();
        charging::energy_kwh(&data, capacity).map(|kwh| super::super::text::rounded(kwh, 3))
    };
    assert_eq!(energy("", "", CAPACITY), Some(34.432));
    // By the car's own counter.
    let unknown = Capacity {
        kwh: None,
        ..CAPACITY
    };
    assert_eq!(energy("", "", unknown), Some(34.43));
    let no_soc = (r#""bmsPackSOCDsp": 538"#, r#""bmsPackSOCDsp": 1023"#);
    assert_eq!(energy(no_soc.0, no_soc.1, CAPACITY), Some(34.43));
}
