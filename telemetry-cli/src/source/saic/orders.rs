//! Every control of a car, carried out by the simulated one.

use chrono::TimeDelta;
use saic_ismart::VehicleStatus;
use saic_ismart::simulator::{Activity, Phase};

use super::days::{Bench, live};
use crate::control::vehicle as row;
use crate::control::{Control, Form};
use crate::event::Reading;

async fn charging_car() -> Bench {
    let phase = |activity, minutes| Phase { activity, minutes };
    Bench::new(vec![phase(Activity::Charging { kw: 7.2 }, 1440.0)]).await
}

fn reading(bench: &Bench) -> std::sync::Arc<Reading> {
    bench.context.hub.snapshot().remove(0).reading.unwrap()
}

/// A value by its key, or what is in `extra` under this name.
fn shown(bench: &Bench, key: &str) -> serde_json::Value {
    let reading = reading(bench);
    let metric = crate::metric::catalogue(reading.kind)
        .iter()
        .find(|metric| metric.key == key);
    match metric {
        Some(metric) => serde_json::to_value(reading.values.get(metric)).unwrap(),
        None => reading.extra.get(key).cloned().unwrap_or_default(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_car_does_what_it_is_told() {
    let bench = charging_car().await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let cases: [(&'static Control, &str, &str, serde_json::Value); 33] = [
        (&row::LOCKED, "unlock", "locked", false.into()),
        (&row::LOCKED, "lock", "locked", true.into()),
        (&row::LOCK_DOORS, "press", "locked", true.into()),
        (&row::CLIMATE, "on", "climate_active", true.into()),
        (&row::CLIMATE, "off", "climate_active", false.into()),
        (
            &row::CLIMATE_MODE,
            "fan",
            "climate_activity",
            "blowing".into(),
        ),
        (
            &row::CLIMATE_MODE,
            "defrost",
            "climate_activity",
            "front_defrost".into(),
        ),
        (&row::CLIMATE_MODE, "off", "climate_activity", "off".into()),
        (
            &row::CLIMATE_MODE,
            "heat",
            "climate_activity",
            "heating".into(),
        ),
        (&row::CLIMATE_AT, "24", "climate_active", true.into()),
        (
            &row::SEAT_FRONT_LEFT,
            "3",
            "seat_heating_front_left",
            3.into(),
        ),
        (
            &row::SEAT_FRONT_RIGHT,
            "1",
            "seat_heating_front_right",
            1.into(),
        ),
        (
            &row::SEAT_FRONT_RIGHT,
            "2",
            "seat_heating_front_left",
            3.into(),
        ),
        (
            &row::SEAT_REAR_LEFT,
            "on",
            "seat_heating_rear_left",
            3.into(),
        ),
        (
            &row::SEAT_REAR_RIGHT,
            "on",
            "seat_heating_rear_right",
            3.into(),
        ),
        (
            &row::STEERING_WHEEL,
            "on",
            "steering_wheel_heating",
            1.into(),
        ),
        (&row::REAR_WINDOW, "on", "rear_window_heating", true.into()),
        (&row::FIND_CAR, "lights", "dipped_beam_on", true.into()),
        (&row::FIND_CAR, "stop", "dipped_beam_on", false.into()),
        (&row::TARGET_SOC, "90", "target_soc_percent", 90.into()),
        (
            &row::CURRENT_LIMIT,
            "8A",
            "charge_current_limit",
            "8A".into(),
        ),
        // The target goes along with the limit.
        (&row::CURRENT_LIMIT, "Max", "target_soc_percent", 90.into()),
        (
            &row::CHARGING_SCHEDULE,
            "22:00-6:00",
            "charging_plan",
            "22:00-06:00".into(),
        ),
        (
            &row::CHARGING_SCHEDULE,
            "23:30-target",
            "charging_plan",
            "23:30-target".into(),
        ),
        (
            &row::CHARGING_SCHEDULE,
            "off",
            "charging_plan",
            "off".into(),
        ),
        (
            &row::HEATING_SCHEDULE,
            "6:30",
            "battery_heating_plan",
            "06:30".into(),
        ),
        (
            &row::HEATING_SCHEDULE,
            "off",
            "battery_heating_plan",
            "off".into(),
        ),
        (&row::CABLE_LOCK, "unlock", "cable_locked", false.into()),
        (&row::BATTERY_HEATING, "on", "battery_heating", true.into()),
        (
            &row::STOP_CHARGING,
            "press",
            "charging_state",
            "interrupted".into(),
        ),
        (
            &row::START_CHARGING,
            "press",
            "charging_state",
            "charging".into(),
        ),
        (&row::V2X, "on", "charging_state", "other".into()),
        (&row::V2X, "off", "charging_state", "charging".into()),
    ];
    for (control, text, key, expected) in cases {
        let offers = account.cars[0].device().controls;
        let offer = offers.iter().find(|offer| offer.control == control);
        let offer = offer.unwrap_or_else(|| panic!("{} is not offered", control.name));
        let value = offer.form.parse(text).unwrap();
        account.tell(0, control, &value).await.unwrap();
        assert_eq!(shown(&bench, key), expected, "{} {text}", control.name);
    }
    // What opens the car shows among its parts.
    for (control, text, key, part) in [
        (&row::WINDOWS, "open", "windows_open", "driver"),
        (&row::OPEN_BOOT, "press", "doors_open", "boot"),
    ] {
        let value = control.form.parse(text).unwrap();
        account.tell(0, control, &value).await.unwrap();
        assert_eq!(shown(&bench, key)[part], true, "{}", control.name);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_car_lacks_is_not_offered() {
    let bench = charging_car().await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let offers = account.cars[0].device().controls;
    let offer = |control| offers.iter().find(|offer| offer.control == control);
    // Its list says that it has none.
    assert!(offer(&row::SUNROOF).is_none());
    assert!(!offer(&row::LOCKED).unwrap().allowed);
    assert!(offer(&row::LOCK_DOORS).unwrap().allowed);
    let Form::Select(degrees) = &offer(&row::CLIMATE_AT).unwrap().form else {
        panic!("a choice");
    };
    assert_eq!(
        (degrees.first(), degrees.last()),
        (Some(&"17"), Some(&"33"))
    );
}

/// A car that refuses, and one that cannot be reached: told once.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_a_silent_car_is_told_once() {
    let bench = charging_car().await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let press = crate::value::Value::from(true);
    let off = crate::value::Value::from(false);
    account.tell(0, &row::LOCKED, &off).await.unwrap();
    let refused = account.tell(0, &row::CLIMATE, &press).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the car refuses: the car is not locked or not off"
    );
    assert_eq!(
        refused.hint(),
        Some("lock the car first, and switch it off")
    );

    bench.cloud.cloud().set_signal(0, false);
    let before = bench.cloud.cloud().live_calls();
    let silent = account.tell(0, &row::LOCK_DOORS, &press).await.unwrap_err();
    assert!(
        silent.to_string().contains("may have been carried out"),
        "{silent}"
    );
    // The command, and one look at what came of it.
    assert_eq!(bench.cloud.cloud().live_calls(), before + 2);
    // What was known stays, and says so.
    assert!(shown(&bench, "soc_percent").as_f64() >= Some(54.0));
    assert_eq!(
        shown(&bench, "trouble"),
        "the car does not answer: it sleeps deeply or has no signal"
    );
}

/// The cloud does not hear of every command: what it remembers of earlier does
/// not come back.
#[tokio::test(start_paused = true)]
async fn what_a_command_brought_about_stays() {
    let directory = tempfile::tempdir().unwrap();
    let bench = charging_car().await.keeping(directory.path());
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let earlier = format!(
        r#"{{"statusTime":{},"basicVehicleStatus":{{"lockStatus":1,"mileage":204815,"extendedData1":54}}}}"#,
        (account.now() + TimeDelta::seconds(1)).timestamp()
    );
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let unlock = crate::value::Value::from(false);
    account.tell(0, &row::LOCKED, &unlock).await.unwrap();
    assert_eq!(shown(&bench, "locked"), false);
    let status = VehicleStatus::from_json(&earlier).unwrap();
    let now = account.now();
    account.cars[0].remembered(status, Some(earlier), now);
    account.emit(0);
    assert_eq!(shown(&bench, "locked"), false);
    // Nor does it after a restart.
    bench.account().emit(0);
    assert_eq!(shown(&bench, "locked"), false);
}
