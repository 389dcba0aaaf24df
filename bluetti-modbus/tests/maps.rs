//! Published vectors against the register maps.

use std::collections::BTreeMap;

use bluetti_modbus::model::{Generation, Model, NetFlow, Pack, Station};
use bluetti_modbus::register::{
    CellVoltage, ControlId, Danger, DateTime, Decimal, Kind, Registers, Setting, SlotMode, Text,
    TimeSlot, Value, Word,
};
use serde_json::Value as Json;

fn vectors(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

fn hex(text: &Json) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn number(json: &Json) -> u16 {
    u16::try_from(json.as_u64().unwrap()).unwrap()
}

fn model(json: &Json) -> Model {
    Model::from_name(json["model"].as_str().unwrap()).unwrap()
}

/// The registers of a read answer.
fn answer(vector: &Json) -> Registers {
    let frame = hex(&vector["answer"]);
    let count = usize::from(number(&vector["count"]));
    assert_eq!(frame.len(), 2 * count + 5);
    let mut registers = Registers::new();
    registers.insert_bytes(number(&vector["start"]), &frame[3..3 + 2 * count]);
    registers
}

/// Decoded values by name; no name comes twice.
fn decode(model: Model, registers: &Registers) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::new();
    for (field, value) in model.decode(registers) {
        let before = values.insert(field.name(), value);
        assert_eq!(before, None, "{model}: {field} twice");
    }
    values
}

/// `12.3` as a decimal.
fn decimal(text: &str) -> Decimal {
    let scale = text.split_once('.').map_or(0, |(_, rest)| rest.len());
    let raw = text.replace('.', "").parse().unwrap();
    Decimal::new(raw, u8::try_from(scale).unwrap())
}

/// Whether a value is what the vector says.
fn agrees(value: &Value, expected: &Json) -> bool {
    let exact = expected.get("dec").and_then(Json::as_str);
    match value {
        Value::Number(number) => match (exact, expected.as_i64()) {
            (Some(text), _) => *number == decimal(text),
            (_, Some(whole)) => *number == Decimal::new(whole, 0),
            _ => expected.as_f64() == Some(number.to_f64()),
        },
        Value::Minutes(minutes) => match exact {
            Some(text) => (value.to_f64().unwrap() - text.parse::<f64>().unwrap()).abs() < 1e-9,
            None => expected.as_u64() == Some(u64::from(*minutes)),
        },
        Value::Switch(on) => expected.as_bool() == Some(*on),
        Value::Bits(bits) => expected.as_u64() == Some(u64::from(*bits)),
        Value::Text(text) => expected.as_str() == Some(text.as_str()),
        Value::Serial(serial) => expected.as_u64() == Some(*serial),
        Value::Choice(choice) => match expected.as_u64() {
            Some(raw) => u64::from(choice.value()) == raw,
            None => {
                let name = expected["enum"].as_str().unwrap();
                let value = expected["value"].as_u64().unwrap();
                u64::from(choice.value()) == value
                    && choice.choices().value(name) == Some(choice.value())
            }
        },
        Value::Numbers(numbers) => {
            let expected = expected.as_array().unwrap();
            let mut pairs = numbers.iter().zip(expected);
            numbers.len() == expected.len()
                && pairs.all(|(number, json)| agrees(&Value::Number(*number), json))
        }
        _ => false,
    }
}

#[test]
fn first_implementation_answers() {
    let mut fields = 0;
    for vector in vectors(include_str!("data/maps_first_answers.json")) {
        let model = model(&vector);
        let values = decode(model, &answer(&vector));
        for (name, expected) in vector["parsed"].as_object().unwrap() {
            let Some(value) = values.get(name.as_str()) else {
                panic!("{model}: no {name} at {}", vector["start"]);
            };
            fields += 1;
            if name == "internal_power_two" {
                // The register is signed, which that implementation did not know.
                assert_eq!(expected.as_i64(), Some(65516));
                assert_eq!(value.number(), Some(Decimal::new(-20, 0)));
                continue;
            }
            assert!(
                agrees(value, expected),
                "{model}: {name} {value:?} {expected}"
            );
        }
    }
    assert_eq!(fields, 398);
}

