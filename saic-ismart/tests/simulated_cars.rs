//! The client and simulated cars that charge, drive, sleep and refuse.

#[path = "support/simulated.rs"]
mod support;

use std::time::Duration;

use chrono::DateTime;
use saic_ismart::simulator::{Activity, CloudConfig, Phase};
use saic_ismart::vehicle::{Panes, PowerMode, Seat, Seats, WindowAction, Windows};
use saic_ismart::{
    ChargeCommand, ChargeSchedule, ChargeSettings, ChargingState, Climate, ClimateStatus, Command,
    CurrentLimit, Error, Profile, Rejection, ScheduleMode, TargetSoc,
};
use support::{cloud, cloud_with, minutes, only_car};
use tokio::time::{Instant, sleep};

const CHARGING: Activity = Activity::Charging { kw: 7.2 };
const DRIVING: Activity = Activity::Driving { kmh: 60.0 };

#[tokio::test(start_paused = true)]
async fn a_charging_car() {
    let cloud = cloud_with(CHARGING);
    let car = only_car(&cloud).await;
    assert_eq!(car.profile().battery_kwh, Some(64.0));
    sleep(minutes(30)).await;
    let status = car.status().await.unwrap();
    let charging = car.charging().await.unwrap();
    let management = &charging.management;
    assert_eq!(management.state, Some(ChargingState::Charging));
    assert!(management.is_charging());
    // 16 to 32 A on one phase, less what the charger loses.
    let power = management.pack_power_w().unwrap();
    assert!((6_000.0..7_200.0).contains(&power), "{power}");
    let grid = management.ac_power_single_phase_w().unwrap();
    assert!((7_000.0..7_400.0).contains(&grid), "{grid}");
    // 54 % at first, then half an hour of 6.5 kW into 64 kWh.
    let soc = car
        .profile()
        .soc_percent(&status.basic, Some(&charging))
        .unwrap();
    assert!((58.0..60.5).contains(&soc), "{soc}");
    assert_eq!(charging.rvs.cable_connected, Some(true));
    assert_eq!(management.plugged_in(), Some(true));
    assert_eq!(management.target_soc, Some(TargetSoc::P80));
    let energy = charging.rvs.energy_kwh().unwrap() * car.profile().energy_factor(&charging.rvs);
    assert!((energy - 0.64 * soc).abs() < 0.2, "{energy} at {soc} %");
    // At 80 % it stops by itself.
    sleep(minutes(5 * 60)).await;
    let charging = car.charging().await.unwrap();
    assert_eq!(charging.management.state, Some(ChargingState::Done));
    assert_eq!(charging.management.soc_percent(), Some(80.0));
    assert_eq!(charging.management.time_to_full_s(), None);
    let older = car.charging_status().await.unwrap();
    assert_eq!(older.charging.energy_raw, charging.rvs.energy_raw);
}

