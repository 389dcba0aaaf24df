//! Accounts in a cloud.

use std::path::Path;

use super::Check;
use crate::config::{Bmw, BmwTokenStore, Saic};
use crate::exit::{Code, Failure};
use crate::radio::{Air, Radio};
use crate::source::bmw::account::token_file;
use crate::source::bmw::diagnosis::{Extent, diagnose};
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

/// Login, rights and quota of an account at BMW. Nothing is asked that counts
/// against the quota, and a gateway that runs keeps its stream.
pub(super) async fn bmw(account: &Bmw, directory: &Path, holder: Option<String>) -> Vec<Check> {
    let component = format!("bmw {}", account.title());
    if let Some(holder) = holder {
        return vec![Check {
            component,
            result: Ok(format!("held by the running gateway, {holder}")),
        }];
    }
    let kept = token_file(account, directory);
    if account.token_store == BmwTokenStore::File && !kept.exists() {
        let failure = Failure::new(Code::Login, "not logged in").hint("run `telemetry login bmw`");
        return vec![Check {
            component,
            result: Err(failure),
        }];
    }
    let extent = Extent {
        spend_quota: false,
        try_stream: true,
    };
    let findings = diagnose(account, directory, extent).await;
    let checks = findings.into_iter().map(|finding| Check {
        component: format!("{component} {}", finding.what),
        result: finding.result,
    });
    checks.collect()
}
