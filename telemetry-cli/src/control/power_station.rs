//! Controls of power stations. What can cut off what depends on a station is
//! guarded: its outputs, what switches them off by itself, and what changes
//! the voltage at them. Which options and ranges a control has, its model says.

use std::borrow::Cow;

use super::{Control, Form};
use crate::metric::{Metric, power_station as metric};

const PERCENT: Form = Form::Number {
    min: 0.0,
    max: 100.0,
    step: 1.0,
    unit: "%",
};

const AMPERES: Form = Form::Number {
    min: 0.0,
    max: 100.0,
    step: 1.0,
    unit: "A",
};

const WATTS: Form = Form::Number {
    min: 0.0,
    max: 65_535.0,
    step: 1.0,
    unit: "W",
};

/// The options are those of the model.
const OPTIONS: Form = Form::Select(Cow::Borrowed(&[]));

const fn row(key: &'static str, title: &'static str, form: Form) -> Control {
    Control {
        key,
        name: key,
        title,
        form,
        metric: None,
        guarded: false,
    }
}

impl Control {
    const fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    const fn showing(mut self, metric: &'static Metric) -> Self {
        self.metric = Some(metric);
        self.key = metric.key;
        self
    }
}

/// Writes a table of rows: one static per row, and `ALL` over them.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        $($(#[$doc])* pub static $name: Control = $row;)*

        /// Every row.
        pub static ALL: &[&Control] = &[$(&$name),*];
    };
}

rows! {
    /// Switches the sockets.
    AC_OUTPUT = row("ac_output", "AC output", Form::Switch).showing(&metric::AC_OUTPUT_ON).guarded();
    /// Switches the DC ports.
    DC_OUTPUT = row("dc_output", "DC output", Form::Switch).showing(&metric::DC_OUTPUT_ON).guarded();
    /// Lets it charge from the grid, or not.
    GRID_CHARGE = row("grid_charge", "Grid charge", Form::Switch).showing(&metric::GRID_CHARGE_ON);
    /// How grid and battery share the load.
    UPS_MODE = row("ups_mode", "UPS mode", OPTIONS).showing(&metric::UPS_MODE);
    /// How fast it charges.
    CHARGING_MODE = row("charging_mode", "Charging mode", OPTIONS).showing(&metric::CHARGING_MODE);
    /// Below this charge the grid takes over.
    BATTERY_RANGE_START = row("battery_range_start", "Battery range start", PERCENT).showing(&metric::BATTERY_RANGE_START_PERCENT);
    /// Above this charge the grid stops charging.
    BATTERY_RANGE_END = row("battery_range_end", "Battery range end", PERCENT).showing(&metric::BATTERY_RANGE_END_PERCENT);
    /// Where charging stops.
    CHARGE_LIMIT = row("charge_limit", "Charge limit", PERCENT);
    /// How much it takes from the grid while charging.
    GRID_CHARGE_CURRENT = row("grid_charge_current", "Grid charge current", AMPERES);
    /// When the display sleeps.
    AUTO_SLEEP_MODE = row("auto_sleep_mode", "Auto sleep", OPTIONS).showing(&metric::AUTO_SLEEP_MODE);
    /// The lamp.
    LED_MODE = row("led_mode", "LED mode", OPTIONS);
    /// Charges and discharges by the clock.
    TIME_CONTROL = row("time_control", "Time control", Form::Switch);
    /// Sets the station's clock to local time.
    SET_CLOCK = row("set_clock", "Set clock", Form::Button);
    /// Helps a weak grid out.
    GRID_ENHANCEMENT = row("grid_enhancement", "Grid enhancement", Form::Switch);
    /// Switches off both outputs after hours of little load.
    ECO = row("eco", "Eco mode", Form::Switch).guarded();
    /// After how many.
    ECO_HOURS = row("eco_hours", "Eco delay", OPTIONS);
    /// Switches off the AC output after hours of little load.
    ECO_AC = row("eco_ac", "AC eco mode", Form::Switch).guarded();
    /// After how many.
    ECO_HOURS_AC = row("eco_hours_ac", "AC eco delay", OPTIONS);
    /// What counts as little.
    ECO_POWER_AC = row("eco_power_ac", "AC eco load", WATTS).guarded();
    /// Switches off the DC output after hours of little load.
    ECO_DC = row("eco_dc", "DC eco mode", Form::Switch).guarded();
    /// After how many.
    ECO_HOURS_DC = row("eco_hours_dc", "DC eco delay", OPTIONS);
    /// What counts as little.
    ECO_POWER_DC = row("eco_power_dc", "DC eco load", WATTS).guarded();
    /// More power for heaters, at a voltage that other devices do not bear.
    POWER_LIFTING = row("power_lifting", "Power lifting", Form::Switch).guarded();
    /// Switches the output of a charger between two batteries.
    CHARGER = row("charger", "Charger", Form::Switch).guarded();
    /// Switches the station off; only its button switches it on again.
    POWER_OFF = row("power_off", "Power off", Form::Button).guarded();
    /// Feeds into the grid.
    FEED_IN = row("feed_in", "Feed-in", Form::Switch).guarded();
    /// Couples two stations to a split-phase pair.
    SPLIT_PHASE = row("split_phase", "Split phase", Form::Switch).guarded();
    /// Which part it has in that pair.
    SPLIT_PHASE_ROLE = row("split_phase_role", "Split phase role", OPTIONS).guarded();
}
