use bluetti_modbus::model::Pack;
use bluetti_modbus::register::{Decimal, Field, Group, Role, SlotMode, Value as Told};
use serde_json::{Map, json};

use crate::event::Values;
use crate::metric::power_station::{self as metric};
use crate::native::BluettiStation;
use crate::value::Value;

/// What a station said, by metric.
pub(super) fn values(told: &BluettiStation, rssi_dbm: Option<i16>) -> Values {
    let station = told.station();
    let mut values = Values::default();
    let decimal = |number: Option<Decimal>| number.map(|number| Value::from(number.to_f64()));
    let percent = |number: Option<u8>| number.map(|number| Value::from(f64::from(number)));
    let seconds = |number: Option<u32>| number.map(Value::from);
    let list = |numbers: Vec<Option<Decimal>>| {
        let numbers: Value = numbers
            .into_iter()
            .map(|number| number.map(Decimal::to_f64))
            .collect();
        // A model without strings has no list.
        Some(numbers).filter(|list| !list.parts().is_empty())
    };
    for (metric, watts) in [
        (&metric::AC_INPUT_POWER_W, station.ac_input_power_w()),
        (&metric::DC_INPUT_POWER_W, station.dc_input_power_w()),
        (&metric::AC_OUTPUT_POWER_W, station.ac_output_power_w()),
        (&metric::DC_OUTPUT_POWER_W, station.dc_output_power_w()),
    ] {
        // Feeding in is no input; the number as it was sent is an extra.
        let magnitude = watts.map(|watts| f64::from(watts.max(0)));
        values.set(metric, magnitude.map(Value::from));
    }
    for (metric, on) in [
        (&metric::AC_OUTPUT_ON, station.ac_output_on()),
        (&metric::DC_OUTPUT_ON, station.dc_output_on()),
        (&metric::GRID_CHARGE_ON, station.grid_charge_on()),
    ] {
        values.set(metric, on.map(Value::from));
    }
    for (metric, number) in [
        (&metric::BATTERY_VOLTAGE_V, station.battery_voltage_v()),
        (&metric::BATTERY_CURRENT_A, station.battery_current_a()),
        (&metric::AC_INPUT_VOLTAGE_V, station.ac_input_voltage_v()),
        (
            &metric::AC_INPUT_FREQUENCY_HZ,
            station.ac_input_frequency_hz(),
        ),
        (&metric::AC_OUTPUT_VOLTAGE_V, station.ac_output_voltage_v()),
        (
            &metric::AC_OUTPUT_FREQUENCY_HZ,
            station.ac_output_frequency_hz(),
        ),
        (&metric::GENERATION_KWH, station.generation_kwh()),
    ] {
        values.set(metric, decimal(number));
    }
    for (metric, choice) in [
        (&metric::UPS_MODE, station.ups_mode()),
        (&metric::CHARGING_MODE, station.charging_mode()),
        (&metric::AUTO_SLEEP_MODE, station.auto_sleep_mode()),
    ] {
        values.set(metric, choice.map(|choice| Value::from(choice.to_string())));
    }
    values.set(&metric::SOC_PERCENT, percent(station.soc_percent()));
    let start = station.battery_range_start_percent();
    values.set(&metric::BATTERY_RANGE_START_PERCENT, percent(start));
    let end = station.battery_range_end_percent();
    values.set(&metric::BATTERY_RANGE_END_PERCENT, percent(end));
    values.set(&metric::PV_VOLTAGE_V, list(station.pv_voltages_v()));
    values.set(&metric::PV_POWER_W, list(station.pv_powers_w()));
    values.set(&metric::TIME_TO_EMPTY_S, seconds(station.time_to_empty_s()));
    values.set(&metric::TIME_TO_FULL_S, seconds(station.time_to_full_s()));
    let alarms = station.alarms().iter().map(ToString::to_string).collect();
    values.set(&metric::ALARMS, Value::Flags(alarms));
    for (metric, version) in [
        (&metric::ARM_VERSION, station.arm_version()),
        (&metric::DSP_VERSION, station.dsp_version()),
    ] {
        values.set(metric, version.map(|version| version.to_string().into()));
    }
    values.set(&metric::PACKS, packs(told));
    values.set(
        &metric::RSSI_DBM,
        rssi_dbm.map(|rssi| Value::from(f64::from(rssi))),
    );
    values
}

