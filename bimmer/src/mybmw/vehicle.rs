use chrono::{DateTime, NaiveDateTime, SubsecRound as _, TimeDelta, Utc};
use serde::Serialize;

use super::charging::ChargingDetails;
use super::profile::{Capabilities, DriveTrain, Profile};
use super::state::{
    ChargingStatus, CheckControlMessage, LidState, RequiredService, ServiceStatus, Severity,
    VehicleState, next_occurrence,
};

/// A vehicle as it is now. Nothing of an earlier answer stays in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Vehicle {
    /// What it is.
    pub profile: Profile,
    /// How it is.
    pub state: VehicleState,
    /// What can be done with it.
    pub capabilities: Capabilities,
    /// Charging settings, where it has such.
    pub charging: Option<ChargingDetails>,
    /// When the state was asked for.
    pub fetched_at: DateTime<Utc>,
}

/// A door, window or roof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lid {
    /// As `leftFront`, `hood`, `sunRoof`.
    pub name: String,
    /// Its state.
    pub state: LidState,
}

impl Lid {
    /// Whether it is shut for certain.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state == LidState::Closed
    }
}

/// How far it goes, km.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ranges {
    /// With fuel alone.
    pub fuel_km: Option<i64>,
    /// With the battery alone.
    pub electric_km: Option<i64>,
    /// With both.
    pub total_km: Option<i64>,
}

impl Vehicle {
    /// Puts answers together.
    #[must_use]
    pub fn new(
        profile: Profile,
        state: VehicleState,
        capabilities: Capabilities,
        charging: Option<ChargingDetails>,
        fetched_at: DateTime<Utc>,
    ) -> Self {
        let fetched_at = fetched_at.trunc_subsecs(0);
        Self {
            profile,
            state,
            capabilities,
            charging,
            fetched_at,
        }
    }

