//! Past charges and trips: their shapes, their requests, and a simulated month.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::mybmw::{
    ChargingSession, ChargingSessions, ChargingStatistics, Client, Profile, Region, SessionKind,
    SessionStatus, Sustainability,
};
use bimmer::simulator::{Car, Drive, MyBmwCloud};
use bimmer::types::parse_time;
use bimmer::{Error, Vin};
use chrono::TimeDelta;
use mockito::{Matcher, Server};
use serde_json::json;
use support::mybmw::logged_in;
use support::simulated::{Link, Time};

const VIN: &str = "WBA11AA0001234501";

fn profile() -> Profile {
    serde_json::from_value(json!({"vin": VIN, "brand": "BMW_I", "model": "i4"})).unwrap()
}

/// In the shape of answers that others have published.
#[test]
fn charges_in_words_and_numbers() {
    let sessions: ChargingSessions = serde_json::from_value(json!({
        "total": "~ 142 kWh", "numberOfSessions": "3", "chargingListState": "HAS_SESSIONS",
        "sessions": [
            {"id": "2023-01-13T20:46:46Z_20735abd", "title": "Friday 21:46",
             "subtitle": "At home • 2h 06min • -- EUR", "energyCharged": "~ 22 kWh",
             "sessionStatus": "FINISHED", "isPublic": false},
            {"id": "2023-01-08T15:05:06.000Z_20735abd", "energyCharged": "< 2 kWh",
             "sessionStatus": "INTERRUPTED", "isPublic": true},
            {"id": 7, "energyCharged": null},
            "no session",
        ],
        "costsGroupedByCurrency": ["--"],
    }))
    .unwrap();
    assert_eq!(
        (sessions.count, sessions.energy_kwh()),
        (Some(3), Some(142.0))
    );
    let [first, second, third] = sessions.sessions.as_slice() else {
        panic!()
    };
    assert_eq!(first.started_at(), parse_time("2023-01-13T20:46:46Z"));
    assert_eq!(
        (first.energy_kwh(), first.is_public),
        (Some(22.0), Some(false))
    );
    assert_eq!(first.status, Some(SessionStatus::Finished));
    assert_eq!(second.started_at(), parse_time("2023-01-08T15:05:06Z"));
    assert_eq!(second.energy_kwh(), None);
    let other = SessionStatus::Other("INTERRUPTED".to_owned());
    assert_eq!(second.status, Some(other));
    assert_eq!((third.started_at(), third.energy_kwh()), (None, None));

    let none: ChargingSessions = serde_json::from_value(json!({
        "total": "0 kWh", "numberOfSessions": "0", "chargingListState": "CHARGE_AND_TRACK",
        "emptyStateDescription": "Charge your car", "costsGroupedByCurrency": []}))
    .unwrap();
    assert_eq!((none.energy_kwh(), none.sessions.len()), (Some(0.0), 0));

    let statistics: ChargingStatistics = serde_json::from_value(json!({
        "description": "January 2023", "optStateType": "OPT_IN_WITH_SESSIONS",
        "statistics": {"totalEnergyCharged": 142, "symbol": "~", "numberOfChargingSessions": 7,
            "numberOfChargingSessionsSemantics": "7 charges"}}))
    .unwrap();
    let sums = statistics.statistics.unwrap();
    assert_eq!((sums.energy_kwh, sums.sessions), (Some(142.0), Some(7)));
}

#[test]
fn details_of_a_charge() {
    let session: ChargingSession = serde_json::from_value(json!({
        "id": "x", "energyCharged": "~ 22 kWh",
        "details": {"address": "At home", "chargingType": "AC_HIGH", "startBatteryPc": "34%",
            "endBatteryPc": 80, "energyChargedValue": 21.6, "date": "2023-01-13T20:46:46Z",
            "endDate": "2023-01-13T22:52:00Z", "duration": "2h 06min", "preCondition": "no",
            "totalMileage": "12345 km", "chargingBlocks": {"average": 10.4, "min": 2, "max": 11,
                "chargingBlockList": [{"startTime": "2023-01-13T20:46:46Z",
                    "endTime": "2023-01-13T20:51:46Z", "averagePowerGridKw": 10.9}]}}}))
    .unwrap();
    assert_eq!(session.energy_kwh(), Some(21.6));
    assert_eq!(session.started_at(), parse_time("2023-01-13T20:46:46Z"));
    let details = session.details.unwrap();
    assert_eq!(details.kind, Some(SessionKind::AcHigh));
    assert_eq!(
        (details.start_percent, details.end_percent),
        (Some(34.0), Some(80.0))
    );
    let power = details.power.unwrap();
    assert_eq!((power.average_kw, power.most_kw), (Some(10.4), Some(11.0)));
    assert_eq!(power.blocks[0].average_kw, Some(10.9));
}

#[test]
fn consumption() {
    let of = |json| serde_json::from_value::<Sustainability>(json).unwrap();
    let hybrid = of(json!({"status": "Success", "widget": {
        "lastTrip": {"fuelConsumption": {"averageConsumption": "5.25"},
            "electricConsumption": {"averageConsumption": 17.9}},
        "monthly": {"totalElectricConsumption": {"averageConsumption": 18.25}, "other": 1}}}));
    let seen = hybrid.consumption.unwrap();
    let (trip, month) = (seen.last_trip.unwrap(), seen.monthly.unwrap());
    assert_eq!(trip.fuel_l_per_100_km, Some(5.25));
    assert_eq!(trip.electric_kwh_per_100_km, Some(17.9));
    assert_eq!(month.electric_kwh_per_100_km, Some(18.25));
    assert_eq!(month.fuel_l_per_100_km, None);
    assert_eq!(of(json!({"status": "NoData"})).consumption, None);
}

