//! Finding devices and getting a link to them.

use std::time::{Duration, Instant};

use jbd_bms::Client;
use telemetry_cli::radio::RadioError;

use crate::bluez::{Attributes, Config, Fault, Stage, radio, settings};
use crate::{BASIC_INFO, SOON, addressed, ask, connect, eventually, named};

#[test]
fn a_device_is_found_by_name_and_by_address() {
    Stage::play(async |stage| {
        stage.add_packs(3);
        let radio = radio();
        let began = Instant::now();
        let link = connect(&radio, &named("Pack 2")).await.unwrap();
        println!("start to first link: {:?}", began.elapsed());
        assert_eq!(link.address, "A4:C1:38:00:00:02");
        assert_eq!(link.name.as_deref(), Some("Pack 2"));
        assert!(link.rssi_dbm.is_some_and(|rssi| (-70..-50).contains(&rssi)));
        let mut client = Client::new(link);
        let info = client.basic_info().await.unwrap();
        assert_eq!(info.cell_count, 4);
        assert_eq!(
            client.cell_voltages().await.unwrap().cell_voltages_mv.len(),
            4
        );
        assert_eq!(
            client.hardware_name().await.unwrap().as_deref(),
            Some("JBD-SIM-4S-100A")
        );

        let link = connect(&radio, &addressed(3)).await.unwrap();
        assert_eq!(link.name.as_deref(), Some("Pack 3"));
        assert!(!stage.bluez.with(|service| service.is_scanning()));
        radio.close().await;
    });
}

#[test]
fn a_scan_tells_all_that_is_heard() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        stage.bluez.add(Config {
            name: None,
            ..Config::pack("", 3)
        });
        stage.bluez.add(Config {
            name_after: 4,
            ..Config::pack("Late", 4)
        });
        stage.add_packs(1);
        let radio = radio();
        let seen = radio.scan(Duration::from_secs(1)).await.unwrap();
        let names: Vec<_> = seen.iter().map(|seen| seen.name.as_deref()).collect();
        // BlueZ calls the third A4-C1-38-00-00-03: that is no name.
        assert_eq!(names, [Some("Pack 1"), Some("Pack 2"), None, Some("Late")]);
        let first = &seen[0];
        assert_eq!(first.address, "A4:C1:38:00:00:01");
        assert!(first.rssi_dbm.is_some());
        let short: Vec<_> = first
            .services
            .iter()
            .filter_map(|&uuid| jbd_bms::advertisement::short_form(uuid))
            .collect();
        assert_eq!(short, [0xFF00]);
        let (company, data) = &first.manufacturer_data[0];
        let hidden = jbd_bms::MacAddress::from_manufacturer_data(*company, data);
        assert_eq!(hidden.unwrap().to_string(), "a4:c1:38:00:00:01");

        let alias = connect(&radio, &named("A4-C1-38-00-00-03")).await;
        assert!(matches!(alias, Err(RadioError::NotFound(_))), "{alias:?}");
        connect(&radio, &addressed(3)).await.unwrap();
        connect(&radio, &named("Late")).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn a_device_in_use_elsewhere_is_said_to_be_so() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        let radio = radio();
        let target = named("Pack 1");
        drop(connect(&radio, &target).await.unwrap());
        eventually("the link ends", || {
            !stage.bluez.with(|service| service.is_connected(1))
        })
        .await;

        // Known from before: connected to at once, and silent.
        stage
            .bluez
            .with(|service| service.peripheral(1).held = true);
        let began = Instant::now();
        let error = connect(&radio, &target).await.unwrap_err();
        assert_eq!(error, RadioError::NoAnswer(target.clone()));
        assert!(error.to_string().contains("in use by another app"));
        assert!(error.hint().unwrap().contains("close its phone app"));
        assert!(began.elapsed() < settings().connect_limit + SOON);

        // The attempt was ended, or else the next one would be refused; and
        // nobody hears it now.
        let error = connect(&radio, &target).await.unwrap_err();
        assert_eq!(error, RadioError::NotFound(target.clone()));

        stage
            .bluez
            .with(|service| service.peripheral(1).held = false);
        connect(&radio, &target).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn an_attempt_of_somebody_else_is_ended() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        stage.bluez.fault(Fault::error(
            "Connect",
            "org.bluez.Error.InProgress",
            "In Progress",
        ));
        let radio = radio();
        connect(&radio, &named("Pack 1")).await.unwrap();
        assert_eq!(stage.bluez.calls("Connect"), 2);
        assert!(stage.bluez.calls("Disconnect") >= 1);
        radio.close().await;
    });
}

