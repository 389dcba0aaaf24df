//! `telemetry config`

use std::io::{self, Write as _};

use serde::Serialize;

use super::print;
use crate::cli::{ConfigCheckArgs, ConfigCommand};
use crate::config::{self, Config, Environment, Loaded, Problem, Report};
use crate::exit::{Code, Failure, Paint};

/// `config sample` and `config check`.
pub fn run(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Sample => print(config::SAMPLE),
        ConfigCommand::Check(args) => check(args),
    }
}

fn check(args: &ConfigCheckArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let file = config::find(args.config.file.as_deref(), &environment)?;
    match config::load(&file, &environment) {
        Ok(loaded) if args.json => print_json(&loaded.report, Some(&loaded.config)),
        Err(report) if args.json => {
            print_json(&report, None)?;
            Err(Failure::silent(Code::Configuration))
        }
        Ok(Loaded { config, report }) => {
            if !report.problems.is_empty() {
                let text = report.render(Paint::for_stderr());
                // If stderr is gone, there is nobody to warn.
                let _ = writeln!(io::stderr(), "{text}");
            }
            let devices = match config.device_count() {
                1 => "1 device".to_owned(),
                count => format!("{count} devices"),
            };
            print(&format!("{}: ok, {devices}\n", report.file))
        }
        Err(report) => Err(report.into()),
    }
}

fn print_json(report: &Report, config: Option<&Config>) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Result<'a> {
        file: &'a str,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        devices: Option<usize>,
        problems: &'a [Problem],
    }
    let result = Result {
        file: &report.file,
        ok: config.is_some(),
        devices: config.map(Config::device_count),
        problems: &report.problems,
    };
    let json = serde_json::to_string(&result)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    print(&format!("{json}\n"))
}
