//! Whether a broker's certificate has to be for its host name.

/// Whether the name of the broker has to be in its certificate. No key of the
/// configuration: a name that does not fit is to be corrected. Only a drop-in
/// command whose original knows such a flag can switch it off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostName {
    /// Always.
    #[default]
    Checked,
    /// Yes, and this flag switches it off.
    CheckedUnless(&'static str),
    /// No. Who signed it, and until when it is valid, counts all the same.
    Any,
}
