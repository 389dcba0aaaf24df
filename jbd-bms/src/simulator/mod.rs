//! A living pack in memory, for tests and demonstrations. **Unstable**: this
//! module may change in any release.
//!
//! A [`Pack`] is a state machine without a radio and without a clock: bytes and
//! milliseconds in, notifications out. Between two calls charge flows, cells
//! drift, probes warm up and protections trip, by a seed, so that two runs with
//! the same seed and the same calls are equal. Its wire format was written from
//! the protocol's description, not from the rest of this crate.
//!
//! ```
//! use jbd_bms::simulator::{Output, Pack, PackConfig};
//!
//! let mut pack = Pack::new(PackConfig::default(), 7);
//! pack.connect(0);
//! pack.write(&[0xDD, 0xA5, 0x05, 0x00, 0xFF, 0xFB, 0x77], 500);
//! while let Some(at_ms) = pack.next_at() {
//!     if at_ms > 2_000 {
//!         break;
//!     }
//!     if let Some(Output::Notify(chunk)) = pack.poll(at_ms) {
//!         println!("{at_ms} ms: {chunk:02x?}");
//!     }
//! }
//! ```

mod battery;
mod board;
mod config;
mod module;
mod random;
mod wire;

pub use battery::Snapshot;
pub use config::{Access, Faults, Load, PackConfig};

use battery::Battery;
use board::{Board, Verdict};
use module::Module;
use random::Random;
use wire::{Inbox, Incoming};

/// How long an answer takes, from the request to its last chunk.
const ANSWER_MS: u64 = 60;
/// Between two chunks of one answer.
const CHUNK_GAP_MS: u64 = 12;

/// A simulated pack behind its Bluetooth module.
#[derive(Debug, Clone)]
pub struct Pack {
    config: PackConfig,
    battery: Battery,
    board: Board,
    module: Module,
    inbox: Inbox,
    random: Random,
    outbox: Vec<(u64, Vec<u8>)>,
    connected: bool,
    link_ends_ms: Option<u64>,
    requests_to_miss: u8,
}

/// What a [`Pack`] sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// One notification.
    Notify(Vec<u8>),
    /// The link is gone; nothing follows until [`Pack::connect`].
    LinkLost,
}

impl Pack {
    /// A pack at rest. The same seed gives the same pack and the same faults.
    #[must_use]
    pub fn new(config: PackConfig, seed: u64) -> Self {
        Self {
            battery: Battery::new(&config, seed),
            board: Board::new(&config),
            module: Module::new(&config),
            inbox: Inbox::default(),
            random: Random::new(seed),
            outbox: Vec::new(),
            connected: false,
            link_ends_ms: None,
            requests_to_miss: 0,
            config,
        }
    }

    /// A central connects: logins are gone and the board may be asleep.
    pub fn connect(&mut self, now_ms: u64) {
        self.battery.advance(now_ms, &mut self.board);
        self.disconnect();
        self.connected = true;
        self.requests_to_miss = self.config.faults.asleep_requests;
        // Real modules send this byte before anything was asked.
        self.outbox.push((now_ms + 30, vec![0x00]));
        self.link_ends_ms = self
            .config
            .faults
            .link_loss_mean_ms
            .map(|mean| now_ms + self.random.exponential(mean));
    }

    /// The central disconnects.
    pub fn disconnect(&mut self) {
        self.connected = false;
        self.outbox.clear();
        self.inbox.clear();
        self.link_ends_ms = None;
        self.board.link_closed();
        self.module.link_closed(self.random.next_byte());
    }

    /// Whether a central is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// The central writes. Lost unless it is connected.
    pub fn write(&mut self, bytes: &[u8], now_ms: u64) {
        self.battery.advance(now_ms, &mut self.board);
        if !self.connected || self.link_ends_ms.is_some_and(|end| now_ms >= end) {
            return;
        }
        if matches!(self.config.access, Access::Pairing) {
            self.outbox.push((now_ms + 15, bytes.to_vec()));
            return;
        }
        if let Some(answer) = self.module.answer(bytes) {
            self.outbox.push((now_ms + ANSWER_MS, answer));
            return;
        }
        if !self.module.passes() {
            return;
        }
        for incoming in self.inbox.take(bytes) {
            self.request(&incoming, now_ms);
        }
    }

