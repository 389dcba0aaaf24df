//! The container files name what the program knows.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use telemetry_cli::cli::Cli;
use telemetry_cli::compat::saic::NAME;
use tempfile::tempdir;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(NAME)
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_image_runs_the_command_and_keeps_its_state() {
    let image = file("Dockerfile");
    assert!(image.contains(&format!("CMD [\"{NAME}\"]")));
    assert!(image.contains(&format!("ln -s telemetry /usr/local/bin/{NAME}")));
    let state = "/var/lib/telemetry";
    assert!(image.contains(&format!("ENV STATE_DIRECTORY={state}\nVOLUME {state}")));
    assert!(file("compose.yaml").contains(&format!("- state:{state}")));
}

#[test]
fn the_compose_file_sets_only_variables_that_there_are() {
    let mut cli = Cli::command();
    let help = cli
        .find_subcommand_mut(NAME)
        .expect("a subcommand")
        .render_long_help()
        .to_string();
    let compose = file("compose.yaml");
    let variables: Vec<_> = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ")?.split_once('='))
        .map(|(name, _)| name)
        .collect();
    // The comments of the broker's file say how to add users.
    for name in ["MQTT_USER", "MQTT_PASSWORD"] {
        assert!(variables.contains(&name), "{variables:?}");
    }
    for name in variables {
        if name != "MQTT_URI" {
            let given = format!("- {name}=${{{name}");
            assert!(compose.contains(&given), "{name} is not passed on");
        }
        assert!(
            name == "LOG_LEVEL" || help.contains(&format!("${name}")),
            "{name}"
        );
    }
}

/// The word after `before`.
fn word<'t>(text: &'t str, before: &str) -> &'t str {
    let rest = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before}"))
        .1;
    rest.split([' ', '"', '\n', '-']).next().expect("a word")
}

#[test]
fn the_image_is_built_from_what_the_repository_has() {
    let image = file("Dockerfile");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let workspace = fs::read_to_string(root.join("Cargo.toml")).expect("a workspace");
    let profile = word(&image, "--profile ");
    assert!(workspace.contains(&format!("[profile.{profile}]")));
    let program = Path::new(env!("CARGO_BIN_EXE_telemetry"));
    let name = program.file_name().expect("a name").to_string_lossy();
    assert_eq!(
        word(&image, "COPY --from=build "),
        format!("/src/target/{profile}/{name}")
    );
    // `--locked` needs the lock, which nothing keeps out of the image.
    assert!(image.contains("--locked") && root.join("Cargo.lock").is_file());
    let left_out = file("Dockerfile.dockerignore");
    assert_eq!(left_out.lines().collect::<Vec<_>>(), ["target", ".git"]);
    let version = |text: &str| -> Vec<u32> {
        let parts = text.split('.').map(|part| part.parse().expect("a number"));
        parts.collect()
    };
    let needed = version(word(&workspace, "rust-version = \""));
    assert!(version(word(&image, "FROM rust:")) >= needed);
    // Who runs it exists, and may write its state.
    let user = word(&image, "\nUSER ");
    assert!(image.contains(&format!(
        "useradd --system --home-dir /var/lib/telemetry --create-home {user}"
    )));
}

#[cfg(unix)]
#[test]
fn the_name_in_the_image_is_the_command() {
    let directory = tempdir().expect("temporary directory");
    let link = directory.path().join(NAME);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_telemetry"), &link).expect("a link");
    let help = std::process::Command::new(&link)
        .arg("--help")
        .env_clear()
        .output()
        .expect("the program");
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--saic-relogin-delay"));
}

#[test]
fn the_compose_file_names_files_services_and_volumes_that_there_are() {
    let compose = file("compose.yaml");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(NAME);
    let root = here.join(word(&compose, "context: "));
    assert!(root.join("Cargo.lock").is_file());
    assert!(
        root.join("telemetry-cli/packaging")
            .join(NAME)
            .join("Dockerfile")
            .is_file()
    );
    assert!(compose.contains(&format!(
        "dockerfile: telemetry-cli/packaging/{NAME}/Dockerfile"
    )));
    let (services, volumes) = compose.split_once("\nvolumes:\n").expect("volumes");
    for mount in services
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
    {
        let Some((from, _)) = mount
            .split_once(":/")
            .filter(|(from, _)| !from.contains('='))
        else {
            continue;
        };
        match from.strip_prefix("./") {
            Some(name) => assert!(here.join(name).is_file(), "{mount}"),
            None => assert!(volumes.contains(&format!("  {from}:")), "{mount}"),
        }
    }
    assert!(services.contains("\n  mosquitto:\n"));
    // The broker listens where the gateway looks for it.
    let port = word(&compose, "MQTT_URI=tcp://mosquitto:");
    assert!(file("mosquitto.conf").contains(&format!("listener {port}\n")));
}

#[test]
fn the_sample_of_charging_stations_is_understood() {
    let stations: serde_json::Value =
        serde_json::from_str(&file("charging-stations.json")).expect("JSON");
    let station = stations[0].as_object().expect("a station");
    for key in ["vin", "chargeStateTopic", "chargingValue"] {
        assert!(station[key].is_string(), "{key}");
    }
}
