//! What holds for every model and any registers.

use std::collections::BTreeSet;

use bluetti_modbus::model::{Generation, Model, Pack, PackAccess, Station, private_registers};
use bluetti_modbus::register::{
    Block, Choices, ControlError, ControlId, ControlKind, Danger, Field, Group, Kind, ReadLimit,
    Registers, Setting, Write,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn model() -> impl Strategy<Value = Model> {
    select(Model::ALL)
}

/// Runs of words where the models have registers, and anywhere.
fn registers() -> impl Strategy<Value = Registers> {
    let near = select(
        &[
            0_u16, 10, 60, 86, 91, 100, 160, 1100, 1200, 1300, 1400, 1500,
        ][..],
    );
    let far = select(
        &[
            2000_u16, 2200, 3000, 6000, 6100, 6300, 12002, 15500, 50001, 51200,
        ][..],
    );
    let word = prop_oneof![
        4 => any::<u16>(),
        1 => select(&[0_u16, 1, 3, 404, 0x7FFF, 0x8000, 0xFFFF][..]),
    ];
    let start = prop_oneof![near, far, any::<u16>()];
    vec((start, vec(word, 0..130)), 0..12).prop_map(|runs| {
        let mut registers = Registers::new();
        for (start, words) in runs {
            registers.insert(start, &words);
        }
        registers
    })
}

fn settings() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), -2..300]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_registers_decode(model in model(), registers in registers()) {
        let mut names = BTreeSet::new();
        for (field, value) in model.decode(&registers) {
            prop_assert!(names.insert(field.name()), "{field} twice");
            prop_assert!(!value.to_string().contains('\0'));
            if let (Some((low, high)), Some(number)) = (field.range(), value.number()) {
                prop_assert!((i64::from(low)..=i64::from(high)).contains(&number.raw()));
            }
        }
        let station = Station::new(model, &registers);
        prop_assert!(station.soc_percent().is_none_or(|percent| percent <= 100));
        prop_assert!(station.time_to_full_s().is_none() || station.time_to_empty_s().is_none()
            || model == Model::AC60);
        let _ = (station.device_type(), station.serial_number(), station.protocol_version());
        let _ = (station.arm_version(), station.dsp_version(), station.pack_count());
        let _ = (station.ac_input_power_w(), station.dc_input_power_w());
        let _ = (station.ac_output_power_w(), station.dc_output_power_w());
        let _ = (station.ac_output_on(), station.dc_output_on(), station.grid_charge_on());
        let _ = (station.battery_voltage_v(), station.battery_current_a());
        let _ = (station.ac_input_voltage_v(), station.ac_input_frequency_hz());
        let _ = (station.ac_output_voltage_v(), station.ac_output_frequency_hz());
        let _ = (station.pv_voltages_v(), station.pv_powers_w(), station.generation_kwh());
        let _ = (station.ups_mode(), station.charging_mode(), station.auto_sleep_mode());
        let _ = (station.battery_range_start_percent(), station.battery_range_end_percent());
        for alarm in station.alarms() {
            prop_assert!(!alarm.to_string().is_empty());
        }
        let pack = Pack::new(model, &registers);
        let _ = (pack.number(), pack.status(), pack.voltage_v(), pack.current_a());
        let _ = (pack.soc_percent(), pack.soh_percent(), pack.temperature_c());
        let _ = (pack.model_name(), pack.serial_number(), pack.version());
        prop_assert!(pack.cell_voltages_mv().len() <= 64);
    }

    /// Reading a field alone or in a larger image gives the same.
    #[test]
    fn an_image_is_what_was_put_in_last(
        pieces in vec((any::<u16>(), vec(any::<u16>(), 0..50), any::<bool>()), 0..12),
        probe: u16,
    ) {
        let mut registers = Registers::new();
        let mut plain = std::collections::BTreeMap::new();
        for (start, words, remove) in &pieces {
            let addresses = (*start..=u16::MAX).zip(words);
            if *remove {
                registers.remove(*start, u16::try_from(words.len()).unwrap());
                addresses.for_each(|(address, _)| { plain.remove(&address); });
            } else {
                registers.insert(*start, words);
                plain.extend(addresses.map(|(address, &word)| (address, word)));
            }
        }
        prop_assert_eq!(registers.len(), plain.len());
        prop_assert_eq!(registers.is_empty(), plain.is_empty());
        for (&address, &word) in &plain {
            prop_assert_eq!(registers.get(address), Some(word));
        }
        prop_assert_eq!(registers.get(probe), plain.get(&probe).copied());
        let mut last = None;
        for (start, words) in registers.runs() {
            prop_assert!(!words.is_empty());
            // Runs that touch are one run.
            prop_assert!(last.is_none_or(|end| end < usize::from(start)));
            last = Some(usize::from(start) + words.len());
        }
    }

    #[test]
    fn plans_cover_all_fields(
        model in model(),
        groups in proptest::sample::subsequence(
            vec![Group::Live, Group::Detail, Group::Slow, Group::Identity, Group::Packs, Group::Private],
            0..=6,
        ),
        limit in (16_u16..200).prop_map(ReadLimit::new),
    ) {
        let plan = model.plan(&groups, limit);
        for field in model.fields().filter(|field| groups.contains(&field.group())) {
            let mut blocks = plan.iter();
            let long = field.block().count > limit.registers();
            prop_assert!(blocks.any(|block| block.contains(field.block())), "{field}");
            prop_assert!(!long || matches!(field.kind(), Kind::CellPage(_)));
        }
        for pair in plan.windows(2) {
            prop_assert!(u32::from(pair[1].start) >= pair[0].end());
        }
        let secrets = private_registers(model.generation());
        let private = groups.contains(&Group::Private);
        for block in plan {
            prop_assert!(private || !secrets.iter().any(|secret| secret.overlaps(block)));
            prop_assert!(block.count > 0 && block.end() <= 65536);
        }
    }

    #[test]
    fn numbers_stay_in_their_range(
        model in model(),
        number in settings(),
        low in 0_u16..=100,
        high in 0_u16..=100,
    ) {
        for control in model.controls() {
            let ControlKind::Number(range) = control.kind() else { continue };
            let mut registers = Registers::new();
            let setting = Setting::Number(number);
            let inside = (i32::from(range.min)..=i32::from(range.max)).contains(&number);
            let encoded = control.encode(&setting, &registers);
            prop_assert_eq!(encoded.is_ok(), inside);
            let ends = [ControlId::SocLow, ControlId::SocHigh].map(|id| model.control(id));
            let [Some(low_end), Some(high_end)] = ends else { continue };
            registers.insert(low_end.register(), &[low]);
            registers.insert(high_end.register(), &[high]);
            let in_order = match control.id() {
                ControlId::SocLow => number < i32::from(high),
                ControlId::SocHigh => i32::from(low) < number,
                _ => true,
            };
            let encoded = control.encode(&setting, &registers);
            prop_assert_eq!(encoded.is_ok(), inside && in_order);
        }
    }

    #[test]
    fn any_name_is_read(name in "\\PC{0,24}", digits in "[0-9]{0,24}", model in model()) {
        let _ = Model::from_advertised(&name);
        let name = format!("{model}{digits}");
        if let Some(advertised) = Model::from_advertised(&name) {
            prop_assert!(advertised.serial.parse::<u128>().is_ok());
        }
    }
}

