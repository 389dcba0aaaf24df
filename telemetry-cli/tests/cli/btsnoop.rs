//! Writes Bluetooth logs as phones do.

/// A log in the making.
#[derive(Debug)]
pub(crate) struct Log {
    datalink: u32,
    bytes: Vec<u8>,
}

const ACL: u8 = 2;
const EVENT: u8 = 4;

impl Log {
    /// An empty log of this datalink.
    pub(crate) fn new(datalink: u32) -> Self {
        let mut bytes = b"btsnoop\0\0\0\0\x01".to_vec();
        bytes.extend(datalink.to_be_bytes());
        Self { datalink, bytes }
    }

    /// Adds an ACL packet from the device.
    pub(crate) fn received(&mut self, packet: &[u8]) {
        self.record(ACL, true, packet, packet.len());
    }

    /// The same, of which only the first bytes are stored.
    pub(crate) fn received_in_part(&mut self, packet: &[u8], stored: usize) {
        self.record(ACL, true, packet, stored);
    }

    /// Adds an ACL packet from the phone.
    pub(crate) fn sent(&mut self, packet: &[u8]) {
        self.record(ACL, false, packet, packet.len());
    }

    /// Adds a message of the controller.
    pub(crate) fn event(&mut self, packet: &[u8]) {
        self.record(EVENT, true, packet, packet.len());
    }

    /// Adds the message that a connection was made.
    pub(crate) fn connected(&mut self, handle: u16) {
        let [low, high] = handle.to_le_bytes();
        let mut event = vec![0x3E, 19, 0x01, 0, low, high];
        event.resize(2 + 19, 0);
        self.event(&event);
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn record(&mut self, kind: u8, received: bool, packet: &[u8], stored: usize) {
        let (flags, prefix) = match (self.datalink, kind) {
            (2001, EVENT) => (3, None),
            (2001, _) => (4 + u32::from(received), None),
            (1001, EVENT) => (0b11, None),
            (1001, _) => (u32::from(received), None),
            (_, EVENT) => (0b11, Some(kind)),
            (_, _) => (u32::from(received), Some(kind)),
        };
        let extra = usize::from(prefix.is_some());
        for number in [packet.len() + extra, stored + extra] {
            self.bytes.extend((number as u32).to_be_bytes());
        }
        self.bytes.extend(flags.to_be_bytes());
        // Drops and time.
        self.bytes.extend([0; 12]);
        self.bytes.extend(prefix);
        self.bytes.extend(&packet[..stored]);
    }
}

/// The message that a connection is gone.
pub(crate) fn disconnected(handle: u16) -> [u8; 6] {
    let [low, high] = handle.to_le_bytes();
    [0x05, 4, 0, low, high, 0x13]
}

/// An L2CAP frame of the attribute protocol.
pub(crate) fn att(opcode: u8, attribute: u16, value: &[u8]) -> Vec<u8> {
    let mut frame = (3 + value.len() as u16).to_le_bytes().to_vec();
    frame.extend([4, 0, opcode]);
    frame.extend(attribute.to_le_bytes());
    frame.extend(value);
    frame
}

/// An L2CAP frame in ACL packets of up to `size` bytes of it.
pub(crate) fn acl(handle: u16, frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let fragments = frame.chunks(size).enumerate();
    let packets = fragments.map(|(number, fragment)| {
        let boundary = if number == 0 { 0b10 } else { 0b01 };
        let mut packet = (handle | boundary << 12).to_le_bytes().to_vec();
        packet.extend((fragment.len() as u16).to_le_bytes());
        packet.extend(fragment);
        packet
    });
    packets.collect()
}

/// A notification in one ACL packet.
pub(crate) fn notification(handle: u16, attribute: u16, value: &[u8]) -> Vec<u8> {
    acl(handle, &att(0x1B, attribute, value), usize::MAX).remove(0)
}
