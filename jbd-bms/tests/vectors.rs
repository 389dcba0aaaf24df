//! Captured and published frames, byte by byte and value by value.

#[path = "support/vectors.rs"]
mod support;

use jbd_bms::assembler::{Assembler, ModuleFrame};
use jbd_bms::frame::Request;
use jbd_bms::login::{ModuleAnswer, ModuleRequest, Password};
use jbd_bms::parameters::{Parameter, ParameterBlock, ParameterSet, ParameterValue};
use jbd_bms::{
    Answer, BasicInfo, BasicInfoView, CellVoltages, ChipType, Command, MacAddress, Protection,
    UnitScale, hardware_name,
};
use serde_json::Value;
use support::{hex, only_frame, vectors};

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn ints(values: &Value) -> Vec<i64> {
    values.as_array().unwrap().iter().map(int).collect()
}

fn texts(values: &Value) -> Vec<&str> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect()
}

#[test]
fn requests() {
    let block = |first, count| ParameterBlock::read(first, count);
    let register = |p: Parameter| Request::read(p.register().unwrap());
    let ours = [
        Command::BasicInfo.request(),
        Command::CellVoltages.request(),
        Command::HardwareName.request(),
        Command::ErrorCounts.request(),
        Command::ChipType.request(),
        register(Parameter::Manufacturer),
        register(Parameter::DeviceName),
        register(Parameter::Barcode),
        register(Parameter::FunctionBits),
        register(Parameter::ProbeBits),
        register(Parameter::CellOvervoltage),
        Command::ChipTypeLong.request(),
        block(2, 24),
        block(1, 2),
        block(
            Parameter::Manufacturer.number().unwrap(),
            Parameter::Manufacturer.words(),
        ),
    ];
    let vectors = vectors(include_str!("data/requests.json"));
    assert_eq!(vectors.len(), ours.len());
    for (vector, request) in vectors.iter().zip(ours) {
        assert_eq!(request.bytes(), hex(&vector["hex"]), "{}", vector["name"]);
    }
    println!("requests: {0}/{0}", vectors.len());
}

#[test]
fn samples() {
    let vectors = vectors(include_str!("data/samples.json"));
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let frame = hex(&vector["basic_frame"]);
        let data = only_frame(&frame).data;
        let info = BasicInfo::decode(data, UnitScale::Auto).unwrap();
        check_basic_info(name, &info, &vector["basic"]);
        assert_eq!(info.power_mw(), exact_power_mw(&info), "{name}");
        assert!(
            (info.power_mw() - int(&vector["power_mw"])).abs() <= 1,
            "{name}"
        );

        let frame = hex(&vector["cells_frame"]);
        let cells = CellVoltages::decode(only_frame(&frame).data).unwrap();
        check_cells(name, &cells, &vector["cells"]);
        let mismatch = usize::from(info.cell_count) != cells.cell_voltages_mv.len();
        assert_eq!(
            mismatch,
            vector["cell_count_mismatch"].as_bool().unwrap(),
            "{name}"
        );

        for key in ["basic", "cells"] {
            let mut assembler = Assembler::new();
            let mut frames = Vec::new();
            for chunk in vector[format!("{key}_notifications")].as_array().unwrap() {
                assembler.push(&hex(chunk));
                while let Some(frame) = assembler.next_frame() {
                    frames.push(frame.to_bytes().unwrap());
                }
            }
            assert_eq!(frames, [hex(&vector[format!("{key}_frame")])], "{name}");
        }
    }
    println!("samples: {0}/{0}", vectors.len());
}

fn exact_power_mw(info: &BasicInfo) -> i64 {
    i64::from(info.pack_voltage_mv) * i64::from(info.current_ma) / 1000
}

