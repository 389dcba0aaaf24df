//! A peripheral: what it advertises, its services, and the device behind it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bluetti_modbus::simulator::{Station, StationConfig};
use dbus::Message;
use jbd_bms::simulator::{Access, PackConfig};

use super::device::{self, Device, Output};
use super::object::{Interfaces, Properties, Value};
use super::service::Pending;

pub(super) const DEVICE: &str = "org.bluez.Device1";
pub(super) const SERVICE: &str = "org.bluez.GattService1";
pub(super) const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
pub(super) const DESCRIPTOR: &str = "org.bluez.GattDescriptor1";

/// How a peripheral looks and behaves. Start from [`Config::pack`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Advertised name.
    pub name: Option<String>,
    /// The device behind it; its address is the peripheral's.
    pub pack: PackConfig,
    /// A power station in its place, at the same address.
    pub station: Option<StationConfig>,
    /// What it offers once connected.
    pub attributes: Attributes,
    /// Largest packet, told as the MTU property; not told if `None`, and then 23.
    pub mtu: Option<u16>,
    /// From a connection to `ServicesResolved`.
    pub services_delay: Duration,
    /// How long BlueZ takes to disconnect it; real ones 2 s and more.
    pub disconnect_delay: Duration,
    /// The packs' clock runs so many times faster.
    pub speed: u32,
    /// In reach of the second adapter, and of no other.
    pub second_adapter: bool,
    /// What it wants before it talks.
    pub security: Security,
    /// Its manufacturer data is its address, as that of many modules.
    pub advertises_address: bool,
    /// Its name comes only with so many advertisements.
    pub name_after: u32,
}

impl Config {
    /// A pack of this name at A4:C1:38:00:00:`number`.
    pub fn pack(name: &str, number: u8) -> Self {
        Self {
            name: Some(name.to_owned()),
            pack: PackConfig {
                address: [0xA4, 0xC1, 0x38, 0, 0, number],
                ..PackConfig::default()
            },
            station: None,
            attributes: Attributes::STANDARD,
            mtu: Some(23),
            services_delay: Duration::from_millis(20),
            disconnect_delay: Duration::from_millis(20),
            speed: 20,
            second_adapter: false,
            security: Security::Open,
            advertises_address: true,
            name_after: 0,
        }
    }

    /// Such a pack, with something in front of what it says.
    pub fn secured(number: u8, security: Security) -> Self {
        let mut config = Self::pack(&format!("Pack {number}"), number);
        if let Security::Echo(_) = security {
            config.pack.access = Access::Pairing;
        }
        Self { security, ..config }
    }

    /// A station of this name at A4:C1:38:00:00:`number`.
    pub fn station(name: &str, number: u8, station: StationConfig) -> Self {
        Self {
            station: Some(station),
            // A handshake is quick, and its time limits are short.
            speed: 1,
            ..Self::pack(name, number)
        }
    }

    /// Its address, upper case with colons.
    pub fn address(&self) -> String {
        self.pack
            .address
            .map(|byte| format!("{byte:02X}"))
            .join(":")
    }
}

/// What a peripheral wants before it talks; the numbers are its passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    Open,
    /// Its attributes are refused before it is paired.
    Attributes(u32),
    /// The same, and it hangs up when the passkey is wrong.
    Leaving(u32),
    /// The same, and it asks for the passkey as soon as they are used.
    Asking(u32),
    /// What is written comes back until it is paired.
    Echo(u32),
}

impl Security {
    pub(super) fn passkey(self) -> Option<u32> {
        match self {
            Self::Open => None,
            Self::Attributes(passkey)
            | Self::Leaving(passkey)
            | Self::Asking(passkey)
            | Self::Echo(passkey) => Some(passkey),
        }
    }
}

/// The one service with its two characteristics.
#[derive(Clone, Copy, Debug)]
pub struct Attributes {
    pub service: u16,
    pub notify: (u16, &'static [&'static str]),
    pub write: (u16, &'static [&'static str]),
}

