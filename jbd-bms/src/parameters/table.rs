use core::fmt;

/// How a parameter's 16 bits (or its text) are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// An unsigned count of so many units.
    Unsigned(u8),
    /// An unsigned count of 10 mAh, or of 100 mAh in that unit mode.
    Capacity,
    /// A signed count of 10 mA, or of 100 mA in that unit mode.
    Current,
    /// 0.1 K above absolute zero.
    Temperature,
    /// A packed date.
    Date,
    /// Single bits.
    Bits,
    /// Two bytes with a meaning each.
    Pair,
    /// Packed thresholds; see [`HardwareLimits`](super::HardwareLimits).
    HardwareLimits,
    /// Packed delays; see [`HardwareDelays`](super::HardwareDelays).
    HardwareDelays,
    /// A length byte and ASCII.
    Text,
}

/// What a decoded number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// mAh.
    MilliampHours,
    /// mA.
    Milliamps,
    /// mV.
    Millivolts,
    /// 0.1 °C.
    DeciCelsius,
    /// s.
    Seconds,
    /// A.
    Amps,
    /// W.
    Watts,
    /// 0.1 mΩ, or 0.01 mΩ with bit 15 set.
    ShuntResistance,
    /// A plain number, bits, text or a date.
    None,
}

impl Unit {
    /// The unit's symbol; empty for plain numbers.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::MilliampHours => "mAh",
            Self::Milliamps => "mA",
            Self::Millivolts => "mV",
            Self::DeciCelsius => "0.1 °C",
            Self::Seconds => "s",
            Self::Amps => "A",
            Self::Watts => "W",
            Self::ShuntResistance => "0.1 mΩ",
            Self::None => "",
        }
    }
}

/// How careful one has to be with writing a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guard {
    /// A setting.
    Free,
    /// A wrong value makes measurements wrong or the pack unsafe; written only
    /// when forced.
    Guarded,
    /// A counter or an identity; a restore passes it over unless forced.
    Counter,
}

macro_rules! parameters {
    ($($(#[$doc:meta])* $Variant:ident $name:literal
        $register:expr, $number:expr, $words:literal, $encoding:expr, $unit:ident, $guard:ident;)+) => {
        /// A parameter by name. Its documentation gives the classic register and
        /// the number in register 0xFA.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Parameter {
            $($(#[$doc])* $Variant,)+
        }

        impl Parameter {
            /// All parameters, by register, then by number.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$Variant => Row {
                        name: $name,
                        register: $register,
                        number: $number,
                        words: $words,
                        encoding: $encoding,
                        unit: Unit::$unit,
                        guard: Guard::$guard,
                    },)+
                }
            }
        }
    };
}

struct Row {
    name: &'static str,
    register: Option<u8>,
    number: Option<u16>,
    words: u8,
    encoding: Encoding,
    unit: Unit,
    guard: Guard,
}

use Encoding::{
    Bits, Capacity, Current, Date, HardwareDelays, HardwareLimits, Pair, Temperature, Text,
    Unsigned,
};

