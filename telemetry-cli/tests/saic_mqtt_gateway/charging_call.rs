//! A car that says how it is, and nothing about charging.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use saic_ismart::simulator::Activity;
use telemetry_cli::cloud::Cloud as _;
use tokio::net::TcpListener;

use super::{Counting, Program, Simulated, car};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

/// The cloud, but it never answers the question for charging data.
async fn silent_about_charging(cloud: Arc<Mutex<Counting>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer = move |request: Request<Body>| async move {
        let (head, body) = request.into_parts();
        if head.uri.path().ends_with("/charging/mgmtData") {
            pending::<()>().await;
        }
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let answer = cloud
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(&head, &body);
        let mut response = Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(answer.body)).expect("a response")
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charging_call_that_hangs_holds_up_nothing() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let address = silent_about_charging(cloud.cloud.clone()).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program {
        uri: format!("http://{address}/api.app/v1/"),
        ..Program::new(&cloud, &format!("tcp://{}", broker.address()))
    };
    // The network itself is patient.
    let running = program.start(&["--saic-read-timeout", "600"]);
    watcher.wait_for(&car("available"), "online").await;
    watcher.wait_for(&car("refresh/freshness"), "live").await;
    watcher
        .wait_for(&car("refresh/reachability"), "awake")
        .await;
    let place = |topic: &str| {
        let topic = car(topic);
        watcher.log.iter().position(|(one, ..)| *one == topic)
    };
    // The status does not even wait for it.
    let mileage = place("drivetrain/mileage").expect("the mileage");
    assert!(mileage < place("refresh/lastVehicleState").expect("the end of the poll"));
    for unknown in [
        "drivetrain/charging",
        "refresh/lastChargeState",
        "refresh/lastError",
    ] {
        assert_eq!(place(unknown), None, "{unknown}");
    }
    assert!(running.stop().success());
}
