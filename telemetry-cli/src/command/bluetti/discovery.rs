//! `bluetti-discovery`: which registers a station has, and what is in them.

use std::path::Path;

use bluetti_modbus::Error;
use bluetti_modbus::model::{self, Generation, Model};
use bluetti_modbus::register::{Block, Registers};

use super::file::{LogFile, lines};
use super::station::Station;
use super::{Listed, diff, guest_radio, scan, start_tool_log};
use crate::cli::BluettiDiscoveryArgs;
use crate::command::print;
use crate::command::progress::Bar;
use crate::compat::bluetti::log::Line;
use crate::compat::bluetti::survey::Survey;
use crate::exit::{Code, Failure};
use crate::radio::Radio;
use crate::shutdown;

/// Asks until everything is known, or until it is told to stop; another call goes
/// on from there.
///
/// # Errors
/// If the station is not there or does not answer at the start, or a log cannot be
/// read or written.
pub async fn discovery(args: &BluettiDiscoveryArgs) -> Result<(), Failure> {
    start_tool_log()?;
    if let Some([one, other]) = args.diff.as_deref() {
        return diff::diff(one, other, args.model);
    }
    let radio = guest_radio()?;
    if args.scan {
        return scan(radio, Listed::Everybody).await;
    }
    let (Some(log), Some(address)) = (&args.log, &args.address) else {
        return Err(Failure::new(Code::Usage, "which station, and which file?"));
    };
    let shutdown = shutdown::on_signal();
    let wish = Wish {
        address,
        slave: args.slave,
        thorough: args.all,
    };
    let found = shutdown.run_until_cancelled(survey(&radio, wish, Path::new(log)));
    let found = found.await;
    radio.close().await;
    match found {
        Some(Ok(found)) => {
            eprintln!("{}", report(&found));
            Ok(())
        }
        Some(Err(failure)) => Err(failure),
        None => {
            eprintln!("interrupted; the same call goes on from here");
            Ok(())
        }
    }
}

/// What is to be surveyed.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// Address or name of the station.
    pub address: &'w str,
    /// Its unit, if that is known.
    pub slave: Option<u8>,
    /// Whether every single register is asked for.
    pub thorough: bool,
}

/// Surveys a station. What is in `log` already is not asked again.
///
/// # Errors
/// As for [`discovery`].
pub async fn survey(radio: &Radio, wish: Wish<'_>, log: &Path) -> Result<Survey, Failure> {
    let mut file = LogFile::open(log)?;
    let (known, damaged) = lines(log)?;
    if damaged > 0 {
        eprintln!("{}: {damaged} damaged lines are passed over", log.display());
    }
    let mut station = Station::open(radio, wish.address, wish.slave, &mut file).await?;
    let unit = station.unit();
    if let Some((logged, real)) = serial_number(&known).zip(station.serial_number())
        && logged != real
    {
        let message = format!(
            "{} is about the station with the serial number {logged}, and {} is {real}",
            log.display(),
            wish.address
        );
        return Err(Failure::new(Code::Usage, message)
            .hint("give each station a file of its own with `--log`"));
    }
    let mut survey = Survey::new(wish.thorough, station.generation());
    survey.remember(known.iter().filter(|line| line.request.unit() == unit));
    let (all, before) = survey.progress();
    if before > 0 && !known.is_empty() {
        eprintln!(
            "{}: {before} of {all} registers need not be asked for",
            log.display()
        );
    }
    let bar = Bar::new("surveying", before);
    let mut percent = None;
    while let Some(block) = survey.next_block() {
        match station.read(unit, block).await? {
            Ok(_) => {
                survey.answered(block);
                bar.clear();
                print(&readable(block))?;
            }
            Err(Error::Refused { code, .. }) if !code.is_busy() => survey.refused(block),
            Err(error) => {
                tracing::debug!(%error, start = block.start, count = block.count, "no answer");
                survey.unanswered(block);
            }
        }
        let (all, known) = survey.progress();
        bar.show(known, all);
        let now = 100 * known / all.max(1);
        if percent.replace(now) != Some(now) && !bar.is_shown() {
            print(&format!("{now}% complete with discovery\n"))?;
        }
    }
    bar.clear();
    Ok(survey)
}

/// Of the station that a log is about, as far as it tells.
fn serial_number(lines: &[Line]) -> Option<u64> {
    let mut registers = Registers::new();
    for (start, words) in lines.iter().filter_map(Line::words) {
        registers.insert(start, &words);
    }
    let version = registers.get(Generation::PROTOCOL_VERSION.start)?;
    let model = Model::generic(Generation::of_protocol(version));
    model::Station::new(model, &registers).serial_number()
}

fn readable(block: Block) -> String {
    (block.start..)
        .take(usize::from(block.count))
        .map(|register| format!("Device data readable at {register}\n"))
        .collect()
}

fn report(survey: &Survey) -> String {
    let [readable, refused, silent] = survey.found();
    let silence = match silent {
        0 => String::new(),
        silent => format!(", {silent} gave no answer: the same call asks for them again"),
    };
    format!("{readable} registers can be read, {refused} are refused{silence}")
}
