//! Bluetooth LE through btleplug.
//!
//! The adapter is thin on purpose: [`BleTransport`] speaks over a peripheral that
//! is connected already, and [`find`] looks for one. Scanning strategy, connecting
//! again and sharing one radio among devices belong to the program.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{
    BDAddr, Central, CentralEvent, CharPropFlags, Characteristic, Peripheral as _,
    PeripheralProperties, ScanFilter, ValueNotification, WriteType,
};
use btleplug::platform::{Adapter, Peripheral};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::Transport;
use crate::advertisement::{Advertisement, Likelihood, short_form};

pub use crate::advertisement::{NOTIFY, WRITE};

/// What a write carries besides its bytes.
const WRITE_HEAD: usize = 3;
/// Bytes of a write that every link takes.
const SHORTEST_WRITE: usize = 20;
/// Longer attribute values do not exist.
const LONGEST_WRITE: usize = 512;

/// A connected peripheral as a [`Transport`].
///
/// Keep one per station for as long as the process lives: the notification stream
/// survives a lost link, and dropping streams under traffic makes the Linux
/// backend misbehave. It does not notice a lost link by itself; watch
/// `CentralEvent::DeviceDisconnected` where that matters. Every call of the
/// [`Client`](crate::Client) has a time limit in any case.
pub struct BleTransport {
    peripheral: Peripheral,
    write: Characteristic,
    notify: Characteristic,
    write_type: WriteType,
    notifications: Pin<Box<dyn Stream<Item = ValueNotification> + Send>>,
}

impl BleTransport {
    /// Finds both characteristics of a connected peripheral and subscribes to its
    /// notifications. The station may send its challenge at once: make a
    /// [`Client`](crate::Client) of the transport and use it without delay.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Unsupported` with the characteristics found if these are not
    /// there; otherwise what the Bluetooth stack says.
    pub async fn new(peripheral: Peripheral) -> io::Result<Self> {
        peripheral.discover_services().await.map_err(io_error)?;
        let characteristics = peripheral.characteristics();
        // By number alone: not every station puts them into the same service.
        let find = |number: u128| {
            let mut all = characteristics.iter();
            all.find(|characteristic| characteristic.uuid == Uuid::from_u128(number))
        };
        let Some((notify, write)) = find(NOTIFY).zip(find(WRITE)) else {
            let found: Vec<_> = characteristics.iter().map(|c| c.uuid.to_string()).collect();
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "no characteristics of a power station among {}",
                    found.join(", ")
                ),
            ));
        };
        let (notify, write) = (notify.clone(), write.clone());
        let write_type = match write.properties {
            flags if flags.contains(CharPropFlags::WRITE) => WriteType::WithResponse,
            _ => WriteType::WithoutResponse,
        };
        // The stream comes first: what arrives before it exists is lost.
        let notifications = peripheral.notifications().await.map_err(io_error)?;
        peripheral.subscribe(&notify).await.map_err(io_error)?;
        Ok(Self {
            peripheral,
            write,
            notify,
            write_type,
            notifications,
        })
    }

    /// Overrides the kind of write, for stations that announce the wrong one.
    #[must_use]
    pub fn with_response(mut self, with_response: bool) -> Self {
        self.write_type = match with_response {
            true => WriteType::WithResponse,
            false => WriteType::WithoutResponse,
        };
        self
    }

    /// Subscribes again after the peripheral was connected again. Call
    /// [`Client::reconnected`](crate::Client::reconnected), too.
    ///
    /// # Errors
    ///
    /// What the Bluetooth stack says.
    pub fn resubscribe(&self) -> impl Future<Output = io::Result<()>> + Send + use<> {
        let (peripheral, notify) = (self.peripheral.clone(), self.notify.clone());
        async move { peripheral.subscribe(&notify).await.map_err(io_error) }
    }

    /// The peripheral behind the transport.
    #[must_use]
    pub fn peripheral(&self) -> &Peripheral {
        &self.peripheral
    }

    /// The largest packet of the link, bytes; what
    /// [`ReadLimit::for_mtu`](crate::register::ReadLimit::for_mtu) takes.
    #[must_use]
    pub fn mtu(&self) -> u16 {
        self.peripheral.mtu()
    }
}

impl std::fmt::Debug for BleTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BleTransport")
            .field("peripheral", &self.peripheral)
            .field("notify", &self.notify.uuid)
            .field("write_type", &self.write_type)
            .finish_non_exhaustive()
    }
}

