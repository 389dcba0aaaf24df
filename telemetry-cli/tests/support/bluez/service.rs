//! The service itself: calls in, replies and signals out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::CString;
use std::time::{Duration, Instant};

use dbus::arg::PropMap;
use dbus::channel::Channel;
use dbus::message::MessageType;
use dbus::strings::{ErrorName, Interface, Member};
use dbus::{Message, Path};
use jbd_bms::simulator::Output;

use super::fault::{Fault, Outcome, strike};
use super::object::{Interfaces, Properties, Tree, Value, interfaces, prop_map};
use super::peripheral::{CHARACTERISTIC, Config, DEVICE, Peripheral, uuid};

const ADAPTER: &str = "org.bluez.Adapter1";
const HCI0: &str = "/org/bluez/hci0";

/// Everything advertises this often while somebody scans.
const ADVERTISE: Duration = Duration::from_millis(40);

type Timer = Box<dyn FnOnce(&mut Service) + Send>;

/// An error reply: name and message.
type Refusal = (String, String);

/// The state of the service.
pub struct Service {
    address: String,
    channel: Option<Channel>,
    tree: Tree,
    peripherals: BTreeMap<String, Peripheral>,
    scanners: HashSet<String>,
    timers: BTreeMap<(Instant, u64), Timer>,
    timers_made: u64,
    next_advertisement: Instant,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: HashMap<String, usize>,
    /// A device that was not heard for so long is forgotten.
    pub forget_after: Duration,
    last_heard: HashMap<String, Instant>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// What tests do to it.
impl Service {
    pub(super) fn new(address: &str) -> Self {
        let mut service = Self {
            address: address.to_owned(),
            channel: None,
            tree: Tree::default(),
            peripherals: BTreeMap::new(),
            scanners: HashSet::new(),
            timers: BTreeMap::new(),
            timers_made: 0,
            next_advertisement: Instant::now(),
            faults: Vec::new(),
            calls: HashMap::new(),
            forget_after: Duration::from_secs(30),
            last_heard: HashMap::new(),
        };
        service.plug_in();
        service
    }

    pub(super) fn add(&mut self, config: Config) {
        let peripheral = Peripheral::new(HCI0, config);
        self.peripherals.insert(peripheral.path.clone(), peripheral);
    }

    /// The peripheral with this last byte in its address.
    pub fn peripheral(&mut self, number: u8) -> &mut Peripheral {
        let path = path_of(number);
        self.peripherals.get_mut(&path).expect("it was added")
    }

    /// Whether a peripheral is connected.
    pub fn is_connected(&mut self, number: u8) -> bool {
        self.peripheral(number).connected
    }

    /// True while somebody scans.
    pub fn is_scanning(&self) -> bool {
        !self.scanners.is_empty()
    }

    /// Connects to the bus and takes the name.
    pub fn come(&mut self) {
        let mut channel = Channel::open_private(&self.address).expect("the bus is there");
        channel.register().expect("the bus lets us in");
        let rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
        bus_call(&channel, "AddMatch", |call| call.append1(rule));
        bus_call(&channel, "RequestName", |call| {
            call.append2("org.bluez", 4_u32)
        });
        self.channel = Some(channel);
    }

    /// Is killed: no signal, and everything that was not paired is forgotten.
    pub fn vanish(&mut self) {
        self.channel = None;
        self.scanners.clear();
        self.timers.clear();
        self.last_heard.clear();
        for peripheral in self.peripherals.values_mut() {
            peripheral.connected = false;
            peripheral.link += 1;
            peripheral.pending = None;
            peripheral.notifying.clear();
            peripheral.was_connected = false;
            peripheral.pack.disconnect();
            self.tree.remove(&peripheral.path);
        }
        self.tree.set(HCI0, ADAPTER, "Discovering", false.into());
    }

    /// Adds the adapter.
    pub fn plug_in(&mut self) {
        let adapter = Properties::from([
            ("Address", "00:1A:7D:DA:71:13".into()),
            ("AddressType", "public".into()),
            ("Name", "gateway".into()),
            ("Alias", "gateway".into()),
            ("Powered", true.into()),
            ("Discovering", false.into()),
            ("Class", Value::U32(0)),
            ("Modalias", "usb:v1D6Bp0246d0542".into()),
        ]);
        self.export(HCI0, Interfaces::from([(ADAPTER, adapter)]));
    }

    /// Removes the adapter and all behind it.
    pub fn unplug(&mut self) {
        for path in self.paths() {
            self.drop_link(&path);
            self.forget(&path);
        }
        self.scanners.clear();
        self.tree.remove(HCI0);
    }

    /// Switches the adapter.
    pub fn power(&mut self, on: bool) {
        if !on {
            for path in self.paths() {
                self.drop_link(&path);
                if !self.peripherals[&path].was_connected {
                    self.forget(&path);
                }
            }
            self.stop_scanning();
        }
        self.change(HCI0, ADAPTER, Properties::from([("Powered", on.into())]));
    }

