//! Register 0x03.

use alloc::vec::Vec;
use core::fmt;

use crate::bytes::{u16_at, words};
use crate::{Alarms, Balancing, DecodeError, Mosfets, ProductionDate, Protections};

pub(crate) const REGISTER: u8 = 0x03;

const PACK_VOLTAGE: usize = 0;
const CURRENT: usize = 2;
const REMAINING_CAPACITY: usize = 4;
const NOMINAL_CAPACITY: usize = 6;
const CYCLES: usize = 8;
const PRODUCTION_DATE: usize = 10;
const BALANCING_LOW: usize = 12;
const BALANCING_HIGH: usize = 14;
const PROTECTION: usize = 16;
const SOFTWARE_VERSION: usize = 18;
const SOC: usize = 19;
const MOSFETS: usize = 20;
const CELL_COUNT: usize = 21;
const PROBE_COUNT: usize = 22;
const FIXED: usize = 23;

const TAIL_HUMIDITY: usize = 0;
const TAIL_ALARMS: usize = 1;
const TAIL_FULL_CHARGE_CAPACITY: usize = 3;
const TAIL_REMAINING_CAPACITY: usize = 5;
const TAIL_BALANCE_CURRENT: usize = 7;

/// What one count of current and capacity stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum UnitScale {
    /// As the answer says: 100 mA and 100 mAh if
    /// [`Mosfets::hundred_milliamp_units`] is set, 10 mA and 10 mAh otherwise.
    #[default]
    Auto,
    /// 10 mA and 10 mAh, whatever the answer says.
    TenMilliamp,
    /// 100 mA and 100 mAh, whatever the answer says.
    HundredMilliamp,
}

impl UnitScale {
    /// Milliamp (hours) per count in an answer with this MOSFET byte.
    #[must_use]
    pub const fn milliamps_per_count(self, mosfets: Mosfets) -> u8 {
        match self {
            Self::TenMilliamp => 10,
            Self::HundredMilliamp => 100,
            Self::Auto if mosfets.hundred_milliamp_units() => 100,
            Self::Auto => 10,
        }
    }
}

/// An answer to register 0x03 where it lies: every field is read from the
/// received bytes when asked for, and nothing is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicInfoView<'a> {
    fixed: &'a [u8; FIXED],
    probes: &'a [u8],
    tail: &'a [u8],
    scale: u8,
}

impl<'a> BasicInfoView<'a> {
    /// Views the data of an answer.
    ///
    /// Where the probe count exceeds the data, the probes that are there are
    /// kept. Bytes behind the known tail are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] below 23 bytes.
    pub fn parse(data: &'a [u8], unit_scale: UnitScale) -> Result<Self, DecodeError> {
        let (fixed, rest) = data
            .split_first_chunk::<FIXED>()
            .ok_or(DecodeError::TooShort {
                register: REGISTER,
                needed: FIXED,
                got: data.len(),
            })?;
        let probes_len = 2 * usize::from(fixed[PROBE_COUNT]);
        let (probes, tail) = rest.split_at_checked(probes_len).unwrap_or((rest, &[]));
        Ok(Self {
            fixed,
            probes,
            tail,
            scale: unit_scale.milliamps_per_count(Mosfets::from_bits(fixed[MOSFETS])),
        })
    }

    fn word(&self, at: usize) -> u16 {
        u16_at(self.fixed, at).unwrap_or_default()
    }

    fn capacity_mah(&self, counts: u16) -> u32 {
        u32::from(counts) * u32::from(self.scale)
    }

    /// Terminal voltage, mV, in steps of 10.
    #[must_use]
    pub fn pack_voltage_mv(&self) -> u32 {
        u32::from(self.word(PACK_VOLTAGE)) * 10
    }

    /// Current, mA, positive while charging, in steps of 10 or 100.
    #[must_use]
    pub fn current_ma(&self) -> i32 {
        i32::from(self.word(CURRENT).cast_signed()) * i32::from(self.scale)
    }

    /// Charge left, mAh.
    #[must_use]
    pub fn remaining_capacity_mah(&self) -> u32 {
        self.capacity_mah(self.word(REMAINING_CAPACITY))
    }

    /// Capacity as configured, mAh.
    #[must_use]
    pub fn nominal_capacity_mah(&self) -> u32 {
        self.capacity_mah(self.word(NOMINAL_CAPACITY))
    }

    /// Full cycles counted by the board.
    #[must_use]
    pub fn cycles(&self) -> u16 {
        self.word(CYCLES)
    }

