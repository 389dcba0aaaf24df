//! What the Bluetooth stack's errors mean, and what helps.

use super::super::{RadioError, Target};

/// Why something failed, as far as it matters for what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Radio trouble: the same once more often works.
    Radio(String),
    /// The device hung up.
    Lost,
    /// Another attempt to connect is under way.
    Busy,
    /// The operating system does not know the device any more.
    Gone,
    /// Not heard in time.
    NotHeard,
    /// Heard, but the connection did not come about in time.
    NoAnswer,
    /// The device is in the hands of another link of ours.
    Held,
    /// None of the expected characteristics, but these.
    WrongKind(String),
    PairingNeeded,
    /// The configured PIN is not that of the device.
    PinRefused,
    /// The configured PIN cannot be had.
    PinUnreadable(String),
    /// Pairing failed, and not for the PIN.
    NotPaired(String),
    /// What was to be made is there already.
    Exists,
    AdapterOff,
    NoAdapter,
    /// Not the adapter that was asked for, but these.
    OtherAdapters {
        wanted: String,
        found: String,
    },
    NoService,
    NoBus(String),
    Denied(String),
    /// No reply to what takes a millisecond.
    BusLost(String),
    /// No more room for match rules on this connection to the bus.
    Exhausted,
    /// The caller went away.
    Cancelled,
    Other(String),
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same again, after a moment.
    Retry,
    /// Look for the device anew.
    Rescan,
    /// Begin with the adapter, or with the bus.
    Adapter,
    /// Nothing that helps now; the next poll tries again.
    GiveUp,
}

impl Failure {
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Radio(_) | Self::Lost | Self::Busy => Remedy::Retry,
            Self::Gone => Remedy::Rescan,
            Self::BusLost(_) | Self::Exhausted => Remedy::Adapter,
            Self::NotHeard
            | Self::NoAnswer
            | Self::Held
            | Self::WrongKind(_)
            | Self::PairingNeeded
            | Self::PinRefused
            | Self::PinUnreadable(_)
            | Self::NotPaired(_)
            | Self::Exists
            | Self::AdapterOff
            | Self::NoAdapter
            | Self::OtherAdapters { .. }
            | Self::NoService
            | Self::NoBus(_)
            | Self::Denied(_)
            | Self::Cancelled
            | Self::Other(_) => Remedy::GiveUp,
        }
    }

    /// True if a link cannot live on after a write failed like this.
    pub(super) fn ends_link(&self) -> bool {
        matches!(
            self,
            Self::Radio(_)
                | Self::Lost
                | Self::Gone
                | Self::AdapterOff
                | Self::NoService
                | Self::BusLost(_)
        )
    }

    /// For the user who wanted `target`.
    pub(super) fn about(self, target: &Target) -> RadioError {
        match self {
            Self::Lost => RadioError::LinkLost(target.clone()),
            Self::Busy | Self::Held => RadioError::Busy(target.clone()),
            Self::Gone | Self::NotHeard => RadioError::NotFound(target.clone()),
            Self::NoAnswer => RadioError::NoAnswer(target.clone()),
            Self::PairingNeeded => RadioError::PairingNeeded(target.clone()),
            Self::PinRefused => RadioError::PinRefused(target.clone()),
            Self::PinUnreadable(reason) => RadioError::PinUnreadable {
                target: target.clone(),
                reason,
            },
            Self::NotPaired(reason) => RadioError::NotPaired {
                target: target.clone(),
                reason,
            },
            Self::WrongKind(found) => RadioError::WrongKind {
                target: target.clone(),
                found,
            },
            other => other.alone(),
        }
    }

    /// For the user who wanted no device in particular.
    pub(super) fn alone(self) -> RadioError {
        match self {
            Self::AdapterOff => RadioError::AdapterOff,
            Self::NoAdapter => RadioError::NoAdapter,
            Self::OtherAdapters { wanted, found } => RadioError::OtherAdapters { wanted, found },
            Self::NoService => RadioError::NoService,
            Self::NoBus(text) => RadioError::NoBus(text),
            Self::Denied(text) => RadioError::NoPermission(text),
            Self::Cancelled => RadioError::Closed,
            Self::Radio(text) | Self::BusLost(text) | Self::Other(text) => RadioError::Other(text),
            other => RadioError::Other(format!("{other:?}")),
        }
    }
}

impl From<btleplug::Error> for Failure {
    fn from(error: btleplug::Error) -> Self {
        #[cfg(target_os = "linux")]
        if let btleplug::Error::Other(inner) = &error
            && let Some(inner) = inner.downcast_ref::<bluez_async::BluetoothError>()
        {
            return Self::from_bluez(inner);
        }
        match error {
            btleplug::Error::PermissionDenied => Self::Denied(error.to_string()),
            btleplug::Error::DeviceNotFound => Self::Gone,
            btleplug::Error::NotConnected => Self::Lost,
            btleplug::Error::NoAdapterAvailable => Self::NoAdapter,
            btleplug::Error::TimedOut(_) => Self::NoAnswer,
            btleplug::Error::NoSuchCharacteristic => Self::Gone,
            _ => Self::Other(error.to_string()),
        }
    }
}

#[cfg(target_os = "linux")]
impl From<&dbus::Error> for Failure {
    fn from(error: &dbus::Error) -> Self {
        Self::from_name(
            error.name().unwrap_or_default(),
            error.message().unwrap_or_default(),
        )
    }
}

