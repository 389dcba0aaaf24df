//! The client in India: on a simulated cloud, and against scripted answers.

mod support;

use std::sync::{Arc, Mutex};

use saic_ismart::http::Response;
use saic_ismart::india::{
    AccountDispatcher, CarDispatcher, Fact, ReadFact, open_account, open_car, seal_account,
    seal_car,
};
use saic_ismart::simulator::{Activity, InProcess, IndiaCloud, IndiaConfig, Phase};
use saic_ismart::vehicle::Climate;
use saic_ismart::{
    Client, ClientBuilder, Command, Credentials, Error, FileTokenStore, LoginError, Region,
    Relogin, Vehicle,
};
use support::{Script, json, plain, text};

const EPOCH_MS: u64 = 1_795_161_600_000;

fn phone() -> Credentials {
    Credentials::phone("91", "9876543210", "demo-password")
}

fn cloud_with(config: IndiaConfig) -> InProcess<IndiaCloud> {
    InProcess::starting_at(IndiaCloud::new(config, 7), EPOCH_MS)
}

/// A cloud whose car charges all the time.
fn cloud() -> InProcess<IndiaCloud> {
    let mut config = IndiaConfig::default();
    config.car.plan = vec![Phase {
        activity: Activity::Charging { kw: 7.0 },
        minutes: 1e6,
    }];
    cloud_with(config)
}

fn builder(cloud: &InProcess<IndiaCloud>) -> ClientBuilder {
    let clock = cloud.clone();
    Client::builder(Region::India, phone())
        .pin("1234")
        .transport(cloud.clone())
        .clock(move || i64::try_from(clock.now_ms()).unwrap())
}