impl Attributes {
    /// Almost every pack.
    pub const STANDARD: Self = Self {
        service: 0xFF00,
        notify: (0xFF01, &["read", "notify"]),
        write: (0xFF02, &["read", "write-without-response"]),
    };

    /// Modules of another make.
    pub const DH04: Self = Self {
        service: 0xFFF0,
        notify: (0xFFF1, &["read", "notify"]),
        write: (0xFFF2, &["write"]),
    };

    /// Something else altogether.
    pub const HEART_RATE: Self = Self {
        service: 0x180D,
        notify: (0x2A37, &["notify"]),
        write: (0x2A39, &["write"]),
    };
}

/// A peripheral within reach.
#[derive(Debug)]
pub struct Peripheral {
    pub config: Config,
    pub(super) path: String,
    pub(super) behind: Device,
    began: Instant,
    /// In the hands of another central: silent, not advertising.
    pub held: bool,
    /// Out of reach: silent, too.
    pub away: bool,
    pub(super) connected: bool,
    /// Counts links, so that nothing of one leaks into the next.
    pub(super) link: u64,
    /// What an attempt that nobody answers is told when it is ended.
    pub(super) pending: Option<Message>,
    pub(super) pairing: Option<Pending>,
    /// Paired for good.
    pub paired: bool,
    /// Clients that get notifications; they outlast links.
    pub(super) notifying: HashSet<String>,
    pub(super) heard: u32,
    pub(super) was_connected: bool,
    /// When it notified last.
    pub said_at: Option<Instant>,
    /// The link is lost after so many notifications.
    pub cut_after: Option<usize>,
    /// Lengths of what was written.
    pub writes: Vec<usize>,
    /// All bytes that were notified.
    pub said: Vec<u8>,
}

impl Peripheral {
    pub(super) fn new(adapter: &str, config: Config) -> Self {
        let address = config.address().replace(':', "_");
        Self {
            path: format!("{adapter}/dev_{address}"),
            behind: match &config.station {
                None => device::pack(&config.pack),
                Some(station) => device::station(station),
            },
            config,
            began: Instant::now(),
            held: false,
            away: false,
            connected: false,
            link: 0,
            pending: None,
            pairing: None,
            paired: false,
            notifying: HashSet::new(),
            heard: 0,
            was_connected: false,
            said_at: None,
            cut_after: None,
            writes: Vec::new(),
            said: Vec::new(),
        }
    }

    /// The power station behind it.
    pub fn station(&mut self) -> &mut Station {
        match &mut self.behind {
            Device::Station(station) => station,
            Device::Pack(_) => panic!("this is a pack"),
        }
    }

    /// From now on it is paired.
    pub(super) fn bond(&mut self) {
        self.paired = true;
        if self.config.pack.access == Access::Pairing {
            self.config.pack.access = Access::Open;
            self.behind = device::pack(&self.config.pack);
            self.behind.connect(self.now_ms());
        }
    }

