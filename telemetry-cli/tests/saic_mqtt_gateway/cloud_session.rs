//! One account, one session: the phone and the gateway.

use std::time::Duration;

use saic_ismart::simulator::Activity;

use super::{LWT, Program, Simulated, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_keeps_the_account_until_somebody_wants_something() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--messages-request-interval", "1"]);
    watcher.wait_for(&car("available"), "online").await;
    assert_eq!(cloud.logins(), 1);

    cloud.log_in_elsewhere();
    // Looks for messages find out, and leave it at that.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(cloud.logins(), 1);

    assert_eq!(tell(&mut watcher, "doors/locked", "True").await, "Success");
    assert_eq!(cloud.logins(), 2);

    cloud.log_in_elsewhere();
    watcher.last.remove(&car("refresh/lastVehicleState"));
    assert_eq!(tell(&mut watcher, "refresh/mode", "force").await, "Success");
    watcher
        .wait_until("a poll", |watcher| {
            watcher.last.contains_key(&car("refresh/lastVehicleState"))
        })
        .await;
    assert_eq!(cloud.logins(), 3);
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_phone_interrupts_is_carried_out_once() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher.wait_for(&car("available"), "online").await;
    assert_eq!(tell(&mut watcher, "refresh/mode", "off").await, "Success");
    let (logins, calls) = (cloud.logins(), cloud.live_calls());

    let result = car("doors/locked/result");
    watcher
        .publish(&car("doors/locked/set"), "False", false)
        .await;
    // The cloud has it, the car has not answered yet.
    while cloud.live_calls() == calls {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cloud.log_in_elsewhere();
    watcher
        .wait_until("a result", |watcher| watcher.last.contains_key(&result))
        .await;
    assert_eq!(watcher.last[&result], "Success");
    assert_eq!(cloud.logins(), logins + 1);
    watcher.wait_for(&car("doors/locked"), "False").await;
    // The command, and the two calls of the poll that follows it.
    while cloud.live_calls() < calls + 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    watcher.wait_for(&car("refresh/mode"), "off").await;
    assert!(running.stop().success());
    assert_eq!(cloud.live_calls(), calls + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["-p", "wrong", "--messages-request-interval", "1"]);
    let error = "saic/demo@example.com/account/lastLoginError";
    watcher
        .wait_until("a login error", |watcher| watcher.last.contains_key(error))
        .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(cloud.requests(), 1, "five wrong passwords lock an account");
    // It waits for the user, and says goodbye.
    assert!(running.stop().success());
    watcher.wait_for(LWT, "offline").await;
    assert_eq!(cloud.logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_does_not_take_the_account_back() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let flags = [
        "--messages-request-interval",
        "1",
        "--saic-relogin-delay",
        "20",
    ];
    let running = program.start(&flags);
    watcher.wait_for(&car("available"), "online").await;
    cloud.log_in_elsewhere();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(running.stop().success());

    let login = "saic/demo@example.com/account/lastLogin";
    let first = watcher.last[login].clone();
    let running = program.start(&flags);
    watcher.wait_for(LWT, "online").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cloud.logins(), 1);
    watcher
        .wait_until("a login after the delay", |watcher| {
            watcher.last[login] != first
        })
        .await;
    assert_eq!(cloud.logins(), 2);
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_counts_while_the_account_is_left_alone_after_a_restart() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let flags = ["--messages-request-interval", "1"];
    let running = program.start(&flags);
    watcher.wait_for(&car("available"), "online").await;
    cloud.log_in_elsewhere();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(running.stop().success());

    // For a quarter of an hour.
    watcher.last.clear();
    let running = program.start(&flags);
    watcher.wait_for(&car("info/series"), "EH32 S").await;
    let (requests, calls) = (cloud.requests(), cloud.live_calls());
    assert_eq!(
        tell(&mut watcher, "refresh/period/inActive", "7200").await,
        "Success"
    );
    // Nobody has asked for the cloud.
    assert_eq!((cloud.logins(), cloud.requests()), (1, requests));
    watcher.last.remove(&car("refresh/lastVehicleState"));
    assert_eq!(tell(&mut watcher, "doors/locked", "True").await, "Success");
    watcher
        .wait_until("a poll", |watcher| {
            watcher.last.contains_key(&car("refresh/lastVehicleState"))
        })
        .await;
    assert_eq!(cloud.logins(), 2);
    assert!(cloud.live_calls() > calls);
    assert!(running.stop().success());
}
