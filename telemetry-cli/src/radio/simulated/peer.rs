use bluetti_modbus::simulator as bluetti;
use jbd_bms::simulator as jbd;

/// The far end of a simulated link: one of the SDKs' devices in memory. Time
/// comes in as milliseconds, whatever they count from.
#[derive(Debug)]
pub enum Peer {
    /// A battery pack.
    Pack(Box<jbd::Pack>),
    /// A power station.
    Station(Box<bluetti::Station>),
}

/// What it does by itself.
#[derive(Debug)]
pub enum Output {
    /// Sends one notification.
    Notify(Vec<u8>),
    /// Hangs up.
    LinkLost,
}

impl Peer {
    /// Somebody connects.
    pub fn connect(&mut self, now_ms: u64) {
        match self {
            Self::Pack(pack) => pack.connect(now_ms),
            Self::Station(station) => station.connect(now_ms),
        }
    }

    /// And disconnects.
    pub fn disconnect(&mut self) {
        match self {
            Self::Pack(pack) => pack.disconnect(),
            Self::Station(station) => station.disconnect(),
        }
    }

    /// Takes what is written to it.
    pub fn write(&mut self, bytes: &[u8], now_ms: u64) {
        match self {
            Self::Pack(pack) => pack.write(bytes, now_ms),
            Self::Station(station) => station.write(bytes, now_ms),
        }
    }

    /// The next thing that is due, if any is.
    pub fn poll(&mut self, now_ms: u64) -> Option<Output> {
        match self {
            Self::Pack(pack) => pack.poll(now_ms).map(|output| match output {
                jbd::Output::Notify(chunk) => Output::Notify(chunk),
                jbd::Output::LinkLost => Output::LinkLost,
            }),
            Self::Station(station) => station.poll(now_ms).map(|output| match output {
                bluetti::Output::Notify(chunk) => Output::Notify(chunk),
                bluetti::Output::LinkLost => Output::LinkLost,
            }),
        }
    }

    /// When something is due, as far as is known now.
    pub fn next_at(&self) -> Option<u64> {
        match self {
            Self::Pack(pack) => pack.next_at(),
            Self::Station(station) => station.next_at(),
        }
    }
}
