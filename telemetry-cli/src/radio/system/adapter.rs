//! The way to the adapter: bus, service, adapter, and its one stream of events.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use btleplug::api::{Central as _, CentralEvent, CentralState, Manager as _, Peripheral as _};
use btleplug::platform::{Adapter, Manager, Peripheral, PeripheralId};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::broadcast;

use super::Settings;
use super::device::Device;
use super::failure::Failure;
use super::scan::{Sighting, sighting};
use crate::radio::Target;

/// Events that a listener may lag behind. One that misses some looks anew at
/// the next advertisement.
const EVENTS: usize = 1024;

/// Devices to remember before the idle ones are forgotten. Each costs a match
/// rule on the bus, of which there are 512, and some take a new address every
/// time they wake up.
const DEVICES: usize = 64;

/// The connection to the bus and the adapter in use; made anew when the bus
/// was restarted or the adapter replaced.
#[derive(Debug, Default)]
pub(super) struct Place {
    manager: Option<Manager>,
    base: Option<Arc<Base>>,
}

impl Place {
    /// The adapter, ready to be used.
    pub(super) async fn base(&mut self, settings: &Settings) -> Result<Arc<Base>, Failure> {
        match self.check(settings).await {
            // Once more with a new connection: the bus may have been restarted.
            Err(Failure::BusLost(reason)) => {
                tracing::warn!(reason, "connecting to the system bus again");
                *self = Self::default();
                self.check(settings).await
            }
            result => result,
        }
    }

    /// Makes the next use begin with a new connection to the bus, unless `base`
    /// is none that is in use. What belongs to the old connection is left
    /// alone: it cannot be closed from here, and ending streams on a dead
    /// connection only makes the stack panic.
    pub(super) fn leave(&mut self, base: &Arc<Base>) {
        if self
            .base
            .as_ref()
            .is_some_and(|used| Arc::ptr_eq(used, base))
        {
            *self = Self::default();
        }
    }

    async fn check(&mut self, settings: &Settings) -> Result<Arc<Base>, Failure> {
        let manager = match &self.manager {
            Some(manager) => manager.clone(),
            None => self.manager.insert(connect().await?).clone(),
        };
        let (name, adapter) = choose(&manager, settings).await?;
        if let Some(base) = self.base.as_ref().filter(|base| base.name == name) {
            return Ok(base.clone());
        }
        tracing::debug!(adapter = name, "using this adapter");
        let base = Base::open(name, adapter, settings.call_limit).await?;
        Ok(self.base.insert(base).clone())
    }
}

/// Connects to the bus, which blocks.
async fn connect() -> Result<Manager, Failure> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(Manager::new()))
        .await
        .map_err(|error| Failure::Other(error.to_string()))?
        .map_err(|error| match Failure::from(error) {
            Failure::Other(text) | Failure::BusLost(text) => Failure::NoBus(text),
            failure => failure,
        })
}

/// The adapter that is asked for, else the first that is on. It is never
/// switched on from here: somebody may have had a reason to switch it off.
async fn choose(manager: &Manager, settings: &Settings) -> Result<(String, Adapter), Failure> {
    let limit = settings.call_limit;
    let mut adapters = Vec::new();
    let mut others = Vec::new();
    for adapter in in_time(limit, manager.adapters()).await? {
        // The name is followed by what the hardware calls itself.
        let name = in_time(limit, adapter.adapter_info()).await?;
        let name = name.split_whitespace().next().unwrap_or_default();
        let wanted = settings.adapter.as_deref();
        if wanted.is_none_or(|wanted| wanted == name) {
            adapters.push((name.to_owned(), adapter));
            continue;
        }
        // Some systems do not tell.
        let address = in_time(limit, adapter.adapter_address()).await;
        match address.ok().flatten().map(|address| address.to_string()) {
            Some(address) if wanted.is_some_and(|of| of.eq_ignore_ascii_case(&address)) => {
                adapters.push((name.to_owned(), adapter));
            }
            Some(address) => others.push(format!("{name} ({address})")),
            None => others.push(name.to_owned()),
        }
    }
    if adapters.is_empty() {
        others.sort();
        return Err(match &settings.adapter {
            Some(wanted) if !others.is_empty() => Failure::OtherAdapters {
                wanted: wanted.clone(),
                found: others.join(", "),
            },
            _ => Failure::NoAdapter,
        });
    }
    // They come in no order.
    adapters.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, adapter) in adapters {
        if in_time(limit, adapter.adapter_state()).await? == CentralState::PoweredOn {
            return Ok((name, adapter));
        }
    }
    Err(Failure::AdapterOff)
}

