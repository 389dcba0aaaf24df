//! What one answer costs: time, and allocations where there should be none.
//!
//! `cargo bench -p bluetti-modbus --bench answer [-- PART_OF_A_NAME]`. Prints
//! figures and judges nothing.

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use bluetti_modbus::assembler::Assembler;
use bluetti_modbus::encryption::{NoEntropy, SessionCipher};
use bluetti_modbus::modbus::{Answer, Frame, UnitId, Words, crc16_modbus};
use bluetti_modbus::model::{Model, Station};
use bluetti_modbus::register::Registers;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Registers 10 to 49 of an AC300.
const HOME: &[u8] = b"\x01\x03\x50\x41\x43\x33\x30\x30\x00\x00\x00\x00\x00\x00\x00\x03\xfb\x3a\x40\x9b\xfe\x02\x08\x00\
\x00\x00\x00\x00\x00\x28\x95\x00\x06\x28\x33\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
\x00\x00\x00\x00\x00\x00\x00\x01\x38\x00\x00\x00\x94\x00\x1b\x00\x00\x04\xd2\x00\x00\x00\x57\x00\
\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x01\x37\x8e";

const RUNS: u32 = 11;
const PER_RUN: u32 = 200_000;

fn main() {
    let model = Model::AC300;
    report("checksum of 83 bytes", || {
        black_box(crc16_modbus(black_box(&HOME[..83])));
    });
    report("40 registers, frame to borrowed registers", || {
        let (frame, _) = Frame::parse(black_box(HOME))
            .ok()
            .flatten()
            .expect("a complete answer");
        let Answer::Registers(words) = frame.answer else {
            unreachable!("an answer to a read");
        };
        black_box(words.iter().map(u64::from).sum::<u64>());
    });
    let mut assembler = Assembler::new();
    report("40 registers, five chunks to borrowed registers", || {
        for chunk in HOME.chunks(20) {
            assembler.push(black_box(chunk));
        }
        let frame = assembler.next_frame().expect("a complete answer");
        black_box(frame.answer);
    });
    let mut registers = Registers::new();
    report("40 registers, frame to typed fields by method", || {
        let words = words_of(black_box(HOME));
        registers.insert_bytes(10, words);
        let station = Station::new(model, &registers);
        black_box(station.soc_percent());
        black_box(station.dc_input_power_w());
        black_box(station.ac_input_power_w());
        black_box(station.ac_output_power_w());
        black_box(station.dc_output_power_w());
        black_box(station.generation_kwh());
    });
    report("40 registers, frame to all fields of the model", || {
        registers.insert_bytes(10, words_of(black_box(HOME)));
        for field in model.decode(&registers) {
            black_box(field);
        }
    });
    let cipher = SessionCipher::new(Zeroizing::new([7; 32]));
    let mut seed = |bytes: &mut [u8]| {
        bytes.fill(1);
        Ok::<(), NoEntropy>(())
    };
    let sealed = cipher.seal(HOME, &mut seed).expect("a seed");
    report("40 registers, encrypted frame to plain bytes", || {
        black_box(cipher.open(black_box(&sealed)));
    });
    report("40 registers, answer to frame", || {
        let words = Words::new(&HOME[3..83]).expect("an even number of bytes");
        let frame = Frame {
            unit: UnitId::DEFAULT,
            answer: Answer::Registers(words),
        };
        black_box(frame.to_bytes());
    });
}

/// The data of an answer, its checksum found right.
fn words_of(bytes: &[u8]) -> &[u8] {
    match Frame::parse(bytes) {
        Ok(Some((_, used))) => &bytes[3..used - 2],
        other => unreachable!("{other:?}"),
    }
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
    let allocations = change.allocations + change.reallocations;
    nanoseconds.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.0} ns (median of {RUNS} runs), {:.2} allocations",
        nanoseconds[nanoseconds.len() / 2],
        allocations as f64 / f64::from(RUNS * PER_RUN),
    );
}
