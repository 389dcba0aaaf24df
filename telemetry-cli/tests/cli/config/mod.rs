//! What the program says about a configuration: whole messages, because each
//! word of them is for somebody who has to mend something.

use crate::call::{Cli, Outcome};

mod bluetti;
mod mariadb;
mod mqtt;

#[test]
fn a_good_file_is_one_line() {
    let toml = "[mqtt]\nurl = \"tcp://broker\"\n[[jbd]]\nname = \"a\"\n[[jbd]]\nname = \"b\"\n";
    let outcome = check(toml).run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 2 devices\n", ""));
}

#[test]
fn wrong_key() {
    mistakes(
        r#"
[[jbd]]
name = "garage"
intervall = "30s"
"#,
        "
error: unknown key `intervall` in `[[jbd]]`
 --> telemetry.toml:3:1
  |
3 | intervall = \"30s\"
  | ^^^^^^^^^
  = expected: `name`, `address`, `label`, `password`, `pin`, `interval`, `hold_link`, `store`, `reads_per_day` or `allow`
  = help: did you mean `interval`?
",
    );
}

#[test]
fn key_of_another_table() {
    mistakes(
        "
url = \"tcp://broker\"
[[jbd]]
name = \"garage\"
[store]
topic_prefix = \"x\"
",
        "
error: unknown key `url` above all tables
 --> telemetry.toml:1:1
  |
1 | url = \"tcp://broker\"
  | ^^^
  = expected: `[gateway]`, `[mqtt]`, `[home_assistant]`, `[store]`, `[mariadb]`, `[bluetooth]`, `[[jbd]]`, `[[bluetti]]`, `[[saic]]` or `[[bmw]]`
  = help: `url` belongs to `[mqtt]`

error: unknown key `topic_prefix` in `[store]`
 --> telemetry.toml:5:1
  |
5 | topic_prefix = \"x\"
  | ^^^^^^^^^^^^
  = expected: `sqlite`, `path`, `history` or `exclusive`
  = help: `topic_prefix` belongs to `[mqtt]`
",
    );
}

#[test]
fn wrong_table() {
    mistakes(
        r#"
[[jdb]]
name = "garage"
[mqqt]
url = "tcp://broker"
[[jbd]]
name = "garage"
"#,
        "
error: unknown table `[[jdb]]`
 --> telemetry.toml:1:3
  |
1 | [[jdb]]
  |   ^^^
  = expected: `[gateway]`, `[mqtt]`, `[home_assistant]`, `[store]`, `[mariadb]`, `[bluetooth]`, `[[jbd]]`, `[[bluetti]]`, `[[saic]]` or `[[bmw]]`
  = help: did you mean `[[jbd]]`?

error: unknown table `[mqqt]`
 --> telemetry.toml:3:2
  |
3 | [mqqt]
  |  ^^^^
  = expected: `[gateway]`, `[mqtt]`, `[home_assistant]`, `[store]`, `[mariadb]`, `[bluetooth]`, `[[jbd]]`, `[[bluetti]]`, `[[saic]]` or `[[bmw]]`
  = help: did you mean `[mqtt]`?
",
    );
}

#[test]
fn table_of_a_later_version() {
    mistakes(
        r#"
[[jbd]]
name = "garage"
[web]
port = 80
[osmand]
"#,
        "
error: unknown table `[web]`
 --> telemetry.toml:3:2
  |
3 | [web]
  |  ^^^
  = help: this version does not have it yet; remove it, or wait for one that has

error: unknown table `[osmand]`
 --> telemetry.toml:5:2
  |
5 | [osmand]
  |  ^^^^^^
  = help: this version does not have it yet; remove it, or wait for one that has
",
    );
}

