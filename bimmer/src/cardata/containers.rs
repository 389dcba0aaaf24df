use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::http::{Method, Response};

/// The name of the container that this crate creates, and the only one that it
/// deletes.
pub const CONTAINER_NAME: &str = "bimmer";

/// Keys that show what an owner wants to know, for all drive trains; well below
/// what the cloud refuses as too many.
pub const RECOMMENDED_KEYS: &[&str] = &[
    "vehicle.body.chargingPort.combinedStatus",
    "vehicle.body.chargingPort.lockedStatus",
    "vehicle.body.chargingPort.plugEventId",
    "vehicle.body.chargingPort.status",
    "vehicle.body.hood.isOpen",
    "vehicle.body.trunk.isOpen",
    "vehicle.cabin.door.lock.status",
    "vehicle.cabin.door.row1.driver.isOpen",
    "vehicle.cabin.door.row1.passenger.isOpen",
    "vehicle.cabin.door.row2.driver.isOpen",
    "vehicle.cabin.door.row2.passenger.isOpen",
    "vehicle.cabin.door.status",
    "vehicle.cabin.hvac.preconditioning.status.comfortState",
    "vehicle.cabin.infotainment.navigation.currentLocation.altitude",
    "vehicle.cabin.infotainment.navigation.currentLocation.heading",
    "vehicle.cabin.infotainment.navigation.currentLocation.latitude",
    "vehicle.cabin.infotainment.navigation.currentLocation.longitude",
    "vehicle.cabin.window.row1.driver.status",
    "vehicle.cabin.window.row1.passenger.status",
    "vehicle.cabin.window.row2.driver.status",
    "vehicle.cabin.window.row2.passenger.status",
    "vehicle.chassis.axle.row1.wheel.left.tire.pressure",
    "vehicle.chassis.axle.row1.wheel.right.tire.pressure",
    "vehicle.chassis.axle.row2.wheel.left.tire.pressure",
    "vehicle.chassis.axle.row2.wheel.right.tire.pressure",
    "vehicle.drivetrain.batteryManagement.batterySizeMax",
    "vehicle.drivetrain.batteryManagement.header",
    "vehicle.drivetrain.batteryManagement.maxEnergy",
    "vehicle.drivetrain.electricEngine.charging.acAmpere",
    "vehicle.drivetrain.electricEngine.charging.acVoltage",
    "vehicle.drivetrain.electricEngine.charging.hvStatus",
    "vehicle.drivetrain.electricEngine.charging.level",
    "vehicle.drivetrain.electricEngine.charging.method",
    "vehicle.drivetrain.electricEngine.charging.phaseNumber",
    "vehicle.drivetrain.electricEngine.charging.status",
    "vehicle.drivetrain.electricEngine.charging.timeRemaining",
    "vehicle.drivetrain.electricEngine.kombiRemainingElectricRange",
    "vehicle.drivetrain.electricEngine.remainingElectricRange",
    "vehicle.drivetrain.fuelSystem.level",
    "vehicle.drivetrain.fuelSystem.remainingFuel",
    "vehicle.drivetrain.lastRemainingRange",
    "vehicle.electricalSystem.battery.voltage",
    "vehicle.isMoving",
    "vehicle.powertrain.electric.battery.charging.acLimit.selected",
    "vehicle.powertrain.electric.battery.charging.power",
    "vehicle.powertrain.electric.battery.stateOfCharge.displayed",
    "vehicle.powertrain.electric.battery.stateOfCharge.target",
    "vehicle.powertrain.electric.battery.stateOfHealth.displayed",
    "vehicle.powertrain.tractionBattery.charging.port.anyPosition.isPlugged",
    "vehicle.trip.segment.end.drivetrain.batteryManagement.hvSoc",
    "vehicle.vehicle.avgAuxPower",
    "vehicle.vehicle.preConditioning.activity",
    "vehicle.vehicle.travelledDistance",
];