parameters! {
    /// 0x10, 0. Capacity of the pack, mAh.
    DesignCapacity "design_capacity" Some(0x10), Some(0), 1, Capacity, MilliampHours, Free;
    /// 0x11, 1. Charge that makes one cycle, mAh.
    CycleCapacity "cycle_capacity" Some(0x11), Some(1), 1, Capacity, MilliampHours, Free;
    /// 0x12, 2. Cell voltage at 100 percent, mV.
    FullVoltage "full_voltage" Some(0x12), Some(2), 1, Unsigned(1), Millivolts, Free;
    /// 0x13, 3. Cell voltage at 0 percent, mV.
    EmptyVoltage "empty_voltage" Some(0x13), Some(3), 1, Unsigned(1), Millivolts, Free;
    /// 0x14, 4. Self-discharge rate in 0.1 percent or own consumption in mA: the
    /// sources contradict each other.
    SelfDischarge "self_discharge" Some(0x14), Some(4), 1, Unsigned(1), None, Free;
    /// 0x15, 5. Production date.
    ProductionDate "production_date" Some(0x15), Some(5), 1, Date, None, Free;
    /// 0x16, 6. Serial number.
    SerialNumber "serial_number" Some(0x16), Some(6), 1, Unsigned(1), None, Counter;
    /// 0x17, 7. Cycles so far.
    CycleCount "cycle_count" Some(0x17), Some(7), 1, Unsigned(1), None, Counter;
    /// 0x18, 8. Too hot to charge, 0.1 °C.
    ChargeOvertemperature "charge_overtemperature" Some(0x18), Some(8), 1, Temperature, DeciCelsius, Free;
    /// 0x19, 9. Charging again below, 0.1 °C.
    ChargeOvertemperatureRelease "charge_overtemperature_release" Some(0x19), Some(9), 1, Temperature, DeciCelsius, Free;
    /// 0x1A, 10. Too cold to charge, 0.1 °C.
    ChargeUndertemperature "charge_undertemperature" Some(0x1A), Some(10), 1, Temperature, DeciCelsius, Free;
    /// 0x1B, 11. Charging again above, 0.1 °C.
    ChargeUndertemperatureRelease "charge_undertemperature_release" Some(0x1B), Some(11), 1, Temperature, DeciCelsius, Free;
    /// 0x1C, 12. Too hot to discharge, 0.1 °C.
    DischargeOvertemperature "discharge_overtemperature" Some(0x1C), Some(12), 1, Temperature, DeciCelsius, Free;
    /// 0x1D, 13. Discharging again below, 0.1 °C.
    DischargeOvertemperatureRelease "discharge_overtemperature_release" Some(0x1D), Some(13), 1, Temperature, DeciCelsius, Free;
    /// 0x1E, 14. Too cold to discharge, 0.1 °C.
    DischargeUndertemperature "discharge_undertemperature" Some(0x1E), Some(14), 1, Temperature, DeciCelsius, Free;
    /// 0x1F, 15. Discharging again above, 0.1 °C.
    DischargeUndertemperatureRelease "discharge_undertemperature_release" Some(0x1F), Some(15), 1, Temperature, DeciCelsius, Free;
    /// 0x20, 16. Pack voltage too high, mV in steps of 10.
    PackOvervoltage "pack_overvoltage" Some(0x20), Some(16), 1, Unsigned(10), Millivolts, Free;
    /// 0x21, 17. Released below, mV in steps of 10.
    PackOvervoltageRelease "pack_overvoltage_release" Some(0x21), Some(17), 1, Unsigned(10), Millivolts, Free;
    /// 0x22, 18. Pack voltage too low, mV in steps of 10.
    PackUndervoltage "pack_undervoltage" Some(0x22), Some(18), 1, Unsigned(10), Millivolts, Free;
    /// 0x23, 19. Released above, mV in steps of 10.
    PackUndervoltageRelease "pack_undervoltage_release" Some(0x23), Some(19), 1, Unsigned(10), Millivolts, Free;
    /// 0x24, 20. Cell voltage too high, mV.
    CellOvervoltage "cell_overvoltage" Some(0x24), Some(20), 1, Unsigned(1), Millivolts, Free;
    /// 0x25, 21. Released below, mV.
    CellOvervoltageRelease "cell_overvoltage_release" Some(0x25), Some(21), 1, Unsigned(1), Millivolts, Free;
    /// 0x26, 22. Cell voltage too low, mV.
    CellUndervoltage "cell_undervoltage" Some(0x26), Some(22), 1, Unsigned(1), Millivolts, Free;
    /// 0x27, 23. Released above, mV.
    CellUndervoltageRelease "cell_undervoltage_release" Some(0x27), Some(23), 1, Unsigned(1), Millivolts, Free;
    /// 0x28, 24. Charge current too high, mA, positive.
    ChargeOvercurrent "charge_overcurrent" Some(0x28), Some(24), 1, Current, Milliamps, Free;
    /// 0x29, 25. Discharge current too high, mA, negative.
    DischargeOvercurrent "discharge_overcurrent" Some(0x29), Some(25), 1, Current, Milliamps, Free;
    /// 0x2A, 26. Balancing starts above, mV.
    BalanceStart "balance_start" Some(0x2A), Some(26), 1, Unsigned(1), Millivolts, Free;
    /// 0x2B, 27. Balancing starts above this difference, mV.
    BalanceWindow "balance_window" Some(0x2B), Some(27), 1, Unsigned(1), Millivolts, Free;
    /// 0x2C, 28. Current sensor, 0.1 mΩ, or 0.01 mΩ with bit 15 set.
    Shunt "shunt" Some(0x2C), Some(28), 1, Unsigned(1), ShuntResistance, Guarded;
    /// 0x2D, 29. What is switched on; see [`function_bits`](super::function_bits).
    FunctionBits "function_bits" Some(0x2D), Some(29), 1, Bits, None, Free;
    /// 0x2E, 30. Fitted temperature probes, bit 0 for the first.
    ProbeBits "probe_bits" Some(0x2E), Some(30), 1, Bits, None, Guarded;
    /// 0x2F, 31. Cells in series.
    CellCount "cell_count" Some(0x2F), Some(31), 1, Unsigned(1), None, Guarded;
    /// 0x30, 32. MOSFET control time, s.
    MosfetControlTime "mosfet_control_time" Some(0x30), Some(32), 1, Unsigned(1), Seconds, Free;
    /// 0x31, 33. LED time, s.
    LedTime "led_time" Some(0x31), Some(33), 1, Unsigned(1), Seconds, Free;
    /// 0x32, 34. Cell voltage at 80 percent, mV.
    VoltageAt80 "voltage_at_80" Some(0x32), Some(34), 1, Unsigned(1), Millivolts, Free;
    /// 0x33, 35. Cell voltage at 60 percent, mV.
    VoltageAt60 "voltage_at_60" Some(0x33), Some(35), 1, Unsigned(1), Millivolts, Free;
    /// 0x34, 36. Cell voltage at 40 percent, mV.
    VoltageAt40 "voltage_at_40" Some(0x34), Some(36), 1, Unsigned(1), Millivolts, Free;
    /// 0x35, 37. Cell voltage at 20 percent, mV.
    VoltageAt20 "voltage_at_20" Some(0x35), Some(37), 1, Unsigned(1), Millivolts, Free;
    /// 0x36, 38. Cell voltage at which the measuring chip itself cuts off, mV.
    HardwareCellOvervoltage "hardware_cell_overvoltage" Some(0x36), Some(38), 1, Unsigned(1), Millivolts, Free;
    /// 0x37, 39. Cell voltage at which the measuring chip itself cuts off, mV.
    HardwareCellUndervoltage "hardware_cell_undervoltage" Some(0x37), Some(39), 1, Unsigned(1), Millivolts, Free;
    /// 0x38. Short circuit and second overcurrent threshold of the measuring chip.
    HardwareLimits "hardware_limits" Some(0x38), None, 1, HardwareLimits, None, Free;
    /// 0x39. Delays of the measuring chip.
    HardwareDelays "hardware_delays" Some(0x39), None, 1, HardwareDelays, None, Free;
    /// 0x3A. Delay of charge under- and overtemperature, s.
    ChargeTemperatureDelays "charge_temperature_delays" Some(0x3A), None, 1, Pair, Seconds, Free;
    /// 0x3B. Delay of discharge under- and overtemperature, s.
    DischargeTemperatureDelays "discharge_temperature_delays" Some(0x3B), None, 1, Pair, Seconds, Free;
    /// 0x3C. Delay of pack under- and overvoltage, s.
    PackVoltageDelays "pack_voltage_delays" Some(0x3C), None, 1, Pair, Seconds, Free;
    /// 0x3D. Delay of cell under- and overvoltage, s.
    CellVoltageDelays "cell_voltage_delays" Some(0x3D), None, 1, Pair, Seconds, Free;
    /// 0x3E. Delay and release of charge overcurrent, s.
    ChargeOvercurrentDelays "charge_overcurrent_delays" Some(0x3E), None, 1, Pair, Seconds, Free;
    /// 0x3F. Delay and release of discharge overcurrent, s.
    DischargeOvercurrentDelays "discharge_overcurrent_delays" Some(0x3F), None, 1, Pair, Seconds, Free;
    /// 0x40, 104. Positioning receiver off below, mV.
    GpsOffVoltage "gps_off_voltage" Some(0x40), Some(104), 1, Unsigned(1), Millivolts, Free;
    /// 0x41, 105. Positioning receiver off after, s.
    GpsOffDelay "gps_off_delay" Some(0x41), Some(105), 1, Unsigned(1), Seconds, Free;
    /// 0x42, 106. Cell voltage at 90 percent, mV. This one and the next five need
    /// newer firmware; some older one acknowledges writes and refuses reads.
    VoltageAt90 "voltage_at_90" Some(0x42), Some(106), 1, Unsigned(1), Millivolts, Free;
    /// 0x43, 107. Cell voltage at 70 percent, mV.
    VoltageAt70 "voltage_at_70" Some(0x43), Some(107), 1, Unsigned(1), Millivolts, Free;
    /// 0x44, 108. Cell voltage at 50 percent, mV.
    VoltageAt50 "voltage_at_50" Some(0x44), Some(108), 1, Unsigned(1), Millivolts, Free;
    /// 0x45, 109. Cell voltage at 30 percent, mV.
    VoltageAt30 "voltage_at_30" Some(0x45), Some(109), 1, Unsigned(1), Millivolts, Free;
    /// 0x46, 110. Cell voltage at 10 percent, mV.
    VoltageAt10 "voltage_at_10" Some(0x46), Some(110), 1, Unsigned(1), Millivolts, Free;
    /// 0x47, 111. Cell voltage at 100 percent, mV.
    VoltageAt100 "voltage_at_100" Some(0x47), Some(111), 1, Unsigned(1), Millivolts, Free;
    /// 0xA0, 56. Manufacturer, up to 31 characters.
    Manufacturer "manufacturer" Some(0xA0), Some(56), 16, Text, None, Free;
    /// 0xA1, 72. Device name, up to 31 characters.
    DeviceName "device_name" Some(0xA1), Some(72), 16, Text, None, Free;
    /// 0xA2, 88. Barcode, up to 31 characters.
    Barcode "barcode" Some(0xA2), Some(88), 16, Text, None, Free;
    /// 112. Learned capacity, mAh.
    LearnedCapacity "learned_capacity" None, Some(112), 1, Capacity, MilliampHours, Counter;
    /// 113. Charge correction interval, s; 0 is off.
    CorrectionInterval "correction_interval" None, Some(113), 1, Unsigned(1), Seconds, Free;
    /// 114. Rated voltage, mV in steps of 100.
    RatedVoltage "rated_voltage" None, Some(114), 1, Unsigned(100), Millivolts, Free;
    /// 115. Rated current, A.
    RatedCurrent "rated_current" None, Some(115), 1, Unsigned(1), Amps, Free;
    /// 116. Largest power, W.
    MaximumPower "maximum_power" None, Some(116), 1, Unsigned(1), Watts, Free;
    /// 117. Rated charge voltage, mV in steps of 100.
    RatedChargeVoltage "rated_charge_voltage" None, Some(117), 1, Unsigned(100), Millivolts, Free;
    /// 118. Rated discharge current, A.
    RatedDischargeCurrent "rated_discharge_current" None, Some(118), 1, Unsigned(1), Amps, Free;
    /// 119. Rated charge current, A.
    RatedChargeCurrent "rated_charge_current" None, Some(119), 1, Unsigned(1), Amps, Free;
    /// 120. Rated discharge power, W.
    RatedDischargePower "rated_discharge_power" None, Some(120), 1, Unsigned(1), Watts, Free;
    /// 121. Smallest current that counts, mA.
    MinimumCurrent "minimum_current" None, Some(121), 1, Unsigned(1), Milliamps, Free;
    /// 122. Time to sleep, s.
    SleepTime "sleep_time" None, Some(122), 1, Unsigned(1), Seconds, Free;
}

