use chrono::{DateTime, Utc};

use crate::scale::{codes, model};

codes! {
    /// Quality of the fix (`gpsStatus`).
    GpsFix, gps_fix {
        /// No signal.
        0 => None,
        /// Time only.
        1 => TimeOnly,
        /// Latitude and longitude.
        2 => TwoDimensional,
        /// Altitude, too.
        3 => ThreeDimensional,
    }
}

model! {
    /// `position`.
    Coordinates {
        /// 1e-6 degrees, north is positive (`latitude`).
        latitude_micro_deg: i32 = "latitude" as "crate::scale::latitude",
        /// 1e-6 degrees, east is positive (`longitude`).
        longitude_micro_deg: i32 = "longitude" as "crate::scale::longitude",
        /// Metres (`altitude`).
        altitude_m: i16 = "altitude" as "crate::scale::altitude",
    }
}

model! {
    /// `wayPoint`.
    WayPoint {
        /// Degrees from north, clockwise (`heading`).
        heading_deg: u16 = "heading" as "crate::scale::heading",
        /// 0.1 km/h (`speed`).
        speed_deci_kmh: i16 = "speed" as "crate::scale::speed",
        /// Dilution of precision, probably × 0.1 (`hdop`).
        hdop_raw: u16 = "hdop" as "crate::scale::hdop",
        /// Satellites in use (`satellites`).
        satellites: u8 = "satellites" as "crate::scale::satellites",
        ;
        /// Where (`position`).
        coordinates: Coordinates = "position",
    }
}

model! {
    /// Where the car is, raw (`gpsPosition`). The methods give values only when
    /// there is a fix.
    Position {
        /// Quality (`gpsStatus`).
        fix: GpsFix = "gpsStatus" as "gps_fix",
        /// When (`timeStamp`).
        at: DateTime<Utc> = "timeStamp" as "crate::scale::epoch_s",
        ;
        /// The rest (`wayPoint`).
        way_point: WayPoint = "wayPoint",
    }
}

impl Position {
    /// Whether the position can be used. The cached status has no quality: its
    /// position counts.
    #[must_use]
    pub fn has_fix(&self) -> bool {
        matches!(
            self.fix,
            None | Some(GpsFix::TwoDimensional | GpsFix::ThreeDimensional)
        )
    }

    /// Latitude and longitude in degrees, WGS 84. The point 0/0 is none.
    #[must_use]
    pub fn latitude_longitude_deg(&self) -> Option<(f64, f64)> {
        let at = &self.way_point.coordinates;
        let (latitude, longitude) = at.latitude_micro_deg.zip(at.longitude_micro_deg)?;
        if !self.has_fix() || (latitude, longitude) == (0, 0) {
            return None;
        }
        Some((f64::from(latitude) / 1e6, f64::from(longitude) / 1e6))
    }

    /// Altitude in m.
    #[must_use]
    pub fn altitude_m(&self) -> Option<i16> {
        self.latitude_longitude_deg()?;
        self.way_point.coordinates.altitude_m
    }

    /// Degrees from north, clockwise.
    #[must_use]
    pub fn heading_deg(&self) -> Option<u16> {
        self.latitude_longitude_deg()?;
        self.way_point.heading_deg
    }

    /// Speed in km/h. [`crate::VehicleStatus::speed_kmh`] is 0 for a parked car.
    #[must_use]
    pub fn speed_kmh(&self) -> Option<f64> {
        self.latitude_longitude_deg()?;
        self.way_point
            .speed_deci_kmh
            .map(|raw| f64::from(raw) / 10.0)
    }
}
