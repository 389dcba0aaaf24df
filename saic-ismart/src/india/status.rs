use super::bits::{CodecError, Flag, I8, I16, I31, Int, List, Maybe, Nested, Sequence};
use super::bits::{message, sequence};

sequence! {
    /// Application 511, message 1: the state of a car.
    #[derive(Debug, Copy)]
    StatusRequest {
        /// 2 in all that is known.
        kind: u8 = I8,
    }
}

sequence! {
    /// Where a car is.
    #[derive(Debug, Copy)]
    Coordinates {
        /// 1e-6 degrees, north is positive.
        latitude_micro_deg: i32 = Int<i32, -90_000_000, 90_000_000>,
        /// 1e-6 degrees, east is positive.
        longitude_micro_deg: i32 = Int<i32, -180_000_000, 180_000_000>,
        /// Metres.
        altitude_m: i16 = Int<i16, -100, 8_900>,
    }
}

sequence! {
    /// Where a car is, and how it moves.
    #[derive(Debug, Copy)]
    WayPoint {
        /// Where.
        coordinates: Coordinates = Nested<Coordinates>,
        /// Degrees from north, clockwise.
        heading_deg: u16 = Int<u16, 0, 359>,
        /// 0.1 km/h.
        speed_deci_kmh: i16 = Int<i16, -1_000, 4_500>,
        /// Dilution of precision, probably × 0.1.
        hdop_raw: u16 = Int<u16, 0, 1_000>,
        /// Satellites in use.
        satellites: u8 = Int<u8, 0, 16>,
    }
}

sequence! {
    /// A position with its time.
    #[derive(Debug, Copy)]
    Position {
        /// Where.
        way_point: WayPoint = Nested<WayPoint>,
        /// When, Unix time in s.
        at_s: u32 = I31,
        /// 0 none, 1 time only, 2 flat, 3 with altitude.
        fix: u8 = Int<u8, 0, 3>,
    }
}

sequence! {
    /// What a car reports about itself, raw.
    #[derive(Debug, Copy)]
    BasicStatus {
        /// Open.
        driver_door_open: bool = Flag,
        /// Open.
        passenger_door_open: bool = Flag,
        /// Open.
        rear_left_door_open: bool = Flag,
        /// Open.
        rear_right_door_open: bool = Flag,
        /// Open.
        boot_open: bool = Flag,
        /// Open.
        bonnet_open: bool = Flag,
        /// Locked.
        locked: bool = Flag,
        /// Open. Stale if everything else is closed and the car is locked.
        driver_window_open: Option<bool> = Maybe<Flag>,
        /// Open.
        passenger_window_open: Option<bool> = Maybe<Flag>,
        /// Open.
        rear_left_window_open: Option<bool> = Maybe<Flag>,
        /// Open.
        rear_right_window_open: Option<bool> = Maybe<Flag>,
        /// Open.
        sunroof_open: Option<bool> = Maybe<Flag>,
        /// Tyre pressure, 0.2 psi.
        tyre_front_right: Option<u8> = Maybe<I8>,
        /// Tyre pressure, 0.2 psi.
        tyre_front_left: Option<u8> = Maybe<I8>,
        /// Tyre pressure, 0.2 psi.
        tyre_rear_right: Option<u8> = Maybe<I8>,
        /// Tyre pressure, 0.2 psi.
        tyre_rear_left: Option<u8> = Maybe<I8>,
        /// 0 is fine.
        tyre_monitor: Option<u8> = Maybe<I8>,
        /// On.
        side_light_on: bool = Flag,
        /// On.
        dipped_beam_on: bool = Flag,
        /// On.
        main_beam_on: bool = Flag,
        /// Numbers unknown.
        alarm_status: Option<u8> = Maybe<I8>,
        /// 1 is running.
        engine_status: u8 = I8,
        /// 0 off, 1 accessories, 2 on, 3 starting.
        power_mode: u8 = I8,
        /// Number of a key.
        last_key_seen: u16 = I16,
        /// 0.1 km.
        journey_distance_deci_km: u16 = I16,
        /// Number of the journey.
        journey_id: u32 = I31,
        /// °C.
        interior_temperature_c: i8 = Int<i8, -128, 127>,
        /// °C.
        exterior_temperature_c: i8 = Int<i8, -128, 127>,
        /// Fuel, percent.
        fuel_percent: u8 = I8,
        /// Range, 0.1 km.
        range_deci_km: u16 = I16,
        /// 2 and 3 are running.
        climate: u8 = I8,
        /// Level 0 to 3.
        seat_heating_front_left: Option<u8> = Maybe<I8>,
        /// Level 0 to 3.
        seat_heating_front_right: Option<u8> = Maybe<I8>,
        /// The car's own network is awake.
        can_bus_active: bool = Flag,
        /// When it was last, Unix time in s.
        last_can_activity_s: u32 = I31,
        /// Bars of the fuel gauge.
        fuel_gauge_bars: u8 = I8,
        /// Odometer, 0.1 km.
        odometer_deci_km: u32 = I31,
        /// 12 V battery, 0.1 V.
        aux_battery_voltage_deci_v: u16 = I16,
        /// State of charge in other regions, percent.
        extended_1: Option<u32> = Maybe<I31>,
        /// Charging in other regions.
        extended_2: Option<u32> = Maybe<I31>,
        /// Applied.
        hand_brake: bool = Flag,
    }
}

sequence! {
    /// One alert.
    #[derive(Debug, Copy)]
    Alert {
        /// Number.
        id: u8 = I8,
        /// 0 is fine.
        value: u8 = I8,
    }
}

sequence! {
    /// The answer to a [`StatusRequest`], raw.
    #[derive(Debug)]
    Status {
        /// When the car reported, Unix time in s.
        status_at_s: u32 = I31,
        /// Where it is.
        position: Position = Nested<Position>,
        /// Everything else.
        basic: BasicStatus = Nested<BasicStatus>,
        /// Alerts.
        alerts: Option<Vec<Alert>> = Maybe<List<Alert, 0, 64>>,
    }
}

message!(StatusRequest, Status);

impl BasicStatus {
    /// Tyre pressures in psi: front left, front right, rear left, rear right.
    #[must_use]
    pub fn tyre_pressures_psi(&self) -> [Option<f64>; 4] {
        [
            self.tyre_front_left,
            self.tyre_front_right,
            self.tyre_rear_left,
            self.tyre_rear_right,
        ]
        .map(|raw| {
            let known = raw.filter(|raw| (1..=254).contains(raw));
            known.map(|raw| f64::from(raw) / 5.0)
        })
    }

    /// The climate runs.
    #[must_use]
    pub const fn climate_running(&self) -> bool {
        matches!(self.climate, 2 | 3)
    }

    /// The driver's window as it is to be believed: an open window of a car that
    /// is locked and closed otherwise is an old report, and means nothing.
    #[must_use]
    pub fn driver_window(&self) -> Option<bool> {
        let open = [
            self.driver_door_open,
            self.passenger_door_open,
            self.rear_left_door_open,
            self.rear_right_door_open,
            self.boot_open,
            self.bonnet_open,
        ];
        let windows = [
            self.passenger_window_open,
            self.rear_left_window_open,
            self.rear_right_window_open,
        ];
        let stale = self.locked && !open.contains(&true) && !windows.contains(&Some(true));
        self.driver_window_open.filter(|open| !(*open && stale))
    }
}
