//! The client against the simulated app API, in process, on a paused clock.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::mybmw::{
    ChargingStatus, Client, ClientBuilder, Command, EventStatus, ImageView, Region,
};
use bimmer::simulator::{Car, Drive, MyBmwCloud};
use bimmer::{Error, LoginError, Vin};
use support::simulated::{Link, Time};

struct Setup {
    cloud: Arc<Mutex<MyBmwCloud>>,
    time: Time,
}

impl Setup {
    fn new() -> Self {
        let vin = |text| Vin::new(text).unwrap();
        let cars = vec![
            Car::new(vin("WBA11AA0001234501"), "BMW_I", "i4 eDrive40"),
            Car::new(vin("WMW11AA0001234505"), "MINI", "Countryman")
                .with_drive(Drive::PluginHybrid),
            Car::new(vin("WBA11AA0001234504"), "BMW", "320d").with_drive(Drive::Combustion),
        ];
        let cloud = MyBmwCloud::new("driver@example.com", "secret", cars, 1);
        Self {
            cloud: Arc::new(Mutex::new(cloud)),
            time: Time::new(),
        }
    }

    fn builder(&self) -> ClientBuilder {
        let handle = MyBmwCloud::handle;
        Client::builder(Region::RestOfWorld)
            .transport(Link {
                cloud: self.cloud.clone(),
                time: self.time,
                handle,
            })
            .credentials("driver@example.com", "secret")
            .clock(self.time.clock())
    }

    fn client(&self) -> Client {
        self.builder().captcha_token("P1_once").build().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn all_brands_and_drive_trains() {
    let setup = Setup::new();
    let client = setup.client();
    let profiles = client.profiles().await.unwrap();
    let brands: Vec<_> = profiles
        .iter()
        .map(|profile| profile.brand().to_string())
        .collect();
    assert_eq!(brands, ["bmw", "bmw", "mini"]);
    let cars = client.vehicles(&profiles).await.unwrap();
    let cars: Vec<_> = cars.into_iter().map(|(_, car)| car.unwrap()).collect();
    assert_eq!(cars[0].soc_percent(), Some(50));
    assert_eq!(cars[0].charging_status(), Some(ChargingStatus::Charging));
    assert_eq!(cars[1].soc_percent(), None);
    assert_eq!(cars[1].ranges().total_km, Some(420));
    let hybrid = cars[2].ranges();
    assert_eq!(hybrid.fuel_km, Some(420));
    assert_eq!(hybrid.total_km.unwrap() - hybrid.electric_km.unwrap(), 420);
    let picture = client
        .image(&profiles[0], &ImageView::FrontView)
        .await
        .unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_without_captcha_and_the_captcha_is_spent() {
    let setup = Setup::new();
    let client = setup.client();
    let first = client.token().await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    let second = client.token().await.unwrap();
    assert_ne!(first.access_token, second.access_token);
    assert_eq!(first.session_id, second.session_id);
    let other = setup.builder().captcha_token("P1_once").build().unwrap();
    let error = other.token().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::Refused { .. })),
        "{error}"
    );
    let error = other.token().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::CaptchaMissing)),
        "{error}"
    );
    other.set_captcha_token("P1_fresh");
    other.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn commands_change_the_car() {
    let setup = Setup::new();
    let client = setup.client();
    let profiles = client.profiles().await.unwrap();
    let mut car = client.vehicle(&profiles[0]).await.unwrap();
    let result = client
        .command(&mut car, &Command::ChargeStop)
        .await
        .unwrap();
    assert_eq!(result.status, EventStatus::Executed);
    assert_eq!(car.charging_status(), Some(ChargingStatus::PluggedIn));
    let again = client
        .command(&mut car, &Command::ChargeStop)
        .await
        .unwrap();
    assert_eq!((again.status, again.event_id), (EventStatus::Ignored, None));
    client
        .command(&mut car, &Command::ChargeStart)
        .await
        .unwrap();
    assert_eq!(car.charging_status(), Some(ChargingStatus::Charging));
    let target = Command::ChargingSettings {
        target_soc_percent: Some(90),
        ac_limit_a: None,
    };
    client.command(&mut car, &target).await.unwrap();
    assert_eq!(car.target_soc_percent(), Some(90));
    client
        .command(&mut car, &Command::ClimateStart)
        .await
        .unwrap();
    assert!(car.state.climate.as_ref().unwrap().is_on());
    setup.cloud.lock().unwrap().faults.command_fails = 1.0;
    let error = client
        .command(&mut car, &Command::DoorUnlock)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("simulated failure"), "{error}");
    let mut combustion = client.vehicle(&profiles[1]).await.unwrap();
    let error = client
        .command(&mut combustion, &Command::ChargeStart)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidValue(_)));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_apart() {
    let setup = Setup::new();
    let client = setup.client();
    let profiles = client.profiles().await.unwrap();
    setup.cloud.lock().unwrap().faults.rate_limit = 0.5;
    client.profiles().await.unwrap_or_default();
    setup.cloud.lock().unwrap().faults.rate_limit = 0.0;
    tokio::time::advance(Duration::from_secs(600)).await;
    setup.cloud.lock().unwrap().faults.quota_left = Some(0);
    let error = client.vehicle(&profiles[0]).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7940)));
    tokio::time::advance(Duration::from_secs(7941)).await;
    setup.cloud.lock().unwrap().faults.quota_left = None;
    client.vehicle(&profiles[0]).await.unwrap();
    setup.cloud.lock().unwrap().faults.blocked = true;
    let error = client.vehicle(&profiles[0]).await.unwrap_err();
    assert!(matches!(error, Error::Blocked { .. }) && !error.is_retryable());
    assert!(error.to_string().contains("CarData"));
}
