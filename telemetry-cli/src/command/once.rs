//! `telemetry once`: reads each device once and prints what it says.

use std::io::Write;

use futures_util::future::{FutureExt as _, join, join_all};
use serde_json::json;

use super::account;
use super::run::guest_radio;
use crate::cli::OnceArgs;
use crate::config::Config;
use crate::event::ReadingJson;
use crate::exit::{Code, Failure};
use crate::hub::Hub;
use crate::source;
use crate::source::saic::SaicError;
use crate::summary::summary;

/// A device that could not be read.
#[derive(Debug)]
pub struct Trouble {
    device: String,
    /// Without the device.
    error: String,
    failure: Failure,
}

/// Reads every device of `config`, side by side. Nothing is published, and
/// nothing is stored but sessions and what cars said.
///
/// # Errors
/// That of the first device that could not be read, after all were tried.
pub async fn once(config: Config, args: &OnceArgs) -> Result<(), Failure> {
    if config.device_count() == 0 {
        return Err(
            Failure::new(Code::Configuration, "no devices are configured").hint(
                "add a [[jbd]], [[bluetti]], [[saic]] or [[bmw]] table; \
                 `telemetry config sample` shows them",
            ),
        );
    }
    let directory = args.state_dir.state_dir.as_deref();
    let (context, rival, _state) =
        account::context(&config, directory, guest_radio(&config)?).await?;
    let packs = config.jbd.iter().map(|jbd| {
        let read = source::jbd::once(jbd.clone(), context.clone());
        attempt(jbd.title(), read).boxed_local()
    });
    let stations = config.bluetti.iter().map(|bluetti| {
        let read = source::bluetti::once(bluetti.clone(), context.clone());
        attempt(bluetti.title(), read).boxed_local()
    });
    let accounts = config.saic.iter().map(|saic| {
        let (saic, context) = (saic.clone(), context.clone());
        source::saic::once(saic, context, rival, args.spend_quota)
    });
    let bmw = config.bmw.iter().map(|bmw| {
        let (bmw, context) = (bmw.clone(), context.clone());
        async move {
            let device = bmw.title().to_owned();
            let read = source::bmw::once(bmw, context, args.spend_quota).await;
            read.map_err(|error| Trouble {
                error: error.to_string(),
                failure: error.failure(&device),
                device,
            })
        }
    });
    let (devices, cars) = join(join_all(packs.chain(stations)), join_all(accounts)).await;
    let bmw = join_all(bmw).await.into_iter().filter_map(Result::err);
    let devices = devices.into_iter().flatten();
    let cars = cars.into_iter().flatten().map(Trouble::of_car);
    let troubles: Vec<Trouble> = devices.chain(cars).chain(bmw).collect();

    context.radio.close().await;
    finish(&context.hub, troubles, args.json)
}

/// Prints what was read, and fails with the first that was not.
///
/// # Errors
/// The first of `troubles`.
pub fn finish(
    hub: &Hub,
    troubles: impl IntoIterator<Item = Trouble>,
    json: bool,
) -> Result<(), Failure> {
    let troubles: Vec<Trouble> = troubles.into_iter().collect();
    print(hub, &troubles, json).map_err(|error| Failure::stdout(&error))?;
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
    /// A car, or its account.
    pub fn of_car((device, error): (String, SaicError)) -> Self {
        Self {
            error: error.to_string(),
            failure: error.failure(&device),
            device,
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({ "device": self.device, "error": self.error, "hint": self.failure.hint })
    }
}
