//! The simulated pack, judged by captured and published frames.

#[path = "support/vectors.rs"]
mod support;

use jbd_bms::Status;
use jbd_bms::frame::Request;
use jbd_bms::simulator::{Access, Faults, Load, Output, Pack, PackConfig};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use support::{hex, only_frame, vectors};

/// Everything that the pack sends within two seconds after a write.
fn answer(pack: &mut Pack, request: &[u8], now_ms: &mut u64) -> Vec<u8> {
    pack.write(request, *now_ms);
    let mut bytes = Vec::new();
    while let Some(at_ms) = pack.next_at().filter(|&at_ms| at_ms < *now_ms + 2_000) {
        if let Some(Output::Notify(chunk)) = pack.poll(at_ms) {
            assert!(chunk.len() <= 20);
            bytes.extend(chunk);
        }
    }
    *now_ms += 2_000;
    bytes
}

const ENTER: &[u8] = &[0xDD, 0x5A, 0x00, 0x02, 0x56, 0x78, 0xFF, 0x30, 0x77];

#[test]
fn every_published_write_is_acknowledged_as_published() {
    for vector in vectors(include_str!("data/writes.json")) {
        let name = vector["name"].as_str().unwrap();
        let access = match name {
            "UART password 000000" => Access::BoardPassword("000000".into()),
            _ if name.starts_with("UART") => Access::BoardPassword("765828".into()),
            _ => Access::Open,
        };
        let inside = access == Access::Open && name != "enter factory mode";
        let config = PackConfig {
            access,
            classic_mosfet_control: !name.starts_with("FET control FB"),
            parameter_blocks: true,
            ..PackConfig::default()
        };
        let mut pack = Pack::new(config, 3);
        let mut now_ms = 0;
        pack.connect(now_ms);
        if inside {
            answer(&mut pack, ENTER, &mut now_ms);
        } else {
            while pack.poll(100).is_some() {}
        }
        let bytes = answer(&mut pack, &hex(&vector["hex"]), &mut now_ms);
        assert_eq!(bytes, hex(&vector["ack"]), "{name}");
    }
}

#[test]
fn live_registers_answer_in_chunks_of_twenty() {
    let mut pack = Pack::new(
        PackConfig {
            cell_count: 32,
            ..PackConfig::default()
        },
        3,
    );
    let mut now_ms = 0;
    pack.connect(now_ms);
    while pack.poll(100).is_some() {}
    let lengths = [
        ("dda50300fffd77", 34),
        ("dda50400fffc77", 71),
        ("dda50500fffb77", 22),
    ];
    for (request, len) in lengths {
        let bytes = answer(&mut pack, &hex(&Value::from(request)), &mut now_ms);
        assert_eq!(bytes.len(), len, "{request}");
    }
}

#[test]
fn parameters_are_closed_outside_factory_mode() {
    let mut pack = Pack::new(PackConfig::default(), 3);
    let mut now_ms = 0;
    pack.connect(now_ms);
    while pack.poll(100).is_some() {}
    let refused = answer(&mut pack, &hex(&Value::from("dda52400ffdc77")), &mut now_ms);
    assert_eq!(refused, hex(&Value::from("dd248100ff7f77")));
    assert_eq!(only_frame(&refused).status, Status::NotAllowed);
}

#[test]
fn the_same_seed_gives_the_same_pack_however_often_it_is_asked() {
    let config = PackConfig {
        faults: Faults {
            corrupt: 0.2,
            split: 0.5,
            ..Faults::default()
        },
        ..PackConfig::default()
    };
    let run = |polls: u64| {
        let mut pack = Pack::new(config.clone(), 11);
        pack.connect(0);
        let mut sent = Vec::new();
        for minute in 1..=30u64 {
            for poll in 1..=polls {
                let at_ms = (minute - 1) * 60_000 + poll * 60_000 / polls;
                sent.extend(pack.poll(at_ms));
            }
            pack.write(&[0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77], minute * 60_000);
        }
        (sent, pack.snapshot())
    };
    assert_eq!(run(6_000), run(20_000));
}

#[test]
fn charge_flows_and_limits_cut_it_off() {
    let config = |ma, soc| PackConfig {
        load: Load::Constant(ma),
        initial_soc_percent: soc,
        ..PackConfig::default()
    };
    let mut charged = Pack::new(config(20_000, 50), 5);
    charged.connect(0);
    charged.poll(3_600_000);
    let hour = charged.snapshot();
    assert_eq!(
        (hour.soc_percent, hour.remaining_capacity_mah),
        (70, 70_000)
    );
    assert_eq!(hour.current_ma, 20_000);
    assert!(hour.temperatures_deci_c[0] > 210);

    let mut emptied = Pack::new(config(-50_000, 10), 5);
    emptied.connect(0);
    emptied.poll(3_600_000);
    let empty = emptied.snapshot();
    assert!(empty.protection & 0b1010 != 0 || empty.remaining_capacity_mah == 0);
    assert_eq!(empty.current_ma, 0);

    let mut overloaded = Pack::new(config(-300_000, 90), 5);
    overloaded.connect(0);
    overloaded.poll(2_000);
    assert_eq!(overloaded.snapshot().protection, 1 << 9);
    assert!(!overloaded.snapshot().discharge_on);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_pack_takes_any_bytes(
        requests in vec((any::<bool>(), any::<u8>(), vec(any::<u8>(), 0..20)), 1..40),
        junk in vec(any::<u8>(), 0..300),
        access in select(vec![
            Access::Open,
            Access::BoardPassword("123456".into()),
            Access::ModuleLogin { password: Some("abc123".into()), password_is_key: false },
        ]),
        seed: u64,
    ) {
        let config = PackConfig { access, parameter_blocks: true, ..PackConfig::default() };
        let mut pack = Pack::new(config, seed);
        let mut now_ms = 0;
        pack.connect(now_ms);
        pack.write(ENTER, now_ms);
        for (is_write, register, data) in requests {
            let request = match is_write {
                true => Request::write(register, &data),
                false => Request::read_with(register, &data),
            };
            pack.write(request.unwrap().bytes(), now_ms);
            now_ms += 500;
            while pack.poll(now_ms).is_some() {}
        }
        pack.write(&junk, now_ms);
        while pack.poll(now_ms + 10_000).is_some() {}
    }
}
