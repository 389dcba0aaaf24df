//! Accounts in a cloud.

use std::path::Path;

use crate::config::Saic;
use crate::exit::{Code, Failure};
use crate::radio::{Air, Radio};
use crate::source::saic::Files;
use crate::source::{self, Context};

/// Whether the session lives, and which cars there are. No car is woken up. A
/// gateway that runs shares its session.
pub(super) async fn saic(
    account: &Saic,
    directory: &Path,
    holder: Option<String>,
) -> Result<String, Failure> {
    let mut context = Context::brief(Radio::Simulated(Air::default()))
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    context.state_dir = Some(directory.to_path_buf());
    let has_session = Files::existing(account, directory).token().exists();
    if let Some(holder) = holder
        && !has_session
    {
        return Ok(format!("held by the running gateway, {holder}"));
    }
    let cars = source::saic::probe(account.clone(), context)
        .await
        .map_err(|error| Failure {
            // The component names it.
            message: error.to_string(),
            ..error.failure(&account.user)
        })?;
    let names: Vec<_> = cars
        .iter()
        .filter_map(|car| {
            [&car.name, &car.model]
                .into_iter()
                .find_map(Option::as_deref)
        })
        .collect();
    Ok(match names.as_slice() {
        [] => "answers; the account has no cars: share one with it in the app".to_owned(),
        names => format!("answers: {}", names.join(", ")),
    })
}
