#![no_main]

use bluetti_modbus::encryption::NoEntropy;
use bluetti_modbus::modbus::{Request, UnitId};
use bluetti_modbus::session::{Config, Session, Step};
use bluetti_modbus::simulator::{Output, Station, StationConfig};

/// Detection, a handshake, fences, requests, busy answers, and restarts, each
/// overslept by one jump of the script.
const LONGEST_MS: u64 = 4 * (1_000 + 20_000 + 7 * (3_000 + 500)) + 40 * 255 * 16;

// Any order of calls, chunks, moments and answers of a real station: one outcome
// a call, never waiting for the past, never waiting for ever, never more than a
// few requests.
libfuzzer_sys::fuzz_target!(|input: (bool, Vec<(u8, u8, Vec<u8>)>)| {
    let (encrypted, script) = input;
    let mut config = StationConfig::with_registers((0..70).map(|register| (register, register)));
    if encrypted {
        config = config.encrypted();
    }
    let mut station = Station::new(config, 1);
    let mut session = Session::new(Config {
        verify_key: station.verify_key(),
        ..Config::new(|bytes: &mut [u8]| {
            bytes.fill(7);
            Ok::<(), NoEntropy>(())
        })
    });
    let (mut now_ms, mut begun_ms, mut requests, mut running) = (0u64, 0, 0, false);
    station.connect(0);
    session.connected(0);
    for (action, number, bytes) in script.iter().take(40) {
        match action % 8 {
            0 | 1 => {
                let unit = UnitId(action >> 3 & 1);
                let request = match action % 8 {
                    0 => Request::read(unit, u16::from(*number), u16::from(action >> 4) + 1),
                    _ => Ok(Request::write(unit, u16::from(*number), 1)),
                };
                session.begin(request.unwrap(), now_ms);
                (begun_ms, requests, running) = (now_ms, session.counters().requests, true);
            }
            2 => session.received(bytes, now_ms),
            3 | 4 => now_ms += u64::from(*number) * 16,
            5 => {
                while let Some(Output::Notify(chunk)) = station.poll(now_ms) {
                    session.received(&chunk, now_ms);
                }
            }
            6 => {
                station.connect(now_ms);
                session.connected(now_ms);
                running = false;
            }
            _ => {
                session.abandon();
                running = false;
            }
        }
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 64, "polling ends");
            match session.poll(now_ms) {
                Step::Idle => break assert!(!running),
                Step::Write(bytes) => station.write(bytes, now_ms),
                Step::Wait { until_ms } => {
                    break assert!(until_ms > now_ms && now_ms <= begun_ms + LONGEST_MS);
                }
                Step::Done(_) => running = false,
            }
        }
        assert!(session.counters().requests - requests <= 64);
    }
});
