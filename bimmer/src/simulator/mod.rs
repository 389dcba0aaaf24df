//! Both clouds in memory, for tests and demonstrations: requests in, responses
//! out, time passed in, faults by seed. Nothing here opens a socket or reads a
//! clock.
//!
//! Unstable: may change in any release.
//!
//! [`CarDataCloud`] has login, REST and stream; [`MyBmwCloud`] has login, vehicles
//! and commands. Each holds the cars that it is given.

mod car;
mod cardata;
mod history;
mod mybmw;
mod random;
mod stream;

pub use car::{Car, Drive};
pub use cardata::{CarDataCloud, CarDataFaults};
pub use mybmw::{MyBmwCloud, MyBmwFaults};
pub use stream::Delivery;
