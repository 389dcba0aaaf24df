//! A thousand reads under each fault, with time as a number.

use jbd_bms::frame::Request;
use jbd_bms::session::{Call, Reply, Session, SessionError, Step, Timing};
use jbd_bms::simulator::{Faults, Load, Output, Pack, PackConfig, Snapshot};
use jbd_bms::{BasicInfo, CellVoltages, Command, UnitScale};

const READS: usize = 1000;
/// A read ends within this time, whatever happens: three requests plus spacing.
const LONGEST_READ_MS: u64 = 5_300;
/// An answer may belong to an earlier request for the same register.
const OLDEST_ANSWER_MS: u64 = 12_000;

/// A session on a simulated pack.
struct Rig {
    pack: Pack,
    session: Session,
    now_ms: u64,
    truths: Vec<(u64, Snapshot)>,
    link_losses: usize,
}

enum Outcome {
    Answered(Vec<u8>),
    TimedOut,
    LinkLost,
}

impl Rig {
    fn new(faults: Faults, seed: u64) -> Self {
        // A load that changes all the time shows answers that are not true.
        let load = Load::Sine {
            mean_ma: 1_000,
            amplitude_ma: 80_000,
            period_s: 120,
        };
        let mut pack = Pack::new(
            PackConfig {
                faults,
                load,
                ..PackConfig::default()
            },
            seed,
        );
        pack.connect(0);
        Self {
            pack,
            session: Session::new(Timing::default()),
            now_ms: 0,
            truths: Vec::new(),
            link_losses: 0,
        }
    }

    fn read(&mut self, request: Request) -> Outcome {
        self.session.abandon();
        while let Some(output) = self.pack.poll(self.now_ms) {
            match output {
                Output::Notify(chunk) => self.session.received(&chunk, self.now_ms),
                Output::LinkLost => return self.reconnect(),
            }
        }
        self.session.begin(Call::Register(request), self.now_ms);
        loop {
            let until_ms = match self.session.poll(self.now_ms) {
                Step::Write(bytes) => {
                    self.pack.write(bytes, self.now_ms);
                    self.truths.push((self.now_ms, self.pack.snapshot()));
                    continue;
                }
                Step::Wait { until_ms } => until_ms,
                Step::Done(Ok(Reply::Register { data, .. })) => return Outcome::Answered(data),
                Step::Done(Err(SessionError::TimedOut { .. })) => return Outcome::TimedOut,
                other => panic!("{other:?}"),
            };
            assert!(until_ms > self.now_ms, "waiting must take time");
            let next_ms = self.pack.next_at().unwrap_or(u64::MAX).max(self.now_ms);
            self.now_ms = next_ms.min(until_ms);
            match self.pack.poll(self.now_ms) {
                Some(Output::Notify(chunk)) => self.session.received(&chunk, self.now_ms),
                Some(Output::LinkLost) => return self.reconnect(),
                None => {}
            }
        }
    }

    fn reconnect(&mut self) -> Outcome {
        self.link_losses += 1;
        self.now_ms += 1_000;
        self.pack.connect(self.now_ms);
        Outcome::LinkLost
    }

    fn is_true(&self, fits: impl Fn(&Snapshot) -> bool) -> bool {
        let oldest_ms = self.now_ms.saturating_sub(OLDEST_ANSWER_MS);
        let recent = self.truths.iter().rev();
        recent
            .take_while(|(at_ms, _)| *at_ms >= oldest_ms)
            .any(|(_, truth)| fits(truth))
    }
}

