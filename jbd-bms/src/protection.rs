//! Protections (the board cut off) and alarms (it is about to).

use core::fmt;

macro_rules! conditions {
    (
        $(#[$set_doc:meta])* $Set:ident of
        $(#[$one_doc:meta])* $One:ident {
            $($(#[$doc:meta])* $bit:literal $Variant:ident $name:literal,)+
        }
    ) => {
        $(#[$one_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
        #[non_exhaustive]
        pub enum $One {
            $($(#[$doc])* $Variant,)+
            /// A bit without an agreed meaning, by its number.
            Bit(u8),
        }

        impl $One {
            /// The condition behind a bit.
            #[must_use]
            pub const fn from_bit(bit: u8) -> Self {
                match bit {
                    $($bit => Self::$Variant,)+
                    other => Self::Bit(other),
                }
            }

            /// The bit's number, 0..=15.
            #[must_use]
            pub const fn bit(self) -> u8 {
                match self {
                    $(Self::$Variant => $bit,)+
                    Self::Bit(bit) => bit,
                }
            }

            /// The name in snake case; `bit_13` and the like where there is none.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                    Self::Bit(bit) => bit_name(bit),
                }
            }
        }

        impl fmt::Display for $One {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        $(#[$set_doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $Set(u16);

        impl $Set {
            /// From the device's bits.
            #[must_use]
            pub const fn from_bits(bits: u16) -> Self {
                Self(bits)
            }

            /// The device's bits.
            #[must_use]
            pub const fn bits(self) -> u16 {
                self.0
            }

            /// What is active, by ascending bit.
            pub fn iter(self) -> impl Iterator<Item = $One> {
                (0..16)
                    .filter(move |&bit| self.0 >> bit & 1 == 1)
                    .map($One::from_bit)
            }

            /// Whether this one is active.
            #[must_use]
            pub const fn contains(self, condition: $One) -> bool {
                matches!(condition.bit(), 0..=15) && self.0 >> condition.bit() & 1 == 1
            }

            /// Whether nothing is active.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
        }
    };
}

conditions! {
    /// Active protections (register 0x03).
    Protections of
    /// A condition that made the board cut off.
    ///
    /// Bits 13 and 14 mean defective MOSFETs in one edition of the vendor's
    /// document and a charge timeout to others, so they keep their number.
    Protection {
        /// A cell is above its limit.
        0 CellOvervoltage "cell_overvoltage",
        /// A cell is below its limit.
        1 CellUndervoltage "cell_undervoltage",
        /// The pack is above its limit.
        2 PackOvervoltage "pack_overvoltage",
        /// The pack is below its limit.
        3 PackUndervoltage "pack_undervoltage",
        /// Too hot to charge.
        4 ChargeOvertemperature "charge_overtemperature",
        /// Too cold to charge.
        5 ChargeUndertemperature "charge_undertemperature",
        /// Too hot to discharge.
        6 DischargeOvertemperature "discharge_overtemperature",
        /// Too cold to discharge.
        7 DischargeUndertemperature "discharge_undertemperature",
        /// Charged with too much current.
        8 ChargeOvercurrent "charge_overcurrent",
        /// Discharged with too much current.
        9 DischargeOvercurrent "discharge_overcurrent",
        /// Short circuit.
        10 ShortCircuit "short_circuit",
        /// The measuring chip does not answer.
        11 FrontEndError "front_end_error",
        /// A MOSFET is switched off on request; the user's doing, not a fault.
        12 MosfetSoftwareLock "mosfet_software_lock",
    }
}

conditions! {
    /// Active alarms (tail of register 0x03).
    Alarms of
    /// A warning level before the protection of the same kind.
    Alarm {
        /// A cell is high.
        0 CellHighVoltage "cell_high_voltage",
        /// A cell is low.
        1 CellLowVoltage "cell_low_voltage",
        /// The pack is high.
        2 PackHighVoltage "pack_high_voltage",
        /// The pack is low.
        3 PackLowVoltage "pack_low_voltage",
        /// Hot while charging.
        4 ChargeHighTemperature "charge_high_temperature",
        /// Cold while charging.
        5 ChargeLowTemperature "charge_low_temperature",
        /// Hot while discharging.
        6 DischargeHighTemperature "discharge_high_temperature",
        /// Cold while discharging.
        7 DischargeLowTemperature "discharge_low_temperature",
        /// High charge current.
        8 ChargeCurrentHigh "charge_current_high",
        /// High discharge current.
        9 DischargeCurrentHigh "discharge_current_high",
        /// The cells differ much.
        10 CellVoltageDifference "cell_voltage_difference",
        /// Little charge left.
        11 LowCapacity "low_capacity",
    }
}

impl Protections {
    /// Whether anything but the user's own MOSFET lock is active.
    #[must_use]
    pub const fn has_fault(self) -> bool {
        self.0 & !(1 << Protection::MosfetSoftwareLock.bit()) != 0
    }
}

const fn bit_name(bit: u8) -> &'static str {
    match bit {
        0 => "bit_0",
        1 => "bit_1",
        2 => "bit_2",
        3 => "bit_3",
        4 => "bit_4",
        5 => "bit_5",
        6 => "bit_6",
        7 => "bit_7",
        8 => "bit_8",
        9 => "bit_9",
        10 => "bit_10",
        11 => "bit_11",
        12 => "bit_12",
        13 => "bit_13",
        14 => "bit_14",
        15 => "bit_15",
        _ => "bit_out_of_range",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn bits_without_a_name_keep_their_number() {
        let names: Vec<_> = Protections::from_bits(0b1011_0000_0000_0001)
            .iter()
            .map(Protection::as_str)
            .collect();
        assert_eq!(
            names,
            [
                "cell_overvoltage",
                "mosfet_software_lock",
                "bit_13",
                "bit_15"
            ]
        );
    }

    #[test]
    fn bits_and_conditions_map_both_ways() {
        for bit in 0..=255 {
            assert_eq!(Protection::from_bit(bit).bit(), bit);
            assert_eq!(Alarm::from_bit(bit).bit(), bit);
        }
        assert!(!Protections::from_bits(u16::MAX).contains(Protection::Bit(16)));
    }

    #[test]
    fn the_users_lock_is_no_fault() {
        assert!(!Protections::from_bits(0x1000).has_fault());
        assert!(Protections::from_bits(0x1001).has_fault());
    }
}
