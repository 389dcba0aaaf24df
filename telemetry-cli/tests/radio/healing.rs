//! Parts of Bluetooth that are missing, go away, and come back.

use std::time::Duration;

use telemetry_cli::radio::{Radio, RadioError, Settings, System};

use crate::bluez::{Bluez, Bus, Config, Policy, Stage, radio, settings};
use crate::{BASIC_INFO, SOON, addressed, ask, connect, eventually, named};

#[test]
fn no_bus() {
    Stage::play_without_bus(async |address| {
        let radio = radio();
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert!(matches!(error, RadioError::NoBus(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("dbus"));

        let bus = Bus::start(&address, Policy::Open);
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::NoService);
        assert!(error.hint().unwrap().contains("systemctl"));

        let bluez = Bluez::start(&bus);
        bluez.with(|service| service.unplug());
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::NoAdapter);

        bluez.with(|service| service.plug_in());
        bluez.add(Config::pack("Pack 1", 1));
        connect(&radio, &named("Pack 1")).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn no_permission() {
    Stage::play_with(Policy::Closed, async |stage| {
        stage.add_packs(1);
        let error = connect(&radio(), &named("Pack 1")).await.unwrap_err();
        assert!(matches!(error, RadioError::NoPermission(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("group `bluetooth`"));
    });
}

#[test]
fn the_adapter_goes_off_and_on() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        stage.bluez.with(|service| service.power(false));
        let lost = tokio::time::timeout(SOON, async { while link.recv().await.is_ok() {} });
        lost.await.expect("the link tells its end");
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::AdapterOff);
        assert_eq!(
            radio.scan(Duration::from_millis(50)).await.unwrap_err(),
            RadioError::AdapterOff
        );

        stage.bluez.with(|service| service.power(true));
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        // Pulled out and plugged in again.
        stage.bluez.with(|service| service.unplug());
        drop(link);
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::NoAdapter);
        stage.bluez.with(|service| service.plug_in());
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn one_of_two_adapters_is_chosen_by_name_or_by_address() {
    Stage::play(async |stage| {
        stage.bluez.with(|service| service.plug_in_second());
        stage.add_packs(1);
        stage.bluez.add(Config {
            second_adapter: true,
            ..Config::pack("Pack 2", 2)
        });
        let through = |adapter: Option<&str>| {
            Radio::System(System::new(Settings {
                adapter: adapter.map(str::to_owned),
                scan_limit: Duration::from_millis(500),
                ..settings()
            }))
        };
        for (adapter, there, elsewhere) in [
            (None, 1, 2),
            (Some("hci0"), 1, 2),
            (Some("hci1"), 2, 1),
            (Some("00:1a:7d:da:71:14"), 2, 1),
        ] {
            let radio = through(adapter);
            let mut link = connect(&radio, &addressed(there)).await.unwrap();
            ask(&mut link, &BASIC_INFO).await.unwrap();
            let error = connect(&radio, &addressed(elsewhere)).await.unwrap_err();
            assert_eq!(error, RadioError::NotFound(addressed(elsewhere)));
            radio.close().await;
        }

        let error = connect(&through(Some("hci2")), &addressed(1)).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "this computer has no Bluetooth adapter `hci2`, but hci0 (00:1A:7D:DA:71:13), hci1 \
             (00:1A:7D:DA:71:14)"
        );
        assert!(error.hint().unwrap().contains("set `adapter`"));

        // The one that is on, unless another is asked for.
        stage.bluez.with(|service| service.power(false));
        connect(&through(None), &addressed(2)).await.unwrap();
        let error = connect(&through(Some("hci0")), &addressed(1)).await;
        assert_eq!(error.unwrap_err(), RadioError::AdapterOff);
    });
}

#[test]
fn going_off_during_a_scan_ends_it() {
    Stage::play(async |stage| {
        let radio = radio();
        let scan = tokio::spawn({
            let radio = radio.clone();
            async move { radio.scan(Duration::from_secs(60)).await }
        });
        eventually("it scans", || {
            stage.bluez.with(|service| service.is_scanning())
        })
        .await;
        stage.bluez.with(|service| service.power(false));
        assert_eq!(scan.await.unwrap().unwrap_err(), RadioError::AdapterOff);
        radio.close().await;
    });
}

#[test]
fn the_bluetooth_service_is_restarted() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        stage.bluez.with(|service| service.vanish());
        assert!(link.send(&BASIC_INFO).await.is_err());
        assert!(link.recv().await.is_err() || link.recv().await.is_err());
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::NoService);

        stage.bluez.with(|service| service.come());
        let mut first = connect(&radio, &named("Pack 1")).await.unwrap();
        let mut second = connect(&radio, &named("Pack 2")).await.unwrap();
        ask(&mut first, &BASIC_INFO).await.unwrap();
        ask(&mut second, &BASIC_INFO).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn a_quiet_link_notices_that_the_service_was_killed() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        let radio = Radio::System(System::new(Settings {
            check_interval: Duration::from_millis(100),
            ..settings()
        }));
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        stage.bluez.with(|service| service.vanish());
        let lost = tokio::time::timeout(SOON, async { while link.recv().await.is_ok() {} });
        lost.await.expect("the link tells its end");
        radio.close().await;
    });
}

#[test]
fn the_bus_is_restarted() {
    Stage::play(async |mut stage| {
        stage.add_packs(1);
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        stage.bus.kill();
        assert!(link.send(&BASIC_INFO).await.is_err());
        drop(link);
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert!(matches!(error, RadioError::NoBus(_)), "{error:?}");

        stage.bus.revive();
        stage.bluez.with(|service| service.come());
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn running_out_of_match_rules_heals() {
    // Two for the adapter's events, one for each device, one while connecting.
    Stage::play_with(Policy::Scarce(5), async |stage| {
        stage.add_packs(4);
        let radio = radio();
        let mut links = Vec::new();
        for number in 1..=4 {
            links.push(connect(&radio, &addressed(number)).await.unwrap());
        }
        for link in &mut links {
            ask(link, &BASIC_INFO).await.unwrap();
        }
        radio.close().await;
    });
}
