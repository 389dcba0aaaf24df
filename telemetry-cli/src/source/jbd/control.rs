//! What a pack can be told.

use jbd_bms::Error;

use super::super::bluetooth::{Base, CommandError};
use super::{Pack, PollError};
use crate::config::JbdAllow;
use crate::control::{Control, Offer, battery, bluetooth};
use crate::radio::RadioError;
use crate::value::Value;

/// What a pack offers, and what of it the configuration allows.
pub(super) fn offers(allow: &JbdAllow) -> Vec<Offer> {
    [
        (&battery::CHARGE_MOSFET, allow.charge_mosfet),
        (&battery::DISCHARGE_MOSFET, allow.discharge_mosfet),
        (&bluetooth::PAUSE, true),
    ]
    .map(|(control, allowed)| Offer::new(control, allowed))
    .into()
}

/// Tells the pack something over the link that there is.
pub(super) async fn tell(
    pack: &mut Pack,
    base: &Base,
    control: &'static Control,
    value: &Value,
) -> Result<(), CommandError<PollError>> {
    let Some(link) = &mut pack.link else {
        let lost = RadioError::LinkLost(base.target.clone());
        return Err(CommandError::NotSent(lost.into()));
    };
    let client = &mut link.client;
    let effect = match value {
        Value::Bool(on) if *control == battery::CHARGE_MOSFET => {
            client.set_charge_mosfet(*on).await
        }
        Value::Bool(on) if *control == battery::DISCHARGE_MOSFET => {
            client.set_discharge_mosfet(*on).await
        }
        _ => {
            let none = Error::InvalidValue("this pack has no such control".to_owned());
            return Err(CommandError::NotSent(none.into()));
        }
    };
    pack.released = client.released();
    if effect.as_ref().is_err_and(Error::is_retryable) {
        pack.link = None;
    }
    match effect {
        Ok(_) => Ok(()),
        Err(error) => Err(CommandError::Failed(error.into())),
    }
}
