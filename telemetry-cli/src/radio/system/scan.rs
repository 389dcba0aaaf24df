//! One scan for all who look for a device.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use btleplug::api::{Central as _, CentralEvent, CentralState, Peripheral as _};
use btleplug::api::{PeripheralProperties, ScanFilter};
use btleplug::platform::{Peripheral, PeripheralId};
use jbd_bms::MacAddress;
use tokio::sync::{broadcast, oneshot};

use super::Shared;
use super::adapter::{Base, in_time, lock};
use super::failure::Failure;
use crate::radio::{Seen, Target};

/// How often time is taken off the searches.
const TICK: Duration = Duration::from_millis(100);

/// A device advertises up to fifty times a second; looking at it costs a call.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A scan that was cut short for a connection goes on for at least this long
/// when its turn comes again, so that devices found never starve the missing.
const TURN: Duration = Duration::from_secs(1);

/// A device and what it advertised.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) peripheral: Peripheral,
    pub(super) seen: Seen,
}

/// Somebody who waits for sightings.
#[derive(Debug)]
pub(super) struct Search {
    /// `None` collects everything for as long as time is left.
    target: Option<Target>,
    /// Time of scanning, not of waiting for a turn.
    left: Duration,
    found: HashMap<PeripheralId, Sighting>,
    reply: oneshot::Sender<Result<Vec<Sighting>, Failure>>,
}

/// All searches; a task scans for as long as there are any.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: Vec<Search>,
    scanning: bool,
}

impl Shared {
    /// Listens until `target` is heard.
    pub(super) async fn look_for(self: &Arc<Self>, target: &Target) -> Result<Sighting, Failure> {
        let limit = self.settings.scan_limit;
        let mut found = self.search(Some(target.clone()), limit).await?;
        found.pop().ok_or(Failure::NotHeard)
    }

    /// Listens for `duration`.
    pub(super) async fn look_around(
        self: &Arc<Self>,
        duration: Duration,
    ) -> Result<Vec<Sighting>, Failure> {
        self.search(None, duration).await
    }

    async fn search(
        self: &Arc<Self>,
        target: Option<Target>,
        left: Duration,
    ) -> Result<Vec<Sighting>, Failure> {
        let (reply, found) = oneshot::channel();
        {
            let mut searches = lock(&self.searches);
            searches.open.push(Search {
                target,
                left,
                found: HashMap::new(),
                reply,
            });
            if !searches.scanning {
                searches.scanning = true;
                self.tasks.spawn(self.clone().scan());
            }
        }
        found.await.unwrap_or(Err(Failure::Cancelled))
    }

    /// Scans in turn with the connections until nobody searches any more.
    async fn scan(self: Arc<Self>) {
        let _over = Over(self.clone());
        let mut cut_short = false;
        loop {
            let turn = self.turn().await;
            let least = if cut_short { TURN } else { Duration::ZERO };
            let result = match turn {
                Ok(_turn) => self.scan_for_a_turn(least).await,
                Err(failure) => Err(failure),
            };
            cut_short = true;
            let mut searches = lock(&self.searches);
            if let Err(failure) = result {
                searches.fail(&failure);
            }
            if searches.is_over() {
                searches.scanning = false;
                return;
            }
        }
    }

    async fn scan_for_a_turn(&self, least: Duration) -> Result<(), Failure> {
        let base = self.base().await?;
        // Before the scan, to miss nothing of it.
        let events = base.events();
        let limit = self.settings.call_limit;
        match in_time(limit, base.adapter.start_scan(ScanFilter::default())).await {
            // Left over from a stop that failed; it serves as well.
            Ok(()) | Err(Failure::Busy) => {}
            Err(failure) => return Err(failure),
        }
        let heard = self.hear(&base, events, least).await;
        // Stopped before connecting: real controllers share one radio.
        if let Err(failure) = in_time(limit, base.adapter.stop_scan()).await {
            tracing::debug!(?failure, "the scan did not stop");
        }
        heard
    }

    async fn hear(
        &self,
        base: &Base,
        mut events: broadcast::Receiver<CentralEvent>,
        least: Duration,
    ) -> Result<(), Failure> {
        let mut looked: HashMap<PeripheralId, (Peripheral, Instant)> = HashMap::new();
        let began = Instant::now();
        let mut accounted = began;
        let mut tick = tokio::time::interval(TICK);
        loop {
            let event = tokio::select! {
                event = events.recv() => event.ok(),
                _ = tick.tick() => None,
                () = self.closing.cancelled() => return Err(Failure::Cancelled),
            };
            match event {
                Some(CentralEvent::StateUpdate(CentralState::PoweredOff)) => {
                    return Err(Failure::AdapterOff);
                }
                Some(event) => {
                    if let Some(id) = advertiser(&event)
                        && let Some(sighting) =
                            look(base, id, &mut looked, self.settings.call_limit).await
                    {
                        lock(&self.searches).heard(&sighting);
                    }
                }
                None => {}
            }
            let now = Instant::now();
            let mut searches = lock(&self.searches);
            searches.pass(now - accounted);
            accounted = now;
            if searches.is_over() {
                return Ok(());
            }
            if self.is_wanted() && now - began >= least {
                return Ok(());
            }
        }
    }
}

