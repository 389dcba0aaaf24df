//! What a link does, and how it ends.

use std::time::{Duration, Instant};

use telemetry_cli::radio::RadioError;

use crate::bluez::{Attributes, Config, Fault, Stage, radio};
use crate::{BASIC_INFO, SOON, addressed, ask, connect, eventually, named};

#[test]
fn eight_devices_at_once_lose_nothing() {
    Stage::play(async |stage| {
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
fn a_link_lost_in_the_middle_of_an_answer_tells_at_once() {
    Stage::play(async |stage| {
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
    });
}

#[test]
fn nothing_stays_connected_that_nobody_wants() {
    Stage::play(async |stage| {
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
fn a_pause_lets_a_phone_in() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        let radio = radio();
        let target = named("Pack 1");
        let mut link = connect(&radio, &target).await.unwrap();
        let mut other = connect(&radio, &named("Pack 2")).await.unwrap();
        let until = radio.pause(&target, Duration::from_secs(3600));
        while link.recv().await.is_ok() {}
        eventually("the device is free", || {
            !stage.bluez.with(|service| service.is_connected(1))
        })
        .await;
        let paused = |until| RadioError::Paused {
            target: named("Pack 1"),
            until,
        };
        let error = connect(&radio, &target).await.unwrap_err();
        assert_eq!(error, paused(until));
        assert_eq!(radio.paused_until(&target), Some(until));
        ask(&mut other, &BASIC_INFO).await.unwrap();

        // The phone connects, and is done.
        let answer = stage.bluez.with(|service| service.phone(1, &BASIC_INFO));
        assert!(answer.starts_with(&[0xDD, 0x03, 0x00]), "{answer:02x?}");
        radio.resume(&target);
        assert_eq!(radio.paused_until(&target), None);
        let mut link = connect(&radio, &target).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        // Or the time passes.
        let until = radio.pause(&target, Duration::from_millis(200));
        assert_eq!(radio.pause_changed(&target, Some(until)).await, None);
        let mut link = connect(&radio, &target).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();

        // An attempt that is under way ends, too.
        drop(link);
        stage
            .bluez
            .with(|service| service.peripheral(1).held = true);
        let attempt = tokio::spawn({
            let (radio, target) = (radio.clone(), target.clone());
            async move { connect(&radio, &target).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let until = radio.pause(&target, Duration::from_secs(3600));
        assert_eq!(attempt.await.unwrap(), Err(paused(until)));
        radio.close().await;
    });
}

#[test]
fn one_link_per_device() {
    Stage::play(async |stage| {
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
    Stage::play(async |stage| {
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
    });
}

#[test]
fn a_write_that_fails_says_so() {
    Stage::play(async |stage| {
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
        // It may have left.
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        radio.close().await;
    });
}
