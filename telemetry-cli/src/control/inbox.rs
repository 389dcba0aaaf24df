use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::Control;
use crate::event::DeviceId;
use crate::lock::lock;
use crate::value::Value;

/// A command on its way to the source that carries it out. Whoever drops it
/// leaves open whether it took effect.
#[derive(Debug)]
pub struct Request {
    /// Which of the source's devices is told.
    pub device: DeviceId,
    /// What is to be changed.
    pub control: &'static Control,
    /// To what; of the type that its form says.
    pub value: Value,
    /// Later than this it must not be sent any more.
    pub expires: Instant,
    number: u64,
    reply: oneshot::Sender<Result<(), String>>,
}

impl Request {
    /// Tells whoever waits: it took effect, or why not.
    pub fn answer(self, outcome: Result<(), String>) {
        // Nobody waits any more.
        let _ = self.reply.send(outcome);
    }
}

/// Requests that wait for one source; cheap to clone. It outlives the
/// restarts of the source: what comes in between waits.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    next_number: u64,
    /// Why the source cannot reach its device, if it cannot.
    trouble: Option<String>,
}

/// A request that was handed in.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) outcome: oneshot::Receiver<Result<(), String>>,
}

impl Inbox {
    /// The next request. Cancel safe.
    pub async fn next(&self) -> Request {
        loop {
            // Asked for before looking: what arrives in between is not missed.
            let arrived = self.0.arrived.notified();
            if let Some(request) = self.try_next() {
                return request;
            }
            arrived.await;
        }
    }

    /// The next request, if one waits.
    pub fn try_next(&self) -> Option<Request> {
        self.waiting().requests.pop_front()
    }

    /// The device cannot be reached, for this reason; requests wait for it.
    pub fn unreachable(&self, reason: &str) {
        self.waiting().trouble = Some(reason.to_owned());
    }

    /// The device can be reached.
    pub fn reachable(&self) {
        self.waiting().trouble = None;
    }

    /// Hands in a request. One for the same control of the device that still waits is
    /// answered: this one takes its place.
    pub(super) fn push(
        &self,
        device: DeviceId,
        control: &'static Control,
        value: Value,
        expires: Instant,
    ) -> Ticket {
        let (reply, outcome) = oneshot::channel();
        let mut waiting = self.waiting();
        let number = waiting.next_number;
        waiting.next_number += 1;
        let same =
            (waiting.requests.iter()).position(|of| of.control == control && of.device == device);
        let request = Request {
            device,
            control,
            value,
            expires,
            number,
            reply,
        };
        if let Some(replaced) = same.and_then(|at| waiting.requests.remove(at)) {
            replaced.answer(Err("not sent: a newer command took its place".to_owned()));
        }
        waiting.requests.push_back(request);
        drop(waiting);
        self.0.arrived.notify_one();
        Ticket { number, outcome }
    }

    /// Takes request `number` back and tells why the device cannot be
    /// reached, if that is known; `Err` if the source has begun with it.
    pub(super) fn withdraw(&self, number: u64) -> Result<Option<String>, ()> {
        let mut waiting = self.waiting();
        let place = waiting.requests.iter().position(|of| of.number == number);
        let place = place.ok_or(())?;
        waiting.requests.remove(place);
        Ok(waiting.trouble.clone())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.0.waiting)
    }
}