    /// The link is lost.
    pub fn lose(&mut self, number: u8) {
        self.drop_link(&path_of(number));
    }

    /// Takes a device off the list of known ones.
    pub fn forget_device(&mut self, number: u8) {
        self.forget(&path_of(number));
    }

    /// The connection as a client that was killed leaves it.
    pub fn connect_silently(&mut self, number: u8) {
        let path = path_of(number);
        self.hear(&path);
        self.link_up(&path);
        self.resolve(&path, self.peripherals[&path].link);
    }
}

/// The loop.
impl Service {
    /// Waits for messages, `idle` at most, and does all that is due.
    pub(super) fn turn(&mut self, idle: Duration) {
        let now = Instant::now();
        while let Some(due) = self.timers.first_entry()
            && due.key().0 <= now
        {
            due.remove()(self);
        }
        if now >= self.next_advertisement {
            self.next_advertisement = now + ADVERTISE;
            self.advertise();
        }
        let Some(channel) = &self.channel else {
            std::thread::sleep(idle);
            return;
        };
        if channel.read_write(Some(idle)).is_err() {
            // The bus died, and a real service dies of it.
            self.vanish();
            return;
        }
        while let Some(message) = self.channel.as_ref().and_then(Channel::pop_message) {
            self.receive(message);
        }
    }

    fn after(&mut self, delay: Duration, work: impl FnOnce(&mut Self) + Send + 'static) {
        self.at(Instant::now() + delay, work);
    }

    fn at(&mut self, time: Instant, work: impl FnOnce(&mut Self) + Send + 'static) {
        self.timers_made += 1;
        self.timers.insert((time, self.timers_made), Box::new(work));
    }

    fn receive(&mut self, message: Message) {
        if message.msg_type() == MessageType::Signal {
            if message.member().as_deref() == Some("NameOwnerChanged")
                && let (Some(name), _, Some("")) = message.get3::<&str, &str, &str>()
            {
                self.client_left(&name.to_owned());
            }
            return;
        }
        if message.msg_type() != MessageType::MethodCall {
            return;
        }
        let method = text(message.member());
        *self.calls.entry(method.clone()).or_default() += 1;
        match strike(&mut self.faults, &method) {
            None => self.call(&message),
            Some(Outcome::Silence) => {}
            Some(Outcome::Error(name, text)) => self.refuse(&message, &(name, text)),
            Some(Outcome::Late(delay)) => self.after(delay, move |this| this.call(&message)),
        }
    }

    fn client_left(&mut self, client: &str) {
        if self.scanners.remove(client) && self.scanners.is_empty() {
            self.discovering_ended();
        }
        for peripheral in self.peripherals.values_mut() {
            peripheral.notifying.remove(client);
        }
    }

    fn call(&mut self, message: &Message) {
        let (path, method) = (text(message.path()), text(message.member()));
        let result = match text(message.interface()).as_str() {
            "org.freedesktop.DBus.ObjectManager" => {
                Ok(Some(message.method_return().append1(self.tree.managed())))
            }
            "org.freedesktop.DBus.Introspectable" => Ok(Some(
                message.method_return().append1(self.tree.introspect(&path)),
            )),
            interface if !self.knows(&path, interface) => Err(unknown(&method, interface)),
            "org.freedesktop.DBus.Properties" => self.properties(message, &path, &method),
            ADAPTER => self.adapter(message, &method),
            DEVICE => self.device(message, &path, &method),
            CHARACTERISTIC => self.characteristic(message, &path, &method),
            interface => Err(unknown(&method, interface)),
        };
        match result {
            Ok(Some(reply)) => self.send(reply),
            // Later, or never.
            Ok(None) => {}
            Err(refusal) => self.refuse(message, &refusal),
        }
    }

    fn knows(&self, path: &str, interface: &str) -> bool {
        let object = self.tree.0.get(path);
        object.is_some_and(|object| {
            interface == "org.freedesktop.DBus.Properties" || object.contains_key(interface)
        })
    }

    fn send(&self, message: Message) {
        if let Some(channel) = &self.channel {
            // It fails only if the bus is gone, which the loop notices.
            let _ = channel.send(message);
        }
    }

    fn refuse(&self, message: &Message, why: &Refusal) {
        self.send(refusal(message, why));
    }
}

/// The interfaces.
impl Service {
    fn properties(
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
            "Set" if interface == ADAPTER => {
                let on: (_, _, Option<dbus::arg::Variant<bool>>) =
                    message.get3::<&str, &str, dbus::arg::Variant<bool>>();
                if let Some(on) = on.2
                    && on.0 != self.is_powered()
                {
                    self.power(on.0);
                }
                Ok(Some(reply))
            }
            _ => Err(unknown(method, &interface)),
        }
    }