/// The packs by their numbers; one that was not read is unknown.
fn packs(told: &BluettiStation) -> Option<Value> {
    let last = told.packs.iter().map(|(number, _)| *number).max()?;
    let mut packs = vec![Value::Unknown; usize::from(last)];
    for (number, pack) in told.packs() {
        let place = usize::from(number).checked_sub(1)?;
        if let Some(place) = packs.get_mut(place) {
            *place = self::pack(&pack);
        }
    }
    Some(Value::List(packs))
}

/// One pack: what all have under the keys of the battery catalogue as far as it
/// has them, the rest under its reference name.
fn pack(pack: &Pack<'_>) -> Value {
    let mut fields = std::collections::BTreeMap::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let decimal = |number: Option<Decimal>| number.map(|number| Value::from(number.to_f64()));
    let percent = |number: Option<u8>| number.map(|number| Value::from(i64::from(number)));
    set("soc_percent", percent(pack.soc_percent()));
    set("soh_percent", percent(pack.soh_percent()));
    set("pack_voltage_v", decimal(pack.voltage_v()));
    set("current_a", decimal(pack.current_a()));
    let celsius = pack.temperature_c();
    set(
        "temperature_c",
        celsius.map(|celsius| i64::from(celsius).into()),
    );
    set(
        "status",
        pack.status().map(|status| status.to_string().into()),
    );
    set(
        "model",
        pack.model_name().map(|model| model.to_string().into()),
    );
    set(
        "serial",
        pack.serial_number().map(|serial| serial.to_string().into()),
    );
    set(
        "software_version",
        pack.version()
            .filter(|version| version.raw() != 0)
            .map(|version| version.to_string().into()),
    );
    let cells = pack.cell_voltages_mv();
    if let (Some(low), Some(high)) = (cells.iter().min(), cells.iter().max()) {
        let volts = |mv: &u16| f64::from(*mv) / 1000.0;
        set("cell_min_v", Some(volts(low).into()));
        set("cell_max_v", Some(volts(high).into()));
        set("cell_delta_v", Some(volts(&(high - low)).into()));
        set(
            "cell_voltages_v",
            Some(cells.iter().map(|mv| Some(volts(mv))).collect()),
        );
    }
    for (field, value) in pack.fields() {
        if !field.role().is_some_and(is_of_pack) {
            set(field.name(), plain(&value));
        }
    }
    Value::Map(fields)
}

/// What the catalogue has no row for, under the names of the reference; but no
/// words without a bit that is set, no slots that are off, and not the clock:
/// each stored reading carries all of it.
pub(super) fn extra(told: &BluettiStation) -> Map<String, serde_json::Value> {
    let fields = told.model.decode(&told.registers);
    fields
        .filter(|(field, value)| is_extra(field, value))
        .map(|(field, value)| (field.name().to_owned(), json!(value)))
        .collect()
}

fn is_extra(field: &Field, value: &Told) -> bool {
    let says_nothing = match value {
        Told::Bits(bits) => *bits == 0,
        Told::Slot(slot) => slot.mode == SlotMode::Off,
        Told::Time(_) => true,
        _ => false,
    };
    if says_nothing || matches!(field.group(), Group::Packs | Group::Private) {
        return false;
    }
    match field.role() {
        None
        | Some(
            Role::ProtocolVersion
            | Role::NetFlow
            | Role::PackCount
            | Role::Warning(_)
            | Role::Fault(_),
        ) => true,
        // Its sign is lost in the catalogue.
        Some(
            Role::AcInputPower | Role::DcInputPower | Role::AcOutputPower | Role::DcOutputPower,
        ) => value.number().is_some_and(|number| number.raw() < 0),
        Some(_) => false,
    }
}

fn is_of_pack(role: Role) -> bool {
    matches!(
        role,
        Role::PackNumber
            | Role::PackStatus
            | Role::PackVoltage
            | Role::PackCurrent
            | Role::PackSoc
            | Role::PackSoh
            | Role::PackTemperature
            | Role::PackCells
            | Role::PackType
            | Role::PackSerialNumber
            | Role::PackVersion
    )
}

/// A value of a pack that has no name of ours.
fn plain(value: &Told) -> Option<Value> {
    Some(match value {
        Told::Number(number) => match number.scale() {
            0 => Value::from(number.raw()),
            _ => Value::from(number.to_f64()),
        },
        Told::Switch(on) => Value::from(*on),
        Told::Bits(bits) => Value::from(i64::from(*bits)),
        Told::Minutes(_) => Value::from(value.to_f64()?),
        other => Value::from(other.to_string()),
    })
}
