//! A BMW on CarData and a MINI on MyBMW, each in a cloud of its own.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bimmer::Pkce;
use bimmer::cardata::device_flow::{Pending, Step, start_request};
use bimmer::cardata::{ClientId, Hosts};
use bimmer::simulator::Car;
use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::INTERVAL;
use crate::cloud::bmw::{CAPTCHA_TOKEN, CLIENT_ID, CarData, MyBmw, PASSWORD, Stream, USER, cars};
use crate::cloud::{Cloud, Server};
use crate::config::{Bmw, BmwApi, Secret};
use crate::exit::{Code, Failure};

/// The same in each run.
const SEED: u64 = 1;

/// Serves both clouds until `shutdown`; the accounts of their owners.
///
/// # Errors
/// If they cannot listen on this computer.
pub(super) async fn start(shutdown: &CancellationToken) -> Result<Vec<Bmw>, Failure> {
    let (minis, bmws): (Vec<Car>, Vec<Car>) =
        cars().into_iter().partition(|car| car.brand == "MINI");
    let bmws = bmws.into_iter().take(1).collect();
    let app = serve(MyBmw::with_cars(minis, SEED), shutdown).await?;
    let mut cloud = CarData::with_cars(bmws, SEED);
    let refresh_token = log_in(&mut cloud)?;
    let cloud = Arc::new(Mutex::new(cloud));
    let stream = Stream::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let stream = stream.map_err(|error| silent(&error))?;
    let stream_url = format!("tcp://{}", stream.local_addr());
    tokio::spawn(stream.run(cloud.clone(), shutdown.clone()));
    let official = serve_shared(cloud, shutdown).await?;
    Ok(vec![
        Bmw {
            client_id: Some(CLIENT_ID.to_owned()),
            auth_url: Some(official.clone()),
            api_url: Some(official),
            stream_url: Some(stream_url),
            refresh_token: Some(refresh_token),
            ..Bmw::default()
        },
        Bmw {
            api: BmwApi::MyBmw,
            user: Some(USER.to_owned()),
            password: Some(PASSWORD.to_owned().into()),
            api_url: Some(app),
            captcha_token: Some(format!("{CAPTCHA_TOKEN}demo").into()),
            interval: INTERVAL,
            parked_interval: INTERVAL,
            ..Bmw::default()
        },
    ])
}

/// What a user does once, with link and code: in here it takes no time.
fn log_in(cloud: &mut CarData) -> Result<Secret, Failure> {
    let failed = |what: String| Failure::new(Code::Internal, format!("the demo's login: {what}"));
    let id = ClientId::new(CLIENT_ID).map_err(|error| failed(error.to_string()))?;
    let hosts = Hosts::default();
    // Its secrets are worth nothing.
    let pkce = Pkce::from_random(&[SEED as u8; 64]);
    let now = Utc::now();
    let begun = cloud.cloud.handle(&start_request(&hosts, &id, &pkce), now);
    let begun = Pending::started(&begun, pkce, now);
    let mut pending = begun.map_err(|error| failed(error.to_string()))?;
    cloud.cloud.confirm(&pending.user_code);
    let answer = cloud.cloud.handle(&pending.poll_request(&hosts, &id), now);
    match pending.judge(Ok(&answer), now) {
        Step::Done(token) => Ok(token.refresh_token.expose().to_owned().into()),
        other => Err(failed(format!("{other:?}"))),
    }
}

async fn serve<C: Cloud>(cloud: C, shutdown: &CancellationToken) -> Result<String, Failure> {
    serve_shared(Arc::new(Mutex::new(cloud)), shutdown).await
}

async fn serve_shared<C: Cloud>(
    cloud: Arc<Mutex<C>>,
    shutdown: &CancellationToken,
) -> Result<String, Failure> {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let server = server.map_err(|error| silent(&error))?;
    let url = format!("http://{}", server.local_addr());
    tokio::spawn(server.run(cloud, shutdown.clone()));
    Ok(url)
}

fn silent(error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Backend,
        format!("the demo's cloud cannot listen: {error}"),
    )
}