/// What `call` says, in our terms; a bus that does not answer is lost.
pub(super) async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = btleplug::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => Err(Failure::BusLost(format!("no reply within {limit:?}"))),
    }
}

/// One adapter, and what is known through it.
pub(super) struct Base {
    pub(super) adapter: Adapter,
    name: String,
    /// The adapter's events, for whoever scans.
    events: broadcast::Sender<CentralEvent>,
    devices: Mutex<HashMap<PeripheralId, Arc<Device>>>,
    /// Devices that the operating system has a connection to.
    connected: Mutex<HashSet<PeripheralId>>,
    /// Where targets were found last.
    found: Mutex<HashMap<Target, Sighting>>,
}

impl Base {
    /// Opens the stream of events before any other stream and never ends it:
    /// dbus-daemon confuses the rules of streams that differ in their path
    /// only, and this oldest and widest one keeps all of them alive.
    async fn open(name: String, adapter: Adapter, limit: Duration) -> Result<Arc<Self>, Failure> {
        let stream = in_time(limit, adapter.events()).await?;
        let (events, _) = broadcast::channel(EVENTS);
        let base = Arc::new(Self {
            adapter,
            name,
            events,
            devices: Mutex::default(),
            connected: Mutex::default(),
            found: Mutex::default(),
        });
        for peripheral in in_time(limit, base.adapter.peripherals()).await? {
            if let Ok(true) = in_time(limit, peripheral.is_connected()).await {
                lock(&base.connected).insert(peripheral.id());
            }
        }
        tokio::spawn(base.clone().pump(stream));
        Ok(base)
    }

    pub(super) fn events(&self) -> broadcast::Receiver<CentralEvent> {
        self.events.subscribe()
    }

    /// The device behind `peripheral`; the same one each time, for the sake
    /// of its notification stream.
    pub(super) fn device(&self, peripheral: &Peripheral) -> Arc<Device> {
        let mut devices = lock(&self.devices);
        if devices.len() >= DEVICES {
            devices.retain(|_, device| !device.is_idle());
        }
        let device = devices
            .entry(peripheral.id())
            .or_insert_with(|| Arc::new(Device::new(peripheral.clone())));
        device.clone()
    }

    /// Where `target` was found last.
    pub(super) fn found(&self, target: &Target) -> Option<Sighting> {
        lock(&self.found).get(target).cloned()
    }

    pub(super) fn remember(&self, target: &Target, sighting: &Sighting) {
        lock(&self.found).insert(target.clone(), sighting.clone());
    }

    pub(super) fn forget(&self, target: &Target) {
        lock(&self.found).remove(target);
    }

    /// `target`, if the operating system is connected to it: then it does not
    /// advertise, and no scan would find it. A process that was killed leaves
    /// such connections.
    pub(super) async fn held(&self, target: &Target, limit: Duration) -> Option<Sighting> {
        let held = self.all_held(limit).await.into_iter();
        let mut held = held.filter(|sighting| sighting.seen.is(target));
        held.next()
    }

    /// All devices that the operating system is connected to.
    pub(super) async fn all_held(&self, limit: Duration) -> Vec<Sighting> {
        let connected: Vec<_> = lock(&self.connected).iter().cloned().collect();
        let mut held = Vec::new();
        for id in connected {
            let Ok(peripheral) = in_time(limit, self.adapter.peripheral(&id)).await else {
                continue;
            };
            // A service that was killed in between told nobody.
            if in_time(limit, peripheral.is_connected()).await == Ok(true)
                && let Some(mut sighting) = sighting(peripheral, limit).await
            {
                sighting.seen.connected = true;
                held.push(sighting);
            }
        }
        held
    }

    async fn pump(self: Arc<Self>, mut stream: Pin<Box<dyn Stream<Item = CentralEvent> + Send>>) {
        while let Some(event) = stream.next().await {
            match &event {
                CentralEvent::DeviceConnected(id) => {
                    lock(&self.connected).insert(id.clone());
                    if let Some(device) = lock(&self.devices).get(id) {
                        device.came();
                    }
                }
                CentralEvent::DeviceDisconnected(id) => {
                    lock(&self.connected).remove(id);
                    if let Some(device) = lock(&self.devices).get(id) {
                        device.went();
                    }
                }
                CentralEvent::StateUpdate(CentralState::PoweredOff) => {
                    lock(&self.connected).clear();
                    for device in lock(&self.devices).values() {
                        device.went();
                    }
                }
                _ => {}
            }
            // Nobody scans: nobody listens.
            let _ = self.events.send(event);
        }
    }
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Nothing that holds these locks can panic half-way.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
