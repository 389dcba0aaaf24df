//! The time from the start of the program to the first reading.

use std::time::{Duration, Instant};

use crate::Program;
use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

const STARTS: usize = 9;

/// Measures and prints.
pub(crate) async fn measure(program: &Program) {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(program).await);
    }
    starts.sort();
    let (own, source) = starts[STARTS / 2];
    println!("start to first reading at a subscriber, one pack, median of {STARTS}:");
    println!("the source's own time   {source:>10.1?}  first call to last byte");
    println!("ours besides            {own:>10.1?}");
}

/// Ours and the source's part of the time to the first reading.
async fn start(program: &Program) -> (Duration, Duration) {
    let mosquitto = Mosquitto::open();
    let computer = Computer::blank();
    computer.configure(&format!(
        "[mqtt]\nurl = 'tcp://{}'\n[[jbd]]\nname = 'Pack 1'\n",
        mosquitto.address()
    ));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("Pack 1", 1));
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let began = Instant::now();
    let gateway = program.gateway(&computer);
    let state = "telemetry/jbd-a4c138000001/state";
    watcher
        .wait_until(state, |watcher| watcher.last.contains_key(state))
        .await;
    let all = began.elapsed();
    let source = bluez.with(|service| {
        let first = service.first_call.expect("it called");
        let last = service.peripheral(1).said_at.expect("it answered");
        last - first
    });
    assert!(gateway.stop().success());
    (all - source, source)
}
