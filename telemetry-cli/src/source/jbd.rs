//! Source: JBD battery packs.

use std::time::{Duration, Instant};

use chrono::Utc;
use jbd_bms::{BasicInfo, CellVoltages, Client, Error, ErrorCounts, MacAddress};
use secrecy::ExposeSecret;

use super::Context;
use crate::budget;
use crate::config::{Jbd, SecretError};
use crate::event::{Device, DeviceId, DeviceKind, Reading, Values};
use crate::hub::Handling;
use crate::metric::battery;
use crate::radio::{Link, RadioError, Target};
use crate::schedule::{Action, Schedule};
use crate::supervisor::{Exit, Task};
use crate::value::Value;

/// With shorter intervals the link is held, with longer ones it is released,
/// so that a phone can connect in between.
const HOLD_BELOW: Duration = Duration::from_secs(60);

/// Trip counters change rarely and cost a request.
const COUNTS_INTERVAL: Duration = Duration::from_secs(600);

/// Reads one pack until it is told to stop, or cannot go on.
pub async fn run(config: Jbd, context: Context, task: Task) -> Exit {
    let pack = Pack::new(config, context);
    tokio::select! {
        exit = pack.run(&task) => exit,
        () = task.shutdown.cancelled() => Exit::Stopped,
    }
}

/// Reads one pack once.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn once(config: Jbd, context: Context) -> Result<(Device, Reading), PollError> {
    let mut pack = Pack::new(config, context);
    let reading = pack.poll().await?;
    let session = pack
        .session
        .ok_or(PollError::Radio(RadioError::NotFound(pack.target)))?;
    Ok((session.device, reading))
}

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No link.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// A link, but no answer that helps.
    #[error(transparent)]
    Device(#[from] Error),
    /// The configured password cannot be had.
    #[error(transparent)]
    Password(#[from] SecretError),
}

impl PollError {
    fn exit(self, target: &Target) -> Exit {
        match &self {
            Self::Device(Error::PasswordNeeded) => Exit::LoginNeeded(format!(
                "{target} wants a password: set `password` in its [[jbd]] table"
            )),
            Self::Device(Error::PasswordRejected) => Exit::LoginNeeded(format!(
                "{target} does not accept the password: correct `password` in its [[jbd]] table"
            )),
            Self::Device(Error::PairingNeeded) => Exit::LoginNeeded(format!(
                "{target} wants to be paired first: `bluetoothctl pair` with the PIN of the pack"
            )),
            Self::Password(error) => Exit::LoginNeeded(format!("{target}: {error}")),
            Self::Radio(_) | Self::Device(_) => Exit::Transient(format!("{target}: {self}")),
        }
    }

    /// True if a new link may help at once: the old one was held, and nobody
    /// noticed that it had gone.
    fn link_may_be_stale(&self) -> bool {
        matches!(self, Self::Device(error) if error.is_retryable())
    }
}

struct Pack {
    config: Jbd,
    target: Target,
    context: Context,
    session: Option<Session>,
}

/// A link, and what is known of the pack behind it.
struct Session {
    client: Client<Link>,
    device: Device,
    rssi_dbm: Option<i16>,
    counts: Option<(Instant, ErrorCounts)>,
}

impl Pack {
    fn new(config: Jbd, context: Context) -> Self {
        Self {
            target: config.target(),
            config,
            context,
            session: None,
        }
    }

    async fn run(mut self, task: &Task) -> Exit {
        let mut schedule = match self.schedule(&task.name).await {
            Ok(schedule) => schedule,
            Err(error) => return Exit::Transient(error.to_string()),
        };
        loop {
            if let Action::Wait(time) = schedule.next_action(Utc::now()) {
                let wait = (time - Utc::now()).to_std().unwrap_or_default();
                tokio::time::sleep(wait).await;
                continue;
            }
            schedule.polled(Utc::now());
            if let Some(budget) = schedule.budget() {
                let left = budget.left(Utc::now());
                self.context.stats.quota_left(&task.name, left);
                if let Err(error) = budget::save(&self.context.database, &task.name, budget).await {
                    return Exit::Transient(error.to_string());
                }
            }
            let began = Instant::now();
            match self.poll().await {
                Ok(reading) => {
                    self.context.stats.polled(&task.name, began.elapsed());
                    self.context.hub.read(reading);
                }
                Err(error) => return error.exit(&self.target),
            }
            if !self.config.holds_link() {
                self.session = None;
            }
        }
    }

    async fn schedule(&self, name: &str) -> Result<Schedule, crate::database::DatabaseError> {
        let budget = match self.config.reads_per_day {
            Some(limit) => Some(budget::load(&self.context.database, name, limit).await?),
            None => None,
        };
        let seed = name.bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        Ok(Schedule::new(self.config.interval, budget, seed))
    }

    async fn poll(&mut self) -> Result<Reading, PollError> {
        let held = self.session.is_some();
        match self.read().await {
            Err(error) if held && error.link_may_be_stale() => {
                tracing::debug!(device = %self.target, %error, "connecting again");
                self.session = None;
                self.read().await
            }
            result => result,
        }
        .inspect_err(|error| {
            if let Some(session) = self.session.take() {
                let id = &session.device.id;
                self.context.hub.fail(id, &error.to_string(), Utc::now());
            }
        })
    }

    async fn read(&mut self) -> Result<Reading, PollError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        let info = session.client.basic_info().await?;
        let cells = session.client.cell_voltages().await?;
        session.refresh_counts().await?;
        session.describe(&info);
        self.context
            .hub
            .announce(session.device.clone(), self.config.handling());

        let now = Utc::now();
        let mut reading = Reading::new(session.device.id.clone(), DeviceKind::Battery, now);
        let counts = session.counts.as_ref().map(|(_, counts)| counts);
        reading.values = values(&info, &cells, counts, session.rssi_dbm);
        self.session = Some(session);
        Ok(reading)
    }

    async fn connect(&self) -> Result<Session, PollError> {
        let link = self.context.radio.connect(&self.target).await?;
        let name = self.config.label.clone().or_else(|| link.name.clone());
        let device = Device {
            id: DeviceId::new(&["jbd", &link.address]),
            kind: DeviceKind::Battery,
            name: name.unwrap_or_else(|| link.address.clone()),
            vendor: "JBD".to_owned(),
            model: None,
            serial: None,
            address: Some(link.address.clone()),
            hardware_version: None,
            software_version: None,
        };
        let rssi_dbm = link.rssi_dbm;
        let mut client = Client::new(link);
        if let Ok(address) = client.transport_mut().address.parse::<MacAddress>() {
            client = client.with_address(address);
        }
        if let Some(password) = &self.config.password {
            client = client.with_password(password.reveal()?.expose_secret());
        }
        let mut session = Session {
            client,
            device,
            rssi_dbm,
            counts: None,
        };
        // Wakes the pack; the name comes second because some never answer it.
        session.client.basic_info().await?;
        session.device.model = session.client.hardware_name().await?;
        Ok(session)
    }
}

