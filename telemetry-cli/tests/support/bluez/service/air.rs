//! What happens on the air.

use std::time::Instant;

use dbus::Path;

use super::super::device::Output;
use super::super::object::{Properties, Value};
use super::super::peripheral::{CHARACTERISTIC, DEVICE, uuid};
use super::{ADAPTER, Service, signal};

impl Service {
    pub(super) fn is_powered(&self, adapter: &str) -> bool {
        self.tree.get(adapter, ADAPTER, "Powered") == Some(&Value::Flag(true))
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.peripherals.keys().cloned().collect()
    }

    pub(super) fn paths_at(&self, adapter: &str) -> Vec<String> {
        let all = self.paths().into_iter();
        all.filter(|path| adapter_of(path) == adapter).collect()
    }

    fn is_scanning_at(&self, adapter: &str) -> bool {
        self.scanners.iter().any(|(at, _)| at == adapter)
    }

    pub(super) fn advertise(&mut self) {
        let now = Instant::now();
        for path in self.paths() {
            let peripheral = &self.peripherals[&path];
            if peripheral.connected || peripheral.pending.is_some() {
                self.last_heard.insert(path, now);
                continue;
            }
            if self.is_scanning_at(adapter_of(&path)) && !peripheral.is_silent() {
                self.hear(&path);
            } else if !peripheral.paired
                && self
                    .last_heard
                    .get(&path)
                    .is_some_and(|heard| heard.elapsed() > self.forget_after)
            {
                self.forget(&path);
            }
        }
    }

    /// One advertisement.
    pub(super) fn hear(&mut self, path: &str) {
        self.last_heard.insert(path.to_owned(), Instant::now());
        let known = self.tree.contains(path);
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.heard += 1;
        let rssi = -60 - i16::try_from(peripheral.heard % 5).expect("small");
        if !known {
            let device = peripheral.device(adapter_of(path), rssi);
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
        self.change(path, DEVICE, &changed);
    }

    pub(super) fn link_up(&mut self, path: &str) {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        peripheral.connected = true;
        peripheral.was_connected = true;
        peripheral.link += 1;
        let now_ms = peripheral.now_ms();
        peripheral.behind.connect(now_ms);
        self.change(
            path,
            DEVICE,
            &Properties::from([("Connected", true.into())]),
        );
        self.drive(path);
    }

    pub(super) fn resolve(&mut self, path: &str, link: u64) {
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
        self.change(path, DEVICE, &resolved);
    }

    pub(super) fn drop_link(&mut self, path: &str) {
        let peripheral = self.peripherals.get_mut(path).expect("a path of ours");
        if !peripheral.connected {
            return;
        }
        peripheral.connected = false;
        peripheral.link += 1;
        peripheral.behind.disconnect();
        let gone = Properties::from([
            ("ServicesResolved", false.into()),
            ("Connected", false.into()),
        ]);
        self.change(path, DEVICE, &gone);
    }

    /// Lets the pack say what is due, and sees to it that it is asked again.
    pub(super) fn drive(&mut self, path: &str) {
        let Some(peripheral) = self.peripherals.get_mut(path) else {
            return;
        };
        let now_ms = peripheral.now_ms();
        let Some(output) = peripheral.behind.poll(now_ms) else {
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
                    peripheral.said_at = Some(Instant::now());
                    peripheral.said.extend(&chunk);
                    let value = Properties::from([("Value", Value::Bytes(chunk))]);
                    self.change(&characteristic, CHARACTERISTIC, &value);
                    if left == Some(0) {
                        self.drop_link(path);
                    }
                }
            }
        }
        self.drive(path);
    }

    pub(super) fn stop_scanning(&mut self, adapter: &str) {
        if self.is_scanning_at(adapter) {
            self.scanners.retain(|(at, _)| at != adapter);
            self.discovering_ended(adapter);
        }
    }

    /// False if `client` did not scan.
    pub(super) fn stop_scanning_for(&mut self, adapter: &str, client: &str) -> bool {
        let scanner = (adapter.to_owned(), client.to_owned());
        let scanned = self.scanners.remove(&scanner);
        if scanned && !self.is_scanning_at(adapter) {
            self.discovering_ended(adapter);
        }
        scanned
    }

    fn discovering_ended(&mut self, adapter: &str) {
        for path in self.paths_at(adapter) {
            if let Some(device) = self.tree.0.get_mut(&path).and_then(|of| of.get_mut(DEVICE))
                && device.remove("RSSI").is_some()
            {
                self.changed(&path, DEVICE, &Properties::new(), &["RSSI"]);
            }
        }
        let discovering = Properties::from([("Discovering", false.into())]);
        self.change(adapter, ADAPTER, &discovering);
    }

    pub(super) fn forget(&mut self, path: &str) {
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
}

/// The adapter that a device is behind.
pub(super) fn adapter_of(device: &str) -> &str {
    device
        .rsplit_once('/')
        .map_or(device, |(adapter, _)| adapter)
}
