//! The API of the MyBMW app: vehicles with all their values, pictures, and
//! remote commands.
//!
//! BMW closed it to all programs but its own app in September 2025. A login or
//! a call then ends in [`Error::Blocked`](crate::Error::Blocked), after which
//! nothing helps. Use [`cardata`](crate::cardata) instead. This module is for
//! accounts that still get through, and for servers that speak the same language.

mod agent;
mod auth;
mod charging;
mod charging_history;
mod china;
mod china_login;
mod client;
mod command;
mod consumption;
mod gcj02;
mod poi;
mod profile;
mod refusal;
mod region;
mod rsa;
mod session;
mod slider;
mod state;
mod tyre;
mod vehicle;

pub use agent::{APP_VERSION, USER_AGENT, build_string, x_user_agent};
pub use auth::{Credentials, LoginSecrets, OauthSettings};
pub use charging::{
    AcLimit, ChargingDetails, ChargingProfileChange, ChargingSettings, ChargingSlot,
    ChargingTimers, DepartureTimer, WeeklyTimer, charging_profile_body,
};
pub use charging_history::{
    ChargingSession, ChargingSessions, ChargingStatistics, ChargingSums, SessionBlock,
    SessionDetails, SessionKind, SessionPower, SessionStatus,
};
pub use china::{ChinaNonce, login_nonce};
pub use china_login::SliderCaptcha;
pub use client::{Client, ClientBuilder, ImageView};
pub use command::{Command, CommandResult, EventStatus};
pub use consumption::{Consumption, ConsumptionOverview, Sustainability};
pub use gcj02::gcj02_to_wgs84;
pub use poi::Poi;
pub use profile::{
    Capabilities, DriveTrain, LastStateCall, Profile, PuStep, RemoteCharging, SoftwareVersion,
};
pub use refusal::{Class, classify, quota_wait};
pub use region::Region;
pub use slider::slider_position;
pub use state::{
    ChargingMode, ChargingPreference, ChargingProfile, ChargingStatus, CheckControlMessage,
    ClimateActivity, ClimateControl, ClimateTimer, DepartureTime, ElectricState, FuelLevel,
    LidState, Location, LockState, OpeningsState, RequiredService, RoofState, ServiceStatus,
    Severity, TimeOfDay, TimerType, VehicleState, Window, next_occurrence,
};
pub use tyre::{Tyre, TyreDetails, TyreStatus, Tyres};
pub use vehicle::{Lid, Ranges, Vehicle};
