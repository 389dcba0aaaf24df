//! One station whose registers are read, over as many links as it takes.

use std::collections::BTreeMap;
use std::time::Duration;

use bluetti_modbus::modbus::UnitId;
use bluetti_modbus::model::{Generation, Model};
use bluetti_modbus::refusal::{BlockReader, Refusals};
use bluetti_modbus::register::{Block, Registers};
use bluetti_modbus::session::Config as Session;
use bluetti_modbus::{Client, Error};
use tokio::time::sleep;

use super::file::LogFile;
use crate::compat::bluetti::log::Line;
use crate::config::is_address;
use crate::exit::Failure;
use crate::radio::{Link, Radio, Target, simulated};
use crate::source::bluetooth::Trouble as _;
use crate::source::bluetti::{LAYOUTS, PollError};

/// From the first attempt at another link to the next, and at most.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// After so many of them the station is asked whether it is there at all.
const SILENT: u8 = 3;

/// A station, and the log of what it says.
#[derive(Debug)]
pub struct Station<'l> {
    radio: Radio,
    target: Target,
    client: Client<Link>,
    unit: UnitId,
    model: Option<Model>,
    serial_number: Option<u64>,
    refusals: BTreeMap<UnitId, Refusals>,
    /// Requests in a row that nobody answered.
    silent: u8,
    log: &'l mut LogFile,
}

/// The device that an address or a name stands for.
pub fn target(text: &str) -> Target {
    match is_address(text) {
        true => Target::Address(text.to_ascii_uppercase()),
        false => Target::Name(text.to_owned()),
    }
}

impl<'l> Station<'l> {
    /// Connects and asks who it is.
    ///
    /// # Errors
    /// If it is not there, or does not answer.
    pub async fn open(
        radio: &Radio,
        address: &str,
        slave: Option<u8>,
        log: &'l mut LogFile,
    ) -> Result<Self, Failure> {
        let target = target(address);
        let opened = async {
            let mut client = connect(radio, &target).await?;
            if let Some(unit) = slave {
                client = client.with_unit(UnitId(unit));
            }
            let identity = match client.identify().await {
                Ok(identity) => Some(identity),
                // Its registers can be read all the same.
                Err(Error::UnknownModel) => None,
                Err(error) => return Err(error.into()),
            };
            Ok((client, identity))
        };
        let opened: Result<_, PollError> = opened.await;
        let (client, identity) = opened.map_err(|error| error.failure(address))?;
        Ok(Self {
            radio: radio.clone(),
            unit: client.unit(),
            target,
            client,
            model: identity.as_ref().map(|identity| identity.model),
            serial_number: identity.and_then(|identity| identity.serial_number),
            refusals: BTreeMap::new(),
            silent: 0,
            log,
        })
    }

    /// Its model; the generic one if it did not tell.
    pub fn model(&self) -> Model {
        self.model.unwrap_or(Model::GENERIC_V2)
    }

    /// Its generation, if it told its model.
    pub fn generation(&self) -> Option<Generation> {
        self.model.map(Model::generation)
    }

    /// Its serial number, if it told it.
    pub fn serial_number(&self) -> Option<u64> {
        self.serial_number
    }

    /// The unit that answers.
    pub fn unit(&self) -> UnitId {
        self.unit
    }

    /// Reads a block and writes down what came of it. A link that fails is
    /// replaced before this returns.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn read(
        &mut self,
        unit: UnitId,
        block: Block,
    ) -> Result<Result<Vec<u16>, Error>, Failure> {
        let read = self.client.read_unit(unit, block.start, block.count).await;
        if let Some(line) = Line::read(unit, block.start, block.count, &read) {
            self.log.write(&line)?;
        }
        self.mend(&read).await;
        Ok(read)
    }

    /// Replaces a link that failed, or on which nobody answers any more.
    async fn mend<T>(&mut self, outcome: &Result<T, Error>) {
        let Err(error) = outcome else {
            self.silent = 0;
            return;
        };
        match error {
            Error::TimedOut { .. } => self.silent += 1,
            _ => self.silent = 0,
        }
        if self.silent >= SILENT {
            self.silent = 0;
            // It may be that it does not answer for these registers alone.
            if self.is_alive().await {
                return;
            }
        } else if !error.needs_reconnect() {
            return;
        }
        tracing::warn!(device = %self.target, %error, "connecting again");
        self.reconnect().await;
    }

    /// Whether it answers for a register that every station has.
    async fn is_alive(&mut self) -> bool {
        let Block { start, count } = Generation::PROTOCOL_VERSION;
        let read = self.client.read_unit(self.unit, start, count).await;
        matches!(read, Ok(_) | Err(Error::Refused { .. }))
    }

    /// Reads blocks, or what there is of them.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn read_blocks(
        &mut self,
        unit: UnitId,
        blocks: &[Block],
        mut each: impl FnMut(Block, &Result<Vec<u16>, Error>) -> Result<(), Failure>,
    ) -> Result<Registers, Failure> {
        let mut refusals = self.refusals.remove(&unit).unwrap_or_default();
        let mut reader = BlockReader::new(blocks, &refusals);
        while let Some(block) = reader.next_block() {
            let read = self.read(unit, block).await?;
            each(block, &read)?;
            match read {
                Ok(words) => reader.answered(block, &words),
                Err(Error::Refused { code, .. }) if reader.refused(block, code, &mut refusals) => {}
                // Over the new link, or in the next round.
                Err(_) => break,
            }
        }
        self.refusals.insert(unit, refusals);
        Ok(reader.into_registers())
    }

    /// Has the page of packs show this one, where it has to be selected, and
    /// writes that down; whether it shows.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn select_pack(
        &mut self,
        number: u8,
        each: impl FnOnce(u16, &Result<(), Error>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let Some(selection) = self.model().packs().select(number) else {
            return Ok(true);
        };
        let Block { start, count } = selection.echo();
        let shown = self.client.read_unit(self.unit, start, count).await;
        if shown.is_ok_and(|words| words == [u16::from(number)]) {
            return Ok(true);
        }
        let selected = self.client.select_pack(number).await;
        let register = selection.write().register();
        let line = Line::write(self.unit, register, number.into(), &selected);
        self.log.write(&line)?;
        each(register, &selected)?;
        if let Err(error) = &selected {
            tracing::warn!(device = %self.target, %error, "pack {number} not selected");
        }
        self.mend(&selected).await;
        Ok(selected.is_ok())
    }

    async fn reconnect(&mut self) {
        self.client.disconnected();
        let [mut wait, longest] = RETRY;
        loop {
            sleep(wait).await;
            match connect(&self.radio, &self.target).await {
                Ok(client) => {
                    let client = client.with_unit(self.unit);
                    self.client = match self.model {
                        Some(model) => client.with_model(model),
                        None => client,
                    };
                    return;
                }
                Err(error) => tracing::warn!(device = %self.target, "{error}"),
            }
            wait = longest.min(2 * wait);
        }
    }
}

async fn connect(radio: &Radio, target: &Target) -> Result<Client<Link>, PollError> {
    let mut session = Session::default();
    if let Radio::Simulated(_) = radio {
        session.verify_key = simulated::verify_key().or(session.verify_key);
    }
    let link = radio.connect(target, &LAYOUTS).await?;
    Ok(Client::with_config(link, session))
}
