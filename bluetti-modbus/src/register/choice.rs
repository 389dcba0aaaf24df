use core::fmt;

/// The named numbers of an enumerated register.
#[derive(Debug, PartialEq, Eq)]
pub struct Choices {
    name: &'static str,
    options: &'static [Named],
}

/// A number of an enumeration and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The number in the register.
    pub value: u16,
    /// Its name.
    pub name: &'static str,
    /// Its name in the other open implementation, where that differs.
    pub alias: Option<&'static str>,
}

impl Choices {
    const fn new(name: &'static str, options: &'static [Named]) -> Self {
        Self { name, options }
    }

    /// What is enumerated, such as `OutputMode`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The known numbers.
    #[must_use]
    pub const fn options(&self) -> &'static [Named] {
        self.options
    }

    /// The number of a name or alias.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<u16> {
        let mut options = self.options.iter();
        let option = options.find(|option| option.name == name || option.alias == Some(name))?;
        Some(option.value)
    }
}

/// A number out of an enumerated register. Numbers without a name are kept.
///
/// ```
/// use bluetti_modbus::register::{Choice, choices};
///
/// assert_eq!(Choice::new(&choices::OUTPUT_MODE, 2).to_string(), "BYPASS_OUTPUT_C");
/// assert_eq!(Choice::new(&choices::OUTPUT_MODE, 9).to_string(), "unknown_9");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    choices: &'static Choices,
    value: u16,
}

impl Choice {
    /// A number of an enumeration.
    #[must_use]
    pub const fn new(choices: &'static Choices, value: u16) -> Self {
        Self { choices, value }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.value
    }

    /// The enumeration.
    #[must_use]
    pub const fn choices(self) -> &'static Choices {
        self.choices
    }

    /// Its name, where it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(self.option()?.name)
    }

    /// Its name in the other open implementation, where that differs.
    #[must_use]
    pub fn alias(self) -> Option<&'static str> {
        self.option()?.alias
    }

    fn option(self) -> Option<&'static Named> {
        let mut options = self.choices.options.iter();
        options.find(|option| option.value == self.value)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown_{}", self.value),
        }
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{self}", self.choices.name)
    }
}

/// The enumerations of the stations.
pub mod choices {
    use super::{Choices, Named};

    const fn option(value: u16, name: &'static str) -> Named {
        Named {
            value,
            name,
            alias: None,
        }
    }

    const fn aliased(value: u16, name: &'static str, alias: &'static str) -> Named {
        Named {
            value,
            name,
            alias: Some(alias),
        }
    }

    /// Where the AC output comes from (register 70).
    pub static OUTPUT_MODE: Choices = Choices::new(
        "OutputMode",
        &[
            option(0, "STOP"),
            option(1, "INVERTER_OUTPUT"),
            option(2, "BYPASS_OUTPUT_C"),
            option(3, "BYPASS_OUTPUT_D"),
            option(4, "LOAD_MATCHING"),
        ],
    );

    /// What a pack does (register 97).
    pub static BATTERY_STATE: Choices = Choices::new(
        "BatteryState",
        &[
            option(0, "STANDBY"),
            option(1, "CHARGE"),
            option(2, "DISCHARGE"),
        ],
    );

    /// Which way the battery's energy flows (registers 103, 6009 and 6125).
    pub static NET_FLOW: Choices = Choices::new(
        "NetFlow",
        &[
            option(0, "IDLE"),
            option(1, "CHARGING"),
            option(2, "DISCHARGING"),
        ],
    );

    /// Working mode of the first generation (register 3001).
    pub static UPS_MODE: Choices = Choices::new(
        "UpsMode",
        &[
            option(1, "CUSTOMIZED"),
            option(2, "PV_PRIORITY"),
            option(3, "STANDARD"),
            option(4, "TIME_CONTROL"),
        ],
    );

