//! One device: connecting it, and carrying bytes while it is connected.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _, ValueNotification, WriteType};
use btleplug::platform::Peripheral;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::adapter::{in_time, lock};
use super::failure::Failure;
use super::pairing::Pairer;
use crate::radio::link::{self, Order, Outgoing};
use crate::radio::{GattCharacteristic, GattLayout, GattTable, Target};

/// What a packet carries if the device never negotiates a larger one.
const LEAST_WRITE: usize = 20;

/// No value of a characteristic is longer, whatever was negotiated.
const MOST_WRITE: usize = 512;

/// How long a doubtful loss is looked into before it counts.
const LATE_EVENT: Duration = Duration::from_secs(1);

/// A device, for as long as the process lives: its notification stream
/// outlasts its links.
pub(super) struct Device {
    pub(super) peripheral: Peripheral,
    /// Held by whoever connects or has the link.
    slot: Arc<tokio::sync::Mutex<Known>>,
    line: Line,
}

/// What outlasts a link.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its services were read.
    discovered: bool,
    pump: Option<AbortHandle>,
}

/// Where notifications go and who is told of a loss; empty without a link.
type Line = Arc<Mutex<Option<Connected>>>;

#[derive(Debug)]
struct Connected {
    /// Absent while connecting.
    chunks: Option<(Characteristic, mpsc::Sender<Vec<u8>>)>,
    /// It was seen to connect: now its going counts.
    came: bool,
    lost: CancellationToken,
}

/// The right to connect a device and to use its link.
pub(super) type Slot = OwnedMutexGuard<Known>;

/// A connected device.
pub(super) struct Open {
    way: Way,
    lost: CancellationToken,
    pairer: Option<Pairer>,
}

/// How to talk to it.
struct Way {
    notify: Characteristic,
    write: Characteristic,
    write_type: WriteType,
    write_len: usize,
}

impl Device {
    pub(super) fn new(peripheral: Peripheral) -> Self {
        Self {
            peripheral,
            slot: Arc::default(),
            line: Line::default(),
        }
    }

    /// True if nobody uses it.
    pub(super) fn is_idle(&self) -> bool {
        self.slot.try_lock().is_ok()
    }

    /// Waits for the previous link to be gone altogether.
    pub(super) async fn slot(&self, settings: &Settings) -> Result<Slot, Failure> {
        let slot = self.slot.clone().lock_owned();
        // A link that is being released takes no longer.
        timeout(settings.disconnect_limit, slot)
            .await
            .map_err(|_| Failure::Held)
    }

    /// The stack says that it is connected.
    pub(super) fn came(&self) {
        if let Some(line) = lock(&self.line).as_mut() {
            line.came = true;
        }
    }

    /// The stack says that it is not connected.
    pub(super) fn went(&self) {
        let line = lock(&self.line);
        let Some(line) = line.as_ref() else {
            return;
        };
        if line.chunks.is_none() {
            // Before it came this is the end of an earlier link.
            if line.came {
                line.lost.cancel();
            }
            return;
        }
        let (lost, peripheral) = (line.lost.clone(), self.peripheral.clone());
        tokio::spawn(async move {
            // The event may be late, and about an earlier link.
            let check = timeout(LATE_EVENT, peripheral.is_connected()).await;
            if !matches!(check, Ok(Ok(true))) {
                lost.cancel();
            }
        });
    }

    /// Connects, pairs with `pairer` if need be, subscribes, and from then on
    /// notifications go to `chunks`.
    pub(super) async fn open(
        &self,
        slot: &mut Slot,
        layouts: &[GattLayout],
        chunks: &mpsc::Sender<Vec<u8>>,
        pairer: Option<&Pairer>,
        settings: &Settings,
    ) -> Result<Open, Failure> {
        let Some(pairer) = pairer else {
            return self.open_once(slot, layouts, chunks, settings).await;
        };
        let open = match self.open_once(slot, layouts, chunks, settings).await {
            Ok(open) => open,
            Err(failure) => {
                match pairer.judge(failure, settings).await {
                    Failure::PairingNeeded => pairer.pair(settings).await?,
                    failure => return Err(failure),
                }
                self.open_once(slot, layouts, chunks, settings).await?
            }
        };
        let pairer = Some(pairer.clone());
        Ok(Open { pairer, ..open })
    }

