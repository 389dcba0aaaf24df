//! One station whose registers are read, over as many links as it takes.

use std::collections::BTreeMap;
use std::time::Duration;

use bluetti_modbus::modbus::UnitId;
use bluetti_modbus::model::Model;
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

/// A station, and the log of what it says.
#[derive(Debug)]
pub struct Station<'l> {
    radio: Radio,
    target: Target,
    client: Client<Link>,
    unit: UnitId,
    model: Option<Model>,
    refusals: BTreeMap<UnitId, Refusals>,
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
            let model = match client.identify().await {
                Ok(identity) => Some(identity.model),
                // Its registers can be read all the same.
                Err(Error::UnknownModel) => None,
                Err(error) => return Err(error.into()),
            };
            Ok((client, model))
        };
        let opened: Result<_, PollError> = opened.await;
        let (client, model) = opened.map_err(|error| error.failure(address))?;
        Ok(Self {
            radio: radio.clone(),
            unit: client.unit(),
            target,
            client,
            model,
            refusals: BTreeMap::new(),
            log,
        })
    }

    /// Its model; the generic one if it did not tell.
    pub fn model(&self) -> Model {
        self.model.unwrap_or(Model::GENERIC_V2)
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
        if let Err(error) = &read
            && error.needs_reconnect()
        {
            tracing::warn!(device = %self.target, %error, "connecting again");
            self.reconnect().await;
        }
        Ok(read)
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

    /// Has the page of packs show this one, where it has to be selected.
    pub async fn select_pack(&mut self, number: u8) -> bool {
        match self.client.select_pack(number).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(device = %self.target, %error, "pack {number} not selected");
                if error.needs_reconnect() {
                    self.reconnect().await;
                }
                false
            }
        }
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