#[test]
fn first_implementation_edges() {
    for vector in vectors(include_str!("data/maps_first_edges.json")) {
        let case = vector["case"].as_str().unwrap();
        let values = decode(model(&vector), &answer(&vector));
        let text = |name| values.get(name).map(ToString::to_string);
        match case {
            "unknown enum value" => assert_eq!(text("ups_mode").as_deref(), Some("unknown_9")),
            "unknown output mode" => {
                assert_eq!(text("ac_output_mode").as_deref(), Some("unknown_7"));
            }
            _ => {
                let parsed = vector["parsed"].as_object().unwrap();
                for name in [
                    "internal_dc_input_current",
                    "internal_current_three",
                    "ac_output_on",
                ] {
                    let expected = parsed.get(name);
                    assert_eq!(
                        values.contains_key(name),
                        expected.is_some(),
                        "{case}: {name}"
                    );
                    assert!(
                        expected.is_none_or(|json| agrees(&values[name], json)),
                        "{case}"
                    );
                }
            }
        }
        // Whatever one register holds, the others still count.
        assert!(values.len() > 8, "{case}");
    }
}

/// An image of all registers that the vectors know, of a station of this model.
fn image(model: &str, protocol: u64) -> Registers {
    let images = vectors(include_str!("data/maps_images.json"));
    let image = images.iter().find(|image| image["protocol"] == protocol);
    let mut registers = Registers::new();
    for run in image.unwrap()["runs"].as_array().unwrap() {
        let words: Vec<u16> = run[1].as_array().unwrap().iter().map(number).collect();
        registers.insert(number(&run[0]), &words);
    }
    let mut name = model.as_bytes().to_vec();
    name.resize(12, 0);
    if protocol == 2 {
        for pair in name.chunks_mut(2) {
            pair.swap(0, 1);
        }
    }
    registers.insert_bytes(if protocol == 2 { 110 } else { 10 }, &name);
    registers
}

/// Where the second implementation is known to be wrong, and what is right.
fn correction(model: &str, field: &str) -> Option<&'static str> {
    Some(match (model, field) {
        // Scaled as the other stations of the AC200 class.
        ("AC500", "internal_ac_voltage") => "230.1",
        ("AC500", "internal_ac_frequency") => "49.98",
        // Voltage times current is no power in this image; each implementation has
        // its own scale, and this model is known to both.
        ("AC200M", "internal_dc_input_voltage") => "456",
        ("AC200M", "internal_dc_input_power") => "31.2",
        // Register 43 is the state of charge.
        ("AC300", "power_generation") => "123.4",
        // Without their decimal.
        ("AC60" | "AC60P", "ac_input_voltage") => "231.1",
        ("EP600" | "EP760", "sm_p1_current") => "0.4",
        ("EP600", "sm_p2_current") => "0.5",
        ("EP600", "sm_p3_current") => "0.6",
        _ => return None,
    })
}

#[test]
fn second_implementation_stations() {
    let (mut fields, mut corrected) = (0, 0);
    let stations = vectors(include_str!("data/maps_stations.json"));
    assert_eq!(stations.len(), 29);
    for vector in stations {
        let name = vector["model"].as_str().unwrap();
        let model = model(&vector);
        let protocol = vector["protocol"].as_u64().unwrap();
        assert_eq!(model.generation() == Generation::Second, protocol == 2);
        let registers = image(name, protocol);
        let value = |called: &str| {
            let field = model.field(called);
            field.and_then(|field| field.decode(&registers))
        };
        for (called, expected) in vector["parsed"].as_object().unwrap() {
            let value = value(called).unwrap_or_else(|| panic!("{name}: no {called}"));
            fields += 1;
            if let Some(right) = correction(name, called) {
                assert!(!agrees(&value, expected), "{name}: {called} is right");
                assert_eq!(value.number(), Some(decimal(right)), "{name}: {called}");
                corrected += 1;
            } else if (name, called.as_str()) == ("EL30V2", "time_remaining") {
                // 1987 minutes; that implementation fits a factor.
                assert_eq!(value, Value::Minutes(1987));
                corrected += 1;
            } else {
                assert!(
                    agrees(&value, expected),
                    "{name}: {called} {value:?} {expected}"
                );
            }
        }
        for (called, expected) in vector["packs"].as_object().unwrap() {
            let called = called.strip_prefix("pack_2_").unwrap();
            let value = value(called).unwrap_or_else(|| panic!("{name}: no {called}"));
            fields += 1;
            assert!(
                agrees(&value, expected),
                "{name}: {called} {value:?} {expected}"
            );
        }
    }
    assert_eq!((fields, corrected), (523, 12));
}