impl Parameter {
    /// The name in snake case, as in backups.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The classic register; `None` for those that exist in register 0xFA only.
    #[must_use]
    pub const fn register(self) -> Option<u8> {
        self.row().register
    }

    /// The first number in register 0xFA; `None` for the packed ones, which are
    /// split there.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        self.row().number
    }

    /// How many numbers the parameter takes in register 0xFA.
    #[must_use]
    pub const fn words(self) -> u8 {
        self.row().words
    }

    /// How the value is coded.
    #[must_use]
    pub const fn encoding(self) -> Encoding {
        self.row().encoding
    }

    /// What the decoded value counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.row().unit
    }

    /// How careful one has to be with writing it.
    #[must_use]
    pub const fn guard(self) -> Guard {
        self.row().guard
    }

    /// The parameter of a classic register.
    #[must_use]
    pub fn from_register(register: u8) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|parameter| parameter.register() == Some(register))
    }

    /// The parameter that starts at a number in register 0xFA.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|parameter| parameter.number() == Some(number))
    }

    /// The parameter of a name in snake case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|parameter| parameter.name() == name)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn names_registers_and_numbers_are_unique() {
        let all = Parameter::ALL;
        let names: BTreeSet<_> = all.iter().map(|p| p.name()).collect();
        let registers: BTreeSet<_> = all.iter().filter_map(|p| p.register()).collect();
        let numbers: BTreeSet<_> = all.iter().filter_map(|p| p.number()).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(registers.len(), 0x48 - 0x10 + 3);
        assert_eq!(numbers.len(), 40 + 3 + (122 - 104 + 1));
        for &parameter in all {
            assert_eq!(Parameter::from_name(parameter.name()), Some(parameter));
            assert!(parameter.register().is_some() || parameter.number().is_some());
        }
    }

    #[test]
    fn numbers_follow_the_registers_up_to_0x37() {
        for register in 0x10..=0x37 {
            let parameter = Parameter::from_register(register).unwrap();
            assert_eq!(parameter.number(), Some(u16::from(register) - 0x10));
        }
    }
}