    /// When the board was made; `None` if the bits form no date.
    #[must_use]
    pub fn production_date(&self) -> Option<ProductionDate> {
        ProductionDate::from_raw(self.word(PRODUCTION_DATE))
    }

    /// Cells being bled.
    #[must_use]
    pub fn balancing(&self) -> Balancing {
        let high = u32::from(self.word(BALANCING_HIGH));
        Balancing::from_bits(high << 16 | u32::from(self.word(BALANCING_LOW)))
    }

    /// Active protections.
    #[must_use]
    pub fn protection(&self) -> Protections {
        Protections::from_bits(self.word(PROTECTION))
    }

    /// Firmware version.
    #[must_use]
    pub fn software_version(&self) -> SoftwareVersion {
        SoftwareVersion(self.fixed[SOFTWARE_VERSION])
    }

    /// State of charge, percent, as sent: above 100 after capacity edits.
    #[must_use]
    pub fn soc_percent(&self) -> u8 {
        self.fixed[SOC]
    }

    /// What conducts.
    #[must_use]
    pub fn mosfets(&self) -> Mosfets {
        Mosfets::from_bits(self.fixed[MOSFETS])
    }

    /// Cells in series as configured.
    #[must_use]
    pub fn cell_count(&self) -> u8 {
        self.fixed[CELL_COUNT]
    }

    /// Probe temperatures in 0.1 °C; `None` for a probe that is absent.
    pub fn temperatures_deci_c(
        &self,
    ) -> impl ExactSizeIterator<Item = Option<i16>> + Clone + use<'a> {
        words(self.probes).map(deci_celsius)
    }

    /// Relative humidity, percent, from the tail.
    #[must_use]
    pub fn humidity_percent(&self) -> Option<u8> {
        self.tail.get(TAIL_HUMIDITY).copied()
    }

    /// Active alarms, from the tail.
    #[must_use]
    pub fn alarms(&self) -> Option<Alarms> {
        u16_at(self.tail, TAIL_ALARMS).map(Alarms::from_bits)
    }

    /// Learned capacity, mAh, from the tail.
    #[must_use]
    pub fn full_charge_capacity_mah(&self) -> Option<u32> {
        u16_at(self.tail, TAIL_FULL_CHARGE_CAPACITY).map(|counts| self.capacity_mah(counts))
    }

    /// Charge left, mAh, repeated in the tail.
    #[must_use]
    pub fn tail_remaining_capacity_mah(&self) -> Option<u32> {
        u16_at(self.tail, TAIL_REMAINING_CAPACITY).map(|counts| self.capacity_mah(counts))
    }

    /// Balance current, mA, from the tail.
    #[must_use]
    pub fn balance_current_ma(&self) -> Option<i16> {
        u16_at(self.tail, TAIL_BALANCE_CURRENT).map(u16::cast_signed)
    }
}

/// Raw 0 means that no probe is fitted. What does not fit 0.1 °C in 16 bits is
/// beyond 3276 °C and no temperature either.
fn deci_celsius(raw: u16) -> Option<i16> {
    const ZERO_CELSIUS: i32 = 2731;
    match raw {
        0 => None,
        raw => i16::try_from(i32::from(raw) - ZERO_CELSIUS).ok(),
    }
}

/// Everything that register 0x03 tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BasicInfo {
    /// Terminal voltage, mV, in steps of 10.
    pub pack_voltage_mv: u32,
    /// Current, mA, positive while charging, in steps of 10 or 100. Boards
    /// report 0 below some tens of mA.
    pub current_ma: i32,
    /// Charge left, mAh.
    pub remaining_capacity_mah: u32,
    /// Capacity as configured, mAh.
    pub nominal_capacity_mah: u32,
    /// Full cycles counted by the board.
    pub cycles: u16,
    /// When the board was made; `None` if the bits form no date.
    pub production_date: Option<ProductionDate>,
    /// Cells being bled.
    pub balancing: Balancing,
    /// Active protections.
    pub protection: Protections,
    /// Firmware version.
    pub software_version: SoftwareVersion,
    /// State of charge, percent, as sent: above 100 after capacity edits.
    pub soc_percent: u8,
    /// What conducts.
    pub mosfets: Mosfets,
    /// Cells in series as configured. [`CellVoltages`](crate::CellVoltages) is
    /// right where the two differ.
    pub cell_count: u8,
    /// Probe temperatures in 0.1 °C; `None` for a probe that is absent. An open
    /// probe shows as about -30 or -40 °C.
    pub temperatures_deci_c: Vec<Option<i16>>,
    /// Relative humidity, percent; newer boards only.
    pub humidity_percent: Option<u8>,
    /// Active alarms; newer boards only.
    pub alarms: Option<Alarms>,
    /// Learned capacity, mAh; newer boards only, and many repeat the nominal one.
    pub full_charge_capacity_mah: Option<u32>,
    /// Charge left, mAh, said a second time by newer boards.
    pub tail_remaining_capacity_mah: Option<u32>,
    /// Balance current, mA, signed; newer boards only.
    pub balance_current_ma: Option<i16>,
}

