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