/// However the scan ends, nobody is left waiting for it.
struct Over(Arc<Shared>);

impl Drop for Over {
    fn drop(&mut self) {
        let mut searches = lock(&self.0.searches);
        if std::thread::panicking() {
            searches.fail(&Failure::Other("the scan failed".to_owned()));
            searches.scanning = false;
        }
    }
}

impl Searches {
    fn heard(&mut self, sighting: &Sighting) {
        for search in &mut self.open {
            let wanted = search.target.as_ref();
            if wanted.is_none_or(|target| sighting.seen.is(target)) {
                let id = sighting.peripheral.id();
                search.found.insert(id, sighting.clone());
            }
        }
        self.answer(|search| search.target.is_some() && !search.found.is_empty());
    }

    fn pass(&mut self, time: Duration) {
        for search in &mut self.open {
            search.left = search.left.saturating_sub(time);
        }
        self.answer(|search| search.left.is_zero());
    }

    fn answer(&mut self, due: impl Fn(&Search) -> bool) {
        for search in self.open.extract_if(.., |search| due(search)) {
            let found = search.found.into_values().collect();
            // Nobody waits any more.
            let _ = search.reply.send(Ok(found));
        }
    }

    fn fail(&mut self, failure: &Failure) {
        for search in self.open.drain(..) {
            let _ = search.reply.send(Err(failure.clone()));
        }
    }

    /// True once nobody waits.
    fn is_over(&mut self) -> bool {
        self.open.retain(|search| !search.reply.is_closed());
        self.open.is_empty()
    }
}

fn advertiser(event: &CentralEvent) -> Option<&PeripheralId> {
    match event {
        CentralEvent::DeviceDiscovered(id)
        | CentralEvent::DeviceUpdated(id)
        | CentralEvent::RssiUpdate { id, .. }
        | CentralEvent::ManufacturerDataAdvertisement { id, .. }
        | CentralEvent::ServiceDataAdvertisement { id, .. }
        | CentralEvent::ServicesAdvertisement { id, .. } => Some(id),
        _ => None,
    }
}

/// What the device says of itself now. No event carries its name, and a name
/// that comes late makes no event of its own.
async fn look(
    base: &Base,
    id: &PeripheralId,
    looked: &mut HashMap<PeripheralId, (Peripheral, Instant)>,
    limit: Duration,
) -> Option<Sighting> {
    let peripheral = match looked.get(id) {
        Some((_, at)) if at.elapsed() < LOOK_AGAIN => return None,
        Some((peripheral, _)) => peripheral.clone(),
        None => in_time(limit, base.adapter.peripheral(id)).await.ok()?,
    };
    looked.insert(id.clone(), (peripheral.clone(), Instant::now()));
    let sighting = sighting(peripheral, limit).await?;
    // Without a signal strength it is remembered, not heard.
    sighting.seen.rssi_dbm.is_some().then_some(sighting)
}

/// What the operating system knows of a device.
pub(super) async fn sighting(peripheral: Peripheral, limit: Duration) -> Option<Sighting> {
    let properties = in_time(limit, peripheral.properties()).await.ok()??;
    let id = peripheral.id();
    let seen = Seen {
        address: address(&properties, &id),
        name: name(&properties),
        rssi_dbm: properties.rssi,
        services: properties.services.iter().map(|of| of.as_u128()).collect(),
        manufacturer_data: properties.manufacturer_data.into_iter().collect(),
        connected: false,
    };
    Some(Sighting { peripheral, seen })
}

fn address(properties: &PeripheralProperties, id: &PeripheralId) -> String {
    let radio = properties.address.into_inner();
    if radio != [0; 6] {
        return radio.map(|byte| format!("{byte:02X}")).join(":");
    }
    let hidden = properties
        .manufacturer_data
        .iter()
        .find_map(|(&company, data)| MacAddress::from_manufacturer_data(company, data));
    hidden.map_or_else(
        || id.to_string(),
        |hidden| hidden.to_string().to_uppercase(),
    )
}

/// What the device calls itself, or what its user calls it. BlueZ makes an
/// alias of the address when it knows neither.
fn name(properties: &PeripheralProperties) -> Option<String> {
    let alias = properties.local_name.as_ref();
    let dashes = properties.address.to_string().replace(':', "-");
    let alias = alias.filter(|alias| !alias.eq_ignore_ascii_case(&dashes));
    properties.advertisement_name.as_ref().or(alias).cloned()
}
