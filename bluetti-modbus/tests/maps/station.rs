//! What every station and pack can be asked for.

use bluetti_modbus::model::{Model, NetFlow, Pack, Station};
use bluetti_modbus::register::{Decimal, Registers, Text, Value};

use crate::vectors::{decode, image};

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

    // One model has the voltage at its inverter, the other at its output only.
    let station = Station::new(Model::ELITE_200_V2, &registers);
    assert_eq!(station.ac_output_voltage_v(), volts(2305, 1));
    let station = Station::new(Model::EL300, &registers);
    assert_eq!(station.ac_output_voltage_v(), volts(2301, 1));
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
