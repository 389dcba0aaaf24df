use proptest::prelude::*;
use saic_ismart::vehicle::VehicleListAnswer;

use super::super::extra::Extras;
use super::*;

fn profile(series: &str, seats: u8) -> Profile {
    let json = format!(
        r#"{{"vinList":[{{"series":"{series}","vehicleModelConfiguration":[
            {{"itemCode":"BType","itemValue":"1"}},{{"itemCode":"HeatedSeat","itemValue":"{seats}"}}]}}]}}"#
    );
    Profile::of(&VehicleListAnswer::from_json(&json).unwrap().vehicles[0])
}

fn parse(name: &str, payload: &str) -> Result<Command, String> {
    Command::parse(name, payload.as_bytes(), &profile("EH32 S", 1))
}

#[test]
fn every_command_has_its_payloads() {
    use ChargeCommand as C;
    let schedule = |mode| ChargeSchedule {
        start: (22, 5),
        end: (6, 0),
        mode,
    };
    for (name, payload, command) in [
        ("refresh/mode", "FORCE", Command::Mode(Mode::Force)),
        ("refresh/mode", " periodic ", Command::Mode(Mode::Periodic)),
        ("refresh/mode", "off", Command::Mode(Mode::Off)),
        (
            "refresh/mode",
            "charging_detection",
            Command::Mode(Mode::ChargingDetection),
        ),
        (
            "refresh/period/active",
            "60",
            Command::Period(Period::Active, 60),
        ),
        (
            "refresh/period/inActive",
            "7200.0",
            Command::Period(Period::Inactive, 7200),
        ),
        (
            "refresh/period/inActive",
            "-1",
            Command::Period(Period::Inactive, 86_400),
        ),
        (
            "refresh/period/afterShutdown",
            "30",
            Command::Period(Period::AfterShutdown, 30),
        ),
        (
            "refresh/period/afterShutdown",
            "0",
            Command::Period(Period::AfterShutdown, 0),
        ),
        (
            "refresh/period/inActiveGrace",
            "0",
            Command::Period(Period::InactiveGrace, 0),
        ),
        (
            "refresh/period/inActiveGrace",
            "43200",
            Command::Period(Period::InactiveGrace, 43_200),
        ),
        ("refresh/holiday", "True", Command::Holiday(true)),
        ("refresh/holiday", "off", Command::Holiday(false)),
        (
            "drivetrain/totalBatteryCapacity",
            "61.5",
            Command::Capacity(Some(61.5)),
        ),
        (
            "drivetrain/totalBatteryCapacity",
            "0",
            Command::Capacity(None),
        ),
        (
            "drivetrain/hvBatteryActive",
            "True",
            Command::HvActive(true),
        ),
        ("drivetrain/charging", "true", Command::Charge(C::Start)),
        ("drivetrain/charging", "0", Command::Charge(C::Stop)),
        (
            "drivetrain/chargingCableLock",
            "ON",
            Command::Charge(C::LockCable),
        ),
        (
            "drivetrain/chargingCableLock",
            "false",
            Command::Charge(C::UnlockCable),
        ),
        (
            "drivetrain/socTarget",
            "80",
            Command::TargetSoc(TargetSoc::P80),
        ),
        (
            "drivetrain/socTarget",
            "80.0",
            Command::TargetSoc(TargetSoc::P80),
        ),
        (
            "drivetrain/chargeCurrentLimit",
            "MAX",
            Command::CurrentLimit(CurrentLimit::Max),
        ),
        (
            "drivetrain/chargeCurrentLimit",
            "8a",
            Command::CurrentLimit(CurrentLimit::A8),
        ),
        (
            "drivetrain/chargingSchedule",
            r#"{"startTime":"22:05","endTime":"6:00","mode":"until_configured_time"}"#,
            Command::ChargingSchedule(schedule(ScheduleMode::UntilTime)),
        ),
        (
            "drivetrain/chargingSchedule",
            r#"{"startTime":"22:05:00","endTime":"06:00","mode":"DISABLED","more":1}"#,
            Command::ChargingSchedule(schedule(ScheduleMode::Off)),
        ),
        (
            "drivetrain/batteryHeating",
            "off",
            Command::BatteryHeating(false),
        ),
        (
            "drivetrain/batteryHeatingSchedule",
            r#"{"startTime":"05:30","mode":"on"}"#,
            Command::BatteryHeatingSchedule {
                on: true,
                start: (5, 30),
            },
        ),
        (
            "drivetrain/batteryHeatingSchedule",
            r#"{"startTime":"05:30","mode":"whatever"}"#,
            Command::BatteryHeatingSchedule {
                on: false,
                start: (5, 30),
            },
        ),
        (
            "doors/boot",
            "False",
            Command::Car(CarCommand::OpenTailgate),
        ),
        ("doors/boot", "true", Command::Nothing),
        ("doors/locked", "true", Command::Car(CarCommand::Lock)),
        ("doors/locked", "false", Command::Car(CarCommand::Unlock)),
        (
            "climate/remoteTemperature",
            "22.0",
            Command::Temperature(22),
        ),
        (
            "climate/remoteTemperature",
            "21.5",
            Command::Temperature(22),
        ),
        ("climate/remoteTemperature", "99", Command::Temperature(33)),
        ("climate/remoteTemperature", "-5", Command::Temperature(17)),
        (
            "climate/remoteClimateState",
            "on",
            Command::Climate(ClimateWish::On),
        ),
        (
            "climate/remoteClimateState",
            "Off",
            Command::Climate(ClimateWish::Off),
        ),
        (
            "climate/remoteClimateState",
            "front",
            Command::Climate(ClimateWish::Front),
        ),
        (
            "climate/remoteClimateState",
            "blowingonly",
            Command::Climate(ClimateWish::BlowingOnly),
        ),
        (
            "climate/heatedSeatsFrontLeftLevel",
            "3",
            Command::Seat(Side::Left, 3),
        ),
        (
            "windows/sunRoof",
            "True",
            Command::Extra(Extra::Sunroof { open: true }),
        ),
        (
            "windows/all",
            "VENTILATE",
            Command::Extra(Extra::Windows(WindowAction::Ventilate)),
        ),
        (
            "windows/all",
            "close",
            Command::Extra(Extra::Windows(WindowAction::Close)),
        ),
        (
            "climate/heatedSeatsRearLeftLevel",
            "3",
            Command::Extra(Extra::RearSeat {
                seat: Seat::RearLeft,
                on: true,
            }),
        ),
        (
            "climate/heatedSeatsRearRightLevel",
            "0",
            Command::Extra(Extra::RearSeat {
                seat: Seat::RearRight,
                on: false,
            }),
        ),
        (
            "climate/heatedSteeringWheel",
            "on",
            Command::Extra(Extra::SteeringWheel { on: true }),
        ),
        (
            "climate/heatedSeatsFrontRightLevel",
            "0",
            Command::Seat(Side::Right, 0),
        ),
        (
            "climate/rearWindowDefrosterHeating",
            "on",
            Command::Car(CarCommand::RearWindowHeating { on: true }),
        ),
        (
            "climate/frontWindowDefrosterHeating",
            "on",
            Command::Climate(ClimateWish::Front),
        ),
        (
            "climate/frontWindowDefrosterHeating",
            "off",
            Command::Climate(ClimateWish::Off),
        ),
        (
            "location/findMyCar",
            "activate",
            Command::Car(CarCommand::Find {
                horn: true,
                lights: true,
            }),
        ),
        (
            "location/findMyCar",
            "lights_only",
            Command::Car(CarCommand::Find {
                horn: false,
                lights: true,
            }),
        ),
        (
            "location/findMyCar",
            "horn_only",
            Command::Car(CarCommand::Find {
                horn: true,
                lights: false,
            }),
        ),
        (
            "location/findMyCar",
            "stop",
            Command::Car(CarCommand::StopFinding),
        ),
    ] {
        assert_eq!(parse(name, payload), Ok(command), "{name} {payload}");
    }
}

