//! The container files name what the program knows.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use telemetry_cli::cli::Cli;
use telemetry_cli::compat::saic::NAME;

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
    assert!(variables.len() >= 8, "{variables:?}");
    for name in variables {
        assert!(
            name == "LOG_LEVEL" || help.contains(&format!("${name}")),
            "{name}"
        );
    }
}
