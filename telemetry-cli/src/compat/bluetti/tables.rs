//! The four tables of `bluetti-monitor`, and what a station's registers put into
//! them.

use bluetti_modbus::model::{Generation, Model};
use bluetti_modbus::register::{CellVoltage, Decimal, Field, Group, Registers, Value};
use serde_json::{Map, json};

use crate::event::Reading;
use crate::registers::{self, Record};
use crate::sink::mariadb::originals::{Row, Table};
use crate::store::Cell;

const TEXT: &str = "VARCHAR(40)";
const NUMBER: &str = "INT";
const DECIMAL: &str = "DECIMAL(12,2)";
const SWITCH: &str = "TINYINT(1)";
const LIST: &str = "JSON";

/// All of them.
pub static TABLES: [Table; 4] = [
    Table {
        name: "general_data",
        columns: &[
            ("device_type", TEXT),
            ("serial_number", TEXT),
            ("arm_version", DECIMAL),
            ("dsp_version", DECIMAL),
            ("dc_input_power", NUMBER),
            ("ac_input_power", NUMBER),
            ("ac_output_power", NUMBER),
            ("dc_output_power", NUMBER),
            ("power_generation", DECIMAL),
            ("total_battery_percent", NUMBER),
            ("ac_output_on", SWITCH),
            ("dc_output_on", SWITCH),
        ],
    },
    Table {
        name: "internal_data",
        columns: &[
            ("ac_output_mode", TEXT),
            ("internal_ac_voltage", DECIMAL),
            ("internal_current_one", DECIMAL),
            ("internal_power_one", NUMBER),
            ("internal_ac_frequency", DECIMAL),
            ("internal_current_two", DECIMAL),
            ("internal_power_two", NUMBER),
            ("ac_input_voltage", DECIMAL),
            ("internal_current_three", DECIMAL),
            ("internal_power_three", NUMBER),
            ("ac_input_frequency", DECIMAL),
            ("internal_dc_input_voltage", DECIMAL),
            ("internal_dc_input_power", DECIMAL),
            ("internal_dc_input_current", DECIMAL),
        ],
    },
    Table {
        name: "settings_data",
        columns: &[
            ("ups_mode", TEXT),
            ("split_phase_on", SWITCH),
            ("split_phase_machine_mode", TEXT),
            ("pack_num", NUMBER),
            ("ac_output_on", SWITCH),
            ("dc_output_on", SWITCH),
            ("grid_charge_on", SWITCH),
            ("time_control_on", SWITCH),
            ("battery_range_start", NUMBER),
            ("battery_range_end", NUMBER),
            ("bluetooth_connected", SWITCH),
            ("auto_sleep_mode", TEXT),
        ],
    },
    Table {
        name: "battery_pack_data",
        columns: &[
            ("pack_num_max", NUMBER),
            ("total_battery_voltage", DECIMAL),
            ("pack_num", NUMBER),
            ("pack_voltage", DECIMAL),
            ("pack_battery_percent", NUMBER),
            ("cell_voltages", LIST),
        ],
    },
];

const GENERAL: usize = 0;
const INTERNAL: usize = 1;
const SETTINGS: usize = 2;
const PACKS: usize = 3;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Typed: choices by name, lists as JSON.
    Ours,
    /// As the original wrote them: numbers as text, choices with the name of
    /// their enumeration, lists as Python prints them.
    Original,
}

/// The rows of a reading; none of one that holds no registers.
pub fn rows_of(reading: &Reading) -> Vec<Row> {
    let registers = reading.extra.get(registers::KEY);
    let record = registers.and_then(Record::from_json);
    record.as_ref().map(rows).unwrap_or_default()
}

/// The rows that a poll makes: one of each table that the station has anything
/// for, and one for each pack.
fn rows(record: &Record) -> Vec<Row> {
    let station = &record.registers;
    let mut rows = Vec::new();
    let mut add = |table, values: Vec<(&'static str, Value)>, extra: Map<_, _>| {
        if values.is_empty() && extra.is_empty() {
            return;
        }
        let cells = |form| {
            let cells = values.iter();
            cells
                .map(|(name, value)| (*name, cell(value, form)))
                .collect()
        };
        rows.push(Row {
            table,
            device: record.device(),
            ours: cells(Form::Ours),
            originals: cells(Form::Original),
            extra: (!extra.is_empty()).then(|| json!(extra).to_string()),
        });
    };
    for table in [GENERAL, INTERNAL, SETTINGS] {
        let values = columns(record.model, table, &[station]);
        let mut extra = extra(record, table, station);
        if table == GENERAL && record.packs.is_empty() {
            // There is no row of theirs that these could stand in.
            extra.extend(self::extra(record, PACKS, station));
        }
        add(table, values, extra);
    }
    for (number, pack) in &record.packs {
        let mut values = columns(record.model, PACKS, &[pack, station]);
        if values.iter().all(|(name, _)| *name != "pack_num") {
            let number = Decimal::new(i64::from(*number), 0);
            values.push(("pack_num", Value::Number(number)));
        }
        add(PACKS, values, extra(record, PACKS, pack));
    }
    rows
}