#[test]
fn second_generation_blocks() {
    let mut fields = 0;
    for vector in vectors(include_str!("data/maps_second_blocks.json")) {
        let registers = answer(&vector);
        let values = decode(Model::AC180, &registers);
        for (name, expected) in vector["parsed"].as_object().unwrap() {
            let value = || {
                let found = values.get(name.as_str()).cloned();
                let field = Model::AC180
                    .fields()
                    .find(|field| field.alias() == Some(name));
                found.or_else(|| field?.decode(&registers))
            };
            let right = match name.as_str() {
                // A PIN is not read.
                "cfg_bt_password" => {
                    assert_eq!(value(), None);
                    continue;
                }
                // Signed.
                "total_inv_power" => Value::Number(Decimal::new(-148, 0)),
                // Bits of the control status.
                "ac_output_on" | "dc_output_on" => Value::Switch(true),
                // Above -40 °C.
                "pack_avg_temp" => Value::Number(Decimal::new(25, 0)),
                _ => {
                    let value = value().unwrap_or_else(|| panic!("no {name}"));
                    assert!(agrees(&value, expected), "{name} {value:?} {expected}");
                    fields += 1;
                    continue;
                }
            };
            assert_eq!(value(), Some(right), "{name}");
            fields += 1;
        }
    }
    assert_eq!(fields, 75);
}

#[test]
fn encodings() {
    for vector in vectors(include_str!("data/maps_fields.json")) {
        let mut registers = Registers::new();
        registers.insert_bytes(0, &hex(&vector["data"]));
        let words = registers
            .range(0, u16::try_from(registers.len()).unwrap())
            .unwrap();
        let count = u16::try_from(words.len()).unwrap();
        let scale = vector["scale"]
            .as_u64()
            .map_or(0, |scale| u8::try_from(scale).unwrap());
        let word = Word::U16;
        let kind = vector["type"].as_str().unwrap();
        let (kind, expected) = match kind {
            "uint" | "decimal" => (Kind::Number { word, scale }, vector["value"].clone()),
            "bool" => (Kind::Switch, vector["value"].clone()),
            "bool(impl B)" => (Kind::Flag, vector["value"].clone()),
            "bool_nonzero(impl B: only 1 is true)" => (Kind::Switch, vector["value"].clone()),
            "decimal_array" => (Kind::Numbers { count, scale }, vector["value"].clone()),
            "string" => (Kind::Text(count), vector["value"].clone()),
            "swap_string" => (Kind::SwappedText(count), vector["value"].clone()),
            "version" => (Kind::Version, vector["value"].clone()),
            "serial" => (Kind::Serial, vector["value"].clone()),
            "decimal scale 0 multiplier 1/60 (EL100V2/EL10 104)" => {
                (Kind::Minutes, vector["value"].clone())
            }
            // The same unit with a fitted factor.
            "decimal scale 4 multiplier 167 (EL30V2 104)" => (Kind::Minutes, Json::from(1987)),
            "uint multiplier 0.1 (AC180/AC70P 1314)" => {
                (Kind::Number { word, scale: 1 }, vector["value"].clone())
            }
            other => panic!("{other}"),
        };
        match kind.decode(words) {
            Some(value) => assert!(agrees(&value, &expected), "{vector}: {value:?}"),
            None => assert_eq!(expected, Json::Null, "{vector}"),
        }
    }
}

