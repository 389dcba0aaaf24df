#![no_main]

use bimmer::mybmw::{
    Capabilities, ChargingDetails, ChargingSessions, ChargingStatistics, Profile, Sustainability,
    Vehicle, VehicleState,
};
use chrono::DateTime;
use serde_json::Value;

// One document stands for all answers about a vehicle. What can be read from it
// must not panic, and must be the same when read again from its own JSON.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(document) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let part = |name: &str| document.get(name).cloned().unwrap_or_default();
    let sessions: ChargingSessions = serde_json::from_value(part("sessions")).unwrap_or_default();
    for session in &sessions.sessions {
        let _ = session.started_at();
        assert!(session.energy_kwh().is_none_or(f64::is_finite));
    }
    let _ = sessions.energy_kwh();
    let _ = serde_json::from_value::<ChargingStatistics>(part("statistics"));
    let _ = serde_json::from_value::<Sustainability>(part("sustainability"));
    let Ok(profile) = serde_json::from_value::<Profile>(part("profile")) else {
        return;
    };
    let state: VehicleState = serde_json::from_value(part("state")).unwrap_or_default();
    let capabilities: Capabilities =
        serde_json::from_value(part("capabilities")).unwrap_or_default();
    let charging: Option<ChargingDetails> = serde_json::from_value(part("charging")).ok();
    let now = DateTime::UNIX_EPOCH;
    let car = Vehicle::new(profile, state, capabilities, charging, now);
    let _ = (car.ranges(), car.lids(), car.windows(), car.timestamp());
    let _ = (
        car.charging_ends_at(),
        car.charging_starts_at(now.naive_utc()),
    );
    let _ = (
        car.profile.software(),
        car.profile.brand(),
        car.charging_status(),
    );
    let _ = (car.next_service_by_distance(), car.next_service_by_time());
    if let Some(climate) = &car.state.climate {
        let _ = climate.ends_at(now);
    }
    let tyres = car.state.tyres.clone().unwrap_or_default();
    if let Some(details) = tyres.front_left.and_then(|tyre| tyre.details) {
        let _ = details.made_in();
    }
    let capabilities = serde_json::to_value(&car.capabilities).unwrap();
    assert_eq!(
        serde_json::from_value::<Capabilities>(capabilities).unwrap(),
        car.capabilities
    );
});
