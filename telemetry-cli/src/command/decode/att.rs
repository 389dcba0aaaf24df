//! What devices notify and what is written to them, from the packets of a log:
//! ACL fragments are put together to L2CAP frames, and those of the attribute
//! protocol are looked into.

use super::btsnoop::{Kind, Record};

/// Connections in the middle of a frame; a phone has a handful.
const PARTIAL_MAX: usize = 64;

const FRAGMENT_GOES_ON: u16 = 0b01;
const L2CAP_HEADER: usize = 4;
const ATT_CHANNEL: u16 = 4;
const NOTIFICATION: u8 = 0x1B;
const INDICATION: u8 = 0x1D;
const WRITE_REQUEST: u8 = 0x12;
const WRITE_COMMAND: u8 = 0x52;

const DISCONNECTED: u8 = 0x05;
const LE_META: u8 = 0x3E;
/// Connection complete in its three forms.
const LE_CONNECTED: [u8; 3] = [0x01, 0x0A, 0x29];

/// A connection, as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The adapter of the computer.
    pub adapter: u16,
    /// The number that the adapter gave the connection.
    pub handle: u16,
}

/// What a packet brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A notification or indication.
    Notified {
        /// From where.
        link: Link,
        /// The number of the characteristic's value.
        attribute: u16,
        /// What it says.
        value: Vec<u8>,
    },
    /// The phone wrote to a characteristic.
    Written {
        /// To where.
        link: Link,
        /// What it wrote.
        value: Vec<u8>,
    },
    /// What was the connection of this number is gone.
    Ended(Link),
}

/// Follows all connections of a log.
#[derive(Debug, Default)]
pub struct Connections {
    partial: Vec<Partial>,
    incomplete: u64,
}

/// The beginning of an L2CAP frame.
#[derive(Debug)]
struct Partial {
    link: Link,
    received: bool,
    frame: Vec<u8>,
}

impl Connections {
    /// Takes a packet.
    pub fn hear(&mut self, record: &Record<'_>) -> Option<Event> {
        match record.kind {
            Kind::Event => {
                let link = changed(record)?;
                self.partial.retain(|partial| partial.link != link);
                Some(Event::Ended(link))
            }
            Kind::Acl => self.hear_acl(record),
            Kind::Other => None,
        }
    }

    /// Packets from devices that the log does not hold whole.
    pub fn incomplete(&self) -> u64 {
        self.incomplete
    }

    fn hear_acl(&mut self, record: &Record<'_>) -> Option<Event> {
        let (&[h0, h1, l0, l1], rest) = record.data.split_first_chunk()?;
        let head = u16::from_le_bytes([h0, h1]);
        let link = Link {
            adapter: record.adapter,
            handle: head & 0x0FFF,
        };
        let received = record.received;
        let same = |known: &Partial| known.link == link && known.received == received;
        let known = self.partial.iter().position(same);
        // It leaves the list, and comes back if it needs more.
        let known = known.map(|at| self.partial.remove(at));
        let whole = rest.get(..usize::from(u16::from_le_bytes([l0, l1])));
        let Some(data) = whole.filter(|_| record.whole) else {
            self.incomplete += u64::from(received);
            return None;
        };
        let mut partial = match head >> 12 & 0b11 {
            // The beginning may lie before that of the log.
            FRAGMENT_GOES_ON => known?,
            _ => Partial {
                link,
                received,
                frame: Vec::new(),
            },
        };
        partial.frame.extend_from_slice(data);
        match l2cap(&partial.frame) {
            Frame::Complete { channel, payload } => (channel == ATT_CHANNEL)
                .then(|| match received {
                    true => notified(link, payload),
                    false => written(link, payload),
                })
                .flatten(),
            Frame::Incomplete => {
                if self.partial.len() >= PARTIAL_MAX {
                    self.partial.remove(0);
                }
                self.partial.push(partial);
                None
            }
        }
    }
}

enum Frame<'a> {
    Incomplete,
    Complete { channel: u16, payload: &'a [u8] },
}

fn l2cap(frame: &[u8]) -> Frame<'_> {
    let Some((&[l0, l1, c0, c1], rest)) = frame.split_first_chunk::<L2CAP_HEADER>() else {
        return Frame::Incomplete;
    };
    match rest.get(..usize::from(u16::from_le_bytes([l0, l1]))) {
        None => Frame::Incomplete,
        Some(payload) => Frame::Complete {
            channel: u16::from_le_bytes([c0, c1]),
            payload,
        },
    }
}

fn notified(link: Link, payload: &[u8]) -> Option<Event> {
    let (&[opcode, a0, a1], value) = payload.split_first_chunk()?;
    matches!(opcode, NOTIFICATION | INDICATION).then(|| Event::Notified {
        link,
        attribute: u16::from_le_bytes([a0, a1]),
        value: value.to_vec(),
    })
}

fn written(link: Link, payload: &[u8]) -> Option<Event> {
    let (&[opcode, _, _], value) = payload.split_first_chunk()?;
    matches!(opcode, WRITE_REQUEST | WRITE_COMMAND).then(|| Event::Written {
        link,
        value: value.to_vec(),
    })
}

/// The connection that begins or ends with this event.
fn changed(record: &Record<'_>) -> Option<Link> {
    let handle = match record.data {
        [DISCONNECTED, _, _status, handle @ ..] => handle,
        [LE_META, _, form, _status, handle @ ..] if LE_CONNECTED.contains(form) => handle,
        _ => return None,
    };
    let handle = handle.first_chunk().copied().map(u16::from_le_bytes)?;
    Some(Link {
        adapter: record.adapter,
        handle: handle & 0x0FFF,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn acl(data: &[u8]) -> Record<'_> {
        Record {
            kind: Kind::Acl,
            adapter: 0,
            received: true,
            whole: true,
            data,
        }
    }

    #[test]
    fn beginnings_without_an_end_are_forgotten_at_last() {
        let mut connections = Connections::default();
        for handle in 0..200u16 {
            let [low, high] = handle.to_le_bytes();
            let packet = [low, high | 0x20, 4, 0, 0xFF, 0xFF, 4, 0];
            assert_eq!(connections.hear(&acl(&packet)), None);
        }
        assert_eq!(connections.partial.len(), PARTIAL_MAX);
    }

    #[test]
    fn what_follows_the_frame_in_its_packet_is_not_part_of_it() {
        let packet = [0x40, 0x20, 9, 0, 4, 0, 4, 0, NOTIFICATION, 1, 0, 7, 8];
        let link = Link {
            adapter: 0,
            handle: 0x40,
        };
        assert_eq!(
            Connections::default().hear(&acl(&packet)),
            Some(Event::Notified {
                link,
                attribute: 1,
                value: vec![7]
            })
        );
    }

    proptest! {
        #[test]
        fn any_packets_will_do(
            packets in prop::collection::vec(
                (
                    prop_oneof![Just(Kind::Acl), Just(Kind::Event), Just(Kind::Other)],
                    any::<(bool, bool)>(),
                    // Small numbers are more likely to fit each other.
                    prop::collection::vec(prop_oneof![any::<u8>(), 0u8..8, Just(0x20)], 0..30),
                ),
                0..60,
            ),
        ) {
            let mut connections = Connections::default();
            for (kind, (received, whole), data) in &packets {
                connections.hear(&Record {
                    kind: *kind,
                    adapter: 0,
                    received: *received,
                    whole: *whole,
                    data,
                });
            }
        }
    }
}
