use chrono::{DateTime, Utc};

use super::status::{current_a, voltage_v};
use crate::scale::model;

model! {
    /// Charging as the telematics box sees it (`rvsChargeStatus`).
    RvsChargeStatus {
        /// The cable is connected (`chargingGunState`).
        cable_connected: bool = "chargingGunState" as "crate::scale::flag",
        /// Kind of charging; 0 is none, 2, 5 and 6 are seen (`chargingType`).
        charging_type_raw: i64 = "chargingType" as "crate::scale::raw",
        /// Electric range, 0.1 km (`fuelRangeElec`). The best source of it.
        electric_range_deci_km: u32 = "fuelRangeElec" as "crate::scale::electric_range",
        /// Odometer, 0.1 km (`mileage`).
        odometer_deci_km: u32 = "mileage" as "crate::scale::count",
        /// Driven today, 0.1 km (`mileageOfDay`).
        distance_today_deci_km: u32 = "mileageOfDay" as "crate::scale::distance",
        /// Driven since the last charge, 0.1 km (`mileageSinceLastCharge`).
        /// Sometimes equals the odometer or begins anew without a charge.
        distance_since_charge_deci_km: u32 = "mileageSinceLastCharge" as "crate::scale::distance",
        /// Energy in the pack, 0.1 kWh, in spite of its name (`realtimePower`).
        energy_raw: u16 = "realtimePower" as "crate::scale::energy",
        /// Energy at the end of the last charge, 0.1 kWh (`lastChargeEndingPower`).
        energy_after_last_charge_raw: u16 = "lastChargeEndingPower" as "crate::scale::energy",
        /// Used today, 0.1 kWh (`powerUsageOfDay`).
        energy_used_today_raw: u16 = "powerUsageOfDay" as "crate::scale::energy",
        /// Used since the last charge, 0.1 kWh (`powerUsageSinceLastCharge`).
        energy_used_since_charge_raw: u16 = "powerUsageSinceLastCharge" as "crate::scale::energy",
        /// Capacity of the battery, 0.1 kWh (`totalBatteryCapacity`). 725 on
        /// many models that have another one: all energies count in its measure,
        /// see [`crate::Profile::energy_factor`].
        capacity_raw: u16 = "totalBatteryCapacity" as "crate::scale::capacity",
        /// Pack current as in [`crate::ChargeManagement`] (`workingCurrent`).
        working_current_raw: u16 = "workingCurrent" as "crate::scale::pack_current",
        /// Pack voltage as in [`crate::ChargeManagement`] (`workingVoltage`).
        working_voltage_raw: u16 = "workingVoltage" as "crate::scale::pack_voltage",
        /// The charge began (`startTime`).
        started_at: DateTime<Utc> = "startTime" as "crate::scale::epoch_s",
        /// The charge ended; `None` while it lasts (`endTime`).
        ended_at: DateTime<Utc> = "endTime" as "crate::scale::epoch_s",
        /// Duration of the charge, s (`chargingDuration`). Begins anew after a pause.
        duration_s: u32 = "chargingDuration" as "crate::scale::seconds",
        /// `chargingElectricityPhase`.
        phase_raw: i64 = "chargingElectricityPhase" as "crate::scale::raw",
        /// Number of the charger (`chargingPileID`).
        charger_id: String = "chargingPileID" as "crate::scale::text",
        /// Supplier of the charger (`chargingPileSupplier`).
        charger_supplier: String = "chargingPileSupplier" as "crate::scale::text",
        /// `fotaLowestVoltage`.
        fota_lowest_voltage_raw: i64 = "fotaLowestVoltage" as "crate::scale::raw",
        /// `staticEnergyConsumption`.
        static_consumption_raw: i64 = "staticEnergyConsumption" as "crate::scale::raw",
        /// `extendedData1`.
        extended_1_raw: i64 = "extendedData1" as "crate::scale::raw",
        /// `extendedData2`.
        extended_2_raw: i64 = "extendedData2" as "crate::scale::raw",
        /// `extendedData3`.
        extended_3: String = "extendedData3" as "crate::scale::text",
        /// `extendedData4`.
        extended_4: String = "extendedData4" as "crate::scale::text",
        /// State, in `/vehicle/charging/status` only (`chargingState`).
        charging_state_raw: i64 = "chargingState" as "crate::scale::raw",
        /// Current, in `/vehicle/charging/status` only; scale unverified (`chargingCurrent`).
        charging_current_raw: i64 = "chargingCurrent" as "crate::scale::raw",
        /// Voltage, in `/vehicle/charging/status` only; scale unverified (`chargingVoltage`).
        charging_voltage_raw: i64 = "chargingVoltage" as "crate::scale::raw",
        /// State of charge, in `/vehicle/charging/status` only; scale unverified (`powerLevelPrc`).
        power_level_raw: i64 = "powerLevelPrc" as "crate::scale::raw",
        /// Minutes left, in `/vehicle/charging/status` only; scale unverified
        /// (`chargingTimeLevelPrc`).
        time_level_raw: i64 = "chargingTimeLevelPrc" as "crate::scale::raw",
    }
}

impl RvsChargeStatus {
    /// Electric range in km.
    #[must_use]
    pub fn electric_range_km(&self) -> Option<f64> {
        self.electric_range_deci_km.map(|raw| f64::from(raw) / 10.0)
    }

    /// Odometer in km; 0 is none.
    #[must_use]
    pub fn odometer_km(&self) -> Option<f64> {
        let known = self.odometer_deci_km.filter(|raw| *raw > 0);
        known.map(|raw| f64::from(raw) / 10.0)
    }

    /// Driven today in km.
    #[must_use]
    pub fn distance_today_km(&self) -> Option<f64> {
        self.distance_today_deci_km.map(|raw| f64::from(raw) / 10.0)
    }

    /// Driven since the last charge in km.
    #[must_use]
    pub fn distance_since_charge_km(&self) -> Option<f64> {
        self.distance_since_charge_deci_km
            .map(|raw| f64::from(raw) / 10.0)
    }

    /// Pack current in A, positive while charging.
    #[must_use]
    pub fn working_current_a(&self) -> Option<f64> {
        self.working_current_raw.map(current_a)
    }

    /// Pack voltage in V.
    #[must_use]
    pub fn working_voltage_v(&self) -> Option<f64> {
        self.working_voltage_raw.map(voltage_v)
    }

    /// Energy in the pack in kWh, in the car's own measure.
    #[must_use]
    pub fn energy_kwh(&self) -> Option<f64> {
        self.energy_raw.map(|raw| f64::from(raw) / 10.0)
    }

    /// Energy at the end of the last charge in kWh, in the car's own measure.
    #[must_use]
    pub fn energy_after_last_charge_kwh(&self) -> Option<f64> {
        self.energy_after_last_charge_raw
            .map(|raw| f64::from(raw) / 10.0)
    }

    /// Used today in kWh, in the car's own measure.
    #[must_use]
    pub fn energy_used_today_kwh(&self) -> Option<f64> {
        self.energy_used_today_raw.map(|raw| f64::from(raw) / 10.0)
    }

    /// Used since the last charge in kWh, in the car's own measure.
    #[must_use]
    pub fn energy_used_since_charge_kwh(&self) -> Option<f64> {
        self.energy_used_since_charge_raw
            .map(|raw| f64::from(raw) / 10.0)
    }

    /// Capacity in kWh, as the car believes it.
    #[must_use]
    pub fn capacity_kwh(&self) -> Option<f64> {
        self.capacity_raw.map(|raw| f64::from(raw) / 10.0)
    }
}
