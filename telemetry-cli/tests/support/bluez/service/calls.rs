//! The interfaces: what is called.

use dbus::arg::PropMap;
use dbus::{Message, Path};

use super::super::object::{Properties, prop_map};
use super::super::peripheral::{CHARACTERISTIC, DEVICE};
use super::air::adapter_of;
use super::{ADAPTER, Refusal, Service, bluez, invalid, refusal, text, unknown};

impl Service {
    pub(super) fn properties(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        let (interface, property) = message.get2::<String, String>();
        let interface = interface.unwrap_or_default();
        let reply = message.method_return();
        match method {
            "GetAll" => {
                let all = self
                    .tree
                    .0
                    .get(path)
                    .and_then(|of| of.get(interface.as_str()));
                let all = all.ok_or_else(|| invalid("No such interface"))?;
                Ok(Some(reply.append1(prop_map(all))))
            }
            "Get" => {
                let property = property.unwrap_or_default();
                let value = self.tree.get(path, &interface, &property);
                let value = value.ok_or_else(|| invalid("No such property"))?;
                Ok(Some(reply.append1(value.variant())))
            }
            "Set" if interface == DEVICE => {
                let (_, property, value) = message.get3::<&str, &str, dbus::arg::Variant<bool>>();
                if (property, value.map(|value| value.0)) != (Some("Trusted"), Some(true)) {
                    return Err(invalid("No such property"));
                }
                let trusted = Properties::from([("Trusted", true.into())]);
                self.change(path, DEVICE, &trusted);
                Ok(Some(reply))
            }
            "Set" if interface == ADAPTER => {
                let on: (_, _, Option<dbus::arg::Variant<bool>>) =
                    message.get3::<&str, &str, dbus::arg::Variant<bool>>();
                if let Some(on) = on.2
                    && on.0 != self.is_powered(path)
                {
                    self.power_at(path, on.0);
                }
                Ok(Some(reply))
            }
            _ => Err(unknown(method, &interface)),
        }
    }

    pub(super) fn adapter(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        let client = text(message.sender());
        let not_ready = || bluez("NotReady", "Resource Not Ready");
        match method {
            "SetDiscoveryFilter" => {}
            "RemoveDevice" => {
                let device: Path<'_> = message.read1().map_err(|_| invalid("No device"))?;
                let Some(peripheral) = self.peripherals.get_mut(&*device) else {
                    return Err(bluez("DoesNotExist", "Does Not Exist"));
                };
                peripheral.paired = false;
                self.forget(&device);
            }
            "StartDiscovery" | "StopDiscovery" if !self.is_powered(path) => return Err(not_ready()),
            "StartDiscovery" => {
                if !self.scanners.insert((path.to_owned(), client)) {
                    return Err(bluez("InProgress", "Operation already in progress"));
                }
                self.send(message.method_return());
                let discovering = Properties::from([("Discovering", true.into())]);
                self.change(path, ADAPTER, &discovering);
                return Ok(None);
            }
            "StopDiscovery" => {
                if !self.stop_scanning_for(path, &client) {
                    return Err(bluez("Failed", "No discovery started"));
                }
            }
            _ => return Err(unknown(method, ADAPTER)),
        }
        Ok(Some(message.method_return()))
    }

    pub(super) fn device(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        match method {
            "Connect" => self.connect(message, path),
            "Disconnect" => self.disconnect(message, path),
            "Pair" => self.pair(message, path),
            "CancelPairing" => self.cancel_pairing(message, path),
            _ => Err(unknown(method, DEVICE)),
        }
    }

