//! A thousand reads under each fault, plain and encrypted, with time as a number.

use bluetti_modbus::encryption::NoEntropy;
use bluetti_modbus::modbus::{Request, UnitId};
use bluetti_modbus::session::{Config, Reply, Session, SessionError, Step};
use bluetti_modbus::simulator::{Faults, Output, Station, StationConfig};

const READS: usize = 1000;
/// Blocks of equal and of different length: MODBUS answers do not say which
/// registers they are about.
const BLOCKS: [(u16, u16); 4] = [(10, 40), (100, 40), (200, 7), (3000, 40)];
/// A read ends within this time, whatever happens: a handshake, three requests,
/// four busy answers, a station that starts over.
const LONGEST_READ_MS: u64 = 60_000;
/// An answer may belong to an earlier request for the same registers.
const OLDEST_ANSWER_MS: u64 = 20_000;

/// A session on a simulated station whose registers change all the time.
struct Rig {
    station: Station,
    session: Session,
    now_ms: u64,
    /// When each generation of values began.
    generations: Vec<u64>,
    link_losses: usize,
}

enum Outcome {
    Answered(Vec<u16>),
    TimedOut,
    /// The link had to be set up again.
    Reconnected,
}

impl Rig {
    fn new(config: StationConfig, seed: u64) -> Self {
        let mut station = Station::new(config, seed);
        let mut state = seed;
        let entropy = move |bytes: &mut [u8]| {
            for byte in bytes {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                *byte = (state >> 56) as u8;
            }
            Ok::<(), NoEntropy>(())
        };
        let mut session = Session::new(Config {
            verify_key: station.verify_key(),
            ..Config::new(entropy)
        });
        station.connect(0);
        session.connected(0);
        Self {
            station,
            session,
            now_ms: 0,
            generations: Vec::new(),
            link_losses: 0,
        }
    }

    fn change_values(&mut self) {
        let generation = self.generations.len() as u16;
        self.generations.push(self.now_ms);
        for (start, count) in BLOCKS {
            for register in start..start + count {
                self.station
                    .set_register(1, register, value(register, generation));
            }
        }
    }

    fn read(&mut self, (start, count): (u16, u16)) -> Outcome {
        self.call(Request::read(UnitId::DEFAULT, start, count).unwrap())
    }

    fn call(&mut self, request: Request) -> Outcome {
        self.session.abandon();
        while let Some(output) = self.station.poll(self.now_ms) {
            match output {
                Output::Notify(chunk) => self.session.received(&chunk, self.now_ms),
                Output::LinkLost => return self.reconnect(),
            }
        }
        self.session.begin(request, self.now_ms);
        loop {
            let until_ms = match self.session.poll(self.now_ms) {
                Step::Write(bytes) => {
                    let bytes = bytes.to_vec();
                    self.change_values();
                    self.station.write(&bytes, self.now_ms);
                    continue;
                }
                Step::Wait { until_ms } => until_ms,
                Step::Done(Ok(Reply::Registers(values))) => return Outcome::Answered(values),
                Step::Done(Ok(Reply::Written)) => return Outcome::Answered(Vec::new()),
                Step::Done(Err(SessionError::TimedOut { .. })) => return Outcome::TimedOut,
                Step::Done(Ok(Reply::Refused(code))) => {
                    assert!(code.is_busy(), "{code}");
                    return Outcome::TimedOut;
                }
                Step::Done(Err(
                    SessionError::Handshake(_)
                    | SessionError::HandshakeTimedOut(_)
                    | SessionError::ModuleRestarted
                    | SessionError::Restarted,
                )) => return self.reconnect(),
                other => panic!("{other:?}"),
            };
            assert!(until_ms > self.now_ms, "waiting must take time");
            let next_ms = self.station.next_at().unwrap_or(u64::MAX);
            self.now_ms = next_ms.max(self.now_ms).min(until_ms);
            match self.station.poll(self.now_ms) {
                Some(Output::Notify(chunk)) => self.session.received(&chunk, self.now_ms),
                Some(Output::LinkLost) => return self.reconnect(),
                None => {}
            }
        }
    }

