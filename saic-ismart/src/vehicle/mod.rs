//! What a car reports about itself, and what can be done to it.

mod alarm;
mod climate;
mod control;
mod list;
mod position;
mod seats;
mod status;
mod windows;

pub use alarm::{AlarmKind, AlarmSwitch, AlarmSwitches, ReadAlarmSwitches, SetAlarmSwitches};
pub use climate::Climate;
pub use control::{Command, Control, ControlAnswer, Param, StatusBytes};
pub use list::{Feature, SubAccount, VehicleInfo, VehicleList, VehicleListAnswer};
pub use position::{Coordinates, GpsFix, Position, WayPoint};
pub use seats::{Seat, Seats};
pub use status::{
    Alert, BasicStatus, CachedStatus, ClimateStatus, ExtendedStatus, LiveStatus, PowerMode,
    VehicleStatus,
};
pub use windows::{Panes, WindowAction, Windows};
