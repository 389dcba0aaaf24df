/// The MOSFET byte (register 0x03): what conducts, and what else is on.
///
/// "On" means conducting at this moment, whatever the reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mosfets(u8);

impl Mosfets {
    /// From the device's byte.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The device's byte, undocumented bits included.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Bit 0: the pack can be charged.
    #[must_use]
    pub const fn charge_on(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Bit 1: the pack can be discharged.
    #[must_use]
    pub const fn discharge_on(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Bit 2: the charge current limiter works.
    #[must_use]
    pub const fn current_limiter_on(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Bit 3: the heater is on.
    #[must_use]
    pub const fn heater_on(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Bit 7: currents and capacities count in 100 mA and 100 mAh instead of
    /// 10 mA and 10 mAh.
    #[must_use]
    pub const fn hundred_milliamp_units(self) -> bool {
        self.0 & 0x80 != 0
    }
}
