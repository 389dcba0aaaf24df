//! The two packed registers of the measuring chip.

use core::time::Duration;

use crate::ChipType;

/// Register 0x38: short circuit and second overcurrent threshold.
///
/// What the bits mean depends on the measuring chip. Thresholds are voltages
/// over the shunt: the current is that voltage divided by its resistance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HardwareLimits(u16);

/// A threshold and how long it must be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Threshold {
    /// Voltage over the shunt, mV.
    pub shunt_mv: u16,
    /// How long; `None` where the chip's coding is not known.
    pub delay: Option<Duration>,
}

const TI_SHORT_MV: [u16; 8] = [22, 33, 44, 56, 67, 78, 89, 100];
const TI_SHORT_US: [u64; 4] = [70, 100, 200, 400];
const TI_OVER_MV: [u16; 16] = [
    8, 11, 14, 17, 19, 22, 25, 28, 31, 33, 36, 39, 42, 44, 47, 50,
];
const TI_OVER_MS: [u64; 8] = [8, 20, 40, 80, 160, 320, 640, 1280];

impl HardwareLimits {
    /// From the register.
    #[must_use]
    pub const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    /// The register.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// For a Texas Instruments chip, from thresholds out of the chip's lists.
    /// `None` if one is not in its list. `doubled` doubles both thresholds; they
    /// are given as without it.
    #[must_use]
    pub fn ti(doubled: bool, short_circuit: Threshold, overcurrent: Threshold) -> Option<Self> {
        let place = |list: &[u64], wanted: Duration, unit: fn(u64) -> Duration| {
            list.iter().position(|&entry| unit(entry) == wanted)
        };
        let short_mv = TI_SHORT_MV
            .iter()
            .position(|&mv| mv == short_circuit.shunt_mv)?;
        let over_mv = TI_OVER_MV
            .iter()
            .position(|&mv| mv == overcurrent.shunt_mv)?;
        let short_delay = place(&TI_SHORT_US, short_circuit.delay?, Duration::from_micros)?;
        let over_delay = place(&TI_OVER_MS, overcurrent.delay?, Duration::from_millis)?;
        let high = u8::from(doubled) << 7 | (short_delay as u8) << 3 | short_mv as u8;
        let low = (over_delay as u8) << 4 | over_mv as u8;
        Some(Self(u16::from_be_bytes([high, low])))
    }

    /// The short circuit threshold; `None` where the chip's coding is not known.
    #[must_use]
    pub fn short_circuit(self, chip: ChipType) -> Option<Threshold> {
        let [byte, _] = self.0.to_be_bytes();
        let (t, d) = (u16::from(byte >> 4), u64::from(byte & 0x0F));
        let micros = |us| Some(Duration::from_micros(us));
        let nanos = |ns| Some(Duration::from_nanos(ns));
        let (shunt_mv, delay) = match chip {
            ChipType::Ti => {
                let mv = self.ti_factor() * pick(&TI_SHORT_MV, byte & 0x07)?;
                (mv, micros(pick(&TI_SHORT_US, byte >> 3 & 0x03)?))
            }
            ChipType::O2Micro7717 => (20 * t + 20, nanos(62_500 * d + 62_500)),
            ChipType::Panasonic49522 => (40 * t + 20, nanos(62_500 * d + 31_250)),
            ChipType::SinoWealth309 => (pick(&SH309_SHORT_MV, byte >> 4)?, micros(64 * d)),
            ChipType::Dc10xx => (
                pick(&DC10_SHORT_MV, byte >> 4)?,
                pick(&[560, 800, 1600, 3200], byte & 0x0F).and_then(micros),
            ),
            ChipType::Oz3714 => (40 * (t + 1), nanos(62_500 * (d + 1))),
            ChipType::SinoWealth303 | ChipType::Other(_) => return None,
        };
        Some(Threshold { shunt_mv, delay })
    }

    /// The second overcurrent threshold; `None` where the chip's coding is not
    /// known.
    #[must_use]
    pub fn overcurrent(self, chip: ChipType) -> Option<Threshold> {
        let [_, byte] = self.0.to_be_bytes();
        let (t, d) = (u16::from(byte >> 4), u64::from(byte & 0x0F));
        let millis = |ms| Some(Duration::from_millis(ms));
        let (shunt_mv, delay) = match chip {
            ChipType::Ti => {
                let mv = self.ti_factor() * pick(&TI_OVER_MV, byte & 0x0F)?;
                (mv, millis(pick(&TI_OVER_MS, byte >> 4 & 0x07)?))
            }
            ChipType::O2Micro7717 => (10 * t + 5, None),
            ChipType::Panasonic49522 => (20 * t + 10, millis(20 * d + 10)),
            ChipType::SinoWealth309 => (
                pick(&SH309_OVER_MV, byte >> 4)?,
                pick(&SH309_OVER_MS, byte & 0x0F).and_then(millis),
            ),
            ChipType::Dc10xx => (
                pick(&DC10_OVER_MV, byte >> 4)?,
                pick(&DC10_OVER_MS, byte & 0x0F).and_then(millis),
            ),
            ChipType::Oz3714 => (10 * (t + 1), millis(2 * (d + 1))),
            ChipType::SinoWealth303 | ChipType::Other(_) => return None,
        };
        Some(Threshold { shunt_mv, delay })
    }

