//! Every call, as clients of other people make it: method, path, query, body.

mod support;

use chrono::DateTime;
use saic_ismart::account::{RawCall, ReadTimezone, StatisticsRange};
use saic_ismart::charging::{
    ChargeControl, HeatBattery, ReadChargingData, ReadChargingStatus, ReadHeatingSchedule,
    SetChargeSchedule, SetCharging, SetHeatingSchedule,
};
use saic_ismart::endpoint::{Endpoint, Reach};
use saic_ismart::message::{ChangeMessages, MessageList, UnreadCount};
use saic_ismart::vehicle::{
    AlarmKind, CachedStatus, Control, LiveStatus, Panes, ReadAlarmSwitches, Seat, Seats,
    SetAlarmSwitches, VehicleList, WindowAction, Windows,
};
use saic_ismart::{
    ChargeCommand, ChargeSchedule, ChargeSettings, Climate, Command, CurrentLimit, MessageGroup,
    MessageId, ScheduleMode, TargetSoc, Vin,
};
use serde_json::{Value, json};
use support::{VIN, list, text};

/// A call as it is compared.
#[derive(Debug)]
struct Made {
    method: &'static str,
    path: String,
    event: bool,
    body: String,
}

fn made(endpoint: &impl Endpoint) -> Made {
    Made {
        method: endpoint.method().as_str(),
        path: endpoint.path(),
        event: endpoint.reach() == Reach::Car,
        body: endpoint.body(),
    }
}

fn control(command: Command) -> Made {
    made(&Control {
        vin: Vin::from(VIN),
        command,
    })
}

fn windows(panes: Panes, action: WindowAction) -> Made {
    control(Command::Windows(Windows { panes, action }))
}

fn seat(seat: Seat, level: u8) -> Made {
    control(Command::Seats(Seats::One { seat, level }))
}

fn charge(command: ChargeCommand) -> Made {
    made(&ChargeControl {
        vin: VIN.into(),
        command,
    })
}

fn schedule(start: (u8, u8), end: (u8, u8), mode: ScheduleMode) -> Made {
    let schedule = ChargeSchedule { start, end, mode };
    made(&SetChargeSchedule {
        vin: VIN.into(),
        schedule,
    })
}

fn settings(
    target: Option<TargetSoc>,
    limit: Option<CurrentLimit>,
    v2x: Option<TargetSoc>,
) -> Made {
    let settings = ChargeSettings {
        target_soc: target,
        current_limit: limit,
        v2x_target_soc: v2x,
    };
    made(&SetCharging {
        vin: VIN.into(),
        settings,
    })
}

fn messages(group: MessageGroup, page: u32, page_size: u32) -> Made {
    made(&MessageList {
        group,
        page,
        page_size,
    })
}

