//! The client against simulated stations, on a paused clock.

mod support;

use std::time::Duration;

use bluetti_modbus::encryption::HandshakeError;
use bluetti_modbus::modbus::{ExceptionCode, UnitId};
use bluetti_modbus::model::{Model, Pack, Station};
use bluetti_modbus::register::{Block, ControlError, ControlId, Danger, Group, Setting, Write};
use bluetti_modbus::session::{Config, Security, SessionError};
use bluetti_modbus::simulator::{Faults, Memory, StationConfig};
use bluetti_modbus::{Client, Error, Transport};
use support::client;

/// Registers of a string, `swapped` as the second generation has them.
fn text(start: u16, text: &str, swapped: bool) -> Vec<(u16, u16)> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(12, 0);
    let words = bytes.chunks(2).map(|pair| match swapped {
        false => u16::from_be_bytes([pair[0], pair[1]]),
        true => u16::from_le_bytes([pair[0], pair[1]]),
    });
    (start..).zip(words).collect()
}

/// Blocks of an AC300, all zero but for these.
fn ac300() -> StationConfig {
    let mut memory = Memory {
        blocks: vec![(0, 70), (70, 21), (91, 119), (3000, 67)],
        ..Memory::default()
    };
    memory.registers.extend(text(10, "AC300", false));
    memory.registers.extend([
        (16, 1019),
        (17, 4711),
        (36, 312),
        (38, 148),
        (43, 87),
        (91, 2),
        (3007, 1),
        (3015, 20),
        (3016, 90),
        (3019, 5),
    ]);
    let pack = |soc: u16, cell: u16| {
        let cells = (105..121).map(move |register| (register, cell));
        [(98, 5321), (99, soc)].into_iter().chain(cells).collect()
    };
    StationConfig {
        units: [(1, memory)].into(),
        packs: vec![pack(87, 332), pack(85, 331)],
        commit_ms: 400,
        ..StationConfig::default()
    }
}

/// Blocks of an AP300, which answers on unit 0 only.
fn ap300() -> StationConfig {
    let mut memory = Memory {
        blocks: vec![
            (0, 21),
            (100, 67),
            (1100, 51),
            (1200, 90),
            (1300, 31),
            (1400, 48),
        ],
        ..Memory::default()
    };
    memory
        .blocks
        .extend([(1500, 30), (2000, 67), (2200, 29), (6000, 31), (6100, 100)]);
    memory.registers.extend(text(110, "AP300", true));
    memory
        .registers
        .extend([(16, 2005), (102, 64), (142, 250), (2011, 0)]);
    StationConfig {
        units: [(0, memory)].into(),
        commit_ms: 400,
        ..StationConfig::default()
    }
    .encrypted()
}

