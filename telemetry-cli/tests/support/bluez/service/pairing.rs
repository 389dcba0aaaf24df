//! Pairing: agents, and the devices that they are asked about.

use dbus::message::MessageType;
use dbus::{Message, Path};

use super::super::object::{Properties, Value};
use super::super::peripheral::{DEVICE, Security};
use super::{Refusal, Service, bluez, refusal, text, unknown};

pub(super) const MANAGER: &str = "org.bluez.AgentManager1";
const AGENT: &str = "org.bluez.Agent1";

/// Whom to ask for a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Agent {
    client: String,
    path: String,
    capability: String,
}

/// A pairing that waits for an agent.
#[derive(Debug)]
pub(in super::super) struct Pending {
    /// The call that is answered when it ends.
    call: Option<Message>,
    agent: Agent,
}

/// What an agent said about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The last byte of the device's address.
    pub number: u8,
    /// The passkey, or the name of the error.
    pub passkey: Result<u32, String>,
}

/// What tests do to it.
impl Service {
    /// How many agents there are.
    pub fn agents(&self) -> usize {
        self.agents.len()
    }

    /// Whether a device may come back without anybody being asked.
    pub fn is_trusted(&self, number: u8) -> bool {
        let path = self.path_of(number);
        self.tree.get(&path, DEVICE, "Trusted") == Some(&Value::Flag(true))
    }

    /// What agents said so far.
    pub fn answers(&self) -> Vec<Answer> {
        self.answers.clone()
    }

    /// A device in reach asks for a passkey, of its own accord.
    pub fn ask_for_passkey(&mut self, number: u8) {
        let path = self.path_of(number);
        self.hear(&path);
        let agent = self.agents.first().cloned().expect("an agent");
        self.ask(&path, None, agent);
    }
}

impl Service {
    pub(super) fn agent_manager(
        &mut self,
        message: &Message,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        let (path, capability) = message.get2::<Path<'_>, &str>();
        let client = text(message.sender());
        let known = self.agents.iter().position(|of| of.client == client);
        match (method, known) {
            ("RegisterAgent", Some(_)) => return Err(bluez("AlreadyExists", "Already Exists")),
            ("RegisterAgent", None) => self.agents.push(Agent {
                client,
                path: text(path),
                capability: capability.unwrap_or_default().to_owned(),
            }),
            ("UnregisterAgent", Some(at)) => {
                self.agents.remove(at);
            }
            ("UnregisterAgent", None) => return Err(bluez("DoesNotExist", "Does Not Exist")),
            _ => return Err(unknown(method, MANAGER)),
        }
        Ok(Some(message.method_return()))
    }

    pub(super) fn pair(
        &mut self,
        message: &Message,
        path: &str,
    ) -> Result<Option<Message>, Refusal> {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        if peripheral.paired {
            return Err(bluez("AlreadyExists", "Already Exists"));
        }
        if peripheral.pairing.is_some() {
            return Err(bluez("InProgress", "In Progress"));
        }
        if peripheral.is_silent() {
            return Err(bluez("ConnectionAttemptFailed", "Page Timeout"));
        }
        let wanted = peripheral.config.security.passkey();
        if !peripheral.connected {
            self.link_up(path);
        }
        if wanted.is_none() {
            self.paired(path);
            return Ok(Some(message.method_return()));
        }
        let client = text(message.sender());
        let own = self.agents.iter().find(|of| of.client == client);
        match own.or(self.agents.first()).cloned() {
            Some(agent) => {
                self.ask(path, Some(kept(message)), agent);
                Ok(None)
            }
            None => Err(bluez("AuthenticationFailed", "Authentication Failed")),
        }
    }

    pub(super) fn cancel_pairing(
        &mut self,
        message: &Message,
        path: &str,
    ) -> Result<Option<Message>, Refusal> {
        if self.peripherals[path].pairing.is_none() {
            return Err(bluez("DoesNotExist", "Does Not Exist"));
        }
        self.not_paired(path, "AuthenticationCanceled", "Authentication Canceled");
        Ok(Some(message.method_return()))
    }

