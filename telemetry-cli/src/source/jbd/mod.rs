//! Source: JBD battery packs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use jbd_bms::advertisement::GattVariant;
use jbd_bms::{BasicInfo, Client, Error, ErrorCounts, MacAddress, Transport};
use secrecy::ExposeSecret;

use super::Context;
use super::bluetooth::{Base, CommandError, Peer, Plan, Poller, Scope, Trouble as _};
use crate::config::{Jbd, SecretError};
use crate::control::Control;
use crate::event::{Device, DeviceId, DeviceKind, Reading};
use crate::native::{JbdPack, Native};
use crate::radio::{GattLayout, Link, RadioError, Target};
use crate::supervisor::{Exit, Task};
use crate::value::Value;

pub use error::{PollError, wants_pairing};

use values::values;

mod control;
mod error;
mod values;

/// With shorter intervals the link is held, with longer ones it is released,
/// so that a phone can connect in between.
const HOLD_BELOW: Duration = Duration::from_secs(60);

/// Trip counters change rarely and cost a request.
const COUNTS_INTERVAL: Duration = Duration::from_secs(600);

/// At most so many in one poll: one that was forgotten, and a new one.
const PAIRINGS: u32 = 2;

/// Where packs talk, most likely first.
pub const LAYOUTS: [GattLayout; 5] = {
    let [standard, dh04, eleksol, dongle, nordic] = GattVariant::ALL;
    [
        layout(standard),
        layout(dh04),
        layout(eleksol),
        layout(dongle),
        layout(nordic),
    ]
};

const fn layout(variant: GattVariant) -> GattLayout {
    GattLayout {
        service: Some(variant.service()),
        notify: variant.notify(),
        write: variant.write(),
    }
}

/// Reads one pack until it is told to stop, or cannot go on.
pub async fn run(config: Jbd, context: Context, task: Task) -> Exit {
    poller(config, context, &task.name).run(task).await
}

/// Reads one pack once.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn once(config: Jbd, context: Context) -> Result<(), PollError> {
    let hub = context.hub.clone();
    hub.read(poller(config, context, "once").poll(Scope::Due).await?);
    Ok(())
}

/// Asks one pack for what every reading is made of, and nothing else; a link
/// that fails is replaced once.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn measure(config: Jbd, context: Context) -> Result<JbdPack, PollError> {
    let Poller { mut peer, base } = poller(config, context, "once");
    let measured = match peer.measure(&base).await {
        Err(error) if error.link_may_be_stale() => peer.measure(&base).await,
        result => result,
    };
    Ok(measured?.1)
}

/// Tells one pack something, and reads back whether it did it.
///
/// # Errors
/// Why it was not told, or did not do it.
pub async fn command(
    config: Jbd,
    context: Context,
    control: &'static Control,
    value: &Value,
) -> Result<(), CommandError<PollError>> {
    // Whoever typed it waits, and can give up.
    poller(config, context, "once")
        .tell(control, value, None)
        .await
}

/// What is known of a pack between two reads.
struct Pack {
    config: Jbd,
    link: Option<Connected>,
    /// Outlives the link: most of it is asked for once.
    known: Option<Known>,
    /// As the MOSFETs were left: a board does not tell it to a new link.
    released: Option<(bool, bool)>,
}

struct Connected {
    client: Client<Link>,
    rssi_dbm: Option<i16>,
}

/// What is known of the pack besides its measurements.
struct Known {
    device: Device,
    /// The model was asked for.
    named: bool,
    counts: Option<ErrorCounts>,
    counts_at: Option<Instant>,
}

fn poller(config: Jbd, context: Context, source: &str) -> Poller<Pack> {
    let plan = Plan {
        interval: config.interval,
        keep: config.store,
        reads_per_day: config.reads_per_day,
        holds_link: config.holds_link(),
    };
    Poller {
        base: Base::new(config.target(), context, plan, source),
        peer: Pack {
            config,
            link: None,
            known: None,
            released: None,
        },
    }
}

impl Peer for Pack {
    type Error = PollError;

    async fn ensure_link(&mut self, base: &Base) -> Result<(), PollError> {
        if self.link.is_some() {
            return Ok(());
        }
        let link = base.context.radio.connect(&base.target, &LAYOUTS).await?;
        let known = self.known.take();
        let known = known.filter(|known| known.device.address.as_ref() == Some(&link.address));
        self.known = Some(known.unwrap_or_else(|| Known::new(&link, &self.config)));
        let rssi_dbm = link.rssi_dbm;
        let address = link.address.clone();
        let client = client(link, &address, &self.config)?.with_released(self.released);
        self.link = Some(Connected { client, rssi_dbm });
        Ok(())
    }

    fn has_link(&self) -> bool {
        self.link.is_some()
    }

    fn drop_link(&mut self) {
        self.link = None;
    }

