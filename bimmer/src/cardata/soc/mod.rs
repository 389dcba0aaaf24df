//! The state of charge between two reports of the car. CarData reports it rarely
//! while charging and hardly while driving; [`SocEstimator`] fills the gaps and
//! marks what it has made up.

mod capacity;
mod charging;
mod driving;
mod efficiency;
mod estimator;
mod phases;

pub use capacity::{usable_kwh, usual_kwh_per_km};
pub use charging::{ChargeKind, ChargingSession};
pub use driving::{DrivingSession, learned_rate};
pub use efficiency::{Condition, Efficiency, Learned};
pub use estimator::{Learning, SocEstimate, SocEstimator, SocSource};
pub use phases::{Drawn, PhaseGuess};
