use std::collections::BTreeMap;

use crate::model::Model;

/// The private key that simulated stations sign with unless told otherwise. The
/// one of real stations is in the units only.
pub const SIGNING_KEY: [u8; 32] = [
    0x7D, 0x0B, 0x1C, 0x2E, 0x3F, 0x4A, 0x59, 0x68, 0x77, 0x86, 0x95, 0x0A, 0x1B, 0x2C, 0x3D, 0x4E,
    0x5F, 0x60, 0x71, 0x82, 0x93, 0xA4, 0xB5, 0xC6, 0xD7, 0xE8, 0xF9, 0x0A, 0x1B, 0x2C, 0x3D, 0x4E,
];

/// What a [`Station`](super::Station) is made of. Start from the default, an
/// empty plain station, and fill in registers.
#[derive(Debug, Clone, PartialEq)]
pub struct StationConfig {
    /// The units that answer, by number. Everything else is silence.
    pub units: BTreeMap<u8, Memory>,
    /// Registers of each battery pack, from number 1 on. They overlay those of
    /// the units once their number is written to `pack_selector`.
    pub packs: Vec<BTreeMap<u16, u16>>,
    /// Where the number of a pack is written, and where it shows.
    pub pack_selector: (u16, u16),
    /// How long another pack takes to show.
    pub pack_switch_ms: u64,
    /// How long a written value takes to show in a read.
    pub commit_ms: u64,
    /// Registers that one read may ask for; more are refused with exception 3.
    pub longest_read: u16,
    /// The model as which the station lives: sun, load and charge change with time
    /// in the registers where that model has them.
    pub living: Option<Model>,
    /// Whether and how the station encrypts.
    pub encryption: Option<Encryption>,
    /// Bytes per notification.
    pub chunk_len: usize,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for StationConfig {
    fn default() -> Self {
        Self {
            units: BTreeMap::new(),
            packs: Vec::new(),
            pack_selector: (3006, 96),
            pack_switch_ms: 1_500,
            commit_ms: 0,
            longest_read: 125,
            living: None,
            encryption: None,
            chunk_len: 20,
            faults: Faults::default(),
        }
    }
}

impl StationConfig {
    /// A plain station whose unit 1 has these registers and no others.
    #[must_use]
    pub fn with_registers(registers: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let memory = Memory::of(registers);
        Self {
            units: [(1, memory)].into(),
            ..Self::default()
        }
    }

    /// The same station, living.
    #[must_use]
    pub fn living(mut self, model: Model) -> Self {
        self.living = Some(model);
        self
    }

    /// The same station, encrypting.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.encryption = Some(Encryption::default());
        self
    }
}

/// The registers of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// First register and number of registers of each implemented block. A read
    /// has to lie within one of them.
    pub blocks: Vec<(u16, u16)>,
    /// Values that are not 0.
    pub registers: BTreeMap<u16, u16>,
    /// First register and number of registers that can be written; all of
    /// `blocks` if empty.
    pub writable: Vec<(u16, u16)>,
}

impl Memory {
    /// These registers, and a block for each run of consecutive ones.
    #[must_use]
    pub fn of(registers: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let registers: BTreeMap<u16, u16> = registers.into_iter().collect();
        let mut blocks: Vec<(u16, u16)> = Vec::new();
        for &register in registers.keys() {
            match blocks.last_mut() {
                Some((start, count))
                    if u32::from(*start) + u32::from(*count) == u32::from(register) =>
                {
                    *count += 1;
                }
                _ => blocks.push((register, 1)),
            }
        }
        Self {
            blocks,
            registers,
            writable: Vec::new(),
        }
    }
}

/// How a station encrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The P-256 scalar it signs with.
    pub signing_key: [u8; 32],
    /// From connecting to the first challenge.
    pub challenge_after_ms: u64,
    /// Between two challenges that stay unanswered.
    pub challenge_every_ms: u64,
    /// How long it bears silence in the handshake and right after it before it
    /// hangs up.
    pub patience_ms: u64,
    /// A new challenge inside the session after so many requests.
    pub inner_challenge_every: Option<u32>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            signing_key: SIGNING_KEY,
            challenge_after_ms: 300,
            challenge_every_ms: 1_000,
            patience_ms: 10_000,
            inner_challenge_every: None,
        }
    }
}

/// What goes wrong, and how often. Probabilities are per answer, 0.0..=1.0, and
/// concern handshake messages, too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// One notification of the answer is lost.
    pub drop: f64,
    /// The answer is late by up to `delay_up_to_ms`, and all that follow with it.
    pub delay: f64,
    /// See `delay`.
    pub delay_up_to_ms: u64,
    /// One byte arrives changed.
    pub corrupt: f64,
    /// Notifications end anywhere instead of every `chunk_len` bytes.
    pub split: f64,
    /// The answer and the next one arrive in one notification, as far as there is
    /// a next one within a moment.
    pub merge: f64,
    /// The answer arrives twice.
    pub duplicate: f64,
    /// The answer of another unit or of another length comes instead.
    pub wrong_answer: f64,
    /// The station is busy: exception 6.
    pub busy: f64,
    /// The Bluetooth module restarts instead of passing on the answer.
    pub module_restart: f64,
    /// So many requests after connecting are lost.
    pub deaf_requests: u8,
    /// The link is lost after this time on average.
    pub link_loss_mean_ms: Option<u64>,
}
