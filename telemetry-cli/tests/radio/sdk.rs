//! The adapter inside the SDK, which knows nothing of the gateway's radio.

use btleplug::api::{Manager as _, Peripheral as _};
use jbd_bms::Client;
use jbd_bms::advertisement::Likelihood;
use jbd_bms::ble::{BleTransport, Wanted, find, likelihood};

use crate::SOON;
use crate::bluez::Stage;

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