    /// The next thing that is due, if any is.
    pub fn poll(&mut self, now_ms: u64) -> Option<Output> {
        self.battery.advance(now_ms, &mut self.board);
        let due = self
            .outbox
            .first()
            .map(|&(at_ms, _)| at_ms)
            .filter(|&at_ms| at_ms <= now_ms);
        let lost = self.link_ends_ms.filter(|&end| end <= now_ms);
        match (due, lost) {
            (Some(at_ms), end) if end.is_none_or(|end| at_ms < end) => {
                Some(Output::Notify(self.outbox.remove(0).1))
            }
            (_, Some(_)) => {
                self.disconnect();
                Some(Output::LinkLost)
            }
            _ => None,
        }
    }

    /// When [`poll`](Self::poll) has something to say, as far as is known now.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        let due = self.outbox.first().map(|&(at_ms, _)| at_ms);
        due.into_iter().chain(self.link_ends_ms).min()
    }

    /// What the pack measures right now, in the units of its answers.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.battery.snapshot(&self.board)
    }

    fn request(&mut self, incoming: &Incoming, now_ms: u64) {
        if self.requests_to_miss > 0 {
            self.requests_to_miss -= 1;
            return;
        }
        let faults = self.config.faults.clone();
        let mut register = incoming.register();
        let verdict = if self.random.chance(faults.wrong_answer) {
            register = match register {
                0x03 => 0x04,
                _ => 0x03,
            };
            self.board.read(register, &[], &self.battery)
        } else {
            match incoming {
                Incoming::Damaged { .. } => Verdict::Refuse(0x82),
                Incoming::Read { register, data } => {
                    self.board.read(*register, data, &self.battery)
                }
                Incoming::Write { register, data } => {
                    self.board.write(*register, data, &mut self.battery)
                }
            }
        };
        let answer = match verdict {
            Verdict::Silence => return,
            Verdict::Refuse(status) => wire::answer(register, status, &[]),
            Verdict::Accept(data) => wire::answer(register, 0, &data),
        };
        self.transmit(answer, &faults, now_ms);
    }

    fn transmit(&mut self, mut answer: Vec<u8>, faults: &Faults, now_ms: u64) {
        let mut at_ms = now_ms + ANSWER_MS;
        if self.random.chance(faults.delay) {
            at_ms += self.random.below(faults.delay_up_to_ms.max(1));
        }
        if self.random.chance(faults.corrupt) {
            let position = self.random.below(answer.len() as u64) as usize;
            answer[position] ^= 1 + self.random.below(255) as u8;
        }
        let copies = if self.random.chance(faults.duplicate) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let mut chunks = self.cut(&answer, faults);
            if self.random.chance(faults.drop) {
                let lost = self.random.below(chunks.len() as u64) as usize;
                chunks.remove(lost);
            }
            for chunk in chunks {
                self.outbox.push((at_ms, chunk));
                at_ms += CHUNK_GAP_MS;
            }
        }
        // Stable: chunks of one answer keep their order.
        self.outbox.sort_by_key(|&(at_ms, _)| at_ms);
    }

    fn cut(&mut self, answer: &[u8], faults: &Faults) -> Vec<Vec<u8>> {
        if !self.random.chance(faults.split) {
            let size = self.config.chunk_len.max(1);
            return answer.chunks(size).map(<[u8]>::to_vec).collect();
        }
        let mut chunks = vec![Vec::new()];
        for &byte in answer {
            if self.random.chance(0.25) {
                chunks.push(Vec::new());
            }
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(byte);
            }
        }
        chunks.retain(|chunk| !chunk.is_empty());
        chunks
    }
}
