use crate::endpoint::{self, Endpoint, Method};
use crate::error::DecodeError;
use crate::scale::{codes, from_json, model};
use crate::vin::Vin;

codes! {
    /// What the car may send a message about (`alarmType`).
    AlarmKind, alarm_kind {
        /// A fault of the car.
        0 => Fault,
        /// It is being moved.
        1 => Moving,
        /// It enters or leaves an area.
        2 => Geofence,
        /// It is started: needed for messages of type 323.
        3 => VehicleStart,
        /// State of starting.
        4 => StartStatus,
        /// Somebody leaves the car.
        5 => OffCar,
        /// Too fast.
        6 => Speeding,
    }
}

model! {
    /// One switch of `alarmSwitchList`.
    AlarmSwitch {
        /// What about (`alarmType`).
        kind: AlarmKind = "alarmType" as "alarm_kind",
        /// The car watches for it (`functionSwitch`).
        watched: bool = "functionSwitch" as "crate::scale::flag",
        /// The car sends a message (`alarmSwitch`).
        reported: bool = "alarmSwitch" as "crate::scale::flag",
    }
}

model! {
    /// The switches of a car.
    AlarmSwitches {
        ;
        /// One for each kind (`alarmSwitchList`).
        switches: Vec<AlarmSwitch> = "alarmSwitchList",
    }
}

from_json!(AlarmSwitches);

/// `GET /vehicle/alarmSwitch`.
#[derive(Debug, Clone)]
pub struct ReadAlarmSwitches(pub Vin);

impl Endpoint for ReadAlarmSwitches {
    type Answer = AlarmSwitches;

    fn name(&self) -> &'static str {
        "alarm switches"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        endpoint::with_vin("/vehicle/alarmSwitch", &self.0)
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<AlarmSwitches, DecodeError> {
        endpoint::optional(data)
    }
}

/// `PUT /vehicle/alarmSwitch`: turns kinds of messages on or off.
#[derive(Debug, Clone)]
pub struct SetAlarmSwitches {
    /// The car.
    pub vin: Vin,
    /// Kinds of messages, and whether they are wanted.
    pub switches: Vec<(AlarmKind, bool)>,
}

impl Endpoint for SetAlarmSwitches {
    type Answer = ();

    fn name(&self) -> &'static str {
        "setting of alarm switches"
    }

    fn method(&self) -> Method {
        Method::Put
    }

    fn path(&self) -> String {
        "/vehicle/alarmSwitch".to_owned()
    }

    fn takes_over(&self) -> bool {
        false
    }

    fn body(&self) -> String {
        let switch = |(kind, on): &(AlarmKind, bool)| {
            let on = u8::from(*on);
            serde_json::json!({ "alarmType": kind.code(), "functionSwitch": on, "alarmSwitch": on })
        };
        let list: Vec<_> = self.switches.iter().map(switch).collect();
        serde_json::json!({ "vin": self.vin.hash(), "alarmSwitchList": list }).to_string()
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, _: Option<&str>) -> Result<(), DecodeError> {
        Ok(())
    }
}
