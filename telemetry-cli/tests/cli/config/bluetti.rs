//! `[[bluetti]]`

use super::{check, mistakes};

#[test]
fn a_place_is_needed_and_one_is_enough() {
    mistakes(
        r#"
[[bluetti]]
label = "Cellar"

[[bluetti]]
tcp = "station.lan"
name = "AC3002237000000001"

[[bluetti]]
address = "F0:5E"
"#,
        r#"error: this `[[bluetti]]` has no `name`, `address` or `tcp`
 --> telemetry.toml:1:1
  |
1 | [[bluetti]]
  | ^^^^^^^^^^^
  = help: add the name that the station advertises, or its Bluetooth address

error: `station.lan` is no host with a port
 --> telemetry.toml:5:7
  |
5 | tcp = "station.lan"
  |       ^^^^^^^^^^^^^
  = expected: such as "station.lan:502" or "192.0.2.7:502"

error: `name` beside `tcp`
 --> telemetry.toml:6:8
  |
6 | name = "AC3002237000000001"
  |        ^^^^^^^^^^^^^^^^^^^^
  = help: a station is read over Bluetooth or over TCP: remove one of them; `label` is what people call it

error: `F0:5E` is not a Bluetooth address
 --> telemetry.toml:9:11
  |
9 | address = "F0:5E"
  |           ^^^^^^^
  = expected: six pairs of hex digits, such as "F0:5E:CD:00:00:01"
"#,
    );
}

#[test]
fn what_a_station_cannot_be_is_said_with_what_it_can() {
    let outcome = check(
        "[[bluetti]]\nname = \"a\"\nmodel = \"AC30\"\nslave = 250\ninterval = \"0s\"\n\
         [bluetti.allow]\nfactory_reset = true\n",
    )
    .run();
    assert_eq!(outcome.code, Some(78));
    for text in [
        "`AC30` is no model that is known\n --> telemetry.toml:3:9\n",
        "did you mean \"AC300\"?",
        "`slave` is no unit number\n --> telemetry.toml:4:9\n",
        "`interval` is zero\n --> telemetry.toml:5:12\n",
        "unknown key `factory_reset` in `[bluetti.allow]`\n --> telemetry.toml:7:1\n",
    ] {
        assert!(outcome.stderr.contains(text), "{text}\n{}", outcome.stderr);
    }
}

#[test]
fn a_pack_and_a_station_are_two_devices() {
    let outcome = check("[[jbd]]\nname = \"a\"\n[[bluetti]]\nname = \"A\"\n").run();
    assert_eq!(outcome.code, Some(78));
    assert!(
        outcome.stderr.contains("two devices have the name `A`"),
        "{}",
        outcome.stderr
    );
    let outcome = check("[[jbd]]\nname = \"a\"\n[[bluetti]]\nname = \"AC1\"\n").run();
    assert_eq!(outcome.stdout, "telemetry.toml: ok, 2 devices\n");
}
