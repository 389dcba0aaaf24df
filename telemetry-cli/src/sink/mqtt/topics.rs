//! The names of the unified topics.

use crate::event::DeviceId;

/// Payload of a status or availability topic while things work.
pub const ONLINE: &str = "online";

/// Payload of a status or availability topic otherwise.
pub const OFFLINE: &str = "offline";

/// Last level of a command topic.
pub(super) const SET: &str = "set";

/// Last level of the topic with the result of a command.
pub(super) const RESULT: &str = "result";

/// Where things are published: everything below one prefix.
#[derive(Clone, Debug)]
pub struct Topics {
    prefix: String,
}

impl Topics {
    /// The topics below `prefix`, or what is wrong with it.
    ///
    /// # Errors
    ///
    /// If topics cannot begin like that.
    pub fn new(prefix: &str) -> Result<Self, String> {
        let valid = !prefix.is_empty()
            && !prefix.starts_with(['/', '$'])
            && !prefix.ends_with('/')
            && !prefix.contains(['+', '#', '\0'])
            && prefix.len() < 256;
        match valid {
            true => Ok(Self {
                prefix: prefix.to_owned(),
            }),
            false => Err(format!(
                "`{prefix}` is no topic prefix: it must not be empty, start or end with `/`, \
                 start with `$`, or contain `+` or `#`"
            )),
        }
    }

    /// Whether the gateway is there: the last will.
    pub fn status(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// Whether `device` can be reached.
    pub fn availability(&self, device: &DeviceId) -> String {
        format!("{}/{device}/availability", self.prefix)
    }

    /// Where somebody who checks the broker talks to himself.
    pub fn check(&self, id: &str) -> String {
        format!("{}/check/{id}", self.prefix)
    }

    /// All values of `device` as one JSON object.
    pub fn state(&self, device: &DeviceId) -> String {
        format!("{}/{device}/state", self.prefix)
    }

    /// Every stored reading of `device`.
    pub fn history(&self, device: &DeviceId) -> String {
        format!("{}/{device}/history", self.prefix)
    }

    /// Where `key` of `device` is changed.
    pub fn set(&self, device: &DeviceId, key: &str) -> String {
        format!("{}/{device}/{key}/{SET}", self.prefix)
    }

    /// Every topic that changes something.
    pub fn every_set(&self) -> String {
        format!("{}/+/+/{SET}", self.prefix)
    }

    /// The device and the key of the command topic `topic`.
    pub fn command<'t>(&self, topic: &'t str) -> Option<(&'t str, &'t str)> {
        let rest = topic.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let mut levels = rest.split('/');
        let command = (levels.next()?, levels.next()?);
        (levels.next() == Some(SET) && levels.next().is_none()).then_some(command)
    }

    /// Where the result of a command goes; both levels as they came.
    pub fn result(&self, device: &str, key: &str) -> String {
        format!("{}/{device}/{key}/{RESULT}", self.prefix)
    }

    /// What the cloud of `device` calls `key`, as it came; `None` for a name that
    /// no topic can have.
    pub fn raw(&self, device: &DeviceId, key: &str) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = !key.is_empty() && key.len() < 256 && key.bytes().all(plain);
        fits.then(|| format!("{}/{device}/raw/{key}", self.prefix))
    }

    /// One value of `device`, or one part of it.
    pub fn value(&self, device: &DeviceId, key: &str, index: Option<&str>) -> String {
        match index {
            None => format!("{}/{device}/{key}", self.prefix),
            Some(index) => format!("{}/{device}/{key}/{}", self.prefix, level(index)),
        }
    }
}

/// `name` as one topic level that needs no escaping anywhere: what is not a
/// plain letter, digit, `_` or `-` becomes `_`.
pub fn level(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_a_device() {
        let topics = Topics::new("home/telemetry").unwrap();
        let device = DeviceId::new(&["jbd", "A4:C1:38:30:C2:8E"]);
        assert_eq!(topics.status(), "home/telemetry/status");
        assert_eq!(
            topics.state(&device),
            "home/telemetry/jbd-a4c13830c28e/state"
        );
        assert_eq!(
            topics.value(&device, "cell_voltages_v", Some("3")),
            "home/telemetry/jbd-a4c13830c28e/cell_voltages_v/3"
        );
        assert_eq!(
            topics.raw(&device, "vehicle.isMoving").as_deref(),
            Some("home/telemetry/jbd-a4c13830c28e/raw/vehicle.isMoving")
        );
        for key in ["", "a/b", "a+", "#", "a b"] {
            assert_eq!(topics.raw(&device, key), None, "{key}");
        }
        let set = topics.set(&device, "charge_mosfet_on");
        assert_eq!(
            topics.command(&set),
            Some(("jbd-a4c13830c28e", "charge_mosfet_on"))
        );
        for other in [
            "home/telemetry/pack/charge_mosfet_on",
            "home/telemetry/pack/cell/3/set",
            "home/telemetryx/pack/key/set",
            "home/telemetry/pack/set",
        ] {
            assert_eq!(topics.command(other), None);
        }
        assert_eq!(
            topics.value(&device, "polls", Some("a/#é")),
            "home/telemetry/jbd-a4c13830c28e/polls/a___"
        );
    }

    #[test]
    fn a_prefix_with_wildcards_is_refused() {
        for prefix in ["", "/a", "a/", "a/+", "#", "$SYS"] {
            assert!(Topics::new(prefix).unwrap_err().contains("no topic prefix"));
        }
    }
}
