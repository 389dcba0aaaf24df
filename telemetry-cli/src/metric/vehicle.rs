//! Metrics of cars. Charging power is a magnitude into the car.

use super::{Metric, rows};

const CHARGING_STATES: &[&str] = &[
    "not_connected",
    "connected",
    "waiting",
    "charging",
    "complete",
    "interrupted",
    "error",
    "other",
];

const PERCENT: (f64, f64) = (0.0, 100.0);
const RANGE: (f64, f64) = (0.0, 3000.0);
const CELSIUS: (f64, f64) = (-60.0, 100.0);

rows! {
    /// Charge of the traction battery.
    SOC_PERCENT = Metric::gauge("soc_percent", "State of charge", "%", 1, PERCENT).class("battery");
    /// Energy in the traction battery.
    SOC_KWH = Metric::gauge("soc_kwh", "Stored energy", "kWh", 2, (0.0, 300.0)).class("energy_storage");
    /// Energy in a full traction battery.
    BATTERY_CAPACITY_KWH = Metric::gauge("battery_capacity_kwh", "Battery capacity", "kWh", 2, (0.0, 300.0)).class("energy_storage").diagnostic();
    /// Electric range, as the car estimates it.
    RANGE_KM = Metric::gauge("range_km", "Range", "km", 0, RANGE).class("distance");
    /// Range with everything in battery and tank.
    TOTAL_RANGE_KM = Metric::gauge("total_range_km", "Total range", "km", 0, RANGE).class("distance");
    /// Fuel left.
    FUEL_PERCENT = Metric::gauge("fuel_percent", "Fuel", "%", 0, PERCENT);
    /// Range on fuel.
    FUEL_RANGE_KM = Metric::gauge("fuel_range_km", "Fuel range", "km", 0, RANGE).class("distance");
    /// Total distance.
    ODOMETER_KM = Metric::gauge("odometer_km", "Odometer", "km", 1, (0.0, 1e7)).class("distance").total();
    /// A charging cable is in.
    PLUGGED_IN = Metric::switch("plugged_in", "Plugged in").class("plug");
    /// What charging does.
    CHARGING_STATE = Metric::state("charging_state", "Charging state", CHARGING_STATES);
    /// Power into the car.
    CHARGING_POWER_W = Metric::gauge("charging_power_w", "Charging power", "W", 0, (0.0, 1e6)).class("power").noise(50.0);
    /// Voltage while charging.
    CHARGING_VOLTAGE_V = Metric::gauge("charging_voltage_v", "Charging voltage", "V", 1, (0.0, 1500.0)).class("voltage").diagnostic().noise(2.0);
    /// Current while charging.
    CHARGING_CURRENT_A = Metric::gauge("charging_current_a", "Charging current", "A", 1, (0.0, 2000.0)).class("current").diagnostic().noise(0.2);
    /// Alternating or direct current.
    CHARGE_KIND = Metric::state("charge_kind", "Charge kind", &["ac", "dc"]);
    /// Where charging stops.
    TARGET_SOC_PERCENT = Metric::gauge("target_soc_percent", "Target state of charge", "%", 0, PERCENT);
    /// The limit's step, as the car names it.
    CHARGE_CURRENT_LIMIT = Metric::state("charge_current_limit", "Charge current limit", &[]);
    /// Time until charging stops.
    TIME_TO_FULL_S = Metric::seconds("time_to_full_s", "Time to full").quiet();
    /// When charging stops.
    CHARGING_ENDS_AT = Metric::time("charging_ends_at", "Charging ends").quiet();
    /// Since charging began.
    ENERGY_CHARGED_KWH = Metric::energy("energy_charged_kwh", "Energy charged");
    /// WGS 84.
    LATITUDE = Metric::gauge("latitude", "Latitude", "°", 6, (-90.0, 90.0)).position().noise(0.00005);
    /// WGS 84.
    LONGITUDE = Metric::gauge("longitude", "Longitude", "°", 6, (-180.0, 180.0)).position().noise(0.00005);
    /// Above the sea.
    ALTITUDE_M = Metric::gauge("altitude_m", "Altitude", "m", 0, (-500.0, 9000.0)).class("distance").position().noise(5.0);
    /// Clockwise from north.
    HEADING_DEG = Metric::gauge("heading_deg", "Heading", "°", 0, (0.0, 360.0)).position().noise(2.0);
    /// Speed over ground.
    SPEED_KMH = Metric::gauge("speed_kmh", "Speed", "km/h", 0, (0.0, 400.0)).class("speed");
    /// It moves.
    MOVING = Metric::switch("moving", "Moving").class("moving");
    /// It is switched on.
    RUNNING = Metric::switch("running", "Running").class("running");
    /// All doors are locked.
    LOCKED = Metric::switch("locked", "Locked");
    /// Each door and lid: it is open.
    DOORS_OPEN = Metric::switch("doors_open", "Door {}").class("door").named();
    /// Each window: it is open.
    WINDOWS_OPEN = Metric::switch("windows_open", "Window {}").class("window").named();
    /// Each tyre.
    TYRE_PRESSURE_BAR = Metric::gauge("tyre_pressure_bar", "Tyre pressure {}", "bar", 2, (0.0, 10.0)).class("pressure").named().noise(0.02);
    /// In the cabin.
    INTERIOR_TEMPERATURE_C = Metric::gauge("interior_temperature_c", "Interior temperature", "°C", 1, CELSIUS).class("temperature").noise(0.5);
    /// Outside.
    EXTERIOR_TEMPERATURE_C = Metric::gauge("exterior_temperature_c", "Exterior temperature", "°C", 1, CELSIUS).class("temperature").noise(0.5);
    /// Heating or cooling of the cabin runs.
    CLIMATE_ACTIVE = Metric::switch("climate_active", "Climate").class("running");
    /// Heating of the traction battery runs.
    BATTERY_HEATING = Metric::switch("battery_heating", "Battery heating").class("heat");
    /// The 12 V battery.
    AUX_BATTERY_VOLTAGE_V = Metric::gauge("aux_battery_voltage_v", "Auxiliary battery voltage", "V", 1, (0.0, 60.0)).class("voltage").diagnostic().noise(0.1);
    /// When the car last did something.
    LAST_ACTIVITY_AT = Metric::time("last_activity_at", "Last activity").diagnostic();
}
