//! The radio, and the SDK's own Bluetooth adapter, against an emulated BlueZ
//! on a private system bus.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use jbd_bms::Client;
use telemetry_cli::radio::{Link, Radio, RadioError, System, Target};
use telemetry_cli::source::jbd::LAYOUTS;

use bluez::{Attributes, Bluez, Bus, Config, Fault, Policy, Stage, radio, settings};

#[path = "support/bluez/mod.rs"]
pub mod bluez;

/// A read of register 0x03.
const BASIC_INFO: [u8; 7] = [0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77];

/// Waiting for something that takes milliseconds.
const SOON: Duration = Duration::from_secs(10);

fn named(name: &str) -> Target {
    Target::Name(name.to_owned())
}

fn addressed(number: u8) -> Target {
    Target::Address(format!("A4:C1:38:00:00:{number:02X}"))
}

async fn connect(radio: &Radio, target: &Target) -> Result<Link, RadioError> {
    radio.connect(target, &LAYOUTS).await
}

/// The whole answer to one request, however it is cut.
async fn ask(link: &mut Link, request: &[u8]) -> std::io::Result<Vec<u8>> {
    link.send(request).await?;
    let mut answer = Vec::new();
    loop {
        let chunk = link.recv().await?;
        // Modules send a byte of nothing when they are connected.
        if answer.is_empty() && chunk == [0] {
            continue;
        }
        answer.extend(chunk);
        if let Some(&length) = answer.get(3)
            && answer.len() >= usize::from(length) + 7
        {
            return Ok(answer);
        }
    }
}

