use std::time::Duration;

use serde_json::json;

use super::charging::{ChargingProfileChange, charging_profile_body};
use super::poi::Poi;
use super::state::ChargingStatus;
use super::vehicle::Vehicle;
use crate::error::Error;
use crate::types::{Position, open_enum};

/// Between two questions after the result of a command.
pub(super) const POLL_EVERY: Duration = Duration::from_millis(3500);
/// How long to ask.
pub(super) const POLL_FOR: Duration = Duration::from_secs(240);
/// The cloud needs this long to show what a command has changed.
pub(super) const SETTLES: Duration = Duration::from_secs(7);

const REMOTE: &str = "/eadrax-vrccs/v4/presentation/remote-commands";
const CHARGING: &str = "/eadrax-crccs/v1/vehicles";

/// What a car can be told to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Flashes the lights.
    LightFlash,
    /// Blows the horn.
    HornBlow,
    /// Asks where the car is. BMW answers only who tells where he himself is.
    FindVehicle {
        /// The observer.
        observer: Option<Position>,
    },
    /// Locks the doors.
    DoorLock,
    /// Unlocks the doors.
    DoorUnlock,
    /// Conditions the cabin.
    ClimateStart,
    /// Ends that.
    ClimateStop,
    /// Starts charging.
    ChargeStart,
    /// Stops charging.
    ChargeStop,
    /// Sets target and limit. `None` stays as it is.
    ChargingSettings {
        /// Charge target, percent: 20 to 100 in steps of 5.
        target_soc_percent: Option<u8>,
        /// Limit of the AC current, A: one of those that the car offers.
        ac_limit_a: Option<u8>,
    },
    /// Changes when to charge.
    ChargingProfile(ChargingProfileChange),
    /// Sends a place to navigation.
    SendPoi(Poi),
}

open_enum! {
    /// How far a command is.
    EventStatus {
        /// Taken.
        Initiated = "INITIATED",
        /// On its way.
        Pending = "PENDING",
        /// At the car.
        Delivered = "DELIVERED",
        /// Done.
        Executed = "EXECUTED",
        /// Failed.
        Error = "ERROR",
        /// Not carried out, because nothing was to be done.
        Ignored = "IGNORED",
    }
}

impl EventStatus {
    /// Whether there is more to come.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Executed | Self::Error | Self::Ignored)
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CommandResult {
    /// The end.
    pub status: EventStatus,
    /// The cloud's handle, if it gave one.
    pub event_id: Option<String>,
    /// Where the car is, after [`Command::FindVehicle`].
    pub position: Option<Position>,
}

impl CommandResult {
    pub(super) const fn without_event(status: EventStatus) -> Self {
        Self {
            status,
            event_id: None,
            position: None,
        }
    }
}

/// A command as it is sent.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) path: String,
    pub(super) body: String,
    pub(super) names_vin_in_header: bool,
}

