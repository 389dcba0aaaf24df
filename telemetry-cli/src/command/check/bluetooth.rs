//! Bluetooth, and each battery pack and power station.

use bluetti_modbus::session::Security;
use futures_util::future::{LocalBoxFuture, join_all};

use super::Check;
use crate::config::{Bluetti, Config, Jbd};
use crate::exit::{Code, Failure};
use crate::native::JbdPack;
use crate::radio::Radio;
use crate::source::{self, Context};

/// The adapter first: without it no device is worth a try, but for one over TCP.
/// A gateway that runs has the devices; a second connection would take them from
/// it.
pub(super) async fn probe(config: &Config, radio: Radio, holder: Option<String>) -> Vec<Check> {
    let over_tcp = |station: &Bluetti| station.tcp.is_some();
    let mut checks = Vec::new();
    let mut works = true;
    if !config.jbd.is_empty() || !config.bluetti.iter().all(over_tcp) {
        let adapter = radio.ready().await;
        works = adapter.is_ok();
        checks.push(Check {
            component: "bluetooth".to_owned(),
            result: adapter
                .map(|()| "an adapter is there and switched on".to_owned())
                .map_err(Failure::from),
        });
    }
    let tried = |component: String, possible: bool, attempt: Attempt| {
        let holder = holder.as_deref();
        async move {
            let result = match (holder, possible) {
                (Some(holder), _) => Ok(format!("held by the running gateway, {holder}")),
                (None, true) => attempt.await,
                (None, false) => Err(Failure::new(
                    Code::Device,
                    "not tried: there is no Bluetooth",
                )),
            };
            Check { component, result }
        }
    };
    let packs = config.jbd.iter().map(|jbd| {
        let component = format!("jbd {}", jbd.title());
        tried(component, works, Box::pin(pack(jbd.clone(), radio.clone())))
    });
    let stations = config.bluetti.iter().map(|bluetti| {
        let component = format!("bluetti {}", bluetti.title());
        let attempt = Box::pin(station(bluetti.clone(), radio.clone()));
        tried(component, works || over_tcp(bluetti), attempt)
    });
    checks.extend(join_all(packs.chain(stations)).await);
    radio.close().await;
    checks
}

type Attempt = LocalBoxFuture<'static, Result<String, Failure>>;

async fn pack(jbd: Jbd, radio: Radio) -> Result<String, Failure> {
    let context = brief(radio).await?;
    let JbdPack { info, cells } = source::jbd::measure(jbd, context).await?;
    Ok(format!(
        "answers: {} %, {:.2} V, {} cells, {} probes",
        info.soc_percent_clamped(),
        f64::from(info.pack_voltage_mv) / 1000.0,
        cells.cell_voltages_mv.len(),
        info.temperatures_deci_c.len(),
    ))
}

async fn station(bluetti: Bluetti, radio: Radio) -> Result<String, Failure> {
    let told = source::bluetti::measure(bluetti, brief(radio).await?).await?;
    let model = told.device_type.as_deref().unwrap_or(told.model.name());
    let station = told.station();
    let charge = station.soc_percent();
    let charge = charge.map(|percent| format!(", {percent} %"));
    let map = match told.model.is_generic() {
        true => ", whose registers nobody has described: what all have in common is read",
        false => "",
    };
    let link = match told.security {
        Security::Encrypted => ", encrypted",
        _ => "",
    };
    Ok(format!(
        "answers: {model}{}{link}{map}",
        charge.unwrap_or_default()
    ))
}

async fn brief(radio: Radio) -> Result<Context, Failure> {
    let context = Context::brief(radio).await;
    context.map_err(|error| Failure::new(Code::Internal, error.to_string()))
}
