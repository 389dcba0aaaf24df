//! `telemetry check`: everything that the configuration names is tried once,
//! and nothing is changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::json;

use super::run::{DATABASE, guest_radio};
use super::{BRIEF, locate_state_dir, print, start_log};
use crate::cli::{CheckArgs, LogArgs};
use crate::config::{self, Config, Environment, Loaded, Report};
use crate::exit::{Code, Failure};
use crate::sink;
use crate::state_dir::StateDir;

mod accounts;
mod bluetooth;
mod state;
mod store;

/// What came of one probe.
struct Check {
    component: String,
    result: Result<String, Failure>,
}

/// A probe under way.
type Probe<'a> = LocalBoxFuture<'a, Vec<Check>>;

/// Checks the configuration, then everything in it side by side.
///
/// # Errors
/// None that was not printed; the exit code is that of the worst failure.
pub async fn check(args: &CheckArgs, log: &LogArgs) -> Result<(), Failure> {
    start_log(log, BRIEF)?;
    let (configuration, config) = match load(args) {
        Ok(Loaded { config, report }) => (Ok(summary(&config, &report)), Some(config)),
        Err(failure) => (Err(failure), None),
    };
    let mut checks = vec![Check {
        component: "configuration".to_owned(),
        result: configuration,
    }];
    if let Some(config) = &config {
        let directory = locate_state_dir(args.state_dir.state_dir.as_deref(), config);
        for found in join_all(probes(config, &directory)?).await {
            checks.extend(found);
        }
    }
    show(&checks, args.json)?;
    match checks
        .iter()
        .filter_map(Check::code)
        .max_by_key(|code| *code as u8)
    {
        None => Ok(()),
        Some(worst) => Err(Failure::silent(worst)),
    }
}

/// One line for each component.
fn probes<'a>(config: &'a Config, directory: &'a Path) -> Result<Vec<Probe<'a>>, Failure> {
    let holder = StateDir::holder(directory);
    let mut probes = vec![
        one("state_dir", state::probe(directory, holder.clone())),
        one("store", store::probe(database_path(config, directory))),
    ];
    if let Some(mqtt) = &config.mqtt {
        probes.push(one("mqtt", sink::mqtt::errand::probe(mqtt)));
    }
    if let Some(mariadb) = &config.mariadb {
        probes.push(one("mariadb", sink::mariadb::probe(mariadb)));
    }
    for saic in &config.saic {
        let component = format!("saic {}", saic.user);
        let probe = accounts::saic(saic, directory, holder.clone());
        probes.push(one(&component, probe));
    }
    for bmw in &config.bmw {
        probes.push(Box::pin(accounts::bmw(bmw, directory, holder.clone())));
    }
    if !config.jbd.is_empty() || !config.bluetti.is_empty() {
        let radio = guest_radio(config)?;
        probes.push(Box::pin(bluetooth::probe(config, radio, holder)));
    }
    Ok(probes)
}

fn one<'a>(
    component: &str,
    probe: impl Future<Output = Result<String, Failure>> + 'a,
) -> Probe<'a> {
    let component = component.to_owned();
    Box::pin(async move {
        let result = probe.await;
        vec![Check { component, result }]
    })
}

fn database_path(config: &Config, directory: &Path) -> PathBuf {
    let configured = config.store.path.clone();
    configured.unwrap_or_else(|| directory.join(DATABASE))
}

/// What the configuration says, its warnings included.
fn summary(config: &Config, report: &Report) -> String {
    let devices = match config.device_count() {
        1 => "1 device".to_owned(),
        count => format!("{count} devices"),
    };
    let mut text = format!("{} names {devices}", report.file);
    for warning in report.warnings() {
        // Writing to a string cannot fail.
        let _ = write!(text, "; {}", warning.line(&report.file));
    }
    text
}

fn load(args: &CheckArgs) -> Result<Loaded, Failure> {
    let environment = Environment::of_process();
    let file = config::find(args.config.file.as_deref(), &environment)?;
    config::load(&file, &environment).map_err(|report| mistakes(&report))
}

fn mistakes(report: &Report) -> Failure {
    let lines: Vec<_> = report
        .problems
        .iter()
        .map(|problem| problem.line(&report.file))
        .collect();
    Failure::new(Code::Configuration, lines.join("; "))
        .hint("`telemetry config check` shows the places")
}

impl Check {
    fn code(&self) -> Option<Code> {
        Some(self.result.as_ref().err()?.code)
    }

    fn json(&self) -> serde_json::Value {
        let (message, hint) = match &self.result {
            Ok(message) => (message, None),
            Err(failure) => (&failure.message, failure.hint.as_ref()),
        };
        json!({
            "component": self.component,
            "ok": self.result.is_ok(),
            "message": message,
            "hint": hint,
        })
    }

    fn text(&self) -> String {
        let component = &self.component;
        match &self.result {
            Ok(message) => format!("ok    {component}: {message}\n"),
            Err(failure) => {
                let mut text = format!("FAIL  {component}: {}\n", failure.message);
                if let Some(hint) = &failure.hint {
                    text += &format!("      do: {hint}\n");
                }
                text
            }
        }
    }
}

fn show(checks: &[Check], json: bool) -> Result<(), Failure> {
    if json {
        let checks: Vec<_> = checks.iter().map(Check::json).collect();
        return print(&format!("{}\n", json!({ "checks": checks })));
    }
    let mut text: String = checks.iter().map(Check::text).collect();
    let failed = checks.iter().filter(|check| check.result.is_err()).count();
    text += match failed {
        0 => "Everything works: `telemetry run` can start.\n",
        _ => "What says FAIL does not work yet; the rest does.\n",
    };
    print(&text)
}
