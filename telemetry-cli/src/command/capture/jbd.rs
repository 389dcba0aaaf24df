//! `telemetry capture jbd`

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use jbd_bms::{Client, Error};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::mask::Mask;
use super::recorder::Recorder;
use super::script::{preamble, script};
use crate::cli::CaptureJbdArgs;
use crate::command::progress::with_progress;
use crate::command::{print, run};
use crate::config::{Config, Jbd, plain};
use crate::exit::{Code, Failure};
use crate::radio::{Link, Radio};
use crate::shutdown;
use crate::source::jbd::{LAYOUTS, PollError, client, wants_pairing};

/// Between two rounds: as often as the vendor's app asks.
const ROUND: Duration = Duration::from_secs(2);

/// What is asked, for people.
const ASKED: &str = "registers 0x03, 0x04, 0x05, 0xaa, and then 0x03 and 0x04 every 2 s";

/// Reads a pack as the gateway does and writes down what it says.
///
/// # Errors
/// If there is no such pack, it says nothing, or the output fails. What it said
/// is written in any case.
pub async fn capture(args: &CaptureJbdArgs, config: &Config) -> Result<(), Failure> {
    if let Some(file) = &args.output {
        check(file)?;
    }
    let pack = configured(args, config);
    let shutdown = shutdown::on_signal();
    let radio = run::guest_radio(config)?;
    let recorded = record(&radio, &pack, args.duration, &shutdown);
    let recorded = with_progress("capturing", args.duration, recorded).await;
    radio.close().await;
    let Recorded { text, heard, end } = recorded?;
    match &args.output {
        None => print(&text)?,
        Some(file) => fs::write(file, text).map_err(|error| unwritten(file, &error))?,
    }
    eprintln!("notifications: {heard}; look through them before you publish them");
    end.map_err(Failure::from)
}

struct Recorded {
    /// All of it, to be published.
    text: String,
    /// Notifications in it.
    heard: usize,
    /// What went wrong, if the pack said nothing that makes sense.
    end: Result<(), PollError>,
}

async fn record(
    radio: &Radio,
    pack: &Jbd,
    duration: Duration,
    shutdown: &CancellationToken,
) -> Result<Recorded, Failure> {
    let target = pack.target();
    let link = shutdown.run_until_cancelled(radio.connect(&target, &LAYOUTS));
    let Some(link) = link.await else {
        return Err(Failure::new(
            Code::Device,
            "interrupted before it connected",
        ));
    };
    let link = link?;
    let mask = Mask::new(link.address.parse().ok(), &secrets(pack));
    let preamble = preamble(&link, ASKED, &mask);
    let address = link.address.clone();
    let mut client = client(Recorder::new(link), &address, pack).map_err(PollError::from)?;
    let until = Instant::now() + duration;
    let asked = shutdown.run_until_cancelled(ask(&mut client, until)).await;
    let records = client.into_transport().into_records();
    let heard = records.iter().filter(|record| record.what.is_heard());
    Ok(Recorded {
        heard: heard.count(),
        text: preamble + &script(&records, mask),
        // What was recorded before Ctrl-C is as good.
        end: asked.unwrap_or(Ok(())),
    })
}

/// Asks until it is time, at least once for everything.
async fn ask(client: &mut Client<Recorder<Link>>, until: Instant) -> Result<(), PollError> {
    if let Err(error) = client.basic_info().await {
        client.transport_mut().note(error.to_string());
        if wants_pairing(&error) {
            client.transport_mut().link_mut().pair().await?;
            client.transport_mut().note("paired");
        } else if is_final(&error) {
            return Err(error.into());
        }
    }
    let mut answered = false;
    let mut first = true;
    loop {
        let mut trouble = None;
        let mut take = |client: &mut Client<Recorder<Link>>, result: Result<(), Error>| match result
        {
            Ok(()) => answered = true,
            Err(error) => {
                client.transport_mut().note(error.to_string());
                trouble.get_or_insert(error);
            }
        };
        let info = client.basic_info().await.map(drop);
        take(client, info);
        let cells = client.cell_voltages().await.map(drop);
        take(client, cells);
        if first {
            let name = client.hardware_name().await.map(drop);
            take(client, name);
            let counts = client.error_counts().await.map(drop);
            take(client, counts);
        }
        first = false;
        match trouble {
            Some(error) if is_final(&error) || !answered => return Err(error.into()),
            _ => {}
        }
        if Instant::now() >= until || !client.transport_mut().has_room() {
            return Ok(());
        }
        sleep_until(until.min(Instant::now() + ROUND)).await;
    }
}

/// True if asking on makes no sense.
fn is_final(error: &Error) -> bool {
    let lost = matches!(error, Error::NotSent(_) | Error::MaybeSent(_));
    lost || error.needs_login() || error.needs_pairing()
}

/// The pack as the configuration describes it, for its password and its PIN, or
/// else as the command line does.
fn configured(args: &CaptureJbdArgs, config: &Config) -> Jbd {
    let same = |one: &Option<String>, other: &Option<String>| {
        let pair = one.as_ref().zip(other.as_ref());
        pair.is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    let mut packs = config.jbd.iter();
    let pack = packs.find(|pack| match &args.which.address {
        Some(_) => same(&pack.address, &args.which.address),
        None => pack.name == args.which.name,
    });
    pack.cloned().unwrap_or_else(|| Jbd {
        name: args.which.name.clone(),
        address: args.which.address.clone(),
        ..Jbd::named("")
    })
}

fn secrets(pack: &Jbd) -> Vec<String> {
    let password = pack.password.as_ref().and_then(|of| of.reveal().ok());
    let pin = pack.pin.as_ref().and_then(|of| of.reveal().ok());
    let password = password.map(|of| of.expose_secret().to_owned());
    let pin = pin.map(|of| of.text().to_owned());
    password.into_iter().chain(pin).collect()
}

/// Before the pack is bothered.
fn check(file: &Path) -> Result<(), Failure> {
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened.map(drop).map_err(|error| unwritten(file, &error))
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write to {}: {}", file.display(), plain(error));
    Failure::new(Code::Internal, message)
}