#[test]
fn table_for_a_list_and_list_for_a_table() {
    mistakes(
        r#"
[jbd]
name = "garage"
[[mqtt]]
url = "tcp://broker"
"#,
        "
error: `jbd` is a list, and this is a single table
 --> telemetry.toml:1:1
  |
1 | [jbd]
  | ^^^^^
  = expected: `[[jbd]]`, once for each

error: there can be only one `mqtt`, and this is a list
 --> telemetry.toml:3:1
  |
3 | [[mqtt]]
  | ^^^^^^^^
  = expected: `[mqtt]`
",
    );
}

#[test]
fn wrong_type() {
    mistakes(
        r#"
[[jbd]]
name = 7
hold_link = "yes"
store = "al"
reads_per_day = -1
[mqtt]
url = ["tcp://broker"]
"#,
        "
error: `name` is of the wrong type: integer `7`
 --> telemetry.toml:2:8
  |
2 | name = 7
  |        ^
  = expected: text in quotes

error: `hold_link` is of the wrong type: string \"yes\"
 --> telemetry.toml:3:13
  |
3 | hold_link = \"yes\"
  |             ^^^^^
  = expected: true or false

error: `store` cannot be `al`
 --> telemetry.toml:4:9
  |
4 | store = \"al\"
  |         ^^^^
  = expected: \"changes\", \"exact\", \"all\" or \"nothing\"
  = help: did you mean \"all\"?

error: `reads_per_day` is out of range: integer `-1`
 --> telemetry.toml:5:17
  |
5 | reads_per_day = -1
  |                 ^^
  = expected: a whole number, not negative

error: `url` is of the wrong type: list
 --> telemetry.toml:7:7
  |
7 | url = [\"tcp://broker\"]
  |       ^^^^^^^^^^^^^^^^
  = expected: text in quotes
",
    );
}

#[test]
fn bad_duration() {
    mistakes(
        r#"
[gateway]
heartbeat = "5 mintes"
[[jbd]]
name = "garage"
interval = 30
"#,
        "
error: `heartbeat`: `5 mintes` is not a duration: `mintes` is not a unit of time
 --> telemetry.toml:2:13
  |
2 | heartbeat = \"5 mintes\"
  |             ^^^^^^^^^^
  = expected: a number with a unit, such as \"30s\", \"5m\", \"12h\" or \"30d\"

error: `interval`: `30` is not a duration: the unit is missing
 --> telemetry.toml:5:12
  |
5 | interval = 30
  |            ^^
  = expected: a number with a unit, such as \"30s\", \"5m\", \"12h\" or \"30d\"
  = help: for seconds write `interval = \"30s\"`
",
    );
}

#[test]
fn senseless_times_and_sizes() {
    mistakes(
        r#"
[gateway]
heartbeat = "0s"
commit_interval = "5m"
journal_max_age = "0s"
journal_max_megabytes = 0
[store]
history = "0s"
[[jbd]]
name = "a"
interval = "200ms"
reads_per_day = 0
"#,
        "
error: `heartbeat` is zero
 --> telemetry.toml:2:13
  |
2 | heartbeat = \"0s\"
  |             ^^^^
  = expected: at least \"1s\"

error: `commit_interval` is too long
 --> telemetry.toml:3:19
  |
3 | commit_interval = \"5m\"
  |                   ^^^^
  = expected: at most \"60s\"; readings of this long are lost when the power fails

error: `journal_max_age` is zero
 --> telemetry.toml:4:19
  |
4 | journal_max_age = \"0s\"
  |                   ^^^^
  = expected: a time for which readings are kept, such as \"30d\"

error: `journal_max_megabytes` is zero
 --> telemetry.toml:5:25
  |
5 | journal_max_megabytes = 0
  |                         ^
  = expected: at least 1: no reading survives without a journal

error: `history` is zero
 --> telemetry.toml:7:11
  |
7 | history = \"0s\"
  |           ^^^^
  = expected: a time for which readings are kept, such as \"30d\"

error: `interval` is too short
  --> telemetry.toml:10:12
   |
10 | interval = \"200ms\"
   |            ^^^^^^^
   = expected: at least \"1s\"

error: `reads_per_day` is zero
  --> telemetry.toml:11:17
   |
11 | reads_per_day = 0
   |                 ^
   = help: leave it out for no limit, or remove the device
",
    );
}

#[test]
fn a_journal_has_a_largest_size() {
    let check = |megabytes: &str| {
        Cli::new(["config", "check"])
            .file(
                "telemetry.toml",
                format!("gateway.journal_max_megabytes = {megabytes}\n[[jbd]]\nname = \"a\"\n"),
            )
            .run()
    };
    assert_eq!(
        check("1000000"),
        Outcome::ok("telemetry.toml: ok, 1 device\n", "")
    );
    assert_eq!(
        check("1000001"),
        Outcome::mistakes(
            "
error: `journal_max_megabytes` is too large
 --> telemetry.toml:1:33
  |
1 | gateway.journal_max_megabytes = 1000001
  |                                 ^^^^^^^
  = expected: at most 1000000, which is a terabyte
"
        )
    );
}

#[test]
fn devices_that_cannot_be_told_apart() {
    mistakes(
        r#"
[[jbd]]
name = "Pack 1"
address = "A4:C1:38:30:C2:8E"
label = "Garage"
[[jbd]]
name = "pack-1"
[[jbd]]
address = "a4:c1:38:30:c2:8e"
label = "Garage"
"#,
        "
error: two devices have the name `pack-1`
 --> telemetry.toml:6:8
  |
6 | name = \"pack-1\"
  |        ^^^^^^^^
 and telemetry.toml:2:8
  |
2 | name = \"Pack 1\"
  |        ^^^^^^^^
  = help: tell them apart by `address`, one for each

error: two devices have the address `a4:c1:38:30:c2:8e`
 --> telemetry.toml:8:11
  |
8 | address = \"a4:c1:38:30:c2:8e\"
  |           ^^^^^^^^^^^^^^^^^^^
 and telemetry.toml:3:11
  |
3 | address = \"A4:C1:38:30:C2:8E\"
  |           ^^^^^^^^^^^^^^^^^^^
  = help: remove one of them

error: two devices have the label `Garage`
 --> telemetry.toml:9:9
  |
9 | label = \"Garage\"
  |         ^^^^^^^^
 and telemetry.toml:4:9
  |
4 | label = \"Garage\"
  |         ^^^^^^^^
  = help: give each a label of its own
",
    );
}

#[test]
fn packs_of_one_name_with_an_address_each_are_fine() {
    let toml = "[[jbd]]\nname = \"a\"\naddress = \"A4:C1:38:30:C2:8E\"\n\
                [[jbd]]\nname = \"a\"\naddress = \"A4:C1:38:30:C2:8F\"\n";
    assert_eq!(
        check(toml).run(),
        Outcome::ok("telemetry.toml: ok, 2 devices\n", "")
    );
}

#[test]
fn device_that_cannot_be_found() {
    mistakes(
        r#"
[[jbd]]
interval = "30s"
[[jbd]]
address = "A4:C1:38:30:C2"
[[jbd]]
name = " "
"#,
        "
error: this `[[jbd]]` has neither `name` nor `address`
 --> telemetry.toml:1:1
  |
1 | [[jbd]]
  | ^^^^^^^
  = help: add the name that the pack advertises, or its Bluetooth address

error: `A4:C1:38:30:C2` is not a Bluetooth address
 --> telemetry.toml:4:11
  |
4 | address = \"A4:C1:38:30:C2\"
  |           ^^^^^^^^^^^^^^^^
  = expected: six pairs of hex digits, such as \"A4:C1:38:30:C2:8E\"

error: `name` is empty
 --> telemetry.toml:6:8
  |
6 | name = \" \"
  |        ^^^
",
    );
}

#[test]
fn bad_log_filter() {
    mistakes(
        "
[gateway]
log = \"inof\"
[[jbd]]
name = \"a\"
",
        "
error: `log`: `inof` is not a level; did you mean `info`?
 --> telemetry.toml:2:7
  |
2 | log = \"inof\"
  |       ^^^^^^
  = expected: off, error, warn, info, debug or trace, also per module: \"info,telemetry_cli::source=debug\"
",
    );
}

#[test]
fn not_toml_and_not_text() {
    mistakes(
        "[mqtt\nurl = \"tcp://broker\"\n",
        "
error: this is not TOML: unclosed table, expected `]`
 --> telemetry.toml:1:6
  |
1 | [mqtt
  |      ^
",
    );
    let outcome = check("")
        .file("telemetry.toml", b"[gateway]\nname = \"K\xfcche\"\n")
        .run();
    let expected = Outcome::mistakes(
        "
error: this is not text in UTF-8 from here on
 --> telemetry.toml:2:10
  |
2 | name = \"K
  |          ^
  = help: save it as UTF-8 in your editor
",
    );
    assert_eq!(outcome, expected);
}

#[test]
fn a_file_from_another_system_is_read() {
    let toml = "\u{feff}[[jbd]]\r\nname = \"a\"\r\n";
    assert_eq!(
        check(toml).run(),
        Outcome::ok("telemetry.toml: ok, 1 device\n", "")
    );
}

#[test]
fn no_device_is_worth_a_warning() {
    let warning = "warning: no device is configured\n --> telemetry.toml\n  = help: add a `[[jbd]]`, a `[[bluetti]]`, a `[[saic]]` or a `[[bmw]]`\n\n";
    assert_eq!(
        check("").run(),
        Outcome::ok("telemetry.toml: ok, 0 devices\n", warning)
    );
}

#[test]
fn json_for_programs() {
    let outcome = check("[[jbd]]\nname = \"a\"\nintervall = \"30s\"\n")
        .arg("--json")
        .run();
    assert_eq!(
        outcome,
        Outcome {
            stdout: "{\"file\":\"telemetry.toml\",\"ok\":false,\"problems\":[{\"severity\":\"error\",\
                     \"message\":\"unknown key `intervall` in `[[jbd]]`\",\"line\":3,\"column\":1,\
                     \"expected\":\"`name`, `address`, `label`, `password`, `pin`, `interval`, `hold_link`, `store`, \
                     `reads_per_day` or `allow`\",\"help\":\"did you mean `interval`?\"}]}\n"
                .to_owned(),
            stderr: String::new(),
            code: Some(78),
        }
    );
    let outcome = check("").arg("--json").run();
    let json = "{\"file\":\"telemetry.toml\",\"ok\":true,\"devices\":0,\"problems\":[{\"severity\":\"warning\",\
                \"message\":\"no device is configured\",\"help\":\"add a `[[jbd]]`, a `[[bluetti]]`, a `[[saic]]` or a `[[bmw]]`\"}]}\n";
    assert_eq!(outcome, Outcome::ok(json, ""));
}

fn check(toml: &str) -> Cli {
    Cli::new(["config", "check"]).file("telemetry.toml", toml)
}

fn mistakes(toml: &str, expected: &str) {
    assert_eq!(check(toml.trim_start()).run(), Outcome::mistakes(expected));
}

#[test]
fn pins_have_digits_and_are_not_shown() {
    for (pin, problem) in [
        (
            "\"1234567\"",
            "`pin`: a PIN has one to six digits and nothing else",
        ),
        (
            "\"98x7\"",
            "`pin`: a PIN has one to six digits and nothing else",
        ),
        ("987654", "`pin` is not in quotes"),
        ("\"\"", "`pin`: the text in quotes is empty"),
        ("\"file:missing\"", "`pin`: cannot read missing"),
    ] {
        let outcome = check(&format!("[[jbd]]\nname = \"a\"\npin = {pin}\n")).run();
        assert_eq!(outcome.code, Some(78), "{outcome:?}");
        assert!(outcome.stderr.contains(problem), "{outcome:?}");
        let digits = pin.trim_matches('"');
        let shown = !digits.is_empty() && outcome.stderr.contains(digits);
        assert!(!shown || pin.contains("missing"), "{outcome:?}");
    }
}
