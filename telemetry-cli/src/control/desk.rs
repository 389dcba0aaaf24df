use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Inbox, Offer};
use crate::event::{Device, DeviceId};
use crate::lock::lock;

/// How long a command may wait for its device to be reached. Who sent it has
/// seen by then that nothing happened, and an old command does harm.
const WAIT: Duration = Duration::from_secs(30);

/// Where commands are handed in; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Controls(Arc<Mutex<Desk>>);

#[derive(Debug, Default)]
struct Desk {
    inboxes: BTreeMap<String, Inbox>,
    devices: BTreeMap<DeviceId, (Vec<Offer>, Inbox)>,
}

/// Where a command goes.
struct Route {
    device: DeviceId,
    offer: Offer,
    inbox: Inbox,
}

/// Why a command did not take effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No device has that id, or none that takes commands.
    #[error("no device `{0}` takes commands; it is known once it was read")]
    UnknownDevice(String),
    /// The device has no such control.
    #[error("`{word}` is nothing that can be set here; there is: {known}")]
    UnknownControl {
        /// What was asked for.
        word: String,
        /// What there is.
        known: String,
    },
    /// It can hurt, and the configuration does not allow it.
    #[error(
        "{0} is not allowed: it can cut off what depends on the device; \
         allow it with `{0} = true` in the allow table of the device"
    )]
    NotAllowed(&'static str),
    /// The value is wrong.
    #[error("{0}")]
    Value(String),
    /// The device was not reached, or did not do it.
    #[error("{0}")]
    Failed(String),
}

impl Controls {
    /// The inbox of the source `component`: the same one after a restart.
    pub fn inbox(&self, component: &str) -> Inbox {
        let mut desk = lock(&self.0);
        desk.inboxes
            .entry(component.to_owned())
            .or_default()
            .clone()
    }

    /// What `device` offers, goes to `inbox` from now on.
    pub fn offer(&self, device: &Device, inbox: &Inbox) {
        let entry = (device.controls.clone(), inbox.clone());
        lock(&self.0).devices.insert(device.id.clone(), entry);
    }

    /// Sends a command: `word` names the control, `text` is the value. Ends
    /// when the effect was read back, or when there will be none.
    ///
    /// # Errors
    /// Why the device was not told, or did not do it.
    pub async fn send(&self, device: &str, word: &str, text: &str) -> Result<(), Refusal> {
        let Route {
            device,
            offer,
            inbox,
        } = self.route(device, word)?;
        let value = offer.form.parse(text).map_err(Refusal::Value)?;
        let expires = Instant::now() + WAIT;
        let mut ticket = inbox.push(device, offer.control, value, expires);
        tokio::select! {
            outcome = &mut ticket.outcome => return ended(outcome.ok()),
            () = sleep_until(expires) => {}
        }
        match inbox.withdraw(ticket.number) {
            Ok(trouble) => {
                let reason = trouble.unwrap_or_else(|| "the device is busy".to_owned());
                let seconds = WAIT.as_secs();
                Err(Refusal::Failed(format!(
                    "not sent within {seconds} s: {reason}"
                )))
            }
            // It is being carried out: that has time limits of its own.
            Err(()) => ended(ticket.outcome.await.ok()),
        }
    }

    fn route(&self, device: &str, word: &str) -> Result<Route, Refusal> {
        let desk = lock(&self.0);
        let (id, (offers, inbox)) = desk
            .devices
            .get_key_value(device)
            .ok_or_else(|| Refusal::UnknownDevice(device.to_owned()))?;
        let offer = offers.iter().find(|of| of.control.is(word));
        let offer = offer.ok_or_else(|| Refusal::UnknownControl {
            word: super::shortened(word),
            known: known(offers),
        })?;
        match offer.allowed {
            true => Ok(Route {
                device: id.clone(),
                offer: offer.clone(),
                inbox: inbox.clone(),
            }),
            false => Err(Refusal::NotAllowed(offer.control.name)),
        }
    }
}

fn known(offers: &[Offer]) -> String {
    let keys: Vec<_> = offers.iter().map(|of| of.control.key).collect();
    keys.join(", ")
}