    const fn ti_factor(self) -> u16 {
        if self.0 >> 15 == 1 { 2 } else { 1 }
    }
}

const SH309_SHORT_MV: [u16; 16] = [
    50, 80, 110, 140, 170, 200, 230, 260, 290, 320, 350, 400, 500, 600, 800, 1000,
];
const SH309_OVER_MV: [u16; 16] = [
    20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 160, 180, 200,
];
const SH309_OVER_MS: [u64; 16] = [
    50, 100, 200, 400, 600, 800, 1000, 2000, 4000, 6000, 8000, 10_000, 15_000, 20_000, 30_000,
    40_000,
];
const DC10_SHORT_MV: [u16; 16] = [
    19, 30, 41, 53, 64, 75, 87, 98, 110, 120, 132, 143, 155, 166, 177, 190,
];
const DC10_OVER_MV: [u16; 16] = [
    4, 10, 16, 21, 28, 33, 38, 44, 50, 55, 61, 67, 73, 78, 84, 90,
];
const DC10_OVER_MS: [u64; 8] = [32, 80, 160, 320, 640, 1280, 2560, 5120];

fn pick<T: Copy>(list: &[T], place: u8) -> Option<T> {
    list.get(usize::from(place)).copied()
}

/// Register 0x39: delays of the measuring chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HardwareDelays(u16);

const UNDERVOLTAGE_S: [u8; 4] = [1, 4, 8, 16];
const OVERVOLTAGE_S: [u8; 4] = [1, 2, 4, 8];

impl HardwareDelays {
    /// From the register.
    #[must_use]
    pub const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    /// The register.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// From seconds. Undervoltage takes 1, 4, 8, 16; overvoltage 1, 2, 4, 8; the
    /// release after a short circuit anything. `None` for other values.
    #[must_use]
    pub fn new(
        cell_undervoltage_s: u8,
        cell_overvoltage_s: u8,
        short_circuit_release_s: u8,
    ) -> Option<Self> {
        let place = |list: &[u8], s| list.iter().position(|&entry| entry == s);
        let under = place(&UNDERVOLTAGE_S, cell_undervoltage_s)? as u8;
        let over = place(&OVERVOLTAGE_S, cell_overvoltage_s)? as u8;
        let high = under << 6 | over << 4;
        Some(Self(u16::from_be_bytes([high, short_circuit_release_s])))
    }

    /// Delay of the cell undervoltage cut-off, s.
    #[must_use]
    pub fn cell_undervoltage_s(self) -> u8 {
        pick(&UNDERVOLTAGE_S, (self.0 >> 14) as u8).unwrap_or_default()
    }

    /// Delay of the cell overvoltage cut-off, s.
    #[must_use]
    pub fn cell_overvoltage_s(self) -> u8 {
        pick(&OVERVOLTAGE_S, (self.0 >> 12 & 0x03) as u8).unwrap_or_default()
    }

    /// Release after a short circuit, s.
    #[must_use]
    pub const fn short_circuit_release_s(self) -> u8 {
        self.0.to_be_bytes()[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ti_thresholds_go_both_ways() {
        let limits = HardwareLimits::from_raw(0x9245);
        let short = Threshold {
            shunt_mv: 44,
            delay: Some(Duration::from_micros(200)),
        };
        let over = Threshold {
            shunt_mv: 22,
            delay: Some(Duration::from_millis(160)),
        };
        assert_eq!(HardwareLimits::ti(true, short, over), Some(limits));
        assert_eq!(limits.short_circuit(ChipType::Ti).unwrap().shunt_mv, 88);
        assert_eq!(limits.overcurrent(ChipType::Ti).unwrap().delay, over.delay);
        let odd = Threshold {
            shunt_mv: 45,
            ..short
        };
        assert_eq!(HardwareLimits::ti(true, odd, over), None);
    }

    #[test]
    fn no_bits_of_any_chip_break_the_tables() {
        for raw in 0..=u16::MAX {
            for chip in (0..8).map(ChipType::from) {
                let limits = HardwareLimits::from_raw(raw);
                let known = !matches!(chip, ChipType::SinoWealth303 | ChipType::Other(_));
                assert_eq!(limits.short_circuit(chip).is_some(), known);
                assert_eq!(limits.overcurrent(chip).is_some(), known);
            }
        }
    }

    #[test]
    fn delays_go_both_ways() {
        let delays = HardwareDelays::new(8, 4, 32).unwrap();
        assert_eq!(delays.raw(), 0xA020);
        assert_eq!(
            (delays.cell_undervoltage_s(), delays.cell_overvoltage_s()),
            (8, 4)
        );
        assert_eq!(HardwareDelays::new(2, 4, 32), None);
    }
}