#[test]
fn tables_are_in_order() {
    for &model in Model::ALL {
        let mut keys = BTreeSet::new();
        for field in model.fields() {
            assert!(!field.doc().is_empty(), "{model}: {field}");
            assert!(field.block().end() <= 65536);
            let name = field.name();
            let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(snake), "{name}");
            // A name stands once, but for those that stand in for each other.
            let new = keys.insert((name, field.is_fallback()));
            assert!(new || field.is_fallback(), "{model}: {name} twice");
            if field.is_fallback() || field.role().is_none() {
                continue;
            }
            let same = |other: &&Field| other.role() == field.role() && !other.is_fallback();
            assert_eq!(
                model.fields().filter(same).count(),
                1,
                "{model}: {:?}",
                field.role()
            );
        }
        assert!(model.field("total_battery_percent").is_some(), "{model}");
    }
}

/// Decoding relies on it: each row is found by its register.
#[test]
fn every_field_is_found_alone() {
    for &model in Model::ALL {
        for field in model.fields().filter(|field| !field.is_fallback()) {
            let block = field.block();
            for word in [1_u16, 50, 2307, 5000] {
                let mut registers = Registers::new();
                registers.insert(block.start, &vec![word; usize::from(block.count)]);
                let expected = field.decode(&registers);
                let mut found = model.decode(&registers);
                let found = found.find(|(other, _)| other.name() == field.name());
                assert_eq!(found.map(|(_, value)| value), expected, "{model}: {field}");
            }
        }
    }
}

#[test]
fn controls_show_and_hold() {
    for &model in Model::ALL {
        let mut ids = BTreeSet::new();
        for control in model.controls() {
            let id = control.id();
            assert!(ids.insert(id), "{model}: {id} twice");
            assert_eq!(model.control(id), Some(control));
            let field = model.field(control.field()).unwrap();
            assert_eq!(field.register(), control.register(), "{model}: {id}");
            assert_eq!(model.control_of(field), Some(control));
            assert_eq!(model.danger(&Write::one(control.register(), 1)), None);
            for &other in ControlId::ALL {
                for danger in [Danger::FactoryReset, Danger::GridCode, Danger::FeedIn] {
                    let named = model.dangerous_control(other, danger);
                    assert!(named.is_none_or(|named| named.danger() == Some(danger)));
                }
            }
            match control.kind() {
                ControlKind::Select(choices) => selects(control, choices),
                ControlKind::Number(range) => assert!(range.min < range.max),
                _ => {}
            }
            let wrong = control.encode(&Setting::Name("no such name"), &Registers::new());
            assert!(matches!(
                wrong,
                Err(ControlError::WrongKind(_) | ControlError::UnknownName(_))
            ));
        }
    }
}