#[test]
fn what_does_not_fit_is_answered_as_the_original_does() {
    for (name, payload, why) in [
        ("drivetrain/charging", "maybe", "Unsupported payload maybe"),
        (
            "drivetrain/socTarget",
            "85",
            "Error setting SoC target: Unknown target battery percentage: 85",
        ),
        (
            "drivetrain/chargeCurrentLimit",
            "10A",
            "Error setting value for payload 10A",
        ),
        (
            "climate/remoteTemperature",
            "warm",
            "Error setting temperature target: warm",
        ),
        (
            "climate/remoteTemperature",
            "nan",
            "Error setting temperature target: nan",
        ),
        (
            "climate/heatedSeatsFrontLeftLevel",
            "5",
            "Error setting heated seats: Invalid heated seat level 5. Range must be from 0 to 3 inclusive",
        ),
        (
            "climate/heatedSeatsRearLeftLevel",
            "2",
            "Error setting heated seats: Unsupported payload 2. Seats behind know 0 and 3",
        ),
        ("windows/all", "stop", "Unsupported payload stop"),
        ("windows/sunRoof", "half", "Unsupported payload half"),
        (
            "windows/driver",
            "True",
            "Unsupported topic windows/driver/set",
        ),
        (
            "refresh/period/active",
            "-2",
            "Error setting value for payload -2: from 5 to 2592000 seconds",
        ),
        (
            "refresh/period/active",
            "0",
            "Error setting value for payload 0: from 5 to 2592000 seconds",
        ),
        (
            "refresh/period/active",
            "soon",
            "Error setting value for payload soon",
        ),
        (
            "refresh/period/other",
            "60",
            "Unsupported topic refresh/period/other/set",
        ),
        (
            "windows/driver",
            "true",
            "Unsupported topic windows/driver/set",
        ),
    ] {
        assert_eq!(parse(name, payload).unwrap_err(), why);
    }
    for json in [
        "{",
        "[]",
        "{}",
        r#"{"startTime":"25:00","endTime":"06:00","mode":"DISABLED"}"#,
        r#"{"startTime":"6:00:00:00:00","endTime":"06:00","mode":"DISABLED"}"#,
        r#"{"startTime":"6:00:60","endTime":"06:00","mode":"DISABLED"}"#,
    ] {
        let why = parse("drivetrain/chargingSchedule", json).unwrap_err();
        assert!(
            why.starts_with("Error setting charging schedule: "),
            "{why}"
        );
    }
    let hs = profile("AS33P S", 2);
    let refused = |name, payload: &str| Command::parse(name, payload.as_bytes(), &hs).unwrap_err();
    assert_eq!(
        refused("drivetrain/socTarget", "80"),
        "Error setting SoC target: this car has none"
    );
    assert_eq!(
        refused("drivetrain/chargeCurrentLimit", "8A"),
        "Error setting value for payload 8A"
    );
    assert!(refused("climate/heatedSeatsFrontLeftLevel", "2").ends_with("from 0 to 1 inclusive"));
    assert!(refused("climate/heatedSeatsFrontLeftLevel", "1e308").len() < 200);
    let until_soc = r#"{"startTime":"22:00","endTime":"06:00","mode":"UNTIL_CONFIGURED_SOC"}"#;
    assert_eq!(
        refused("drivetrain/chargingSchedule", until_soc),
        "Error setting charging schedule: this car has no target SoC"
    );
    assert!(parse("drivetrain/chargingSchedule", until_soc).is_ok());
    assert_eq!(
        refused("refresh/holiday", "soon"),
        "Unsupported payload soon"
    );
    let none = Command::parse(
        "climate/heatedSeatsFrontLeftLevel",
        b"2",
        &profile("EH32", 0),
    );
    assert_eq!(none, Ok(Command::Nothing));
}