fn thousand_reads(name: &str, faults: &Faults, least_answered: usize) {
    let mut rig = Rig::new(faults.clone(), 2026);
    let (mut answered, mut timed_out) = (0, 0);
    for read in 0..READS {
        if faults.asleep_requests > 0 && read % 10 == 0 {
            rig.pack.connect(rig.now_ms);
        }
        let started_ms = rig.now_ms;
        let losses = rig.link_losses;
        let cells = read % 2 == 1;
        let command = if cells {
            Command::CellVoltages
        } else {
            Command::BasicInfo
        };
        match rig.read(command.request()) {
            Outcome::Answered(data) if cells => {
                answered += 1;
                let cells = CellVoltages::decode(&data).unwrap().cell_voltages_mv;
                assert!(
                    rig.is_true(|truth| truth.cell_voltages_mv == cells),
                    "{name}: {cells:?}"
                );
            }
            Outcome::Answered(data) => {
                answered += 1;
                let info = BasicInfo::decode(&data, UnitScale::Auto).unwrap();
                assert!(rig.is_true(|truth| fits(&info, truth)), "{name}: {info:?}");
            }
            Outcome::TimedOut => timed_out += 1,
            Outcome::LinkLost => {}
        }
        if rig.link_losses == losses {
            assert!(
                rig.now_ms - started_ms <= LONGEST_READ_MS,
                "{name}: read took too long"
            );
        }
        rig.now_ms += 500;
    }
    let counters = rig.session.counters();
    println!(
        "{name}: {answered} answered, {timed_out} timed out, {} links lost, \
         {} requests repeated, {} late frames, {} bytes and {} frames rejected, 0 wrong",
        rig.link_losses,
        counters.repeated_requests,
        counters.late_frames,
        counters.assembler.rejected_bytes,
        counters.assembler.rejected_frames,
    );
    assert_eq!(answered + timed_out + rig.link_losses, READS, "{name}");
    assert!(
        answered >= least_answered,
        "{name}: only {answered} answered"
    );
}

fn fits(info: &BasicInfo, truth: &Snapshot) -> bool {
    let temperatures: Vec<_> = truth.temperatures_deci_c.iter().map(|&t| Some(t)).collect();
    info.pack_voltage_mv == truth.pack_voltage_mv
        && info.current_ma == truth.current_ma
        && info.remaining_capacity_mah == truth.remaining_capacity_mah
        && info.soc_percent == truth.soc_percent
        && info.protection.bits() == truth.protection
        && info.mosfets.charge_on() == truth.charge_on
        && info.mosfets.discharge_on() == truth.discharge_on
        && info.temperatures_deci_c == temperatures
}

#[test]
fn none() {
    thousand_reads("none", &Faults::default(), READS);
}

#[test]
fn drop() {
    thousand_reads(
        "drop",
        &Faults {
            drop: 0.3,
            ..Faults::default()
        },
        950,
    );
}

#[test]
fn delay() {
    let faults = Faults {
        delay: 0.3,
        delay_up_to_ms: 4_000,
        ..Faults::default()
    };
    thousand_reads("delay", &faults, 950);
}

#[test]
fn corrupt() {
    thousand_reads(
        "corrupt",
        &Faults {
            corrupt: 0.3,
            ..Faults::default()
        },
        950,
    );
}

#[test]
fn split() {
    thousand_reads(
        "split",
        &Faults {
            split: 1.0,
            ..Faults::default()
        },
        READS,
    );
}

#[test]
fn duplicate() {
    thousand_reads(
        "duplicate",
        &Faults {
            duplicate: 0.5,
            ..Faults::default()
        },
        READS,
    );
}

#[test]
fn wrong_answer() {
    thousand_reads(
        "wrong answer",
        &Faults {
            wrong_answer: 0.3,
            ..Faults::default()
        },
        950,
    );
}

#[test]
fn asleep() {
    thousand_reads(
        "asleep",
        &Faults {
            asleep_requests: 2,
            ..Faults::default()
        },
        READS,
    );
}

#[test]
fn link_loss() {
    let faults = Faults {
        link_loss_mean_ms: Some(10_000),
        ..Faults::default()
    };
    thousand_reads("link loss", &faults, 800);
}

#[test]
fn everything_at_once() {
    let faults = Faults {
        drop: 0.1,
        delay: 0.2,
        delay_up_to_ms: 2_000,
        corrupt: 0.1,
        split: 0.5,
        duplicate: 0.2,
        wrong_answer: 0.1,
        asleep_requests: 1,
        link_loss_mean_ms: Some(60_000),
    };
    thousand_reads("everything", &faults, 800);
}
