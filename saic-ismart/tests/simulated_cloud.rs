//! The client and the simulated cloud: messages, damage, whole days.

#[path = "support/simulated.rs"]
mod support;

use chrono::DateTime;
use saic_ismart::account::{AccountFact, RawCall, StatisticsRange, VehicleFact};
use saic_ismart::message::ChangeMessages;
use saic_ismart::simulator::{Activity, CloudConfig, Faults, HttpRequest, Phase};
use saic_ismart::vehicle::AlarmKind;
use saic_ismart::{DecodeError, Error, MessageGroup, plausibility};
use support::{client, client_as, cloud, cloud_with, demo, minutes, only_car, only_car_of};
use tokio::time::sleep;

const DRIVING: Activity = Activity::Driving { kmh: 60.0 };

#[tokio::test(start_paused = true)]
async fn messages_of_cars() {
    let mut config = CloudConfig::default();
    config.cars[0].plan = vec![
        Phase {
            activity: Activity::Parked,
            minutes: 20.0,
        },
        Phase {
            activity: DRIVING,
            minutes: 10.0,
        },
    ];
    let cloud = cloud(config);
    let client = client(&cloud);
    let car = only_car_of(&client).await;
    let wanted = [(AlarmKind::VehicleStart, true), (AlarmKind::Moving, false)];
    car.set_alarm_switches(&wanted).await.unwrap();
    let switches = car.alarm_switches().await.unwrap().switches;
    let start = switches
        .iter()
        .find(|switch| switch.kind == Some(AlarmKind::VehicleStart))
        .unwrap();
    assert_eq!((start.watched, start.reported), (Some(true), Some(true)));
    let none = client.messages(MessageGroup::Alarm, 1, 10).await.unwrap();
    assert_eq!(none.messages, []);
    sleep(minutes(55)).await;
    assert_eq!(client.unread_messages().await.unwrap().alarms, Some(2));
    let newest = client
        .messages(MessageGroup::Alarm, 1, 1)
        .await
        .unwrap()
        .messages
        .remove(0);
    assert!(newest.is_vehicle_start());
    assert_eq!(newest.vin.as_ref(), Some(car.vin()));
    // The server's clock is that of Central Europe.
    assert_eq!(
        newest.local_time().unwrap().format("%H:%M").to_string(),
        "09:50"
    );
    let id = newest.id.unwrap();
    client
        .change_messages(&ChangeMessages::Read { id: id.clone() })
        .await
        .unwrap();
    assert_eq!(client.unread_messages().await.unwrap().alarms, Some(1));
    client
        .change_messages(&ChangeMessages::Delete { id })
        .await
        .unwrap();
    let left = client.messages(MessageGroup::Alarm, 1, 10).await.unwrap();
    assert_eq!((left.messages.len(), left.total), (1, Some(1)));
    client
        .change_messages(&ChangeMessages::DeleteAll(MessageGroup::Alarm))
        .await
        .unwrap();
    assert_eq!(client.unread_messages().await.unwrap().alarms, Some(0));
    assert_eq!(client.notifications().await.unwrap().notifications, []);
    // None of this woke the car.
    assert_eq!(cloud.cloud().live_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_else_the_cloud_offers() {
    let cloud = cloud_with(Activity::Parked);
    let client = client(&cloud);
    assert_eq!(
        client.timezone().await.unwrap().as_deref(),
        Some("Europe/Berlin")
    );
    let car = only_car_of(&client).await;
    let vin = car.vin();
    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let facts = [
        VehicleFact::StatisticsBasicInfo,
        VehicleFact::OnlineStatus,
        VehicleFact::FeatureList,
        VehicleFact::UpdateCampaign,
        VehicleFact::Geofence,
        VehicleFact::GeofenceSetting,
    ];
    let mut calls: Vec<_> = facts.map(|fact| RawCall::about_vehicle(fact, vin)).into();
    calls.extend(
        [
            AccountFact::BluetoothKeys,
            AccountFact::UserInfo,
            AccountFact::Region,
        ]
        .map(RawCall::about_account),
    );
    calls.extend([
        RawCall::statistics(vin, StatisticsRange::Month, day),
        RawCall::favorite_places(1, 10),
    ]);
    for call in calls {
        let data = client.call(&call).await;
        assert!(matches!(data, Ok(Some(_))), "{call:?}: {data:?}");
    }
    for call in [
        RawCall::set_geofence(vin, (52.5, 13.4), 500, true),
        RawCall::send_place("Office", "Street 1", 52.5, 13.4),
        RawCall::switch_bluetooth_key(vin, "key", "tag", false),
    ] {
        assert_eq!(client.call(&call).await.unwrap(), None, "{call:?}");
    }
    let stranger = client
        .vehicle_by_vin("LSJDEMO0000000099")
        .cached_status()
        .await;
    assert!(
        matches!(stranger, Err(Error::Refused { code: 36_805, .. })),
        "{stranger:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn damage_on_the_way() {
    let cloud = cloud_with(Activity::Parked);
    let client = client(&cloud);
    client.login().await.unwrap();
    let with = async |faults| {
        cloud.cloud().set_faults(faults);
        client.vehicles().await
    };
    let none = Faults::default;
    let error = with(Faults {
        server_error: 1.0,
        ..none()
    })
    .await
    .unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { status: 500, .. }),
        "{error:?}"
    );
    let error = with(Faults {
        web_page: 1.0,
        ..none()
    })
    .await
    .unwrap_err();
    let page = matches!(
        error,
        Error::Unreadable {
            source: DecodeError::WebPage(200),
            ..
        }
    );
    assert!(page && error.is_retryable(), "{error:?}");
    let error = with(Faults {
        half_body: 1.0,
        ..none()
    })
    .await
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreadable {
                source: DecodeError::Envelope(_),
                ..
            }
        ),
        "{error:?}"
    );
    let error = with(Faults {
        unavailable: 1.0,
        ..none()
    })
    .await
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unavailable {
                status: 200,
                code: 6,
                ..
            }
        ),
        "{error:?}"
    );
    // Half a body is signed wrong, too.
    let counted = client.bad_signatures();
    assert!(
        with(Faults {
            bad_signature: 1.0,
            ..none()
        })
        .await
        .is_ok()
    );
    assert_eq!(client.bad_signatures(), counted + 1);

    cloud.cloud().set_faults(none());
    let strict = client_as(demo(), &cloud)
        .strict_signatures()
        .build()
        .unwrap();
    assert!(strict.vehicles().await.is_ok());
    cloud.cloud().set_faults(Faults {
        bad_signature: 1.0,
        ..none()
    });
    let error = strict.vehicles().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unreadable {
                source: DecodeError::Signature,
                ..
            }
        ),
        "{error:?}"
    );
    // Nobody logged in more often than needed.
    assert_eq!(cloud.cloud().logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn garbage_in_the_cache_is_doubted() {
    let cloud = cloud_with(Activity::Parked);
    let car = only_car(&cloud).await;
    let now = DateTime::from_timestamp_millis(cloud.now_ms() as i64).unwrap();
    let believed = car.cached_status().await.unwrap();
    assert_eq!(plausibility::doubts(&believed, None, now), []);
    cloud.cloud().set_faults(Faults {
        cache_garbage: 1.0,
        ..Faults::default()
    });
    let garbage = car.cached_status().await.unwrap();
    let doubts = plausibility::doubts(&garbage, Some(&believed), now);
    assert_eq!(doubts.len(), 3, "{doubts:?}");
}

/// A day of the demo car, twice with the same seed.
#[tokio::test(start_paused = true)]
async fn days_repeat() {
    let day = async || {
        let cloud = cloud(CloudConfig::default());
        let car = only_car(&cloud).await;
        let mut seen = Vec::new();
        for _ in 0..48 {
            sleep(minutes(30)).await;
            let status = car.status().await.map_err(|error| error.to_string());
            seen.push(status.map(|status| status.basic.odometer_deci_km));
        }
        seen
    };
    let first = day().await;
    assert!(
        first.iter().any(Result::is_err),
        "it is out of reach now and then"
    );
    assert!(first.iter().filter(|status| status.is_ok()).count() > 20);
    assert_eq!(first, day().await);
}

#[test]
fn any_request_is_answered() {
    use proptest::prelude::*;
    let cloud = saic_ismart::simulator::Cloud::new(CloudConfig::default(), 1);
    proptest!(|(
        method in "[A-Z]{0,7}", target in "(/api.app/v1)?/\\PC{0,40}",
        headers in prop::collection::vec((
            "(APP-SEND-DATE|tenant-id|User-Type|APP-CONTENT-ENCRYPTED|ORIGINAL-CONTENT-TYPE|APP-VERIFICATION-STRING|\\PC{0,9})",
            "(1000|app|1|\\PC{0,20})",
        ), 0..9),
        body in prop::collection::vec(any::<u8>(), 0..99),
        now_ms in any::<u64>(),
    )| {
        let request = HttpRequest { method, target, headers, body };
        let response = cloud.clone().handle(&request, now_ms);
        prop_assert!(response.status >= 400);
    });
}
