//! The client against the simulated pack, on a paused clock.

mod support;

use jbd_bms::simulator::{Access, Faults, PackConfig};
use jbd_bms::{Client, Error, MacAddress, Status};
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
