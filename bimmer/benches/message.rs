//! What one message or answer costs: time and allocations.
//!
//! `cargo bench -p bimmer [-- PART_OF_A_NAME]`. Prints figures and judges nothing.

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use bimmer::cardata::stream::StreamMessage;
use bimmer::cardata::{Overview, Telemetry};
use bimmer::mybmw::VehicleState;
use chrono::DateTime;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MESSAGE: &[u8] = br#"{"vin":"WBA11AA0001234501","entityId":"g","topic":"WBA11AA0001234501","timestamp":"2026-03-01T10:00:02.000Z","data":{"vehicle.drivetrain.batteryManagement.header":{"timestamp":"2026-03-01T10:00:00Z","value":51,"unit":"%"}}}"#;
const VEHICLE: &str = include_str!("../tests/data/vehicles/bev_charging.json");

const RUNS: u32 = 11;
const PER_RUN: u32 = 2_000;

fn main() {
    let now = DateTime::from_timestamp(1_772_359_210, 0).expect("a time");
    let mut car = Telemetry::new();
    report("stream message, bytes to merged entry", || {
        let message = StreamMessage::decode(black_box(MESSAGE)).expect("a message");
        car.apply_stream(&message, now);
    });
    report("overview of a car", || {
        black_box(Overview::of(black_box(&car), now));
    });
    let vehicle: serde_json::Value = serde_json::from_str(VEHICLE).expect("a document");
    let state = vehicle["state"]["state"].to_string();
    report("state of the app API, text to model", || {
        let state: VehicleState = serde_json::from_str(black_box(&state)).expect("a state");
        black_box(state);
    });
}

/// The median of several runs, and the allocations of all of them.
fn report(what: &str, mut work: impl FnMut()) {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if wanted.is_some_and(|part| !what.contains(&part)) {
        return;
    }
    work();
    let mut nanoseconds: Vec<f64> = Vec::with_capacity(RUNS as usize);
    let region = Region::new(ALLOCATOR);
    for _ in 0..RUNS {
        let started = Instant::now();
        for _ in 0..PER_RUN {
            work();
        }
        nanoseconds.push(started.elapsed().as_nanos() as f64 / f64::from(PER_RUN));
    }
    let change = region.change();
    nanoseconds.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.0} ns (median of {RUNS} runs), {:.1} allocations",
        nanoseconds[nanoseconds.len() / 2],
        (change.allocations + change.reallocations) as f64 / f64::from(RUNS * PER_RUN),
    );
}
