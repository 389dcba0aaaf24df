use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{ended, in_use, say, serve};
use crate::cli::SimulateArgs;
use crate::cloud::Server;
use crate::cloud::bmw::{CAPTCHA_TOKEN, CLIENT_ID, CarData, MyBmw, PASSWORD, Stream, USER};
use crate::exit::Failure;
use crate::shutdown;

/// `simulate bmw`
pub(super) async fn mybmw(args: &SimulateArgs) -> Result<(), Failure> {
    serve(args, MyBmw::new(args.seed), |address| {
        json!({
            "base_url": format!("http://{address}"),
            "user": USER,
            "password": PASSWORD,
            "captcha_token": CAPTCHA_TOKEN,
        })
    })
    .await
}

/// `simulate cardata`
pub(super) async fn cardata(args: &SimulateArgs) -> Result<(), Failure> {
    let shutdown = shutdown::on_signal();
    let server = Server::bind(args.listen);
    let server = server.await.map_err(|error| in_use(args.listen, &error))?;
    // On the same address, on a port of its own.
    let beside = SocketAddr::new(args.listen.ip(), 0);
    let stream = Stream::bind(beside).await;
    let stream = stream.map_err(|error| in_use(beside, &error))?;
    let cloud = Arc::new(Mutex::new(CarData::new(args.seed)));
    say(&json!({
        "base_url": format!("http://{}", server.local_addr()),
        "mqtt": format!("tcp://{}", stream.local_addr()),
        "client_id": CLIENT_ID,
    }))?;
    let served = tokio::join!(
        server.run(cloud.clone(), shutdown.clone()),
        stream.run(cloud, shutdown),
    );
    served.0.map_err(|error| ended(&error))
}
