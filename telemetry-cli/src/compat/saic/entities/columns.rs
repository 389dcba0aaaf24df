//! Each entity of the original, column by column.

use super::tests::{FULL, ORIGINAL, with};
use super::*;

/// Cars move them only together: they are shown, and moved by a cover.
const WITHOUT_SUCCESSOR: &str = "window_";

/// A row, with what of our component differs from it.
fn differences(row: &str, components: &Map<String, Value>, vin: &str, prefix: &str) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let cell = |index: usize| cells.get(index).copied().unwrap_or_default();
    let id = format!("{vin}_{}", cell(1));
    let is = |one: &&Value| one["platform"] == cell(0) && one["unique_id"] == id.as_str();
    let Some(ours) = components.values().find(is) else {
        return vec![format!("{row}: is not there")];
    };
    let mut differences = Vec::new();
    let mut compare = |key: &str, ours: Value, original: Value| {
        if ours != original {
            differences.push(format!("{}: {key} is {ours}, not {original}", cell(1)));
        }
    };
    let text = |cell: &str| match cell {
        "" => Value::Null,
        cell => cell.into(),
    };
    let topic = match cell(3) {
        "" => Value::Null,
        topic => format!("{prefix}/{topic}").into(),
    };
    compare("name", ours["name"].clone(), text(cell(2)));
    compare("state_topic", ours["state_topic"].clone(), topic);
    for (index, key) in [
        (4, "device_class"),
        (5, "state_class"),
        (6, "unit_of_measurement"),
        (7, "entity_category"),
        (9, "icon"),
    ] {
        if cell(index) != "?" {
            compare(key, ours[key].clone(), text(cell(index)));
        }
    }
    let enabled = ours.get("enabled_by_default").unwrap_or(&Value::Bool(true));
    compare(
        "enabled_by_default",
        enabled.clone(),
        (cell(8) == "y").into(),
    );
    let topics = ours.get("availability").and_then(Value::as_array);
    let available = match topics.map(Vec::len) {
        None => "",
        Some(1) => "gateway",
        Some(_) => "positive",
    };
    compare("availability", available.into(), cell(10).into());
    if ["switch", "lock", "number", "select", "text"].contains(&cell(0)) {
        compare("optimistic", ours["optimistic"].clone(), false.into());
    }
    if let Ok(Value::Object(more)) =
        serde_json::from_str(&cell(11).replace("~/", &format!("{prefix}/")))
    {
        for (key, original) in more {
            compare(&key, ours[&key].clone(), original);
        }
    } else if !cell(11).is_empty() {
        differences.push(format!("{row}: the last column is no object"));
    }
    differences
}

#[test]
fn every_entity_is_the_originals_in_each_column() {
    let (components, vin, prefix) = with("EH32 S", FULL, true, |car| {
        (
            car.components(),
            car.vin.to_owned(),
            car.state("x").replace("/x", ""),
        )
    });
    let rows: Vec<_> = ORIGINAL
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(rows.len(), 99);
    let differences: Vec<_> = rows
        .iter()
        .filter(|row| !(row.starts_with("switch") && row.contains(WITHOUT_SUCCESSOR)))
        .flat_map(|row| differences(row, &components, &vin, &prefix))
        .collect();
    assert_eq!(differences, Vec::<String>::new());
    // A comparison that finds nothing would be none.
    let wrong = rows[7].replace('%', "kWh").replace("| y |", "| n |");
    assert_eq!(
        self::differences(&wrong, &components, &vin, &prefix).len(),
        2
    );
}