    fn reconnect(&mut self) -> Outcome {
        self.link_losses += 1;
        self.now_ms += 1_000;
        self.station.connect(self.now_ms);
        self.session.connected(self.now_ms);
        Outcome::Reconnected
    }

    fn is_true(&self, start: u16, values: &[u16]) -> bool {
        let oldest_ms = self.now_ms.saturating_sub(OLDEST_ANSWER_MS);
        let recent = (0..self.generations.len()).rev();
        recent
            .take_while(|&generation| self.generations[generation] >= oldest_ms)
            .any(|generation| {
                let wanted = (start..).map(|register| value(register, generation as u16));
                values.iter().copied().eq(wanted.take(values.len()))
            })
    }
}

/// Neighbouring registers and generations differ, and blocks are further apart
/// than the generations of a call.
fn value(register: u16, generation: u16) -> u16 {
    register.wrapping_mul(101).wrapping_add(generation)
}

fn station(faults: &Faults) -> StationConfig {
    let registers = BLOCKS
        .iter()
        .flat_map(|&(start, count)| (start..start + count).map(|register| (register, 0)));
    StationConfig {
        faults: faults.clone(),
        ..StationConfig::with_registers(registers)
    }
}

fn thousand_reads(name: &str, faults: &Faults, least_answered: usize) {
    thousand_reads_of(name, station(faults), least_answered);
    let name = format!("{name}, encrypted");
    thousand_reads_of(&name, station(faults).encrypted(), least_answered);
}

fn thousand_reads_of(name: &str, config: StationConfig, least_answered: usize) {
    let encrypted = config.encryption.is_some();
    let mut rig = Rig::new(config, 2026);
    let (mut answered, mut timed_out, mut reconnected) = (0, 0, 0);
    for read in 0..READS {
        let started_ms = rig.now_ms;
        let block = BLOCKS[read % BLOCKS.len()];
        match rig.read(block) {
            Outcome::Answered(values) => {
                answered += 1;
                assert_eq!(values.len(), usize::from(block.1));
                assert!(
                    rig.is_true(block.0, &values),
                    "{name}: {block:?} {values:?}"
                );
                assert_eq!(rig.station.in_session(), encrypted);
            }
            Outcome::TimedOut => timed_out += 1,
            Outcome::Reconnected => reconnected += 1,
        }
        let took_ms = rig.now_ms - started_ms;
        assert!(took_ms <= LONGEST_READ_MS, "{name}: {took_ms} ms");
        rig.now_ms += 500;
    }
    let counters = rig.session.counters();
    println!(
        "{name}: {answered} answered, {timed_out} timed out, {reconnected} ended by a new link, \
         {} requests of which {} repeated and {} fences, {} damaged and {} late answers, {} handshakes, 0 wrong",
        counters.requests,
        counters.repeated_requests,
        counters.fences,
        counters.damaged_answers,
        counters.late_answers,
        counters.link.handshakes,
    );
    assert_eq!(answered + timed_out + reconnected, READS, "{name}");
    assert!(
        answered >= least_answered,
        "{name}: only {answered} answered"
    );
}

/// Whatever goes wrong, a write is carried out once at most, and exactly once if
/// it was acknowledged.
fn three_hundred_writes(name: &str, faults: &Faults) {
    for config in [station(faults), station(faults).encrypted()] {
        let encrypted = config.encryption.is_some();
        let mut rig = Rig::new(config, 2027);
        let (mut acknowledged, mut unknown) = (0, 0);
        for value in 1..=300 {
            let before = rig.station.writes();
            let outcome = rig.call(Request::write(UnitId::DEFAULT, 205, value));
            let written = rig.station.writes() - before;
            match outcome {
                Outcome::Answered(_) => {
                    acknowledged += 1;
                    assert_eq!(written, 1, "{name}");
                }
                Outcome::TimedOut | Outcome::Reconnected => {
                    unknown += 1;
                    assert!(written <= 1, "{name}");
                }
            }
            rig.now_ms += 500;
        }
        println!(
            "{name}, encrypted {encrypted}: {acknowledged} acknowledged, {unknown} unknown, \
             {} carried out",
            rig.station.writes()
        );
        assert!(acknowledged > 0 && rig.station.writes() <= 300);
    }
}

