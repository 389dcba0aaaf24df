#![no_main]

use bluetti_modbus::assembler::Assembler;
use bluetti_modbus::modbus::{Answer, Frame, UnitId, Words};
use bluetti_modbus::model::{Model, Pack, Station};
use bluetti_modbus::register::Registers;

// Past the checksum: any values in any registers of any model.
libfuzzer_sys::fuzz_target!(|input: (u8, Vec<(u16, Vec<u16>)>)| {
    let (model, answers) = input;
    let model = Model::ALL[usize::from(model) % Model::ALL.len()];
    let mut registers = Registers::new();
    for (start, values) in &answers {
        let bytes: Vec<u8> = values
            .iter()
            .take(125)
            .flat_map(|word| word.to_be_bytes())
            .collect();
        let sent = Frame {
            unit: UnitId::DEFAULT,
            answer: Answer::Registers(Words::new(&bytes).unwrap()),
        };
        if bytes.is_empty() {
            continue;
        }
        let mut assembler = Assembler::new();
        assembler.push(&sent.to_bytes());
        let frame = assembler.next_frame().unwrap();
        assert_eq!(frame, sent);
        registers.insert_bytes(*start, &bytes);
    }
    assert!(registers.len() <= 65_536);
    for (field, value) in model.decode(&registers) {
        let block = field.block();
        assert!(
            registers.range(block.start, block.count).is_some()
                || registers.get(block.start).is_some()
        );
        let _ = value.to_string();
    }
    let station = Station::new(model, &registers);
    let _ = (
        station.soc_percent(),
        station.alarms(),
        station.pv_powers_w(),
    );
    let _ = (station.time_to_full_s(), station.battery_current_a());
    let pack = Pack::new(model, &registers);
    let _ = (pack.cell_voltages_mv(), pack.temperature_c());
});
