//! Handshakes against the simulated station: how long one takes, and whether any
//! of many fails.
//!
//! `cargo bench -p bluetti-modbus --bench handshake --features simulator
//! [-- COUNT]`, 10 000 by default. Time on the link is a number; what is measured
//! is the computing of both sides, and of the client alone.

use std::time::{Duration, Instant};

use bluetti_modbus::modbus::{Request, UnitId};
use bluetti_modbus::session::{Config, Reply, Session, Step};
use bluetti_modbus::simulator::{Output, Station, StationConfig};

fn main() {
    let count: u64 = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(10_000);
    let (mut succeeded, mut failed) = (0, 0);
    let (mut whole, mut client) = (Vec::new(), Vec::new());
    for seed in 0..count {
        let started = Instant::now();
        let (ready, own) = handshake(seed);
        whole.push(started.elapsed());
        client.push(own);
        match ready {
            true => succeeded += 1,
            false => failed += 1,
        }
    }
    println!(
        "{succeeded} handshakes, {failed} failures; median of both sides {:?}, of the client {:?}",
        median(&mut whole),
        median(&mut client),
    );
}

/// Connects, shakes hands and reads one register; the time that the client took.
fn handshake(seed: u64) -> (bool, Duration) {
    let config = StationConfig::with_registers([(16, 2005)]).encrypted();
    let mut station = Station::new(config, seed);
    let mut own = Duration::ZERO;
    let mut session = Session::new(Config {
        verify_key: station.verify_key(),
        ..Config::default()
    });
    station.connect(0);
    session.connected(0);
    let request = Request::read(UnitId::DEFAULT, 16, 1).expect("one register");
    session.begin(request, 0);
    let mut now_ms = 0;
    loop {
        let started = Instant::now();
        let step = session.poll(now_ms);
        own += started.elapsed();
        match step {
            Step::Write(bytes) => station.write(bytes, now_ms),
            Step::Wait { until_ms } => {
                now_ms = station
                    .next_at()
                    .unwrap_or(until_ms)
                    .min(until_ms)
                    .max(now_ms);
                if let Some(Output::Notify(chunk)) = station.poll(now_ms) {
                    let started = Instant::now();
                    session.received(&chunk, now_ms);
                    own += started.elapsed();
                }
            }
            Step::Done(outcome) => {
                let read = outcome == Ok(Reply::Registers(vec![2005]));
                return (read && station.in_session(), own);
            }
            Step::Idle => return (false, own),
        }
    }
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}