#[tokio::test]
async fn requests() {
    let mut server = Server::new_async().await;
    let mut mocks = Vec::new();
    for (path, gcid, body) in [
        (
            "/eadrax-chs/v2/charging-statistics?vin=WBA11AA0001234501&currentDate=2026-03-14T15%3A09%3A26.000Z",
            Matcher::Missing,
            json!({"statistics": {"totalEnergyCharged": 3}}),
        ),
        (
            "/eadrax-chs/v2/charging-sessions?vin=WBA11AA0001234501&next_token=&date=2026-03-01T00%3A00%3A00.000Z&maxResults=40&include_date_picker=false",
            Matcher::Missing,
            json!({"chargingSessions": null}),
        ),
        (
            "/eadrax-chs/v2/charging-sessions/2026-03-01T10%3A00%3A00Z_1",
            Matcher::Missing,
            json!({"energyChargedValue": 3.5}),
        ),
        (
            "/eadrax-suscs/v1/vehicles/sustainability",
            Matcher::Exact("G-1".to_owned()),
            json!({"status": "Success"}),
        ),
        (
            "/eadrax-suscs/v1/vehicles/sustainability/trips/history?date=2026-03&offset=0&limit=7&groupByWeek=true&timezone=%2B00%3A00",
            Matcher::Exact("G-1".to_owned()),
            json!({"weeks": []}),
        ),
        (
            "/eadrax-suscs/v1/vehicles/sustainability/trips/statistics?date=2026-03&timezone=%2B00%3A00",
            Matcher::Exact("G-1".to_owned()),
            json!({}),
        ),
    ] {
        let mock = server
            .mock("GET", path)
            .match_header("bmw-vin", VIN)
            .match_header("x-gcid", gcid)
            .match_header("x-user-agent", Matcher::Regex(";bmw;".to_owned()))
            .with_body(body.to_string())
            .expect(1);
        mocks.push(mock.create_async().await);
    }
    let (client, profile) = (logged_in(&server.url()), profile());
    let at = parse_time("2026-03-14T15:09:26Z").unwrap();
    let statistics = client.charging_statistics(&profile, at).await.unwrap();
    assert_eq!(statistics.statistics.unwrap().energy_kwh, Some(3.0));
    let sessions = client.charging_sessions(&profile, at).await.unwrap();
    assert_eq!(sessions, ChargingSessions::default());
    let session = client
        .charging_session(&profile, "2026-03-01T10:00:00Z_1")
        .await;
    assert_eq!(session.unwrap().energy_kwh, Some(3.5));
    client.sustainability(&profile).await.unwrap();
    assert_eq!(client.trips(&profile, at).await.unwrap(), r#"{"weeks":[]}"#);
    assert_eq!(client.trip_statistics(&profile, at).await.unwrap(), "{}");
    for mock in mocks {
        mock.assert_async().await;
    }
}

/// A day of a car that drives and charges twice, seen through the app.
#[tokio::test(start_paused = true)]
async fn a_simulated_day() {
    let time = Time::new();
    let car = |vin, drive| Car::new(Vin::new(vin).unwrap(), "BMW", "i4").with_drive(drive);
    let cars = vec![
        car(VIN, Drive::Electric),
        car("WBA11AA0001234504", Drive::Combustion),
    ];
    let cloud = MyBmwCloud::new("driver@example.com", "secret", cars, 1);
    let client = Client::builder(Region::RestOfWorld)
        .transport(Link {
            cloud: Arc::new(Mutex::new(cloud)),
            time,
            handle: MyBmwCloud::handle,
        })
        .credentials("driver@example.com", "secret")
        .captcha_token("P1_once")
        .clock(time.clock())
        .build()
        .unwrap();
    let profiles = client.profiles().await.unwrap();
    let (electric, combustion) = (&profiles[0], &profiles[1]);
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;

    let now = time.now();
    let sessions = client.charging_sessions(electric, now).await.unwrap();
    let statistics = client.charging_statistics(electric, now).await.unwrap();
    let sums = statistics.statistics.unwrap();
    assert_eq!(sums.sessions, sessions.count);
    assert_eq!(sums.energy_kwh, sessions.energy_kwh());
    assert!(sessions.count.unwrap() >= 2, "{sessions:?}");
    let newest = &sessions.sessions[0];
    assert_eq!(newest.status, Some(SessionStatus::Finished));
    assert!(newest.started_at() > sessions.sessions[1].started_at());
    let id = newest.id.as_deref().unwrap();
    let details = client.charging_session(electric, id).await.unwrap();
    assert_eq!(details.started_at, newest.started_at());
    assert_eq!(details.end_percent, Some(80.0));
    let error = client
        .charging_session(electric, "other")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 404, .. }),
        "{error}"
    );

    let used = client.sustainability(electric).await.unwrap();
    let trip = used.consumption.unwrap().last_trip.unwrap();
    assert_eq!(trip.electric_kwh_per_100_km, Some(18.0));
    assert!(client.trips(electric, now).await.unwrap().contains("start"));
    assert!(
        client
            .trip_statistics(electric, now)
            .await
            .unwrap()
            .contains("minutes")
    );

    let sessions = client.charging_sessions(combustion, now).await.unwrap();
    assert_eq!((sessions.count, sessions.sessions.len()), (Some(0), 0));
    let earlier = now - TimeDelta::days(60);
    let sessions = client.charging_sessions(electric, earlier).await.unwrap();
    assert_eq!(sessions.state.as_deref(), Some("CHARGE_AND_TRACK"));
}
