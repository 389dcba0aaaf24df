//! One request at a time, without a clock and without a radio.
//!
//! A [`Session`] says what to write and until when to wait; its owner brings
//! chunks and the time, in milliseconds since any fixed moment. Whether the
//! station encrypts shows in what it sends, never in its name: a session waits a
//! moment for a challenge, answers it if it comes, and goes on in the clear if
//! not. The same session runs under an asynchronous runtime, on a
//! microcontroller and in a test.
//!
//! ```
//! use bluetti_modbus::encryption::NoEntropy;
//! use bluetti_modbus::modbus::{Request, UnitId};
//! use bluetti_modbus::session::{Config, Reply, Session, Step};
//!
//! let mut session = Session::new(Config::new(|_: &mut [u8]| Err(NoEntropy)));
//! session.connected(0);
//! session.begin(Request::read(UnitId::DEFAULT, 16, 1)?, 0);
//! assert_eq!(session.poll(0), Step::Wait { until_ms: 1_000 });
//! assert_eq!(
//!     session.poll(1_000),
//!     Step::Write(&[0x01, 0x03, 0x00, 0x10, 0x00, 0x01, 0x85, 0xCF])
//! );
//! session.received(&[0x01, 0x03, 0x02, 0x07, 0xD5, 0x7B, 0xEB], 1_080);
//! assert_eq!(
//!     session.poll(1_080),
//!     Step::Done(Ok(Reply::Registers(vec![2005])))
//! );
//! # Ok::<(), bluetti_modbus::modbus::RequestError>(())
//! ```

mod config;
mod outcome;
mod outstanding;
mod verdict;

pub use config::{Config, Timing};
pub use outcome::{Reply, Security, SessionCounters, SessionError, Step};

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::assembler::{Assembler, is_module_line};
use crate::encryption::{KexType, LinkEvent, SecureLink};
use crate::modbus::{ExceptionCode, Frame, Request};

use outstanding::Outstanding;
use verdict::{Verdict, judge};

/// A station that starts over so often during one call will not get through it.
const RESTARTS: u8 = 3;
/// How often a request is sent in all while the station says that it is busy.
const BUSY_ATTEMPTS: u8 = 4;
/// Handshake messages that wait to be written; a station sends one at a time.
const OUTGOING: usize = 8;

/// Matches answers to requests; see the [module](self).
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    assembler: Assembler,
    link: SecureLink,
    security: Security,
    call: Option<Request>,
    stage: Stage,
    /// A read whose answer cannot be taken for another one, written before the
    /// call where earlier requests may still be answered. Stations answer in
    /// order: behind its answer no earlier one can come.
    fence: Option<Request>,
    fence_refused: bool,
    fences: u8,
    /// Requests written for the running call.
    asked: u8,
    busy: u8,
    restarts: u8,
    outgoing: VecDeque<Vec<u8>>,
    writing: Vec<u8>,
    outstanding: Outstanding,
    connected_ms: u64,
    handshake_until_ms: u64,
    quiet_until_ms: u64,
    last_chunk_ms: u64,
    /// Why this link is of no more use. Going on in the clear after a handshake
    /// that failed would tell an impostor what was meant for the station.
    broken: Option<SessionError>,
    counters: SessionCounters,
}

#[derive(Debug)]
enum Stage {
    Idle,
    ToWrite {
        from_ms: u64,
    },
    Waiting {
        until_ms: u64,
        timeout_ms: u32,
    },
    /// A damaged answer came: silence until then, `last_ms` at the latest, and
    /// the request goes out again.
    Settling {
        until_ms: u64,
        last_ms: u64,
    },
    Over(Result<Reply, SessionError>),
}

