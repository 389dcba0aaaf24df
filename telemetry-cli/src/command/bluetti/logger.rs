//! `bluetti-logger`: everything that a station is known to tell, again and again.

use std::path::Path;

use bluetti_modbus::Error;
use bluetti_modbus::modbus::UnitId;
use bluetti_modbus::model::{self, Model, PackAccess};
use bluetti_modbus::register::{Block, Group, ReadLimit, Registers};

use super::file::LogFile;
use super::station::Station;
use super::{Listed, guest_radio, scan, start_tool_log};
use crate::cli::BluettiLoggerArgs;
use crate::command::decode::bluetti::object::Object;
use crate::command::print;
use crate::exit::{Code, Failure};
use crate::radio::Radio;
use crate::shutdown;

/// Reads until it is told to stop.
///
/// # Errors
/// If the station is not there or does not answer at the start, or the log cannot
/// be written.
pub async fn logger(args: &BluettiLoggerArgs) -> Result<(), Failure> {
    start_tool_log()?;
    let radio = guest_radio()?;
    if args.scan {
        return scan(radio, Listed::Stations).await;
    }
    let (Some(log), Some(address)) = (&args.log, &args.address) else {
        return Err(Failure::new(Code::Usage, "which station, and which file?"));
    };
    let shutdown = shutdown::on_signal();
    let logged = record(&radio, address, args.slave, Path::new(log));
    let logged = shutdown.run_until_cancelled(logged).await;
    radio.close().await;
    logged.unwrap_or(Ok(()))
}

/// Reads a station for ever; prints what it says, and adds it to `log`.
///
/// # Errors
/// As for [`logger`].
pub async fn record(
    radio: &Radio,
    address: &str,
    slave: Option<u8>,
    log: &Path,
) -> Result<(), Failure> {
    let mut log = LogFile::open(log)?;
    let mut station = Station::open(radio, address, slave, &mut log).await?;
    let plan = Plan::new(station.model());
    loop {
        round(&mut station, &plan).await?;
        // A station that refuses everything must not be asked without a pause.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// What is read in each round.
struct Plan {
    model: Model,
    station: Vec<Block>,
    /// For each pack.
    packs: Vec<Block>,
}

impl Plan {
    fn new(model: Model) -> Self {
        let of_pack = |block: &Block| {
            let mut fields = model.fields();
            fields.any(|field| field.group() == Group::Packs && block.contains(field.block()))
        };
        let all = model.survey(ReadLimit::MAX).into_iter();
        let (packs, station) = all.partition(of_pack);
        Self {
            model,
            station,
            packs,
        }
    }
}

async fn round(station: &mut Station<'_>, plan: &Plan) -> Result<(), Failure> {
    let model = plan.model;
    let unit = station.unit();
    let mut registers = read(station, unit, model, &plan.station).await?;
    let access = model.packs();
    let count = |registers: &Registers| {
        let count = model::Station::new(model, registers).pack_count();
        count.unwrap_or(1).clamp(1, access.max().max(1))
    };
    match access {
        PackAccess::Selector { max } if max > 1 => {
            let mut number = 1;
            loop {
                if station.select_pack(number, say_told).await? {
                    registers.merge(&read(station, unit, model, &plan.packs).await?);
                }
                if number >= count(&registers) {
                    break;
                }
                number += 1;
            }
            if number > 1 {
                station.select_pack(1, say_told).await?;
            }
        }
        PackAccess::Units { .. } => {
            for number in 1..=count(&registers) {
                if let Some(unit) = access.unit(number) {
                    read(station, UnitId(unit), model, &plan.packs).await?;
                }
            }
        }
        _ => {
            read(station, unit, model, &plan.packs).await?;
        }
    }
    Ok(())
}

async fn read(
    station: &mut Station<'_>,
    unit: UnitId,
    model: Model,
    blocks: &[Block],
) -> Result<Registers, Failure> {
    station
        .read_blocks(unit, blocks, |block, read| {
            let object = match read {
                Ok(words) => Object::registers(model, block.start, words),
                Err(Error::Refused { code, .. }) => Object::refused(*code),
                Err(error) => {
                    tracing::debug!(%error, start = block.start, "no answer");
                    return Ok(());
                }
            };
            say(&object)
        })
        .await
}

/// What became of a write.
fn say_told(start: u16, written: &Result<(), Error>) -> Result<(), Failure> {
    match written {
        Ok(()) | Err(Error::PackNotShown { .. }) => say(&Object::Written { start }),
        Err(Error::Refused { code, .. }) => say(&Object::refused(*code)),
        Err(_) => Ok(()),
    }
}

fn say(object: &Object) -> Result<(), Failure> {
    let text = serde_json::to_string(object)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    print(&format!("{text}\n"))
}
