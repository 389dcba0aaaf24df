/// Begin of a model's name, usable battery energy in kWh.
const USABLE_KWH: [(&str, f64); 14] = [
    ("iX1", 64.7),
    ("iX2", 64.7),
    ("iX3 50 xDrive", 109.0),
    ("iX3", 74.0),
    ("iX xDrive40", 71.0),
    ("iX xDrive50", 105.2),
    ("iX xDrive60", 105.2),
    ("iX M60", 105.2),
    ("iX", 76.6),
    ("i4 eDrive35", 59.4),
    ("i4", 80.7),
    ("i5", 81.2),
    ("i7", 101.7),
    ("iX3 50", 109.0),
];

/// Begin of a model's name, consumption in kWh per km.
const KWH_PER_KM: [(&str, f64); 17] = [
    ("iX1 xDrive30", 0.18),
    ("iX2 xDrive30", 0.18),
    ("iX1", 0.17),
    ("iX2", 0.17),
    ("iX3 50", 0.19),
    ("iX3", 0.20),
    ("iX xDrive60", 0.21),
    ("iX M60", 0.24),
    ("iX", 0.22),
    ("i4 eDrive35", 0.17),
    ("i4 M50", 0.21),
    ("i4", 0.18),
    ("i5 M60", 0.20),
    ("i5", 0.18),
    ("i7 eDrive50", 0.20),
    ("i7 M70", 0.23),
    ("i7", 0.21),
];

const USUAL_KWH_PER_KM: f64 = 0.21;

/// Usable energy of a model's battery, kWh, by the longest known begin of its
/// name. For cars that do not report it.
#[must_use]
pub fn usable_kwh(model: &str) -> Option<f64> {
    longest(&USABLE_KWH, model)
}

/// What a model needs, kWh per km; 0.21 for unknown ones.
#[must_use]
pub fn usual_kwh_per_km(model: &str) -> f64 {
    longest(&KWH_PER_KM, model).unwrap_or(USUAL_KWH_PER_KM)
}

fn longest(table: &[(&str, f64)], model: &str) -> Option<f64> {
    let model = model.trim().strip_prefix("BMW ").unwrap_or(model.trim());
    let fitting = table.iter().filter(|(name, _)| model.starts_with(name));
    fitting.max_by_key(|(name, _)| name.len()).map(|row| row.1)
}
