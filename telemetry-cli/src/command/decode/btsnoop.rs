//! Packets from a Bluetooth log of the form btsnoop, as phones write it.
//!
//! A header (8 bytes of name, version, kind of link) and records (length sent,
//! length stored, flags, drops, time, packet), all numbers big endian.

use std::io::{self, Read};

const MAGIC: &[u8; 8] = b"btsnoop\0";
const VERSION: u32 = 1;
const RECORD_HEADER: usize = 24;
/// An isochronous or ACL packet of full length behind its type byte.
const RECORD_MAX: u32 = 1 + 4 + 0xFFFF;

const RECEIVED: u32 = 1;
const COMMAND_OR_EVENT: u32 = 1 << 1;

const H4_ACL: u8 = 0x02;
const H4_EVENT: u8 = 0x04;

const MONITOR_EVENT: u32 = 3;
const MONITOR_ACL_SENT: u32 = 4;
const MONITOR_ACL_RECEIVED: u32 = 5;

/// One packet of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// Which Bluetooth adapter of the computer; 0 on phones.
    pub adapter: u16,
    /// Whether it came from the radio rather than from the phone.
    pub received: bool,
    /// Whether it is stored whole.
    pub whole: bool,
    /// The packet.
    pub data: &'a [u8],
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Data of a connection.
    Acl,
    /// A message of the Bluetooth controller.
    Event,
    /// Anything else.
    Other,
}

/// Why the log cannot be read (on).
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is something else.
    #[error("this is no btsnoop log")]
    NoLog,
    /// Another version.
    #[error("btsnoop version {0}, only {VERSION} is known")]
    Version(u32),
    /// Another kind of link.
    #[error("btsnoop datalink {0}, only 1001, 1002 and 2001 are known")]
    Datalink(u32),
    /// It ends within something.
    #[error("the log ends within the record at offset {offset}")]
    Truncated {
        /// Where the record starts in the file.
        offset: u64,
    },
    /// Lengths that cannot be.
    #[error("the record at offset {offset} is damaged: {stored} bytes stored of {sent}")]
    Length {
        /// Where the record starts in the file.
        offset: u64,
        /// The length of the packet.
        sent: u32,
        /// How much of it is in the file.
        stored: u32,
    },
    /// The file cannot be read.
    #[error("cannot be read at offset {offset}: {error}")]
    Read {
        /// How far it was read.
        offset: u64,
        /// What the system says.
        error: io::Error,
    },
}

/// The packets of a log in memory.
///
/// # Errors
/// If it does not start as a log does.
pub fn records(bytes: &[u8]) -> Result<Records<&[u8]>, LogError> {
    Records::new(bytes)
}

/// Reads a log packet by packet.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    datalink: Datalink,
    offset: u64,
    data: Vec<u8>,
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
enum Datalink {
    /// The flags tell what a packet is.
    Unencapsulated,
    /// The first byte of the packet does.
    H4,
    /// In place of flags there are a number of BlueZ's own and the adapter.
    Monitor,
}

impl<R: Read> Records<R> {
    /// Reads from `input`, in pieces as small as a record.
    ///
    /// # Errors
    /// If it does not start as a log does.
    pub fn new(mut input: R) -> Result<Self, LogError> {
        let mut header = [0; 16];
        match input.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(LogError::NoLog);
            }
            result => result.map_err(|error| LogError::Read { offset: 0, error })?,
        }
        let (magic, numbers) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(LogError::NoLog);
        }
        let version = be32(numbers, 0);
        if version != VERSION {
            return Err(LogError::Version(version));
        }
        let datalink = match be32(numbers, 4) {
            1001 => Datalink::Unencapsulated,
            1002 => Datalink::H4,
            2001 => Datalink::Monitor,
            other => return Err(LogError::Datalink(other)),
        };
        Ok(Self {
            input,
            datalink,
            offset: header.len() as u64,
            data: Vec::new(),
            ended: false,
        })
    }

    /// The next packet, or `None` at the end of the log and after an error.
    ///
    /// # Errors
    /// If the log is damaged or ends within a record.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, LogError> {
        if self.ended {
            return Ok(None);
        }
        // After an error nothing tells where the next record starts.
        self.ended = true;
        let offset = self.offset;
        self.read(RECORD_HEADER as u32)?;
        match self.data.len() {
            0 => return Ok(None),
            RECORD_HEADER => {}
            _ => return Err(LogError::Truncated { offset }),
        }
        let sent = be32(&self.data, 0);
        let stored = be32(&self.data, 4);
        let flags = be32(&self.data, 8);
        if stored > sent || stored > RECORD_MAX {
            return Err(LogError::Length {
                offset,
                sent,
                stored,
            });
        }
        self.read(stored)?;
        if self.data.len() as u64 != u64::from(stored) {
            return Err(LogError::Truncated { offset });
        }
        self.ended = false;
        Ok(Some(Record {
            whole: stored == sent,
            ..record(self.datalink, flags, &self.data)
        }))
    }

    /// Reads up to `len` bytes; fewer only at the end of the input.
    fn read(&mut self, len: u32) -> Result<(), LogError> {
        self.data.clear();
        let mut limited = self.input.by_ref().take(len.into());
        let result = limited.read_to_end(&mut self.data);
        let offset = self.offset;
        result.map_err(|error| LogError::Read { offset, error })?;
        self.offset += self.data.len() as u64;
        Ok(())
    }
}

