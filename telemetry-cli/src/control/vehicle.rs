//! Controls of cars. What differs between models is offered narrower.

use std::borrow::Cow;

use super::clock::Times;
use super::{Control, Form};
use crate::metric::{Metric, vehicle};

/// Degrees Celsius that any car takes; each one offers its own part.
pub static TEMPERATURES_C: [&str; 18] = [
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
    "32", "33",
];

/// The lowest of [`TEMPERATURES_C`].
pub const LOWEST_TEMPERATURE_C: u8 = 16;

/// Seat heating with levels; cars without them take the first two.
pub static SEAT_LEVELS: [&str; 4] = ["0", "1", "2", "3"];

const fn row(
    key: &'static str,
    name: &'static str,
    title: &'static str,
    form: Form,
    metric: Option<&'static Metric>,
) -> Control {
    Control {
        key,
        name,
        title,
        form,
        metric,
        guarded: false,
    }
}

/// Off until it is allowed by name.
const fn guarded(
    key: &'static str,
    name: &'static str,
    title: &'static str,
    form: Form,
    metric: Option<&'static Metric>,
) -> Control {
    Control {
        key,
        name,
        title,
        form,
        metric,
        guarded: true,
    }
}

const fn select(options: &'static [&'static str]) -> Form {
    Form::Select(Cow::Borrowed(options))
}

/// A named row for each control, and [`ALL`] of them.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        $($(#[$doc])* pub static $name: Control = $row;)*

        /// Every row.
        pub static ALL: &[&Control] = &[$(&$name),*];
    };
}

rows! {
    /// Locks and unlocks the doors.
    LOCKED = guarded("locked", "lock", "Doors", Form::Lock, Some(&vehicle::LOCKED));
    /// Locks the doors; cannot unlock them.
    LOCK_DOORS = row("lock_doors", "lock_doors", "Lock doors", Form::Button, None);
    /// Unlocks the tailgate. Nothing closes it.
    OPEN_BOOT = guarded("open_boot", "open_boot", "Open boot", Form::Button, None);
    /// All windows.
    WINDOWS = guarded("windows", "windows", "Windows", select(&["close", "ventilate", "open"]), None);
    /// The sunroof.
    SUNROOF = guarded("sunroof", "sunroof", "Sunroof", select(&["close", "open"]), None);
    /// Sound and light, to find the car.
    FIND_CAR = row("find_car", "find_car", "Find my car", select(&["horn_and_lights", "lights", "horn", "stop"]), None);
    /// Heating or cooling of the cabin.
    CLIMATE = row("climate_active", "climate", "Climate", Form::Switch, Some(&vehicle::CLIMATE_ACTIVE));
    /// Starts the climate at this temperature, °C.
    CLIMATE_AT = row("climate_at_c", "climate_at", "Start climate at", select(&TEMPERATURES_C), None);
    /// What the climate does.
    CLIMATE_MODE = row("climate_mode", "climate_mode", "Climate mode", select(&["off", "on", "fan", "defrost", "heat", "max_cool", "max_heat"]), None);
    /// Heats the seat in front on the left.
    SEAT_FRONT_LEFT = row("seat_heating_front_left", "seat_heating_front_left", "Seat heating front left", select(&SEAT_LEVELS), None);
    /// Heats the seat in front on the right.
    SEAT_FRONT_RIGHT = row("seat_heating_front_right", "seat_heating_front_right", "Seat heating front right", select(&SEAT_LEVELS), None);
    /// Heats the seat behind on the left.
    SEAT_REAR_LEFT = row("seat_heating_rear_left", "seat_heating_rear_left", "Seat heating rear left", Form::Switch, None);
    /// Heats the seat behind on the right.
    SEAT_REAR_RIGHT = row("seat_heating_rear_right", "seat_heating_rear_right", "Seat heating rear right", Form::Switch, None);
    /// Heats the steering wheel.
    STEERING_WHEEL = row("steering_wheel_heating", "steering_wheel_heating", "Steering wheel heating", Form::Switch, None);
    /// Heats the rear window.
    REAR_WINDOW = row("rear_window_heating", "rear_window_heating", "Rear window heating", Form::Switch, None);
    /// Starts charging.
    START_CHARGING = row("start_charging", "start_charging", "Start charging", Form::Button, None);
    /// Stops charging.
    STOP_CHARGING = row("stop_charging", "stop_charging", "Stop charging", Form::Button, None);
    /// Where charging stops.
    TARGET_SOC = row(
        "target_soc_percent",
        "target_soc",
        "Target state of charge",
        Form::Number { min: 40.0, max: 100.0, step: 10.0, unit: "%" },
        Some(&vehicle::TARGET_SOC_PERCENT),
    );
    /// How much current may be drawn from a socket.
    CURRENT_LIMIT = row("charge_current_limit", "current_limit", "Charge current limit", select(&["6A", "8A", "16A", "Max"]), Some(&vehicle::CHARGE_CURRENT_LIMIT));
    /// When it charges, by the clock of the car.
    CHARGING_SCHEDULE = row("charging_schedule", "charging_schedule", "Charging schedule", Form::Times(Times::Span), None);
    /// When it heats the traction battery, every day.
    HEATING_SCHEDULE = row("battery_heating_schedule", "heating_schedule", "Battery heating schedule", Form::Times(Times::One), None);
    /// Locks the charging cable, or lets go of it.
    CABLE_LOCK = guarded("cable_lock", "cable_lock", "Charging cable", Form::Lock, None);
    /// Heats the traction battery.
    BATTERY_HEATING = row("battery_heating", "heat_battery", "Battery heating", Form::Switch, Some(&vehicle::BATTERY_HEATING));
    /// Feeds a house or a device from the traction battery.
    V2X = guarded("v2x", "v2x", "V2X", Form::Switch, None);
    /// Where feeding stops.
    V2X_FLOOR = guarded("v2x_floor_percent", "v2x_floor", "V2X stops at", select(&["40", "50", "60", "70", "80", "90", "100"]), None);
    /// Asks the car itself for its state.
    REFRESH = row("refresh", "refresh", "Ask the car", Form::Button, None);
}