    fn adapter(&mut self, message: &Message, method: &str) -> Result<Option<Message>, Refusal> {
        let client = text(message.sender());
        let not_ready = || bluez("NotReady", "Resource Not Ready");
        match method {
            "SetDiscoveryFilter" => {}
            "StartDiscovery" | "StopDiscovery" if !self.is_powered() => return Err(not_ready()),
            "StartDiscovery" => {
                if !self.scanners.insert(client) {
                    return Err(bluez("InProgress", "Operation already in progress"));
                }
                self.send(message.method_return());
                let discovering = Properties::from([("Discovering", true.into())]);
                self.change(HCI0, ADAPTER, discovering);
                return Ok(None);
            }
            "StopDiscovery" => {
                if !self.scanners.remove(&client) {
                    return Err(bluez("Failed", "No discovery started"));
                }
                if self.scanners.is_empty() {
                    self.discovering_ended();
                }
            }
            _ => return Err(unknown(method, ADAPTER)),
        }
        Ok(Some(message.method_return()))
    }

    fn device(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        match method {
            "Connect" => self.connect(message, path),
            "Disconnect" => self.disconnect(message, path),
            _ => Err(unknown(method, DEVICE)),
        }
    }

    fn connect(&mut self, message: &Message, path: &str) -> Result<Option<Message>, Refusal> {
        if !self.is_powered() {
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

    fn disconnect(&mut self, message: &Message, path: &str) -> Result<Option<Message>, Refusal> {
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

    fn characteristic(
        &mut self,
        message: &Message,
        path: &str,
        method: &str,
    ) -> Result<Option<Message>, Refusal> {
        let device = path.split("/service").next().unwrap_or_default().to_owned();
        let client = text(message.sender());
        let Some(peripheral) = self.peripherals.get_mut(&device) else {
            return Err(unknown(method, CHARACTERISTIC));
        };
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
                    self.change(path, CHARACTERISTIC, notifying);
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
                    peripheral.pack.write(&value, now_ms);
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

/// What happens on the air.
impl Service {
    fn is_powered(&self) -> bool {
        self.tree.get(HCI0, ADAPTER, "Powered") == Some(&Value::Flag(true))
    }

    fn paths(&self) -> Vec<String> {
        self.peripherals.keys().cloned().collect()
    }

    fn advertise(&mut self) {
        let now = Instant::now();
        for path in self.paths() {
            let peripheral = &self.peripherals[&path];
            if peripheral.connected || peripheral.pending.is_some() {
                self.last_heard.insert(path, now);
                continue;
            }
            if !self.scanners.is_empty() && !peripheral.is_silent() {
                self.hear(&path);
            } else if self
                .last_heard
                .get(&path)
                .is_some_and(|heard| heard.elapsed() > self.forget_after)
            {
                self.forget(&path);
            }
        }
    }

    /// One advertisement.
    fn hear(&mut self, path: &str) {
        self.last_heard.insert(path.to_owned(), Instant::now());
        let known = self.tree.contains(path);
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.heard += 1;
        let rssi = -60 - i16::try_from(peripheral.heard % 5).expect("small");
        if !known {
            let device = peripheral.device(HCI0, rssi);
            self.export(path, device);
            return;
        }
        let late_name = peripheral.heard == peripheral.config.name_after;
        let mut changed = Properties::from([
            ("RSSI", Value::I16(rssi)),
            ("ManufacturerData", peripheral.manufacturer_data()),
        ]);
        if late_name {
            changed.extend(peripheral.name());
        }
        self.change(path, DEVICE, changed);
    }

    fn link_up(&mut self, path: &str) {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.connected = true;
        peripheral.was_connected = true;
        peripheral.link += 1;
        let now_ms = peripheral.now_ms();
        peripheral.pack.connect(now_ms);
        self.change(path, DEVICE, Properties::from([("Connected", true.into())]));
        self.drive(path);
    }

    fn resolve(&mut self, path: &str, link: u64) {
        let peripheral = &self.peripherals[path];
        if !peripheral.connected || peripheral.link != link {
            return;
        }
        let service = uuid(peripheral.config.attributes.service);
        for (path, interfaces) in peripheral.attributes() {
            if !self.tree.contains(&path) {
                self.export(&path, interfaces);
            }
        }
        let resolved = Properties::from([
            ("UUIDs", Value::Texts(vec![service])),
            ("ServicesResolved", true.into()),
        ]);
        self.change(path, DEVICE, resolved);
    }

    fn drop_link(&mut self, path: &str) {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        if !peripheral.connected {
            return;
        }
        peripheral.connected = false;
        peripheral.link += 1;
        peripheral.pack.disconnect();
        let gone = Properties::from([
            ("ServicesResolved", false.into()),
            ("Connected", false.into()),
        ]);
        self.change(path, DEVICE, gone);
    }

    /// Lets the pack say what is due, and sees to it that it is asked again.
    fn drive(&mut self, path: &str) {
        let Some(peripheral) = self.peripherals.get_mut(path) else {
            return;
        };
        let now_ms = peripheral.now_ms();
        let Some(output) = peripheral.pack.poll(now_ms) else {
            if let Some(due) = peripheral.due() {
                let path = path.to_owned();
                self.at(due, move |this| this.drive(&path));
            }
            return;
        };
        match output {
            Output::LinkLost => self.drop_link(path),
            Output::Notify(mut chunk) => {
                chunk.truncate(peripheral.packet());
                let characteristic = peripheral.notify_path();
                if !peripheral.notifying.is_empty() {
                    let left = peripheral.cut_after.as_mut().map(|left| {
                        *left -= 1;
                        *left
                    });
                    if left == Some(0) {
                        peripheral.cut_after = None;
                    }
                    let value = Properties::from([("Value", Value::Bytes(chunk))]);
                    self.change(&characteristic, CHARACTERISTIC, value);
                    if left == Some(0) {
                        self.drop_link(path);
                    }
                }
            }
        }
        self.drive(path);
    }

    fn stop_scanning(&mut self) {
        if !self.scanners.is_empty() {
            self.scanners.clear();
            self.discovering_ended();
        }
    }

    fn discovering_ended(&mut self) {
        for path in self.paths() {
            if let Some(device) = self.tree.0.get_mut(&path).and_then(|of| of.get_mut(DEVICE))
                && device.remove("RSSI").is_some()
            {
                self.changed(&path, DEVICE, &Properties::new(), &["RSSI"]);
            }
        }
        let discovering = Properties::from([("Discovering", false.into())]);
        self.change(HCI0, ADAPTER, discovering);
    }

    fn forget(&mut self, path: &str) {
        if !self.tree.contains(path) {
            return;
        }
        self.last_heard.remove(path);
        self.drop_link(path);
        self.tree.remove(path);
        if let Some(peripheral) = self.peripherals.get_mut(path) {
            peripheral.was_connected = false;
            peripheral.notifying.clear();
        }
        let signal = signal(
            "/",
            "org.freedesktop.DBus.ObjectManager",
            "InterfacesRemoved",
        );
        self.send(signal.append2(Path::from(path.to_owned()), vec![DEVICE]));
    }

    fn export(&mut self, path: &str, object: Interfaces) {
        let signal = signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
        self.send(signal.append2(Path::from(path.to_owned()), interfaces(&object)));
        self.tree.0.insert(path.to_owned(), object);
    }

    /// Changes properties and tells everybody.
    fn change(&mut self, path: &str, interface: &'static str, changed: Properties) {
        for (&name, value) in &changed {
            self.tree.set(path, interface, name, value.clone());
        }
        self.changed(path, interface, &changed, &[]);
    }

    fn changed(&self, path: &str, interface: &str, changed: &Properties, gone: &[&str]) {
        let signal = signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        self.send(signal.append3(interface, prop_map(changed), gone));
    }
}

fn path_of(number: u8) -> String {
    format!("{HCI0}/dev_A4_C1_38_00_00_{number:02X}")
}

fn signal(path: &str, interface: &str, name: &str) -> Message {
    Message::signal(
        &Path::from(path.to_owned()),
        &Interface::from(interface.to_owned()),
        &Member::from(name.to_owned()),
    )
}

fn text(name: Option<impl std::ops::Deref<Target = str>>) -> String {
    name.map(|name| name.to_owned()).unwrap_or_default()
}

fn refusal(message: &Message, (name, text): &Refusal) -> Message {
    let text = CString::new(text.as_str()).expect("no zeros in messages");
    message.error(&ErrorName::from(name.as_str()), &text)
}

fn bluez(name: &str, text: &str) -> Refusal {
    (format!("org.bluez.Error.{name}"), text.to_owned())
}

fn invalid(text: &str) -> Refusal {
    let name = "org.freedesktop.DBus.Error.InvalidArgs";
    (name.to_owned(), text.to_owned())
}

fn unknown(method: &str, interface: &str) -> Refusal {
    (
        "org.freedesktop.DBus.Error.UnknownObject".to_owned(),
        format!(
            "Method \"{method}\" with signature \"\" on interface \"{interface}\" doesn't exist"
        ),
    )
}

fn bus_call(channel: &Channel, method: &str, arguments: impl FnOnce(Message) -> Message) {
    let call = Message::new_method_call(
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        method,
    );
    let call = arguments(call.expect("valid names"));
    channel
        .send_with_reply_and_block(call, Duration::from_secs(5))
        .expect("the bus answers");
}