#[test]
fn only_settings_count_when_they_are_retained() {
    for (name, payload, counts) in [
        ("refresh/mode", "off", true),
        ("refresh/mode", "periodic", true),
        ("refresh/mode", "force", false),
        ("refresh/mode", "charging_detection", false),
        ("refresh/period/active", "60", true),
        ("refresh/holiday", "true", true),
        ("drivetrain/totalBatteryCapacity", "64", true),
        ("drivetrain/hvBatteryActive", "true", false),
        ("doors/locked", "false", false),
    ] {
        let command = parse(name, payload).unwrap();
        assert_eq!(command.may_be_retained(), counts, "{name} {payload}");
        assert!(!counts || command.is_setting() && !command.is_followed_by_poll());
    }
    assert!(
        parse("doors/locked", "false")
            .unwrap()
            .is_followed_by_poll()
    );
}

#[test]
fn a_topic_names_car_and_command() {
    let vehicles = "saic/me@example.com/vehicles";
    let found = |rest: &str| {
        topic(&format!("{vehicles}/{rest}"), vehicles).map(|(vin, name)| format!("{vin} {name}"))
    };
    assert_eq!(
        found("V/doors/locked/set").as_deref(),
        Some("V doors/locked")
    );
    assert_eq!(
        found("V/refresh/period/active/set").as_deref(),
        Some("V refresh/period/active")
    );
    assert_eq!(found("V/doors/locked"), None);
    assert_eq!(
        topic("saic/other/vehicles/V/doors/locked/set", vehicles),
        None
    );
}

