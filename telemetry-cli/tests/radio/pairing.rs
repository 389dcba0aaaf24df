//! Packs that want to be paired with a PIN.

use telemetry_cli::config::{Pin, Secret};
use telemetry_cli::exit::Code;
use telemetry_cli::radio::{Radio, RadioError, Settings, System, Target};

use crate::bluez::{Answer, Config, Fault, Security, Stage, radio, settings};
use crate::{BASIC_INFO, addressed, ask, connect, eventually, named};

const PASSKEY: u32 = 4_711;

/// A radio that knows the PINs of some devices.
fn knowing(pins: &[(Target, &str)]) -> Radio {
    let pin = |text: &str| Pin::from(Secret::from(text.to_owned()));
    Radio::System(System::new(Settings {
        pins: pins
            .iter()
            .map(|(target, text)| (target.clone(), pin(text)))
            .collect(),
        ..settings()
    }))
}

fn told(number: u8, passkey: u32) -> Answer {
    Answer {
        number,
        passkey: Ok(passkey),
    }
}

#[test]
fn the_right_pin_pairs_once_and_for_all() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        let radio = knowing(&[(named("Pack 1"), "004711")]);
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        assert!(stage.bluez.with(|service| service.peripheral(1).paired));
        assert_eq!(stage.bluez.calls("Pair"), 1);
        // Trusted, so that it comes back without anybody being asked.
        assert!(stage.bluez.with(|service| service.is_trusted(1)));

        drop(link);
        let mut link = connect(&radio, &named("Pack 1")).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        assert_eq!(stage.bluez.calls("Pair"), 1);
        assert_eq!(stage.bluez.with(|service| service.agents()), 1);
        radio.close().await;
        assert_eq!(stage.bluez.with(|service| service.agents()), 0);
        assert_eq!(
            stage.bluez.with(|service| service.answers()),
            [told(1, PASSKEY)]
        );
    });
}

#[test]
fn a_device_that_is_paired_already_is_not_paired_again() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        stage
            .bluez
            .with(|service| service.peripheral(1).paired = true);
        let radio = knowing(&[(addressed(1), "4711")]);
        let mut link = connect(&radio, &addressed(1)).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        assert_eq!(stage.bluez.calls("Pair"), 0);
        radio.close().await;

        // Nor does it take a PIN then.
        let radio = crate::bluez::radio();
        let mut link = connect(&radio, &addressed(1)).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        radio.close().await;
        assert_eq!(stage.bluez.calls("RegisterAgent"), 1);
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        stage
            .bluez
            .add(Config::secured(2, Security::Asking(PASSKEY)));
        let radio = knowing(&[(addressed(1), "123456"), (addressed(2), "123456")]);
        for number in [1, 2] {
            let error = connect(&radio, &addressed(number)).await.unwrap_err();
            assert_eq!(error, RadioError::PinRefused(addressed(number)));
            assert_eq!(error.code(), Code::Login);
            assert!(error.to_string().ends_with("refused the PIN"));
            assert!(error.hint().unwrap().contains("correct `pin`"));
            assert!(!format!("{error:?} {error}").contains("123456"));
        }
        let answers = stage.bluez.with(|service| service.answers());
        assert_eq!(answers, [told(1, 123_456), told(2, 123_456)]);
        assert!(!stage.bluez.with(|service| service.is_connected(1)));
        radio.close().await;
    });
}

#[test]
fn a_device_that_keeps_leaving_refuses_the_pin() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Leaving(PASSKEY)));
        let radio = knowing(&[(addressed(1), "123456")]);
        for _ in 0..2 {
            let error = connect(&radio, &addressed(1)).await.unwrap_err();
            assert!(matches!(error, RadioError::NotPaired { .. }), "{error:?}");
            assert_eq!(error.code(), Code::Protocol);
        }
        let error = connect(&radio, &addressed(1)).await.unwrap_err();
        assert_eq!(error, RadioError::PinRefused(addressed(1)));
        assert_eq!(stage.bluez.with(|service| service.answers().len()), 3);
        radio.close().await;
    });
}