    /// Working mode of the second generation (register 2005).
    pub static WORKING_MODE: Choices = Choices::new(
        "UpsMode",
        &[
            option(1, "CUSTOMIZED"),
            option(2, "PV_PRIORITY"),
            option(3, "STANDARD"),
            option(4, "TIME_CONTROL"),
            option(5, "TIME_CONTROL_V2"),
            option(11, "SELF_CONSUMPTION_EXPORT"),
        ],
    );

    /// Working mode of an AP300 (register 2005).
    pub static AP300_MODE: Choices = Choices::new(
        "UpsMode",
        &[
            option(1, "CUSTOM"),
            option(2, "SELF_CONSUMPTION"),
            option(4, "BACKUP"),
            option(5, "TIME_OF_USE"),
        ],
    );

    /// Role in a split-phase pair (register 3005).
    pub static MACHINE_ADDRESS: Choices =
        Choices::new("MachineAddress", &[option(0, "SLAVE"), option(1, "MASTER")]);

    /// When the screen goes off (registers 3061 and 2067).
    pub static AUTO_SLEEP_MODE: Choices = Choices::new(
        "AutoSleepMode",
        &[
            aliased(2, "THIRTY_SECONDS", "SEC30"),
            aliased(3, "ONE_MINUTE", "MIN1"),
            aliased(4, "FIVE_MINUTES", "MIN5"),
            option(5, "NEVER"),
        ],
    );

    /// Lamp of an EB3A (register 3034).
    pub static LED_MODE: Choices = Choices::new(
        "LedMode",
        &[
            option(1, "LOW"),
            option(2, "HIGH"),
            option(3, "SOS"),
            option(4, "OFF"),
        ],
    );

    /// Lamp of an AC60 (register 2007). Not the numbers of an EB3A.
    pub static LED_MODE_V2: Choices = Choices::new(
        "LedMode",
        &[
            option(0, "OFF"),
            option(1, "LOW"),
            option(2, "HIGH"),
            option(3, "SOS"),
        ],
    );

    /// How long eco mode waits (registers 3064, 2015 and 2018).
    pub static ECO_SHUTDOWN: Choices = Choices::new(
        "EcoShutdown",
        &[
            aliased(1, "ONE_HOUR", "HOURS1"),
            aliased(2, "TWO_HOURS", "HOURS2"),
            aliased(3, "THREE_HOURS", "HOURS3"),
            aliased(4, "FOUR_HOURS", "HOURS4"),
        ],
    );

    /// How fast it charges from the grid (registers 3065 and 2020). 4 is known of
    /// newer firmware only.
    pub static CHARGING_MODE: Choices = Choices::new(
        "ChargingMode",
        &[
            option(0, "STANDARD"),
            option(1, "SILENT"),
            option(2, "TURBO"),
            option(4, "CUSTOM"),
        ],
    );

    /// Power-off register of the second generation (2013).
    pub static POWER_OFF: Choices = Choices::new(
        "PowerOff",
        &[
            option(1, "SHUT_DOWN"),
            option(2, "POWER_DOWN_A"),
            option(3, "POWER_DOWN_B"),
            option(4, "SLEEP"),
        ],
    );

    /// What an inverter phase does (register 1509 and each seventh behind it).
    pub static INVERTER_STATUS: Choices = Choices::new(
        "InverterStatus",
        &[
            option(0, "STANDBY"),
            option(1, "RUNNING"),
            option(2, "FAULT"),
            option(3, "BYPASS"),
        ],
    );

    /// Inverter state over Modbus-TCP (register 50022).
    pub static TCP_STATUS: Choices = Choices::new(
        "InverterState",
        &[
            option(0, "STOP"),
            option(1, "OFF_GRID"),
            option(2, "GRID_LOAD"),
            option(3, "GRID_OPERATION"),
            option(4, "GRID_CHARGING"),
            option(5, "GRID_DISCHARGING"),
            option(6, "FAULT"),
            option(7, "ABNORMAL_OFF_GRID"),
        ],
    );
}
