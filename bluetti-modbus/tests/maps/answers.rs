//! Answers of stations as the open implementations read them.

use bluetti_modbus::model::{Generation, Model};
use bluetti_modbus::register::{Decimal, Value};

use crate::vectors::{agrees, answer, decimal, decode, image, model, vectors};

#[test]
fn first_implementation_answers() {
    let mut fields = 0;
    for vector in vectors(include_str!("../data/maps_first_answers.json")) {
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
    for vector in vectors(include_str!("../data/maps_first_edges.json")) {
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
    let stations = vectors(include_str!("../data/maps_stations.json"));
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
    for vector in vectors(include_str!("../data/maps_second_blocks.json")) {
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