/// Waits until `done`, for as long as a slow machine may take.
async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_device_is_found_by_name_and_by_address() {
    Stage::play("a_device_is_found_by_name_and_by_address", async |stage| {
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
    Stage::play("a_scan_tells_all_that_is_heard", async |stage| {
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
fn eight_devices_at_once_lose_nothing() {
    Stage::play("eight_devices_at_once_lose_nothing", async |stage| {
        const ROUNDS: usize = 200;
        stage.add_packs(8);
        let radio = radio();
        let began = Instant::now();
        let devices: Vec<_> = (1..=8)
            .map(|number| {
                let radio = radio.clone();
                tokio::spawn(async move {
                    let target = named(&format!("Pack {number}"));
                    let mut link = connect(&radio, &target).await.unwrap();
                    let mut times = Vec::new();
                    for _ in 0..ROUNDS {
                        let asked = Instant::now();
                        let answer = tokio::time::timeout(SOON, ask(&mut link, &BASIC_INFO));
                        let answer = answer.await.expect("an answer").unwrap();
                        assert_eq!(answer[..3], [0xDD, 0x03, 0x00]);
                        assert_eq!(answer.last(), Some(&0x77));
                        times.push(asked.elapsed());
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for device in devices {
            times.extend(device.await.unwrap());
        }
        times.sort();
        println!(
            "{} round trips in {:?}, median {:?}",
            times.len(),
            began.elapsed(),
            times[times.len() / 2]
        );
        assert_eq!(times.len(), 8 * ROUNDS);
        // One scan for all, and one more for those not heard before the first
        // connection; far from one each.
        assert!(stage.bluez.calls("StartDiscovery") <= 4);
        radio.close().await;
        for number in 1..=8 {
            assert!(
                !stage
                    .bluez
                    .with(move |service| service.is_connected(number))
            );
        }
    });
}

#[test]
fn a_device_in_use_elsewhere_is_said_to_be_so() {
    Stage::play(
        "a_device_in_use_elsewhere_is_said_to_be_so",
        async |stage| {
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
        },
    );
}

#[test]
fn an_attempt_of_somebody_else_is_ended() {
    Stage::play("an_attempt_of_somebody_else_is_ended", async |stage| {
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
    Stage::play("radio_trouble_is_tried_again", async |stage| {
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
    Stage::play("pairing_and_wrong_devices_are_named", async |stage| {
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
fn the_adapter_goes_off_and_on() {
    Stage::play("the_adapter_goes_off_and_on", async |stage| {
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
fn going_off_during_a_scan_ends_it() {
    Stage::play("going_off_during_a_scan_ends_it", async |stage| {
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
fn a_link_lost_in_the_middle_of_an_answer_tells_at_once() {
    Stage::play(
        "a_link_lost_in_the_middle_of_an_answer_tells_at_once",
        async |stage| {
            stage.add_packs(1);
            let radio = radio();
            let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
            ask(&mut link, &BASIC_INFO).await.unwrap();
            stage
                .bluez
                .with(|service| service.peripheral(1).cut_after = Some(1));
            link.send(&BASIC_INFO).await.unwrap();
            let asked = Instant::now();
            let chunk = link.recv().await.unwrap();
            assert_eq!(chunk.len(), 20);
            let error = link.recv().await.unwrap_err();
            println!("loss known after {:?}", asked.elapsed());
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
            // Well before any time limit of a request.
            assert!(asked.elapsed() < Duration::from_secs(3));
            assert!(link.send(&BASIC_INFO).await.is_err());

            // Back without a scan, and nothing of the old answer is left.
            let scans = stage.bluez.calls("StartDiscovery");
            let began = Instant::now();
            let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
            println!("connected again after {:?}", began.elapsed());
            let answer = ask(&mut link, &BASIC_INFO).await.unwrap();
            assert_eq!(answer[..2], [0xDD, 0x03]);
            assert_eq!(stage.bluez.calls("StartDiscovery"), scans);
            radio.close().await;
        },
    );
}

#[test]
fn a_loss_before_the_services_are_known_costs_no_half_minute() {
    let name = "a_loss_before_the_services_are_known_costs_no_half_minute";
    Stage::play(name, async |stage| {
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
fn a_device_that_left_is_found_when_it_is_back() {
    Stage::play(
        "a_device_that_left_is_found_when_it_is_back",
        async |stage| {
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
        },
    );
}

#[test]
fn the_bluetooth_service_is_restarted() {
    Stage::play("the_bluetooth_service_is_restarted", async |stage| {
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
    Stage::play(
        "a_quiet_link_notices_that_the_service_was_killed",
        async |stage| {
            stage.add_packs(1);
            let radio = Radio::System(System::new(telemetry_cli::radio::Settings {
                check_interval: Duration::from_millis(100),
                ..settings()
            }));
            let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
            stage.bluez.with(|service| service.vanish());
            let lost = tokio::time::timeout(SOON, async { while link.recv().await.is_ok() {} });
            lost.await.expect("the link tells its end");
            radio.close().await;
        },
    );
}

#[test]
fn the_bus_is_restarted() {
    Stage::play("the_bus_is_restarted", async |mut stage| {
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
    let name = "running_out_of_match_rules_heals";
    Stage::play_with(name, Policy::Scarce(5), async |stage| {
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

#[test]
fn a_link_that_bluez_still_holds_is_taken_over() {
    Stage::play(
        "a_link_that_bluez_still_holds_is_taken_over",
        async |stage| {
            stage.add_packs(2);
            stage.bluez.with(|service| service.connect_silently(1));
            let radio = radio();
            let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
            ask(&mut link, &BASIC_INFO).await.unwrap();
            // It does not advertise: no scan would have found it.
            assert_eq!(stage.bluez.calls("StartDiscovery"), 0);
            radio.close().await;
            assert!(!stage.bluez.with(|service| service.is_connected(1)));
        },
    );
}

#[test]
fn nothing_stays_connected_that_nobody_wants() {
    Stage::play("nothing_stays_connected_that_nobody_wants", async |stage| {
        stage.add_packs(1);
        stage.bluez.add(Config {
            services_delay: Duration::from_secs(60),
            disconnect_delay: Duration::from_millis(500),
            ..Config::pack("Slow", 2)
        });
        let radio = radio();
        drop(connect(&radio, &named("Pack 1")).await.unwrap());
        eventually("a dropped link ends", || {
            !stage.bluez.with(|service| service.is_connected(1))
        })
        .await;

        // A caller that goes away while it is being connected.
        let attempt = tokio::spawn({
            let radio = radio.clone();
            async move { connect(&radio, &named("Slow")).await.map(drop) }
        });
        eventually("it connects", || {
            stage.bluez.with(|service| service.is_connected(2))
        })
        .await;
        attempt.abort();
        eventually("the attempt is ended", || {
            !stage.bluez.with(|service| service.is_connected(2))
        })
        .await;

        // Closing waits for links that are held.
        stage.bluez.with(|service| {
            service.peripheral(2).config.services_delay = Duration::ZERO;
        });
        let _slow = connect(&radio, &named("Slow")).await.unwrap();
        radio.close().await;
        assert!(!stage.bluez.with(|service| service.is_connected(2)));
        let error = connect(&radio, &named("Slow")).await.unwrap_err();
        assert_eq!(error, RadioError::Closed);
    });
}

#[test]
fn one_link_per_device() {
    Stage::play("one_link_per_device", async |stage| {
        stage.add_packs(1);
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        let error = connect(&radio, &addressed(1)).await.unwrap_err();
        assert_eq!(error, RadioError::Busy(addressed(1)));
        ask(&mut link, &BASIC_INFO).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn writes_fit_the_packet_and_the_characteristic() {
    Stage::play(
        "writes_fit_the_packet_and_the_characteristic",
        async |stage| {
            for (number, mtu) in [(1, Some(23)), (2, Some(185)), (3, None), (4, Some(517))] {
                stage.bluez.add(Config {
                    mtu,
                    ..Config::pack("any", number)
                });
            }
            stage.bluez.add(Config {
                attributes: Attributes::DH04,
                ..Config::pack("Other layout", 5)
            });
            let radio = radio();
            let long = [0_u8; 600];
            for (number, expected) in [
                (1, vec![20; 30]),
                (2, vec![182, 182, 182, 54]),
                (3, vec![20; 30]),
                (4, vec![512, 88]),
            ] {
                let mut link = connect(&radio, &addressed(number)).await.unwrap();
                link.send(&long).await.unwrap();
                let writes = stage
                    .bluez
                    .with(move |service| service.peripheral(number).writes.clone());
                assert_eq!(writes, expected);
            }
            // This one takes only writes with a response.
            let mut link = connect(&radio, &addressed(5)).await.unwrap();
            ask(&mut link, &BASIC_INFO).await.unwrap();
            radio.close().await;
        },
    );
}

#[test]
fn a_write_that_fails_says_so() {
    Stage::play("a_write_that_fails_says_so", async |stage| {
        stage.add_packs(1);
        let radio = radio();
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        stage.bluez.fault(Fault::error(
            "WriteValue",
            "org.bluez.Error.Failed",
            "Failed to initiate write",
        ));
        let error = link.send(&BASIC_INFO).await.unwrap_err();
        assert!(error.to_string().contains("Failed to initiate write"));
        // That was the write, not the link.
        ask(&mut link, &BASIC_INFO).await.unwrap();
        stage
            .bluez
            .fault(Fault::late("WriteValue", Duration::from_millis(100)));
        ask(&mut link, &BASIC_INFO).await.unwrap();
        stage.bluez.fault(Fault::silence("WriteValue"));
        let error = link.send(&BASIC_INFO).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
        radio.close().await;
    });
}

#[test]
fn no_bus() {
    Stage::play_without_bus("no_bus", async |address| {
        let radio = radio();
        let error = connect(&radio, &named("Pack 1")).await.unwrap_err();
        assert!(matches!(error, RadioError::NoBus(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("dbus"));

        let bus = Bus::start_at(&address, Policy::Open);
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
    Stage::play_with("no_permission", Policy::Closed, async |stage| {
        stage.add_packs(1);
        let error = connect(&radio(), &named("Pack 1")).await.unwrap_err();
        assert!(matches!(error, RadioError::NoPermission(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("group `bluetooth`"));
    });
}

/// The adapter inside the SDK, which knows nothing of this radio.
#[test]
fn the_sdk_reads_a_pack_by_itself() {
    use btleplug::api::{Manager as _, Peripheral as _};
    use jbd_bms::ble::{BleTransport, Wanted, find, likelihood};

    Stage::play("the_sdk_reads_a_pack_by_itself", async |stage| {
        stage.add_packs(2);
        let manager = btleplug::platform::Manager::new().await.unwrap();
        let adapter = manager.adapters().await.unwrap().remove(0);
        let wanted = Wanted::Name("Pack 2".to_owned());
        let found = find(&adapter, &wanted, SOON).await.unwrap();
        let peripheral = found.expect("it advertises");
        let properties = peripheral.properties().await.unwrap().unwrap();
        assert_eq!(
            likelihood(&properties),
            jbd_bms::advertisement::Likelihood::Likely
        );
        peripheral.connect().await.unwrap();
        let transport = BleTransport::new(peripheral.clone()).await.unwrap();
        let mut client = Client::new(transport);
        assert_eq!(client.basic_info().await.unwrap().cell_count, 4);

        // The stream outlasts the link.
        stage.bluez.with(|service| service.lose(2));
        peripheral.connect().await.unwrap();
        client.transport_mut().resubscribe().await.unwrap();
        assert_eq!(client.basic_info().await.unwrap().cell_count, 4);
        peripheral.disconnect().await.unwrap();
    });
}