/// All commands, as they are documented, and one that is none.
fn names() -> Vec<&'static str> {
    let documentation = include_str!("../../../docs/saic-mqtt-gateway.md");
    let commands = documentation
        .split("\n## ")
        .find(|part| part.starts_with("Commands\n"));
    let rows = commands
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let names: Vec<_> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    assert!(names.len() >= 28, "{names:?}");
    [names, vec!["nothing"]].concat()
}

/// Numbers that are none, too large, or written oddly.
const ODD: &[&str] = &[
    "1e308",
    "-1e308",
    "1e999",
    "NaN",
    "-nan",
    "inf",
    "-inf",
    "infinity",
    "-0",
    "-0.0",
    "0x10",
    "1e-320",
    "4294967296",
    "18446744073709551616",
    "255.5",
    "256",
    "-1",
    "+5",
    "１２",
    "1_000",
    "21,5",
    " 22 ",
    "\u{0}",
    "null",
    "[]",
    "{}",
    "true false",
    r#"{"startTime":1e308,"endTime":"06:00","mode":"DISABLED"}"#,
    r#"{"startTime":"24:00","endTime":"-1:00","mode":"UNTIL_CONFIGURED_TIME"}"#,
    r#"{"startTime":"00:60","mode":"on"}"#,
];

/// Text, numbers, schedules and bytes.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let schedule = |start: String, end: String, mode: &str| {
        let json = serde_json::json!({"startTime": start, "endTime": end, "mode": mode});
        json.to_string().into_bytes()
    };
    let modes = &[
        "DISABLED",
        "UNTIL_CONFIGURED_TIME",
        "UNTIL_CONFIGURED_SOC",
        "on",
        "off",
    ][..];
    prop_oneof![
        any::<Vec<u8>>(),
        any::<f64>().prop_map(|number| number.to_string().into_bytes()),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-50i32..500).prop_map(|number| (f64::from(number) / 2.0).to_string().into_bytes()),
        proptest::sample::select(ODD).prop_map(|text| text.as_bytes().to_vec()),
        (any::<u8>(), any::<u8>(), ".{0,8}").prop_map(move |(hour, minute, mode)| {
            let time = format!("{hour}:{minute}");
            schedule(time.clone(), time, &mode)
        }),
        (0u8..30, 0u8..70, proptest::sample::select(modes)).prop_map(
            move |(hour, minute, mode)| {
                let time = format!("{hour:02}:{minute:02}");
                schedule(time.clone(), time, mode)
            }
        ),
        // Deep, and long.
        (1usize..200_000).prop_map(|depth| vec![b'['; depth]),
        (1usize..200_000).prop_map(|length| vec![b'9'; length]),
        (1usize..200_000)
            .prop_map(|length| format!(r#"{{"mode":"{}"}}"#, "x".repeat(length)).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn nothing_crashes_or_leaves_the_range_of_a_car(
        name in proptest::sample::select(names()),
        payload in payload(),
        series in proptest::sample::select(&[
            "EH32 S", "EH32 X3", "AH4EM L", "EP2CP3", "EP2DP3", "EP21", "ZS EV", "MIS3E S", "MZS3E",
            "EC32", "S12L", "P12L", "ZP22 EU", "AS33P S", "IS31P", "other", "",
        ][..]),
        seats in 0u8..3,
    ) {
        let profile = profile(series, seats);
        match Command::parse(name, &payload, &profile) {
            Err(why) => prop_assert!(!why.is_empty() && why.len() < 400),
            Ok(Command::Temperature(temperature)) => {
                prop_assert!(profile.temperature_index(temperature).is_ok());
                prop_assert!(climate_order(ClimateWish::On, temperature, &profile).is_ok());
            }
            Ok(Command::Seat(side, level)) => {
                prop_assert!(profile.check_seat_level(&super::seats(side, level, (0, 0))).is_ok());
            }
            Ok(Command::Extra(extra)) => {
                let all = Extras { sunroof: true, windows: true, rear_seats: true, steering_wheel: true };
                let order = extra.order(all, &profile);
                prop_assert!(order.is_ok() && extra.order(Extras::default(), &profile).is_err());
            }
            Ok(Command::ChargingSchedule(schedule)) => prop_assert!(schedule.is_possible()),
            Ok(Command::BatteryHeatingSchedule { start: (hour, minute), .. }) => {
                prop_assert!(hour < 24 && minute < 60);
            }
            Ok(Command::Period(_, seconds)) => prop_assert!(seconds <= LONGEST_PERIOD_S),
            Ok(Command::Capacity(kwh)) => prop_assert!(kwh.is_none_or(|kwh| kwh > 0.0 && kwh <= 1000.0)),
            Ok(Command::TargetSoc(_)) => prop_assert!(profile.has_target_soc),
            Ok(Command::CurrentLimit(_)) => prop_assert!(profile.has_current_limit),
            Ok(_) => {}
        }
    }
}

