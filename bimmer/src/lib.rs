#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(all(feature = "mybmw", feature = "cardata")),
    allow(dead_code, reason = "each API uses its part of what both share")
)]

pub mod capture;
pub mod endpoint;
pub mod http;
pub mod token;
pub mod types;

mod clock;
mod entropy;
mod error;
mod form;
#[cfg(any(feature = "mybmw", feature = "cardata"))]
mod keeper;
mod oauth;
mod secret;

#[cfg(feature = "cardata")]
pub mod cardata;
#[cfg(feature = "mybmw")]
pub mod mybmw;

#[cfg(feature = "simulator")]
pub mod simulator;

pub use entropy::Pkce;
pub use error::{Call, DecodeError, Error, LoginError, TransportError};
pub use secret::Secret;
pub use token::{FileTokenStore, MemoryTokenStore, Token, TokenStore};
pub use types::{Brand, Position, Vin};
