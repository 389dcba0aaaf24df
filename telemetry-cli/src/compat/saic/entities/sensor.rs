//! What is only shown: numbers, times and texts.

use serde_json::{Value, json};

use super::{Available, List};

/// A row of the table.
struct Sensor {
    name: &'static str,
    topic: &'static str,
    device_class: Option<&'static str>,
    state_class: Option<&'static str>,
    unit: Option<&'static str>,
    icon: Option<&'static str>,
    template: Option<&'static str>,
    diagnostic: bool,
    hidden: bool,
    available: Available,
}

const fn sensor(name: &'static str, topic: &'static str) -> Sensor {
    Sensor {
        name,
        topic,
        device_class: None,
        state_class: None,
        unit: None,
        icon: None,
        template: None,
        diagnostic: false,
        hidden: false,
        available: Available::Standard,
    }
}

const fn battery_energy(name: &'static str, topic: &'static str) -> Sensor {
    sensor(name, topic).class("energy_storage").measured("kWh")
}

impl Sensor {
    const fn class(mut self, class: &'static str) -> Self {
        self.device_class = Some(class);
        self
    }

    const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    const fn measured(mut self, unit: &'static str) -> Self {
        self.state_class = Some("measurement");
        self.unit(unit)
    }

    const fn counted(mut self, unit: &'static str) -> Self {
        self.state_class = Some("total_increasing");
        self.class("distance").unit(unit)
    }

    const fn icon(mut self, icon: &'static str) -> Self {
        self.icon = Some(icon);
        self
    }

    const fn template(mut self, template: &'static str) -> Self {
        self.template = Some(template);
        self
    }

    const fn diagnostic(mut self) -> Self {
        self.diagnostic = true;
        self
    }

    /// Off until somebody wants it.
    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    const fn time(self) -> Self {
        self.class("timestamp")
    }

    const fn available(mut self, available: Available) -> Self {
        self.available = available;
        self
    }

    /// About the gateway rather than the car.
    const fn gateway(self) -> Self {
        self.diagnostic().available(Available::Gateway)
    }
}

const EPOCH: &str = "{{ (value | int(0)) | timestamp_custom('%Y-%m-%dT%H:%M:%S+00:00', false) }}";

