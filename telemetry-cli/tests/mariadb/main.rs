//! The MariaDB sink against a real MariaDB.

#![cfg(unix)]

use std::sync::OnceLock;

use server::MariaDb;

#[path = "../support/certificate.rs"]
pub mod certificate;
#[path = "../support/link.rs"]
pub mod link;
#[path = "../support/mariadb.rs"]
pub mod server;

mod access;
mod encryption;
mod gateway;
mod layout;
mod outage;
mod program;
mod refused;
mod rows;
mod views;

/// The one that most tests share, each with a database of its own. It ends
/// with the process.
fn shared() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(MariaDb::start)
}
