use saic_ismart::simulator::CloudConfig;
use serde_json::json;

use super::serve;
use crate::cli::SimulateArgs;
use crate::cloud::saic::{BASE_PATH, Saic};
use crate::exit::Failure;

/// `simulate saic`
pub(super) async fn simulate(args: &SimulateArgs) -> Result<(), Failure> {
    let config = CloudConfig::default();
    let account = (config.user.clone(), config.password.clone());
    serve(args, Saic::new(config, args.seed), |address| {
        json!({
            "base_url": format!("http://{address}{BASE_PATH}/"),
            "user": account.0,
            "password": account.1,
        })
    })
    .await
}
