//! The radio, and the SDK's own Bluetooth adapter, against an emulated BlueZ
//! on a private system bus.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use telemetry_cli::radio::{Link, Radio, RadioError, Target};
use telemetry_cli::source::jbd::LAYOUTS;

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
pub mod computer;

mod capture;
mod connecting;
mod healing;
mod links;
mod pairing;
mod pausing;
mod program;
mod scan;
mod sdk;
mod stations;

/// A read of register 0x03.
const BASIC_INFO: [u8; 7] = [0xDD, 0xA5, 0x03, 0x00, 0xFF, 0xFD, 0x77];

/// Waiting for something that takes milliseconds.
const SOON: Duration = Duration::from_secs(10);

fn named(name: &str) -> Target {
    Target::Name(name.to_owned())
}

fn addressed(number: u8) -> Target {
    Target::Address(format!("A4:C1:38:00:00:{number:02X}"))
}

async fn connect(radio: &Radio, target: &Target) -> Result<Link, RadioError> {
    radio.connect(target, &LAYOUTS).await
}

/// The whole answer to one request, however it is cut.
async fn ask(link: &mut Link, request: &[u8]) -> std::io::Result<Vec<u8>> {
    link.send(request).await?;
    let mut answer = Vec::new();
    loop {
        let chunk = link.recv().await?;
        // Modules send a byte of nothing when they are connected.
        if answer.is_empty() && chunk == [0] {
            continue;
        }
        answer.extend(chunk);
        if let Some(&length) = answer.get(3)
            && answer.len() >= usize::from(length) + 7
        {
            return Ok(answer);
        }
    }
}

/// Waits until `done`, for as long as a slow machine may take.
async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
