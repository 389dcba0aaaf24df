//! Pairing with a PIN, for devices that want it.
//!
//! btleplug cannot do it, so this has a connection to the bus of its own: the
//! Bluetooth service asks the agent of whoever calls `Pair`.

use std::sync::Arc;
use std::time::Duration;

use dbus::arg::{AppendAll, ReadAll, Variant};
use dbus::nonblock::{Proxy, SyncConnection};
use dbus::strings::Path;
use dbus_tokio::connection::new_system_sync;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Settings;
use super::agent::{self, Agent, Asked};
use super::failure::Failure;
use crate::config::Pin;

const SERVICE: &str = "org.bluez";
const MANAGER: &str = "org.bluez.AgentManager1";
const DEVICE: &str = "org.bluez.Device1";
const ADAPTER: &str = "org.bluez.Adapter1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Our agent and its connection to the bus; nothing of either before a device
/// with a PIN is connected.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    bus: tokio::sync::Mutex<Option<Arc<Bus>>>,
    agent: Agent,
}

/// The right to pair one device.
#[derive(Clone, Debug)]
pub(super) struct Pairer {
    pairing: Arc<Pairing>,
    /// Its object on the bus.
    device: String,
    pin: Pin,
}

/// One connection to the bus.
struct Bus {
    connection: Arc<SyncConnection>,
    /// Cancelled when it broke.
    lost: CancellationToken,
    _io: AbortOnDropHandle<()>,
}

impl Pairing {
    /// The right to pair the device that the operating system calls `id`, with
    /// `pin`. The agent is there when this returns, if it can be.
    pub(super) async fn pairer(
        self: &Arc<Self>,
        id: &str,
        pin: &Pin,
        settings: &Settings,
    ) -> Pairer {
        let device = format!("/org/bluez/{id}");
        self.agent.begin(&device, pin);
        // Already now: some devices make the service ask as soon as they are
        // connected. Whether it is missed shows if they do.
        if let Err(failure) = self.ready(settings).await {
            tracing::debug!(?failure, "no pairing agent");
        }
        Pairer {
            pairing: self.clone(),
            device,
            pin: pin.clone(),
        }
    }

    /// Takes the agent away.
    pub(super) async fn close(&self, limit: Duration) {
        if let Some(bus) = self.bus.lock().await.take()
            && let Err(failure) = bus
                .call::<(), _>(
                    "/org/bluez",
                    MANAGER,
                    "UnregisterAgent",
                    (path(agent::PATH),),
                    limit,
                )
                .await
        {
            // The service forgets it with the connection at the latest.
            tracing::debug!(?failure, "the pairing agent was not unregistered");
        }
    }

    /// A connection with the agent on it. Registers each time: a service that
    /// was restarted has forgotten it.
    async fn ready(&self, settings: &Settings) -> Result<Arc<Bus>, Failure> {
        let mut place = self.bus.lock().await;
        match self.registered(&mut place, settings).await {
            // Once more with a new connection: the bus may have been restarted.
            Err(Failure::BusLost(_)) => {
                *place = None;
                self.registered(&mut place, settings).await
            }
            result => result,
        }
    }

    async fn registered(
        &self,
        place: &mut Option<Arc<Bus>>,
        settings: &Settings,
    ) -> Result<Arc<Bus>, Failure> {
        if place.as_ref().is_some_and(|bus| bus.lost.is_cancelled()) {
            *place = None;
        }
        let bus = match &*place {
            Some(bus) => bus.clone(),
            None => place.insert(Bus::connect(&self.agent).await?).clone(),
        };
        let limit = settings.call_limit;
        // Before the service can ask: whoever gives up here leaves no agent
        // that trusts nobody.
        let (owner,): (String,) = bus.ask_bus("GetNameOwner", (SERVICE,), limit).await?;
        self.agent.trust(owner);
        let register = (path(agent::PATH), agent::CAPABILITY);
        let registered = bus
            .call::<(), _>("/org/bluez", MANAGER, "RegisterAgent", register, limit)
            .await;
        match registered {
            // Still there, or there again.
            Ok(()) | Err(Failure::Exists) => Ok(bus),
            Err(failure) => Err(failure),
        }
    }
}

impl Pairer {
    /// Pairs the device, which must be in reach.
    pub(super) async fn pair(&self, settings: &Settings) -> Result<(), Failure> {
        // What is wrong with the PIN is said before the device is bothered.
        if let Err(error) = self.pin.reveal() {
            return Err(Failure::PinUnreadable(error.to_string()));
        }
        let bus = self.pairing.ready(settings).await?;
        self.pairing.agent.begin(&self.device, &self.pin);
        let mut attempt = Attempt {
            bus: &bus,
            device: &self.device,
            limit: settings.call_limit,
            over: false,
        };
        let limit = settings.pair_limit;
        let paired = bus.call(&self.device, DEVICE, "Pair", (), limit).await;
        // A reply that did not come in time leaves the attempt going.
        attempt.over = !matches!(paired, Err(Failure::BusLost(_)));
        drop(attempt);
        match paired {
            Ok(()) => {
                tracing::info!(device = self.device, "paired");
                self.pairing.agent.succeeded(&self.device);
                self.trust_device(&bus, settings).await;
                Ok(())
            }
            Err(Failure::Exists) => Err(self.forget_device(&bus, settings).await),
            Err(failure) => Err(self.explain(failure)),
        }
    }

