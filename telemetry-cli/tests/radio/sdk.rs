//! The adapters inside the SDKs, which know nothing of the gateway's radio.

use bluetti_modbus::ble as bluetti;
use bluetti_modbus::model::{Model, Station};
use bluetti_modbus::register::{ControlId, Group, Setting};
use bluetti_modbus::session::{Config as Session, Security};
use bluetti_modbus::simulator::{Station as Simulated, StationConfig};
use btleplug::api::{Manager as _, Peripheral as _};
use jbd_bms::Client;
use jbd_bms::advertisement::Likelihood;
use jbd_bms::ble::{BleTransport, Wanted, find, likelihood};

use crate::SOON;
use crate::bluez::{Config, Stage};

#[test]
fn the_sdk_reads_a_pack_by_itself() {
    Stage::play(async |stage| {
        stage.add_packs(2);
        let manager = btleplug::platform::Manager::new().await.unwrap();
        let adapter = manager.adapters().await.unwrap().remove(0);
        let wanted = Wanted::Name("Pack 2".to_owned());
        let found = find(&adapter, &wanted, SOON).await.unwrap();
        let peripheral = found.expect("it advertises");
        let properties = peripheral.properties().await.unwrap().unwrap();
        assert_eq!(likelihood(&properties), Likelihood::Likely);
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

const PLAIN: &str = "AC3002237000000001";
const ENCRYPTED: &str = "AC1802237000000002";

/// Plain and encrypted: read, switched with read-back, and read again after the
/// link was lost, with new keys.
#[test]
fn the_sdk_reads_and_switches_stations_by_itself() {
    Stage::play(async |stage| {
        let plain = StationConfig::of_model(Model::AC300, 2_237_000_000_001);
        let encrypted = StationConfig::of_model(Model::AC180, 2_237_000_000_002).encrypted();
        // The key that real stations sign with is in them only.
        let verify_key = Simulated::new(encrypted.clone(), 7).verify_key();
        stage.bluez.add(Config::station(PLAIN, 1, plain));
        stage.bluez.add(Config::station(ENCRYPTED, 2, encrypted));
        let manager = btleplug::platform::Manager::new().await.unwrap();
        let adapter = manager.adapters().await.unwrap().remove(0);
        for (name, number, model, security) in [
            (PLAIN, 1, Model::AC300, Security::Plain),
            (ENCRYPTED, 2, Model::AC180, Security::Encrypted),
        ] {
            let wanted = bluetti::Wanted::Name(name.to_owned());
            let found = bluetti::find(&adapter, &wanted, SOON).await.unwrap();
            let peripheral = found.expect("it advertises");
            peripheral.connect().await.unwrap();
            let transport = bluetti::BleTransport::new(peripheral.clone());
            let config = Session {
                verify_key: verify_key.clone(),
                ..Session::default()
            };
            let transport = transport.await.unwrap();
            let mut client = bluetti_modbus::Client::with_config(transport, config);
            assert_eq!(client.identify().await.unwrap().model, model);
            assert_eq!(client.security(), security);
            for on in [false, true] {
                let setting = Setting::Switch(on);
                client.set(ControlId::AcOutput, &setting).await.unwrap();
                let registers = client.read(&[Group::Live]).await.unwrap();
                let station = Station::new(model, &registers);
                assert_eq!(station.ac_output_on(), Some(on), "{name}");
                assert!(station.soc_percent().is_some());
            }

            // The stream outlasts the link; keys do not.
            stage.bluez.with(move |service| service.lose(number));
            client.disconnected();
            peripheral.connect().await.unwrap();
            client.reconnected();
            client.transport_mut().resubscribe().await.unwrap();
            assert!(!client.read(&[Group::Live]).await.unwrap().is_empty());
            assert_eq!(client.security(), security);
            peripheral.disconnect().await.unwrap();
        }
    });
}
