/// A pair of characteristics that carries a protocol: one to write to, one
/// that notifies. Both may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GattLayout {
    /// The service they must be in; any if `None`.
    pub service: Option<u128>,
    /// The characteristic that the device notifies on.
    pub notify: u128,
    /// The characteristic to write to.
    pub write: u128,
}

/// What a connected device offers, for those who wonder about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GattTable {
    /// All of its characteristics.
    pub characteristics: Vec<GattCharacteristic>,
    /// The one that notifications come from.
    pub notify: u128,
    /// The one that is written to.
    pub write: u128,
    /// Bytes that one write takes at most.
    pub write_len: usize,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GattCharacteristic {
    /// The service it is in.
    pub service: u128,
    /// Its own number.
    pub number: u128,
    /// What it can do, such as `read` or `notify`.
    pub properties: Vec<String>,
}
