//! The service itself: calls in, replies and signals out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::CString;
use std::time::{Duration, Instant};

use dbus::channel::Channel;
use dbus::message::MessageType;
use dbus::strings::{ErrorName, Interface, Member};
use dbus::{Message, Path};

use super::fault::{Fault, Outcome, strike};
use super::object::{Interfaces, Properties, Tree, Value, interfaces, prop_map};
use super::peripheral::{CHARACTERISTIC, Config, DEVICE, Peripheral};

mod air;
mod calls;
mod pairing;

pub use pairing::Answer;
pub(super) use pairing::Pending;
use pairing::{Agent, MANAGER};

const ADAPTER: &str = "org.bluez.Adapter1";
const HCI0: &str = "/org/bluez/hci0";
const HCI1: &str = "/org/bluez/hci1";

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
    /// Adapter and client.
    scanners: HashSet<(String, String)>,
    timers: BTreeMap<(Instant, u64), Timer>,
    timers_made: u64,
    next_advertisement: Instant,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: HashMap<String, usize>,
    /// When somebody called for the first time.
    pub first_call: Option<Instant>,
    /// The first one is asked about whatever concerns no other.
    agents: Vec<Agent>,
    /// Questions to agents, and the devices they are about.
    asked: HashMap<u32, String>,
    answers: Vec<Answer>,
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
            first_call: None,
            agents: Vec::new(),
            asked: HashMap::new(),
            answers: Vec::new(),
            forget_after: Duration::from_secs(30),
            last_heard: HashMap::new(),
        };
        let manager = Interfaces::from([(MANAGER, Properties::new())]);
        service.export("/org/bluez", manager);
        service.plug_in();
        service
    }

    pub(super) fn add(&mut self, config: Config) {
        let adapter = if config.second_adapter { HCI1 } else { HCI0 };
        let peripheral = Peripheral::new(adapter, config);
        self.peripherals.insert(peripheral.path.clone(), peripheral);
    }

    /// The peripheral with this last byte in its address.
    pub fn peripheral(&mut self, number: u8) -> &mut Peripheral {
        let path = self.path_of(number);
        self.peripherals.get_mut(&path).expect("looked for above")
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
        self.agents.clear();
        self.asked.clear();
        for peripheral in self.peripherals.values_mut() {
            peripheral.connected = false;
            peripheral.link += 1;
            peripheral.pending = None;
            peripheral.pairing = None;
            peripheral.notifying.clear();
            peripheral.was_connected = false;
            peripheral.behind.disconnect();
            self.tree.remove(&peripheral.path);
        }
        for adapter in [HCI0, HCI1] {
            let off = false.into();
            self.tree.set(adapter, ADAPTER, "Discovering", off);
        }
    }

    /// Adds the adapter.
    pub fn plug_in(&mut self) {
        self.plug_in_at(HCI0, "00:1A:7D:DA:71:13");
    }

    /// Adds another one.
    pub fn plug_in_second(&mut self) {
        self.plug_in_at(HCI1, "00:1A:7D:DA:71:14");
    }

    fn plug_in_at(&mut self, path: &str, address: &str) {
        let adapter = Properties::from([
            ("Address", address.into()),
            ("AddressType", "public".into()),
            ("Name", "gateway".into()),
            ("Alias", "gateway".into()),
            ("Powered", true.into()),
            ("Discovering", false.into()),
            ("Class", Value::U32(0)),
            ("Modalias", "usb:v1D6Bp0246d0542".into()),
        ]);
        self.export(path, Interfaces::from([(ADAPTER, adapter)]));
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
        self.power_at(HCI0, on);
    }

    fn power_at(&mut self, adapter: &str, on: bool) {
        if !on {
            for path in self.paths_at(adapter) {
                self.drop_link(&path);
                if !self.peripherals[&path].was_connected {
                    self.forget(&path);
                }
            }
            self.stop_scanning(adapter);
        }
        let powered = Properties::from([("Powered", on.into())]);
        self.change(adapter, ADAPTER, &powered);
    }

    /// The link is lost.
    pub fn lose(&mut self, number: u8) {
        self.drop_link(&self.path_of(number));
    }

    /// A phone connects, which works while nobody else is connected, asks, and
    /// leaves with the answer.
    pub fn phone(&mut self, number: u8, request: &[u8]) -> Vec<u8> {
        let peripheral = self.peripheral(number);
        assert!(!peripheral.connected, "one central at a time");
        peripheral.ask(request)
    }

    /// Takes a device off the list of known ones.
    pub fn forget_device(&mut self, number: u8) {
        self.forget(&self.path_of(number));
    }

    /// The connection as a client that was killed leaves it.
    pub fn connect_silently(&mut self, number: u8) {
        let path = self.path_of(number);
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
                self.client_left(name);
            }
            return;
        }
        if message.msg_type() != MessageType::MethodCall {
            self.agent_answered(message);
            return;
        }
        let method = text(message.member());
        *self.calls.entry(method.clone()).or_default() += 1;
        self.first_call.get_or_insert_with(Instant::now);
        match strike(&mut self.faults, &method) {
            None => self.call(&message),
            Some(Outcome::Silence) => {}
            Some(Outcome::Error(name, text)) => self.refuse(&message, &(name, text)),
            Some(Outcome::Late(delay)) => self.after(delay, move |this| this.call(&message)),
        }
    }

    fn client_left(&mut self, client: &str) {
        for adapter in [HCI0, HCI1] {
            self.stop_scanning_for(adapter, client);
        }
        for peripheral in self.peripherals.values_mut() {
            peripheral.notifying.remove(client);
        }
        self.agent_left(client);
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
            ADAPTER => self.adapter(message, &path, &method),
            MANAGER => self.agent_manager(message, &method),
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

    fn path_of(&self, number: u8) -> String {
        let end = format!("/dev_A4_C1_38_00_00_{number:02X}");
        let mut paths = self.peripherals.keys();
        let path = paths.find(|path| path.ends_with(&end));
        path.expect("it was added").clone()
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

/// Objects and those who watch them.
impl Service {
    fn export(&mut self, path: &str, object: Interfaces) {
        let signal = signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
        self.send(signal.append2(Path::from(path.to_owned()), interfaces(&object)));
        self.tree.0.insert(path.to_owned(), object);
    }

    /// Changes properties and tells everybody.
    fn change(&mut self, path: &str, interface: &'static str, changed: &Properties) {
        for (&name, value) in changed {
            self.tree.set(path, interface, name, value.clone());
        }
        self.changed(path, interface, changed, &[]);
    }

    fn changed(&self, path: &str, interface: &str, changed: &Properties, gone: &[&str]) {
        let signal = signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        self.send(signal.append3(interface, prop_map(changed), gone));
    }
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