    async fn open_once(
        &self,
        slot: &mut Slot,
        layouts: &[GattLayout],
        chunks: &mpsc::Sender<Vec<u8>>,
        settings: &Settings,
    ) -> Result<Open, Failure> {
        let lost = CancellationToken::new();
        *lock(&self.line) = Some(Connected {
            chunks: None,
            came: false,
            lost: lost.clone(),
        });
        let opened = tokio::select! {
            // Without this a device that hangs up during discovery costs 30 s.
            () = lost.cancelled() => Err(Failure::Lost),
            result = self.subscribe(slot, layouts, chunks, settings) => result,
        };
        match opened {
            Ok(way) => Ok(Open {
                way,
                lost,
                pairer: None,
            }),
            Err(failure) => {
                *lock(&self.line) = None;
                slot.discovered = false;
                Err(failure)
            }
        }
    }

    async fn subscribe(
        &self,
        slot: &mut Slot,
        layouts: &[GattLayout],
        chunks: &mpsc::Sender<Vec<u8>>,
        settings: &Settings,
    ) -> Result<Way, Failure> {
        match timeout(settings.connect_limit, self.peripheral.connect()).await {
            Ok(result) => result?,
            Err(_) => return Err(Failure::NoAnswer),
        }
        if !slot.discovered {
            let discovery = self.peripheral.discover_services();
            match timeout(settings.discovery_limit, discovery).await {
                Ok(result) => result?,
                Err(_) => return Err(Failure::NoAnswer),
            }
            slot.discovered = true;
        }
        let (notify, write) = pair(&self.peripheral.characteristics(), layouts)?;
        if slot.pump.as_ref().is_none_or(AbortHandle::is_finished) {
            // Before subscribing: what arrives before the stream exists is lost.
            let stream = in_time(settings.call_limit, self.peripheral.notifications()).await?;
            let pump = tokio::spawn(pump(stream, self.line.clone()));
            slot.pump = Some(pump.abort_handle());
        }
        if let Some(line) = lock(&self.line).as_mut() {
            line.chunks = Some((notify.clone(), chunks.clone()));
        }
        match in_time(settings.call_limit, self.peripheral.subscribe(&notify)).await {
            // Still subscribed since the last link.
            Ok(()) | Err(Failure::Busy) => {}
            Err(failure) => return Err(failure),
        }
        let flags = write.properties;
        let write_type = match flags.contains(CharPropFlags::WRITE_WITHOUT_RESPONSE) {
            true => WriteType::WithoutResponse,
            false => WriteType::WithResponse,
        };
        let packet = usize::from(self.peripheral.mtu()).saturating_sub(3);
        Ok(Way {
            notify,
            write,
            write_type,
            write_len: packet.clamp(LEAST_WRITE, MOST_WRITE),
        })
    }

    /// What a connected device offers.
    pub(super) fn gatt(&self, open: &Open) -> GattTable {
        let characteristics = self.peripheral.characteristics().into_iter();
        GattTable {
            characteristics: characteristics.map(GattCharacteristic::from).collect(),
            notify: open.way.notify.uuid.as_u128(),
            write: open.way.write.uuid.as_u128(),
            write_len: open.way.write_len,
        }
    }

    /// Carries bytes until the link is dropped, lost or told to `end`, then
    /// disconnects and gives the slot back.
    pub(super) async fn carry(
        self: Arc<Self>,
        slot: Slot,
        open: Open,
        mut orders: mpsc::Receiver<Order>,
        target: Target,
        end: CancellationToken,
        settings: Settings,
    ) {
        let mut check = interval(settings.check_interval);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.reset();
        loop {
            tokio::select! {
                biased;
                () = open.lost.cancelled() => break,
                () = end.cancelled() => break,
                order = orders.recv() => match order {
                    Some(Order::Write(request)) => self.write(request, &open, &settings).await,
                    Some(Order::Pair(reply)) => {
                        let pair = end.run_until_cancelled(open.pair(&settings)).await;
                        let paired = pair.unwrap_or(Err(Failure::Lost));
                        // Nobody waits any more: the link was dropped.
                        let _ = reply.send(paired.map_err(|failure| failure.about(&target)));
                    }
                    None => break,
                },
                _ = check.tick() => {
                    let check = self.peripheral.is_connected();
                    if !matches!(in_time(settings.call_limit, check).await, Ok(true)) {
                        open.lost.cancel();
                    }
                }
            }
        }
        // Ends the queue of chunks: whoever waits for one is told at once.
        *lock(&self.line) = None;
        drop(orders);
        if open.lost.is_cancelled() {
            tracing::debug!(device = %self.peripheral.address(), "link lost");
        } else {
            self.disconnect(&settings).await;
        }
        drop(slot);
    }

