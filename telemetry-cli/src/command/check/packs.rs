//! Bluetooth, and each battery pack.

use futures_util::future::join_all;

use super::Check;
use crate::config::{Config, Jbd};
use crate::exit::{Code, Failure};
use crate::native::JbdPack;
use crate::radio::Radio;
use crate::source::bluetooth::Trouble as _;
use crate::source::{self, Context};

/// The adapter first: without it no pack is worth a try. A gateway that runs
/// has the packs; a second connection would take them from it.
pub(super) async fn probe(config: &Config, radio: Radio, holder: Option<String>) -> Vec<Check> {
    let adapter = radio.ready().await;
    let works = adapter.is_ok();
    let mut checks = vec![Check {
        component: "bluetooth".to_owned(),
        result: adapter
            .map(|()| "an adapter is there and switched on".to_owned())
            .map_err(|error| {
                let failure = Failure::new(error.code(), error.to_string());
                match error.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }),
    }];
    let packs = config.jbd.iter().map(|jbd| {
        let (radio, holder) = (radio.clone(), holder.as_deref());
        async move {
            Check {
                component: format!("jbd {}", jbd.title()),
                result: match (holder, works) {
                    (Some(holder), _) => Ok(format!("held by the running gateway, {holder}")),
                    (None, true) => pack(jbd, radio).await,
                    (None, false) => Err(Failure::new(
                        Code::Device,
                        "not tried: there is no Bluetooth",
                    )),
                },
            }
        }
    });
    checks.extend(join_all(packs).await);
    radio.close().await;
    checks
}

async fn pack(jbd: &Jbd, radio: Radio) -> Result<String, Failure> {
    let context = Context::brief(radio)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let JbdPack { info, cells } =
        source::jbd::measure(jbd.clone(), context)
            .await
            .map_err(|error| Failure {
                // The component names it.
                message: error.to_string(),
                ..error.failure(jbd.title())
            })?;
    Ok(format!(
        "answers: {} %, {:.2} V, {} cells, {} probes",
        info.soc_percent_clamped(),
        f64::from(info.pack_voltage_mv) / 1000.0,
        cells.cell_voltages_mv.len(),
        info.temperatures_deci_c.len(),
    ))
}