impl BasicInfo {
    /// Decodes the data of an answer; see [`BasicInfoView::parse`].
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] below 23 bytes.
    pub fn decode(data: &[u8], unit_scale: UnitScale) -> Result<Self, DecodeError> {
        BasicInfoView::parse(data, unit_scale).map(Self::from)
    }

    /// Terminal power, mW, positive while charging.
    #[must_use]
    pub fn power_mw(&self) -> i64 {
        i64::from(self.pack_voltage_mv) * i64::from(self.current_ma) / 1000
    }

    /// State of charge limited to 100 percent.
    #[must_use]
    pub fn soc_percent_clamped(&self) -> u8 {
        self.soc_percent.min(100)
    }
}

impl From<BasicInfoView<'_>> for BasicInfo {
    fn from(view: BasicInfoView<'_>) -> Self {
        Self {
            pack_voltage_mv: view.pack_voltage_mv(),
            current_ma: view.current_ma(),
            remaining_capacity_mah: view.remaining_capacity_mah(),
            nominal_capacity_mah: view.nominal_capacity_mah(),
            cycles: view.cycles(),
            production_date: view.production_date(),
            balancing: view.balancing(),
            protection: view.protection(),
            software_version: view.software_version(),
            soc_percent: view.soc_percent(),
            mosfets: view.mosfets(),
            cell_count: view.cell_count(),
            temperatures_deci_c: view.temperatures_deci_c().collect(),
            humidity_percent: view.humidity_percent(),
            alarms: view.alarms(),
            full_charge_capacity_mah: view.full_charge_capacity_mah(),
            tail_remaining_capacity_mah: view.tail_remaining_capacity_mah(),
            balance_current_ma: view.balance_current_ma(),
        }
    }
}

/// Firmware version, one hexadecimal digit each side of the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SoftwareVersion(pub u8);

impl fmt::Display for SoftwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.0 >> 4, self.0 & 0x0F)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_below_the_fixed_part_is_refused() {
        for len in 0..FIXED {
            let error = BasicInfoView::parse(&[0; FIXED][..len], UnitScale::Auto).unwrap_err();
            assert_eq!(
                error,
                DecodeError::TooShort {
                    register: 3,
                    needed: 23,
                    got: len
                }
            );
        }
    }

    #[test]
    fn the_tail_ends_wherever_the_data_does() {
        let mut data = [0u8; FIXED + 2 + 9];
        data[PROBE_COUNT] = 1;
        for present in 0..=9 {
            let view = BasicInfoView::parse(&data[..FIXED + 2 + present], UnitScale::Auto).unwrap();
            assert_eq!(view.humidity_percent().is_some(), present >= 1);
            assert_eq!(view.alarms().is_some(), present >= 3);
            assert_eq!(view.full_charge_capacity_mah().is_some(), present >= 5);
            assert_eq!(view.tail_remaining_capacity_mah().is_some(), present >= 7);
            assert_eq!(view.balance_current_ma().is_some(), present >= 9);
        }
    }

    #[test]
    fn temperatures_outside_any_range_are_absent() {
        assert_eq!(deci_celsius(0), None);
        assert_eq!(deci_celsius(1), Some(-2730));
        assert_eq!(deci_celsius(35498), Some(i16::MAX));
        assert_eq!(deci_celsius(35499), None);
    }

    #[test]
    fn the_unit_scale_can_be_overruled() {
        let mut data = [0u8; FIXED];
        data[CURRENT + 1] = 1;
        data[MOSFETS] = 0x80;
        let current = |scale| BasicInfoView::parse(&data, scale).unwrap().current_ma();
        assert_eq!(current(UnitScale::Auto), 100);
        assert_eq!(current(UnitScale::TenMilliamp), 10);
        assert_eq!(current(UnitScale::HundredMilliamp), 100);
    }
}
