//! What is in the air of the demo.

use bluetti_modbus::model::Model;
use bluetti_modbus::simulator::{Station, StationConfig};
use jbd_bms::simulator::{Faults, Load, Pack, PackConfig};

use super::{Device, Peer};

/// Decides over the faults: the same in each run.
const SEED: u64 = 1;

/// What the demo's stations are called: model and serial number, as real ones.
const STATIONS: [(Model, u64); 2] = [
    (Model::AC300, 2_237_000_000_001),
    (Model::AC180, 2_305_000_000_002),
];

pub(super) fn devices() -> Vec<Device> {
    let packs = [
        ("House battery", -58, healthy()),
        ("Workshop battery", -67, imbalanced()),
        ("Camper battery", -86, unsteady()),
    ];
    let packs = packs
        .into_iter()
        .map(|(name, rssi_dbm, config)| pack(name, rssi_dbm, config));
    let [(first, first_serial), (second, second_serial)] = STATIONS;
    let plain = StationConfig::of_model(first, first_serial).living(first);
    let encrypted = StationConfig::of_model(second, second_serial)
        .living(second)
        .encrypted();
    let stations = [
        station(1, (first, first_serial), -61, plain),
        station(2, (second, second_serial), -73, encrypted),
    ];
    packs.chain(stations).collect()
}

fn pack(name: &str, rssi_dbm: i16, config: PackConfig) -> Device {
    let address = config.address;
    let mut backwards = address;
    backwards.reverse();
    let [low, high, rest @ ..] = backwards;
    Device::new(
        name.to_owned(),
        address,
        rssi_dbm,
        (u16::from_le_bytes([low, high]), rest.to_vec()),
        Peer::Pack(Box::new(Pack::new(config, SEED))),
    )
}

fn station(
    number: u8,
    (model, serial): (Model, u64),
    rssi_dbm: i16,
    config: StationConfig,
) -> Device {
    let letter = match config.encryption {
        Some(_) => b'E',
        None => b'I',
    };
    let text = [b"UETT".as_slice(), &[letter]].concat();
    Device::new(
        format!("{model}{serial}"),
        [0xF0, 0x5E, 0xCD, 0x00, 0x00, number],
        rssi_dbm,
        (bluetti_modbus::advertisement::COMPANY, text),
        Peer::Station(Box::new(Station::new(config, SEED))),
    )
}

fn healthy() -> PackConfig {
    PackConfig {
        hardware_name: Some("JBD-SIM-4S-280A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x01],
        nominal_capacity_mah: 280_000,
        load: Load::Sine {
            mean_ma: 3_000,
            amplitude_ma: 40_000,
            period_s: 120,
        },
        ..PackConfig::default()
    }
}

fn imbalanced() -> PackConfig {
    let mut cell_offsets_mv = vec![0; 16];
    cell_offsets_mv[6] = 74;
    cell_offsets_mv[11] = -38;
    PackConfig {
        hardware_name: Some("JBD-SIM-16S-100A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x02],
        cell_count: 16,
        cell_offsets_mv,
        probe_count: 3,
        initial_soc_percent: 88,
        load: Load::Steps(vec![(60, 12_000), (30, 0), (60, -18_000)]),
        ..PackConfig::default()
    }
}

fn unsteady() -> PackConfig {
    PackConfig {
        hardware_name: Some("JBD-SIM-4S-100A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x03],
        initial_soc_percent: 41,
        ambient_deci_c: -35,
        load: Load::Constant(-4_200),
        faults: Faults {
            drop: 0.05,
            corrupt: 0.05,
            split: 0.5,
            asleep_requests: 1,
            link_loss_mean_ms: Some(12_000),
            ..Faults::default()
        },
        ..PackConfig::default()
    }
}