    /// Asks `agent` for the passkey; `call` is answered when it is over.
    pub(super) fn ask(&mut self, path: &str, call: Option<Message>, agent: Agent) {
        // Others show a passkey, or nothing.
        assert!(
            ["KeyboardOnly", "KeyboardDisplay", ""].contains(&agent.capability.as_str()),
            "{agent:?} cannot tell a passkey"
        );
        let ask = Message::new_method_call(
            agent.client.clone(),
            agent.path.clone(),
            AGENT,
            "RequestPasskey",
        );
        let ask = ask
            .expect("valid names")
            .append1(Path::from(path.to_owned()));
        let channel = self.channel.as_ref().expect("somebody called");
        let serial = channel.send(ask).expect("the bus is there");
        self.asked.insert(serial, path.to_owned());
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.pairing = Some(Pending { call, agent });
    }

    /// An agent answered, or the bus did in its place.
    pub(super) fn agent_answered(&mut self, mut reply: Message) {
        let serial = reply.get_reply_serial().unwrap_or_default();
        let Some(path) = self.asked.remove(&serial) else {
            return;
        };
        let passkey = match reply.msg_type() {
            MessageType::MethodReturn => Ok(reply.read1().expect("a passkey is a number")),
            _ => Err(reply
                .as_result()
                .err()
                .and_then(|error| error.name().map(str::to_owned))
                .unwrap_or_default()),
        };
        let peripheral = &self.peripherals[&path];
        let number = peripheral.config.pack.address[5];
        let right = peripheral.config.security.passkey();
        self.answers.push(Answer {
            number,
            passkey: passkey.clone(),
        });
        match passkey {
            Ok(passkey) if Some(passkey) == right => {
                let pending = self.end_pairing(&path);
                self.paired(&path);
                if let Some(call) = pending.and_then(|pending| pending.call) {
                    self.call_again(&call);
                }
            }
            _ if matches!(peripheral.config.security, Security::Leaving(_)) => {
                self.not_paired(&path, "AuthenticationCanceled", "Authentication Canceled");
            }
            _ => self.not_paired(&path, "AuthenticationFailed", "Authentication Failed"),
        }
    }

    /// Whoever leaves takes its agent along.
    pub(super) fn agent_left(&mut self, client: &str) {
        self.agents.retain(|agent| agent.client != client);
        for path in self.paths() {
            let pending = self.peripherals[&path].pairing.as_ref();
            if pending.is_some_and(|pending| pending.agent.client == client) {
                self.not_paired(&path, "AuthenticationCanceled", "Authentication Canceled");
            }
        }
    }

    fn not_paired(&mut self, path: &str, name: &str, words: &str) {
        if let Some(call) = self.end_pairing(path).and_then(|pending| pending.call) {
            let why = match text(call.member()).as_str() {
                "Pair" => bluez(name, words),
                _ => bluez("NotPermitted", "Not paired"),
            };
            self.send(refusal(&call, &why));
        }
        self.drop_link(path);
    }

    fn end_pairing(&mut self, path: &str) -> Option<Pending> {
        self.peripherals.get_mut(path)?.pairing.take()
    }

    fn paired(&mut self, path: &str) {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.bond();
        let paired = Properties::from([("Paired", true.into()), ("Bonded", true.into())]);
        self.change(path, DEVICE, &paired);
    }

    /// What waited for the pairing.
    fn call_again(&mut self, call: &Message) {
        match text(call.member()).as_str() {
            "Pair" => self.send(call.method_return()),
            _ => self.call(call),
        }
    }

    /// What an attribute says before the pairing. BlueZ begins it by itself for
    /// some.
    pub(super) fn before_pairing(
        &mut self,
        message: &Message,
        path: &str,
    ) -> Option<Result<Option<Message>, Refusal>> {
        let peripheral = &self.peripherals[path];
        if peripheral.paired {
            return None;
        }
        match (peripheral.config.security, self.agents.first().cloned()) {
            (Security::Asking(_), Some(agent)) => {
                self.ask(path, Some(kept(message)), agent);
                Some(Ok(None))
            }
            (Security::Asking(_) | Security::Attributes(_) | Security::Leaving(_), _) => {
                Some(Err(bluez("NotPermitted", "Not paired")))
            }
            (Security::Open | Security::Echo(_), _) => None,
        }
    }
}

/// The call, to be answered later.
fn kept(call: &Message) -> Message {
    let mut copy = call.duplicate().expect("memory");
    // A copy begins without one, and could not be answered.
    copy.set_serial(call.get_serial().expect("it was sent"));
    copy
}
