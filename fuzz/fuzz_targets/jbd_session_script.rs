#![no_main]

use jbd_bms::frame::Request;
use jbd_bms::session::{Call, Session, Step, Timing};

/// Spacing and three time limits, each overslept by one jump of the script.
const LONGEST_MS: u64 = 30 + 700 + 1_500 + 3_000 + 3 * 255 * 16;

// Any order of calls, chunks and moments: at most three writes a call, one
// outcome a call, never waiting for the past, never waiting for ever.
libfuzzer_sys::fuzz_target!(|script: Vec<(u8, u8, Vec<u8>)>| {
    let mut session = Session::new(Timing::default());
    let (mut now_ms, mut begun_ms, mut writes, mut running) = (0u64, 0, 0, false);
    for (action, number, bytes) in &script {
        match action % 4 {
            0 if action & 4 == 0 => session.begin(Call::Register(Request::read(*number)), now_ms),
            0 => session.begin(Call::Optional(Request::read(*number)), now_ms),
            1 => session.received(bytes, now_ms),
            2 => now_ms += u64::from(*number) * 16,
            _ => session.abandon(),
        }
        if let 0 | 3 = action % 4 {
            (begun_ms, writes, running) = (now_ms, 0, action % 4 == 0);
        }
        loop {
            match session.poll(now_ms) {
                Step::Idle => break assert!(!running),
                Step::Write(_) => writes += 1,
                Step::Wait { until_ms } => {
                    break assert!(until_ms > now_ms && now_ms <= begun_ms + LONGEST_MS);
                }
                Step::Done(_) => running = false,
            }
            assert!(writes <= 3);
        }
    }
});