#[test]
fn none() {
    thousand_reads("none", &Faults::default(), READS);
}

#[test]
fn drop() {
    let faults = Faults {
        drop: 0.2,
        ..Faults::default()
    };
    thousand_reads("drop", &faults, 900);
}

#[test]
fn delay() {
    let faults = Faults {
        delay: 0.3,
        delay_up_to_ms: 6_000,
        ..Faults::default()
    };
    thousand_reads("delay", &faults, 900);
}

#[test]
fn corrupt() {
    let faults = Faults {
        corrupt: 0.3,
        ..Faults::default()
    };
    thousand_reads("corrupt", &faults, 900);
}

#[test]
fn split() {
    let faults = Faults {
        split: 1.0,
        ..Faults::default()
    };
    thousand_reads("split", &faults, READS);
}

#[test]
fn merge() {
    let faults = Faults {
        merge: 1.0,
        delay: 0.2,
        delay_up_to_ms: 3_000,
        ..Faults::default()
    };
    thousand_reads("merge", &faults, 950);
}

#[test]
fn duplicate() {
    let faults = Faults {
        duplicate: 0.5,
        ..Faults::default()
    };
    thousand_reads("duplicate", &faults, READS);
}

#[test]
fn wrong_answer() {
    let faults = Faults {
        wrong_answer: 0.3,
        ..Faults::default()
    };
    thousand_reads("wrong answer", &faults, 900);
}

#[test]
fn busy() {
    let faults = Faults {
        busy: 0.3,
        ..Faults::default()
    };
    thousand_reads("busy", &faults, 950);
}

#[test]
fn module_restart() {
    let faults = Faults {
        module_restart: 0.05,
        ..Faults::default()
    };
    thousand_reads("module restart", &faults, 800);
}

#[test]
fn deaf_at_first() {
    let faults = Faults {
        deaf_requests: 2,
        link_loss_mean_ms: Some(30_000),
        ..Faults::default()
    };
    thousand_reads("deaf at first", &faults, 900);
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
fn challenges_inside_the_session() {
    let mut config = station(&Faults::default()).encrypted();
    if let Some(encryption) = &mut config.encryption {
        encryption.inner_challenge_every = Some(5);
    }
    thousand_reads_of("challenges inside the session", config, READS);
}

#[test]
fn no_write_is_carried_out_twice() {
    let some = Faults {
        delay_up_to_ms: 8_000,
        ..Faults::default()
    };
    for (name, faults) in [
        (
            "drop",
            Faults {
                drop: 0.2,
                ..some.clone()
            },
        ),
        (
            "delay",
            Faults {
                delay: 0.3,
                ..some.clone()
            },
        ),
        (
            "corrupt",
            Faults {
                corrupt: 0.3,
                ..some.clone()
            },
        ),
        (
            "split",
            Faults {
                split: 1.0,
                ..some.clone()
            },
        ),
        (
            "duplicate",
            Faults {
                duplicate: 0.5,
                ..some.clone()
            },
        ),
        (
            "module restart",
            Faults {
                module_restart: 0.1,
                ..some.clone()
            },
        ),
    ] {
        three_hundred_writes(name, &faults);
    }
}

#[test]
fn everything_at_once() {
    let faults = Faults {
        drop: 0.05,
        delay: 0.1,
        delay_up_to_ms: 4_000,
        corrupt: 0.05,
        split: 0.5,
        merge: 0.1,
        duplicate: 0.1,
        wrong_answer: 0.05,
        busy: 0.05,
        module_restart: 0.005,
        deaf_requests: 1,
        link_loss_mean_ms: Some(120_000),
    };
    thousand_reads("everything", &faults, 700);
}