    /// When the cloud last read the vehicle.
    #[must_use]
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        let newest = self.state.last_fetched.max(self.profile.last_fetched)?;
        Some(newest.trunc_subsecs(0))
    }

    /// Whether the battery's values mean anything: combustion cars report an empty one.
    fn electric(&self) -> Option<&super::state::ElectricState> {
        let train = self.profile.drive_train.as_ref();
        let has_none = train.is_some_and(|train| train.has_combustion() && !train.has_electric());
        self.state.electric.as_ref().filter(|_| !has_none)
    }

    fn fuel(&self) -> Option<&super::state::FuelLevel> {
        let electric_only = self.profile.drive_train == Some(DriveTrain::Electric);
        self.state.fuel.as_ref().filter(|_| !electric_only)
    }

    /// Ranges by drive train: the same numbers mean different things.
    #[must_use]
    pub fn ranges(&self) -> Ranges {
        let electric = self.electric().and_then(|electric| electric.range_km);
        let fuel = self.fuel().and_then(|fuel| fuel.range_km);
        match self.profile.drive_train {
            Some(DriveTrain::Electric) => Ranges {
                fuel_km: None,
                electric_km: electric,
                total_km: electric,
            },
            Some(DriveTrain::PluginHybrid) => Ranges {
                fuel_km: fuel.map(|fuel| fuel.saturating_sub(electric.unwrap_or(0))),
                electric_km: electric,
                total_km: fuel,
            },
            Some(DriveTrain::RangeExtender) => Ranges {
                fuel_km: fuel,
                electric_km: electric,
                total_km: match (fuel, electric) {
                    (Some(fuel), Some(electric)) => Some(fuel.saturating_add(electric)),
                    (fuel, electric) => fuel.or(electric),
                },
            },
            _ => Ranges {
                fuel_km: fuel,
                electric_km: electric,
                total_km: fuel.or(electric),
            },
        }
    }

    /// State of charge, percent.
    #[must_use]
    pub fn soc_percent(&self) -> Option<i64> {
        self.electric()?.soc_percent
    }

    /// Charge target, percent.
    #[must_use]
    pub fn target_soc_percent(&self) -> Option<i64> {
        self.electric()?.target_soc_percent
    }

    /// Whether a plug is in.
    #[must_use]
    pub fn plugged_in(&self) -> Option<bool> {
        self.electric()?.is_charger_connected
    }

    /// State of charging; "invalid" reads as not charging.
    #[must_use]
    pub fn charging_status(&self) -> Option<ChargingStatus> {
        match self.electric()?.charging_status.clone()? {
            ChargingStatus::Invalid => Some(ChargingStatus::NotCharging),
            status => Some(status),
        }
    }

    /// When charging will end.
    #[must_use]
    pub fn charging_ends_at(&self) -> Option<DateTime<Utc>> {
        let minutes = self.electric()?.remaining_charging_minutes?;
        self.fetched_at
            .checked_add_signed(TimeDelta::try_minutes(minutes)?)
    }

    /// When charging will begin, in the car's local time, while it waits for that.
    #[must_use]
    pub fn charging_starts_at(&self, local_now: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.charging_status()? != ChargingStatus::WaitingForCharging {
            return None;
        }
        let window = self.state.charging_profile.as_ref()?.window.as_ref()?;
        next_occurrence(local_now, window.start?)
    }

    /// Tank, litres.
    #[must_use]
    pub fn fuel_l(&self) -> Option<f64> {
        self.fuel()?.remaining_fuel_liters
    }

    /// Tank, percent.
    #[must_use]
    pub fn fuel_percent(&self) -> Option<i64> {
        self.fuel()?.remaining_fuel_percent
    }

    /// Doors, lids and roof that the car has.
    #[must_use]
    pub fn lids(&self) -> Vec<Lid> {
        let mut lids = openings(self.state.doors.as_ref());
        if let Some(roof) = &self.state.roof
            && let (Some(state), Some(kind)) = (&roof.roof_state, &roof.roof_state_type)
            && *state != LidState::Invalid
        {
            lids.push(Lid {
                name: camel_case(kind),
                state: state.clone(),
            });
        }
        lids
    }

    /// Windows that the car reports.
    #[must_use]
    pub fn windows(&self) -> Vec<Lid> {
        openings(self.state.windows.as_ref())
    }

    /// Messages worth showing.
    pub fn messages(&self) -> impl Iterator<Item = &CheckControlMessage> {
        let all = self.state.check_control_messages.iter();
        all.filter(|message| message.severity != Some(Severity::Ok))
    }

    /// Messages that are more than a hint.
    pub fn urgent_messages(&self) -> impl Iterator<Item = &CheckControlMessage> {
        self.messages()
            .filter(|message| message.severity != Some(Severity::Low))
    }

    /// Whether any service is due, or its state not understood.
    #[must_use]
    pub fn is_service_required(&self) -> bool {
        let services = &self.state.required_services;
        services
            .iter()
            .any(|service| service.status != Some(ServiceStatus::Ok))
    }

    /// The service that is due next by distance.
    #[must_use]
    pub fn next_service_by_distance(&self) -> Option<&RequiredService> {
        let services = self.state.required_services.iter();
        services
            .filter(|s| s.due_km.is_some())
            .min_by_key(|s| (s.due_km, s.kind.clone()))
    }

    /// The service that is due next by time.
    #[must_use]
    pub fn next_service_by_time(&self) -> Option<&RequiredService> {
        let services = self.state.required_services.iter();
        services
            .filter(|s| s.due_at.is_some())
            .min_by_key(|s| (s.due_at, s.kind.clone()))
    }
}

fn openings(state: Option<&super::state::OpeningsState>) -> Vec<Lid> {
    let each = state.into_iter().flat_map(|state| &state.each);
    each.filter(|(_, state)| **state != LidState::Invalid)
        .map(|(name, state)| Lid {
            name: name.clone(),
            state: state.clone(),
        })
        .collect()
}

/// `SUN_ROOF` becomes `sunRoof`.
fn camel_case(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for (at, word) in text.split('_').enumerate() {
        let mut letters = word.chars().filter(|c| c.is_alphanumeric());
        if let (true, Some(first)) = (at > 0, letters.clone().next()) {
            name.extend(first.to_uppercase());
            letters.next();
        }
        name.extend(letters.flat_map(char::to_lowercase));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn names_of_roofs() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/mybmw.json")).unwrap();
        for row in vectors["camel_case"].as_array().unwrap() {
            assert_eq!(
                camel_case(row["in"].as_str().unwrap()),
                row["out"].as_str().unwrap()
            );
        }
    }
}
