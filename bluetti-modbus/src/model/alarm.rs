use core::fmt;

/// Which names a model's alarm bits have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarms {
    /// None is known.
    Unnamed,
    /// Those of small inverters of the second generation.
    SmallInverter,
}

/// A bit that is set in a warning or fault word.
///
/// The names come from the vendor's app; that they belong to these bits was not
/// verified on a station. The word and the bit are certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alarm {
    fault: bool,
    word: u8,
    bit: u8,
    name: Option<&'static str>,
}

impl Alarm {
    /// Whether it is a fault rather than a warning.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        self.fault
    }

    /// The number of the word, from 1.
    #[must_use]
    pub const fn word(self) -> u8 {
        self.word
    }

    /// The bit in it, 0 the lowest.
    #[must_use]
    pub const fn bit(self) -> u8 {
        self.bit
    }

    /// Its presumable name.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        self.name
    }

    /// The bits that are set in a word.
    pub(super) fn in_word(
        names: Alarms,
        fault: bool,
        word: u8,
        bits: u16,
    ) -> impl Iterator<Item = Self> {
        (0..16_u8)
            .filter(move |bit| bits >> bit & 1 == 1)
            .map(move |bit| Self {
                fault,
                word,
                bit,
                name: names.name(fault, word, bit),
            })
    }
}

/// The name, or word and bit as in `fault_2_bit_7`.
impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.fault { "fault" } else { "warning" };
        match self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{kind}_{}_bit_{}", self.word, self.bit),
        }
    }
}

impl Alarms {
    fn name(self, fault: bool, word: u8, bit: u8) -> Option<&'static str> {
        let words: &[&[&str]] = match (self, fault) {
            (Self::Unnamed, _) => return None,
            (Self::SmallInverter, false) => &WARNINGS,
            (Self::SmallInverter, true) => &FAULTS,
        };
        let names = words.get(usize::from(word.checked_sub(1)?))?;
        names.get(usize::from(bit)).copied()
    }
}

static WARNINGS: [&[&str]; 2] = [
    &[
        "grid_overvoltage",
        "grid_undervoltage",
        "grid_overfrequency",
        "grid_underfrequency",
        "grid_oscillation",
        "network_operation",
        "grid_connection",
        "accessory",
        "pv_configuration",
        "second_grid_overvoltage",
        "second_grid_undervoltage",
        "second_grid_overfrequency",
        "second_grid_underfrequency",
        "second_grid_oscillation",
        "grid_not_connected",
    ],
    &[
        "pack_communication",
        "iot_communication",
        "ups_input_overvoltage",
        "ups_input_undervoltage",
        "ups_input_overcurrent",
        "ups_input_overtemperature",
        "ups_input_precharge",
        "ups_input_hardware",
    ],
];

static FAULTS: [&[&str]; 5] = [
    &[
        "inverter_overload",
        "inverter_overtemperature",
        "inverter_short_circuit",
        "inverter_output",
        "llc_output",
        "bus_overvoltage",
        "bus_undervoltage",
        "hardware_inverter_overcurrent",
        "hardware_input_overcurrent",
        "battery_overvoltage",
        "battery_undervoltage",
        "main_relay",
        "grid_relay",
        "calibration",
        "auxiliary_battery",
        "fan",
    ],
    &[
        "multiple_hosts",
        "phase_loss",
        "multi_unit_communication",
        "synchronization",
        "configuration",
        "generator_voltage",
        "initialization",
        "parallel_relay",
        "grid_input_overcurrent",
        "system_overload",
        "dc_output_overload",
        "inverter_low_temperature",
    ],
    &[
        "pv1_overvoltage",
        "pv2_overvoltage",
        "pv3_overvoltage",
        "pv1_overcurrent",
        "pv2_overcurrent",
        "pv3_overcurrent",
        "pv1_overtemperature",
        "pv2_overtemperature",
        "pv3_overtemperature",
        "pv_precharge",
        "pv1_hardware",
        "pv2_hardware",
        "pv3_hardware",
        "pv_insulation",
    ],
    &[
        "pv4_overvoltage",
        "pv4_overcurrent",
        "pv4_overtemperature",
        "pv4_hardware",
        "pv1_low_temperature",
        "pv2_low_temperature",
        "pv3_low_temperature",
        "pv4_low_temperature",
    ],
    &[
        "dc_output_short_circuit",
        "dc_output_overvoltage",
        "dc_output_overcurrent",
        "dc_output_overtemperature",
        "dc_output_failure",
        "bms_communication",
        "string_communication",
        "clock",
        "eeprom",
        "bms",
        "controller_overtemperature",
        "zero_drift",
        "dc_low_temperature",
        "leakage",
        "insulation",
    ],
];
