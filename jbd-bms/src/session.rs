//! One request at a time, without a clock and without a radio.
//!
//! A [`Session`] says what to write and until when to wait; its owner brings
//! chunks and the time, in milliseconds since any fixed moment. The same session
//! runs under an asynchronous runtime, on a microcontroller and in a test.
//!
//! ```
//! use jbd_bms::session::{Call, Reply, Session, Step, Timing};
//! use jbd_bms::{Command, Status};
//!
//! let mut session = Session::new(Timing::default());
//! session.begin(Call::Register(Command::HardwareName.request()), 0);
//! assert!(matches!(session.poll(0), Step::Write([0xDD, 0xA5, 0x05, ..])));
//! session.received(&[0xDD, 0x05, 0x00, 0x01, b'A', 0xFF, 0xBE, 0x77], 80);
//! let Step::Done(Ok(Reply::Register { status, data })) = session.poll(80) else {
//!     panic!("no answer");
//! };
//! assert_eq!((status, data.as_slice()), (Status::Ok, &b"A"[..]));
//! ```

use alloc::vec::Vec;

use crate::Status;
use crate::assembler::{Assembler, Counters};
use crate::frame::{Frame, Request};
use crate::login::ModuleRequest;

/// How long to wait and how often to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Reads: how long to wait for the answer to the first, second, third
    /// request. The first is short because a sleeping board loses it.
    pub read_ms: [u32; 3],
    /// Writes: how long to wait for the only request.
    pub write_ms: u32,
    /// The Bluetooth module's own frames: how long to wait.
    pub module_ms: u32,
    /// Silence between an answer and the next request. Boards sit behind a
    /// serial line of 9600 baud.
    pub spacing_ms: u32,
    /// After this silence an incomplete answer is given up.
    pub stale_ms: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            read_ms: [700, 1500, 3000],
            write_ms: 3000,
            module_ms: 2000,
            spacing_ms: 30,
            stale_ms: 1000,
        }
    }
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// A register of the board. Reads are repeated when unanswered, writes never.
    Register(Request),
    /// A read that many boards do not know: asked twice instead of three times.
    Optional(Request),
    /// The Bluetooth module itself; never repeated.
    Module(ModuleRequest),
}

impl Call {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Register(request) | Self::Optional(request) => request.bytes(),
            Self::Module(request) => request.bytes(),
        }
    }

    fn timeout_ms(&self, asked: u8, timing: &Timing) -> Option<u32> {
        match self {
            Self::Register(request) | Self::Optional(request) if request.is_write() => {
                (asked == 0).then_some(timing.write_ms)
            }
            Self::Register(_) => timing.read_ms.get(usize::from(asked)).copied(),
            Self::Optional(_) => timing.read_ms[..2].get(usize::from(asked)).copied(),
            Self::Module(_) => (asked == 0).then_some(timing.module_ms),
        }
    }
}

/// A complete answer to a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// From the board; a refusal is an answer too.
    Register {
        /// How the board took the request.
        status: Status,
        /// The content.
        data: Vec<u8>,
    },
    /// From the Bluetooth module.
    Module {
        /// The module's command number.
        command: u8,
        /// The content.
        data: Vec<u8>,
    },
}

/// Why a call ended without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Nothing came.
    #[error("unanswered after {attempts} requests")]
    TimedOut {
        /// How often was asked.
        attempts: u8,
    },
    /// The request came back unchanged: the module wants passkey pairing.
    #[error("the request was echoed: pairing needed")]
    Echoed,
}

/// What the owner of a [`Session`] has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing was asked.
    Idle,
    /// Write these bytes, then poll again.
    Write(&'a [u8]),
    /// Wait for a chunk until this time, then poll again.
    Wait {
        /// The moment in the owner's milliseconds.
        until_ms: u64,
    },
    /// The call is over.
    Done(Result<Reply, SessionError>),
}

