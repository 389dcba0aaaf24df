//! The fields that `bluetti-mqtt` publishes, and what they are for Home
//! Assistant.

/// One of them.
#[derive(Debug)]
pub(super) struct Entity {
    /// The field, as the registers have it.
    pub(super) field: &'static str,
    /// Its topic and its part of the unique id; the field's name for most.
    pub(super) id: &'static str,
    /// The field that has to be there; itself for most.
    pub(super) needs: &'static str,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// Announced only if everything is asked for.
    pub(super) advanced: bool,
    pub(super) icon: Option<&'static str>,
    /// What it is called among our controls, if it can be told something.
    pub(super) control: Option<&'static str>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Watts, volts and so on: unit and device class.
    Measured(&'static str, &'static str),
    /// Percent of a charge.
    Charge,
    /// Kilowatt hours.
    Energy,
    /// A word.
    Word,
    /// On or off, and nothing to be done about it.
    State,
    /// On or off.
    Switch(Option<&'static str>),
    /// One of some words.
    Select,
    /// A percentage.
    Percent,
    /// Something that happens.
    Button,
}

impl Kind {
    /// The platform of Home Assistant.
    pub(super) fn platform(self) -> &'static str {
        match self {
            Self::Measured(..) | Self::Charge | Self::Energy | Self::Word => "sensor",
            Self::State => "binary_sensor",
            Self::Switch(_) => "switch",
            Self::Select => "select",
            Self::Percent => "number",
            Self::Button => "button",
        }
    }

    /// What it is for who may only look.
    pub(super) fn unable(self) -> Option<Self> {
        match self {
            Self::Switch(_) => Some(Self::State),
            Self::Select => Some(Self::Word),
            Self::Percent => Some(Self::Measured("%", "")),
            Self::Button => None,
            other => Some(other),
        }
    }
}

const fn row(field: &'static str, name: &'static str, kind: Kind) -> Entity {
    Entity {
        field,
        id: field,
        needs: field,
        kind,
        name,
        advanced: false,
        icon: None,
        control: None,
    }
}

const fn watts(field: &'static str, name: &'static str) -> Entity {
    row(field, name, Kind::Measured("W", "power"))
}

const fn volts(field: &'static str, name: &'static str) -> Entity {
    row(field, name, Kind::Measured("V", "voltage"))
}

const fn amperes(field: &'static str, name: &'static str) -> Entity {
    row(field, name, Kind::Measured("A", "current"))
}

const fn hertz(field: &'static str, name: &'static str) -> Entity {
    row(field, name, Kind::Measured("Hz", "frequency"))
}

impl Entity {
    const fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    const fn icon(mut self, icon: &'static str) -> Self {
        self.icon = Some(icon);
        self
    }

    const fn told(mut self, control: &'static str) -> Self {
        self.control = Some(control);
        self
    }

    /// The first input of several, under a topic with its number.
    const fn input(mut self, id: &'static str) -> Self {
        self.id = id;
        self.needs = "internal_dc_input_voltage";
        self
    }
}

const OUTLET: Kind = Kind::Switch(Some("outlet"));
const SWITCH: Kind = Kind::Switch(None);

/// All of them.
pub(super) static ENTITIES: [Entity; 38] = [
    watts("dc_input_power", "DC Input Power"),
    watts("ac_input_power", "AC Input Power"),
    watts("ac_output_power", "AC Output Power"),
    watts("dc_output_power", "DC Output Power"),
    row("power_generation", "Total Power Generation", Kind::Energy),
    row(
        "total_battery_percent",
        "Total Battery Percent",
        Kind::Charge,
    ),
    row("ac_output_on", "AC Output", OUTLET).told("ac_output"),
    row("dc_output_on", "DC Output", OUTLET).told("dc_output"),
    row("ac_output_mode", "AC Output Mode", Kind::Word).advanced(),
    volts("internal_ac_voltage", "Internal AC Voltage").advanced(),
    amperes("internal_current_one", "Internal Current Sensor 1").advanced(),
    watts("internal_power_one", "Internal Power Sensor 1").advanced(),
    hertz("internal_ac_frequency", "Internal AC Frequency").advanced(),
    amperes("internal_current_two", "Internal Current Sensor 2").advanced(),
    watts("internal_power_two", "Internal Power Sensor 2").advanced(),
    volts("ac_input_voltage", "AC Input Voltage").advanced(),
    amperes("internal_current_three", "Internal Current Sensor 3").advanced(),
    watts("internal_power_three", "Internal Power Sensor 3").advanced(),
    hertz("ac_input_frequency", "AC Input Frequency").advanced(),
    volts("total_battery_voltage", "Total Battery Voltage").advanced(),
    amperes("total_battery_current", "Total Battery Current").advanced(),
    row("ups_mode", "UPS Working Mode", Kind::Select).told("ups_mode"),
    // They can be told, which is not shown.
    row("split_phase_on", "Split Phase", Kind::State).told("split_phase"),
    row(
        "split_phase_machine_mode",
        "Split Phase Machine",
        Kind::Word,
    )
    .told("split_phase_role"),
    row("grid_charge_on", "Grid Charge", SWITCH).told("grid_charge"),
    row("time_control_on", "Time Control", SWITCH).told("time_control"),
    row("battery_range_start", "Battery Range Start", Kind::Percent).told("battery_range_start"),
    row("battery_range_end", "Battery Range End", Kind::Percent).told("battery_range_end"),
    row("led_mode", "LED Mode", Kind::Select)
        .icon("mdi:lightbulb")
        .told("led_mode"),
    row("power_off", "Power Off", Kind::Button).told("power_off"),
    row("auto_sleep_mode", "Screen Auto Sleep Mode", Kind::Select)
        .icon("mdi:sleep")
        .told("auto_sleep_mode"),
    row("eco_on", "ECO", SWITCH).icon("mdi:sprout").told("eco"),
    row("eco_shutdown", "ECO Shutdown", Kind::Select)
        .icon("mdi:sprout")
        .told("eco_hours"),
    row("charging_mode", "Charging Mode", Kind::Select)
        .icon("mdi:battery-charging")
        .told("charging_mode"),
    row("power_lifting_on", "Power Lifting", SWITCH)
        .icon("mdi:arm-flex")
        .told("power_lifting"),
    volts("internal_dc_input_voltage", "DC Input Voltage 1").input("dc_input_voltage1"),
    watts("internal_dc_input_power", "DC Input Power 1").input("dc_input_power1"),
    amperes("internal_dc_input_current", "DC Input Current 1").input("dc_input_current1"),
];

/// What is known of a pack: the key in its JSON, the beginning of its id, its
/// name behind that of the pack, the field that has to be there.
pub(super) static PACK: [(&str, &str, &str, &str, Kind); 3] = [
    ("status", "pack_status", "Status", "pack_status", Kind::Word),
    (
        "voltage",
        "pack_voltage",
        "Voltage",
        "pack_voltage",
        Kind::Measured("V", "voltage"),
    ),
    (
        "percent",
        "pack_percent",
        "Percent",
        "pack_battery_percent",
        Kind::Charge,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::power_station;

    #[test]
    fn every_control_is_one_of_ours() {
        for entity in &ENTITIES {
            let known = entity
                .control
                .is_none_or(|word| power_station::ALL.iter().any(|control| control.is(word)));
            assert!(known, "{}", entity.field);
        }
    }
}