#[test]
fn radio_trouble_is_tried_again() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        let abort = || {
            Fault::error(
                "Connect",
                "org.bluez.Error.Failed",
                "le-connection-abort-by-local",
            )
        };
        stage.bluez.fault(abort().times(2));
        let radio = radio();
        connect(&radio, &named("Pack 1")).await.unwrap();
        assert_eq!(stage.bluez.calls("Connect"), 3);
        radio.close().await;
    });
}

#[test]
fn pairing_and_wrong_devices_are_named() {
    Stage::play(async |stage| {
        stage.add_packs(1);
        stage.bluez.add(Config {
            attributes: Attributes::HEART_RATE,
            ..Config::pack("Belt", 2)
        });
        stage.bluez.fault(Fault::error(
            "StartNotify",
            "org.bluez.Error.NotPermitted",
            "Not paired",
        ));
        let radio = radio();
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert_eq!(error, RadioError::PairingNeeded(named("Pack 1")));
        let error = connect(&radio, &named("Belt")).await.unwrap_err();
        assert!(
            matches!(&error, RadioError::WrongKind { found, .. } if found.contains("00002a37")),
            "{error}"
        );
        eventually("no link is left", || {
            let connected = |number| {
                stage
                    .bluez
                    .with(move |service| service.is_connected(number))
            };
            !connected(1) && !connected(2)
        })
        .await;
        radio.close().await;
    });
}

#[test]
fn a_loss_before_the_services_are_known_costs_no_half_minute() {
    Stage::play(async |stage| {
        stage.bluez.add(Config {
            services_delay: Duration::from_millis(600),
            ..Config::pack("Pack 1", 1)
        });
        let radio = radio();
        let attempt = tokio::spawn({
            let radio = radio.clone();
            async move { connect(&radio, &named("Pack 1")).await }
        });
        eventually("it connects", || {
            stage.bluez.with(|service| service.is_connected(1))
        })
        .await;
        stage.bluez.with(|service| service.lose(1));
        // A second attempt gets through.
        let mut link = tokio::time::timeout(SOON, attempt)
            .await
            .expect("the loss is noticed")
            .unwrap()
            .unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        assert_eq!(stage.bluez.calls("Connect"), 2);
        radio.close().await;
    });
}

#[test]
fn a_link_that_bluez_still_holds_is_taken_over() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        stage.bluez.with(|service| service.connect_silently(1));
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        // It does not advertise: no scan would have found it.
        assert_eq!(stage.bluez.calls("StartDiscovery"), 0);
        radio.close().await;
        assert!(!stage.bluez.with(|service| service.is_connected(1)));
    });
}

#[test]
fn a_device_that_left_is_found_when_it_is_back() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        let radio = radio();
        let target = addressed(1);
        let mut link = connect(&radio, &target).await.unwrap();
        stage.bluez.with(|service| {
            service.peripheral(1).away = true;
            service.lose(1);
            service.forget_device(1);
        });
        while link.recv().await.is_ok() {}
        let error = connect(&radio, &target).await.unwrap_err();
        assert_eq!(error, RadioError::NotFound(target.clone()));
        // The neighbour does not notice.
        let mut other = connect(&radio, &addressed(2)).await.unwrap();
        ask(&mut other, &BASIC_INFO).await.unwrap();

        stage
            .bluez
            .with(|service| service.peripheral(1).away = false);
        let mut link = connect(&radio, &target).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        ask(&mut other, &BASIC_INFO).await.unwrap();
        radio.close().await;
    });
}
