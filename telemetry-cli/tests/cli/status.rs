//! `status jbd` on simulated packs.

use serde_json::Value;

use crate::call::Cli;

const TWO_PACKS: &str = r#"
[bluetooth]
backend = "simulated"

[[jbd]]
name = "House battery"

[[jbd]]
name = "Workshop battery"
label = "Shop"
"#;

fn status() -> Cli {
    Cli::new(["status", "jbd"]).file("telemetry.toml", TWO_PACKS)
}

#[test]
fn a_page_about_one_pack() {
    let outcome = status().arg("--name").arg("Shop").run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "Shop (JBD-SIM-16S-100A, A4:C1:38:00:00:02, -67 dBm)"
    );
    let row = |label: &str| {
        let line = lines
            .iter()
            .find(|line| line.trim_start().starts_with(label));
        let text = line.unwrap_or_else(|| panic!("{label}: {}", outcome.stdout));
        text.trim_start().strip_prefix(label).unwrap().trim_start()
    };
    assert_eq!(row("Charge  "), "88.0 %, 88.00 Ah of 100.00 Ah");
    assert_eq!(row("Charge MOSFET"), "on");
    assert_eq!(row("Protection"), "none is active");
    assert_eq!(row("Temperatures").matches(" °C").count(), 3);
    assert!(row("Cells").contains(", spread 11"), "{}", row("Cells"));
    // The simulator's weakest and strongest.
    assert!(row("7 ").ends_with("V  highest"));
    assert!(row("12 ").ends_with("V  lowest"));
    assert_eq!(row("Cycles"), "12");
    let cells = lines.iter().filter(|line| line.starts_with("          "));
    assert_eq!(cells.count(), 16);
}

#[test]
fn json_is_that_of_once() {
    let outcome = status()
        .arg("--address")
        .arg("a4:c1:38:00:00:01")
        .arg("--json")
        .run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let all: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let readings = all["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0]["device"]["id"], "jbd-a4c138000001");
    assert_eq!(readings[0]["values"]["nominal_capacity_ah"], 280);
    assert_eq!(all["errors"], serde_json::json!([]));
}

#[test]
fn which_pack_is_meant_has_to_be_clear() {
    let outcome = status().run();
    assert_eq!(outcome.code, Some(2));
    assert_eq!(
        outcome.stderr,
        "error: which of the packs?\nhelp: choose one with `--name`: House battery, Shop\n"
    );
    let outcome = Cli::new(["status", "jbd"]).run();
    assert_eq!(outcome.code, Some(2));
    assert_eq!(
        outcome.stderr,
        "error: which pack?\nhelp: name it with `--name NAME` or `--address ADDRESS`\n"
    );
}

#[test]
fn a_pack_that_is_not_there() {
    let outcome = status().arg("--name").arg("Attic").run();
    assert_eq!(outcome.code, Some(3));
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome
            .stderr
            .starts_with("error: Attic: Attic was not found")
    );
}