/// Series, lowest and highest temperature with their indexes, tank in litres.
#[test]
fn series_have_their_temperatures_and_tanks() {
    for (series, lowest, highest, tank_l) in [
        ("EH32 S", (17, 3), (33, 19), None),
        ("AH4EM L", (17, 3), (33, 19), None),
        ("MIS3E S", (16, 1), (30, 19), None),
        ("MZS3E S", (16, 1), (30, 19), None),
        ("EC32 S", (16, 2), (28, 14), None),
        ("IS31P S", (16, 2), (28, 14), Some(65.0)),
        ("AS33P S", (16, 2), (30, 16), Some(37.0)),
        ("ZP22 EU", (16, 2), (30, 16), Some(36.0)),
        ("S12L S", (16, 2), (28, 14), None),
        ("EP2CP3 S", (16, 2), (28, 14), None),
    ] {
        let profile = profile(series, 1);
        assert_eq!(profile.temperatures_c, (lowest.0, highest.0), "{series}");
        assert_eq!(profile.tank_l, tank_l, "{series}");
        for (temperature, index) in [lowest, (22, 8), highest] {
            let order = climate_order(ClimateWish::On, temperature, &profile);
            assert_eq!(
                order,
                Ok(Climate::Start { index }),
                "{series} {temperature}"
            );
        }
    }
}