    async fn read(&mut self, base: &Base, _: Scope) -> Result<Reading, PollError> {
        let (mut link, pack) = self.measure(base).await?;
        let Some(known) = &mut self.known else {
            return Err(RadioError::NotFound(base.target.clone()).into());
        };
        known.ask(&mut link.client, &pack.info).await?;
        base.announce(&known.device);

        let now = Utc::now();
        let mut reading = Reading::new(known.device.id.clone(), DeviceKind::Battery, now);
        reading.values = values(&pack, known.counts.as_ref(), link.rssi_dbm);
        reading.native = Some(Native::Jbd(Arc::new(pack)));
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
}

impl Pack {
    /// Asks for what every reading is made of, and pairs a pack that wants to
    /// be paired. A link that fails is dropped.
    async fn measure(&mut self, base: &Base) -> Result<(Connected, JbdPack), PollError> {
        let mut pairings = 0;
        loop {
            self.ensure_link(base).await?;
            let Some(mut link) = self.link.take() else {
                return Err(RadioError::NotFound(base.target.clone()).into());
            };
            match link.measure().await {
                Err(error) if wants_pairing(&error) && pairings < PAIRINGS => {
                    pairings += 1;
                    match link.client.transport_mut().pair().await {
                        // Gone with an old pairing that was of no use, or
                        // because the pack hangs up once it is paired.
                        Ok(()) | Err(RadioError::NotFound(_) | RadioError::LinkLost(_)) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                result => return Ok((link, result?)),
            }
        }
    }
}

impl Connected {
    async fn measure(&mut self) -> Result<JbdPack, Error> {
        Ok(JbdPack {
            info: self.client.basic_info().await?,
            cells: self.client.cell_voltages().await?,
        })
    }
}

impl Known {
    fn new(link: &Link, config: &Jbd) -> Self {
        let label = config.label.as_deref().or(link.name.as_deref());
        let name = label.unwrap_or(&link.address);
        Self {
            device: Device {
                name: name.to_owned(),
                vendor: "JBD".to_owned(),
                address: Some(link.address.clone()),
                controls: control::offers(&config.allow),
                ..Device::unknown(DeviceId::new(&["jbd", &link.address]), DeviceKind::Battery)
            },
            named: false,
            counts: None,
            counts_at: None,
        }
    }

    /// Asks what changes rarely, if it is time to.
    async fn ask(&mut self, client: &mut Client<Link>, info: &BasicInfo) -> Result<(), Error> {
        self.device.software_version = Some(info.software_version.to_string());
        if !self.named {
            self.device.model = client.hardware_name().await?;
            self.named = true;
        }
        let due = self
            .counts_at
            .is_none_or(|at| at.elapsed() >= COUNTS_INTERVAL);
        if due {
            // A board that refuses the counters or never answers is asked as
            // rarely as one that does.
            self.counts = match client.error_counts().await {
                Ok(counts) => Some(counts),
                Err(Error::Refused { .. } | Error::TimedOut { .. }) => None,
                Err(error) => return Err(error),
            };
            self.counts_at = Some(Instant::now());
        }
        Ok(())
    }
}

/// A client with what `config` knows of the pack at `address`.
///
/// # Errors
/// If its password cannot be had.
pub fn client<T: Transport>(
    transport: T,
    address: &str,
    config: &Jbd,
) -> Result<Client<T>, SecretError> {
    let mut client = Client::new(transport);
    if let Ok(address) = address.parse::<MacAddress>() {
        client = client.with_address(address);
    }
    if let Some(password) = &config.password {
        client = client.with_password(password.reveal()?.expose_secret());
    }
    Ok(client)
}

impl Jbd {
    /// How the radio finds it.
    pub fn target(&self) -> Target {
        match (&self.address, &self.name) {
            (Some(address), _) => Target::Address(address.to_ascii_uppercase()),
            (None, name) => Target::Name(name.clone().unwrap_or_default()),
        }
    }

    /// Whether the gateway keeps its connection between two reads.
    pub fn holds_link(&self) -> bool {
        self.hold_link.unwrap_or(self.interval < HOLD_BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Controls, Refusal};
    use crate::database::Database;
    use crate::exit::Code;
    use crate::hub::Hub;
    use crate::metric::battery;
    use crate::radio::{Air, Radio};
    use crate::stats::Stats;
    use crate::value::Value;

    async fn context() -> Context {
        Context {
            hub: Hub::new(None, Duration::from_secs(300), vec![]),
            radio: Radio::Simulated(Air::demo()),
            stats: Stats::default(),
            controls: Controls::default(),
            database: Arc::new(Database::open(None).await.unwrap()),
            state_dir: None,
        }
    }

    #[tokio::test]
    async fn a_pack_is_announced_and_read() {
        let context = context().await;
        once(Jbd::named("Workshop battery"), context.clone())
            .await
            .unwrap();
        let known = context.hub.snapshot().remove(0);
        assert_eq!(known.device.id.as_str(), "jbd-a4c138000002");
        assert_eq!(known.device.model.as_deref(), Some("JBD-SIM-16S-100A"));
        let reading = known.reading.unwrap();
        let Some(Value::List(cells)) = reading.values.get(&battery::CELL_VOLTAGES_V) else {
            panic!("cells are a list");
        };
        assert_eq!(cells.len(), 16);
        assert!(reading.values.number(&battery::CELL_DELTA_V).unwrap() > 0.05);
        assert!(reading.values.get(&battery::PROTECTION_COUNTS).is_some());
        let Some(Native::Jbd(pack)) = &reading.native else {
            panic!("the SDK's own values come along");
        };
        assert_eq!(pack.cells.cell_voltages_mv.len(), 16);
        assert_eq!(pack.info.temperatures_deci_c.len(), 3);
    }

    async fn told(
        pack: &mut Poller<Pack>,
        id: &str,
        word: &str,
        text: &str,
    ) -> Result<(), Refusal> {
        let controls = pack.base.context.controls.clone();
        let source = async {
            // Nothing comes if it was refused before.
            let request = pack.base.inbox.next().await;
            pack.obey(request).await;
            std::future::pending().await
        };
        tokio::select! {
            outcome = controls.send(id, word, text) => outcome,
            () = source => unreachable!("it waits for ever"),
        }
    }

    #[tokio::test]
    async fn commands_are_carried_out_as_far_as_they_are_allowed() {
        let context = context().await;
        let mut config = Jbd::named("House battery");
        config.allow.charge_mosfet = true;
        let mut pack = poller(config, context.clone(), "jbd");
        pack.poll(Scope::Due).await.unwrap();
        let id = context.hub.snapshot()[0].device.id.to_string();
        let charging = || {
            let reading = context.hub.snapshot().remove(0).reading.unwrap();
            reading.values.get(&battery::CHARGE_MOSFET_ON).cloned()
        };
        told(&mut pack, &id, "charge_mosfet_on", "off")
            .await
            .unwrap();
        assert_eq!(charging(), Some(Value::from(false)));
        told(&mut pack, &id, "charge_mosfet", "on").await.unwrap();
        assert_eq!(charging(), Some(Value::from(true)));
        let refusal = told(&mut pack, &id, "discharge_mosfet_on", "off").await;
        assert_eq!(refusal, Err(Refusal::NotAllowed("discharge_mosfet")));
    }

    #[tokio::test]
    async fn a_command_expires_while_its_pack_is_looked_for() {
        let context = context().await;
        let mut config = Jbd::named("House battery");
        config.allow.charge_mosfet = true;
        let mut pack = poller(config, context.clone(), "jbd");
        pack.poll(Scope::Due).await.unwrap();
        let id = context.hub.snapshot()[0].device.id.to_string();
        pack.peer.link = None;
        let source = async {
            let mut request = pack.base.inbox.next().await;
            // Connecting takes longer.
            request.expires = tokio::time::Instant::now();
            pack.obey(request).await;
            std::future::pending::<()>().await
        };
        let refusal = tokio::select! {
            outcome = context.controls.send(&id, "charge_mosfet", "off") => outcome.unwrap_err(),
            () = source => unreachable!("it waits for ever"),
        };
        assert!(refusal.to_string().starts_with("not sent: "), "{refusal}");
        let reading = pack.poll(Scope::Due).await.unwrap();
        assert_eq!(
            reading.values.get(&battery::CHARGE_MOSFET_ON),
            Some(&Value::from(true))
        );
    }

    #[tokio::test]
    async fn a_paused_pack_is_left_alone_until_it_is_told_otherwise() {
        let context = context().await;
        let mut pack = poller(Jbd::named("House battery"), context.clone(), "jbd");
        pack.poll(Scope::Due).await.unwrap();
        let id = context.hub.snapshot()[0].device.id.to_string();
        told(&mut pack, &id, "bluetooth_pause", "5").await.unwrap();
        assert!(pack.peer.link.is_none());
        let error = pack.poll(Scope::Due).await.unwrap_err();
        assert!(error.to_string().contains("is paused"), "{error}");
        told(&mut pack, &id, "bluetooth_pause", "0").await.unwrap();
        pack.poll(Scope::Due).await.unwrap();
    }

    #[tokio::test]
    async fn a_device_in_use_is_said_to_be_so() {
        let context = context().await;
        let target = Target::Name("House battery".to_owned());
        let _held = context.radio.connect(&target, &LAYOUTS).await.unwrap();
        let error = once(Jbd::named("House battery"), context)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::Device);
        assert!(error.to_string().contains("in use by another app"));
        assert!(error.hint().unwrap().contains("close its phone app"));
    }

    #[tokio::test]
    async fn a_link_that_went_is_replaced_without_a_failed_poll() {
        let context = context().await;
        let mut pack = poller(Jbd::named("House battery"), context, "jbd");
        pack.poll(Scope::Due).await.unwrap();
        // The device hangs up.
        let link = pack.peer.link.as_mut().unwrap().client.transport_mut();
        link.cut();
        pack.poll(Scope::Due).await.unwrap();
    }
}