/// What a [`Session`] saw besides the answers it was waiting for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SessionCounters {
    /// Bytes and frames.
    pub assembler: Counters,
    /// Sound answers that nobody was waiting for.
    pub late_frames: u64,
    /// Requests sent again.
    pub repeated_requests: u64,
}

/// Matches answers to requests; see the [module](self).
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    assembler: Assembler,
    call: Option<Call>,
    stage: Stage,
    asked: u8,
    quiet_until_ms: u64,
    last_chunk_ms: u64,
    late_frames: u64,
    repeated_requests: u64,
}

#[derive(Debug)]
enum Stage {
    Idle,
    ToWrite { from_ms: u64 },
    Waiting { until_ms: u64, timeout_ms: u32 },
    Over(Result<Reply, SessionError>),
}

impl Session {
    /// A session at rest.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            assembler: Assembler::new(),
            call: None,
            stage: Stage::Idle,
            asked: 0,
            quiet_until_ms: 0,
            last_chunk_ms: 0,
            late_frames: 0,
            repeated_requests: 0,
        }
    }

    /// Starts a call. One that was still running is forgotten.
    pub fn begin(&mut self, call: Call, now_ms: u64) {
        self.call = Some(call);
        self.asked = 0;
        self.stage = Stage::ToWrite {
            from_ms: self.quiet_until_ms.max(now_ms),
        };
    }

    /// Forgets the running call and what was half received.
    pub fn abandon(&mut self) {
        self.call = None;
        self.stage = Stage::Idle;
        self.assembler.flush();
    }

    /// What to do now. Time that runs backwards does no harm.
    pub fn poll(&mut self, now_ms: u64) -> Step<'_> {
        let Some(call) = &self.call else {
            return Step::Idle;
        };
        if let Stage::Waiting { until_ms, .. } = self.stage
            && now_ms >= until_ms
        {
            self.stage = match call.timeout_ms(self.asked, &self.timing) {
                Some(_) => Stage::ToWrite { from_ms: now_ms },
                None => Stage::Over(Err(SessionError::TimedOut {
                    attempts: self.asked,
                })),
            };
        }
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => Step::Idle,
            Stage::ToWrite { from_ms } if now_ms < from_ms => {
                self.stage = Stage::ToWrite { from_ms };
                Step::Wait { until_ms: from_ms }
            }
            Stage::ToWrite { .. } => {
                let timeout_ms = call.timeout_ms(self.asked, &self.timing).unwrap_or(0);
                self.stage = Stage::Waiting {
                    until_ms: now_ms.saturating_add(u64::from(timeout_ms)),
                    timeout_ms,
                };
                self.repeated_requests += u64::from(self.asked > 0);
                self.asked = self.asked.saturating_add(1);
                self.assembler.flush();
                Step::Write(call.bytes())
            }
            Stage::Waiting {
                until_ms,
                timeout_ms,
            } => {
                self.stage = Stage::Waiting {
                    until_ms,
                    timeout_ms,
                };
                Step::Wait { until_ms }
            }
            Stage::Over(outcome) => Step::Done(outcome),
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

    /// Takes one notification.
    pub fn received(&mut self, chunk: &[u8], now_ms: u64) {
        let silence_ms = now_ms.saturating_sub(self.last_chunk_ms);
        if silence_ms > u64::from(self.timing.stale_ms) {
            self.assembler.flush();
        }
        self.last_chunk_ms = now_ms;
        self.quiet_until_ms = now_ms.saturating_add(u64::from(self.timing.spacing_ms));

        let waiting = match (&self.stage, &self.call) {
            (Stage::Waiting { .. }, Some(call)) => Some(call),
            _ => None,
        };
        if waiting.is_some_and(|call| call.bytes() == chunk) {
            self.stage = Stage::Over(Err(SessionError::Echoed));
            return;
        }
        if let Some(frame) = self.assembler.push(chunk) {
            match waiting {
                Some(Call::Module(request)) if request.command() == frame.command => {
                    self.stage = Stage::Over(Ok(Reply::Module {
                        command: frame.command,
                        data: frame.data.to_vec(),
                    }));
                }
                _ => self.late_frames += 1,
            }
            return;
        }
        let mut register = match waiting {
            Some(Call::Register(request) | Call::Optional(request)) => Some(request.register()),
            _ => None,
        };
        while let Some(frame) = self.assembler.next_frame() {
            if register == Some(frame.register) {
                register = None;
                let Frame { status, data, .. } = frame;
                self.stage = Stage::Over(Ok(Reply::Register {
                    status,
                    data: data.to_vec(),
                }));
            } else {
                self.late_frames += 1;
            }
        }
    }

    /// What the session saw so far.
    #[must_use]
    pub fn counters(&self) -> SessionCounters {
        SessionCounters {
            assembler: self.assembler.counters(),
            late_frames: self.late_frames,
            repeated_requests: self.repeated_requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    const CELLS: [u8; 9] = [0xDD, 0x04, 0x00, 0x02, 0x0C, 0xE4, 0xFF, 0x0E, 0x77];

    fn asked(command: &Command) -> Session {
        let mut session = Session::new(Timing::default());
        session.begin(Call::Register(command.request()), 0);
        assert!(matches!(session.poll(0), Step::Write(_)));
        session
    }

    #[test]
    fn a_read_is_repeated_then_given_up() {
        let mut session = asked(&Command::CellVoltages);
        assert_eq!(session.poll(1), Step::Wait { until_ms: 700 });
        assert!(matches!(session.poll(700), Step::Write(_)));
        assert_eq!(session.poll(700), Step::Wait { until_ms: 2200 });
        assert!(matches!(session.poll(2200), Step::Write(_)));
        assert_eq!(session.poll(2300), Step::Wait { until_ms: 5200 });
        let timed_out = SessionError::TimedOut { attempts: 3 };
        assert_eq!(session.poll(5200), Step::Done(Err(timed_out)));
        assert_eq!(session.poll(5201), Step::Idle);
    }

    #[test]
    fn a_slow_write_does_not_eat_the_time_to_answer() {
        let mut session = asked(&Command::CellVoltages);
        session.written(650);
        assert_eq!(session.poll(700), Step::Wait { until_ms: 1350 });
    }

    #[test]
    fn a_write_is_never_repeated() {
        let mut session = asked(&Command::EnterFactoryMode);
        let timed_out = SessionError::TimedOut { attempts: 1 };
        assert_eq!(session.poll(3000), Step::Done(Err(timed_out)));
    }

    #[test]
    fn an_answer_about_another_register_is_passed_over() {
        let mut session = asked(&Command::BasicInfo);
        session.received(&CELLS, 50);
        assert_eq!(session.poll(50), Step::Wait { until_ms: 700 });
        assert_eq!(session.counters().late_frames, 1);
    }

    #[test]
    fn an_answer_before_the_request_is_late() {
        let mut session = asked(&Command::CellVoltages);
        session.received(&CELLS, 50);
        assert!(matches!(session.poll(50), Step::Done(Ok(_))));
        session.begin(Call::Register(Command::CellVoltages.request()), 60);
        assert_eq!(session.poll(60), Step::Wait { until_ms: 80 });
        session.received(&CELLS, 61);
        assert_eq!(session.poll(61), Step::Wait { until_ms: 80 });
    }

    #[test]
    fn an_echo_means_pairing() {
        let mut session = asked(&Command::BasicInfo);
        session.received(Command::BasicInfo.request().bytes(), 10);
        assert_eq!(session.poll(10), Step::Done(Err(SessionError::Echoed)));
    }

    #[test]
    fn half_an_answer_before_a_pause_does_not_spoil_the_next() {
        let mut session = asked(&Command::CellVoltages);
        session.received(&[0xDD, 0x04, 0x00, 0xFF, 0x0C], 100);
        session.received(&CELLS, 1101);
        assert!(matches!(
            session.poll(1101),
            Step::Write(_) | Step::Done(Ok(_))
        ));
    }
}