impl Transport for BleTransport {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = write_len(self.mtu());
        for part in bytes.chunks(room) {
            let written = self.peripheral.write(&self.write, part, self.write_type);
            if let Err(error) = written.await {
                return Err(write_error(&self.peripheral, error).await);
            }
        }
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.notifications.next().await {
                Some(notification) if notification.uuid == self.notify.uuid => {
                    return Ok(notification.value);
                }
                Some(_) => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// Bytes of one write: only the client's key of a handshake is ever longer.
fn write_len(mtu: u16) -> usize {
    usize::from(mtu)
        .saturating_sub(WRITE_HEAD)
        .clamp(SHORTEST_WRITE, LONGEST_WRITE)
}

/// Which station [`find`] looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// The first one that is likely to be a station.
    Any,
    /// The one with this advertised name.
    Name(String),
    /// The one with this serial number in its name.
    Serial(String),
    /// The one with this address; macOS hides addresses.
    Address([u8; 6]),
}

/// Scans until the wanted station is heard, or `None` when the time is over. The
/// scan is stopped either way.
///
/// A station that is connected to a phone does not advertise. Dropping the future
/// leaves the scan running.
///
/// On Linux, a program with several devices keeps one stream of
/// `Central::events` of its own, opened before anything else and read for ever;
/// without it notifications can stop when another stream ends.
///
/// # Errors
///
/// What the Bluetooth stack says.
pub async fn find(
    adapter: &Adapter,
    wanted: &Wanted,
    limit: Duration,
) -> io::Result<Option<Peripheral>> {
    let until = Instant::now() + limit;
    let mut events = adapter.events().await.map_err(io_error)?;
    // Unfiltered: some devices advertise their name and not the service.
    adapter
        .start_scan(ScanFilter::default())
        .await
        .map_err(io_error)?;
    let mut found = None;
    while let Ok(Some(event)) = timeout_at(until, events.next()).await {
        // Names may come later than the device, and without an event of their own.
        let (CentralEvent::DeviceDiscovered(id)
        | CentralEvent::DeviceUpdated(id)
        | CentralEvent::RssiUpdate { id, .. }
        | CentralEvent::ManufacturerDataAdvertisement { id, .. }
        | CentralEvent::ServicesAdvertisement { id, .. }) = event
        else {
            continue;
        };
        let Ok(peripheral) = adapter.peripheral(&id).await else {
            continue;
        };
        if let Ok(Some(properties)) = peripheral.properties().await
            && fits(wanted, &properties)
        {
            found = Some(peripheral);
            break;
        }
    }
    let stopped = adapter.stop_scan().await.map_err(io_error);
    match found {
        Some(peripheral) => Ok(Some(peripheral)),
        None => stopped.map(|()| None),
    }
}

fn fits(wanted: &Wanted, properties: &PeripheralProperties) -> bool {
    match wanted {
        Wanted::Any => {
            with_advertisement(properties, |heard| heard.likelihood()) == Likelihood::Likely
        }
        Wanted::Name(name) => {
            let names = [&properties.advertisement_name, &properties.local_name];
            names.into_iter().flatten().any(|heard| heard == name)
        }
        Wanted::Serial(serial) => with_advertisement(properties, |heard| {
            heard.station().is_some_and(|found| found.serial == serial)
        }),
        Wanted::Address(octets) => properties.address == BDAddr::from(*octets),
    }
}

/// Looks at what was heard of a scanned device: how likely it is a station, which
/// one, and whether it says that it encrypts.
pub fn with_advertisement<R>(
    properties: &PeripheralProperties,
    look: impl FnOnce(&Advertisement<'_>) -> R,
) -> R {
    let name = properties
        .advertisement_name
        .as_deref()
        .or(properties.local_name.as_deref());
    let services: Vec<u16> = properties
        .services
        .iter()
        .filter_map(|service| short_form(service.as_u128()))
        .collect();
    let manufacturer_data: Vec<(u16, &[u8])> = properties
        .manufacturer_data
        .iter()
        .map(|(&company, data)| (company, data.as_slice()))
        .collect();
    look(&Advertisement {
        name,
        services: &services,
        manufacturer_data: &manufacturer_data,
    })
}

/// The Linux backend words all failures alike; only asking tells a lost link.
async fn write_error(peripheral: &Peripheral, error: btleplug::Error) -> io::Error {
    let timed_out = error.to_string().contains("Timeout");
    let error = io_error(error);
    if error.kind() != io::ErrorKind::Other {
        return error;
    }
    match peripheral.is_connected().await {
        Ok(false) => io::Error::new(io::ErrorKind::NotConnected, error),
        _ if timed_out => io::Error::new(io::ErrorKind::TimedOut, error),
        _ => error,
    }
}

/// What btleplug says, under the kind that fits best.
fn io_error(error: btleplug::Error) -> io::Error {
    let kind = match &error {
        btleplug::Error::PermissionDenied => io::ErrorKind::PermissionDenied,
        btleplug::Error::DeviceNotFound => io::ErrorKind::NotFound,
        btleplug::Error::NotConnected => io::ErrorKind::NotConnected,
        btleplug::Error::TimedOut(_) => io::ErrorKind::TimedOut,
        btleplug::Error::NotSupported(_) => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_fit_the_link() {
        assert_eq!(write_len(0), 20);
        assert_eq!(write_len(23), 20);
        assert_eq!(write_len(247), 244);
        assert_eq!(write_len(u16::MAX), 512);
    }

    #[test]
    fn futures_can_move_between_threads() {
        fn is_send<T: Send>(_: impl FnOnce() -> T) {}
        is_send(|| async {
            let peripheral: Peripheral = std::future::pending().await;
            let mut transport = BleTransport::new(peripheral).await?;
            transport.resubscribe().await?;
            transport.send(&[]).await?;
            transport.recv().await
        });
    }
}
