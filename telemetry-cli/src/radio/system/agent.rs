//! Who answers when the Bluetooth service asks for a PIN: an `org.bluez.Agent1`
//! of our own, for the devices that have one in the configuration.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex};

use dbus::Message;
use dbus::channel::{MatchingReceiver as _, Sender as _, default_reply};
use dbus::message::MatchRule;
use dbus::nonblock::SyncConnection;
use dbus::strings::{ErrorName, Path};

use super::adapter::lock;
use crate::config::Pin;

/// Where the agent is found on our connection to the bus.
pub(super) const PATH: &str = "/telemetry/agent";

/// The agent types a PIN and shows none. A device that could do both shows its
/// own then, which is the one in the configuration.
pub(super) const CAPABILITY: &str = "KeyboardOnly";

/// Some devices hang up when the PIN is wrong, which looks like a lost link.
const VAIN_MAX: u32 = 3;

const INTERFACE: &str = "org.bluez.Agent1";

/// What the agent knows; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The Bluetooth service's name on this connection. Nobody else is told.
    service: Option<String>,
    /// Devices with a PIN, by object path.
    devices: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    pin: Pin,
    asked: Asked,
    /// How often it was told in vain, for whatever reason.
    vain: u32,
}

/// What became of the PIN since the last [`Agent::begin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody asked for it.
    No,
    /// It was told.
    Told,
    /// It cannot be had, for this reason.
    Unreadable(String),
}

/// A refusal: error name and message.
type Refusal = (&'static str, &'static str);

const REJECTED: Refusal = (
    "org.bluez.Error.Rejected",
    "no PIN is configured for this device",
);

impl Agent {
    /// Answers what is asked on `connection` for as long as that lives.
    pub(super) fn serve(&self, connection: &SyncConnection) {
        let agent = self.clone();
        connection.start_receive(
            MatchRule::new_method_call(),
            Box::new(move |call, connection| {
                if let Some(reply) = agent.reply(&call) {
                    // It fails only with the connection.
                    let _ = connection.send(reply);
                }
                true
            }),
        );
    }

    /// Believes `service`, and nobody else, to be the Bluetooth service.
    pub(super) fn trust(&self, service: String) {
        lock(&self.0).service = Some(service);
    }

    /// From now on `device` may be told `pin`.
    pub(super) fn begin(&self, device: &str, pin: &Pin) {
        let mut state = lock(&self.0);
        let entry = state.devices.entry(device.to_owned());
        let entry = entry.or_insert_with(|| Entry {
            pin: pin.clone(),
            asked: Asked::No,
            vain: 0,
        });
        entry.asked = Asked::No;
    }

    /// The PIN was told and the device is not paired: true if that may be bad
    /// luck, such as a lost link, false if it was so too often.
    pub(super) fn may_be_luck(&self, device: &str) -> bool {
        let mut state = lock(&self.0);
        let Some(entry) = state.devices.get_mut(device) else {
            return true;
        };
        entry.vain += 1;
        let luck = entry.vain < VAIN_MAX;
        if !luck {
            // Whoever comes next had a reason to try again.
            entry.vain = 0;
        }
        luck
    }

    /// The device is paired.
    pub(super) fn succeeded(&self, device: &str) {
        if let Some(entry) = lock(&self.0).devices.get_mut(device) {
            entry.vain = 0;
        }
    }

    /// Whether `device` was told its PIN.
    pub(super) fn asked(&self, device: &str) -> Asked {
        let state = lock(&self.0);
        let entry = state.devices.get(device);
        entry.map_or(Asked::No, |entry| entry.asked.clone())
    }

    fn reply(&self, call: &Message) -> Option<Message> {
        let ours =
            call.interface().as_deref() == Some(INTERFACE) && call.path().as_deref() == Some(PATH);
        if !ours {
            return default_reply(call);
        }
        let answer = match call.member().as_deref() {
            Some("Release" | "Cancel") => Ok(call.method_return()),
            Some("RequestPasskey") => self
                .passkey(call)
                .map(|passkey| call.method_return().append1(passkey.number())),
            Some("RequestPinCode") => self
                .passkey(call)
                .map(|passkey| call.method_return().append1(passkey.text())),
            // Nobody is there to look at a screen or to say yes.
            Some(_) => Err(REJECTED),
            None => return default_reply(call),
        };
        Some(answer.unwrap_or_else(|(name, text)| {
            let text = CString::new(text).unwrap_or_default();
            call.error(&ErrorName::from(name), &text)
        }))
    }

    fn passkey(&self, call: &Message) -> Result<crate::config::Passkey, Refusal> {
        let device = call.read1::<Path<'_>>().map_err(|_| REJECTED)?;
        let mut state = lock(&self.0);
        let sender = call.sender();
        if sender.is_none() || sender.as_deref() != state.service.as_deref() {
            return Err(REJECTED);
        }
        let Some(entry) = state.devices.get_mut(&*device) else {
            tracing::debug!(%device, "a device without a configured PIN wants to be paired");
            return Err(REJECTED);
        };
        match entry.pin.reveal() {
            Ok(passkey) => {
                entry.asked = Asked::Told;
                Ok(passkey)
            }
            Err(error) => {
                entry.asked = Asked::Unreadable(error.to_string());
                Err(REJECTED)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    const DEVICE: &str = "/org/bluez/hci0/dev_A4_C1_38_00_00_01";

    fn call(member: &str, device: &str) -> Message {
        let mut call = Message::new_method_call("a.b", PATH, INTERFACE, member)
            .unwrap()
            .append1(Path::from(device.to_owned()));
        call.set_serial(1);
        call
    }

    fn refused(reply: &Message) -> bool {
        reply.msg_type() == dbus::message::MessageType::Error
    }

    #[test]
    fn whoever_is_not_the_service_learns_no_pin() {
        let agent = Agent::default();
        agent.begin(DEVICE, &Pin::from(Secret::from("123456".to_owned())));
        for member in [
            "RequestPasskey",
            "RequestPinCode",
            "RequestConfirmation",
            "RequestAuthorization",
            "DisplayPasskey",
        ] {
            let reply = agent.reply(&call(member, DEVICE)).unwrap();
            assert!(refused(&reply), "{member}");
        }
        assert_eq!(agent.asked(DEVICE), Asked::No);
        assert!(!refused(&agent.reply(&call("Cancel", DEVICE)).unwrap()));
    }
}