fn ended(outcome: Option<Result<(), String>>) -> Result<(), Refusal> {
    match outcome {
        Some(outcome) => outcome.map_err(Refusal::Failed),
        None => Err(Refusal::Failed(
            "interrupted: whether it took effect is unknown; look at the state".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{battery, bluetooth};
    use crate::event::DeviceKind;
    use crate::value::Value;

    fn desk() -> (Controls, Inbox) {
        let controls = Controls::default();
        let inbox = controls.inbox("jbd pack");
        let device = Device {
            controls: vec![
                Offer::new(&battery::CHARGE_MOSFET, true),
                Offer::new(&battery::DISCHARGE_MOSFET, false),
                Offer::new(&bluetooth::PAUSE, true),
            ],
            ..Device::unknown(DeviceId::new(&["pack"]), DeviceKind::Battery)
        };
        controls.offer(&device, &inbox);
        (controls, inbox)
    }

    #[tokio::test]
    async fn a_command_reaches_the_source_and_its_answer_comes_back() {
        let (controls, inbox) = desk();
        // The same one after a restart of the source.
        let inbox = {
            drop(inbox);
            controls.inbox("jbd pack")
        };
        let source = async {
            let request = inbox.next().await;
            assert_eq!(request.control, &battery::CHARGE_MOSFET);
            assert_eq!(request.value, Value::Bool(false));
            request.answer(Err("refused".to_owned()));
            inbox.next().await.answer(Ok(()));
        };
        let sender = async {
            let first = controls.send("pack", "charge_mosfet_on", "off").await;
            assert_eq!(first, Err(Refusal::Failed("refused".to_owned())));
            controls.send("pack", "charge_mosfet", "ON").await.unwrap();
        };
        tokio::join!(source, sender);
    }

    #[tokio::test]
    async fn what_cannot_be_carried_out_is_refused_at_once() {
        let (controls, inbox) = desk();
        let refusal = async |device, word, text| {
            let refusal = controls.send(device, word, text).await.unwrap_err();
            refusal.to_string()
        };
        assert!(
            refusal("car", "lock", "on")
                .await
                .starts_with("no device `car`")
        );
        assert_eq!(
            refusal("pack", "lock", "on").await,
            "`lock` is nothing that can be set here; there is: \
             charge_mosfet_on, discharge_mosfet_on, bluetooth_pause"
        );
        assert!(
            refusal("pack", "discharge_mosfet_on", "off")
                .await
                .contains("`discharge_mosfet = true`")
        );
        assert!(
            refusal("pack", "charge_mosfet_on", "-5")
                .await
                .contains("`on` or `off`")
        );
        assert!(inbox.try_next().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_is_away_gets_no_old_command() {
        let (controls, inbox) = desk();
        inbox.unreachable("out of reach");
        let refusal = controls.send("pack", "charge_mosfet", "on").await;
        assert_eq!(
            refusal.unwrap_err().to_string(),
            "not sent within 30 s: out of reach"
        );
        assert!(inbox.try_next().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_is_waited_for() {
        let (controls, inbox) = desk();
        let source = async {
            let request = inbox.next().await;
            tokio::time::sleep(2 * WAIT).await;
            request.answer(Ok(()));
        };
        let (sent, ()) = tokio::join!(controls.send("pack", "charge_mosfet", "on"), source);
        sent.unwrap();
    }

    #[tokio::test]
    async fn a_newer_command_takes_the_place_of_one_that_waits() {
        let (controls, inbox) = desk();
        let source = async {
            tokio::task::yield_now().await;
            let request = inbox.next().await;
            assert_eq!(request.value, Value::Bool(false));
            request.answer(Ok(()));
            assert!(inbox.try_next().is_none());
        };
        let (first, second, ()) = tokio::join!(
            controls.send("pack", "charge_mosfet", "on"),
            controls.send("pack", "charge_mosfet", "off"),
            source
        );
        assert!(first.unwrap_err().to_string().contains("newer command"));
        second.unwrap();
    }

    #[tokio::test]
    async fn a_source_that_ends_leaves_the_effect_open() {
        let (controls, inbox) = desk();
        let source = async { drop(inbox.next().await) };
        let (sent, ()) = tokio::join!(controls.send("pack", "charge_mosfet", "on"), source);
        assert!(sent.unwrap_err().to_string().contains("unknown"));
    }
}
