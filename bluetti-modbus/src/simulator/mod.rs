//! A power station in memory, for tests and demonstrations. **Unstable**: this
//! module may change in any release.
//!
//! A [`Station`] is a state machine without a radio and without a clock: bytes
//! and milliseconds in, notifications out. It serves any image of registers,
//! plain or encrypted, on any unit, with battery packs behind a selector, or a
//! plausible station of any model that lives while time passes. It goes wrong by
//! a seed, so that two runs with the same seed and the same calls
//! are equal. Its wire format was written from the protocol's description, not
//! from the rest of this crate.
//!
//! ```
//! use bluetti_modbus::simulator::{Output, Station, StationConfig};
//!
//! let config = StationConfig::with_registers([(16, 2005)]);
//! let mut station = Station::new(config, 7);
//! station.connect(0);
//! station.write(&[0x01, 0x03, 0x00, 0x10, 0x00, 0x01, 0x85, 0xCF], 500);
//! while let Some(at_ms) = station.next_at() {
//!     if let Some(Output::Notify(chunk)) = station.poll(at_ms) {
//!         assert_eq!(chunk, [0x01, 0x03, 0x02, 0x07, 0xD5, 0x7B, 0xEB]);
//!     }
//! }
//! ```

mod config;
mod life;
mod memory;
mod model;
mod random;
mod secure;
mod wire;

pub use config::{Encryption, Faults, Memory, SIGNING_KEY, StationConfig};
pub use life::Snapshot;

use life::Life;
use memory::Bank;
use random::Random;
use secure::{Opened, Secure};

use crate::encryption::VerifyKey;

/// How long an answer takes, from the request to its first notification.
const ANSWER_MS: u64 = 60;
/// Between two notifications of one answer.
const CHUNK_GAP_MS: u64 = 8;
/// A station that has fallen so far behind loses what it is asked.
const LONGEST_QUEUE_MS: u64 = 6_000;

/// A simulated power station behind its Bluetooth module.
#[derive(Debug, Clone)]
pub struct Station {
    config: StationConfig,
    bank: Bank,
    life: Option<Life>,
    random: Random,
    secure: Option<Secure>,
    inbox: Vec<u8>,
    outbox: Vec<(u64, Vec<u8>)>,
    connected: bool,
    /// The next repetition of an unanswered challenge.
    challenge_ms: Option<u64>,
    /// When the station hangs up unless the client goes on.
    patience_ends_ms: Option<u64>,
    link_ends_ms: Option<u64>,
    /// Answers leave in order: not before this.
    busy_until_ms: u64,
    requests_to_miss: u8,
    session_requests: u32,
}

/// What a [`Station`] sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// One notification.
    Notify(Vec<u8>),
    /// The link is gone; nothing follows until [`Station::connect`].
    LinkLost,
}

impl Station {
    /// A station at rest. The same seed gives the same faults and keys.
    #[must_use]
    pub fn new(config: StationConfig, seed: u64) -> Self {
        Self {
            bank: Bank::new(&config),
            life: config.living.map(Life::new),
            random: Random::new(seed),
            secure: None,
            inbox: Vec::new(),
            outbox: Vec::new(),
            connected: false,
            challenge_ms: None,
            patience_ends_ms: None,
            link_ends_ms: None,
            busy_until_ms: 0,
            requests_to_miss: 0,
            session_requests: 0,
            config,
        }
    }

    /// What a client has to check the station's signature with: not the key of
    /// real stations, whose private half nobody has.
    #[must_use]
    pub fn verify_key(&self) -> Option<VerifyKey> {
        let encryption = self.config.encryption.as_ref()?;
        let signer = p256::ecdsa::SigningKey::from_slice(&encryption.signing_key).ok()?;
        let point = signer.verifying_key().to_sec1_point(false);
        VerifyKey::new(point.as_bytes().get(1..)?.try_into().ok()?)
    }

