//! The source of power stations, over an emulated BlueZ.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bluetti_modbus::model::Model;
use bluetti_modbus::register::Group;
use bluetti_modbus::register::ReadLimit;
use bluetti_modbus::session::Security;
use bluetti_modbus::simulator::{Faults, Station, StationConfig};
use telemetry_cli::config::Bluetti;
use telemetry_cli::control::Refusal;
use telemetry_cli::event::{Availability, Event, Reading};
use telemetry_cli::hub::Follower;
use telemetry_cli::metric::power_station as metric;
use telemetry_cli::native::{BluettiStation, Native};
use telemetry_cli::radio::Radio;
use telemetry_cli::source::{self, Context};
use telemetry_cli::supervisor::Task;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bluez::{Config, Stage, radio};
use crate::eventually;

/// Far more than anything takes here, on a slow machine, too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A peripheral with a station behind it, and how it is configured.
struct Setup {
    number: u8,
    peripheral: Config,
    config: Bluetti,
}

fn setup(number: u8, model: Model, change: impl FnOnce(&mut StationConfig)) -> Setup {
    let serial = 2_237_000_000_000 + u64::from(number);
    let mut station = StationConfig::of_model(model, serial);
    change(&mut station);
    let name = format!("{model}{serial}");
    let mut config = Bluetti::named(&name);
    // The key that real stations sign with is in them only.
    config.verify_key = Station::new(station.clone(), 0).verify_key();
    // Nothing comes unasked.
    config.interval = Duration::from_secs(3_600);
    config.packs_interval = Duration::from_secs(3_600);
    config.allow.ac_output = true;
    let peripheral = Config {
        mtu: Some(247),
        ..Config::station(&name, number, station)
    };
    Setup {
        number,
        peripheral,
        config,
    }
}

