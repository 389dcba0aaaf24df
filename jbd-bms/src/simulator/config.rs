/// What a [`Pack`](super::Pack) is made of. Start from the default, a 4S LFP
/// pack of 100 Ah, and change what matters.
#[derive(Debug, Clone, PartialEq)]
pub struct PackConfig {
    /// Answer to register 0x05; `None` leaves the request unanswered, as some
    /// firmware does.
    pub hardware_name: Option<String>,
    /// Address of the Bluetooth module, needed by its login.
    pub address: [u8; 6],
    /// Cells in series, 1..=32.
    pub cell_count: u8,
    /// mV that each cell lies above or below the others; cells beyond the list
    /// lie at 0.
    pub cell_offsets_mv: Vec<i16>,
    /// Capacity, mAh.
    pub nominal_capacity_mah: u32,
    /// State of charge at the start, percent.
    pub initial_soc_percent: u8,
    /// Number of temperature probes.
    pub probe_count: u8,
    /// Temperature around the pack, 0.1 °C.
    pub ambient_deci_c: i16,
    /// Cycles already counted.
    pub cycles: u16,
    /// Year, month, day.
    pub production_date: (u16, u8, u8),
    /// Firmware version, one digit per half byte.
    pub software_version: u8,
    /// The current over time.
    pub load: Load,
    /// Count in 100 mA and 100 mAh.
    pub hundred_milliamp_units: bool,
    /// Send the nine bytes that newer boards add to register 0x03.
    pub extended_tail: bool,
    /// Know register 0xFA.
    pub parameter_blocks: bool,
    /// Know register 0xE1; boards that do not know 0xFB instead.
    pub classic_mosfet_control: bool,
    /// Bleed cells that are too high.
    pub balancing: bool,
    /// Protection bits that are always on.
    pub forced_protection: u16,
    /// Who may talk to it.
    pub access: Access,
    /// Bytes per notification.
    pub chunk_len: usize,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for PackConfig {
    fn default() -> Self {
        Self {
            hardware_name: Some("JBD-SIM-4S-100A".into()),
            address: [0xA4, 0xC1, 0x38, 0x30, 0xC2, 0x8E],
            cell_count: 4,
            cell_offsets_mv: vec![2, -3, 0, 6],
            nominal_capacity_mah: 100_000,
            initial_soc_percent: 70,
            probe_count: 2,
            ambient_deci_c: 210,
            cycles: 12,
            production_date: (2024, 5, 6),
            software_version: 0x21,
            load: Load::Sine {
                mean_ma: -2_000,
                amplitude_ma: 15_000,
                period_s: 1_800,
            },
            hundred_milliamp_units: false,
            extended_tail: false,
            parameter_blocks: false,
            classic_mosfet_control: true,
            balancing: true,
            forced_protection: 0,
            access: Access::Open,
            chunk_len: 20,
            faults: Faults::default(),
        }
    }
}

/// The current that flows as long as both MOSFETs let it, positive while charging.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Always the same, mA.
    Constant(i32),
    /// A sine around a mean.
    Sine {
        /// The mean, mA.
        mean_ma: i32,
        /// Largest distance from the mean, mA.
        amplitude_ma: i32,
        /// One full swing, s.
        period_s: u32,
    },
    /// Durations in s and their current in mA, from the beginning again after
    /// the last.
    Steps(Vec<(u32, i32)>),
}

impl Load {
    pub(super) fn current_ma(&self, at_ms: u64) -> f64 {
        let at_s = at_ms as f64 / 1000.0;
        match self {
            Self::Constant(ma) => f64::from(*ma),
            Self::Sine {
                mean_ma,
                amplitude_ma,
                period_s,
            } => {
                let turns = at_s / f64::from((*period_s).max(1));
                f64::from(*mean_ma)
                    + f64::from(*amplitude_ma) * (turns * std::f64::consts::TAU).sin()
            }
            Self::Steps(steps) => {
                let total: u64 = steps.iter().map(|&(s, _)| u64::from(s)).sum();
                let mut rest = (at_ms / 1000) % total.max(1);
                for &(duration_s, ma) in steps {
                    if rest < u64::from(duration_s) {
                        return f64::from(ma);
                    }
                    rest -= u64::from(duration_s);
                }
                0.0
            }
        }
    }
}

/// Who may talk to the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Open,
    /// Everyone may read the live registers; parameters and switches need these
    /// six digits.
    BoardPassword(String),
    /// The module passes nothing on before its login.
    ModuleLogin {
        /// Six letters or digits; `None` for a module whose key `000000` is enough.
        password: Option<String>,
        /// The module checks the password in place of the key, and nothing else.
        password_is_key: bool,
    },
    /// Not paired: whatever is written comes back.
    Pairing,
}

/// What goes wrong, and how often. Probabilities are per answer, 0.0..=1.0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// One chunk of the answer is lost.
    pub drop: f64,
    /// The answer is late by up to `delay_up_to_ms`.
    pub delay: f64,
    /// See `delay`.
    pub delay_up_to_ms: u64,
    /// One byte arrives changed.
    pub corrupt: f64,
    /// Chunk borders at random instead of every `chunk_len` bytes.
    pub split: f64,
    /// The answer arrives twice.
    pub duplicate: f64,
    /// The answer is one to another register.
    pub wrong_answer: f64,
    /// So many requests after connecting are lost.
    pub asleep_requests: u8,
    /// The link is lost after this time on average.
    pub link_loss_mean_ms: Option<u64>,
}