#[tokio::test(start_paused = true)]
async fn a_plain_station_is_identified_and_read() {
    let mut client = client(ac300());
    let identity = client.identify().await.unwrap();
    assert_eq!(identity.model, Model::AC300);
    assert_eq!(identity.device_type.as_deref(), Some("AC300"));
    assert_eq!(identity.serial_number, Some(4711));
    assert_eq!(identity.protocol_version, Some(1019));
    assert_eq!(client.security(), Security::Plain);

    let registers = client.read(&[Group::Live, Group::Slow]).await.unwrap();
    let station = Station::new(identity.model, &registers);
    assert_eq!(station.soc_percent(), Some(87));
    assert_eq!(station.dc_input_power_w(), Some(312));
    assert_eq!(station.ac_output_power_w(), Some(148));
    assert_eq!(station.ac_output_on(), Some(true));
    assert_eq!(station.battery_range_start_percent(), Some(20));
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_station_on_unit_0_is_read_and_switched() {
    let mut client = client(ap300());
    let identity = client.identify().await.unwrap();
    assert_eq!(
        (identity.model, identity.unit),
        (Model::AP300, UnitId::HOST)
    );
    assert_eq!(client.security(), Security::Encrypted);
    let registers = client.read(&[Group::Live]).await.unwrap();
    let station = Station::new(identity.model, &registers);
    assert_eq!(station.soc_percent(), Some(64));
    assert_eq!(station.ac_output_on(), Some(false));

    let on = Setting::Switch(true);
    client.set(ControlId::AcOutput, &on).await.unwrap();
    assert_eq!(client.transport_mut().station.register(0, 2011), Some(1));
    assert!(client.transport_mut().station.in_session());
    assert_eq!(client.counters().link.handshakes, 1);
}

#[tokio::test(start_paused = true)]
async fn small_packets_are_no_obstacle_to_a_handshake() {
    for chunk_len in [1, 7, 20, 244] {
        let mut client = client(StationConfig {
            chunk_len,
            ..ap300()
        });
        assert_eq!(client.identify().await.unwrap().model, Model::AP300);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_end_with_the_link() {
    let mut client = client(ap300());
    client.identify().await.unwrap();
    client.disconnected();
    assert_eq!(client.security(), Security::Unknown);
    client.transport_mut().reconnect();
    client.reconnected();
    assert_eq!(client.read_registers(16, 1).await.unwrap(), [2005]);
    assert_eq!(client.counters().link.handshakes, 2);
}

#[tokio::test(start_paused = true)]
async fn an_impostor_is_found_out() {
    // The simulated station does not have the key of real ones.
    let link = client(ap300()).into_transport();
    let mut client = Client::with_config(link, Config::default());
    let error = client.read_registers(102, 1).await.unwrap_err();
    let invalid = SessionError::Handshake(HandshakeError::InvalidSignature);
    assert!(
        matches!(&error, Error::Session(error) if *error == invalid),
        "{error}"
    );
    assert!(error.needs_reconnect());
}

#[tokio::test(start_paused = true)]
async fn a_station_that_changes_its_mind_is_followed() {
    // Plain for an old firmware, encrypted after an update: same name, same model.
    for config in [ac300(), ac300().encrypted()] {
        let encrypted = config.encryption.is_some();
        let mut client = client(config);
        assert_eq!(client.identify().await.unwrap().model, Model::AC300);
        assert_eq!(client.security() == Security::Encrypted, encrypted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_asked_for_once() {
    let mut config = ac300();
    config.units.get_mut(&1).unwrap().blocks = vec![(0, 44), (91, 119)];
    let mut client = client(config);
    let blocks = [Block::new(10, 40), Block::new(70, 21)];
    let registers = client.read_blocks(&blocks).await.unwrap();
    assert_eq!(registers.len(), 34);
    let before = client.counters().requests;
    assert_eq!(client.read_blocks(&blocks).await.unwrap(), registers);
    assert_eq!(client.counters().requests - before, 1);
    assert!(client.refusals(UnitId::DEFAULT).unwrap().is_refused(44));
}

#[tokio::test(start_paused = true)]
async fn packs_are_told_apart_by_their_echo() {
    let mut client = client(ac300());
    let packs = client.read_packs(2).await.unwrap();
    let model = client.model().unwrap();
    let socs: Vec<_> = packs
        .iter()
        .map(|(number, registers)| {
            let pack = Pack::new(model, registers);
            (*number, pack.soc_percent(), pack.cell_voltages_mv()[0])
        })
        .collect();
    assert_eq!(socs, [(1, Some(87), 3320), (2, Some(85), 3310)]);
    let shown = client.transport_mut().station.register(1, 96);
    assert_eq!(shown, Some(1), "the first pack is selected again");
    let none = client.read_pack(9).await.unwrap_err();
    assert!(matches!(none, Error::NoSuchPack { number: 9 }));
}

#[tokio::test(start_paused = true)]
async fn a_pack_that_never_shows_is_an_error() {
    let mut client = client(StationConfig {
        pack_switch_ms: 60_000,
        ..ac300()
    });
    let error = client.read_pack(2).await.unwrap_err();
    assert!(
        matches!(error, Error::PackNotShown { number: 2 }),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn controls_are_checked_sent_and_read_back() {
    let mut client = client(ac300());
    let off = Setting::Switch(false);
    client.set(ControlId::AcOutput, &off).await.unwrap();
    let low = |percent| Setting::Number(percent);
    client.set(ControlId::SocLow, &low(30)).await.unwrap();
    let station = &client.transport_mut().station;
    assert_eq!(station.register(1, 3007), Some(0));
    assert_eq!(station.register(1, 3015), Some(30));

    let writes = client.counters().requests;
    let error = client.set(ControlId::SocLow, &low(101)).await.unwrap_err();
    assert!(matches!(
        error,
        Error::InvalidValue(ControlError::OutOfRange { .. })
    ));
    // The upper end stands at 90.
    let error = client.set(ControlId::SocLow, &low(95)).await.unwrap_err();
    assert!(matches!(
        error,
        Error::InvalidValue(ControlError::EmptyRange(_))
    ));
    assert!(
        client.counters().requests <= writes + 2,
        "nothing was written"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_without_effect_is_an_error() {
    let mut client = client(StationConfig {
        commit_ms: 10_000,
        ..ac300()
    });
    let error = client
        .set(ControlId::AcOutput, &Setting::Switch(false))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotEffective { register: 3007 }),
        "{error}"
    );
    assert!(!error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn dangerous_registers_are_out_of_reach() {
    let mut client = client(ac300());
    client.identify().await.unwrap();
    let before = client.counters().requests;
    let reset = Write::one(3062, 1);
    for named in [None, Some(Danger::FactoryReset), Some(Danger::GridCode)] {
        let error = client.write_registers(&reset, named).await.unwrap_err();
        assert!(
            matches!(error, Error::Guarded { register: 3062, .. }),
            "{error}"
        );
    }
    let split = Write::one(3004, 1);
    let error = client.write_registers(&split, None).await.unwrap_err();
    assert!(matches!(
        error,
        Error::Guarded {
            danger: Danger::SplitPhase,
            ..
        }
    ));
    assert_eq!(client.counters().requests, before, "nothing was sent");
    let named = Some(Danger::SplitPhase);
    client.write_registers(&split, named).await.unwrap();
    let harmless = Write::one(3061, 5);
    client.write_registers(&harmless, None).await.unwrap();
    assert_eq!(client.transport_mut().station.register(1, 3061), Some(5));
}

#[tokio::test(start_paused = true)]
async fn a_lost_write_is_not_repeated() {
    let mut client = client(StationConfig {
        faults: Faults {
            deaf_requests: 1,
            ..Faults::default()
        },
        ..ac300()
    })
    .with_model(Model::AC300);
    let error = client
        .set(ControlId::AcOutput, &Setting::Switch(false))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::MaybeSent(_)), "{error}");
    assert_eq!(client.transport_mut().station.register(1, 3007), Some(1));
}

#[tokio::test(start_paused = true)]
async fn refusals_bear_the_stations_reason() {
    let mut client = client(ac300());
    let error = client.read_registers(12_002, 16).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Refused {
                unit: UnitId(1),
                register: 12_002,
                code: ExceptionCode::IllegalDataAddress
            }
        ),
        "{error}"
    );
    assert!(!error.is_retryable() && !error.needs_reconnect());
    assert!(matches!(
        client.read_registers(0, 126).await,
        Err(Error::InvalidRequest(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_module_ends_the_link() {
    let mut client = client(StationConfig {
        faults: Faults {
            module_restart: 1.0,
            ..Faults::default()
        },
        ..ac300()
    });
    let error = client.read_registers(16, 1).await.unwrap_err();
    let restarted = SessionError::ModuleRestarted;
    assert!(matches!(&error, Error::Session(error) if *error == restarted));
    assert!(error.needs_reconnect());
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_do_not_spoil_the_next() {
    for config in [ac300(), ac300().encrypted()] {
        let mut client = client(config);
        client.identify().await.unwrap();
        for patience_ms in (0..400).step_by(10) {
            let patience = Duration::from_millis(patience_ms);
            let _ = tokio::time::timeout(patience, client.read_registers(10, 40)).await;
            let words = client.read_registers(3000, 40).await.unwrap();
            assert_eq!((words[7], words[15], words[16]), (1, 20, 90));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn challenges_are_answered_while_idle() {
    let mut config = ap300();
    if let Some(encryption) = &mut config.encryption {
        encryption.inner_challenge_every = Some(4);
    }
    let mut client = client(config);
    client.identify().await.unwrap();
    for _ in 0..20 {
        let idle = Duration::from_secs(20);
        let ended = tokio::time::timeout(idle, client.idle()).await;
        assert!(ended.is_err(), "the link holds");
        assert_eq!(client.read_registers(102, 1).await.unwrap(), [64]);
    }
    assert!(client.counters().link.inner_challenges > 0);
    assert_eq!(client.counters().link.handshakes, 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_names_get_the_generic_map() {
    for (version, name, model) in [
        (1017, "AC999", Model::GENERIC_V1),
        (2010, "EL999", Model::GENERIC_V2),
    ] {
        let start = if version < 2000 { 10 } else { 110 };
        let mut memory = Memory {
            blocks: vec![(0, 90), (100, 60)],
            ..Memory::default()
        };
        memory.registers.extend(text(start, name, version >= 2000));
        memory
            .registers
            .extend([(16, version), (43, 55), (102, 55)]);
        let mut client = client(StationConfig {
            units: [(1, memory)].into(),
            ..StationConfig::default()
        });
        let identity = client.identify().await.unwrap();
        assert_eq!(identity.model, model);
        assert_eq!(identity.device_type.as_deref(), Some(name));
        let registers = client.read(&[Group::Live]).await.unwrap();
        assert_eq!(Station::new(model, &registers).soc_percent(), Some(55));
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_was_told_stays() {
    // A device without any of the pages that tell.
    let registers = (15_500..15_600).map(|register| (register, 1));
    let config = StationConfig::with_registers(registers);
    let unknown = client(config.clone()).identify().await.unwrap_err();
    assert!(matches!(unknown, Error::UnknownModel), "{unknown}");
    let mut client = client(config).with_model(Model::CHARGER_2);
    let identity = client.identify().await.unwrap();
    assert_eq!(
        (identity.model, identity.device_type),
        (Model::CHARGER_2, None)
    );
    let registers = client.read(&[Group::Live]).await.unwrap();
    let charger = Station::new(Model::CHARGER_2, &registers);
    assert_eq!(charger.soc_percent(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn futures_can_move_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn transport<T: Transport>(mut client: Client<T>) -> impl Future + Send {
        async move {
            client.read_packs(2).await?;
            client
                .set(ControlId::AcOutput, &Setting::Switch(true))
                .await
        }
    }
    drop(is_send(transport(client(ac300()))));
}