    pub(super) fn connect(
        &mut self,
        message: &Message,
        path: &str,
    ) -> Result<Option<Message>, Refusal> {
        if !self.is_powered(adapter_of(path)) {
            return Err(bluez("Failed", "Input/output error"));
        }
        let Some(peripheral) = self.peripherals.get_mut(path) else {
            return Err(unknown("Connect", DEVICE));
        };
        if peripheral.connected {
            return Ok(Some(message.method_return()));
        }
        if peripheral.pending.is_some() {
            return Err(bluez("InProgress", "In Progress"));
        }
        if peripheral.is_silent() {
            let ended = bluez("Failed", "br-connection-canceled");
            peripheral.pending = Some(refusal(message, &ended));
            return Ok(None);
        }
        let delay = peripheral.config.services_delay;
        self.link_up(path);
        let link = self.peripherals[path].link;
        self.send(message.method_return());
        let path = path.to_owned();
        self.after(delay, move |this| this.resolve(&path, link));
        Ok(None)
    }

    pub(super) fn disconnect(
        &mut self,
        message: &Message,
        path: &str,
    ) -> Result<Option<Message>, Refusal> {
        let Some(peripheral) = self.peripherals.get_mut(path) else {
            return Err(unknown("Disconnect", DEVICE));
        };
        if let Some(pending) = peripheral.pending.take() {
            let never = !peripheral.was_connected;
            self.send(pending);
            // As of 5.82.
            if never {
                self.forget(path);
            }
            return Ok(Some(message.method_return()));
        }
        if !peripheral.connected {
            return Ok(Some(message.method_return()));
        }
        let (path, link) = (path.to_owned(), peripheral.link);
        let (delay, reply) = (peripheral.config.disconnect_delay, message.method_return());
        self.after(delay, move |this| {
            if this.peripherals[&path].link == link {
                this.drop_link(&path);
            }
            this.send(reply);
        });
        Ok(None)
    }

    pub(super) fn characteristic(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        let device = path.split("/service").next().unwrap_or_default().to_owned();
        let client = text(message.sender());
        if !self.peripherals.contains_key(&device) {
            return Err(unknown(method, CHARACTERISTIC));
        }
        if let Some(answer) = self.before_pairing(message, &device) {
            return answer;
        }
        let peripheral = self.peripherals.get_mut(&device).expect("looked for above");
        match method {
            "StartNotify" => {
                if path != peripheral.notify_path() {
                    return Err(bluez("NotSupported", "Operation is not supported"));
                }
                let anew = peripheral.notifying.insert(client);
                if !anew && !peripheral.connected {
                    return Err(bluez("InProgress", "In Progress"));
                }
                if anew {
                    let notifying = Properties::from([("Notifying", true.into())]);
                    self.change(path, CHARACTERISTIC, &notifying);
                }
            }
            "StopNotify" => {
                if !peripheral.notifying.remove(&client) {
                    return Err(bluez("Failed", "No notify session started"));
                }
            }
            "ReadValue" => return Err(bluez("NotPermitted", "Read not permitted")),
            "WriteValue" => {
                let (value, options) = message.get2::<Vec<u8>, PropMap>();
                let value = value.unwrap_or_default();
                let kind = options.as_ref().and_then(|of| of.get("type"));
                let command = kind.and_then(|kind| kind.0.as_str()) == Some("command");
                if !peripheral.connected {
                    return Err(bluez("Failed", "Not connected"));
                }
                if command && value.len() > peripheral.packet() {
                    return Err(bluez("Failed", "Failed to initiate write"));
                }
                if value.len() > 512 {
                    return Err(bluez("InvalidArguments", "Invalid Length"));
                }
                peripheral.writes.push(value.len());
                // What the characteristic cannot do, the device drops.
                let kind = if command {
                    "write-without-response"
                } else {
                    "write"
                };
                let flags = peripheral.config.attributes.write.1;
                if path == peripheral.write_path() && flags.contains(&kind) {
                    let now_ms = peripheral.now_ms();
                    peripheral.behind.write(&value, now_ms);
                }
                self.send(message.method_return());
                self.drive(&device);
                return Ok(None);
            }
            _ => return Err(unknown(method, CHARACTERISTIC)),
        }
        Ok(Some(message.method_return()))
    }
}
