//! `[[bluetti]]`

use bluetti_modbus::model::Model;

use super::{Check, is_address};
use crate::config::report::Problem;
use crate::config::tree::Path;
use crate::config::{Bluetti, Config};

impl Check<'_> {
    pub(super) fn bluetti(&mut self, config: &Config) {
        for (index, station) in config.bluetti.iter().enumerate() {
            self.station(&Path::table("bluetti").index(index), station);
        }
    }

    fn station(&mut self, table: &Path, station: &Bluetti) {
        let at = |key| table.clone().key(key);
        let places = [&station.name, &station.address, &station.tcp];
        if places.iter().all(|place| place.is_none()) {
            let problem = Problem::error("this `[[bluetti]]` has no `name`, `address` or `tcp`")
                .help("add the name that the station advertises, or its Bluetooth address");
            self.add(table, problem);
        }
        for (key, text) in [("name", &station.name), ("label", &station.label)] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                self.add(&at(key), Problem::error(format!("`{key}` is empty")));
            }
        }
        if let Some(address) = &station.address
            && !is_address(address)
        {
            let problem = Problem::error(format!("`{address}` is not a Bluetooth address"))
                .expected("six pairs of hex digits, such as \"F0:5E:CD:00:00:01\"");
            self.add(&at("address"), problem);
        }
        if let Some(tcp) = &station.tcp {
            self.place(&at("tcp"), tcp);
            for (key, other) in [("name", &station.name), ("address", &station.address)] {
                if other.is_some() {
                    let problem = Problem::error(format!("`{key}` beside `tcp`")).help(
                        "a station is read over Bluetooth or over TCP: remove one of them; \
                         `label` is what people call it",
                    );
                    self.add_about(&at(key), &at("tcp"), problem);
                }
            }
        }
        self.at_least_a_second(&at("interval"), station.interval);
        if station.slave.is_some_and(|unit| unit > LAST_UNIT) {
            let problem = Problem::error("`slave` is no unit number")
                .expected("0 to 247; 1 for most stations, 0 for a few");
            self.add(&at("slave"), problem);
        }
        if let Some(name) = &station.model {
            self.model(&at("model"), name);
        }
    }

    fn place(&mut self, path: &Path, tcp: &str) {
        let port = tcp.rsplit_once(':').map(|(host, port)| {
            let host = !host.is_empty() && !host.contains(char::is_whitespace);
            host && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
        if port != Some(true) {
            let problem = Problem::error(format!("`{tcp}` is no host with a port"))
                .expected("such as \"station.lan:502\" or \"192.0.2.7:502\"");
            self.add(path, problem);
        }
    }

    fn model(&mut self, path: &Path, name: &str) {
        if Model::from_name(name).is_some() {
            return;
        }
        let known: Vec<_> = Model::ALL.iter().map(|model| model.name()).collect();
        let lower = name.to_lowercase();
        let near = known
            .iter()
            .min_by_key(|known| strsim::damerau_levenshtein(&lower, &known.to_lowercase()));
        let mut problem = Problem::error(format!("`{name}` is no model that is known"))
            .expected(known.join(", "));
        if let Some(near) = near {
            problem = problem.help(format!(
                "did you mean \"{near}\"? Without `model` the station is asked"
            ));
        }
        self.add(path, problem);
    }
}

/// The highest number that MODBUS has for a unit.
const LAST_UNIT: u8 = 247;