const SENSORS: &[Sensor] = &[
    sensor("Gateway charging refresh period", "refresh/period/charging")
        .unit("s")
        .icon("mdi:timer")
        .gateway(),
    sensor("Gateway error refresh period", "refresh/period/error")
        .unit("s")
        .icon("mdi:timer")
        .gateway(),
    sensor("Last car activity", "refresh/lastActivity")
        .time()
        .gateway(),
    sensor("Last charge state", "refresh/lastChargeState")
        .time()
        .gateway(),
    sensor("Last vehicle state", "refresh/lastVehicleState")
        .time()
        .gateway(),
    sensor("Last poll error", "refresh/lastError")
        .time()
        .gateway(),
    sensor("Last update", "refresh/lastUpdate").time().gateway(),
    sensor("Next update", "refresh/nextUpdate").time().gateway(),
    sensor("Last car message", "info/lastMessage/content")
        .gateway()
        .hidden(),
    sensor("Polling phase", "refresh/pollingPhase").gateway(),
    sensor("Data freshness", "refresh/freshness").gateway(),
    sensor("Reachability", "refresh/reachability").gateway(),
    sensor("SoC", "drivetrain/soc")
        .class("battery")
        .measured("%"),
    battery_energy("SoC_kWh", "drivetrain/soc_kwh").icon(BATTERY),
    battery_energy("Last Charge SoC kWh", "drivetrain/lastChargeEndingPower").icon(BATTERY),
    battery_energy(
        "Energy Usage Since Last Charge",
        "drivetrain/powerUsageSinceLastCharge",
    )
    .icon(BATTERY)
    .hidden(),
    battery_energy("Energy Usage of the Day", "drivetrain/powerUsageOfDay")
        .icon(BATTERY)
        .hidden(),
    sensor(
        "Efficiency since last charge",
        "drivetrain/efficiencySinceLastCharge",
    )
    .class("energy_distance")
    .measured("kWh/100km"),
    sensor(
        "Remaining charging time",
        "drivetrain/remainingChargingTime",
    )
    .class("duration")
    .measured("s"),
    sensor("Charging finished", "drivetrain/remainingChargingTime")
        .time()
        .template("{{ (now() + timedelta(seconds = value | int(0))).isoformat() }}")
        .available(Available::Positive),
    sensor("Last Charge Start Time", "drivetrain/charging/lastStart")
        .time()
        .template(EPOCH)
        .icon("mdi:clock-start")
        .available(Available::Positive),
    sensor("Last Charge End Time", "drivetrain/charging/lastEnd")
        .time()
        .template(EPOCH)
        .icon("mdi:clock-end")
        .available(Available::Positive),
    sensor("Charging Mode", "drivetrain/chargingType")
        .diagnostic()
        .hidden(),
    sensor("BMS Charge Status", "bms/chargeStatus")
        .diagnostic()
        .hidden(),
    sensor("Mileage", "drivetrain/mileage").counted("km"),
    sensor("Mileage of the day", "drivetrain/mileageOfTheDay")
        .counted("km")
        .hidden(),
    sensor(
        "Mileage since last charge",
        "drivetrain/mileageSinceLastCharge",
    )
    .counted("km")
    .hidden(),
    sensor("Mileage of journey", "drivetrain/currentJourney")
        .counted("km")
        .template("{{ value_json['distance'] | int }}")
        .hidden(),
    sensor("Identifier of journey", "drivetrain/currentJourney")
        .template("{{ value_json['id'] }}")
        .hidden(),
    sensor(
        "Auxiliary battery voltage",
        "drivetrain/auxiliaryBatteryVoltage",
    )
    .class("voltage")
    .measured("V")
    .icon("mdi:car-battery"),
    sensor("Range", "drivetrain/range")
        .class("distance")
        .unit("km"),
    sensor("Current", "drivetrain/current")
        .class("current")
        .measured("A"),
    sensor("Voltage", "drivetrain/voltage")
        .class("voltage")
        .measured("V"),
    sensor("Power", "drivetrain/power")
        .class("power")
        .measured("kW"),
    sensor("OBC Current", "obc/current")
        .class("current")
        .measured("A")
        .diagnostic()
        .hidden(),
    sensor("OBC Voltage", "obc/voltage")
        .class("voltage")
        .measured("V")
        .diagnostic()
        .hidden(),
    sensor("OBC Power Single Phase", "obc/powerSinglePhase")
        .class("power")
        .measured("W")
        .diagnostic()
        .hidden(),
    sensor("OBC Power Three Phase", "obc/powerThreePhase")
        .class("power")
        .measured("W")
        .diagnostic()
        .hidden(),
    plug("CCU Onboard Plug Status", "ccu/onboardChargerPlugStatus"),
    plug("CCU Offboard Plug Status", "ccu/offboardChargerPlugStatus"),
    sensor("Interior temperature", "climate/interiorTemperature")
        .class("temperature")
        .measured("°C"),
    sensor("Exterior temperature", "climate/exteriorTemperature")
        .class("temperature")
        .measured("°C"),
    sensor("Remote climate state", "climate/remoteClimateState").icon("mdi:car-connected"),
    sensor(
        "Rear window defroster heating",
        "climate/rearWindowDefrosterHeating",
    )
    .icon("mdi:car-defrost-rear"),
    sensor("Heading", "location/heading")
        .unit("°")
        .icon("mdi:compass"),
    sensor("Vehicle speed", "location/speed")
        .class("speed")
        .unit("km/h"),
    tyre("Tyres front left pressure", "tyres/frontLeftPressure"),
    tyre("Tyres front right pressure", "tyres/frontRightPressure"),
    tyre("Tyres rear left pressure", "tyres/rearLeftPressure"),
    tyre("Tyres rear right pressure", "tyres/rearRightPressure"),
    sensor(
        "Battery charging stop reason",
        "drivetrain/chargingStopReason",
    )
    .icon("mdi:battery-charging")
    .hidden(),
    sensor(
        "Battery heating stop reason",
        "drivetrain/batteryHeatingStopReason",
    )
    .icon("mdi:heat-wave")
    .hidden(),
    schedule("Scheduled Charging Start", "{{ value_json['startTime'] }}").icon("mdi:clock-start"),
    schedule("Scheduled Charging End", "{{ value_json['endTime'] }}").icon("mdi:clock-end"),
    schedule("Scheduled Charging Mode", "{{ value_json['mode'] }}").icon("mdi:clock-outline"),
    sensor(
        "Scheduled Battery Heating Start",
        "drivetrain/batteryHeatingSchedule",
    )
    .template("{{ value_json['startTime'] }}")
    .icon("mdi:clock-start"),
];