/// The columns of a table, from the first of `places` that has them.
fn columns(model: Model, table: usize, places: &[&Registers]) -> Vec<(&'static str, Value)> {
    let columns = TABLES[table].columns.iter();
    let known = columns.filter_map(|(name, _)| {
        let value = places
            .iter()
            .find_map(|registers| value(model, table, name, registers))?;
        Some((*name, value))
    });
    known.collect()
}

fn value(model: Model, table: usize, name: &str, registers: &Registers) -> Option<Value> {
    let called = || model.fields().filter(|field| field.is_called(name));
    // The selected pack is a setting; which one answered is another matter.
    let of_table = called().find(|field| name == "pack_num" && self::table(model, field) == table);
    let switch = called().find(|field| !field.is_fallback());
    let fallback = called().find(|field| field.is_fallback());
    let mut fields = of_table.into_iter().chain(switch).chain(fallback);
    fields.find_map(|field| field.decode(registers))
}

fn extra(record: &Record, table: usize, registers: &Registers) -> Map<String, serde_json::Value> {
    let fields = record.model.decode(registers);
    fields
        .filter(|(field, _)| field.group() != Group::Private)
        .filter(|(field, _)| self::table(record.model, field) == table)
        .filter(|(field, _)| !has_column(record, field))
        .map(|(field, value)| (field.name().to_owned(), json!(value)))
        .collect()
}

/// Whether one of the rows has a column for it.
fn has_column(record: &Record, field: &Field) -> bool {
    let tables = match record.packs.is_empty() {
        true => &TABLES[..PACKS],
        false => &TABLES[..],
    };
    let mut columns = tables.iter().flat_map(|table| table.columns);
    columns.any(|(name, _)| field.is_called(name))
}

/// The table that a field belongs in: that of its page.
fn table(model: Model, field: &Field) -> usize {
    match (model.generation(), field.register()) {
        (Generation::First, ..70) => GENERAL,
        (Generation::First, 70..91) => INTERNAL,
        (Generation::First, 91..3000) => PACKS,
        (Generation::First, 3000..) => SETTINGS,
        _ => match field.group() {
            Group::Detail => INTERNAL,
            Group::Slow => SETTINGS,
            Group::Packs => PACKS,
            _ => GENERAL,
        },
    }
}

fn cell(value: &Value, form: Form) -> Cell {
    Cell::Text(match (value, form) {
        (Value::Switch(on), _) => return Cell::Integer((*on).into()),
        (Value::Bits(bits), _) => return Cell::Integer((*bits).into()),
        (Value::Number(number), Form::Original) => shortest(*number),
        (Value::Numbers(numbers), Form::Original) => list(numbers.iter().copied()),
        (Value::Cells(cells), Form::Original) => {
            let volts = |cell: &CellVoltage| Decimal::new(cell.millivolts.into(), 3);
            list(cells.iter().map(volts))
        }
        (Value::Choice(choice), Form::Original) => format!("{choice:?}"),
        (Value::Numbers(_) | Value::Cells(_), Form::Ours) => json!(value).to_string(),
        _ => value.to_string(),
    })
}

/// As Python prints a list of decimals.
fn list(numbers: impl Iterator<Item = Decimal>) -> String {
    let texts: Vec<_> = numbers.map(|n| format!("'{}'", shortest(n))).collect();
    format!("[{}]", texts.join(", "))
}

