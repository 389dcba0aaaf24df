//! The program around its commands: arguments, exit codes, log, lock.

use std::fs;

use telemetry_cli::config::SAMPLE;
use telemetry_cli::state_dir::StateDir;

use crate::call::{Cli, Outcome};

#[test]
fn the_sample_can_be_used_at_once() {
    assert_eq!(
        Cli::new(["config", "sample"]).run(),
        Outcome::ok(SAMPLE, "")
    );
    let outcome = check().file("telemetry.toml", SAMPLE).run();
    assert_eq!(outcome.stdout, "telemetry.toml: ok, 0 devices\n");
    assert_eq!(outcome.code, Some(0));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let outcome = Cli::new(["config", "sample"]).into_closed_pipe();
    assert_eq!(outcome, Outcome::ok("", ""));
}

#[test]
fn the_file_is_looked_for_in_the_usual_places() {
    let missing = Outcome::failure(
        78,
        "error: there is no configuration; looked for ./telemetry.toml, \
         $DIR/home/.config/telemetry/telemetry.toml, /etc/telemetry/telemetry.toml\n\
         help: start with `telemetry config sample > telemetry.toml`, or name a file with `-c FILE`\n",
    );
    for args in [
        &["config", "check"][..],
        &["run"],
        &["once"],
        &["once", "--json"],
    ] {
        let cli = Cli::new([]);
        let outcome = args.iter().fold(cli, Cli::arg).run();
        assert_eq!(outcome, missing, "{args:?}");
    }

    let found = |cli: Cli, file: &str| {
        let outcome = cli.file(file, "[[jbd]]\nname = \"a\"\n").run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let stdout = found(check(), "home/.config/telemetry/telemetry.toml");
    assert_eq!(
        stdout,
        "$DIR/home/.config/telemetry/telemetry.toml: ok, 1 device\n"
    );
    let cli = check();
    let xdg = cli.path("xdg").display().to_string();
    let stdout = found(
        cli.env("XDG_CONFIG_HOME", &xdg),
        "xdg/telemetry/telemetry.toml",
    );
    assert_eq!(stdout, "$DIR/xdg/telemetry/telemetry.toml: ok, 1 device\n");
    let named = || {
        check()
            .file("telemetry.toml", "wrong")
            .env("TELEMETRY_CONFIG", "named.toml")
    };
    assert_eq!(found(named(), "named.toml"), "named.toml: ok, 1 device\n");
    let stdout = found(named().arg("-c").arg("flag.toml"), "flag.toml");
    assert_eq!(stdout, "flag.toml: ok, 1 device\n");
}

#[test]
fn a_file_that_cannot_be_read() {
    let outcome = check().arg("-c").arg("my.toml").run();
    let expected = "\
error: cannot read my.toml: No such file or directory
 --> my.toml
  = help: start with `telemetry config sample > my.toml`
";
    assert_eq!(outcome, Outcome::failure(78, expected));
}

#[test]
fn a_command_line_that_makes_no_sense() {
    for args in [
        &["fly"][..],
        &[],
        &["config"],
        &["run", "--fast"],
        &["demo", "--for", "10"],
        &["demo", "--mqtt-listen", "nowhere"],
        &["export", "--kind", "gateway"],
        &["export", "--from", "yesterday"],
        &["--log", "inof", "config", "sample"],
        &["--log-format", "xml", "config", "sample"],
    ] {
        let outcome = args.iter().fold(Cli::new([]), Cli::arg).run();
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert_eq!(outcome.stdout, "", "{args:?}");
    }
    let outcome = Cli::new(["demo", "--for", "10"]).run();
    let expected = "\
error: invalid value '10' for '--for <TIME>': `10` is not a duration: the unit is missing

For more information, try '--help'.
";
    assert_eq!(outcome, Outcome::failure(2, expected));
}

#[test]
fn help_and_version_are_data() {
    let version = concat!("telemetry ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Cli::new(["--version"]).run(), Outcome::ok(version, ""));
    let outcome = Cli::new(["--help"]).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for command in ["run", "demo", "once", "export", "config", "Exit codes: "] {
        assert!(outcome.stdout.contains(command), "{command}");
    }
}

#[test]
fn a_state_directory_has_one_user() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let _held = StateDir::open(&path).unwrap();
    let holder = fs::read_to_string(path.join("lock")).unwrap();
    assert!(holder.starts_with(&format!("process {} (", std::process::id())));
    let expected = format!(
        "error: the state directory {} is held by {}\n\
         help: stop that process, or choose another directory with `--state-dir DIR`\n",
        path.display(),
        holder.trim_end()
    );

    let toml = "[[jbd]]\nname = \"a\"\n";
    let flag = run(toml).arg("--state-dir").arg(&path).run();
    assert_eq!(flag, Outcome::failure(3, &expected));
    let file = run(&format!(
        "[gateway]\nstate_dir = \"{}\"\n{toml}",
        path.display()
    ))
    .run();
    assert_eq!(file, Outcome::failure(3, &expected));
    let systemd = run(toml)
        .env("STATE_DIRECTORY", &format!("{}:/other", path.display()))
        .run();
    assert_eq!(systemd, Outcome::failure(3, &expected));
}

#[test]
fn the_log_suits_its_reader() {
    let directory = tempfile::tempdir().unwrap();
    let _held = StateDir::open(directory.path()).unwrap();
    // Without a device there is a warning; then the lock ends the program.
    let log = |args: &[&str], variables: &[(&str, &str)]| {
        let cli = run("").arg("--state-dir").arg(directory.path());
        let cli = args.iter().fold(cli, Cli::arg);
        let set = |cli: Cli, (name, value): &(&str, &str)| cli.env(name, value);
        let outcome = variables.iter().fold(cli, set).run();
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        let end = outcome
            .stderr
            .find("error: the state directory")
            .expect("lock");
        outcome.stderr[..end].to_owned()
    };
    let message = "telemetry.toml: no device is configured \
                   (add a `[[jbd]]`, a `[[bluetti]]`, a `[[saic]]` or a `[[bmw]]`)\n";

    let journal = log(&[], &[("JOURNAL_STREAM", "8:1")]);
    assert_eq!(journal, format!(" WARN telemetry_cli::command: {message}"));

    let file = log(&[], &[]);
    let (time, rest) = file.split_once(' ').expect("time");
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{file}");
    assert_eq!(rest, journal);

    let json = log(&["--log-format", "json"], &[("JOURNAL_STREAM", "8:1")]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["level"], "WARN");
    assert_eq!(json["message"], message.trim_end());

    // The command line comes before the environment, and that before the file.
    let quiet = ("TELEMETRY_GATEWAY__LOG", "off");
    assert_eq!(log(&[], &[quiet]), "");
    assert_ne!(log(&[], &[quiet, ("TELEMETRY_LOG", "warn")]), "");
    assert_eq!(log(&["--log", "error"], &[("TELEMETRY_LOG", "warn")]), "");
}

#[test]
fn a_bad_log_filter_in_the_environment() {
    let outcome = run("[[jbd]]\nname = \"a\"\n")
        .env("TELEMETRY_LOG", "inof")
        .run();
    let expected = "\
error: environment variable TELEMETRY_LOG: `inof` is not a level; did you mean `info`?
help: set it to off, error, warn, info, debug or trace, also per module: \"info,telemetry_cli::source=debug\"
";
    assert_eq!(outcome, Outcome::failure(78, expected));
}

fn check() -> Cli {
    Cli::new(["config", "check"])
}

fn run(toml: &str) -> Cli {
    Cli::new(["run"]).file("telemetry.toml", toml)
}
