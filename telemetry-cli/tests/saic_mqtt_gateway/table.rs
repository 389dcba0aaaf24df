//! The tables of the documentation are complete, and the tests they name exist.

use std::fs;
use std::path::Path;

const TABLES: &str = include_str!("../../docs/saic-mqtt-gateway.md");
const TOPICS: &str = include_str!("../data/saic-golden-topics.txt");
const ENTITIES: &str = include_str!("../data/saic-original-entities.txt");

/// The cells of the rows of all tables.
fn rows() -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    TABLES
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(cells)
        .collect()
}

#[test]
fn every_topic_and_entity_has_its_row() {
    let rows = rows();
    for line in TOPICS.lines() {
        let topic = line.split(' ').next().expect("a topic");
        let cell = format!("`{topic}`");
        assert!(rows.iter().any(|row| row[0] == cell), "{topic}");
    }
    for line in ENTITIES.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split(" | ");
        let (platform, name) = (cells.next(), cells.next());
        let (platform, name) = platform.zip(name).expect("platform and name");
        let name = format!("`{name}`");
        assert!(
            rows.iter().any(|row| row[0] == platform && row[1] == name),
            "{line}"
        );
    }
}

#[test]
fn every_row_names_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Shared with the gateway.
    let mut sources = fs::read_to_string(root.join("src/zone.rs")).expect("a source");
    for directory in ["src/compat/saic", "tests/saic_mqtt_gateway"] {
        read(&root.join(directory), &mut sources);
    }
    let rows = rows();
    assert!(rows.len() > 200, "{}", rows.len());
    for row in rows
        .iter()
        .filter(|row| row.last().is_none_or(|cell| *cell != "Test"))
    {
        let test = row.last().expect("cells").trim_matches('`');
        assert!(sources.contains(&format!("fn {test}(")), "{test}: {row:?}");
    }
}

fn read(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => read(&path, sources),
            false => sources.push_str(&fs::read_to_string(&path).expect("a source")),
        }
    }
}
