//! Bluetooth LE through btleplug.
//!
//! The adapter is thin on purpose: [`BleTransport`] speaks over a peripheral
//! that is connected already, and [`find`] looks for one. Scanning strategy,
//! connecting again and sharing one radio among devices belong to the program.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use btleplug::api::{
    Central, CentralEvent, CharPropFlags, Characteristic, Peripheral as _, PeripheralProperties,
    ScanFilter, ValueNotification, WriteType,
};
use btleplug::platform::{Adapter, Peripheral};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::advertisement::{Advertisement, GattVariant, Likelihood, short_form};
use crate::{MacAddress, Transport};

/// Modules that never negotiate a larger packet take 20 bytes per write.
const WRITE_LEN: usize = 20;

/// A connected peripheral as a [`Transport`].
///
/// Keep one per device for as long as the process lives: the notification
/// stream survives a lost link, and dropping streams under traffic makes the
/// Linux backend misbehave. It does not notice a lost link by itself; watch
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
    /// Finds the pair of characteristics of a connected peripheral and
    /// subscribes to its notifications.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Unsupported` with the characteristics found if none of the
    /// known pairs is there; otherwise what the Bluetooth stack says.
    pub async fn new(peripheral: Peripheral) -> io::Result<Self> {
        peripheral.discover_services().await.map_err(io_error)?;
        let characteristics = peripheral.characteristics();
        let pair = |variant: &GattVariant| {
            let find = |number: u128| {
                characteristics.iter().find(|characteristic| {
                    characteristic.service_uuid == Uuid::from_u128(variant.service())
                        && characteristic.uuid == Uuid::from_u128(number)
                })
            };
            find(variant.notify()).zip(find(variant.write()))
        };
        let Some((notify, write)) = GattVariant::ALL.iter().find_map(pair) else {
            let found: Vec<_> = characteristics.iter().map(|c| c.uuid.to_string()).collect();
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "no known pair of characteristics among {}",
                    found.join(", ")
                ),
            ));
        };
        let (notify, write) = (notify.clone(), write.clone());
        let write_type = match write.properties {
            flags if flags.contains(CharPropFlags::WRITE_WITHOUT_RESPONSE) => {
                WriteType::WithoutResponse
            }
            _ => WriteType::WithResponse,
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

    /// Overrides the kind of write, for modules that announce the wrong one.
    #[must_use]
    pub fn with_response(mut self, with_response: bool) -> Self {
        self.write_type = match with_response {
            true => WriteType::WithResponse,
            false => WriteType::WithoutResponse,
        };
        self
    }

    /// Subscribes again after the peripheral was connected again.
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

    /// The device's own address: from its advertisement where it tells it there,
    /// because the radio's may be random or hidden by the operating system.
    pub fn address(&self) -> impl Future<Output = Option<MacAddress>> + Send + use<> {
        let peripheral = self.peripheral.clone();
        async move {
            let properties = peripheral.properties().await.ok().flatten()?;
            hidden_address(&properties).or_else(|| radio_address(&properties))
        }
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
        for part in bytes.chunks(WRITE_LEN) {
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

/// Which device [`find`] looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// The first one that is likely to speak this protocol.
    Any,
    /// The one with this advertised name.
    Name(String),
    /// The one with this address.
    Address(MacAddress),
}

/// Scans until the wanted device is heard, or `None` when the time is over. The
/// scan is stopped either way.
///
/// A device that is connected to a phone does not advertise. Dropping the future
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
        Wanted::Any => likelihood(properties) == Likelihood::Likely,
        Wanted::Name(name) => {
            let names = [&properties.advertisement_name, &properties.local_name];
            names.into_iter().flatten().any(|heard| heard == name)
        }
        Wanted::Address(address) => {
            let addresses = [radio_address(properties), hidden_address(properties)];
            addresses.contains(&Some(*address))
        }
    }
}

/// How likely a scanned device speaks this protocol.
#[must_use]
pub fn likelihood(properties: &PeripheralProperties) -> Likelihood {
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
    Advertisement {
        name,
        address: radio_address(properties),
        services: &services,
        manufacturer_data: &manufacturer_data,
    }
    .likelihood()
}

/// macOS hides it behind zeros.
fn radio_address(properties: &PeripheralProperties) -> Option<MacAddress> {
    let octets = properties.address.into_inner();
    (octets != [0; 6]).then(|| MacAddress::new(octets))
}

fn hidden_address(properties: &PeripheralProperties) -> Option<MacAddress> {
    properties
        .manufacturer_data
        .iter()
        .find_map(|(&company, data)| MacAddress::from_manufacturer_data(company, data))
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
    fn futures_can_move_between_threads() {
        fn is_send<T: Send>(_: impl FnOnce() -> T) {}
        is_send(|| async {
            let peripheral: Peripheral = std::future::pending().await;
            let mut transport = BleTransport::new(peripheral).await?;
            transport.resubscribe().await?;
            transport.address().await;
            transport.send(&[]).await?;
            transport.recv().await
        });
    }
}