/// Our call for each case; `None` for login, which `tests/http.rs` covers.
fn ours(name: &str) -> Option<Made> {
    let vin = || Vin::from(VIN);
    Some(match name {
        "login_email" => return None,
        "vehicle_list" => made(&VehicleList),
        "vehicle_status" => made(&LiveStatus(vin())),
        "vehicle_status_cache" => made(&CachedStatus(vin())),
        "charging_status" => made(&ReadChargingStatus(vin())),
        "charging_mgmt_data" => made(&ReadChargingData(vin())),
        "user_timezone" => made(&ReadTimezone),
        "message_list_alarm" => messages(MessageGroup::Alarm, 1, 10),
        "message_list_command" => messages(MessageGroup::Command, 1, 10),
        "message_list_news" => messages(MessageGroup::News, 2, 5),
        "message_unread_count" => made(&UnreadCount),
        "message_read_int" => made(&ChangeMessages::Read {
            id: MessageId::Number(91_000_001),
        }),
        "message_delete_str" => made(&ChangeMessages::Delete {
            id: MessageId::Text("91000001".to_owned()),
        }),
        "message_delete_all_alarms" => made(&ChangeMessages::DeleteAll(MessageGroup::Alarm)),
        "message_delete_all_commands" => made(&ChangeMessages::DeleteAll(MessageGroup::Command)),
        "message_delete_all_news" => made(&ChangeMessages::DeleteAll(MessageGroup::News)),
        "alarm_switch_get" => made(&ReadAlarmSwitches(vin())),
        "alarm_switch_set_all" => made(&SetAlarmSwitches {
            vin: vin(),
            switches: [
                AlarmKind::Fault,
                AlarmKind::Geofence,
                AlarmKind::VehicleStart,
            ]
            .map(|kind| (kind, true))
            .to_vec(),
        }),
        "lock" => control(Command::Lock),
        "unlock" => control(Command::Unlock),
        "open_tailgate" => control(Command::OpenTailgate),
        "find_my_car_horn_lights" => control(Command::Find {
            horn: true,
            lights: true,
        }),
        "find_my_car_lights_only" => control(Command::Find {
            horn: false,
            lights: true,
        }),
        "find_my_car_horn_only" => control(Command::Find {
            horn: true,
            lights: false,
        }),
        "find_my_car_stop" => control(Command::StopFinding),
        "windows_open_all_lib" => windows(Panes::WINDOWS, WindowAction::OpenOld),
        "window_close_driver" => windows(Panes::DRIVER, WindowAction::Close),
        "sunroof_open" => windows(Panes::SUNROOF, WindowAction::OpenOld),
        "sunroof_close" => windows(Panes::SUNROOF, WindowAction::Close),
        "door_windows_close" => windows(Panes::WINDOWS, WindowAction::Close),
        "door_windows_ventilate" => windows(Panes::WINDOWS, WindowAction::Ventilate),
        "door_windows_open" => windows(Panes::WINDOWS, WindowAction::Open),
        "climate_start_idx8" => control(Command::Climate(Climate::Start { index: 8 })),
        "climate_start_idx11" => control(Command::Climate(Climate::Start { index: 11 })),
        "climate_stop" => control(Command::Climate(Climate::Stop)),
        "climate_blow_only" => control(Command::Climate(Climate::BlowOnly)),
        "climate_front_defrost" => control(Command::Climate(Climate::FrontDefrost)),
        "climate_control_full" => control(Command::Climate(Climate::Full {
            mode: 3,
            index: 6,
            air_conditioner: true,
        })),
        "heated_seats_3_1" => control(Command::Seats(Seats::Front { left: 3, right: 1 })),
        "heated_seat_front_left_2" => seat(Seat::FrontLeft, 2),
        "heated_seat_front_right_2" => seat(Seat::FrontRight, 2),
        "heated_seat_rear_left_2" => seat(Seat::RearLeft, 2),
        "heated_seat_rear_right_2" => seat(Seat::RearRight, 2),
        "steering_wheel_heat_on" => control(Command::SteeringWheelHeating { on: true }),
        "steering_wheel_heat_off" => control(Command::SteeringWheelHeating { on: false }),
        "rear_window_heat_on" => control(Command::RearWindowHeating { on: true }),
        "rear_window_heat_off" => control(Command::RearWindowHeating { on: false }),
        "charging_start" => charge(ChargeCommand::Start),
        "charging_stop" => charge(ChargeCommand::Stop),
        "charge_port_lock" => charge(ChargeCommand::LockCable),
        "charge_port_unlock" => charge(ChargeCommand::UnlockCable),
        "v2x_start" => charge(ChargeCommand::StartV2x),
        "v2x_stop" => charge(ChargeCommand::StopV2x),
        "charging_schedule_until_time" => schedule((22, 30), (6, 5), ScheduleMode::UntilTime),
        "charging_schedule_until_soc" => schedule((1, 0), (5, 0), ScheduleMode::UntilTargetSoc),
        "charging_schedule_disabled" => schedule((0, 0), (0, 0), ScheduleMode::Off),
        "charging_settings_get" => settings(None, None, None),
        "target_soc_80" => settings(Some(TargetSoc::P80), None, None),
        "target_soc_80_limit_8A" => settings(Some(TargetSoc::P80), Some(CurrentLimit::A8), None),
        "v2x_target_soc_40" => settings(None, None, Some(TargetSoc::P40)),
        "battery_heating_on" => made(&HeatBattery {
            vin: vin(),
            on: true,
        }),
        "battery_heating_off" => made(&HeatBattery {
            vin: vin(),
            on: false,
        }),
        "battery_heating_schedule_get" => made(&ReadHeatingSchedule(vin())),
        "battery_heating_schedule_set" => made(&SetHeatingSchedule {
            vin: vin(),
            start_at: DateTime::from_timestamp_millis(1_767_247_200_000),
        }),
        "battery_heating_schedule_disable" => made(&SetHeatingSchedule {
            vin: vin(),
            start_at: None,
        }),
        other => panic!("a case without a call of ours: {other}"),
    })
}

