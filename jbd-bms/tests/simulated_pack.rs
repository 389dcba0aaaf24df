//! The client against the simulated pack, on a paused clock.

mod support;

use jbd_bms::simulator::{Access, Faults, PackConfig};
use jbd_bms::{Client, Error, MacAddress, Status, Transport};
use support::SimulatedLink;

fn client(config: PackConfig) -> Client<SimulatedLink> {
    Client::new(SimulatedLink::connected(config, 1))
}

#[tokio::test(start_paused = true)]
async fn reads_what_the_pack_measures() {
    let mut client = client(PackConfig::default());
    let info = client.basic_info().await.unwrap();
    let cells = client.cell_voltages().await.unwrap();
    let name = client.hardware_name().await.unwrap();

    let truth = &client.transport_mut().truths[0];
    assert_eq!(info.pack_voltage_mv, truth.pack_voltage_mv);
    assert_eq!(info.current_ma, truth.current_ma);
    assert_eq!(info.remaining_capacity_mah, 70_000);
    assert_eq!(info.nominal_capacity_mah, 100_000);
    assert_eq!(info.soc_percent, 70);
    assert_eq!(info.cell_count, 4);
    assert_eq!(info.production_date.unwrap().to_string(), "2024-05-06");
    assert_eq!(info.software_version.to_string(), "2.1");
    assert_eq!(info.temperatures_deci_c, [Some(210), Some(206)]);
    assert!(info.mosfets.charge_on() && info.mosfets.discharge_on());
    assert_eq!(cells.cell_voltages_mv, truth.cell_voltages_mv);
    assert_eq!(name.as_deref(), Some("JBD-SIM-4S-100A"));
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_board_is_asked_again() {
    for asleep_requests in 1..=2 {
        let mut client = client(PackConfig {
            faults: Faults {
                asleep_requests,
                ..Faults::default()
            },
            ..PackConfig::default()
        });
        client.basic_info().await.unwrap();
        assert_eq!(
            client.counters().repeated_requests,
            u64::from(asleep_requests)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_sleeping_board_wakes_it_with_a_read() {
    let mut client = client(PackConfig {
        faults: Faults {
            asleep_requests: 1,
            ..Faults::default()
        },
        ..PackConfig::default()
    });
    let mosfets = client.set_mosfets(false, true).await.unwrap();
    assert!(!mosfets.charge_on() && mosfets.discharge_on());
}

#[tokio::test(start_paused = true)]
async fn mosfets_follow_on_old_and_new_boards() {
    for classic_mosfet_control in [true, false] {
        let mut client = client(PackConfig {
            classic_mosfet_control,
            ..PackConfig::default()
        });
        for (charge_on, discharge_on) in
            [(false, true), (true, false), (false, false), (true, true)]
        {
            let mosfets = client.set_mosfets(charge_on, discharge_on).await.unwrap();
            assert_eq!(
                (mosfets.charge_on(), mosfets.discharge_on()),
                (charge_on, discharge_on)
            );
            let locked = client.basic_info().await.unwrap().protection;
            assert_eq!(locked.is_empty(), charge_on && discharge_on);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_mosfet_is_switched_without_touching_the_other() {
    let mut client = client(PackConfig::default());
    let mosfets = client.set_charge_mosfet(false).await.unwrap();
    assert!(!mosfets.charge_on() && mosfets.discharge_on());
    let mosfets = client.set_discharge_mosfet(false).await.unwrap();
    assert!(!mosfets.charge_on() && !mosfets.discharge_on());
    let mosfets = client.set_charge_mosfet(true).await.unwrap();
    assert!(mosfets.charge_on() && !mosfets.discharge_on());
}

#[tokio::test(start_paused = true)]
async fn a_protection_is_not_made_a_lock() {
    let cell_overvoltage = 1;
    let mut client = client(PackConfig {
        forced_protection: cell_overvoltage,
        ..PackConfig::default()
    });
    client.set_discharge_mosfet(false).await.unwrap();
    client.set_discharge_mosfet(true).await.unwrap();
    let protection = client.basic_info().await.unwrap().protection;
    assert_eq!(protection.bits(), cell_overvoltage, "no lock is left");
    let held = client.set_charge_mosfet(true).await.unwrap_err();
    assert!(
        matches!(held, Error::NotEffective { register: 0xE1 }),
        "{held}"
    );
}

/// A new client, as after a link that was lost.
#[tokio::test(start_paused = true)]
async fn a_protection_is_not_made_a_lock_by_a_client_that_knows_nothing() {
    for (forced, charge) in [(1_u16, false), (1 << 1, true)] {
        let mut first = client(PackConfig {
            forced_protection: forced,
            ..PackConfig::default()
        });
        let switch = async |client: &mut Client<_>, on| match charge {
            true => client.set_charge_mosfet(on).await,
            false => client.set_discharge_mosfet(on).await,
        };
        switch(&mut first, false).await.unwrap();
        let mut second = Client::new(first.into_transport());
        switch(&mut second, true).await.unwrap();
        let protection = second.basic_info().await.unwrap().protection;
        assert_eq!(protection.bits(), forced, "no lock is left");
    }
}

/// Both off by request, and one of them held off by a protection besides.
#[tokio::test(start_paused = true)]
async fn what_an_earlier_client_switched_off_stays_off_if_it_is_told() {
    let mut first = client(PackConfig {
        forced_protection: 1,
        ..PackConfig::default()
    });
    first.set_mosfets(false, false).await.unwrap();
    let released = first.released();
    assert_eq!(released, Some((false, false)));
    let mut second = Client::new(first.into_transport()).with_released(released);
    second.set_discharge_mosfet(true).await.unwrap();
    assert_eq!(second.released(), Some((false, true)));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_hardware_name_is_none() {
    let mut client = client(PackConfig {
        hardware_name: None,
        ..PackConfig::default()
    });
    assert_eq!(client.hardware_name().await.unwrap(), None);
    client.basic_info().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_echo_asks_for_pairing() {
    let mut client = client(PackConfig {
        access: Access::Pairing,
        ..PackConfig::default()
    });
    let error = client.basic_info().await.unwrap_err();
    assert!(error.needs_pairing(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_module_with_a_password_is_logged_in_to() {
    let config = |password_is_key| PackConfig {
        access: Access::ModuleLogin {
            password: Some("abc123".into()),
            password_is_key,
        },
        ..PackConfig::default()
    };
    let address = MacAddress::new(PackConfig::default().address);
    for password_is_key in [false, true] {
        let mut right = client(config(password_is_key))
            .with_password("abc123")
            .with_address(address);
        right.basic_info().await.unwrap();

        let mut wrong = client(config(password_is_key))
            .with_password("abc124")
            .with_address(address);
        assert!(matches!(
            wrong.basic_info().await,
            Err(Error::PasswordRejected)
        ));

        let mut without = client(config(password_is_key));
        assert!(matches!(
            without.basic_info().await,
            Err(Error::PasswordNeeded)
        ));
    }
    let mut nameless = client(config(false)).with_password("abc123");
    assert!(matches!(
        nameless.basic_info().await,
        Err(Error::AddressNeeded)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_module_without_a_password_needs_nothing() {
    let mut client = client(PackConfig {
        access: Access::ModuleLogin {
            password: None,
            password_is_key: false,
        },
        ..PackConfig::default()
    });
    client.basic_info().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_board_password_is_used_when_a_write_is_refused() {
    let config = PackConfig {
        access: Access::BoardPassword("765828".into()),
        ..PackConfig::default()
    };
    let mut without = client(config.clone());
    without.basic_info().await.unwrap();
    let refused = without.set_mosfets(false, true).await.unwrap_err();
    assert!(matches!(
        refused,
        Error::Refused {
            register: 0xE1,
            status: Status::NotAllowed
        }
    ));

    let mut wrong = client(config.clone()).with_password("111111");
    assert!(matches!(
        wrong.set_mosfets(false, true).await,
        Err(Error::PasswordRejected)
    ));

    let mut right = client(config).with_password("765828");
    right.set_mosfets(false, true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_device_is_identified_by_its_answer() {
    assert!(client(PackConfig::default()).identify().await.unwrap());
    let paired_only = PackConfig {
        access: Access::Pairing,
        ..PackConfig::default()
    };
    assert!(client(paired_only).identify().await.unwrap());
    let silent = PackConfig {
        faults: Faults {
            drop: 1.0,
            ..Faults::default()
        },
        chunk_len: 100,
        ..PackConfig::default()
    };
    assert!(!client(silent).identify().await.unwrap());
}

/// Every field of an answer belongs to one moment, and every call ends in time,
/// whatever happens to the link.
#[tokio::test(start_paused = true)]
async fn a_thousand_reads_on_a_bad_link_with_a_login() {
    let config = PackConfig {
        access: Access::ModuleLogin {
            password: Some("abc123".into()),
            password_is_key: false,
        },
        faults: Faults {
            drop: 0.1,
            delay: 0.1,
            delay_up_to_ms: 1_500,
            corrupt: 0.1,
            split: 0.5,
            duplicate: 0.1,
            wrong_answer: 0.1,
            asleep_requests: 1,
            link_loss_mean_ms: Some(60_000),
        },
        ..PackConfig::default()
    };
    let address = MacAddress::new(config.address);
    let mut client = client(config).with_password("abc123").with_address(address);
    let mut answered = 0;
    for _ in 0..1000 {
        let started = tokio::time::Instant::now();
        let outcome = client.basic_info().await;
        assert!(started.elapsed().as_secs() < 20, "{outcome:?}");
        match outcome {
            Ok(info) => {
                answered += 1;
                let truths = &client.transport_mut().truths;
                let is_true = truths.iter().rev().take(20).any(|truth| {
                    truth.pack_voltage_mv == info.pack_voltage_mv
                        && truth.current_ma == info.current_ma
                        && truth.remaining_capacity_mah == info.remaining_capacity_mah
                });
                assert!(is_true, "{info:?}");
            }
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        if !client.transport_mut().pack.is_connected() {
            client.transport_mut().reconnect();
            client.reconnected();
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    println!("{answered} of 1000 reads answered, {:?}", client.counters());
    assert!(answered > 900, "{answered}");
}

/// A link that never takes what is sent and a device that never stops talking.
struct Stuck {
    send_hangs: bool,
}

impl Transport for Stuck {
    async fn send(&mut self, _: &[u8]) -> std::io::Result<()> {
        match self.send_hangs {
            true => std::future::pending().await,
            false => Ok(()),
        }
    }

    async fn recv(&mut self) -> std::io::Result<Vec<u8>> {
        if self.send_hangs {
            return std::future::pending().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(vec![0xDD; 20])
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_holds_a_call_beyond_its_limit() {
    for send_hangs in [true, false] {
        let started = tokio::time::Instant::now();
        let error = Client::new(Stuck { send_hangs })
            .basic_info()
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::MaybeSent(_) | Error::TimedOut { .. }),
            "{error}"
        );
        assert!(started.elapsed().as_secs() < 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_read_leaves_nothing_for_the_next() {
    let mut client = client(PackConfig::default());
    client.basic_info().await.unwrap();
    for wait_ms in 0..150 {
        let limit = std::time::Duration::from_millis(wait_ms);
        let dropped = tokio::time::timeout(limit, client.basic_info()).await;
        let cells = client.cell_voltages().await.unwrap();
        assert_eq!(cells.cell_voltages_mv.len(), 4, "{dropped:?}");
    }
    assert_eq!(client.counters().repeated_requests, 0);
}

#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let mut client = Client::new(Stuck { send_hangs: true });
    is_send(client.basic_info());
    is_send(client.set_mosfets(true, true));
    is_send(client.backup());
    let set = jbd_bms::parameters::ParameterSet::new();
    is_send(client.restore(&set, jbd_bms::WriteOptions::default()));
    is_send(client.set_remaining_capacity(1));
    is_send(client.change_password("123456"));
}