fn record(datalink: Datalink, flags: u32, data: &[u8]) -> Record<'_> {
    let mut record = Record {
        kind: Kind::Other,
        adapter: 0,
        received: flags & RECEIVED != 0,
        whole: true,
        data,
    };
    match datalink {
        Datalink::Unencapsulated => {
            record.kind = match (flags & COMMAND_OR_EVENT != 0, record.received) {
                (false, _) => Kind::Acl,
                (true, true) => Kind::Event,
                (true, false) => Kind::Other,
            };
        }
        Datalink::H4 => {
            let (kind, packet) = data.split_first().unwrap_or((&0, &[]));
            record.data = packet;
            record.kind = match *kind {
                H4_ACL => Kind::Acl,
                H4_EVENT => Kind::Event,
                _ => Kind::Other,
            };
        }
        Datalink::Monitor => {
            let [high, low, ..] = flags.to_be_bytes();
            record.adapter = u16::from_be_bytes([high, low]);
            (record.kind, record.received) = match flags & 0xFFFF {
                MONITOR_EVENT => (Kind::Event, true),
                MONITOR_ACL_SENT => (Kind::Acl, false),
                MONITOR_ACL_RECEIVED => (Kind::Acl, true),
                _ => (Kind::Other, false),
            };
        }
    }
    record
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..).and_then(<[u8]>::first_chunk);
    four.copied().map(u32::from_be_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(datalink: u32, records: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let mut log = MAGIC.to_vec();
        log.extend(VERSION.to_be_bytes());
        log.extend(datalink.to_be_bytes());
        for (sent, flags, data) in records {
            log.extend(sent.to_be_bytes());
            log.extend((data.len() as u32).to_be_bytes());
            log.extend(flags.to_be_bytes());
            log.extend([0; 12]);
            log.extend(*data);
        }
        log
    }

    fn only(datalink: u32, flags: u32, data: &[u8]) -> (Kind, u16, bool, Vec<u8>) {
        let log = log(datalink, &[(data.len() as u32, flags, data)]);
        let mut records = records(&log).unwrap();
        let record = records.next_record().unwrap().unwrap();
        assert!(record.whole);
        let found = (
            record.kind,
            record.adapter,
            record.received,
            record.data.to_vec(),
        );
        assert!(records.next_record().unwrap().is_none());
        found
    }

    #[test]
    fn each_datalink_tells_the_kind_in_its_own_way() {
        for (datalink, flags, data, kind, adapter, received) in [
            (1001, 1, &[7][..], Kind::Acl, 0, true),
            (1001, 0, &[7], Kind::Acl, 0, false),
            (1001, 3, &[7], Kind::Event, 0, true),
            (1001, 2, &[7], Kind::Other, 0, false),
            (1002, 1, &[2, 7], Kind::Acl, 0, true),
            (1002, 3, &[4, 7], Kind::Event, 0, true),
            (1002, 2, &[1, 7], Kind::Other, 0, false),
            (2001, 0x0001_0005, &[7], Kind::Acl, 1, true),
            (2001, 0x0001_0004, &[7], Kind::Acl, 1, false),
            (2001, 3, &[7], Kind::Event, 0, true),
            (2001, 0, &[7], Kind::Other, 0, false),
        ] {
            assert_eq!(
                only(datalink, flags, data),
                (kind, adapter, received, vec![7]),
                "{datalink} {flags}"
            );
        }
        assert_eq!(only(1002, 1, &[]).0, Kind::Other);
    }

    #[test]
    fn a_packet_stored_in_part_is_marked() {
        let log = log(1002, &[(100, 1, &[2, 0])]);
        let mut records = records(&log).unwrap();
        assert!(!records.next_record().unwrap().unwrap().whole);
    }

    #[test]
    fn nothing_is_read_after_damage() {
        let log = log(1002, &[(1, 0, &[2]), (1, 0, &[2, 2]), (1, 0, &[2])]);
        let mut records = records(&log).unwrap();
        assert!(records.next_record().unwrap().is_some());
        let error = records.next_record().unwrap_err().to_string();
        assert_eq!(
            error,
            "the record at offset 41 is damaged: 2 bytes stored of 1"
        );
        assert!(records.next_record().unwrap().is_none());
    }

    #[test]
    fn every_cut_is_noticed() {
        let log = log(1002, &[(3, 1, &[2, 0, 0]), (1, 1, &[2])]);
        let borders = [16, 16 + 24 + 3, log.len()];
        for len in 0..=log.len() {
            let result = records(&log[..len]).and_then(|mut records| {
                while records.next_record()?.is_some() {}
                Ok(())
            });
            assert_eq!(result.is_ok(), borders.contains(&len), "{len}: {result:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_will_do(
            datalink in prop_oneof![Just(1001u32), Just(1002), Just(2001)],
            numbers in prop::collection::vec(prop_oneof![0u32..40, any::<u32>()], 0..100),
        ) {
            let mut log = log(datalink, &[]);
            log.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
            let mut records = records(&log).unwrap();
            let mut count = 0;
            while let Ok(Some(_)) = records.next_record() {
                count += 1;
            }
            prop_assert!(count * RECORD_HEADER <= log.len());
            prop_assert!(records.next_record().unwrap().is_none());
        }
    }
}