impl Session {
    /// A session at rest.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            timing: config.timing,
            assembler: Assembler::new(),
            link: SecureLink::new(config.verify_key, config.entropy),
            security: Security::Unknown,
            call: None,
            stage: Stage::Idle,
            fence: None,
            fence_refused: false,
            fences: 0,
            asked: 0,
            busy: 0,
            restarts: 0,
            outgoing: VecDeque::new(),
            writing: Vec::new(),
            outstanding: Outstanding::default(),
            connected_ms: 0,
            handshake_until_ms: 0,
            quiet_until_ms: 0,
            last_chunk_ms: 0,
            broken: None,
            counters: SessionCounters::default(),
        }
    }

    /// A link was set up and notifications are on: everything about an earlier
    /// link is forgotten, its keys included.
    pub fn connected(&mut self, now_ms: u64) {
        self.disconnected();
        self.connected_ms = now_ms;
        self.quiet_until_ms = now_ms;
        self.last_chunk_ms = now_ms;
    }

    /// The link has ended: keys are overwritten, a running call is forgotten.
    pub fn disconnected(&mut self) {
        self.abandon();
        self.link.reset();
        self.security = Security::Unknown;
        self.outgoing.clear();
        self.outstanding = Outstanding::default();
        self.broken = None;
    }

    /// Starts a call. One that was still running is forgotten.
    pub fn begin(&mut self, request: Request, now_ms: u64) {
        self.call = Some(request);
        (self.asked, self.busy, self.restarts, self.fences) = (0, 0, 0, 0);
        self.fence = None;
        self.stage = Stage::ToWrite {
            from_ms: self.quiet_until_ms.max(now_ms),
        };
    }

    /// Forgets the running call and what was half received.
    pub fn abandon(&mut self) {
        self.call = None;
        self.fence = None;
        self.stage = Stage::Idle;
        self.assembler.flush();
    }

    /// Whether and how the link is encrypted.
    #[must_use]
    pub fn security(&self) -> Security {
        self.security
    }

    /// What to do now. Time that runs backwards does no harm.
    pub fn poll(&mut self, now_ms: u64) -> Step<'_> {
        if let Some(bytes) = self.outgoing.pop_front() {
            self.writing = bytes;
            return Step::Write(&self.writing);
        }
        if self.call.is_none() {
            return Step::Idle;
        }
        if let Some(error) = self.broken {
            return self.over(error);
        }
        if let Stage::Waiting { until_ms, .. } | Stage::Settling { until_ms, .. } = self.stage
            && now_ms >= until_ms
        {
            if self.fence_refused {
                self.fence_passed(now_ms);
            } else if self.timeout_ms().is_none() {
                return self.over(SessionError::TimedOut {
                    attempts: self.asked.saturating_add(self.fences),
                });
            } else {
                self.stage = Stage::ToWrite { from_ms: now_ms };
            }
        }
        match &mut self.stage {
            Stage::Idle => Step::Idle,
            Stage::ToWrite { from_ms } if now_ms < *from_ms => Step::Wait { until_ms: *from_ms },
            Stage::ToWrite { .. } => self.write(now_ms),
            Stage::Waiting { until_ms, .. } | Stage::Settling { until_ms, .. } => Step::Wait {
                until_ms: *until_ms,
            },
            Stage::Over(_) => {
                self.call = None;
                match core::mem::replace(&mut self.stage, Stage::Idle) {
                    Stage::Over(outcome) => Step::Done(outcome),
                    _ => Step::Idle,
                }
            }
        }
    }

    /// Tells that writing took until now: the time to answer counts from here.
    /// Not needed where writing takes no time.
    pub fn written(&mut self, now_ms: u64) {
        if let Stage::Waiting {
            until_ms,
            timeout_ms,
        } = &mut self.stage
        {
            *until_ms = now_ms.saturating_add(u64::from(*timeout_ms));
        }
    }

    /// What the session saw so far.
    #[must_use]
    pub fn counters(&self) -> SessionCounters {
        SessionCounters {
            assembler: self.assembler.counters(),
            link: self.link.counters(),
            ..self.counters
        }
    }

    fn over(&mut self, error: SessionError) -> Step<'_> {
        self.stage = Stage::Idle;
        self.call = None;
        self.fence = None;
        Step::Done(Err(error))
    }

    /// How long the answer to the next request may take, if one more may be sent.
    fn timeout_ms(&self) -> Option<u32> {
        match &self.call {
            _ if self.fence.is_some() => self.timing.read_ms.get(usize::from(self.fences)).copied(),
            Some(request) if request.is_write() => {
                (self.asked == 0).then_some(self.timing.write_ms)
            }
            _ => self.timing.read_ms.get(usize::from(self.asked)).copied(),
        }
    }

    fn write(&mut self, now_ms: u64) -> Step<'_> {
        if self.security == Security::Unknown {
            let until_ms = self
                .connected_ms
                .saturating_add(u64::from(self.timing.challenge_ms));
            if now_ms < until_ms {
                return Step::Wait { until_ms };
            }
            self.security = Security::Plain;
        }
        if self.security == Security::Handshake {
            if now_ms < self.handshake_until_ms {
                return Step::Wait {
                    until_ms: self.handshake_until_ms,
                };
            }
            let awaited = self.link.awaits().unwrap_or(KexType::Challenge);
            let error = SessionError::HandshakeTimedOut(awaited);
            self.link.reset();
            self.broken = Some(error);
            return self.over(error);
        }
        let Some(call) = &self.call else {
            return Step::Idle;
        };
        let oldest_ms = now_ms.saturating_sub(u64::from(self.timing.late_ms));
        self.fence = self.outstanding.fence_before(call, oldest_ms);
        self.fence_refused = false;
        let Some(timeout_ms) = self.timeout_ms() else {
            let attempts = self.asked.saturating_add(self.fences);
            return self.over(SessionError::TimedOut { attempts });
        };
        let request = self.fence.as_ref().unwrap_or(call);
        let plain = request.to_rtu();
        self.writing = match self.link.seal(&plain) {
            Ok(None) => plain,
            Ok(Some(sealed)) => sealed,
            Err(error) => return self.over(SessionError::Entropy(error)),
        };
        self.outstanding.add(request.clone(), now_ms);
        self.stage = Stage::Waiting {
            until_ms: now_ms.saturating_add(u64::from(timeout_ms)),
            timeout_ms,
        };
        self.counters.requests += 1;
        if self.fence.is_some() {
            self.counters.fences += 1;
            self.fences = self.fences.saturating_add(1);
        } else {
            self.counters.repeated_requests += u64::from(self.asked > 0 || self.busy > 0);
            self.asked = self.asked.saturating_add(1);
        }
        self.assembler.flush();
        self.link.flush();
        Step::Write(&self.writing)
    }

    /// Takes one notification.
    pub fn received(&mut self, chunk: &[u8], now_ms: u64) {
        if self.broken.is_some() {
            return;
        }
        let silence_ms = now_ms.saturating_sub(self.last_chunk_ms);
        if silence_ms > u64::from(self.timing.stale_ms) {
            self.assembler.flush();
            self.link.flush();
        }
        self.last_chunk_ms = now_ms;
        self.quiet_until_ms = now_ms.saturating_add(u64::from(self.timing.spacing_ms));

        if self.link.is_begun() {
            if is_module_line(chunk) {
                self.broken = Some(SessionError::ModuleRestarted);
                return;
            }
            self.link.push(chunk);
            self.link_events(now_ms);
            return;
        }
        // A handshake message starts a notification. Inside an answer the same
        // bytes are register values.
        let starts = chunk.first() == Some(&0x2A) && self.assembler.pending().is_empty();
        if starts || self.link.is_collecting() {
            self.link.push(chunk);
            self.link_events(now_ms);
            if self.link.is_begun() {
                self.assembler.flush();
                return;
            }
        }
        self.plain_chunk(chunk, now_ms);
    }

    fn plain_chunk(&mut self, chunk: &[u8], now_ms: u64) {
        let rejected = self.assembler.counters().rejected_bytes;
        if self.assembler.push(chunk) {
            self.broken = Some(SessionError::ModuleRestarted);
            return;
        }
        let mut verdict = None;
        while let Some(frame) = self.assembler.next_frame() {
            let awaited = self.fence.as_ref().or(self.call.as_ref());
            let awaited = awaited.filter(|_| self.stage.waits() && verdict.is_none());
            match judge(&self.outstanding, awaited, &frame) {
                Verdict::Late { is_refusal } => self.late(is_refusal, now_ms),
                other => verdict = Some(other),
            }
        }
        // Bytes behind the answer that are no answer of the same unit: whatever
        // they are, the count of registers cannot be trusted.
        let unit = self.call.as_ref().map(|call| call.unit().0);
        let trailing = self.assembler.pending().first().copied();
        let glued = trailing.is_some() && trailing != unit;
        match verdict {
            Some(Verdict::Reply(Reply::Registers(_))) if glued => self.damaged(now_ms),
            Some(verdict) => self.apply(verdict, now_ms),
            None if self.assembler.counters().rejected_bytes > rejected => self.damaged(now_ms),
            None => self.unsettled(now_ms),
        }
    }

    fn link_events(&mut self, now_ms: u64) {
        while let Some(event) = self.link.next_event() {
            match event {
                LinkEvent::Challenged(response) => {
                    if self.security != Security::Handshake {
                        self.security = Security::Handshake;
                        self.handshake_until_ms =
                            now_ms.saturating_add(u64::from(self.timing.handshake_ms));
                        self.restart(now_ms);
                    }
                    self.outgoing.clear();
                    self.outgoing.push_back(response);
                }
                LinkEvent::Send(bytes) => {
                    if self.outgoing.len() < OUTGOING {
                        self.outgoing.push_back(bytes);
                    }
                }
                LinkEvent::Ready => self.security = Security::Encrypted,
                LinkEvent::Received(plain) => match Frame::parse(&plain) {
                    Ok(Some((frame, used))) if used == plain.len() => {
                        let awaited = self.fence.as_ref().or(self.call.as_ref());
                        let awaited = awaited.filter(|_| self.stage.waits());
                        let verdict = judge(&self.outstanding, awaited, &frame);
                        self.apply(verdict, now_ms);
                    }
                    _ => self.damaged(now_ms),
                },
                LinkEvent::Damaged => self.damaged(now_ms),
                LinkEvent::Failed(error) => {
                    self.outgoing.clear();
                    self.broken = Some(SessionError::Handshake(error));
                }
            }
        }
    }

    fn apply(&mut self, verdict: Verdict, now_ms: u64) {
        match verdict {
            Verdict::Late { is_refusal } => self.late(is_refusal, now_ms),
            Verdict::Reply(reply) if self.fence.is_some() => match reply {
                Reply::Refused(_) => self.late(true, now_ms),
                _ => self.fence_passed(now_ms),
            },
            Verdict::EchoDiffers => self.stage = Stage::Over(Err(SessionError::EchoDiffers)),
            Verdict::Reply(Reply::Refused(code)) if self.may_ask_again(code) => {
                self.busy += 1;
                self.asked = 0;
                self.stage = Stage::ToWrite {
                    from_ms: now_ms.saturating_add(u64::from(self.timing.busy_ms)),
                };
            }
            Verdict::Reply(reply) => {
                if (self.asked, self.busy) == (1, 0) {
                    self.outstanding.answered();
                }
                self.stage = Stage::Over(Ok(reply));
            }
        }
    }

    /// An answer to an earlier request. Which request a refusal belongs to does
    /// not show: if nothing follows it, it was the fence that was refused.
    fn late(&mut self, is_refusal: bool, now_ms: u64) {
        self.counters.late_answers += 1;
        if let Stage::Waiting { until_ms, .. } = self.stage
            && self.fence.is_some()
            && is_refusal
        {
            self.fence_refused = true;
            let last_ms = until_ms;
            self.stage = Stage::Settling { until_ms, last_ms };
            self.unsettled(now_ms);
        }
    }

    fn fence_passed(&mut self, now_ms: u64) {
        self.outstanding = Outstanding::default();
        self.fence = None;
        self.fence_refused = false;
        self.stage = Stage::ToWrite {
            from_ms: self.quiet_until_ms.max(now_ms),
        };
    }

    /// "Acknowledge" says that a write was taken: that one is not repeated.
    fn may_ask_again(&self, code: ExceptionCode) -> bool {
        let is_write = self.call.as_ref().is_some_and(Request::is_write);
        let not_taken = code == ExceptionCode::ServerDeviceBusy || !is_write;
        code.is_busy() && not_taken && self.busy + 1 < BUSY_ATTEMPTS
    }

    /// Something arrived that was meant to be the answer. A read is repeated as
    /// soon as the station is silent.
    fn damaged(&mut self, now_ms: u64) {
        self.counters.damaged_answers += 1;
        let repeats = |call: &Request| !call.is_write();
        if self.fence.is_none() && !self.call.as_ref().is_some_and(repeats) {
            return;
        }
        if let Stage::Waiting { until_ms, .. } = self.stage {
            let last_ms = until_ms;
            if self.timeout_ms().is_some() {
                self.stage = Stage::Settling {
                    until_ms: last_ms,
                    last_ms,
                };
            }
        }
        self.unsettled(now_ms);
    }

    /// The station is still sending after a damaged answer.
    fn unsettled(&mut self, now_ms: u64) {
        if let Stage::Settling { until_ms, last_ms } = &mut self.stage {
            let settled_ms = now_ms.saturating_add(u64::from(self.timing.settle_ms));
            *until_ms = settled_ms.min(*last_ms);
        }
    }

    /// The station began another handshake. Whether it saw a write is unknown.
    fn restart(&mut self, now_ms: u64) {
        self.outstanding = Outstanding::default();
        let Some(call) = self.call.as_ref().filter(|_| self.stage.waits()) else {
            return;
        };
        self.restarts += 1;
        self.stage = if call.is_write() || self.restarts > RESTARTS {
            Stage::Over(Err(SessionError::Restarted))
        } else {
            self.asked = 0;
            Stage::ToWrite { from_ms: now_ms }
        };
        self.fence = None;
    }
}

impl Stage {
    /// Whether an answer would be taken now.
    fn waits(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Settling { .. })
    }
}