#[test]
fn meanings() {
    let number_of = |kind: Kind, words: &[u16]| kind.decode(words).and_then(|v| v.number());
    let mut seen = 0;
    for vector in vectors(include_str!("data/maps_semantics.json")) {
        let mut registers = Registers::new();
        registers.insert_bytes(0, &hex(&vector["data"]));
        let words = registers
            .range(0, u16::try_from(registers.len()).unwrap())
            .unwrap();
        let expected = &vector["value"];
        seen += 1;
        match vector["type"].as_str().unwrap() {
            "date-time triplet" | "date-time triplet, encode" => {
                let Some(Value::Time(time)) = Kind::Clock.decode(words) else {
                    panic!("no time");
                };
                assert_eq!(Some(time.to_string().as_str()), expected.as_str());
                assert_eq!(time.to_words().unwrap(), words);
            }
            "time slot" => {
                let slot = TimeSlot {
                    mode: SlotMode::Charge,
                    start: (8, 0),
                    end: (12, 30),
                };
                assert_eq!(Kind::Slot.decode(words), Some(Value::Slot(slot)));
                assert_eq!(slot.to_words().unwrap(), words);
                assert_eq!(slot.to_string(), "charge 08:00-12:30");
            }
            "u32 low word first" => {
                let kind = Kind::Number {
                    word: Word::U32,
                    scale: 0,
                };
                assert_eq!(number_of(kind, words).map(Decimal::raw), expected.as_i64());
            }
            "i32 low word first" => {
                let kind = Kind::Number {
                    word: Word::I32,
                    scale: 0,
                };
                assert_eq!(number_of(kind, words).map(Decimal::raw), expected.as_i64());
            }
            "energy u32 div 10" => {
                let kind = Kind::Number {
                    word: Word::U32,
                    scale: 1,
                };
                assert_eq!(number_of(kind, words), expected.as_str().map(decimal));
            }
            "temperature minus 40" => {
                let celsius = number_of(Kind::Temperature, words).map(Decimal::raw);
                assert_eq!(celsius, expected.as_i64());
            }
            "V2 cell (14 bit mV, 2 bit status)" => {
                let cell = CellVoltage::from_word(words[0]);
                assert_eq!(u64::from(cell.millivolts), expected["mv"]);
                assert_eq!(u64::from(cell.status), expected["status"]);
            }
            "charge limit percent in high byte" => {
                let kind = Kind::Number {
                    word: Word::High,
                    scale: 0,
                };
                let percent = number_of(kind, words).unwrap().raw();
                assert_eq!(Some(percent), expected.as_i64());
                let control = Model::EL300.control(ControlId::ChargeLimit).unwrap();
                let setting = Setting::Number(i32::try_from(percent).unwrap());
                let write = control.encode(&setting, &Registers::new()).unwrap();
                assert_eq!(write.words(), words);
            }
            "control status 124" => {
                registers.insert(124, &[words[0]]);
                let values = decode(Model::GENERIC_V2, &registers);
                assert_eq!(values["ac_output_on"].switch(), expected["ac_on"].as_bool());
                assert_eq!(values["dc_output_on"].switch(), expected["dc_on"].as_bool());
            }
            "AC bitmask 161" => {
                registers.insert(161, &[words[0]]);
                let values = decode(Model::GENERIC_V2, &registers);
                for name in ["ac_output_active", "ac_input_present"] {
                    assert_eq!(values[name].switch(), expected[name].as_bool());
                }
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(seen, 15);
}

#[test]
fn advertised_names() {
    for vector in vectors(include_str!("data/maps_names.json")) {
        let name = vector["name"].as_str().unwrap();
        let advertised = Model::from_advertised(name);
        match vector["recommended"].as_array() {
            None => assert_eq!(advertised, None, "{name}"),
            Some(expected) => {
                let advertised = advertised.unwrap_or_else(|| panic!("{name}"));
                let token = expected[0].as_str().unwrap();
                let token = token.split(" (").next().unwrap();
                assert_eq!(advertised.token, token);
                assert_eq!(advertised.serial, expected[1]);
            }
        }
    }
}

/// The setting that a value of the vectors stands for.
fn setting<'a>(value: &'a Json) -> Setting<'a> {
    match value {
        Json::Bool(on) => Setting::Switch(*on),
        Json::String(name) => Setting::Name(name),
        other => Setting::Number(i32::try_from(other.as_i64().unwrap()).unwrap()),
    }
}

#[test]
fn writes() {
    let (mut free, mut dangerous, mut selections, mut left_out) = (0, 0, 0, 0);
    for vector in vectors(include_str!("data/maps_writes.json")) {
        let model = model(&vector);
        let called = vector["field"].as_str().unwrap();
        let request = hex(&vector["request"]);
        let register = u16::from_be_bytes([request[2], request[3]]);
        let word = u16::from_be_bytes([request[4], request[5]]);
        let registers = Registers::new();
        let field = model
            .field(called)
            .unwrap_or_else(|| panic!("{model}: no {called}"));
        let write = match called {
            "pack_num" => match model.packs().select(1) {
                Some(selection) => {
                    selections += 1;
                    selection.write()
                }
                None => {
                    // One pack only: there is nothing to select.
                    assert_eq!(model.packs().max(), 1);
                    left_out += 1;
                    continue;
                }
            },
            "bluetooth_connected" => {
                // Says that a phone is connected; nothing to set.
                assert_eq!(model.control_of(field), None);
                left_out += 1;
                continue;
            }
            "split_phase_on" | "split_phase_machine_mode" => {
                assert_eq!(model.control_of(field), None);
                let id = match called {
                    "split_phase_on" => ControlId::SplitPhase,
                    _ => ControlId::SplitPhaseRole,
                };
                assert_eq!(model.control(id), None);
                assert_eq!(model.dangerous_control(id, Danger::FactoryReset), None);
                let control = model.dangerous_control(id, Danger::SplitPhase).unwrap();
                dangerous += 1;
                control
                    .encode(&setting(&vector["value"]), &registers)
                    .unwrap()
            }
            _ => {
                let control = model.control_of(field);
                let control = control.unwrap_or_else(|| panic!("{model}: {called} is fixed"));
                assert!(field.is_called(control.field()), "{model}: {called}");
                free += 1;
                let write = control
                    .encode(&setting(&vector["value"]), &registers)
                    .unwrap();
                assert_eq!(model.danger(&write), None);
                write
            }
        };
        assert_eq!(write.register(), register, "{vector}");
        assert_eq!(write.words(), [word], "{vector}");
    }
    assert_eq!((free, dangerous, selections, left_out), (353, 16, 3, 10));
}

#[test]
fn cells_of_a_pack() {
    let registers = image("AC300", 1);
    let pack = Pack::new(Model::AC300, &registers);
    assert_eq!(pack.number(), Some(1));
    assert_eq!(pack.soc_percent(), Some(88));
    assert_eq!(pack.voltage_v(), Some(Decimal::new(5325, 2)));
    let cells = pack.cell_voltages_mv();
    assert_eq!(cells.len(), 16);
    assert_eq!(cells[..3], [3300, 3310, 3320]);
    assert!(
        pack.fields()
            .any(|(field, _)| field.name() == "pack_bms_version")
    );
    assert!(pack.fields().all(|(field, _)| field.register() > 90));

    let registers = image("AC60", 2);
    let pack = Pack::new(Model::AC60, &registers);
    assert_eq!(pack.model_name().as_ref().map(Text::as_str), Some("B300K"));
    assert_eq!(pack.serial_number(), Some(2_301_000_045_678));
    assert_eq!(pack.temperature_c(), Some(25));
    assert!(pack.cell_voltages_mv().is_empty());
}

#[test]
fn a_clock_is_confirmed_when_it_went_on() {
    let control = Model::EL300.control(ControlId::Clock).unwrap();
    let time = DateTime::from_words([0x1A06, 0x1910, 0x173B]).unwrap();
    let write = control
        .encode(&Setting::Clock(time), &Registers::new())
        .unwrap();
    let mut registers = Registers::new();
    assert!(!control.is_confirmed(&write, &registers));
    registers.insert(2001, &[0x1A06, 0x1910, 0x1801]);
    assert!(control.is_confirmed(&write, &registers));
    registers.insert(2001, &[0x1A06, 0x1910, 0x193B]);
    assert!(!control.is_confirmed(&write, &registers));
}

/// What a gateway asks every station for.
#[test]
fn the_same_questions_to_every_station() {
    let registers = image("AC300", 1);
    let station = Station::new(Model::AC300, &registers);
    let volts = |raw, scale| Some(Decimal::new(raw, scale));
    assert_eq!(station.device_type().unwrap().as_str(), "AC300");
    assert_eq!(station.serial_number(), Some(2_236_000_123_456));
    assert_eq!(station.protocol_version(), Some(1019));
    assert_eq!(station.arm_version(), volts(403_605, 2));
    assert_eq!(station.dsp_version(), volts(403_507, 2));
    assert_eq!(station.soc_percent(), Some(87));
    assert_eq!(station.ac_input_power_w(), Some(0));
    assert_eq!(station.dc_input_power_w(), Some(312));
    assert_eq!(station.ac_output_power_w(), Some(148));
    assert_eq!(station.dc_output_power_w(), Some(27));
    // Energy flows to both outputs, but one switch is off.
    assert_eq!(registers.range(48, 2), Some(&[1, 1][..]));
    assert_eq!(station.ac_output_on(), Some(true));
    assert_eq!(station.dc_output_on(), Some(false));
    assert_eq!(station.grid_charge_on(), Some(true));
    assert_eq!(station.battery_voltage_v(), volts(532, 1));
    assert_eq!(station.battery_current_a(), volts(58, 1));
    assert_eq!(station.ac_input_voltage_v(), volts(2318, 1));
    assert_eq!(station.ac_input_frequency_hz(), volts(5001, 2));
    assert_eq!(station.ac_output_voltage_v(), volts(2301, 1));
    assert_eq!(station.ac_output_frequency_hz(), volts(4998, 2));
    assert_eq!(station.pv_voltages_v(), [volts(456, 1)]);
    assert_eq!(station.pv_powers_w(), [volts(312, 0)]);
    assert_eq!(station.generation_kwh(), volts(1234, 1));
    assert_eq!(station.ups_mode().unwrap().name(), Some("PV_PRIORITY"));
    assert_eq!(
        station.auto_sleep_mode().unwrap().name(),
        Some("ONE_MINUTE")
    );
    assert_eq!(station.charging_mode(), None);
    assert_eq!(station.battery_range_start_percent(), Some(20));
    assert_eq!(station.battery_range_end_percent(), Some(95));
    assert_eq!(station.pack_count(), Some(2));
    assert_eq!(station.alarms(), []);

    let mut registers = image("EL100V2", 2);
    let station = Station::new(Model::EL100V2, &registers);
    assert_eq!(station.soc_percent(), Some(76));
    assert_eq!(station.charging_mode().unwrap().name(), Some("TURBO"));
    assert_eq!(station.net_flow(), Some(NetFlow::Discharging));
    assert_eq!(station.time_to_empty_s(), Some(1987 * 60));
    assert_eq!(station.time_to_full_s(), None);
    assert_eq!(station.battery_current_a(), volts(-14, 1));
    assert_eq!(station.battery_voltage_v(), volts(5312, 2));
    registers.insert(103, &[1]);
    // 0xFFFF of a signed register is -1.
    registers.insert(146, &[0xFFFF, 0xFFFF]);
    registers.insert(126, &[1 << 14, 0, 0, 1 << 3]);
    registers.insert(134, &[1 << 15]);
    let station = Station::new(Model::EL100V2, &registers);
    assert_eq!(station.time_to_empty_s(), None);
    assert_eq!(station.time_to_full_s(), Some(1987 * 60));
    assert_eq!(station.battery_current_a(), volts(14, 1));
    assert_eq!(station.ac_input_power_w(), Some(-1));
    let alarms: Vec<_> = station.alarms().iter().map(ToString::to_string).collect();
    assert_eq!(
        alarms,
        ["grid_not_connected", "warning_4_bit_3", "fault_2_bit_15"]
    );

    let registers = image("AC70", 2);
    let station = Station::new(Model::AC70, &registers);
    // The same register in 0.1 h.
    assert_eq!(station.time_to_empty_s(), Some(1987 * 360));

    let registers = image("EP600", 2);
    let station = Station::new(Model::EP600, &registers);
    assert_eq!(station.pv_powers_w(), [volts(162, 0), volts(150, 0)]);
    assert_eq!(station.pv_voltages_v(), [volts(456, 1), volts(448, 1)]);
    assert_eq!(station.generation_kwh(), volts(3505, 1));
    assert_eq!(station.ac_output_voltage_v(), volts(2305, 1));
}

/// "Not used" and "not supported" are no values.
#[test]
fn no_value() {
    let mut registers = image("EP600", 2);
    let value = |registers: &Registers, name| {
        let field = Model::EP600.field(name).unwrap();
        field.decode(registers)
    };
    assert!(value(&registers, "max_ac_input_power").is_some());
    registers.insert(2213, &[0xFFFF]);
    assert_eq!(value(&registers, "max_ac_input_power"), None);
    // As a power, 404 is 404 W.
    registers.insert(2213, &[404]);
    let watts = Some(Value::Number(Decimal::new(404, 0)));
    assert_eq!(value(&registers, "max_ac_input_power"), watts);
    for off in [404, 0xFFFF] {
        registers.insert(2011, &[off]);
        assert_eq!(value(&registers, "ctrl_ac"), None);
    }
    registers.insert(2011, &[3]);
    assert_eq!(value(&registers, "ctrl_ac"), Some(Value::Switch(false)));
    registers.insert(102, &[101]);
    assert_eq!(value(&registers, "total_battery_percent"), None);
    registers.insert(154, &[0xFFFF, 0xFFFF]);
    registers.remove(1202, 2);
    let station = Station::new(Model::EP600, &registers);
    assert_eq!(station.generation_kwh(), None);
    // 9.96 V is no battery of a station; the count stays to be seen.
    registers.insert(100, &[996]);
    let values = decode(Model::EL300, &registers);
    assert!(!values.contains_key("total_battery_voltage"));
    let raw = Value::Number(Decimal::new(996, 0));
    assert_eq!(values.get("total_battery_voltage_raw"), Some(&raw));
}