/// As Python prints a decimal that came of a division: no zeros at the end.
pub fn shortest(number: Decimal) -> String {
    let text = number.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registers behind an answer.
    fn registers(start: u16, words: &[u16]) -> Registers {
        let mut registers = Registers::new();
        registers.insert(start, words);
        registers
    }

    fn record(model: Model, registers: Registers, packs: Vec<(u8, Registers)>) -> Record {
        Record {
            model,
            device_type: model.name().to_owned(),
            serial_number: 2_236_000_123_456,
            registers,
            packs,
        }
    }

    fn text(row: &Row, column: &str, form: Form) -> String {
        let cells = match form {
            Form::Ours => &row.ours,
            Form::Original => &row.originals,
        };
        let mut cells = cells.iter();
        match cells.find(|(name, _)| *name == column) {
            Some((_, Cell::Text(text))) => text.clone(),
            Some((_, Cell::Integer(number))) => number.to_string(),
            other => panic!("{column}: {other:?}"),
        }
    }

    #[test]
    fn a_station_fills_all_four_tables() {
        let mut station = registers(36, &[312, 0, 148, 27, 0, 1234, 0, 87]);
        station.merge(&registers(48, &[1, 1]));
        station.merge(&registers(70, &[1, 2301, 7, 148, 4998, 3, 65516]));
        station.merge(&registers(3001, &[2, 0, 0, 0, 1, 3, 0, 1]));
        let mut pack = vec![0; 110];
        pack[..9].copy_from_slice(&[2, 532, 58, 87, 0, 1, 2, 5325, 88]);
        pack[14..30].fill(330);
        pack.extend([5, 1]);
        let record = record(Model::AC300, station, vec![(1, registers(91, &pack))]);
        let rows = rows(&record);
        let tables: Vec<_> = rows.iter().map(|row| row.table).collect();
        assert_eq!(tables, [0, 1, 2, 3]);
        assert_eq!(record.device(), "AC300-2236000123456");
        for (row, column, ours, original) in [
            (0, "power_generation", "123.4", "123.4"),
            (0, "total_battery_percent", "87", "87"),
            // The switches, not where the energy flows.
            (0, "ac_output_on", "0", "0"),
            (2, "dc_output_on", "1", "1"),
            (
                1,
                "ac_output_mode",
                "INVERTER_OUTPUT",
                "OutputMode.INVERTER_OUTPUT",
            ),
            (1, "internal_power_two", "-20", "-20"),
            (2, "ups_mode", "PV_PRIORITY", "UpsMode.PV_PRIORITY"),
            (
                2,
                "split_phase_machine_mode",
                "MASTER",
                "MachineAddress.MASTER",
            ),
            // Selected, and shown.
            (2, "pack_num", "3", "3"),
            (3, "pack_num", "1", "1"),
            (3, "total_battery_voltage", "53.2", "53.2"),
            (3, "pack_voltage", "53.25", "53.25"),
        ] {
            assert_eq!(text(&rows[row], column, Form::Ours), ours, "{column}");
            assert_eq!(
                text(&rows[row], column, Form::Original),
                original,
                "{column}"
            );
        }
        let cells = text(&rows[3], "cell_voltages", Form::Original);
        assert!(cells.starts_with("['3.3', '3.3', "), "{cells}");
        let cells = text(&rows[3], "cell_voltages", Form::Ours);
        assert!(cells.starts_with("[3.3,3.3,"), "{cells}");
        // What the original dropped whole answers for.
        let extra = rows[3].extra.as_ref().unwrap();
        let extra: serde_json::Value = serde_json::from_str(extra).unwrap();
        assert_eq!(extra["pack_status"], "DISCHARGE");
        assert_eq!(extra["total_battery_current"], 5.8);
        assert!(extra.get("pack_voltage").is_none());
        assert_eq!(rows[3].device, "AC300-2236000123456");
    }

    #[test]
    fn models_of_the_second_generation_fill_what_they_have() {
        let mut station = registers(102, &[76]);
        station.merge(&registers(2011, &[1, 0]));
        station.merge(&registers(2022, &[10, 90]));
        let rows = rows(&record(Model::EP600, station, vec![]));
        let tables: Vec<_> = rows.iter().map(|row| row.table).collect();
        assert_eq!(tables, [0, 2]);
        assert_eq!(text(&rows[0], "total_battery_percent", Form::Ours), "76");
        assert_eq!(text(&rows[0], "ac_output_on", Form::Ours), "1");
        assert_eq!(text(&rows[1], "battery_range_end", Form::Ours), "90");
    }

    #[test]
    fn what_has_no_row_of_its_own_is_not_lost() {
        let mut station = registers(100, &[5312, 14, 76]);
        station.merge(&registers(2011, &[1, 0]));
        let mut record = record(Model::AC180, station, vec![]);
        let extra = |record: &Record| -> serde_json::Value {
            let rows = rows(record);
            serde_json::from_str(rows[0].extra.as_ref().unwrap()).unwrap()
        };
        assert_eq!(extra(&record)["total_battery_voltage"], 53.12);
        // Nor is it there twice.
        let mut cells = vec![0; 52];
        cells[..3].copy_from_slice(&[2, 3300, 3310]);
        record.packs.push((1, registers(6300, &cells)));
        assert!(extra(&record).get("total_battery_voltage").is_none());
        let rows = rows(&record);
        let pack = rows.last().unwrap();
        assert_eq!(text(pack, "total_battery_voltage", Form::Ours), "53.12");
        let cells = text(pack, "cell_voltages", Form::Original);
        assert_eq!(cells, "['3.3', '3.31']");
        // The first generation keeps them between the packs.
        let station = registers(91, &[2, 532, 58]);
        let record = self::record(Model::AC300, station, vec![]);
        let extra = extra(&record);
        assert_eq!(extra["total_battery_voltage"], 53.2);
        assert_eq!(extra["pack_num_max"], 2);
    }

    #[test]
    fn decimals_are_as_python_prints_them() {
        for (number, text) in [
            (Decimal::new(500, 1), "50"),
            (Decimal::new(330, 2), "3.3"),
            (Decimal::new(-5, 1), "-0.5"),
            (Decimal::new(400_000, 2), "4000"),
            (Decimal::new(70, 0), "70"),
        ] {
            assert_eq!(shortest(number), text);
        }
    }
}
