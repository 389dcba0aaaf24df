//! Values from outside the file: environment variables and secrets.

use crate::call::{Cli, Outcome};

#[test]
fn variables_come_before_the_file() {
    let outcome =
        check("[gateway]\nheartbeat = \"nonsense\"\n[[jbd]]\nname = \"a\"\ninterval = 7\n")
            .env("TELEMETRY_GATEWAY__HEARTBEAT", "10m")
            .env("TELEMETRY_GATEWAY__JOURNAL_MAX_MEGABYTES", "5")
            .env("TELEMETRY_STORE__SQLITE", "false")
            .env("TELEMETRY_MQTT__URL", "tcp://broker")
            .env("TELEMETRY_MQTT__USER", "me")
            .env("TELEMETRY_MQTT__PASSWORD", "1234")
            .env("TELEMETRY_JBD__0__INTERVAL", "1m")
            .env("TELEMETRY_JBD__1__NAME", "7")
            .env("TELEMETRY_JBD__2__ADDRESS", "A4:C1:38:30:C2:8E")
            .run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 3 devices\n", ""));
}

#[test]
fn entries_of_a_list_are_added_in_their_order() {
    let mut cli = check("");
    for index in 0..12 {
        cli = cli.env(
            &format!("TELEMETRY_JBD__{index}__NAME"),
            &format!("pack {index}"),
        );
    }
    assert_eq!(
        cli.run(),
        Outcome::ok("telemetry.toml: ok, 12 devices\n", "")
    );
}

#[test]
fn an_empty_variable_and_those_of_others_count_as_not_set() {
    let outcome = check("[[jbd]]\nname = \"a\"\n")
        .env("TELEMETRY_MQTT__URL", "")
        .env("TELEMETRY_PORT", "tcp://10.0.0.1:80")
        .env("TELEMETRY_SERVICE_HOST", "10.0.0.1")
        .run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 1 device\n", ""));
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    let outcome = check("[[jbd]]\nname = \"a\"\n")
        .env("TELEMETRY_GATEWAY__HEARTBEAT", "5")
        .env("TELEMETRY_GATEWAY__JOURNAL_MAX_MEGABYTES", "-1")
        .env("TELEMETRY_GATEWAY__NAME__FIRST", "a")
        .env("TELEMETRY_JBD__0__INTERVALL", "30s")
        .env("TELEMETRY_JBD__0__NAME__FIRST", "a")
        .env("TELEMETRY_JBD__1__PASSWORD", "hunter2")
        .env("TELEMETRY_JBD__3__NAME", "b")
        .env("TELEMETRY_JBD__NAME", "b")
        .env("TELEMETRY_MQQT__URL", "tcp://broker")
        .env("TELEMETRY_MQTT__USER", "me")
        .env("TELEMETRY_STORE__SQLITE", "maybe")
        .env("TELEMETRY_STORE____PATH", "a")
        .run();
    let expected = Outcome::mistakes(
        "
error: `heartbeat`: `5` is not a duration: the unit is missing
 --> environment variable TELEMETRY_GATEWAY__HEARTBEAT
  = expected: a number with a unit, such as \"30s\", \"5m\", \"12h\" or \"30d\"
  = help: for seconds write `5s`

error: `journal_max_megabytes` is out of range: integer `-1`
 --> environment variable TELEMETRY_GATEWAY__JOURNAL_MAX_MEGABYTES
  = expected: a whole number, not negative

error: `name` is of the wrong type: table
 --> environment variable TELEMETRY_GATEWAY__NAME__FIRST
  = expected: text in quotes

error: unknown key `intervall` in `[[jbd]]`
 --> environment variable TELEMETRY_JBD__0__INTERVALL
  = expected: `name`, `address`, `label`, `password`, `pin`, `interval`, `hold_link`, `store`, `reads_per_day` or `allow`
  = help: did you mean `interval`?

error: `name` is a value, there is nothing below it
 --> environment variable TELEMETRY_JBD__0__NAME__FIRST
  = help: set `TELEMETRY_JBD__0__NAME`

error: this `[[jbd]]` has neither `name` nor `address`
 --> environment variable TELEMETRY_JBD__1__PASSWORD
  = help: add the name that the pack advertises, or its Bluetooth address

error: there is no `[[jbd]]` with the number 3
 --> environment variable TELEMETRY_JBD__3__NAME
  = help: they count from 0: `TELEMETRY_JBD__2__NAME` is the next free one

error: `jbd` is a list
 --> environment variable TELEMETRY_JBD__NAME
  = help: number and key are wanted: `TELEMETRY_JBD__0__NAME` is for the first `[[jbd]]`

error: unknown table `[mqqt]`
 --> environment variable TELEMETRY_MQQT__URL
  = expected: `[gateway]`, `[mqtt]`, `[home_assistant]`, `[store]`, `[mariadb]`, `[bluetooth]`, `[[jbd]]`, `[[bluetti]]`, `[[saic]]` or `[[bmw]]`
  = help: did you mean `[mqtt]`?

error: `url` is missing in `[mqtt]`
 --> environment variable TELEMETRY_MQTT__USER
  = help: set TELEMETRY_MQTT__URL

error: `sqlite` is of the wrong type: string \"maybe\"
 --> environment variable TELEMETRY_STORE__SQLITE
  = expected: true or false

error: a part of the name is empty
 --> environment variable TELEMETRY_STORE____PATH
  = expected: TELEMETRY_TABLE__KEY, or TELEMETRY_TABLE__NUMBER__KEY for a list
",
    );
    assert_eq!(outcome, expected);
}