    /// What the pack answers to somebody who just connected.
    pub(super) fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        let now_ms = self.now_ms();
        self.behind.connect(now_ms);
        self.behind.write(request, now_ms);
        let mut answer = Vec::new();
        while let Some(at_ms) = self.behind.next_at() {
            match self.behind.poll(at_ms) {
                // What modules send when they are connected.
                Some(Output::Notify(chunk)) if chunk == [0] => {}
                Some(Output::Notify(chunk)) => answer.extend(chunk),
                Some(Output::LinkLost) | None => break,
            }
        }
        self.behind.disconnect();
        answer
    }

    /// Nobody gets through to it.
    pub(super) fn is_silent(&self) -> bool {
        self.held || self.away
    }

    /// The pack's time.
    pub(super) fn now_ms(&self) -> u64 {
        let elapsed = self.began.elapsed() * self.config.speed;
        u64::try_from(elapsed.as_millis()).expect("tests end some day")
    }

    /// When the pack has something to say.
    pub(super) fn due(&self) -> Option<Instant> {
        let at = Duration::from_millis(self.behind.next_at()?);
        Some(self.began + at / self.config.speed + Duration::from_micros(200))
    }

    /// Room for a value in one packet.
    pub(super) fn packet(&self) -> usize {
        usize::from(self.config.mtu.unwrap_or(23)) - 3
    }

    pub(super) fn notify_path(&self) -> String {
        format!("{}/service000e/char000f", self.path)
    }

    pub(super) fn write_path(&self) -> String {
        format!("{}/service000e/char0012", self.path)
    }

    /// The device as it is first heard.
    pub(super) fn device(&self, adapter: &str, rssi: i16) -> Interfaces {
        let config = &self.config;
        let alias = config.address().replace(':', "-");
        let mut device = Properties::from([
            ("Address", Value::Text(config.address())),
            ("AddressType", "public".into()),
            ("Alias", Value::Text(alias)),
            ("Adapter", Value::Path(adapter.to_owned())),
            ("Paired", self.paired.into()),
            ("Bonded", self.paired.into()),
            ("Connected", false.into()),
            ("ServicesResolved", false.into()),
            ("Trusted", false.into()),
            ("Blocked", false.into()),
            ("LegacyPairing", false.into()),
            ("RSSI", Value::I16(rssi)),
            ("UUIDs", Value::Texts(vec![uuid(config.attributes.service)])),
            ("ManufacturerData", self.manufacturer_data()),
        ]);
        if config.name_after == 0 {
            device.extend(self.name());
        }
        Interfaces::from([
            (DEVICE, device),
            ("org.freedesktop.DBus.Introspectable", Properties::new()),
            ("org.freedesktop.DBus.Properties", Properties::new()),
        ])
    }

    pub(super) fn name(&self) -> Properties {
        let name = self.config.name.as_deref();
        name.map(|name| [("Name", name.into()), ("Alias", name.into())])
            .into_iter()
            .flatten()
            .collect()
    }

    /// The address once more, reversed, as many modules do it.
    pub(super) fn manufacturer_data(&self) -> Value {
        let [a, b, c, d, e, f] = self.config.pack.address;
        let company = u16::from_le_bytes([f, e]);
        let address = (company, vec![d, c, b, a]);
        let data = self.config.advertises_address.then_some(address);
        Value::Manufacturer(data.into_iter().collect())
    }

    /// What appears with the first connection.
    pub(super) fn attributes(&self) -> Vec<(String, Interfaces)> {
        let Attributes {
            service,
            notify,
            write,
        } = self.config.attributes;
        let service_path = format!("{}/service000e", self.path);
        let characteristic = |(number, flags): (u16, &[&str])| {
            let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
            let mut properties = Properties::from([
                ("UUID", Value::Text(uuid(number))),
                ("Service", Value::Path(service_path.clone())),
                ("Flags", Value::Texts(flags)),
                ("Notifying", false.into()),
            ]);
            if let Some(mtu) = self.config.mtu {
                properties.insert("MTU", Value::U16(mtu));
            }
            Interfaces::from([(CHARACTERISTIC, properties)])
        };
        let service_properties = Properties::from([
            ("UUID", Value::Text(uuid(service))),
            ("Primary", true.into()),
            ("Device", Value::Path(self.path.clone())),
        ]);
        let descriptor = Properties::from([
            ("UUID", Value::Text(uuid(0x2902))),
            ("Characteristic", Value::Path(self.notify_path())),
        ]);
        vec![
            (
                service_path.clone(),
                Interfaces::from([(SERVICE, service_properties)]),
            ),
            (self.notify_path(), characteristic(notify)),
            (
                format!("{}/desc0011", self.notify_path()),
                Interfaces::from([(DESCRIPTOR, descriptor)]),
            ),
            (self.write_path(), characteristic(write)),
        ]
    }
}

pub(super) fn uuid(number: u16) -> String {
    format!("0000{number:04x}-0000-1000-8000-00805f9b34fb")
}