    async fn write(&self, request: Outgoing, open: &Open, settings: &Settings) {
        let mut outcome = Ok(());
        let way = &open.way;
        for part in request.bytes.chunks(way.write_len) {
            let write = self.peripheral.write(&way.write, part, way.write_type);
            let written = tokio::select! {
                biased;
                () = open.lost.cancelled() => Err(Failure::Lost),
                written = in_time(settings.call_limit, write) => written,
            };
            if let Err(failure) = written {
                if failure.ends_link() {
                    open.lost.cancel();
                }
                outcome = Err(match failure {
                    // The stack had it and says nothing any more.
                    Failure::Lost | Failure::BusLost(_) => link::unanswered(),
                    failure => io_error(failure),
                });
                break;
            }
        }
        request.done(outcome);
    }

    /// Disconnects, or ends an attempt to connect that goes on without us.
    pub(super) async fn disconnect(&self, settings: &Settings) {
        *lock(&self.line) = None;
        let disconnect = self.peripheral.disconnect();
        match timeout(settings.disconnect_limit, disconnect).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let device = self.peripheral.address();
                tracing::debug!(%device, %error, "disconnecting failed");
            }
            Err(_) => {
                let device = self.peripheral.address();
                tracing::debug!(%device, "disconnecting takes too long");
            }
        }
    }
}

impl From<Characteristic> for GattCharacteristic {
    fn from(characteristic: Characteristic) -> Self {
        let names = characteristic.properties.iter_names();
        Self {
            service: characteristic.service_uuid.as_u128(),
            number: characteristic.uuid.as_u128(),
            properties: names
                .map(|(name, _)| name.to_lowercase().replace('_', "-"))
                .collect(),
        }
    }
}

impl Open {
    async fn pair(&self, settings: &Settings) -> Result<(), Failure> {
        match &self.pairer {
            Some(pairer) => pairer.pair(settings).await,
            None => Err(Failure::PairingNeeded),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Ok(slot) = self.slot.try_lock()
            && let Some(pump) = &slot.pump
        {
            pump.abort();
        }
    }
}

/// Moves notifications into the queue of the link, so that the stack's own
/// queue, which some systems keep short, never runs over.
async fn pump(mut stream: Pin<Box<dyn Stream<Item = ValueNotification> + Send>>, line: Line) {
    while let Some(notification) = stream.next().await {
        let line = lock(&line);
        let Some((notify, chunks)) = line.as_ref().and_then(|line| line.chunks.as_ref()) else {
            continue;
        };
        let wanted =
            notification.uuid == notify.uuid && notification.service_uuid == notify.service_uuid;
        if wanted && chunks.try_send(notification.value).is_err() {
            tracing::debug!("a notification that nobody reads is dropped");
        }
    }
}

/// The first pair of characteristics that is there, notifying one first.
fn pair(
    found: &BTreeSet<Characteristic>,
    layouts: &[GattLayout],
) -> Result<(Characteristic, Characteristic), Failure> {
    let one = |service: Option<u128>, number: u128| {
        found.iter().find(|of| {
            of.uuid.as_u128() == number
                && service.is_none_or(|service| of.service_uuid.as_u128() == service)
        })
    };
    let pair = layouts.iter().find_map(|layout| {
        let notify = one(layout.service, layout.notify)?;
        Some((notify, one(layout.service, layout.write)?))
    });
    pair.map(|(notify, write)| (notify.clone(), write.clone()))
        .ok_or_else(|| {
            let found: Vec<_> = found.iter().map(|of| of.uuid.to_string()).collect();
            Failure::WrongKind(match found.is_empty() {
                true => "nothing".to_owned(),
                false => found.join(", "),
            })
        })
}

fn io_error(failure: Failure) -> io::Error {
    if failure.ends_link() {
        return link::lost();
    }
    match failure {
        Failure::PairingNeeded => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the device wants to be paired first",
        ),
        failure => io::Error::other(failure.alone()),
    }
}
