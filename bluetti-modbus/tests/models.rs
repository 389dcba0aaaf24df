//! The client against a living station of every model, plain and encrypted.

mod support;

use bluetti_modbus::Client;
use bluetti_modbus::model::{Generation, Model, PackAccess, Station};
use bluetti_modbus::register::{ControlId, Group, ReadLimit, Registers, Setting};
use bluetti_modbus::simulator::{Snapshot, StationConfig};
use support::{SimulatedLink, client};

const SERIAL: u64 = 2_236_000_123_456;

fn stations() -> impl Iterator<Item = (Model, StationConfig)> {
    let models = Model::ALL.iter().copied();
    models.flat_map(|model| {
        let config = StationConfig::of_model(model, SERIAL).living(model);
        [(model, config.clone()), (model, config.encrypted())]
    })
}

/// Reads until reading fell between two changes.
async fn read(client: &mut Client<SimulatedLink>, groups: &[Group]) -> (Registers, Snapshot) {
    loop {
        let before = client.transport_mut().snapshot();
        let registers = client.read(groups).await.unwrap();
        let after = client.transport_mut().snapshot();
        if before == after {
            return (registers, after);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_model_is_identified_and_read() {
    let mut read_of_all = 0;
    for (model, config) in stations() {
        let mut client = client(config).with_model(model);
        if model.generation() != Generation::Tcp {
            let identity = client.identify().await.unwrap();
            assert_eq!(identity.model, model);
            assert_eq!(identity.unit.0, model.unit());
            assert_eq!(identity.device_type.as_deref(), Some(model.name()));
            assert_eq!(identity.serial_number, Some(SERIAL));
        }
        let (registers, truth) = read(&mut client, &[Group::Live]).await;
        let station = Station::new(model, &registers);
        if let Some(soc) = station.soc_percent() {
            assert_eq!(u16::from(soc), truth.soc_percent, "{model}");
            read_of_all += 1;
        }
        let values = [
            station.dc_input_power_w(),
            station.ac_output_power_w(),
            station.dc_output_power_w(),
        ];
        let truths = [
            truth.dc_input_power_w,
            truth.ac_output_power_w,
            truth.dc_output_power_w,
        ];
        for (value, truth) in values.into_iter().zip(truths) {
            let fits = value.is_none_or(|value| value == i32::from(truth));
            assert!(fits, "{model}: {values:?}, {truths:?}");
        }
        let all = client.read(Group::PUBLIC).await.unwrap();
        assert_eq!(
            client
                .refusals(client.unit())
                .map(|known| known.registers().count()),
            Some(0)
        );
        assert!(model.decode(&all).count() > 3, "{model}");
    }
    println!("state of charge of {read_of_all} stations");
    assert!(read_of_all >= 60);
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_draws_no_power() {
    let mut switched = 0;
    for (model, config) in stations() {
        let mut client = client(config).with_model(model);
        if model.control(ControlId::AcOutput).is_none() {
            continue;
        }
        let off = Setting::Switch(false);
        client.set(ControlId::AcOutput, &off).await.unwrap();
        let (registers, truth) = read(&mut client, &[Group::Live]).await;
        let station = Station::new(model, &registers);
        assert_eq!(truth.ac_output_power_w, 0, "{model}");
        assert_eq!(station.ac_output_power_w().unwrap_or(0), 0, "{model}");
        switched += 1;
    }
    println!("{switched} stations switched");
    assert!(switched >= 40);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_pack_is_read() {
    let mut read_of_all = 0;
    for (model, config) in stations() {
        let mut fields = model.fields();
        let has_page = fields.any(|field| field.group() == Group::Packs);
        if model.packs() == PackAccess::None {
            continue;
        }
        assert!(has_page, "{model} has packs of which nothing can be read");
        let mut client = client(config).with_model(model);
        let packs = client.read_packs(2).await.unwrap();
        assert!(!packs.is_empty(), "{model}");
        for (_, registers) in packs {
            assert!(!registers.is_empty(), "{model}");
            read_of_all += 1;
        }
    }
    println!("{read_of_all} packs");
    assert!(read_of_all >= 20);
}

/// One request per field, as others poll, would be 15 to 40.
#[tokio::test(start_paused = true)]
async fn a_poll_takes_few_requests() {
    for (model, live, public) in [
        (Model::AC300, 4, 5),
        (Model::AC60, 3, 12),
        (Model::AP300, 3, 12),
        (Model::EL100V2, 3, 12),
    ] {
        let config = StationConfig::of_model(model, SERIAL).encrypted();
        let mtu = ReadLimit::for_mtu(247, true);
        let mut client = client(config).with_model(model).with_read_limit(mtu);
        let mut requests = Vec::new();
        for groups in [&[Group::Live][..], Group::PUBLIC] {
            let before = client.counters().requests;
            client.read(groups).await.unwrap();
            requests.push(client.counters().requests - before);
        }
        println!(
            "{model}: {} requests, {} for everything",
            requests[0], requests[1]
        );
        assert!(requests[0] <= live && requests[1] <= public, "{model}");
    }
}