fn check_basic_info(name: &str, info: &BasicInfo, want: &Value) {
    assert_eq!(
        i64::from(info.pack_voltage_mv),
        int(&want["voltage_mv"]),
        "{name}"
    );
    assert_eq!(
        i64::from(info.current_ma),
        int(&want["current_ma"]),
        "{name}"
    );
    assert_eq!(
        i64::from(info.remaining_capacity_mah),
        int(&want["remaining_mah"]),
        "{name}"
    );
    assert_eq!(
        i64::from(info.nominal_capacity_mah),
        int(&want["nominal_mah"]),
        "{name}"
    );
    assert_eq!(i64::from(info.cycles), int(&want["cycles"]), "{name}");
    let date = info.production_date.map(|date| date.to_string());
    assert_eq!(date.as_deref(), want["production_date"].as_str(), "{name}");
    if let Some(date) = info.production_date {
        assert_eq!(
            i64::from(date.to_raw()),
            int(&want["production_date_raw"]),
            "{name}"
        );
    }
    assert_eq!(
        i64::from(info.balancing.bits()),
        int(&want["balance_mask"]),
        "{name}"
    );
    let balancing: Vec<i64> = info.balancing.iter().map(i64::from).collect();
    assert_eq!(balancing, ints(&want["balancing_cells"]), "{name}");
    assert_eq!(
        i64::from(info.protection.bits()),
        int(&want["protection"]),
        "{name}"
    );
    let protection: Vec<_> = info.protection.iter().map(Protection::as_str).collect();
    let wanted: Vec<_> = texts(&want["protection_names"])
        .into_iter()
        .map(our_name)
        .collect();
    assert_eq!(protection, wanted, "{name}");
    assert_eq!(
        i64::from(info.software_version.0),
        int(&want["software_version_raw"]),
        "{name}"
    );
    assert_eq!(
        info.software_version.to_string(),
        want["software_version"].as_str().unwrap(),
        "{name}"
    );
    assert_eq!(i64::from(info.soc_percent), int(&want["soc_pct"]), "{name}");
    assert!(info.soc_percent_clamped() <= 100);
    let mosfets = info.mosfets;
    assert_eq!(i64::from(mosfets.bits()), int(&want["fet_raw"]), "{name}");
    assert_eq!(mosfets.charge_on(), want["charge_fet"], "{name}");
    assert_eq!(mosfets.discharge_on(), want["discharge_fet"], "{name}");
    assert_eq!(
        mosfets.current_limiter_on(),
        want["current_limiter"],
        "{name}"
    );
    assert_eq!(mosfets.heater_on(), want["heater"], "{name}");
    assert_eq!(
        mosfets.hundred_milliamp_units(),
        want["unit_100ma"],
        "{name}"
    );
    assert_eq!(
        i64::from(info.cell_count),
        int(&want["cell_count"]),
        "{name}"
    );
    let temperatures: Vec<_> = info
        .temperatures_deci_c
        .iter()
        .map(|t| i64::from(t.unwrap()))
        .collect();
    assert_eq!(temperatures, ints(&want["temps_deci_c"]), "{name}");
    let tail = &want["tail"];
    assert_eq!(
        info.humidity_percent.map(i64::from),
        tail["humidity_pct"].as_i64(),
        "{name}"
    );
    assert_eq!(
        info.alarms.map(|a| i64::from(a.bits())),
        tail["alarm"].as_i64(),
        "{name}"
    );
    if let Some(alarms) = info.alarms {
        let names: Vec<_> = alarms.iter().map(|alarm| alarm.as_str()).collect();
        assert_eq!(names, texts(&tail["alarm_names"]), "{name}");
    }
    assert_eq!(
        info.full_charge_capacity_mah.map(i64::from),
        tail["full_charge_mah"].as_i64(),
        "{name}"
    );
    assert_eq!(
        info.tail_remaining_capacity_mah.map(i64::from),
        tail["remaining_mah"].as_i64(),
        "{name}"
    );
    assert_eq!(
        info.balance_current_ma.map(i64::from),
        tail["balance_current_ma"].as_i64(),
        "{name}"
    );
}