impl Session {
    async fn refresh_counts(&mut self) -> Result<(), Error> {
        let due = self
            .counts
            .as_ref()
            .is_none_or(|(at, _)| at.elapsed() >= COUNTS_INTERVAL);
        if due {
            match self.client.error_counts().await {
                Ok(counts) => self.counts = Some((Instant::now(), counts)),
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn describe(&mut self, info: &BasicInfo) {
        self.device.software_version = Some(info.software_version.to_string());
    }
}

impl Jbd {
    fn target(&self) -> Target {
        match (&self.address, &self.name) {
            (Some(address), _) => Target::Address(address.to_ascii_uppercase()),
            (None, name) => Target::Name(name.clone().unwrap_or_default()),
        }
    }

    fn holds_link(&self) -> bool {
        self.hold_link.unwrap_or(self.interval < HOLD_BELOW)
    }

    fn handling(&self) -> Handling {
        Handling {
            interval: self.interval,
            keep: self.store,
        }
    }
}

fn values(
    info: &BasicInfo,
    cells: &CellVoltages,
    counts: Option<&ErrorCounts>,
    rssi_dbm: Option<i16>,
) -> Values {
    let milli = |number: u32| Value::from(f64::from(number) / 1000.0);
    let mut values = Values::default();
    values.set(
        &battery::SOC_PERCENT,
        Value::from(f64::from(info.soc_percent_clamped())),
    );
    // Boards without a learned capacity repeat the nominal one.
    let learned = info
        .full_charge_capacity_mah
        .filter(|full| *full > 0 && *full != info.nominal_capacity_mah);
    values.set(
        &battery::SOH_PERCENT,
        learned.map(|full| {
            Value::from(f64::from(full) / f64::from(info.nominal_capacity_mah.max(1)) * 100.0)
        }),
    );
    values.set(&battery::PACK_VOLTAGE_V, milli(info.pack_voltage_mv));
    values.set(
        &battery::CURRENT_A,
        Value::from(f64::from(info.current_ma) / 1000.0),
    );
    values.set(
        &battery::REMAINING_CAPACITY_AH,
        milli(info.remaining_capacity_mah),
    );
    values.set(
        &battery::NOMINAL_CAPACITY_AH,
        milli(info.nominal_capacity_mah),
    );
    values.set(&battery::CYCLES, Value::from(i64::from(info.cycles)));
    let count = cells.cell_voltages_mv.len();
    values.set(
        &battery::CELL_VOLTAGES_V,
        cells
            .cell_voltages_mv
            .iter()
            .map(|mv| Some(f64::from(*mv) / 1000.0))
            .collect::<Value>(),
    );
    values.set(
        &battery::BALANCING,
        (1..=count)
            .map(|cell| Some(info.balancing.iter().any(|bled| usize::from(bled) == cell)))
            .collect::<Value>(),
    );
    values.set(
        &battery::TEMPERATURES_C,
        info.temperatures_deci_c
            .iter()
            .map(|deci| deci.map(|deci| f64::from(deci) / 10.0))
            .collect::<Value>(),
    );
    values.set(
        &battery::CHARGE_MOSFET_ON,
        Value::from(info.mosfets.charge_on()),
    );
    values.set(
        &battery::DISCHARGE_MOSFET_ON,
        Value::from(info.mosfets.discharge_on()),
    );
    let protection = info.protection.iter().map(|flag| flag.to_string());
    values.set(&battery::PROTECTION, Value::Flags(protection.collect()));
    values.set(
        &battery::PROTECTION_COUNTS,
        counts.map(|counts| {
            let count = |(flag, count): (jbd_bms::Protection, u16)| {
                (flag.to_string(), Value::from(i64::from(count)))
            };
            Value::Map(counts.iter().map(count).collect())
        }),
    );
    values.set(
        &battery::SOFTWARE_VERSION,
        Value::from(info.software_version.to_string()),
    );
    values.set(
        &battery::PRODUCTION_DATE,
        info.production_date
            .map(|date| Value::from(date.to_string())),
    );
    values.set(
        &battery::RSSI_DBM,
        rssi_dbm.map(|rssi| Value::from(f64::from(rssi))),
    );
    values
}