/// The last trip of any car.
const TRIP: &[Sensor] = &[
    sensor("Last trip distance", "lastTrip/distance")
        .class("distance")
        .measured("km")
        .icon("mdi:map-marker-distance"),
    sensor("Last trip start", "lastTrip/startTime")
        .time()
        .icon("mdi:clock-start"),
    sensor("Last trip end", "lastTrip/endTime")
        .time()
        .icon("mdi:clock-end"),
];

/// Of one with a plug: what it takes from the battery is worth counting.
const TRIP_ENERGY: &[Sensor] = &[
    // Of class energy, which is never measured, only counted.
    sensor("Last trip energy", "lastTrip/energy")
        .class("energy")
        .unit("kWh"),
    sensor("Last trip efficiency", "lastTrip/efficiency")
        .class("energy_distance")
        .measured("kWh/100km"),
];

/// Of one with a tank.
const TRIP_FUEL: &[Sensor] = &[
    sensor("Last trip fuel", "lastTrip/fuel")
        .class("volume_storage")
        .measured("L")
        .icon("mdi:fuel"),
    sensor("Last trip fuel percentage", "lastTrip/fuelPercentage")
        .measured("%")
        .icon("mdi:fuel"),
];

/// Off for cars without a tank, whose topics are there all the same.
const FUEL: &[Sensor] = &[
    sensor("Fossil fuel range", "drivetrain/fossilFuel/range")
        .class("distance")
        .unit("km"),
    sensor("Fossil fuel percentage", "drivetrain/fossilFuel/percentage")
        .measured("%")
        .icon("mdi:fuel"),
];

const BATTERY: &str = "mdi:battery-charging-70";

const fn plug(name: &'static str, topic: &'static str) -> Sensor {
    let mut plug = sensor(name, topic).diagnostic().hidden();
    plug.state_class = Some("measurement");
    plug
}

const fn tyre(name: &'static str, topic: &'static str) -> Sensor {
    sensor(name, topic)
        .class("pressure")
        .unit("bar")
        .icon("mdi:tire")
}

const fn schedule(name: &'static str, template: &'static str) -> Sensor {
    sensor(name, "drivetrain/chargingSchedule").template(template)
}

pub(super) fn add(list: &mut List<'_>) {
    let drive = list.car.profile.drive;
    let no_tank = !drive.has_fuel();
    let trip = [
        (TRIP, true),
        (TRIP_ENERGY, drive.has_plug()),
        (TRIP_FUEL, drive.has_fuel()),
    ];
    let trip = trip.into_iter().filter(|(_, has)| *has);
    let trip = trip.flat_map(|(rows, _)| rows);
    let rows = SENSORS.iter().chain(trip).map(|row| (row, row.hidden));
    for (row, hidden) in rows.chain(FUEL.iter().map(|row| (row, no_tank))) {
        let mut keys = keys(list, row, hidden);
        if row.topic == "drivetrain/soc" && list.car.shown.charging {
            // Otherwise Home Assistant draws the level itself.
            keys["icon"] = "mdi:battery-charging".into();
        }
        list.add("sensor", row.name, row.available, keys);
    }
}

fn keys(list: &List<'_>, row: &Sensor, hidden: bool) -> Value {
    json!({
        "state_topic": list.state(row.topic),
        "device_class": row.device_class,
        "state_class": row.state_class,
        "unit_of_measurement": row.unit,
        "icon": row.icon,
        "value_template": row.template,
        "entity_category": row.diagnostic.then_some("diagnostic"),
        "enabled_by_default": hidden.then_some(false),
    })
}