/// The vectors use other words for some conditions, and names for the two bits
/// that this crate leaves unnamed.
fn our_name(name: &str) -> &str {
    match name {
        "frontend_ic_error" => "front_end_error",
        "mos_software_lock" => "mosfet_software_lock",
        "charge_mos_breakdown" => "bit_13",
        "discharge_mos_breakdown" => "bit_14",
        other => other,
    }
}

fn check_cells(name: &str, cells: &CellVoltages, want: &Value) {
    let voltages: Vec<i64> = cells
        .cell_voltages_mv
        .iter()
        .map(|&mv| i64::from(mv))
        .collect();
    assert_eq!(voltages, ints(&want["cells_mv"]), "{name}");
    let (low_cell, low_mv) = cells.lowest().unwrap();
    let (high_cell, high_mv) = cells.highest().unwrap();
    assert_eq!(
        (low_cell as i64, i64::from(low_mv)),
        (int(&want["min_cell"]), int(&want["min_mv"])),
        "{name}"
    );
    assert_eq!(
        (high_cell as i64, i64::from(high_mv)),
        (int(&want["max_cell"]), int(&want["max_mv"])),
        "{name}"
    );
    assert_eq!(
        i64::from(cells.delta_mv().unwrap()),
        int(&want["delta_mv"]),
        "{name}"
    );
    assert_eq!(i64::from(cells.sum_mv()), int(&want["sum_mv"]), "{name}");
}