#[tokio::test(start_paused = true)]
async fn a_driving_car() {
    let cloud = cloud_with(DRIVING);
    let car = only_car(&cloud).await;
    let before = car.status().await.unwrap();
    sleep(minutes(30)).await;
    let after = car.status().await.unwrap();
    assert!(after.is_newer_than(&before));
    assert!(after.basic.is_running() && after.basic.is_hv_active() && !after.basic.is_parked());
    assert_eq!(after.basic.power_mode, Some(PowerMode::On));
    let km = after.basic.odometer_km().unwrap() - before.basic.odometer_km().unwrap();
    assert!((25.0..35.0).contains(&km), "{km}");
    assert!((30.0..90.0).contains(&after.speed_kmh().unwrap()));
    assert!(after.basic.soc_percent < before.basic.soc_percent);
    let place = |status: &saic_ismart::VehicleStatus| status.position.latitude_longitude_deg();
    assert_ne!(place(&before), place(&after));
    assert!(
        car.charging()
            .await
            .unwrap()
            .management
            .pack_power_w()
            .unwrap()
            < -1_000.0
    );
    let error = car.lock().await.unwrap_err();
    let powered_on = matches!(
        error,
        Error::Rejected {
            rejection: Rejection::PoweredOn,
            ..
        }
    );
    assert!(powered_on, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_car_takes_its_time() {
    let cloud = cloud_with(Activity::Parked);
    let car = only_car(&cloud).await;
    sleep(minutes(30)).await;
    // What the cloud keeps costs the car nothing.
    let started = Instant::now();
    let cached = car.cached_status().await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(cloud.cloud().live_calls(), 0);
    assert_eq!(cached.basic.locked, Some(true));
    assert_eq!(cached.basic.aux_battery_voltage_deci_v, None);

    let started = Instant::now();
    let asleep = car.status().await.unwrap();
    assert!(
        (20..40).contains(&started.elapsed().as_secs()),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    let awake = car.status().await.unwrap();
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    assert!(asleep.basic.aux_battery_voltage_deci_v <= awake.basic.aux_battery_voltage_deci_v);
    assert_eq!(cloud.cloud().live_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_car_without_signal() {
    let cloud = cloud_with(Activity::OutOfReach);
    let car = only_car(&cloud).await;
    let started = Instant::now();
    let error = car.status().await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { attempts: 10.., .. }),
        "{error:?}"
    );
    assert!((50..60).contains(&started.elapsed().as_secs()));
    assert!(error.is_retryable());
    assert!(car.cached_status().await.is_ok());

    let cloud = cloud_with(Activity::Parked);
    let car = only_car(&cloud).await;
    cloud.cloud().set_signal(0, false);
    let waiting = tokio::spawn(async move { car.status().await });
    sleep(Duration::from_secs(20)).await;
    cloud.cloud().set_signal(0, true);
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn commands_act() {
    let cloud = cloud_with(CHARGING);
    let car = only_car(&cloud).await;
    let after = async |command| car.control(command).await.unwrap().status().unwrap().basic;

    assert_eq!(
        car.unlock().await.unwrap().status().unwrap().basic.locked,
        Some(false)
    );
    let error = car.start_climate(21).await.unwrap_err();
    let unlocked = matches!(
        error,
        Error::Rejected {
            rejection: Rejection::NotLocked,
            ..
        }
    );
    assert!(unlocked, "{error:?}");
    assert_eq!(
        car.lock().await.unwrap().status().unwrap().basic.locked,
        Some(true)
    );
    assert_eq!(after(Command::OpenTailgate).await.boot_open, Some(true));

    let climate = car.start_climate(21).await.unwrap().status().unwrap();
    assert_eq!(climate.basic.climate, Some(ClimateStatus::On));
    let error = car
        .control(Command::Climate(Climate::FrontDefrost))
        .await
        .unwrap_err();
    let running = matches!(
        error,
        Error::Rejected {
            rejection: Rejection::CheckVehicle,
            ..
        }
    );
    assert!(running, "{error:?}");
    car.stop_climate().await.unwrap();
    let defrost = after(Command::Climate(Climate::FrontDefrost)).await;
    assert_eq!(defrost.climate, Some(ClimateStatus::FrontDefrost));
    let blow = after(Command::Climate(Climate::BlowOnly)).await;
    assert_eq!(blow.climate, Some(ClimateStatus::Blowing));
    sleep(minutes(40)).await;
    assert_eq!(
        car.status().await.unwrap().basic.climate,
        Some(ClimateStatus::Off)
    );

    let seats = car.heat_seats(3, 1).await.unwrap().status().unwrap().basic;
    assert_eq!(
        (
            seats.seat_heating_front_left,
            seats.seat_heating_front_right
        ),
        (Some(3), Some(1))
    );
    let rear = Seats::One {
        seat: Seat::RearLeft,
        level: 3,
    };
    assert_eq!(
        after(Command::Seats(rear)).await.seat_heating_rear_left,
        Some(3)
    );
    assert_eq!(
        after(Command::SteeringWheelHeating { on: true })
            .await
            .steering_wheel_heating,
        Some(1)
    );
    assert_eq!(
        after(Command::RearWindowHeating { on: true })
            .await
            .rear_window_heating,
        Some(true)
    );
    let open = Command::Windows(Windows {
        panes: Panes::WINDOWS,
        action: WindowAction::Open,
    });
    let windows = after(open).await;
    assert_eq!(
        (windows.driver_window_open, windows.sunroof_open),
        (Some(true), Some(false))
    );
    let find = Command::Find {
        horn: true,
        lights: true,
    };
    assert_eq!(after(find).await.dipped_beam_on, Some(true));
    assert_eq!(
        after(Command::StopFinding).await.dipped_beam_on,
        Some(false)
    );
    car.control(Command::CleanAir).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn charging_obeys() {
    let cloud = cloud_with(CHARGING);
    let car = only_car(&cloud).await;
    let stopped = car.control_charging(ChargeCommand::Stop).await.unwrap();
    assert_eq!(stopped.management.state, Some(ChargingState::Stopped));
    let started = car.control_charging(ChargeCommand::Start).await.unwrap();
    assert_eq!(started.management.state, Some(ChargingState::Charging));
    let unlocked = car
        .control_charging(ChargeCommand::UnlockCable)
        .await
        .unwrap();
    assert_eq!(unlocked.management.cable_locked(), Some(false));
    let locked = car
        .control_charging(ChargeCommand::LockCable)
        .await
        .unwrap();
    assert_eq!(locked.management.cable_locked(), Some(true));
    let v2x = car.control_charging(ChargeCommand::StartV2x).await.unwrap();
    assert_eq!(v2x.management.state, Some(ChargingState::Discharging));
    car.control_charging(ChargeCommand::StopV2x).await.unwrap();

    let settings = car.set_target_soc(TargetSoc::P70).await.unwrap();
    assert_eq!(settings.target_soc, Some(TargetSoc::P70));
    let settings = car
        .set_current_limit(CurrentLimit::A6, settings.target_soc)
        .await
        .unwrap();
    assert_eq!(
        (settings.target_soc, settings.current_limit),
        (Some(TargetSoc::P70), Some(CurrentLimit::A6))
    );
    let floor = ChargeSettings {
        v2x_target_soc: Some(TargetSoc::P40),
        ..ChargeSettings::default()
    };
    assert_eq!(
        car.set_charging(floor).await.unwrap().v2x_target_soc,
        Some(TargetSoc::P40)
    );
    assert_eq!(
        car.charge_settings().await.unwrap().current_limit,
        Some(CurrentLimit::A6)
    );
    sleep(minutes(1)).await;
    let slow = car
        .charging()
        .await
        .unwrap()
        .management
        .ac_power_single_phase_w()
        .unwrap();
    assert!((1_300.0..1_500.0).contains(&slow), "{slow}");

    let schedule = ChargeSchedule {
        start: (22, 30),
        end: (6, 5),
        mode: ScheduleMode::UntilTime,
    };
    let answer = car.set_charge_schedule(schedule).await.unwrap();
    assert_eq!(
        (answer.mode, answer.start_hour, answer.end_minute),
        (Some(ScheduleMode::UntilTime), Some(22), Some(5))
    );
    assert_eq!(
        car.charging().await.unwrap().management.schedule(),
        Some(schedule)
    );
    let impossible = ChargeSchedule {
        start: (24, 0),
        ..schedule
    };
    assert!(matches!(
        car.set_charge_schedule(impossible).await,
        Err(Error::InvalidValue(_))
    ));

    assert_eq!(car.heat_battery(true).await.unwrap().request_raw, Some(1));
    assert_eq!(
        car.charging()
            .await
            .unwrap()
            .management
            .is_battery_heating(),
        Some(true)
    );
    let at = DateTime::from_timestamp_millis(1_795_200_000_000);
    car.set_heating_schedule(at).await.unwrap();
    let schedule = car.heating_schedule().await.unwrap();
    assert_eq!((schedule.start_at, schedule.enabled), (at, Some(true)));
    car.set_heating_schedule(None).await.unwrap();
    assert_eq!(car.heating_schedule().await.unwrap().enabled, Some(false));
}

#[tokio::test(start_paused = true)]
async fn what_a_car_cannot_is_not_sent() {
    let mut config = CloudConfig::default();
    config.cars[0].series = "ZP22 EU".to_owned();
    config.cars[0].has_plug = false;
    let cloud = cloud(config);
    let car = only_car(&cloud).await;
    assert!(matches!(car.charging().await, Err(Error::InvalidValue(_))));
    assert!(matches!(
        car.heat_battery(true).await,
        Err(Error::InvalidValue(_))
    ));
    assert!(matches!(
        car.start_climate(31).await,
        Err(Error::InvalidValue(_))
    ));
    let car = car.with_profile(Profile::default().with_series("AS33P"));
    assert!(matches!(
        car.set_target_soc(TargetSoc::P80).await,
        Err(Error::InvalidValue(_))
    ));
    let limit = car.set_current_limit(CurrentLimit::A6, None).await;
    assert!(matches!(limit, Err(Error::InvalidValue(_))));
    assert_eq!(cloud.cloud().live_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_allowance_ends() {
    let mut config = CloudConfig::default();
    config.cars[0].command_allowance = Some(3);
    config.cars[0].plan = vec![
        Phase {
            activity: Activity::Parked,
            minutes: 30.0,
        },
        Phase {
            activity: DRIVING,
            minutes: 10.0,
        },
    ];
    let cloud = cloud(config);
    let car = only_car(&cloud).await;
    car.start_climate(20).await.unwrap();
    car.stop_climate().await.unwrap();
    let error = car.lock().await.unwrap_err();
    let used_up = matches!(
        error,
        Error::Rejected {
            rejection: Rejection::TooFrequent,
            ..
        }
    );
    assert!(used_up && !error.is_retryable(), "{error:?}");
    assert!(
        error.to_string().contains("start the car with its key"),
        "{error}"
    );
    sleep(minutes(41)).await;
    car.lock().await.unwrap();
}
