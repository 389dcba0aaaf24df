use uuid::Uuid;

use super::region::Region;
use crate::types::Brand;

/// The `user-agent` of all requests.
pub const USER_AGENT: &str = "Dart/3.3 (dart:io)";

/// The version of the app whose requests these are.
pub const APP_VERSION: &str = "4.9.2(36892)";

/// The `x-user-agent` of a request. BMW counts quotas by it.
#[must_use]
pub fn x_user_agent(build: &str, brand: &Brand, region: Region) -> String {
    format!("android({build});{brand};{APP_VERSION};{}", region.code())
}

/// A build string that differs from one installation to the next, so that they
/// do not share a quota. `installation` is any text that stays the same.
#[must_use]
pub fn build_string(installation: &str) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_DNS, installation.as_bytes());
    let digits: String = id
        .simple()
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let first = &digits[..digits.len().min(6)];
    let last = &digits[digits.len().saturating_sub(3)..];
    format!("AP2A.{first:0<6}.{last:0>3}")
}