#[test]
fn replies() {
    let vectors = vectors(include_str!("data/replies.json"));
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let want = &vector["expect"];
        let bytes = hex(&vector["frame"]);
        let frame = only_frame(&bytes);
        assert_eq!(i64::from(frame.register), int(&want["reg"]), "{name}");
        assert_eq!(
            i64::from(frame.status.code()),
            int(&want["status"]),
            "{name}"
        );
        assert_eq!(frame.zero_checksum, want["lenient"] == true, "{name}");
        match Answer::decode(&frame, UnitScale::Auto).unwrap() {
            Answer::Refused { register, status } => {
                assert_eq!((register, status), (frame.register, frame.status), "{name}");
                assert_eq!(want["error"], true, "{name}");
            }
            Answer::HardwareName(text) => assert_eq!(text, want["text"], "{name}"),
            Answer::ErrorCounts(counts) => {
                for (protection, count) in counts.iter() {
                    assert_eq!(i64::from(count), int(&want[protection.as_str()]), "{name}");
                }
                assert_eq!(
                    counts.system_restarts.map(i64::from),
                    want["system_restarts"].as_i64()
                );
            }
            Answer::Acknowledged { register } => {
                assert_eq!(register, frame.register, "{name}");
                assert_eq!(want["data"], "", "{name}");
            }
            Answer::Parameter {
                value: ParameterValue::Number(mv),
                ..
            } => {
                assert_eq!(i64::from(mv), int(&want["value_mv"]), "{name}");
            }
            Answer::Parameter {
                value: ParameterValue::Bits(bits),
                ..
            } => {
                assert_eq!(i64::from(bits), int(&want["value"]), "{name}");
            }
            Answer::ParameterBlock(block) => {
                assert_eq!(i64::from(block.first), int(&want["start"]), "{name}");
                assert_eq!(block.values.len() as i64, int(&want["count"]), "{name}");
                if want["values"].is_array() {
                    let values: Vec<_> = block.values.iter().map(|&v| i64::from(v)).collect();
                    assert_eq!(values, ints(&want["values"]), "{name}");
                } else {
                    let data: Vec<u8> = block.values.iter().flat_map(|v| v.to_be_bytes()).collect();
                    let value = Parameter::from_number(block.first)
                        .unwrap()
                        .decode(&data, UnitScale::Auto)
                        .unwrap();
                    assert_eq!(
                        value,
                        ParameterValue::Text(want["text"].as_str().unwrap().into())
                    );
                }
            }
            Answer::ChipType(chip) => {
                assert_eq!(chip, ChipType::from(int(&want["chip"]) as u16), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    println!("replies: {0}/{0}", vectors.len());
}

#[test]
fn parameters() {
    let vectors = vectors(include_str!("data/parameters.json"));
    for vector in &vectors {
        let bytes = hex(&vector["frame"]);
        let frame = only_frame(&bytes);
        let parameter = Parameter::from_register(frame.register).unwrap();
        assert_eq!(i64::from(frame.register), int(&vector["register"]));
        let value = parameter.decode(frame.data, UnitScale::Auto).unwrap();
        let encoded = parameter.encode(&value, UnitScale::Auto).unwrap();
        assert_eq!(encoded, frame.data, "{parameter}");
        let set: ParameterSet = [(parameter, value.clone())].into_iter().collect();
        assert_eq!(
            set.to_string().parse::<ParameterSet>().unwrap(),
            set,
            "{parameter}"
        );
        check_parameter(parameter, &value, &vector["value"]);
    }
    println!("parameters: {0}/{0}", vectors.len());
}

fn check_parameter(parameter: Parameter, value: &ParameterValue, want: &Value) {
    match value {
        ParameterValue::Number(number) => assert_eq!(i64::from(*number), int(want), "{parameter}"),
        ParameterValue::Date(date) => assert_eq!(date.to_string(), want.as_str().unwrap()),
        ParameterValue::Text(text) => assert_eq!(text, want.as_str().unwrap()),
        ParameterValue::Pair { high, low } => {
            let numbers: Vec<_> = want.as_object().unwrap().values().map(int).collect();
            assert_eq!(
                [i64::from(*high), i64::from(*low)],
                numbers[..],
                "{parameter}"
            );
        }
        ParameterValue::HardwareLimits(limits) => {
            let factor = if want["doubled"] == true { 2 } else { 1 };
            let short = limits.short_circuit(ChipType::Ti).unwrap();
            let over = limits.overcurrent(ChipType::Ti).unwrap();
            assert_eq!(i64::from(short.shunt_mv), factor * int(&want["sc_mv"]));
            assert_eq!(
                short.delay.unwrap().as_micros() as i64,
                int(&want["sc_delay_us"])
            );
            assert_eq!(i64::from(over.shunt_mv), factor * int(&want["oc2_mv"]));
            assert_eq!(
                over.delay.unwrap().as_millis() as i64,
                int(&want["oc2_delay_ms"])
            );
        }
        ParameterValue::HardwareDelays(delays) => {
            assert_eq!(
                i64::from(delays.cell_undervoltage_s()),
                int(&want["uv_delay_s"])
            );
            assert_eq!(
                i64::from(delays.cell_overvoltage_s()),
                int(&want["ov_delay_s"])
            );
            assert_eq!(
                i64::from(delays.short_circuit_release_s()),
                int(&want["sc_release_s"])
            );
        }
        other => panic!("{parameter}: {other:?}"),
    }
}

#[test]
fn reassembly() {
    let vectors = vectors(include_str!("data/reassembly.json"));
    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let mut assembler = Assembler::new();
        let mut frames = Vec::new();
        let (mut bytes_in, mut bytes_out, mut module_bytes) = (0, 0, 0);
        for notification in vector["notifications"].as_array().unwrap() {
            if notification == "FLUSH" {
                assembler.flush();
                continue;
            }
            let chunk = hex(notification);
            bytes_in += chunk.len();
            if assembler.push(&chunk).is_some() {
                module_bytes += chunk.len();
            }
            while let Some(frame) = assembler.next_frame() {
                let bytes = frame.to_bytes().unwrap();
                bytes_out += bytes.len();
                frames.push(bytes);
            }
        }
        assembler.flush();
        let wanted: Vec<_> = vector["expect_frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(hex)
            .collect();
        assert_eq!(frames, wanted, "{name}");
        let waiting = int(&vector["waiting_for_reg"]);
        assert!(
            frames.iter().any(|frame| i64::from(frame[1]) == waiting),
            "{name}"
        );
        let rejected = assembler.counters().rejected_bytes as usize;
        assert_eq!(
            rejected + module_bytes + bytes_out,
            bytes_in,
            "{name}: every byte is accounted for"
        );
    }
    println!("reassembly: {0}/{0}", vectors.len());
}

#[test]
fn module_passwords() {
    let vectors = vectors(include_str!("data/module_passwords.json"));
    let mut frames = 0;
    for vector in &vectors {
        let address: MacAddress = vector["mac"].as_str().unwrap().parse().unwrap();
        let password: [u8; 6] = vector["password"]
            .as_str()
            .unwrap()
            .as_bytes()
            .try_into()
            .unwrap();
        let random = int(&vector["random"]) as u8;
        let request = ModuleRequest::user_password(password, address, random);
        assert_eq!(request.bytes(), hex(&vector["frame"]), "{vector}");
        frames += 1;
        if let Some(random) = vector["root_random"].as_i64() {
            let request = ModuleRequest::root_password(address, random as u8);
            assert_eq!(request.bytes(), hex(&vector["root_frame"]), "{vector}");
            frames += 1;
        }
    }
    println!(
        "module passwords: {frames}/{frames} in {} logins",
        vectors.len()
    );
}

#[test]
fn module_frames() {
    let asked = [
        (ModuleRequest::app_key(*b"000000"), "ffaa15063030303030303b"),
        (ModuleRequest::random(), "ffaa170017"),
        (
            ModuleRequest::set_password(&Password::from("123123")).unwrap(),
            "ffaa160631323331323348",
        ),
        (ModuleRequest::set_name("XYZ").unwrap(), "ffaa070358595a15"),
    ];
    for (request, wanted) in &asked {
        assert_eq!(request.bytes(), hex(&Value::from(*wanted)));
    }
    let answered = [
        ("ffaa15010016", ModuleAnswer::KeyAccepted),
        ("ffaa15010117", ModuleAnswer::KeyRejected),
        ("ffaa15010218", ModuleAnswer::Open),
        ("ffaa1701243c", ModuleAnswer::Random(0x24)),
        (
            "ffaa18010019",
            ModuleAnswer::UserPassword { accepted: true },
        ),
        (
            "ffaa1801011a",
            ModuleAnswer::UserPassword { accepted: false },
        ),
        (
            "ffaa1d01001e",
            ModuleAnswer::RootPassword { accepted: true },
        ),
        ("ffaa16010017", ModuleAnswer::PasswordSet { accepted: true }),
        ("ffaa070007", ModuleAnswer::NameSet),
    ];
    for (text, wanted) in answered {
        let bytes = hex(&Value::from(text));
        let frame = ModuleFrame::parse(&bytes).unwrap();
        assert_eq!(ModuleAnswer::from(&frame), wanted, "{text}");
    }
    println!("module frames: {0}/{0}", asked.len() + answered.len());
}

#[test]
fn advertisements() {
    let vectors = vectors(include_str!("data/advertisements.json"));
    for vector in &vectors {
        let company = int(&vector["company_id"]) as u16;
        let address = MacAddress::from_manufacturer_data(company, &hex(&vector["data"]));
        let shown = address.map(|address| address.to_string());
        assert_eq!(
            shown.as_deref(),
            vector["mac"].as_str(),
            "{}",
            vector["name"]
        );
    }
    println!("advertisements: {0}/{0}", vectors.len());
}

#[test]
fn the_borrowed_view_says_the_same_as_the_owned_value() {
    for vector in vectors(include_str!("data/samples.json")) {
        let frame = hex(&vector["basic_frame"]);
        let data = only_frame(&frame).data;
        let view = BasicInfoView::parse(data, UnitScale::Auto).unwrap();
        assert_eq!(
            BasicInfo::from(view),
            BasicInfo::decode(data, UnitScale::Auto).unwrap()
        );
    }
}

#[test]
fn a_hardware_name_ends_at_nul_and_is_printable() {
    assert_eq!(hardware_name(b"AB\x07C\0stale"), "ABC");
}