/// What is asked for where the cloud calls the wanted keys too many.
pub const REDUCED_KEYS: &[&str] = &[
    "vehicle.body.chargingPort.combinedStatus",
    "vehicle.body.chargingPort.status",
    "vehicle.cabin.infotainment.navigation.currentLocation.latitude",
    "vehicle.cabin.infotainment.navigation.currentLocation.longitude",
    "vehicle.drivetrain.batteryManagement.header",
    "vehicle.drivetrain.electricEngine.charging.hvStatus",
    "vehicle.drivetrain.electricEngine.charging.status",
    "vehicle.drivetrain.electricEngine.charging.timeRemaining",
    "vehicle.drivetrain.electricEngine.kombiRemainingElectricRange",
    "vehicle.drivetrain.fuelSystem.level",
    "vehicle.drivetrain.lastRemainingRange",
    "vehicle.powertrain.electric.battery.stateOfCharge.displayed",
    "vehicle.powertrain.electric.battery.stateOfCharge.target",
    "vehicle.vehicle.travelledDistance",
];

/// Tells sets of keys apart: SHA-1 over the sorted keys, each once, in
/// hexadecimal. The order of the keys does not matter.
#[must_use]
pub fn signature(keys: &[&str]) -> String {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let digest = Sha1::digest(sorted.join("|").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A container as the list shows it. Source: `GET /customers/containers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Container {
    /// The cloud's id, 13 characters.
    pub container_id: String,
    /// Name, as whoever made it called it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Purpose; ours hold the signature of their keys.
    #[serde(default, deserialize_with = "lenient::text")]
    pub purpose: Option<String>,
    /// `ACTIVE` or `DELETED`. Deleted ones stay in the list for 29 days.
    #[serde(default, deserialize_with = "lenient::text")]
    pub state: Option<String>,
    /// The keys; in answers about one container only.
    #[serde(default, deserialize_with = "lenient::list")]
    pub technical_descriptors: Vec<String>,
}

impl Container {
    /// Whether this crate made it and it is still in use.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let active = self.state.as_deref().is_none_or(|state| state == "ACTIVE");
        active && self.name.as_deref() == Some(CONTAINER_NAME)
    }
}

/// Lists all containers of the account, foreign ones as well.
pub(super) struct ListContainers;

impl Endpoint for ListContainers {
    type Answer = Vec<Container>;

    fn name(&self) -> &'static str {
        "list of containers"
    }

    fn path(&self) -> String {
        "/customers/containers".to_owned()
    }

    fn read(&self, response: &Response) -> Result<Vec<Container>, DecodeError> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default, deserialize_with = "lenient::list")]
            containers: Vec<Container>,
        }
        Ok(model::<List>(&response.body)?.containers)
    }
}

/// Creates one of ours.
pub(super) struct CreateContainer<'a> {
    pub(super) keys: &'a [&'a str],
}

impl Endpoint for CreateContainer<'_> {
    type Answer = Container;

    fn name(&self) -> &'static str {
        "creation of a container"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/customers/containers".to_owned()
    }

    fn body(&self) -> Option<String> {
        let body = serde_json::json!({
            "name": CONTAINER_NAME,
            "purpose": signature(self.keys),
            "technicalDescriptors": self.keys,
        });
        Some(body.to_string())
    }

    fn is_command(&self) -> bool {
        true
    }

    fn read(&self, response: &Response) -> Result<Container, DecodeError> {
        model(&response.body)
    }
}

/// Deletes one.
pub(super) struct DeleteContainer<'a> {
    pub(super) id: &'a str,
}

impl Endpoint for DeleteContainer<'_> {
    type Answer = ();

    fn name(&self) -> &'static str {
        "deletion of a container"
    }

    fn method(&self) -> Method {
        Method::Delete
    }

    fn path(&self) -> String {
        format!("/customers/containers/{}", segment(self.id))
    }

    fn is_command(&self) -> bool {
        true
    }

    fn read(&self, _: &Response) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// An id from outside as one part of a path.
pub(super) fn segment(id: &str) -> String {
    id.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect()
}