    /// What `failure` means if the service itself began to pair the device,
    /// which it does when a device asks for it. "Pairing needed" if another
    /// attempt would tell more.
    pub(super) async fn judge(&self, failure: Failure, settings: &Settings) -> Failure {
        match self.pairing.agent.asked(&self.device) {
            Asked::No => failure,
            Asked::Unreadable(reason) => Failure::PinUnreadable(reason),
            Asked::Told => match (self.is_paired(settings).await, failure) {
                (Some(false), Failure::PairingNeeded) => Failure::PinRefused,
                (Some(false), _) => Failure::PairingNeeded,
                (Some(true) | None, failure) => failure,
            },
        }
    }

    fn explain(&self, failure: Failure) -> Failure {
        match (self.pairing.agent.asked(&self.device), failure) {
            (Asked::Unreadable(reason), _) => Failure::PinUnreadable(reason),
            (Asked::Told, Failure::PairingNeeded) => Failure::PinRefused,
            (Asked::Told, _) if !self.pairing.agent.may_be_luck(&self.device) => {
                Failure::PinRefused
            }
            (Asked::No, Failure::PairingNeeded) => {
                Failure::NotPaired("it ended the attempt before it asked for the PIN".to_owned())
            }
            (_, Failure::BusLost(_)) => Failure::NotPaired("it does not answer".to_owned()),
            (_, failure) => failure,
        }
    }

    /// So that the service lets it come back without asking anybody.
    async fn trust_device(&self, bus: &Bus, settings: &Settings) {
        let trusted = (DEVICE, "Trusted", Variant(true));
        let limit = settings.call_limit;
        let set = bus.call::<(), _>(&self.device, PROPERTIES, "Set", trusted, limit);
        if let Err(failure) = set.await {
            tracing::debug!(?failure, "the device is not marked as trusted");
        }
    }

    /// It is paired as far as this computer knows, and yet wants to be: the
    /// device forgot, or the pairing was one without a PIN. A new one needs
    /// this computer to forget, too.
    async fn forget_device(&self, bus: &Bus, settings: &Settings) -> Failure {
        tracing::info!(
            device = self.device,
            "its old pairing is of no use: pairing anew"
        );
        let Some((adapter, _)) = self.device.rsplit_once('/') else {
            return Failure::Gone;
        };
        let device = (path(&self.device),);
        let limit = settings.call_limit;
        let removed = bus.call::<(), _>(adapter, ADAPTER, "RemoveDevice", device, limit);
        match removed.await {
            Ok(()) => Failure::Gone,
            Err(failure) => failure,
        }
    }

    async fn is_paired(&self, settings: &Settings) -> Option<bool> {
        let bus = self.pairing.ready(settings).await.ok()?;
        let property = (DEVICE, "Paired");
        let limit = settings.call_limit;
        let get = bus.call::<(Variant<bool>,), _>(&self.device, PROPERTIES, "Get", property, limit);
        match get.await {
            Ok((paired,)) => Some(paired.0),
            Err(Failure::Gone) => Some(false),
            Err(_) => None,
        }
    }
}

/// An attempt that is given up is ended: the service would go on with it.
struct Attempt<'a> {
    bus: &'a Arc<Bus>,
    device: &'a str,
    limit: Duration,
    over: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let (bus, device, limit) = (self.bus.clone(), self.device.to_owned(), self.limit);
        tokio::spawn(async move {
            let cancel = bus.call::<(), _>(&device, DEVICE, "CancelPairing", (), limit);
            if let Err(failure) = cancel.await {
                tracing::debug!(?failure, "the pairing was not cancelled");
            }
        });
    }
}

impl Bus {
    async fn connect(agent: &Agent) -> Result<Arc<Self>, Failure> {
        // It blocks.
        let (io, connection) = tokio::task::spawn_blocking(new_system_sync)
            .await
            .map_err(|error| Failure::Other(error.to_string()))?
            .map_err(|error| Failure::from(&error))?;
        let lost = CancellationToken::new();
        let broken = lost.clone();
        let io = tokio::spawn(async move {
            let error = io.await;
            tracing::debug!(%error, "the agent's connection to the bus broke");
            broken.cancel();
        });
        agent.serve(&connection);
        Ok(Arc::new(Self {
            connection,
            lost,
            _io: AbortOnDropHandle::new(io),
        }))
    }

    /// Calls a method of the Bluetooth service.
    async fn call<R: ReadAll + 'static, A: AppendAll>(
        &self,
        object: &str,
        interface: &str,
        method: &str,
        arguments: A,
        limit: Duration,
    ) -> Result<R, Failure> {
        self.call_at(SERVICE, object, interface, method, arguments, limit)
            .await
    }

    /// Calls a method of the bus itself.
    async fn ask_bus<R: ReadAll + 'static, A: AppendAll>(
        &self,
        method: &str,
        arguments: A,
        limit: Duration,
    ) -> Result<R, Failure> {
        let bus = "org.freedesktop.DBus";
        self.call_at(bus, "/org/freedesktop/DBus", bus, method, arguments, limit)
            .await
    }

    async fn call_at<R: ReadAll + 'static, A: AppendAll>(
        &self,
        name: &str,
        object: &str,
        interface: &str,
        method: &str,
        arguments: A,
        limit: Duration,
    ) -> Result<R, Failure> {
        let proxy = Proxy::new(name, path(object), limit, &*self.connection);
        let reply = proxy.method_call(interface, method, arguments);
        match self.lost.run_until_cancelled(reply).await {
            Some(reply) => reply.map_err(|error| Failure::from(&error)),
            None => Err(Failure::BusLost("the connection broke".to_owned())),
        }
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus")
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

fn path(text: &str) -> Path<'static> {
    Path::from(text.to_owned())
}
