//! India, which speaks an older protocol (TAP) than the other regions.
//!
//! A [`Client`](crate::Client) of [`Region::India`](crate::Region::India) uses
//! it by itself; the models are those of the other regions. It offers the list
//! of cars, the live status, charging data and the commands; every other call
//! ends with [`Error::NotOffered`](crate::Error::NotOffered). Users log in with
//! their phone number, and commands need the PIN of the app
//! ([`ClientBuilder::pin`](crate::ClientBuilder::pin)).
//!
//! **Told by one source.** Charging data fit five answers that were recorded from
//! a car; frames, signatures, status and commands fit what that source's own client
//! sends and reads. Nothing has been tried on a car here.
//! What the models round or leave out is in [`Status`], [`ChargeStatus`] and
//! [`ControlAnswer`] as it came, and [`Asked`] lets an endpoint of your own send
//! any of the calls.
//!
//! Known limits:
//!
//! * The climate is known to start with index 3
//!   (`Command::Climate(Climate::Start { index: 3 })`). That other temperatures
//!   count as in other regions is an assumption.
//! * How long a session lives is not told: it is used until the cloud ends it.
//! * How the JSON gateway signs its answers is not known: it is not checked.
//! * Whether a car charges with AC or DC is not told.
//!
//! ```
//! use saic_ismart::VehicleStatus;
//! use saic_ismart::india::{CarDispatcher, Status, open_car, seal_car};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut status = Status { status_at_s: 1_700_000_000, ..Status::default() };
//! status.basic.odometer_deci_km = 123_450;
//! let dispatcher = CarDispatcher { application: "511".to_owned(), ..CarDispatcher::default() };
//! let frame = seal_car(&dispatcher, &status.to_bytes()?)?;
//!
//! let (_, data) = open_car(&frame)?;
//! let same = VehicleStatus::from_json(&Status::from_bytes(&data)?.to_json())?;
//! assert_eq!(same.basic.odometer_km(), Some(12_345.0));
//! # Ok(())
//! # }
//! ```

mod account;
mod bits;
mod call;
mod charge;
mod control;
mod dispatcher;
mod frame;
mod gateway;
mod login;
mod model;
mod status;
mod wire;

pub use account::{LoginAnswer, LoginRequest, PinRequest};
pub use bits::CodecError;
pub use call::{Asked, Fact, ReadFact, TapResult};
pub use charge::{Charge, ChargeStatus};
pub use control::{ControlAnswer, ControlParam, ControlRequest};
pub use dispatcher::{
    AccountDispatcher, BasicPosition, CarDispatcher, MessageCounter, NetworkInfo,
};
pub use frame::{
    frame_signature, gateway_signature, open_account, open_car, pin_hash, seal_account, seal_car,
};
pub(crate) use login::device_id;
pub use status::{Alert, BasicStatus, Coordinates, Position, Status, StatusRequest, WayPoint};
pub(crate) use wire::India;