async fn only_car(client: &Client) -> Vehicle {
    let list = client.vehicles().await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].model.as_deref(), Some("Windsor EV"));
    client.vehicle(&list[0]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_charging_car() {
    let cloud = cloud();
    let client = builder(&cloud).build().unwrap();
    let car = only_car(&client).await;
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;

    let status = car.status().await.unwrap();
    assert_eq!(status.basic.locked, Some(true));
    assert_eq!(status.basic.odometer_km(), Some(20_481.5));
    assert!(status.position.latitude_longitude_deg().is_some());
    let bars = status.basic.tyre_pressures_bar();
    assert_eq!(
        bars.map(|bar| (bar.unwrap() * 25.0).round() as u8),
        [65, 64, 66, 63]
    );

    let charging = car.charging().await.unwrap();
    assert!(charging.management.state.unwrap().is_charging());
    assert!((50.0..60.0).contains(&charging.management.soc_percent().unwrap()));
    let watts = charging.management.pack_power_w().unwrap();
    assert!((5_000.0..8_000.0).contains(&watts), "{watts}");
    assert_eq!(charging.rvs.cable_connected, Some(true));
    let pack = charging.management.pack_voltage_v().unwrap();
    assert!((charging.rvs.working_voltage_v().unwrap() - pack).abs() <= 2.5);
    let older = car.charging_status().await.unwrap();
    assert_eq!(older.charging.odometer_deci_km, Some(204_815));
    assert_eq!(cloud.cloud().logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands() {
    let cloud = cloud();
    let client = builder(&cloud).build().unwrap();
    let car = only_car(&client).await;
    let answer = car.unlock().await.unwrap();
    assert_eq!(answer.request_status.bytes(), [2]);
    assert_eq!(answer.status().unwrap().basic.locked, Some(false));
    assert_eq!(car.status().await.unwrap().basic.locked, Some(false));
    car.lock().await.unwrap();
    let answer = car.heat_seats(2, 0).await.unwrap();
    assert_eq!(answer.basic.seat_heating_front_left, Some(2));
    let start = Command::Climate(Climate::Start { index: 3 });
    let answer = car.control(start).await.unwrap();
    let climate = answer.basic.climate.unwrap();
    assert_eq!(climate.code(), 3);
    car.stop_climate().await.unwrap();
    let climate = car.status().await.unwrap().basic.climate.unwrap();
    assert_eq!(climate.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_fails_at_once() {
    let mut config = IndiaConfig::default();
    config.car.plan = vec![Phase {
        activity: Activity::Driving { kmh: 40.0 },
        minutes: 1e6,
    }];
    let cloud = cloud_with(config);
    let car = only_car(&builder(&cloud).build().unwrap()).await;
    let error = car.unlock().await.unwrap_err();
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
    assert!(
        error.to_string().contains("status 3, failure 33"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_car_without_signal() {
    let cloud = cloud();
    let car = only_car(&builder(&cloud).build().unwrap()).await;
    cloud.cloud().set_signal(false);
    let before = cloud.now_ms();
    let error = car.status().await.unwrap_err();
    let Error::Unreachable {
        attempts, event_id, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!((*attempts, event_id.as_str()), (10, "41"));
    assert_eq!(cloud.now_ms() - before, 9 * 1_500);
    assert!(error.may_have_taken_effect());
    let before = cloud.now_ms();
    let error = car.lock().await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable { attempts: 15, .. }),
        "{error:?}"
    );
    assert_eq!(cloud.now_ms() - before, 14 * 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_session_taken_by_another_device() {
    let cloud = cloud();
    let client = builder(&cloud).relogin(Relogin::AtOnce).build().unwrap();
    let car = only_car(&client).await;
    cloud.cloud().log_in_elsewhere();
    car.status().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 2);
    // Noticed by the gateway and by the PIN check, too.
    cloud.cloud().log_in_elsewhere();
    client.vehicles().await.unwrap();
    cloud.cloud().log_in_elsewhere();
    car.lock().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 4);

    let patient = builder(&cloud).build().unwrap();
    let car = only_car(&patient).await;
    cloud.cloud().log_in_elsewhere();
    let error = car.charging().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::LoggedInElsewhere { .. })),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_survives_a_restart() {
    let cloud = cloud();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("session.json");
    for _ in 0..3 {
        let store = FileTokenStore::new(&file);
        let client = builder(&cloud).token_store(store).build().unwrap();
        only_car(&client).await.charging().await.unwrap();
    }
    assert_eq!(cloud.cloud().logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_phone() {
    let cloud = cloud();
    let with = |credentials| {
        let clock = cloud.clone();
        Client::builder(Region::India, credentials)
            .transport(cloud.clone())
            .clock(move || i64::try_from(clock.now_ms()).unwrap())
            .build()
            .unwrap()
    };
    let client = with(Credentials::phone("91", "9876543210", "another1"));
    for _ in 0..2 {
        let error = client.vehicles().await.unwrap_err();
        let Error::Login(LoginError::WrongPassword { code, message }) = error else {
            panic!("{error:?}")
        };
        assert_eq!((code, message.as_str()), (15_018, "The password is wrong"));
    }
    let stranger = with(Credentials::phone("91", "1111111111", "demo-password"));
    let error = stranger.vehicles().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::NotRegistered { .. })),
        "{error:?}"
    );
    assert_eq!(cloud.cloud().logins(), 0);
    let by_mail = Client::builder(Region::India, support::credentials()).build();
    assert!(matches!(by_mail, Err(Error::Configuration(_))));
    let short = with(Credentials::phone("91", "9876543210", "abc"));
    let error = short.vehicles().await.unwrap_err();
    assert!(matches!(error, Error::InvalidValue(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn commands_need_the_right_pin() {
    let cloud = cloud();
    let client = builder(&cloud).pin("9999").build().unwrap();
    let car = only_car(&client).await;
    let refused = |error: &Error| {
        matches!(error, Error::Login(LoginError::WrongPin { code: 9, .. })) && error.needs_login()
    };
    for _ in 0..2 {
        let error = car.unlock().await.unwrap_err();
        assert!(refused(&error), "{error:?}");
        assert!(!error.may_have_taken_effect());
    }
    // Reads do not need it.
    assert_eq!(car.status().await.unwrap().basic.locked, Some(true));

    let mut requests = 0;
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let none = Client::builder(Region::India, phone())
        .transport(cloud.clone())
        .observer(move |_| *count.lock().unwrap() += 1)
        .clock(|| i64::try_from(EPOCH_MS).unwrap())
        .build()
        .unwrap();
    let car = only_car(&none).await;
    requests += *seen.lock().unwrap();
    let error = car.unlock().await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error:?}");
    assert!(error.to_string().contains("PIN"));
    assert_eq!(*seen.lock().unwrap(), requests);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_offered_is_not_sent() {
    let cloud = cloud();
    let client = builder(&cloud).build().unwrap();
    let car = only_car(&client).await;
    let errors = [
        car.cached_status().await.err(),
        car.heat_battery(true).await.err(),
        car.alarm_switches().await.err(),
        client.unread_messages().await.err(),
        client.timezone().await.err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert!(matches!(error, Error::NotOffered { .. }), "{error:?}");
        assert!(!error.is_retryable() && !error.may_have_taken_effect());
    }
}

#[tokio::test(start_paused = true)]
async fn charging_of_a_shared_car() {
    let cloud = cloud_with(IndiaConfig {
        shared: true,
        ..IndiaConfig::default()
    });
    let car = only_car(&builder(&cloud).build().unwrap()).await;
    let error = car.charging().await.unwrap_err();
    assert!(matches!(error, Error::Refused { code: 5, .. }), "{error:?}");
    assert!(error.to_string().contains("shared"), "{error}");
    car.status().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn facts_of_the_gateway() {
    let cloud = cloud();
    let client = builder(&cloud).build().unwrap();
    let vin = only_car(&client).await.vin().clone();
    let read = |fact| ReadFact {
        vin: vin.clone(),
        fact,
    };
    let features = client.call(&read(Fact::Features)).await.unwrap().unwrap();
    assert_eq!(json(&features)["configuration"]["WINDOW"], "1111");
    for fact in [Fact::Subscription, Fact::Co2, Fact::Co2Supplement] {
        client.call(&read(fact)).await.unwrap();
    }
    // Other regions do not know them.
    let elsewhere = Client::builder(Region::India, phone())
        .transport(Script::new(vec![Err(saic_ismart::TransportError {
            not_sent: true,
            message: "no route".to_owned(),
        })]))
        .build()
        .unwrap();
    let error = elsewhere.call(&read(Fact::Co2)).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
}

/// What an observer is shown: no token, no phone, no VIN.
#[tokio::test(start_paused = true)]
async fn bug_reports() {
    let cloud = cloud();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let client = builder(&cloud)
        .observer(move |exchange| {
            let line = format!("{} {} {}", exchange.method, exchange.path, exchange.request);
            sink.lock().unwrap().push(line);
        })
        .build()
        .unwrap();
    let car = only_car(&client).await;
    let fact = ReadFact {
        vin: car.vin().clone(),
        fact: Fact::Co2,
    };
    client.call(&fact).await.unwrap();
    car.lock().await.unwrap();
    let seen = seen.lock().unwrap();
    let path = format!("GET /navi/vehicle/co2info?vin={} ", car.vin().hash());
    assert_eq!(seen[0], "GET /vehicle/userVinList ");
    assert_eq!(seen[1], path);
    assert_eq!(
        seen[2..],
        [
            "POST ota.mpv21 0080",
            "POST ota.mpv21 0080",
            "POST ota.mpv21 0080"
        ]
    );
}

/// Published requests, headers included, and a published answer.
#[tokio::test]
async fn as_published() {
    let vectors = json(include_str!("data/india.json"));
    let inputs = &vectors["inputs"];
    let user_id = format!("{:0>50}", text(&inputs["phone"]));
    let answer = AccountDispatcher {
        application: "501".to_owned(),
        user_id: Some(user_id),
        icc_id: "12345678901234567890".to_owned(),
        ..AccountDispatcher::default()
    };
    let login = saic_ismart::india::LoginAnswer {
        token: Some(text(&inputs["token"]).to_owned()),
        refresh_token: None,
    };
    let login = seal_account(&answer, &login.to_bytes().unwrap()).unwrap();
    let pending = CarDispatcher {
        application: "511".to_owned(),
        event_id: Some(77),
        result: Some(4),
        ..CarDispatcher::default()
    };
    let script = Script::new(vec![
        Ok(plain(200, &login)),
        Ok(plain(200, &seal_car(&pending, &[]).unwrap())),
        Ok(plain(200, text(&vectors["status_response_frame"]))),
    ]);
    let credentials = Credentials::phone("+91", text(&inputs["phone"]), text(&inputs["password"]));
    let client = Client::builder(Region::India, credentials)
        .device_id(text(&vectors["device_id"]))
        .transport(script.clone())
        .clock(|| 1_700_000_000_000)
        .build()
        .unwrap();
    let car = client.vehicle_by_vin(text(&inputs["vin"]));
    let status = car.status().await.unwrap();
    assert_eq!(status.basic.odometer_km(), Some(12_345.0));
    let requests = script.requests.lock().unwrap();
    for (request, (body, signature, path)) in requests.iter().zip([
        (
            &vectors["login_body"],
            &vectors["login_signature"],
            "ota.mp",
        ),
        (
            &vectors["status_event0"]["body"],
            &vectors["status_event0"]["signature"],
            "ota.mpv21",
        ),
        (
            &vectors["status_event_77"]["body"],
            &vectors["status_event_77"]["signature"],
            "ota.mpv21",
        ),
    ]) {
        assert_eq!(request.body, text(body));
        assert_eq!(request.header("app-signature"), Some(text(signature)));
        assert_eq!(request.header("Content-Type"), Some("text/plain"));
        let url = format!("https://iov-tap.mgindia.co.in/TAP.Web/{path}");
        assert_eq!(request.url, url);
    }
    assert_eq!((requests.len(), script.unused()), (3, 0));
}

fn scripted(answers: Vec<Response>) -> (Script, Vehicle) {
    let login = saic_ismart::india::LoginAnswer {
        token: Some("A".repeat(40)),
        refresh_token: None,
    };
    let dispatcher = AccountDispatcher {
        application: "501".to_owned(),
        user_id: Some("0".repeat(50)),
        icc_id: "12345678901234567890".to_owned(),
        ..AccountDispatcher::default()
    };
    let login = seal_account(&dispatcher, &login.to_bytes().unwrap()).unwrap();
    let mut all = vec![Ok(plain(200, &login))];
    all.extend(answers.into_iter().map(Ok));
    let script = Script::new(all);
    let client = Client::builder(Region::India, phone())
        .pin("1234")
        .transport(script.clone())
        .build()
        .unwrap();
    (script, client.vehicle_by_vin("MZTEST00000000001"))
}

#[tokio::test(start_paused = true)]
async fn odd_answers() {
    let page = "<html>maintenance</html>";
    for (answer, unreadable) in [
        (plain(200, page), true),
        (plain(200, ""), true),
        (plain(200, "100CC2175000000"), true),
        (plain(502, page), false),
        (plain(404, ""), false),
    ] {
        let (script, car) = scripted(vec![answer]);
        let error = car.status().await.unwrap_err();
        assert_eq!(
            matches!(error, Error::Unreadable { .. }),
            unreadable,
            "{error:?}"
        );
        assert_eq!(
            matches!(error, Error::Unavailable { .. }),
            !unreadable,
            "{error:?}"
        );
        assert!(error.is_retryable());
        assert_eq!(script.unused(), 0);
    }
}

/// A command is sent once, whatever becomes of its answer.
#[tokio::test(start_paused = true)]
async fn a_command_is_never_repeated() {
    let pin = AccountDispatcher {
        application: "313".to_owned(),
        icc_id: "12345678901234567890".to_owned(),
        result: Some(0),
        ..AccountDispatcher::default()
    };
    let pin = || plain(200, &seal_account(&pin, &[]).unwrap());
    let (script, car) = scripted(vec![pin(), plain(200, "cut off")]);
    let error = car.unlock().await.unwrap_err();
    assert!(error.may_have_taken_effect(), "{error:?}");
    assert_eq!(script.count(), 3);

    // Pending without a handle: nothing can be asked for.
    let pending = CarDispatcher {
        application: "510".to_owned(),
        result: Some(6),
        ..CarDispatcher::default()
    };
    let pending = plain(200, &seal_car(&pending, &[]).unwrap());
    let (script, car) = scripted(vec![pin(), pending]);
    let error = car.unlock().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    let requests = script.requests.lock().unwrap();
    let (pin, _) = open_account(&requests[1].body).unwrap();
    let (unlock, _) = open_car(&requests[2].body).unwrap();
    assert_eq!(
        (pin.application.as_str(), unlock.application.as_str()),
        ("313", "510")
    );
    assert_eq!(requests.len(), 3);
}

#[test]
fn addresses() {
    let india = Region::by_code("in").unwrap();
    assert_eq!(
        india.base_url(),
        "https://iov-gateway.mgindia.co.in/api.app/v1/"
    );
    let here = Region::IndiaAt {
        base_url: "http://127.0.0.1:8080".to_owned(),
    };
    assert_eq!(here.base_url(), "http://127.0.0.1:8080/api.app/v1/");
    assert_eq!(here.code(), "in");
}

/// `base_url` moves both addresses.
#[tokio::test(start_paused = true)]
async fn another_address() {
    for base_url in ["http://localhost:1", "http://localhost:1/api.app/v1/"] {
        let script = Script::new(vec![Ok(plain(500, ""))]);
        let client = Client::builder(Region::India, phone())
            .base_url(base_url)
            .transport(script.clone())
            .build()
            .unwrap();
        client.vehicles().await.unwrap_err();
        let url = &script.requests.lock().unwrap()[0].url;
        assert_eq!(url, "http://localhost:1/TAP.Web/ota.mp");
    }
}