#[test]
fn calls() {
    let vectors = support::json(include_str!("data/commands.json"));
    let cases = list(&vectors["cases"]);
    assert_eq!(cases.len(), 65);
    for case in cases {
        let name = text(&case["name"]);
        let Some(made) = ours(name) else { continue };
        assert_eq!(made.method, text(&case["method"]), "{name}");
        assert_eq!(made.path, text(&case["path"]), "{name}");
        assert_eq!(made.event, !case["event_id_header"].is_null(), "{name}");
        let read = |body: &str| match body {
            "" => Value::Null,
            body => support::json(body),
        };
        assert_eq!(read(&made.body), read(text(&case["plain_body"])), "{name}");
    }
    println!(
        "calls: {} of {} (login is another test's)",
        cases.len() - 1,
        cases.len()
    );
}

#[test]
fn parameters_as_the_app_sends_them() {
    let bytes = |climate: Climate| Command::Climate(climate).params();
    let high = Climate::Full {
        mode: 2,
        index: 19,
        air_conditioner: false,
    };
    assert_eq!(bytes(high), [(19, 2), (20, 19), (22, 0)]);
    let low = Climate::Full {
        mode: 2,
        index: 1,
        air_conditioner: false,
    };
    assert_eq!(bytes(low), [(19, 2), (20, 1), (22, 0)]);
    let airflow = Climate::Full {
        mode: 1,
        index: 0,
        air_conditioner: true,
    };
    assert_eq!(bytes(airflow), [(19, 1), (20, 0), (22, 1)]);
}

#[test]
fn only_reads_are_no_commands() {
    let read = SetCharging {
        vin: VIN.into(),
        settings: ChargeSettings::default(),
    };
    assert!(!read.is_command());
    let write = SetCharging {
        settings: ChargeSettings {
            target_soc: Some(TargetSoc::P80),
            ..ChargeSettings::default()
        },
        ..read
    };
    assert!(write.is_command());
    assert!(!LiveStatus(VIN.into()).is_command());
    assert!(
        Control {
            vin: VIN.into(),
            command: Command::Lock
        }
        .is_command()
    );
}

#[test]
fn calls_that_are_known_from_one_source() {
    let vin = Vin::from(VIN);
    let day = chrono::NaiveDate::from_ymd_opt(2024, 1, 31).unwrap();
    let vectors = support::json(include_str!("data/envelope.json"));
    let signed = list(&vectors["requests"])
        .iter()
        .find(|case| case["name"] == "get_statistics_percent_encoded_query")
        .unwrap();
    let statistics = RawCall::statistics(&vin, StatisticsRange::Day, day);
    assert_eq!(statistics.path, text(&signed["path"]));
    let fence = RawCall::set_geofence(&vin, (44.4949, -11.3426), 500, true);
    assert_eq!(
        support::json(&fence.body),
        json!({
            "alertType": 3, "maxDist": 500, "operationType": 1, "vin": vin.hash(),
            "position": { "latitude": 44_494_900, "longitude": -11_342_600 },
        })
    );
}