impl Command {
    /// In words, for messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LightFlash => "light flash",
            Self::HornBlow => "horn",
            Self::FindVehicle { .. } => "vehicle finder",
            Self::DoorLock => "door lock",
            Self::DoorUnlock => "door unlock",
            Self::ClimateStart => "climate start",
            Self::ClimateStop => "climate stop",
            Self::ChargeStart => "charge start",
            Self::ChargeStop => "charge stop",
            Self::ChargingSettings { .. } => "charging settings",
            Self::ChargingProfile(_) => "charging profile",
            Self::SendPoi(_) => "send place",
        }
    }

    /// Whether the state of the car changes, and is worth asking for again.
    pub(super) const fn changes_state(&self) -> bool {
        !matches!(
            self,
            Self::LightFlash | Self::HornBlow | Self::FindVehicle { .. } | Self::SendPoi(_)
        )
    }

    /// Whether the car can do it.
    pub(super) fn check(&self, vehicle: &Vehicle) -> Result<(), Error> {
        let can = &vehicle.capabilities;
        let able = match self {
            Self::LightFlash => can.lights != Some(false),
            Self::HornBlow => can.horn != Some(false),
            Self::FindVehicle { .. } => true,
            Self::DoorLock => can.lock != Some(false),
            Self::DoorUnlock => can.unlock != Some(false),
            Self::ClimateStart => can.climate_now != Some(false),
            Self::ClimateStop => vehicle.state.climate.is_some() && can.climate_now != Some(false),
            Self::ChargeStart => can.charge_start(),
            Self::ChargeStop => can.charge_stop(),
            Self::ChargingSettings {
                target_soc_percent,
                ac_limit_a,
            } => {
                (target_soc_percent.is_none() || can.is_charging_target_soc_enabled == Some(true))
                    && (ac_limit_a.is_none() || can.is_charging_power_limit_enabled == Some(true))
            }
            Self::ChargingProfile(_) => can.is_charging_plan_supported == Some(true),
            Self::SendPoi(_) => can.send_poi != Some(false),
        };
        if !able {
            return Err(invalid(format!(
                "{}: this vehicle cannot do that",
                self.name()
            )));
        }
        let Self::ChargingSettings {
            target_soc_percent,
            ac_limit_a,
        } = self
        else {
            return Ok(());
        };
        if let Some(target) = target_soc_percent
            && (!(20..=100).contains(target) || target % 5 != 0)
        {
            return Err(invalid(format!(
                "charge target {target} %: 20 to 100 in steps of 5"
            )));
        }
        let offered = vehicle
            .charging
            .as_ref()
            .map_or(&[][..], |details| details.ac_limits_a());
        if let Some(limit) = ac_limit_a
            && !offered.contains(&i64::from(*limit))
        {
            return Err(invalid(format!(
                "current limit {limit} A: the vehicle offers {offered:?}"
            )));
        }
        Ok(())
    }

    /// Whether there is nothing to do, so that nothing is sent.
    pub(super) fn is_pointless(&self, vehicle: &Vehicle) -> bool {
        let plugged = vehicle.plugged_in() == Some(true);
        match self {
            Self::ChargeStart => !plugged,
            Self::ChargeStop => {
                !plugged || vehicle.charging_status() != Some(ChargingStatus::Charging)
            }
            _ => false,
        }
    }

    /// What is sent.
    pub(super) fn order(&self, vehicle: &Vehicle, gcid: Option<&str>) -> Result<Order, Error> {
        let vin = &vehicle.profile.vin;
        let remote = |what: &str| (format!("{REMOTE}/{what}"), json!({}), true);
        let charging = |what: &str, body| (format!("{CHARGING}/{vin}/{what}"), body, false);
        let (path, body, names_vin_in_header) = match self {
            Self::LightFlash => remote("light-flash"),
            Self::HornBlow => remote("horn-blow"),
            Self::FindVehicle { .. } => remote("vehicle-finder"),
            Self::DoorLock => remote("door-lock"),
            Self::DoorUnlock => remote("door-unlock"),
            Self::ClimateStart => remote("climate-now?action=START"),
            Self::ClimateStop => remote("climate-now?action=STOP"),
            Self::ChargeStart => charging("start-charging", json!({})),
            Self::ChargeStop => charging("stop-charging", json!({})),
            Self::ChargingSettings {
                target_soc_percent,
                ac_limit_a,
            } => charging(
                "charging-settings",
                json!({"chargingTarget": target_soc_percent, "acLimitValue": ac_limit_a}),
            ),
            Self::ChargingProfile(change) => {
                let profile = vehicle.state.charging_profile.as_ref().ok_or_else(|| {
                    invalid("charging profile: the vehicle reports none".to_owned())
                })?;
                let pack = vehicle.charging.as_ref();
                let pack = pack.and_then(|details| details.service_pack.as_deref());
                charging(
                    "charging-profile",
                    charging_profile_body(profile, pack, change),
                )
            }
            Self::SendPoi(poi) => {
                let gcid =
                    gcid.filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                let gcid = gcid.ok_or_else(|| {
                    invalid("send place: the account's number is unknown, log in again".to_owned())
                })?;
                (
                    format!("/eadrax-dcs/v2/user/{gcid}/send-to-car"),
                    poi.body(vin),
                    true,
                )
            }
        };
        Ok(Order {
            path,
            body: body.to_string(),
            names_vin_in_header,
        })
    }
}

fn invalid(message: String) -> Error {
    Error::InvalidValue(message)
}
