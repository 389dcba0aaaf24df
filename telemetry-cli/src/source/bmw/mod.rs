//! Source: BMW and MINI cars, by MyBMW or by CarData.

pub use error::BmwError;

pub mod account;
mod error;
pub mod kubernetes;
pub mod tokens;
pub mod values;

#[cfg(test)]
pub mod vectors;