#[test]
fn without_a_pin_it_says_what_to_set() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        let radio = radio();
        let error = connect(&radio, &addressed(1)).await.unwrap_err();
        assert_eq!(error, RadioError::PairingNeeded(addressed(1)));
        assert_eq!(error.code(), Code::Login);
        assert!(error.hint().unwrap().contains("set `pin`"));
        assert_eq!(stage.bluez.calls("Pair"), 0);
        assert_eq!(stage.bluez.calls("RegisterAgent"), 0);
        radio.close().await;

        let radio = knowing(&[(addressed(1), "file:/nowhere/pin")]);
        let error = connect(&radio, &addressed(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::Login);
        assert!(error.to_string().contains("/nowhere/pin"), "{error}");
        assert_eq!(stage.bluez.calls("Pair"), 0);
        radio.close().await;
    });
}

#[test]
fn devices_that_ask_by_themselves_are_told_theirs_and_others_nothing() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Asking(PASSKEY)));
        stage
            .bluez
            .add(Config::secured(2, Security::Asking(PASSKEY)));
        let radio = knowing(&[(addressed(1), "004711")]);
        let mut link = connect(&radio, &addressed(1)).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        // The service had begun, and nothing more was needed.
        assert_eq!(stage.bluez.calls("Pair"), 0);

        stage.bluez.with(|service| service.ask_for_passkey(2));
        eventually("the agent answers", || {
            stage.bluez.with(|service| service.answers().len()) == 2
        })
        .await;
        let answers = stage.bluez.with(|service| service.answers());
        assert_eq!(answers[0], told(1, PASSKEY));
        assert_eq!(
            answers[1].passkey,
            Err("org.bluez.Error.Rejected".to_owned())
        );
        radio.close().await;
    });
}

#[test]
fn the_agent_outlives_the_service_and_the_bus() {
    Stage::play(async |mut stage| {
        for number in [1, 2, 3] {
            stage
                .bluez
                .add(Config::secured(number, Security::Attributes(PASSKEY)));
        }
        let pins = [1, 2, 3].map(|number| (addressed(number), "4711"));
        let radio = knowing(&pins);
        connect(&radio, &addressed(1)).await.unwrap();

        stage.bluez.with(|service| {
            service.vanish();
            service.come();
            assert_eq!(service.agents(), 0);
        });
        connect(&radio, &addressed(2)).await.unwrap();
        assert_eq!(stage.bluez.with(|service| service.agents()), 1);

        stage.bus.kill();
        assert!(connect(&radio, &addressed(3)).await.is_err());
        stage.bus.revive();
        stage.bluez.with(|service| service.come());
        connect(&radio, &addressed(3)).await.unwrap();
        assert!(stage.bluez.with(|service| service.peripheral(3).paired));
        radio.close().await;
        assert_eq!(stage.bluez.with(|service| service.agents()), 0);
    });
}

#[test]
fn a_pairing_without_end_is_cancelled() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        stage.bluez.fault(Fault::silence("Pair"));
        let radio = knowing(&[(addressed(1), "4711")]);
        let error = connect(&radio, &addressed(1)).await.unwrap_err();
        assert!(matches!(error, RadioError::NotPaired { .. }), "{error:?}");
        assert_eq!(error.code(), Code::Protocol);
        eventually("it is cancelled", || {
            stage.bluez.calls("CancelPairing") == 1
        })
        .await;

        // A caller that goes away while it lasts.
        stage.bluez.fault(Fault::silence("Pair"));
        let attempt = tokio::spawn({
            let radio = radio.clone();
            async move { connect(&radio, &addressed(1)).await.map(drop) }
        });
        eventually("it pairs", || stage.bluez.calls("Pair") == 2).await;
        attempt.abort();
        eventually("it is cancelled", || {
            stage.bluez.calls("CancelPairing") == 2
        })
        .await;

        connect(&radio, &addressed(1)).await.unwrap();
        radio.close().await;
    });
}

#[test]
fn a_device_that_forgot_its_pairing_is_paired_anew() {
    Stage::play(async |stage| {
        stage
            .bluez
            .add(Config::secured(1, Security::Attributes(PASSKEY)));
        stage
            .bluez
            .with(|service| service.peripheral(1).paired = true);
        stage.bluez.fault(Fault::error(
            "StartNotify",
            "org.bluez.Error.NotPermitted",
            "Not paired",
        ));
        let radio = knowing(&[(addressed(1), "4711")]);
        let mut link = connect(&radio, &addressed(1)).await.unwrap();
        ask(&mut link, &BASIC_INFO).await.unwrap();
        assert_eq!(stage.bluez.calls("RemoveDevice"), 1);
        assert_eq!(
            stage.bluez.with(|service| service.answers()),
            [told(1, PASSKEY)]
        );
        radio.close().await;
    });
}
