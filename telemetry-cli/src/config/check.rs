//! What a table cannot know about itself: values that are out of range, that
//! contradict each other, or that point to something that is not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path as FilePath;
use std::time::Duration;

use super::pin;
use super::report::{Problem, Source};
use super::secret::plain;
use super::tree::{Path, Tree};
use super::{BrokerUrl, Config, Mqtt, PinError, Secret};
use crate::event::DeviceId;
use crate::log;

mod bluetti;
mod bmw;
mod mariadb;
mod saic;

/// What the checks know besides the values.
pub(super) struct Check<'a> {
    /// The file that was read.
    pub(super) file: &'a FilePath,
    pub(super) tree: &'a Tree<'a>,
    pub(super) source: &'a Source<'a>,
    /// Entries that were reported and taken out of the tree.
    pub(super) removed: &'a [Path],
    pub(super) problems: Vec<Problem>,
}

impl Check<'_> {
    /// All checks.
    pub(super) fn run(&mut self, config: &Config) {
        self.gateway(config);
        if let Some(mqtt) = &config.mqtt {
            self.mqtt(mqtt);
        }
        self.home_assistant(config);
        self.store(config);
        if let Some(mariadb) = &config.mariadb {
            self.mariadb(mariadb);
        }
        self.bluetooth(config);
        self.jbd(config);
        self.saic(config);
        self.bmw(config);
        self.bluetti(config);
        self.devices(config);
        self.secrets(config);
    }

    fn gateway(&mut self, config: &Config) {
        let gateway = &config.gateway;
        let at = |key| Path::table("gateway").key(key);
        if gateway.name.trim().is_empty() {
            self.add(&at("name"), Problem::error("`name` is empty"));
        }
        if let Err(error) = log::check_filter(&gateway.log) {
            let problem = Problem::error(format!("`log`: {error}")).expected(log::EXPECTED);
            self.add(&at("log"), problem);
        }
        self.at_least_a_second(&at("heartbeat"), gateway.heartbeat);
        if gateway.commit_interval > LONGEST_COMMIT {
            let problem = Problem::error("`commit_interval` is too long")
                .expected("at most \"60s\"; readings of this long are lost when the power fails");
            self.add(&at("commit_interval"), problem);
        }
        self.not_zero(&at("journal_max_age"), gateway.journal_max_age);
        if gateway.journal_max_megabytes == 0 {
            let problem = Problem::error("`journal_max_megabytes` is zero")
                .expected("at least 1: no reading survives without a journal");
            self.add(&at("journal_max_megabytes"), problem);
        }
        if gateway.journal_max_megabytes > LARGEST_JOURNAL {
            let problem = Problem::error("`journal_max_megabytes` is too large")
                .expected("at most 1000000, which is a terabyte");
            self.add(&at("journal_max_megabytes"), problem);
        }
    }

    fn mqtt(&mut self, mqtt: &Mqtt) {
        let at = |key| Path::table("mqtt").key(key);
        let broker = BrokerUrl::parse(&mqtt.url);
        if let Err(error) = &broker {
            let mut problem = Problem::error(format!("`url`: {error}"));
            problem.expected = error.expected();
            problem.help = error.help();
            self.add(&at("url"), problem);
        }
        if mqtt.password.is_some() && mqtt.user.is_none() {
            let problem = Problem::error("`password` without `user`")
                .help("MQTT has no password without a user name: add `user = \"…\"`");
            self.add(&at("password"), problem);
        }
        let files = [
            ("ca", mqtt.ca.as_deref()),
            ("client_cert", mqtt.client_cert.as_deref()),
            ("client_key", mqtt.client_key.as_deref()),
        ];
        let unused = broker
            .is_ok_and(|broker| !broker.tls)
            .then_some("write `tls://` or `wss://` in `url` for an encrypted connection");
        self.certificates(&Path::table("mqtt"), files, |_| {
            unused.map(|help| ("without TLS", help))
        });
        self.topic(&at("topic_prefix"), &mqtt.topic_prefix);
    }

    /// The files of `ca`, `client_cert` and `client_key`, in this order.
    /// `unused` says of a key why it does nothing, and what to write for it.
    fn certificates(
        &mut self,
        table: &Path,
        files: [(&str, Option<&FilePath>); 3],
        unused: impl Fn(&str) -> Option<(&'static str, &'static str)>,
    ) {
        let at = |key| table.clone().key(key);
        let [_, certificate, secret] = &files;
        for (given, other) in [(certificate, secret), (secret, certificate)] {
            if let ((given, Some(_)), (other, None)) = (given, other) {
                let problem = Problem::error(format!("`{given}` without `{other}`")).help(format!(
                    "a client certificate needs both: add `{other} = \"…\"`"
                ));
                self.add_about(&at(given), &at(other), problem);
            }
        }
        for (key, file) in files {
            let Some(file) = file else { continue };
            if let Some((why, help)) = unused(key) {
                let problem = Problem::error(format!("`{key}` {why}")).help(help);
                self.add(&at(key), problem);
            }
            if let Err(error) = File::open(file) {
                let file = file.display();
                let problem =
                    Problem::error(format!("`{key}`: cannot read {file}: {}", plain(&error)));
                self.add(&at(key), problem);
            }
        }
        if let (key, Some(file)) = secret {
            self.not_for_everybody(&at(key), file);
        }
    }

    fn home_assistant(&mut self, config: &Config) {
        let at = |key| Path::table("home_assistant").key(key);
        self.topic(&at("prefix"), &config.home_assistant.prefix);
        self.topic(&at("status_topic"), &config.home_assistant.status_topic);
    }

    fn store(&mut self, config: &Config) {
        self.not_zero(&Path::table("store").key("history"), config.store.history);
    }

    fn bluetooth(&mut self, config: &Config) {
        let adapter = config.bluetooth.adapter.as_deref();
        if adapter.is_some_and(|adapter| adapter.trim().is_empty()) {
            let problem = Problem::error("`adapter` is empty")
                .expected("a name such as \"hci0\", or the address of the adapter");
            self.add(&Path::table("bluetooth").key("adapter"), problem);
        }
    }

    fn jbd(&mut self, config: &Config) {
        for (index, device) in config.jbd.iter().enumerate() {
            let table = Path::table("jbd").index(index);
            let at = |key| table.clone().key(key);
            if device.name.is_none() && device.address.is_none() {
                let problem = Problem::error("this `[[jbd]]` has neither `name` nor `address`")
                    .help("add the name that the pack advertises, or its Bluetooth address");
                self.add(&table, problem);
            }
            for (key, value) in [("name", &device.name), ("label", &device.label)] {
                if value.as_ref().is_some_and(|text| text.trim().is_empty()) {
                    self.add(&at(key), Problem::error(format!("`{key}` is empty")));
                }
            }
            if let Some(address) = &device.address
                && !is_address(address)
            {
                let problem = Problem::error(format!("`{address}` is not a Bluetooth address"))
                    .expected("six pairs of hex digits, such as \"A4:C1:38:30:C2:8E\"");
                self.add(&at("address"), problem);
            }
            self.at_least_a_second(&at("interval"), device.interval);
            if device.reads_per_day == Some(0) {
                let problem = Problem::error("`reads_per_day` is zero")
                    .help("leave it out for no limit, or remove the device");
                self.add(&at("reads_per_day"), problem);
            }
        }
    }

    /// Devices that cannot be told apart.
    fn devices(&mut self, config: &Config) {
        let mut named: Vec<(DeviceId, bool, Path)> = Vec::new();
        let mut addresses = BTreeMap::new();
        let mut labels = BTreeMap::new();
        let jbd = config.jbd.iter().enumerate();
        let jbd = jbd.map(|(index, of)| ("jbd", index, [&of.name, &of.address, &of.label]));
        let bluetti = config.bluetti.iter().enumerate();
        let bluetti = bluetti.map(|(index, of)| {
            let address = if of.tcp.is_some() {
                &of.tcp
            } else {
                &of.address
            };
            ("bluetti", index, [&of.name, address, &of.label])
        });
        for (table, index, [name, address, label]) in jbd.chain(bluetti) {
            let at = |key| Path::table(table).index(index).key(key);
            if let Some(name) = name {
                // As in topics: what differs in case or spaces only is one name.
                let id = DeviceId::new(&[name]);
                let addressed = address.is_some();
                // Packs of one make often advertise one name; with an address
                // each that does no harm.
                let rival = named.iter().find(|(other, other_addressed, _)| {
                    *other == id && !(addressed && *other_addressed)
                });
                if let Some((_, _, first)) = rival {
                    let help = "tell them apart by `address`, one for each";
                    self.twice(first, &at("name"), &format!("the name `{name}`"), help);
                }
                named.push((id, addressed, at("name")));
            }
            if let Some(address) = address
                && let Some(first) = addresses.insert(address.to_uppercase(), at("address"))
            {
                let what = format!("the address `{address}`");
                self.twice(&first, &at("address"), &what, "remove one of them");
            }
            if let Some(label) = label
                && let Some(first) = labels.insert(label, at("label"))
            {
                let help = "give each a label of its own";
                self.twice(&first, &at("label"), &format!("the label `{label}`"), help);
            }
        }
        let tried = |path: &Path| matches!(path.keys()[..], ["jbd" | "bluetti" | "saic" | "bmw"]);
        if config.device_count() == 0 && !self.removed.iter().any(tried) {
            let problem = Problem::warning("no device is configured")
                .help("add a `[[jbd]]`, a `[[bluetti]]`, a `[[saic]]` or a `[[bmw]]`");
            self.add(&Path::default(), problem);
        }
    }

    fn twice(&mut self, first: &Path, second: &Path, what: &str, help: &str) {
        let mut problem = Problem::error(format!("two devices have {what}")).help(help);
        if let Some(span) = self.tree.span(first) {
            problem = problem.also(self.source.place(&span));
        }
        self.add(second, problem);
    }

    fn secrets(&mut self, config: &Config) {
        let mut secrets: Vec<(Path, &Secret)> = Vec::new();
        if let Some(password) = config.mqtt.as_ref().and_then(|mqtt| mqtt.password.as_ref()) {
            secrets.push((Path::table("mqtt").key("password"), password));
        }
        let mariadb = config.mariadb.as_ref();
        if let Some(password) = mariadb.and_then(|mariadb| mariadb.password.as_ref()) {
            secrets.push((Path::table("mariadb").key("password"), password));
        }
        for (index, device) in config.jbd.iter().enumerate() {
            let at = |key| Path::table("jbd").index(index).key(key);
            if let Some(password) = &device.password {
                secrets.push((at("password"), password));
            }
            if let Some(pin) = &device.pin {
                secrets.push((at("pin"), pin.secret()));
                if let Err(error @ PinError::NoPin) = pin.reveal() {
                    let problem = Problem::error(format!("`pin`: {error}")).expected(pin::EXPECTED);
                    self.add(&at("pin"), problem);
                }
            }
        }
        for (index, account) in config.saic.iter().enumerate() {
            let at = Path::table("saic").index(index).key("password");
            secrets.push((at, &account.password));
        }
        for (index, account) in config.bmw.iter().enumerate() {
            if let Some(password) = &account.password {
                secrets.push((Path::table("bmw").index(index).key("password"), password));
            }
        }
        for (path, secret) in secrets {
            self.secret(&path, secret);
        }
    }

    fn secret(&mut self, path: &Path, secret: &Secret) {
        let key = path.name();
        if let Err(error) = secret.reveal() {
            self.add(path, Problem::error(format!("`{key}`: {error}")));
        } else if let Some(file) = secret.watched_file() {
            self.not_for_everybody(path, file);
        } else if secret.is_in_place()
            && self
                .tree
                .span(path)
                .is_some_and(|span| !self.source.is_variable(&span))
            && is_for_everybody(self.file)
        {
            let file = self.file.display();
            let problem = Problem::warning(format!("every user of this computer can read `{key}`"))
                .help(format!("`chmod o-r {file}`, or `{key} = \"file:PATH\"`"));
            self.add(path, problem);
        }
    }

    fn not_for_everybody(&mut self, path: &Path, file: &FilePath) {
        if is_for_everybody(file) {
            let file = file.display();
            let problem = Problem::warning(format!("every user of this computer can read {file}"))
                .help(format!("`chmod o-r {file}`"));
            self.add(path, problem);
        }
    }

    fn at_least_a_second(&mut self, path: &Path, value: Duration) {
        if value < Duration::from_secs(1) {
            let state = if value.is_zero() { "zero" } else { "too short" };
            let problem =
                Problem::error(format!("`{}` is {state}", path.name())).expected("at least \"1s\"");
            self.add(path, problem);
        }
    }

    fn not_zero(&mut self, path: &Path, value: Duration) {
        if value.is_zero() {
            let key = path.name();
            let problem = Problem::error(format!("`{key}` is zero"))
                .expected("a time for which readings are kept, such as \"30d\"");
            self.add(path, problem);
        }
    }

    fn topic(&mut self, path: &Path, topic: &str) {
        let key = path.name();
        let wrong = if topic.trim().is_empty() {
            "is empty"
        } else if topic.contains(['+', '#']) {
            "holds a wildcard, `+` or `#`"
        } else if topic.starts_with('/') || topic.ends_with('/') {
            "starts or ends with `/`"
        } else if topic.starts_with('$') {
            "starts with `$`, which brokers keep for themselves"
        } else if topic.contains(char::is_control) {
            "holds a control character"
        } else {
            return;
        };
        let problem = Problem::error(format!("`{key}` {wrong}"))
            .expected("levels separated by `/`, such as \"telemetry\" or \"home/telemetry\"");
        self.add(path, problem);
    }

    fn add(&mut self, path: &Path, problem: Problem) {
        self.add_about(path, path, problem);
    }

    /// Adds a problem, unless its cause is one that was reported before: an
    /// entry below `cause` that could not be read.
    fn add_about(&mut self, path: &Path, cause: &Path, problem: Problem) {
        if self
            .removed
            .iter()
            .any(|removed| removed.starts_with(cause))
            && !cause.is_root()
        {
            return;
        }
        self.problems.push(match self.tree.span(path) {
            Some(span) => problem.at(self.source.place(&span)),
            None => problem,
        });
    }
}

/// `A4:C1:38:30:C2:8E`, in either case.
pub fn is_address(text: &str) -> bool {
    let mut pairs = 0;
    let hex = text.split(':').all(|pair| {
        pairs += 1;
        pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    hex && pairs == 6
}

#[cfg(unix)]
fn is_for_everybody(file: &FilePath) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_for_everybody(_: &FilePath) -> bool {
    false
}

/// More than this is surely a mistake.
const LONGEST_COMMIT: Duration = Duration::from_secs(60);

/// In megabytes. More than this is surely a mistake, and far more would
/// overflow when it is counted in bytes.
const LARGEST_JOURNAL: u64 = 1_000_000;