    /// A central connects and subscribes to notifications.
    pub fn connect(&mut self, now_ms: u64) {
        self.advance(now_ms);
        self.disconnect();
        self.connected = true;
        self.busy_until_ms = now_ms;
        self.requests_to_miss = self.config.faults.deaf_requests;
        if let Some(encryption) = &self.config.encryption {
            self.secure = Some(Secure::new(encryption, &mut self.random));
            self.challenge_ms = Some(now_ms + encryption.challenge_after_ms);
            self.patience_ends_ms = Some(now_ms + encryption.patience_ms);
        }
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
        self.secure = None;
        self.challenge_ms = None;
        self.patience_ends_ms = None;
        self.link_ends_ms = None;
        self.session_requests = 0;
    }

    /// Whether a central is connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether an encrypted session is running.
    #[must_use]
    pub fn in_session(&self) -> bool {
        self.secure.as_ref().is_some_and(Secure::in_session)
    }

    /// One register as it is now; `None` if the unit does not have it.
    #[must_use]
    pub fn register(&self, unit: u8, register: u16) -> Option<u16> {
        self.bank.get(unit, register)
    }

    /// How many writes were carried out since the station was made.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.bank.writes()
    }

    /// Changes a register from within, as life does.
    pub fn set_register(&mut self, unit: u8, register: u16, value: u16) {
        self.bank.set(unit, register, value);
    }

    /// Changes a register of a pack, counted from 1, from within.
    pub fn set_pack_register(&mut self, number: u16, register: u16, value: u16) {
        self.bank.set_pack(number, register, value);
    }

    /// The central writes. Lost unless it is connected.
    pub fn write(&mut self, bytes: &[u8], now_ms: u64) {
        self.advance(now_ms);
        if !self.connected || self.link_ends_ms.is_some_and(|end| now_ms >= end) {
            return;
        }
        let Some(secure) = &mut self.secure else {
            self.plain(bytes, now_ms);
            return;
        };
        let opened = secure.written(bytes, &mut self.random);
        for packet in opened {
            match packet {
                Opened::Nothing => {}
                Opened::HangUp => self.link_ends_ms = Some(now_ms),
                Opened::Answer(packets) => {
                    self.challenge_ms = None;
                    self.be_patient(now_ms);
                    for packet in packets {
                        self.transmit(packet, now_ms);
                    }
                }
                Opened::Request(request) => {
                    self.patience_ends_ms = None;
                    self.session_request(&request, now_ms);
                }
            }
        }
    }

    /// The next thing that is due, if any is.
    pub fn poll(&mut self, now_ms: u64) -> Option<Output> {
        self.advance(now_ms);
        self.challenge(now_ms);
        let due = self
            .outbox
            .first()
            .map(|&(at_ms, _)| at_ms)
            .filter(|&at_ms| at_ms <= now_ms);
        let ends = self.ends_ms().filter(|&end| end <= now_ms);
        match (due, ends) {
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
        due.into_iter()
            .chain(self.ends_ms())
            .chain(self.challenge_ms)
            .min()
    }

    /// What a living station measures at a moment that is not before the last one;
    /// `None` if it does not live.
    pub fn snapshot(&mut self, now_ms: u64) -> Option<Snapshot> {
        self.advance(now_ms)
    }

    fn advance(&mut self, now_ms: u64) -> Option<Snapshot> {
        self.bank.advance(now_ms);
        let life = self.life.as_mut()?;
        Some(life.advance(now_ms, &mut self.bank))
    }

    fn ends_ms(&self) -> Option<u64> {
        self.link_ends_ms
            .into_iter()
            .chain(self.patience_ends_ms)
            .min()
    }

    fn be_patient(&mut self, now_ms: u64) {
        self.patience_ends_ms = self
            .config
            .encryption
            .as_ref()
            .map(|encryption| now_ms + encryption.patience_ms);
    }

    fn challenge(&mut self, now_ms: u64) {
        let due = self.challenge_ms.filter(|&at_ms| at_ms <= now_ms);
        if let (Some(at_ms), Some(secure), Some(encryption)) =
            (due, &self.secure, &self.config.encryption)
        {
            let every_ms = encryption.challenge_every_ms.max(1);
            let challenge = secure.challenge();
            self.challenge_ms = Some(at_ms + every_ms);
            self.transmit(challenge, at_ms.saturating_sub(ANSWER_MS));
        }
    }

    fn plain(&mut self, bytes: &[u8], now_ms: u64) {
        self.inbox.extend_from_slice(bytes);
        while let Some(length) = wire::request_len(&self.inbox) {
            if self.inbox.len() < length {
                return;
            }
            let request: Vec<u8> = self.inbox.drain(..length).collect();
            if let Some(answer) = self.answer(&request, now_ms) {
                self.transmit(answer, now_ms);
            }
        }
    }

    fn session_request(&mut self, request: &[u8], now_ms: u64) {
        self.session_requests += 1;
        let every = self
            .config
            .encryption
            .as_ref()
            .and_then(|encryption| encryption.inner_challenge_every);
        if let Some(secure) = &mut self.secure {
            if secure.inner_challenge_open {
                // Deaf until it is answered.
                return;
            }
            if every.is_some_and(|every| self.session_requests.is_multiple_of(every.max(1))) {
                let challenge = secure.inner_challenge(&mut self.random);
                self.transmit(challenge, now_ms);
                return;
            }
        }
        let answer = self.answer(request, now_ms);
        if let (Some(answer), Some(secure)) = (answer, &self.secure) {
            let sealed = secure.seal(&answer, &mut self.random);
            self.transmit(sealed, now_ms);
        }
    }

    fn answer(&mut self, bytes: &[u8], now_ms: u64) -> Option<Vec<u8>> {
        if self.requests_to_miss > 0 {
            self.requests_to_miss -= 1;
            return None;
        }
        let request = wire::parse(bytes)?;
        let answer = self.bank.answer(&request, now_ms)?;
        let faults = &self.config.faults;
        if self.random.chance(faults.busy) && request.function == 0x03 {
            return Some(wire::refusal(request.unit, request.function, 6));
        }
        if self.random.chance(faults.wrong_answer) && request.function == 0x03 {
            let count = usize::from(request.words[0]);
            return Some(match self.random.below(2) {
                0 => wire::registers(request.unit ^ 1, &vec![0x5AFE; count]),
                _ => wire::registers(request.unit, &vec![0x5AFE; count % 125 + 1]),
            });
        }
        Some(answer)
    }

    fn transmit(&mut self, mut packet: Vec<u8>, now_ms: u64) {
        let faults = self.config.faults.clone();
        if self.busy_until_ms > now_ms + LONGEST_QUEUE_MS {
            return;
        }
        let mut at_ms = self.busy_until_ms.max(now_ms + ANSWER_MS);
        if self.random.chance(faults.delay) {
            at_ms += self.random.below(faults.delay_up_to_ms.max(1));
        }
        if self.random.chance(faults.module_restart) {
            self.outbox.push((at_ms, b"AT+NAME?\r".to_vec()));
            self.busy_until_ms = at_ms;
            return;
        }
        if self.random.chance(faults.corrupt) {
            let position = self.random.below(packet.len() as u64) as usize;
            packet[position] ^= 1 + self.random.below(255) as u8;
        }
        let copies = if self.random.chance(faults.duplicate) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let mut chunks = self.cut(&packet, &faults);
            if self.random.chance(faults.drop) {
                let lost = self.random.below(chunks.len() as u64) as usize;
                chunks.remove(lost);
            }
            for chunk in chunks {
                self.outbox.push((at_ms, chunk));
                at_ms += CHUNK_GAP_MS;
            }
        }
        if self.random.chance(faults.merge) {
            self.merge();
        }
        self.busy_until_ms = at_ms;
    }

    /// Puts everything that waits into one notification.
    fn merge(&mut self) {
        if let Some(&(at_ms, _)) = self.outbox.last() {
            let whole = self.outbox.drain(..).flat_map(|(_, chunk)| chunk);
            self.outbox = vec![(at_ms, whole.collect())];
        }
    }

    fn cut(&mut self, packet: &[u8], faults: &Faults) -> Vec<Vec<u8>> {
        if !self.random.chance(faults.split) {
            let size = self.config.chunk_len.max(1);
            return packet.chunks(size).map(<[u8]>::to_vec).collect();
        }
        let mut chunks = vec![Vec::new()];
        for &byte in packet {
            if self.random.chance(0.2) {
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
