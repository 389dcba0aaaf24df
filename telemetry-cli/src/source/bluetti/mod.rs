//! Source: Bluetti power stations, over Bluetooth or MODBUS-TCP.

use std::sync::Arc;
use std::time::Duration;

use bluetti_modbus::advertisement::{NOTIFY, WRITE};
use bluetti_modbus::modbus::UnitId;
use bluetti_modbus::model::{Generation, Model};
use bluetti_modbus::register::{Block, Group, ReadLimit};
use bluetti_modbus::session::Config as Session;
use bluetti_modbus::{Client, Error, Identity};
use chrono::Utc;

use super::Context;
use super::bluetooth::{Base, CommandError, Peer, Plan, Poller, Scope, Trouble as _};
use crate::config::Bluetti;
use crate::control::Control;
use crate::event::{DeviceKind, Reading};
use crate::native::{BluettiStation, Native};
use crate::radio::{GattLayout, Radio, RadioError, Target, simulated};
use crate::registers::{self, Record};
use crate::supervisor::{Exit, Task};
use crate::value::Value;

pub use error::PollError;

use known::{Known, due};
use wire::Wire;

mod control;
mod error;
mod known;
#[cfg(test)]
mod tests;
mod values;
mod wire;

/// Where stations talk. By number alone: not all have them in the same service.
pub const LAYOUTS: [GattLayout; 1] = [GattLayout {
    service: None,
    notify: NOTIFY,
    write: WRITE,
}];

/// What changes from one read to the next.
const LIVE: &[Group] = &[Group::Live, Group::Detail];

/// All that a station tells of itself, its packs aside.
const ALL: &[Group] = &[Group::Live, Group::Detail, Group::Slow, Group::Identity];

/// What every station has, and some refuse, which is an answer, too.
const ALIVE: Block = Generation::PROTOCOL_VERSION;

/// Within blocks that are known to be readable as a whole; what a firmware
/// refuses all the same is learned.
const READ_LIMIT: ReadLimit = ReadLimit::MAX;

/// A held link that nobody uses for so long is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Reads one station until it is told to stop, or cannot go on.
pub async fn run(config: Bluetti, context: Context, task: Task) -> Exit {
    poller(config, context, &task.name).run(task).await
}

/// Reads one station once, with its packs.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn once(config: Bluetti, context: Context) -> Result<(), PollError> {
    let hub = context.hub.clone();
    hub.read(poller(config, context, "once").poll(Scope::Due).await?);
    Ok(())
}

/// Asks one station who it is and how it is, and nothing else; a link that
/// fails is replaced once.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn measure(config: Bluetti, context: Context) -> Result<Arc<BluettiStation>, PollError> {
    let mut poller = poller(config, context, "once");
    let reading = match poller.poll(Scope::Brief).await {
        Err(error) if error.link_may_be_stale() => poller.poll(Scope::Brief).await?,
        result => result?,
    };
    match reading.native {
        Some(Native::Bluetti(station)) => Ok(station),
        _ => Err(RadioError::NoAnswer(poller.base.target).into()),
    }
}

/// Tells one station something, and reads back whether it did it. What its
/// model takes is known when it was asked: until then, `text` is but text.
///
/// # Errors
/// Why it was not told, or did not do it.
pub async fn command(
    config: Bluetti,
    context: Context,
    control: &'static Control,
    text: &str,
) -> Result<(), CommandError<PollError>> {
    let mut poller = poller(config, context, "once");
    let asked = poller.poll(Scope::Brief).await;
    asked.map_err(CommandError::NotSent)?;
    let value = poller.peer.understand(control, text);
    let value = value.map_err(CommandError::NotSent)?;
    // Whoever typed it waits, and can give up.
    poller.tell(control, &value, None).await
}

fn poller(config: Bluetti, context: Context, source: &str) -> Poller<Station> {
    let plan = Plan {
        interval: config.interval,
        keep: config.store,
        reads_per_day: None,
        holds_link: config.hold_link,
    };
    Poller {
        base: Base::new(config.target(), context, plan, source),
        peer: Station {
            config,
            link: None,
            known: None,
        },
    }
}

/// What is known of a station between two reads.
struct Station {
    config: Bluetti,
    link: Option<Connected>,
    /// Outlives the link: most of it is asked for once.
    known: Option<Known>,
}

struct Connected {
    client: Client<Wire>,
    name: Option<String>,
    address: Option<String>,
    rssi_dbm: Option<i16>,
}

impl Peer for Station {
    type Error = PollError;

    async fn ensure_link(&mut self, base: &Base) -> Result<(), PollError> {
        if self.link.is_some() {
            return Ok(());
        }
        let mut link = Connected::new(&self.config, base).await?;
        let address = link.address.as_ref();
        let known = self.known.take();
        self.known = known.filter(|known| known.device.address.as_ref() == address);
        if let Some(known) = &self.known {
            let Identity { unit, model, .. } = known.identity;
            link.client = link
                .client
                .with_unit(unit)
                .with_model(model)
                .with_refusals(unit, known.refusals.clone());
        }
        self.link = Some(link);
        Ok(())
    }

