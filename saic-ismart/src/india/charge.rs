use super::bits::{CodecError, Flag, I8, I16, I31, Ia5, Maybe, Nested, Sequence};
use super::bits::{message, sequence};
use super::status::Position;

sequence! {
    /// How a car charges, raw.
    #[derive(Debug)]
    Charge {
        /// Energy in the pack, 0.1 kWh.
        energy_raw: u16 = I16,
        /// State of charge, 0.1 %.
        soc_deci_percent: Option<u16> = Maybe<I16>,
        /// Charging.
        charging: bool = Flag,
        /// The cable is connected.
        cable_connected: bool = Flag,
        /// Range, 0.1 km.
        range_deci_km: u16 = I16,
        /// Kind of charging; 2 is seen.
        charging_type_raw: u8 = I8,
        /// Minutes left, 65535 for none.
        minutes_left: Option<u16> = Maybe<I16>,
        /// The charge began, Unix time in s, 0 for none.
        started_at_s: Option<u32> = Maybe<I31>,
        /// The charge ended, Unix time in s, 0 for none. No estimate.
        ended_at_s: Option<u32> = Maybe<I31>,
        /// Current: see [`current_a`](Self::current_a).
        current_raw: u16 = I16,
        /// Voltage, 0.25 V.
        voltage_raw: u16 = I16,
        /// Number of the charger.
        charger_id: Option<String> = Maybe<Ia5<0, 64>>,
        /// Supplier of the charger.
        charger_supplier: Option<String> = Maybe<Ia5<0, 64>>,
        /// Pack current, as `current_raw`.
        working_current_raw: Option<u16> = Maybe<I16>,
        /// Pack voltage, 2.5 V.
        working_voltage_raw: Option<u16> = Maybe<I16>,
        /// Driven since the last charge, 0.1 km.
        distance_since_charge_deci_km: Option<u16> = Maybe<I16>,
        /// Used since the last charge, 0.1 kWh.
        energy_used_since_charge_raw: Option<u16> = Maybe<I16>,
        /// Driven today, 0.1 km.
        distance_today_deci_km: Option<u16> = Maybe<I16>,
        /// Used today, 0.1 kWh.
        energy_used_today_raw: Option<u16> = Maybe<I16>,
        /// Unknown.
        static_consumption_raw: Option<u16> = Maybe<I16>,
        /// Unknown.
        phase_raw: Option<u8> = Maybe<I8>,
        /// Duration of the charge, s.
        duration_s: Option<u32> = Maybe<I31>,
        /// Energy at the end of the last charge, 0.1 kWh.
        energy_after_last_charge_raw: Option<u16> = Maybe<I16>,
        /// Capacity, 0.1 kWh.
        capacity_raw: Option<u16> = Maybe<I16>,
        /// Unknown.
        fota_lowest_voltage_raw: Option<u8> = Maybe<I8>,
        /// Odometer, 0.1 km.
        odometer_deci_km: u32 = I31,
        /// Unknown.
        extended_1: Option<u32> = Maybe<I31>,
        /// Unknown.
        extended_2: Option<u32> = Maybe<I31>,
        /// Unknown.
        extended_3: Option<String> = Maybe<Ia5<0, 1024>>,
        /// Unknown.
        extended_4: Option<String> = Maybe<Ia5<0, 1024>>,
    }
}

sequence! {
    /// The answer about charging (application 511, message 8), raw.
    #[derive(Debug)]
    ChargeStatus {
        /// When the car reported, Unix time in s.
        status_at_s: u32 = I31,
        /// Where it is.
        position: Position = Nested<Position>,
        /// The rest.
        charge: Charge = Nested<Charge>,
    }
}

message!(ChargeStatus);

/// A charge below this says too little about the capacity.
const ENOUGH_DECI_PERCENT: u16 = 250;

impl Charge {
    /// Current in A, positive while charging: 1000 − raw × 0.05.
    #[must_use]
    pub fn current_a(&self) -> f64 {
        1000.0 - f64::from(self.current_raw) * 0.05
    }

    /// Voltage in V.
    #[must_use]
    pub fn voltage_v(&self) -> f64 {
        f64::from(self.voltage_raw) / 4.0
    }

    /// Usable capacity in kWh, worked out from energy and state of charge;
    /// `None` below 25 %.
    #[must_use]
    pub fn usable_capacity_kwh(&self) -> Option<f64> {
        let soc = self
            .soc_deci_percent
            .filter(|soc| (ENOUGH_DECI_PERCENT..=1_000).contains(soc))?;
        Some(f64::from(self.energy_raw) / 10.0 / (f64::from(soc) / 1000.0))
    }
}