#[test]
fn one_underscore_is_a_warning() {
    let outcome = check("[[jbd]]\nname = \"a\"\n")
        .env("TELEMETRY_MQTT_PASSWORD", "hunter2")
        .env("TELEMETRY_JBD_INTERVAL", "1m")
        .run();
    let warnings = "\
warning: TELEMETRY_JBD_INTERVAL has no effect
 --> environment variable TELEMETRY_JBD_INTERVAL
  = help: two underscores lead into a table: `TELEMETRY_JBD__0__INTERVAL`

warning: TELEMETRY_MQTT_PASSWORD has no effect
 --> environment variable TELEMETRY_MQTT_PASSWORD
  = help: two underscores lead into a table: `TELEMETRY_MQTT__PASSWORD`

";
    assert_eq!(
        outcome,
        Outcome::ok("telemetry.toml: ok, 1 device\n", warnings)
    );
}

#[test]
fn missing_secrets() {
    let outcome = check(
        "[mqtt]\nurl = \"tcp://broker\"\nuser = \"me\"\npassword = \"env:BROKER_PASSWORD\"\n\
         [[jbd]]\nname = \"a\"\npassword = \"file:nowhere\"\n\
         [[jbd]]\nname = \"b\"\npassword = \"file:empty\"\n\
         [[jbd]]\nname = \"c\"\npassword = \"\"\n",
    )
    .file("empty", "\n")
    .run();
    let expected = Outcome::mistakes(
        "
error: `password`: environment variable BROKER_PASSWORD is not set
 --> telemetry.toml:4:12
  |
4 | password = \"env:BROKER_PASSWORD\"
  |            ^^^^^^^^^^^^^^^^^^^^^

error: `password`: cannot read nowhere: No such file or directory
 --> telemetry.toml:7:12
  |
7 | password = \"file:nowhere\"
  |            ^^^^^^^^^^^^^^

error: `password`: file empty is empty
  --> telemetry.toml:10:12
   |
10 | password = \"file:empty\"
   |            ^^^^^^^^^^^^

error: `password`: the text in quotes is empty
  --> telemetry.toml:13:12
   |
13 | password = ***
   |            ^^
",
    );
    assert_eq!(outcome, expected);
}

#[test]
fn secrets_are_found_where_systemd_puts_them() {
    let cli = check("[[jbd]]\nname = \"a\"\npassword = \"file:pack\"\n")
        .file("credentials/pack", "0000\n");
    let directory = cli.path("credentials").display().to_string();
    let outcome = cli.env("CREDENTIALS_DIRECTORY", &directory).run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 1 device\n", ""));
}

#[test]
fn a_secret_is_never_shown() {
    for toml in [
        "[mqtt]\nurl = 1\nuser = 2\npassword = 4711\n[[jbd]]\n",
        "[mqtt]\npassword = hunter2 4711\n",
        "[mqtt]\nurl = \"x\"\npasswort = \"hunter2 4711\"\n",
        "[mqtt]\nurl = \"tcp://me:hunter2 4711@broker\"\n",
        "mqtt = { url = 1, password = \"hunter2 4711\", ca = 2 }\n",
        "[mqtt]\nurl = \"x\"\npassword = [\"hunter2 4711\"]\n",
        "[mqtt]\nurl = \"x\"\npassword = \"hunter2 4711\"\nuser = \"me\"\npassword = \"4711\"\n",
    ] {
        for args in [&["--json"][..], &[]] {
            let mut cli = check(toml);
            for arg in args {
                cli = cli.arg(arg);
            }
            let outcome = cli.env("TELEMETRY_MQTT__PASSWORD__X", "4711").run();
            assert_eq!(outcome.code, Some(78), "{toml}");
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(!said.contains("hunter2"), "{toml}\n{said}");
            assert!(!said.contains("4711"), "{toml}\n{said}");
        }
    }
}

#[test]
fn files_that_everybody_can_read_are_worth_a_warning() {
    let toml = "[mqtt]\nurl = \"tcp://broker\"\nuser = \"me\"\npassword = \"hunter2\"\n\
                [[jbd]]\nname = \"a\"\npassword = \"file:pack\"\n";
    let outcome = Cli::new(["config", "check"])
        .file_with_mode("telemetry.toml", toml, 0o644)
        .file_with_mode("pack", "0000", 0o604)
        .run();
    let warnings = "\
warning: every user of this computer can read `password`
 --> telemetry.toml:4:12
  |
4 | password = ***
  |            ^^^
  = help: `chmod o-r telemetry.toml`, or `password = \"file:PATH\"`

warning: every user of this computer can read pack
 --> telemetry.toml:7:12
  |
7 | password = \"file:pack\"
  |            ^^^^^^^^^^^
  = help: `chmod o-r pack`

";
    assert_eq!(
        outcome,
        Outcome::ok("telemetry.toml: ok, 1 device\n", warnings)
    );

    // What the environment says is not in the file.
    let outcome = Cli::new(["config", "check"])
        .file_with_mode("telemetry.toml", "[[jbd]]\nname = \"a\"\n", 0o644)
        .env("TELEMETRY_JBD__0__PASSWORD", "0000")
        .run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 1 device\n", ""));
}

fn check(toml: &str) -> Cli {
    Cli::new(["config", "check"]).file("telemetry.toml", toml)
}
