//! `telemetry simulate`: a simulated cloud as a server, for other people's
//! clients and tests.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{BRIEF, start_log};
use crate::cli::{LogArgs, SimulateArgs, SimulateCommand};
use crate::cloud::{Cloud, Server};
use crate::exit::{Code, Failure};
use crate::shutdown;

mod bmw;
mod saic;

/// `simulate KIND`
///
/// # Errors
/// If the address cannot be listened on.
pub async fn run(command: &SimulateCommand, log: &LogArgs) -> Result<(), Failure> {
    start_log(log, BRIEF)?;
    match command {
        SimulateCommand::Saic(args) => saic::simulate(args).await,
        SimulateCommand::Bmw(args) => bmw::mybmw(args).await,
        SimulateCommand::CarData(args) => bmw::cardata(args).await,
    }
}

/// Serves `cloud` until a signal comes. What `ready` says of it at its address
/// is the only line on stdout.
async fn serve<C: Cloud>(
    args: &SimulateArgs,
    cloud: C,
    ready: impl FnOnce(SocketAddr) -> Value,
) -> Result<(), Failure> {
    let shutdown = shutdown::on_signal();
    let server = Server::bind(args.listen);
    let server = server.await.map_err(|error| in_use(args.listen, &error))?;
    say(&ready(server.local_addr()))?;
    let served = server.run(Arc::new(Mutex::new(cloud)), shutdown).await;
    served.map_err(|error| ended(&error))
}

fn in_use(address: SocketAddr, error: &std::io::Error) -> Failure {
    let message = format!("cannot listen on {address}: {error}");
    Failure::new(Code::Backend, message).hint("port 0 takes a free one: `--listen 127.0.0.1:0`")
}

/// `ready` comes first: whoever waits for it looks at the beginning of the line.
fn say(about: &Value) -> Result<(), Failure> {
    let about = about.to_string();
    let rest = about.strip_prefix('{').unwrap_or(&about);
    let line = format!(r#"{{"ready":true,{rest}"#);
    writeln!(std::io::stdout(), "{line}").map_err(|error| Failure::stdout(&error))
}

fn ended(error: &std::io::Error) -> Failure {
    Failure::new(Code::Backend, format!("the server ended: {error}"))
}
