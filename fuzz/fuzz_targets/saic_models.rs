#![no_main]

use chrono::DateTime;
use saic_ismart::account::Timezone;
use saic_ismart::charging::{
    ChargeControlAnswer, ChargeSettingsAnswer, ChargingStatus, HeatingAnswer,
    HeatingScheduleAnswer, ScheduleAnswer,
};
use saic_ismart::message::Messages;
use saic_ismart::plausibility::doubts;
use saic_ismart::vehicle::{AlarmSwitches, ControlAnswer, VehicleListAnswer};
use saic_ismart::{ChargingData, Profile, Rejection, VehicleStatus};

// Past the cipher: any JSON as any answer, and everything computed from it.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = Rejection::of(text);
    let status = VehicleStatus::from_json(text);
    let charging = ChargingData::from_json(text);
    if let Ok(list) = VehicleListAnswer::from_json(text) {
        for info in &list.vehicles {
            let profile = Profile::of(info);
            for temperature in 0..=u8::MAX {
                let _ = profile.temperature_index(temperature);
            }
            let (Ok(status), Ok(charging)) = (&status, &charging) else {
                continue;
            };
            let _ = profile.soc_percent(&status.basic, Some(charging));
            let _ = profile.range_km(&status.basic, Some(charging));
            let _ = profile.odometer_km(&status.basic, Some(charging));
            assert!(!profile.energy_factor(&charging.rvs).is_nan());
        }
    }
    if let Ok(status) = status {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        let _ = doubts(&status, Some(&status), now);
        let _ = status.age(now);
        if let Some(speed) = status.speed_kmh() {
            assert!((-100.0..=450.0).contains(&speed));
        }
        if let Some((latitude, longitude)) = status.position.latitude_longitude_deg() {
            assert!(latitude.abs() <= 90.0 && longitude.abs() <= 180.0);
        }
        if let Some(percent) = status.basic.soc_percent {
            assert!(percent <= 100);
        }
    }
    if let Ok(charging) = charging {
        let management = &charging.management;
        let _ = (
            management.pack_power_w(),
            management.ac_power_three_phase_w(),
        );
        assert!(
            management
                .soc_percent()
                .is_none_or(|soc| (0.0..=100.0).contains(&soc))
        );
        assert!(
            management
                .schedule()
                .is_none_or(|schedule| schedule.is_possible())
        );
    }
    if let Ok(messages) = Messages::from_json(text) {
        for message in &messages.messages {
            let _ = message.local_time();
        }
    }
    if let Ok(answer) = ControlAnswer::from_json(text) {
        let _ = answer.status();
    }
    let _ = ChargeControlAnswer::from_json(text);
    let _ = ChargeSettingsAnswer::from_json(text);
    let _ = ChargingStatus::from_json(text);
    let _ = HeatingAnswer::from_json(text);
    let _ = HeatingScheduleAnswer::from_json(text);
    let _ = ScheduleAnswer::from_json(text);
    let _ = AlarmSwitches::from_json(text);
    let _ = Timezone::from_json(text);
});