#[cfg(target_os = "linux")]
impl Failure {
    fn from_bluez(error: &bluez_async::BluetoothError) -> Self {
        use bluez_async::BluetoothError;
        match error {
            BluetoothError::DbusError(error) => Self::from(error),
            BluetoothError::NoBluetoothAdapters => Self::NoAdapter,
            BluetoothError::ServiceDiscoveryTimedOut => Self::NoAnswer,
            // A half of an object: it is being removed, or made, right now.
            BluetoothError::RequiredPropertyMissing(_) => Self::Gone,
            _ => Self::Other(error.to_string()),
        }
    }

    /// BlueZ has few error names and tells the rest in the message.
    fn from_name(name: &str, message: &str) -> Self {
        if let Some(name) = name.strip_prefix("org.bluez.Error.") {
            return Self::from_bluez_name(name, message);
        }
        let name = name
            .strip_prefix("org.freedesktop.DBus.Error.")
            .unwrap_or(name);
        match name {
            "UnknownObject" | "UnknownMethod" | "UnknownInterface" => Self::Gone,
            // The service went away while it owed us the reply, or that took
            // longer than anything may take.
            "NoReply" | "Timeout" => Self::BusLost(message.to_owned()),
            "ServiceUnknown" | "NameHasNoOwner" => Self::NoService,
            "AccessDenied" | "AuthFailed" => Self::Denied(message.to_owned()),
            "FileNotFound" | "NoServer" | "BadAddress" => Self::NoBus(message.to_owned()),
            "Disconnected" => Self::BusLost(message.to_owned()),
            "LimitsExceeded" => Self::Exhausted,
            name if name.starts_with("Spawn.") => Self::NoService,
            _ => Self::Other(message.to_owned()),
        }
    }

    fn from_bluez_name(name: &str, message: &str) -> Self {
        match name {
            "InProgress" => Self::Busy,
            "NotReady" | "Blocked" => Self::AdapterOff,
            "DoesNotExist" => Self::Gone,
            "AlreadyExists" => Self::Exists,
            "ConnectionAttemptFailed" => Self::Radio(message.to_owned()),
            "NotConnected" => Self::Lost,
            "NotAuthorized" | "AuthenticationFailed" | "AuthenticationRejected" => {
                Self::PairingNeeded
            }
            // Also when the device leaves in the middle of it.
            "AuthenticationTimeout" | "AuthenticationCanceled" => {
                Self::NotPaired(message.to_owned())
            }
            "NotPermitted" if message.contains("Not paired") => Self::PairingNeeded,
            "Failed" => Self::from_message(message),
            _ => Self::Other(message.to_owned()),
        }
    }

    fn from_message(message: &str) -> Self {
        match message {
            "Not connected" => Self::Lost,
            "Input/output error" => Self::AdapterOff,
            // Insufficient authentication, key size, encryption.
            "Operation failed with ATT error: 0x05"
            | "Operation failed with ATT error: 0x0c"
            | "Operation failed with ATT error: 0x0f" => Self::PairingNeeded,
            _ if message.ends_with("-key-missing") => Self::PairingNeeded,
            _ if message.starts_with("le-connection-") || message.starts_with("br-connection-") => {
                Self::Radio(message.to_owned())
            }
            _ => Self::Other(message.to_owned()),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_bluez_says_leads_to_what_helps() {
        let of = |name: &str, message: &str| Failure::from_name(name, message).remedy();
        assert_eq!(
            of("org.bluez.Error.Failed", "le-connection-abort-by-local"),
            Remedy::Retry
        );
        assert_eq!(
            of("org.bluez.Error.InProgress", "In Progress"),
            Remedy::Retry
        );
        assert_eq!(
            of("org.freedesktop.DBus.Error.UnknownObject", "Method …"),
            Remedy::Rescan
        );
        assert_eq!(
            of("org.freedesktop.DBus.Error.LimitsExceeded", "…"),
            Remedy::Adapter
        );
        assert_eq!(
            of("org.freedesktop.DBus.Error.AccessDenied", "…"),
            Remedy::GiveUp
        );
    }

    #[test]
    fn the_message_counts_where_the_name_says_nothing() {
        let of = |message: &str| Failure::from_name("org.bluez.Error.Failed", message);
        assert_eq!(of("Not connected"), Failure::Lost);
        assert_eq!(of("Input/output error"), Failure::AdapterOff);
        assert_eq!(of("le-connection-key-missing"), Failure::PairingNeeded);
        assert_eq!(
            of("Failed to initiate write"),
            Failure::Other("Failed to initiate write".to_owned())
        );
    }

    #[test]
    fn without_bluetooth_the_words_say_which_part_is_missing() {
        let of = |name: &str| Failure::from_name(name, "…").alone();
        assert_eq!(
            of("org.freedesktop.DBus.Error.ServiceUnknown"),
            RadioError::NoService
        );
        assert_eq!(
            of("org.freedesktop.DBus.Error.Spawn.ExecFailed"),
            RadioError::NoService
        );
        assert_eq!(of("org.bluez.Error.NotReady"), RadioError::AdapterOff);
        assert_eq!(of("org.bluez.Error.Blocked"), RadioError::AdapterOff);
        assert!(matches!(
            of("org.freedesktop.DBus.Error.FileNotFound"),
            RadioError::NoBus(_)
        ));
        assert!(matches!(
            of("org.freedesktop.DBus.Error.AccessDenied"),
            RadioError::NoPermission(_)
        ));
    }
}