fn selects(control: &bluetti_modbus::register::Control, choices: &Choices) {
    for option in choices.options() {
        let write = control.encode(&Setting::Name(option.name), &Registers::new());
        let write = write.unwrap();
        assert_eq!(write.words(), [option.value]);
        let mut registers = Registers::new();
        registers.insert(write.register(), write.words());
        assert!(control.is_confirmed(&write, &registers));
        assert_eq!(control.verification(&write), Some(write.block()));
    }
}

#[test]
fn dangerous_registers_are_named() {
    let danger = |model: Model, register| model.danger(&Write::one(register, 1));
    for (model, register, expected) in [
        (Model::AC300, 3062, Danger::FactoryReset),
        (Model::AC300, 3004, Danger::SplitPhase),
        (Model::AC300, 3005, Danger::SplitPhase),
        (Model::GENERIC_V1, 3002, Danger::GridCode),
        (Model::GENERIC_V2, 2206, Danger::FactoryReset),
        (Model::EP600, 2208, Danger::FeedIn),
        (Model::EP600, 2400, Danger::GridCode),
        (Model::AC60, 2200, Danger::GridCode),
        (Model::BALCO_260, 57010, Danger::FeedIn),
    ] {
        assert_eq!(
            danger(model, register),
            Some(expected),
            "{model}: {register}"
        );
    }
    // There, it is the switch of the AC output.
    assert_eq!(danger(Model::EP760, 2208), None);
    assert_eq!(danger(Model::AC300, 3007), None);
    // A longer write that only ends in one is as dangerous.
    let write = Write::three(3060, [1, 5, 1]);
    assert_eq!(Model::EP500.danger(&write), Some(Danger::FactoryReset));
    // So is one that starts in the register of a control.
    let write = Write::three(3001, [1, 0, 0]);
    assert_eq!(Model::AC300.danger(&write), Some(Danger::GridCode));
    let write = Write::three(65535, [1, 0, 0]);
    assert_eq!(Model::AC300.danger(&write), None);
}

#[test]
fn few_requests() {
    let count = |model: Model, groups: &[Group]| {
        let plan = model.plan(groups, ReadLimit::for_mtu(247, true));
        plan.len()
    };
    // The home page and the switches, instead of a request per field.
    for (model, live, all) in [
        (Model::AC300, 4, 5),
        (Model::EB3A, 3, 3),
        (Model::AC60, 2, 12),
        (Model::AC180, 2, 11),
        (Model::AC180P, 3, 5),
        (Model::EL300, 2, 8),
        (Model::EP600, 2, 11),
        (Model::GENERIC_V1, 4, 4),
        (Model::GENERIC_V2, 3, 6),
    ] {
        let counts = (count(model, &[Group::Live]), count(model, Group::PUBLIC));
        assert_eq!(counts, (live, all), "{model}");
    }
}

#[test]
fn packs_are_selected_and_checked() {
    let selection = Model::AC300.packs().select(2).unwrap();
    assert_eq!(selection.write(), Write::one(3006, 2));
    assert_eq!(selection.echo(), Block::new(96, 1));
    let mut registers = Registers::new();
    assert!(!selection.is_confirmed(&registers));
    registers.insert(96, &[1]);
    assert!(!selection.is_confirmed(&registers));
    registers.insert(96, &[2]);
    assert!(selection.is_confirmed(&registers));
    assert_eq!(Model::AC300.packs().select(5), None);
    assert_eq!(Model::AC300.packs().select(0), None);
    assert_eq!(Model::EP500.packs().select(1), None);
    assert_eq!(Model::EP2000.packs().unit(1), Some(41));
    assert_eq!(Model::EP2000.packs().unit(8), Some(48));
    assert_eq!(Model::EP2000.packs().unit(9), None);
    assert_eq!(Model::AC300.packs(), PackAccess::Selector { max: 4 });
}

#[test]
fn register_16_decides() {
    assert_eq!(Generation::of_protocol(1019), Generation::First);
    assert_eq!(Generation::of_protocol(2005), Generation::Second);
    assert_eq!(Model::AC200L.for_protocol(1013), Model::AC200L);
    assert_eq!(Model::AC200L.for_protocol(2001), Model::GENERIC_V2);
    assert_eq!(Model::AC60.for_protocol(1999), Model::GENERIC_V1);
    assert_eq!(Model::CHARGER_2.for_protocol(1001), Model::CHARGER_2);
    assert_eq!(Model::EP2000.over_tcp(), Some(Model::EP2000_TCP));
    assert_eq!(Model::AC300.over_tcp(), None);
}
