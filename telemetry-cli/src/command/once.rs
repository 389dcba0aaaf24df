//! `telemetry once`: reads each device once and prints what it says.

use std::io::Write;

use futures_util::future::{FutureExt as _, join_all};
use serde_json::json;

use super::run::guest_radio;
use crate::config::Config;
use crate::event::ReadingJson;
use crate::exit::{Code, Failure};
use crate::hub::Hub;
use crate::source::{self, Context};
use crate::summary::summary;

/// A device that could not be read.
struct Trouble {
    device: String,
    /// Without the device.
    error: String,
    failure: Failure,
}

/// Reads every device of `config`, side by side. Nothing is stored or
/// published.
///
/// # Errors
/// That of the first device that could not be read, after all were tried.
pub async fn once(config: Config, json: bool) -> Result<(), Failure> {
    if config.device_count() == 0 {
        return Err(
            Failure::new(Code::Configuration, "no devices are configured")
                .hint("add a [[jbd]] or a [[bluetti]] table; `telemetry config sample` shows them"),
        );
    }
    let context = Context::brief(guest_radio(&config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let packs = config.jbd.iter().map(|jbd| {
        let read = source::jbd::once(jbd.clone(), context.clone());
        attempt(jbd.title(), read).boxed_local()
    });
    let stations = config.bluetti.iter().map(|bluetti| {
        let read = source::bluetti::once(bluetti.clone(), context.clone());
        attempt(bluetti.title(), read).boxed_local()
    });
    let troubles: Vec<Trouble> = join_all(packs.chain(stations))
        .await
        .into_iter()
        .flatten()
        .collect();

    context.radio.close().await;
    print(&context.hub, &troubles, json).map_err(|error| Failure::stdout(&error))?;
    match troubles.into_iter().next() {
        None => Ok(()),
        Some(trouble) => Err(trouble.failure),
    }
}

async fn attempt<E: source::bluetooth::Trouble>(
    device: &str,
    read: impl Future<Output = Result<(), E>>,
) -> Option<Trouble> {
    let error = read.await.err()?;
    Some(Trouble {
        error: error.to_string(),
        failure: error.failure(device),
        device: device.to_owned(),
    })
}

fn print(hub: &Hub, troubles: &[Trouble], json: bool) -> std::io::Result<()> {
    let known = hub.snapshot();
    let readings = known.iter().filter_map(|known| {
        Some(ReadingJson {
            device: &known.device,
            reading: known.reading.as_deref()?,
        })
    });
    let mut output = std::io::stdout().lock();
    if json {
        let errors: Vec<_> = troubles.iter().map(Trouble::json).collect();
        let all = json!({ "readings": readings.collect::<Vec<_>>(), "errors": errors });
        return writeln!(output, "{all}");
    }
    for ReadingJson { device, reading } in readings {
        writeln!(output, "{}: {}", device.name, summary(&reading.values))?;
    }
    // The first one is what the command fails with.
    for trouble in troubles.iter().skip(1) {
        eprintln!("error: {}: {}", trouble.device, trouble.error);
    }
    Ok(())
}

/// What `--json` prints of one device that could not even be asked.
///
/// # Errors
/// Those of stdout.
pub fn print_failure(device: &str, failure: &Failure) -> Result<(), Failure> {
    let error = json!({ "device": device, "error": failure.message, "hint": failure.hint });
    super::print(&format!(
        "{}\n",
        json!({ "readings": [], "errors": [error] })
    ))
}

impl Trouble {
    fn json(&self) -> serde_json::Value {
        json!({ "device": self.device, "error": self.error, "hint": self.failure.hint })
    }
}
