//! What one answer costs: time, and allocations where there should be none.
//!
//! `cargo bench -p jbd-bms [-- PART_OF_A_NAME]`. Prints figures and judges nothing.

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use jbd_bms::assembler::Assembler;
use jbd_bms::{BasicInfo, BasicInfoView, CellVoltages, UnitScale};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const BASIC_INFO: [&[u8]; 2] = [
    b"\xdd\x03\x00\x1d\x05\x7a\x09\xf6\x6c\xf2\x6d\x60\x00\x70\x2e\x67\x00\x08\x00\x00",
    b"\x00\x00\x21\x63\x03\x04\x03\x0b\x96\x0b\x8f\x0b\xa6\xf8\xb3\x77",
];
const CELLS: [&[u8]; 1] = [b"\xdd\x04\x00\x08\x0d\xaa\x0d\xad\x0d\xab\x0d\xc2\xfd\x00\x77"];

const RUNS: u32 = 11;
const PER_RUN: u32 = 200_000;

fn main() {
    let mut assembler = Assembler::new();
    report("basic info, two chunks to borrowed view", || {
        for chunk in BASIC_INFO {
            assembler.push(black_box(chunk));
        }
        let frame = assembler.next_frame().expect("a complete answer");
        let view = BasicInfoView::parse(frame.data, UnitScale::Auto).expect("a basic info answer");
        black_box(view.pack_voltage_mv());
        black_box(view.current_ma());
        black_box(view.remaining_capacity_mah());
        black_box(view.soc_percent());
        black_box(view.protection().bits());
        black_box(
            view.temperatures_deci_c()
                .flatten()
                .map(i64::from)
                .sum::<i64>(),
        );
    });
    report("basic info, two chunks to owned value", || {
        for chunk in BASIC_INFO {
            assembler.push(black_box(chunk));
        }
        let frame = assembler.next_frame().expect("a complete answer");
        black_box(BasicInfo::decode(frame.data, UnitScale::Auto).expect("a basic info answer"));
    });
    report("cell voltages, one chunk to owned value", || {
        for chunk in CELLS {
            assembler.push(black_box(chunk));
        }
        let frame = assembler.next_frame().expect("a complete answer");
        black_box(CellVoltages::decode(frame.data).expect("a cell voltages answer"));
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
    let allocations = change.allocations + change.reallocations;
    nanoseconds.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.0} ns (median of {RUNS} runs), {:.2} allocations",
        nanoseconds[nanoseconds.len() / 2],
        allocations as f64 / f64::from(RUNS * PER_RUN),
    );
}
