mod builder;
mod vehicle;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

pub use builder::ClientBuilder;
pub use vehicle::Vehicle;

use crate::account::ReadTimezone;
use crate::answer::{Verdict, judge};
use crate::endpoint::{Endpoint, Reach};
use crate::error::{Call, Error, LoginError};
use crate::login::Credentials;
use crate::message::{
    ChangeMessages, MessageGroup, MessageList, Messages, NotificationList, UnreadCount,
};
use crate::poll::{EventPoll, NO_EVENT, Next, PollTimings};
use crate::region::Region;
use crate::session::{Session, Urgency};
use crate::token::Token;
use crate::vehicle::{VehicleInfo, VehicleList};
use crate::vin::Vin;
use crate::wire::{Arrived, Wire};

/// An account in the cloud. Cheap to clone; all clones share one session, which
/// is opened when it is needed. All cars of an account must share one client.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    wire: Wire,
    session: Session,
    timings: PollTimings,
    turns: Mutex<HashMap<Vin, Turn>>,
}

/// Whose turn it is to talk to a car.
type Turn = Arc<tokio::sync::Mutex<()>>;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.wire.base_url)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with all defaults.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if TLS cannot be set up.
    pub fn new(region: Region, credentials: Credentials) -> Result<Self, Error> {
        Self::builder(region, credentials).build()
    }

    /// A client to be configured.
    #[must_use]
    pub fn builder(region: Region, credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(region, credentials)
    }

    /// Opens a session now, even if another device logged in to the account or
    /// earlier attempts were refused; ends that of the other device. Not needed
    /// before other calls.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the cloud refuses; others if it cannot be reached.
    pub async fn login(&self) -> Result<(), Error> {
        self.inner.session.forget().await;
        #[cfg(feature = "india")]
        if let Some(india) = &self.inner.wire.india {
            india.forget_refusal();
        }
        self.token(Urgency::Login).await.map(drop)
    }

    /// The cars of the account. Endpoint `/vehicle/list`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn vehicles(&self) -> Result<Vec<VehicleInfo>, Error> {
        self.call(&VehicleList).await
    }

    /// A car of the account, with what its model is known for. `None` if the
    /// cloud gave no VIN.
    #[must_use]
    pub fn vehicle(&self, info: &VehicleInfo) -> Option<Vehicle> {
        let profile = crate::Profile::of(info);
        let vin = info.vin.clone()?;
        Some(self.vehicle_by_vin(vin).with_profile(profile))
    }

    /// A car by its VIN alone, taken for an unknown series.
    #[must_use]
    pub fn vehicle_by_vin(&self, vin: impl Into<Vin>) -> Vehicle {
        Vehicle::new(self.clone(), vin.into())
    }

    /// The time zone of the account, such as `Europe/Rome`; a cheap way to see
    /// whether the session lives. Endpoint `/user/timezone`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn timezone(&self) -> Result<Option<String>, Error> {
        Ok(self.call(&ReadTimezone).await?.name)
    }

    /// A page of messages, from page 1. Wakes no car. Endpoint `/message/list`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn messages(
        &self,
        group: MessageGroup,
        page: u32,
        page_size: u32,
    ) -> Result<Messages, Error> {
        let list = MessageList {
            group,
            page,
            page_size,
        };
        self.call(&list).await
    }

    /// How many messages are unread. Endpoint `/message/unreadCount`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn unread_messages(&self) -> Result<Messages, Error> {
        self.call(&UnreadCount).await
    }

    /// Notifications. Endpoint `/message/notificationList`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn notifications(&self) -> Result<Messages, Error> {
        self.call(&NotificationList).await
    }

    /// Marks messages as read or deletes them. Endpoint `/message/status`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn change_messages(&self, change: &ChangeMessages) -> Result<(), Error> {
        self.call(change).await
    }

    /// Answers whose signature was wrong or missing. The client goes on unless it is
    /// [strict](ClientBuilder::strict_signatures).
    #[must_use]
    pub fn bad_signatures(&self) -> u64 {
        self.inner.wire.bad_signatures.load(Ordering::Relaxed)
    }

    /// Any endpoint. All other methods are short forms of this one.
    ///
    /// A call to a car waits until no other call to that car is under way, then
    /// until the car has answered. Dropping the future stops asking; the car
    /// may act all the same.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn call<E: Endpoint>(&self, endpoint: &E) -> Result<E::Answer, Error> {
        let call = Call {
            name: endpoint.name(),
            vin: endpoint.vin().cloned(),
        };
        let data = match endpoint.reach() {
            Reach::Cloud => self.ask_cloud(endpoint, &call).await?,
            Reach::Car => {
                let _turn = self.turn(endpoint.vin()).await;
                self.ask_car(endpoint, &call).await?
            }
        };
        let read = endpoint.read(data.as_deref());
        read.map_err(|source| Error::Unreadable { call, source })
    }

    async fn ask_cloud<E: Endpoint>(
        &self,
        endpoint: &E,
        call: &Call,
    ) -> Result<Option<String>, Error> {
        let mut lost_before = false;
        loop {
            let token = self.token(urgency(endpoint)).await?;
            let arrived = self
                .inner
                .wire
                .exchange(endpoint, Some(&token), None)
                .await?;
            match verdict(arrived).0 {
                Verdict::Done(data) => return Ok(data),
                lost @ Verdict::SessionLost { .. } => {
                    self.session_lost(lost, &token, &mut lost_before).await?;
                }
                other => return Err(other.into_error(call.clone())),
            }
        }
    }

    async fn ask_car<E: Endpoint>(
        &self,
        endpoint: &E,
        call: &Call,
    ) -> Result<Option<String>, Error> {
        let started = Instant::now();
        let timing = self.inner.timings.of(endpoint.is_command());
        let mut poll = EventPoll::new(timing, started.elapsed());
        let mut lost_before = false;
        loop {
            let token = match self.token(urgency(endpoint)).await {
                Ok(token) => token,
                // The car may act all the same: the caller must hear of that.
                Err(error) if endpoint.is_command() && poll.event_id() != NO_EVENT => {
                    return Err(Error::Unreachable {
                        call: call.clone(),
                        event_id: poll.event_id().to_owned(),
                        attempts: poll.attempts(),
                        message: error.to_string(),
                    });
                }
                Err(error) => return Err(error),
            };
            let sent = self
                .inner
                .wire
                .exchange(endpoint, Some(&token), Some(poll.event_id()))
                .await;
            let pause = match sent {
                Ok(arrived) => {
                    let (verdict, event_id) = verdict(arrived);
                    match poll.answered(verdict, event_id.as_deref(), started.elapsed()) {
                        Next::Done(data) => return Ok(data),
                        Next::Again(pause) => pause,
                        // Not carried out, so that the same request is no repetition.
                        Next::Failed(lost @ Verdict::SessionLost { .. }) => {
                            self.session_lost(lost, &token, &mut lost_before).await?;
                            continue;
                        }
                        Next::Failed(verdict) => return Err(verdict.into_error(call.clone())),
                        Next::Unreachable { message } => {
                            return Err(Error::Unreachable {
                                call: call.clone(),
                                event_id: poll.event_id().to_owned(),
                                attempts: poll.attempts(),
                                message,
                            });
                        }
                    }
                }
                Err(error) => match poll.disturbed(started.elapsed()) {
                    Some(pause) => {
                        tracing::debug!(call = %call, %error, "asking again for the event");
                        pause
                    }
                    None => return Err(after_acceptance(error, poll.event_id())),
                },
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn token(&self, urgency: Urgency) -> Result<Token, Error> {
        self.inner.session.token(&self.inner.wire, urgency).await
    }

    /// Gives up the token, once per call: a session that was opened for this
    /// call and is refused too will not get better.
    async fn session_lost(
        &self,
        verdict: Verdict,
        token: &Token,
        lost_before: &mut bool,
    ) -> Result<(), Error> {
        if let Verdict::SessionLost { code, message } = verdict
            && std::mem::replace(lost_before, true)
        {
            return Err(LoginError::SessionRefused { code, message }.into());
        }
        self.inner.session.lost(&self.inner.wire, token).await;
        Ok(())
    }

    /// Waits until nobody else talks to the car.
    async fn turn(&self, vin: Option<&Vin>) -> Option<OwnedMutexGuard<()>> {
        let vin = vin?;
        let turn = {
            let mut turns = self
                .inner
                .turns
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(vin.clone()).or_default())
        };
        Some(turn.lock_owned().await)
    }
}

fn urgency<E: Endpoint>(endpoint: &E) -> Urgency {
    if endpoint.takes_over() {
        Urgency::Command
    } else {
        Urgency::Read
    }
}

fn verdict(arrived: Arrived) -> (Verdict, Option<String>) {
    let Arrived {
        status,
        event_id,
        retry_after,
        answer,
    } = arrived;
    (judge(status, retry_after, answer), event_id)
}

/// Once the cloud has accepted a call, nothing that fails later undoes that.
fn after_acceptance(error: Error, event_id: &str) -> Error {
    match error {
        Error::NotSent { call, source } if event_id != NO_EVENT => {
            Error::MaybeSent { call, source }
        }
        other => other,
    }
}
