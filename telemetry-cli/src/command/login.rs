//! `telemetry login`: opens a session and keeps it for the gateway.

use serde_json::json;

use super::{account, print};
use crate::cli::{LogArgs, LoginCommand, LoginSaicArgs};
use crate::exit::Failure;
use crate::source;

pub(super) mod bmw;

/// `login KIND`
///
/// # Errors
/// Why the cloud refuses.
pub async fn run(command: &LoginCommand, log: &LogArgs) -> Result<(), Failure> {
    match command {
        LoginCommand::Saic(args) => saic(args, log).await,
        LoginCommand::Bmw(args) => bmw::bmw(args, log).await,
    }
}

async fn saic(args: &LoginSaicArgs, log: &LogArgs) -> Result<(), Failure> {
    let account = account::open(&args.account, log).await?;
    let user = account.saic.user.clone();
    let kept = account.context.state_dir.is_some();
    let cars = source::saic::login(account.saic.clone(), account.context.clone())
        .await
        .map_err(|error| error.failure(&user))?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    if args.json {
        let cars: Vec<_> = cars
            .iter()
            .map(|car| {
                let vin = car.vin.as_ref().map(|vin| vin.as_str());
                json!({"vin": vin, "brand": car.brand, "model": car.model, "name": car.name})
            })
            .collect();
        return print(&format!("{}\n", json!({"user": user, "vehicles": cars})));
    }
    let mut lines = format!("Logged in as {user}.\n");
    if !kept {
        lines += "The session is not kept: the state directory cannot be written.\n";
    }
    for car in &cars {
        let vin = car.vin.as_ref().map(|vin| vin.as_str()).unwrap_or_default();
        let about = [text(&car.brand), text(&car.model), text(&car.name)];
        lines += &format!("  {vin}  {}\n", about.join(" ").trim());
    }
    if cars.is_empty() {
        lines += "It has no cars: share one with it in the app.\n";
    }
    print(&lines)
}