/// A source that is started again when it ends, as the supervisor does it.
struct Source {
    context: Context,
    task: JoinHandle<()>,
    readings: Follower,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Source {
    async fn start(stage: &Stage, radio: &Radio, setup: &Setup) -> Self {
        stage.bluez.add(setup.peripheral.clone());
        let context = Context::brief(radio.clone()).await.unwrap();
        let readings = context.hub.follow();
        let (config, inner) = (setup.config.clone(), context.clone());
        let task = tokio::spawn(async move {
            loop {
                let task = Task {
                    name: "bluetti".to_owned(),
                    shutdown: CancellationToken::new(),
                };
                source::bluetti::run(config.clone(), inner.clone(), task).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self {
            context,
            task,
            readings,
        }
    }

    async fn reading(&mut self) -> Arc<Reading> {
        let next = async {
            loop {
                if let Event::Reading(reading) = self.readings.next().await {
                    return reading;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a reading")
    }

    /// What came since it was asked last.
    fn readings(&mut self) -> Vec<Arc<Reading>> {
        let events = std::iter::from_fn(|| self.readings.try_next());
        let readings = events.filter_map(|event| match event {
            Event::Reading(reading) => Some(reading),
            _ => None,
        });
        readings.collect()
    }

    async fn tell(&self, word: &str, text: &str) -> Result<(), Refusal> {
        let device = self.context.hub.snapshot().remove(0).device.id.to_string();
        let told = self.context.controls.send(&device, word, text);
        tokio::time::timeout(2 * PATIENCE, told)
            .await
            .expect("an outcome")
    }
}

fn native(reading: &Reading) -> &BluettiStation {
    match &reading.native {
        Some(Native::Bluetti(station)) => station,
        other => panic!("{other:?}"),
    }
}

/// A register of the station behind peripheral `number`.
fn register(stage: &Stage, number: u8, unit: u8, register: u16) -> Option<u16> {
    registers(stage, number, unit, vec![register])[&register]
}

/// The same of many at once.
fn registers(stage: &Stage, number: u8, unit: u8, wanted: Vec<u16>) -> BTreeMap<u16, Option<u16>> {
    stage.bluez.with(move |service| {
        let station = service.peripheral(number).station();
        let all = wanted.into_iter();
        all.map(|register| (register, station.register(unit, register)))
            .collect()
    })
}

#[test]
fn stations_are_read_and_switched_side_by_side() {
    Stage::play(async |stage| {
        let radio = radio();
        let encrypt = |station: &mut StationConfig| *station = station.clone().encrypted();
        let setups = [
            setup(1, Model::AC300, |_| {}),
            setup(2, Model::AC180, encrypt),
            setup(3, Model::AC500, encrypt),
            setup(4, Model::EP2000, |_| {}),
        ];
        let mut sources = Vec::new();
        for setup in &setups {
            sources.push(Source::start(&stage, &radio, setup).await);
        }
        for (setup, source) in setups.iter().zip(&mut sources) {
            let reading = source.reading().await;
            let station = native(&reading);
            let serial = 2_237_000_000_000 + u64::from(setup.number);
            assert_eq!(station.serial_number, Some(serial));
            let encrypted = setup
                .peripheral
                .station
                .as_ref()
                .unwrap()
                .encryption
                .is_some();
            let security = match encrypted {
                true => Security::Encrypted,
                false => Security::Plain,
            };
            assert_eq!(station.security, security, "{}", station.model);
            // A pack of its own for each number, whatever was selected before.
            let packs: Vec<u8> = station.packs.iter().map(|(number, _)| *number).collect();
            let several = station.model != Model::AC180 && station.model != Model::EP2000;
            assert_eq!(packs, if several { vec![1, 2] } else { vec![1] });
            let told = station.packs().filter_map(|(_, pack)| pack.number());
            assert_eq!(told.collect::<Vec<_>>(), packs, "{}", station.model);
        }
        for (setup, source) in setups.iter().zip(&mut sources).take(3) {
            let model = native(&source.context.hub.snapshot().remove(0).reading.unwrap()).model;
            let control = model.control(bluetti_modbus::register::ControlId::AcOutput);
            let switch = control.unwrap().register();
            for on in [false, true] {
                let text = if on { "on" } else { "off" };
                source.tell("ac_output", text).await.unwrap();
                let real = register(&stage, setup.number, model.unit(), switch);
                assert_eq!(real, Some(u16::from(on)), "{model}");
                let known = source.context.hub.snapshot().remove(0);
                let told = known
                    .reading
                    .unwrap()
                    .values
                    .get(&metric::AC_OUTPUT_ON)
                    .cloned();
                assert_eq!(told, Some(on.into()), "{model}");
            }
            let writes = stage.bluez.with({
                let number = setup.number;
                move |service| service.peripheral(number).station().writes()
            });
            // Nothing was told twice; packs are selected, and the first one again.
            let selections = if model.packs().max() > 1 { 2 } else { 0 };
            assert_eq!(writes, 2 + selections, "{model}");
        }
        radio.close().await;
    });
}

#[test]
fn a_pack_that_does_not_show_hides_no_other() {
    Stage::play(async |stage| {
        let radio = radio();
        // It says that there are three, and shows two.
        let setup = setup(1, Model::AC300, |station| {
            let memory = station.units.get_mut(&1).unwrap();
            memory.registers.insert(91, 3);
            for pack in &mut station.packs {
                pack.insert(91, 3);
            }
        });
        let mut source = Source::start(&stage, &radio, &setup).await;
        let reading = source.reading().await;
        let station = native(&reading);
        let packs: Vec<u8> = station.packs.iter().map(|(number, _)| *number).collect();
        assert_eq!(packs, [1, 2]);
        assert!(station.packs_read_at.is_some());
        // The first one is selected again.
        assert_eq!(register(&stage, 1, 1, 96), Some(1));
        radio.close().await;
    });
}

#[test]
fn a_station_that_answers_under_number_0_only_is_found() {
    Stage::play(async |stage| {
        let radio = radio();
        let setup = setup(1, Model::AC180, |station| {
            let memory = station.units.remove(&1).unwrap();
            station.units.insert(0, memory);
            *station = station.clone().encrypted();
        });
        let mut source = Source::start(&stage, &radio, &setup).await;
        let reading = source.reading().await;
        assert_eq!(native(&reading).serial_number, Some(2_237_000_000_001));
        source.tell("ac_output", "off").await.unwrap();
        assert_eq!(register(&stage, 1, 0, 2011), Some(0));
        // The next link does not ask number 1 again.
        let writes = move |service: &mut crate::bluez::Service| {
            service.lose(1);
            service.peripheral(1).writes.clear();
        };
        stage.bluez.with(writes);
        source.tell("ac_output", "on").await.unwrap();
        assert_eq!(register(&stage, 1, 0, 2011), Some(1));
        radio.close().await;
    });
}

#[test]
fn a_link_that_is_lost_is_made_again() {
    Stage::play(async |stage| {
        let radio = radio();
        let setup = setup(1, Model::AC180, |station| {
            *station = station.clone().encrypted();
        });
        stage.bluez.add(setup.peripheral.clone());
        // In the handshake, after the challenge.
        let cut = |after| {
            let cut = move |service: &mut crate::bluez::Service| {
                service.peripheral(1).cut_after = Some(after);
            };
            stage.bluez.with(cut);
        };
        cut(1);
        let context = Context::brief(radio.clone()).await.unwrap();
        let once = source::bluetti::once(setup.config.clone(), context);
        let error = tokio::time::timeout(PATIENCE, once).await.unwrap();
        let error = error.unwrap_err().to_string();
        assert!(error.contains("the Bluetooth link was lost"), "{error}");

        // Again, with a source that goes on.
        cut(2);
        let mut source = Source::start(&stage, &radio, &setup).await;
        let first = source.reading().await;
        assert_eq!(native(&first).security, Security::Encrypted);
        let failed = source.context.stats.counts()["bluetti"].failures;
        assert_eq!(failed, 0, "failures are counted by the supervisor");

        // In the middle of a poll: nobody notices but the station.
        cut(1);
        source.tell("ac_output", "off").await.unwrap();
        assert_eq!(register(&stage, 1, 1, 2011), Some(0));
        let known = source.context.hub.snapshot().remove(0);
        assert_eq!(known.availability, Availability::Online);

        // While nothing is asked.
        stage.bluez.with(|service| service.lose(1));
        eventually("the link is gone", || {
            !stage.bluez.with(|service| service.is_connected(1))
        })
        .await;
        source.tell("ac_output", "on").await.unwrap();
        assert_eq!(register(&stage, 1, 1, 2011), Some(1));
        radio.close().await;
    });
}

/// So many requests a full poll takes, beside one for each field as other
/// programs send them.
#[test]
fn requests_of_a_full_poll_are_few() {
    Stage::play(async |stage| {
        let radio = radio();
        let models = [
            Model::AC300,
            Model::AC180,
            Model::EB3A,
            Model::AC60,
            Model::EL30V2,
            Model::EP600,
        ];
        for (number, model) in (1..).zip(models) {
            let setup = setup(number, model, |_| {});
            stage.bluez.add(setup.peripheral.clone());
            let context = Context::brief(radio.clone()).await.unwrap();
            let told = source::bluetti::measure(setup.config, context)
                .await
                .unwrap();
            let writes = stage
                .bluez
                .with(move |service| service.peripheral(number).writes.len());
            let all = [Group::Live, Group::Detail, Group::Slow, Group::Identity];
            let planned = |groups: &[Group]| model.plan(groups, ReadLimit::MAX).len();
            let fields = model.decode(&told.registers).count();
            let live = planned(&[Group::Live, Group::Detail]);
            println!(
                "{model}: {live} requests a poll, {} with settings and versions, of {fields} fields",
                planned(&all)
            );
            // Protocol version, name and serial number come first.
            assert_eq!(writes, 2 + planned(&all), "{model}");
            assert!(4 * live <= fields, "{model}");
        }
        radio.close().await;
    });
}

/// Reads under each fault, plain and encrypted, while every register changes
/// from one to the next.
#[test]
fn no_fault_makes_a_wrong_value() {
    const READS: usize = 20;
    Stage::play(async |stage| {
        let radio = radio();
        let kinds = faults();
        let both = [false, true].into_iter();
        let runs = both.flat_map(|encrypted| kinds.iter().map(move |fault| (encrypted, fault)));
        let mut tasks = Vec::new();
        for (number, (encrypted, (name, faults))) in (1..).zip(runs) {
            let setup = setup(number, Model::EB3A, |station| {
                if encrypted {
                    *station = station.clone().encrypted();
                }
                station.faults = faults.clone();
            });
            let source = Source::start(&stage, &radio, &setup).await;
            let name = format!("{name}{}", if encrypted { ", encrypted" } else { "" });
            tasks.push((name, number, source));
        }
        let stage = &stage;
        let runs = tasks.into_iter().map(|(name, number, source)| async move {
            let mut run = Run {
                stage,
                number,
                source,
                history: BTreeMap::new(),
                reads: 0,
                registers: 0,
            };
            let (mut done, mut failed) = (0, 0);
            run.source.reading().await;
            // Two reads for each command, if none fails.
            for generation in 1..=MOST_COMMANDS {
                if run.reads >= READS {
                    break;
                }
                run.age(generation);
                let lamp = if generation % 2 == 0 { "SOS" } else { "LOW" };
                match run.source.tell("led_mode", lamp).await {
                    Ok(()) => {
                        done += 1;
                        let wanted = if generation % 2 == 0 { 3 } else { 1 };
                        assert_eq!(register(stage, number, 1, LAMP), Some(wanted), "{name}");
                    }
                    Err(_) => failed += 1,
                }
                run.judge(&name);
            }
            println!(
                "{name}: {} reads of {} registers, {done} commands carried out, {failed} not",
                run.reads, run.registers
            );
            assert!(run.reads >= READS, "{name}: {} reads", run.reads);
            assert!(done >= failed, "{name}");
        });
        futures_util::future::join_all(runs).await;
        radio.close().await;
    });
}

/// Beyond that something is wrong.
const MOST_COMMANDS: u16 = 40;

/// The lamp of an EB3A.
const LAMP: u16 = 3034;

/// Registers that change from within.
fn changing() -> impl Iterator<Item = u16> {
    (36..=62).chain(70..=90)
}

/// One station, and what it had in its registers.
struct Run<'a> {
    stage: &'a Stage,
    number: u8,
    source: Source,
    /// Each value that a register had lately: an answer may belong to an earlier
    /// request for the same registers.
    history: BTreeMap<u16, Vec<u16>>,
    reads: usize,
    registers: usize,
}

/// So many of them lie within the time in which an answer may be late.
const LATE: usize = 3;

impl Run<'_> {
    /// Gives every register a value that neither it nor its neighbours had.
    fn age(&mut self, generation: u16) {
        let before = registers(self.stage, self.number, 1, changing().collect());
        let values: Vec<(u16, u16)> = changing()
            .map(|register| (register, register.wrapping_mul(101) + generation))
            .collect();
        for &(register, value) in &values {
            let known = self.history.entry(register).or_default();
            if known.is_empty() {
                known.extend(before[&register]);
            }
            known.push(value);
            let old = known.len().saturating_sub(LATE);
            known.drain(..old);
        }
        let number = self.number;
        self.stage.bluez.with(move |service| {
            let station = service.peripheral(number).station();
            for (register, value) in values {
                station.set_register(1, register, value);
            }
        });
    }

    /// Compares what was read since with what there was to read.
    fn judge(&mut self, name: &str) {
        for reading in self.source.readings() {
            self.reads += 1;
            let read = &native(&reading).registers;
            let numbers = read
                .runs()
                .flat_map(|(start, words)| (start..).take(words.len()));
            let there = registers(self.stage, self.number, 1, numbers.collect());
            for (start, words) in read.runs() {
                for (register, &word) in (start..).zip(words) {
                    self.registers += 1;
                    let real = there[&register];
                    let right = match self.history.get(&register) {
                        Some(values) => values.contains(&word),
                        None => register == LAMP || real == Some(word),
                    };
                    assert!(right, "{name}: register {register} is {real:?}, not {word}");
                }
            }
        }
    }
}

/// Each kind of fault on its own.
fn faults() -> Vec<(&'static str, Faults)> {
    let with = |change: fn(&mut Faults)| {
        let mut faults = Faults::default();
        change(&mut faults);
        faults
    };
    vec![
        ("drop", with(|of| of.drop = 0.1)),
        (
            "delay",
            with(|of| (of.delay, of.delay_up_to_ms) = (0.1, 3_000)),
        ),
        ("corrupt", with(|of| of.corrupt = 0.15)),
        ("split", with(|of| of.split = 1.0)),
        (
            "merge",
            with(|of| (of.merge, of.delay, of.delay_up_to_ms) = (1.0, 0.1, 1_000)),
        ),
        ("duplicate", with(|of| of.duplicate = 0.5)),
        ("wrong answer", with(|of| of.wrong_answer = 0.15)),
        ("busy", with(|of| of.busy = 0.2)),
        ("module restart", with(|of| of.module_restart = 0.02)),
        ("deaf at first", with(|of| of.deaf_requests = 1)),
        ("link loss", with(|of| of.link_loss_mean_ms = Some(15_000))),
    ]
}