    fn has_link(&self) -> bool {
        self.link.is_some()
    }

    fn drop_link(&mut self) {
        self.link = None;
    }

    async fn read(&mut self, base: &Base, scope: Scope) -> Result<Reading, PollError> {
        self.ensure_link(base).await?;
        let Some(mut link) = self.link.take() else {
            return Err(RadioError::NotFound(base.target.clone()).into());
        };
        let reading = self.ask(&mut link, base, scope).await?;
        self.link = Some(link);
        Ok(reading)
    }

    async fn tell(
        &mut self,
        base: &Base,
        control: &'static Control,
        value: &Value,
    ) -> Result<(), CommandError<PollError>> {
        control::tell(self, base, control, value).await
    }

    /// Answers what the station asks meanwhile, and sees to it that it does
    /// not take us for gone.
    async fn idle(&mut self) {
        let Some(link) = &mut self.link else {
            return std::future::pending().await;
        };
        loop {
            let error = match tokio::time::timeout(KEEP_ALIVE, link.client.idle()).await {
                Ok(error) => error,
                Err(_) => match link.client.read_registers(ALIVE.start, ALIVE.count).await {
                    Ok(_) | Err(Error::Refused { .. }) => continue,
                    Err(error) => error,
                },
            };
            tracing::debug!(%error, "the link ended while nothing was asked");
            self.link = None;
            return;
        }
    }
}

impl Station {
    /// What `text` asks of a control of this station.
    fn understand(&self, control: &'static Control, text: &str) -> Result<Value, PollError> {
        let known = self.known.as_ref();
        let mut offers = known.into_iter().flat_map(|known| &known.device.controls);
        let offer = offers.find(|offer| *offer.control == *control);
        let offer = offer.ok_or_else(|| PollError::NoSuchControl {
            model: known.map_or(Model::GENERIC_V2, |known| known.identity.model),
            control: control.name,
        })?;
        offer.form.parse(text).map_err(PollError::NotTaken)
    }

    async fn ask(
        &mut self,
        link: &mut Connected,
        base: &Base,
        scope: Scope,
    ) -> Result<Reading, PollError> {
        let config = &self.config;
        let known = match &mut self.known {
            Some(known) => known,
            none => none.insert(Known::new(link.client.identify().await?, link, config)),
        };
        known
            .read(&mut link.client, config.settings_interval)
            .await?;
        let mut new_packs = Vec::new();
        if scope == Scope::Due && due(known.packs_tried_at(), config.packs_interval) {
            new_packs = known.read_packs(&mut link.client, &base.target).await?;
        }
        if let Some(refusals) = link.client.refusals(known.identity.unit) {
            known.refusals.clone_from(refusals);
        }
        let station = known.station(link);
        known.describe(&station);
        base.announce(&known.device);
        let mut reading = Reading::new(
            known.device.id.clone(),
            DeviceKind::PowerStation,
            Utc::now(),
        );
        reading.values = values::values(&station, link.rssi_dbm);
        reading.extra = values::extra(&station);
        if config.registers
            && let Some(mut record) = Record::new(&station)
        {
            // A row of the past would look like one of now.
            record
                .packs
                .retain(|(number, _)| new_packs.contains(number));
            reading
                .extra
                .insert(registers::KEY.to_owned(), record.to_json());
        }
        reading.native = Some(Native::Bluetti(Arc::new(station)));
        Ok(reading)
    }
}

impl Connected {
    async fn new(config: &Bluetti, base: &Base) -> Result<Self, PollError> {
        let mut session = Session::default();
        let (mut name, mut address, mut rssi_dbm) = (None, None, None);
        let mut client = match &config.tcp {
            Some(address) => Client::over_tcp(Wire::tcp(address).await?, session),
            None => {
                let radio = &base.context.radio;
                let key = match radio {
                    Radio::Simulated(_) => simulated::verify_key(),
                    Radio::System(_) => None,
                };
                session.verify_key = config.verify_key.clone().or(key).or(session.verify_key);
                let link = radio.connect(&base.target, &LAYOUTS).await?;
                name = link.name.clone();
                address = Some(link.address.clone());
                rssi_dbm = link.rssi_dbm;
                Client::with_config(Wire::Bluetooth(link), session)
            }
        };
        if let Some(unit) = config.slave {
            client = client.with_unit(UnitId(unit));
        }
        if let Some(name) = &config.model {
            let model = Model::from_name(name);
            let model = model.ok_or_else(|| PollError::UnknownModel(name.clone()))?;
            client = client.with_model(model);
        }
        Ok(Self {
            client: client.with_read_limit(READ_LIMIT),
            name,
            address,
            rssi_dbm,
        })
    }
}

impl Bluetti {
    /// How the radio finds it, or what it is called in messages.
    pub fn target(&self) -> Target {
        match (&self.tcp, &self.address, &self.name) {
            (Some(tcp), ..) => Target::Name(tcp.clone()),
            (None, Some(address), _) => Target::Address(address.to_ascii_uppercase()),
            (None, None, name) => Target::Name(name.clone().unwrap_or_default()),
        }
    }
}
