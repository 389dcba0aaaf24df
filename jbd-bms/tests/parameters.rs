//! Parameters of the simulated pack, on a paused clock.

mod support;

use std::time::Duration;

use jbd_bms::parameters::{Calibration, Parameter, ParameterSet, ParameterValue, function_bits};
use jbd_bms::simulator::{Access, Faults, PackConfig};
use jbd_bms::{Client, Error, Function, Status, WriteOptions};
use support::SimulatedLink;
use tokio::time::timeout;

fn client(config: PackConfig) -> Client<SimulatedLink> {
    Client::new(SimulatedLink::connected(config, 1))
}

fn set(text: &str) -> ParameterSet {
    text.parse().unwrap()
}

/// Asks for a parameter without entering factory mode: refused unless a call
/// forgot to leave it.
async fn is_inside_factory_mode(client: &mut Client<SimulatedLink>) -> bool {
    use jbd_bms::Transport;
    use jbd_bms::frame::Request;
    let link = client.transport_mut();
    if link.send(Request::read(0x24).bytes()).await.is_err() {
        return false;
    }
    loop {
        match link.recv().await {
            Ok(chunk) if chunk.starts_with(&[0xDD, 0x24]) => return chunk[2] == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_parameter_is_read_by_name() {
    let mut client = client(PackConfig {
        parameter_blocks: true,
        ..PackConfig::default()
    });
    let backup = client.backup().await.unwrap();
    assert_eq!(
        backup.get(Parameter::DesignCapacity),
        Some(&ParameterValue::Number(100_000))
    );
    assert_eq!(
        backup.get(Parameter::DischargeOvercurrent),
        Some(&ParameterValue::Number(-230_000))
    );
    assert_eq!(
        backup.get(Parameter::ChargeUndertemperature),
        Some(&ParameterValue::Number(-100))
    );
    assert_eq!(
        backup.get(Parameter::Manufacturer),
        Some(&ParameterValue::Text("DGJBD".into()))
    );
    assert_eq!(
        backup.get(Parameter::VoltageAt90),
        None,
        "the pack does not know it"
    );
    assert_eq!(
        backup.get(Parameter::SleepTime),
        Some(&ParameterValue::Number(0))
    );
    assert_eq!(backup.check(), []);
    assert!(!is_inside_factory_mode(&mut client).await);
}

#[tokio::test(start_paused = true)]
async fn without_blocks_the_numbered_ones_are_missing() {
    let mut client = client(PackConfig::default());
    let backup = client.backup().await.unwrap();
    assert_eq!(backup.get(Parameter::SleepTime), None);
    assert_eq!(client.parameter_block(2, 24).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn blocks_agree_with_registers() {
    let mut client = client(PackConfig {
        parameter_blocks: true,
        ..PackConfig::default()
    });
    let block = client.parameter_block(20, 4).await.unwrap().unwrap();
    assert_eq!(
        (block.first, block.values),
        (20, vec![3650, 3550, 2500, 2700])
    );
}

#[tokio::test(start_paused = true)]
async fn a_backup_survives_text_and_is_restored() {
    let mut client = client(PackConfig::default());
    let backup = client.backup().await.unwrap();
    let text = backup.to_string();

    let wanted =
        set("cell_overvoltage = 3600\ndevice_name = \"CABIN-580\"\ncell_voltage_delays = 2/3");
    let written = client
        .write_parameters(&wanted, WriteOptions::default().save())
        .await
        .unwrap();
    assert_eq!(written.len(), 3);
    client.run(Function::Restart).await.unwrap();
    assert_eq!(
        client.parameter(Parameter::CellOvervoltage).await.unwrap(),
        ParameterValue::Number(3600)
    );

    let read_back = set(&text);
    let restored = client
        .restore(&read_back, WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(restored.len(), 3);
    assert_eq!(client.backup().await.unwrap(), backup);
    assert!(
        client
            .restore(&read_back, WriteOptions::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn guarded_parameters_need_force() {
    let mut client = client(PackConfig::default());
    for text in ["shunt = 2", "probe_bits = 0x0001", "cell_count = 5"] {
        let wanted = set(text);
        let error = client
            .write_parameters(&wanted, WriteOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Guarded(_)), "{error}");
        client
            .write_parameters(&wanted, WriteOptions::default().force())
            .await
            .unwrap();
    }
    let calibration = Calibration::Cell { cell: 1, mv: 3312 };
    assert!(
        client
            .calibrate(calibration, WriteOptions::default())
            .await
            .is_err()
    );
    client
        .calibrate(calibration, WriteOptions::default().force())
        .await
        .unwrap();
    assert!(!is_inside_factory_mode(&mut client).await);
}

#[tokio::test(start_paused = true)]
async fn contradictions_are_refused_before_anything_is_written() {
    let mut client = client(PackConfig::default());
    let before = client.backup().await.unwrap();
    for text in [
        "cell_overvoltage_release = 3700",
        "cell_undervoltage = 3600",
        "discharge_overcurrent = 120000",
        "charge_overtemperature = -50",
        "pack_overvoltage = 14605",
        "barcode = \"01234567890123456789012345678901\"",
    ] {
        let error = client
            .write_parameters(&set(text), WriteOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::InvalidValue(_)), "{text}: {error}");
    }
    assert_eq!(client.backup().await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn function_bits_change_one_by_one() {
    let mut client = client(PackConfig::default());
    let balance = function_bits::BALANCE;
    client
        .set_function_bits(0, balance, WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(
        client.parameter(Parameter::FunctionBits).await.unwrap(),
        ParameterValue::Bits(function_bits::LOAD_DETECTION)
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_factory_mode_at_the_next() {
    let mut client = client(PackConfig::default());
    client.basic_info().await.unwrap();
    let dropped = timeout(Duration::from_millis(1000), client.backup()).await;
    assert!(dropped.is_err(), "a backup takes longer");
    client.basic_info().await.unwrap();
    assert!(!is_inside_factory_mode(&mut client).await);
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_leaves_factory_mode_after_reconnecting() {
    let mut client = client(PackConfig {
        faults: Faults {
            link_loss_mean_ms: Some(1500),
            ..Faults::default()
        },
        ..PackConfig::default()
    });
    let mut losses = 0;
    while losses < 50 {
        if client.backup().await.is_ok() || client.transport_mut().pack.is_connected() {
            continue;
        }
        losses += 1;
        client.transport_mut().reconnect();
        client.reconnected();
        if client.basic_info().await.is_ok() && client.transport_mut().pack.is_connected() {
            assert!(!is_inside_factory_mode(&mut client).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_board_password_opens_the_parameters() {
    let config = PackConfig {
        access: Access::BoardPassword("765828".into()),
        ..PackConfig::default()
    };
    let refused = client(config.clone())
        .parameter(Parameter::Barcode)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        Error::Refused {
            register: 0,
            status: Status::NotAllowed
        }
    ));
    let rejected = client(config.clone())
        .with_password("765829")
        .backup()
        .await
        .unwrap_err();
    assert!(matches!(rejected, Error::PasswordRejected));

    let mut right = client(config.clone()).with_password("765828");
    right.parameter(Parameter::Barcode).await.unwrap();
    right.change_password("123456").await.unwrap();
    right.reconnected();
    right.transport_mut().reconnect();
    right.parameter(Parameter::Barcode).await.unwrap();

    let mut cleared = client(config);
    cleared.clear_password().await.unwrap();
    cleared.parameter(Parameter::Barcode).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn charge_is_set_and_reset() {
    for hundred_milliamp_units in [false, true] {
        let mut client = client(PackConfig {
            hundred_milliamp_units,
            ..PackConfig::default()
        });
        client.set_remaining_capacity(50_000).await.unwrap();
        let info = client.basic_info().await.unwrap();
        assert_eq!((info.soc_percent, info.nominal_capacity_mah), (50, 100_000));
        client.reset_state_of_charge().await.unwrap();
        let design = client.parameter(Parameter::DesignCapacity).await.unwrap();
        assert_eq!(design, ParameterValue::Number(100_000));
    }
    let too_much = client(PackConfig::default())
        .set_remaining_capacity(655_360)
        .await;
    assert!(matches!(too_much, Err(Error::InvalidValue(_))));
}

#[cfg(feature = "serde")]
#[test]
fn a_set_is_a_flat_json_object() {
    let set = set("cell_overvoltage = 3600\nbarcode = \"A = B\"");
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(json, r#"{"barcode":"\"A = B\"","cell_overvoltage":"3600"}"#);
    assert_eq!(serde_json::from_str::<ParameterSet>(&json).unwrap(), set);
}
