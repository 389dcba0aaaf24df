//! A link that keeps what passes over it.

use std::io;
use std::time::{Duration, Instant};

use jbd_bms::Transport;

/// Records of a session that are kept; a pack that is asked all the time makes
/// twenty a second.
const RECORDS_MAX: usize = 100_000;

/// Something that happened on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Since the recording began.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Bytes were written to the device.
    Wrote(Vec<u8>),
    /// The device notified.
    Heard(Vec<u8>),
    /// Something that the bytes do not say.
    Note(String),
}

/// A link that keeps what passes over it.
#[derive(Debug)]
pub struct Recorder<T> {
    link: T,
    began: Instant,
    records: Vec<Record>,
}

impl What {
    /// True for a notification.
    pub fn is_heard(&self) -> bool {
        matches!(self, Self::Heard(_))
    }
}

impl<T> Recorder<T> {
    /// Records from now on.
    pub fn new(link: T) -> Self {
        Self {
            link,
            began: Instant::now(),
            records: Vec::new(),
        }
    }

    /// The link itself.
    pub fn link_mut(&mut self) -> &mut T {
        &mut self.link
    }

    /// Keeps a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.keep(What::Note(text.into()));
    }

    /// False once no more is kept.
    pub fn has_room(&self) -> bool {
        self.records.len() < RECORDS_MAX
    }

    /// What was recorded.
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    fn keep(&mut self, what: What) {
        if self.has_room() {
            let at = self.began.elapsed();
            self.records.push(Record { at, what });
        }
    }
}

impl<T: Transport> Transport for Recorder<T> {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Before: an answer may be there when the call returns.
        self.keep(What::Wrote(bytes.to_vec()));
        let sent = self.link.send(bytes).await;
        if let Err(error) = &sent {
            self.note(format!("not written: {error}"));
        }
        sent
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        let chunk = self.link.recv().await?;
        self.keep(What::Heard(chunk.clone()));
        Ok(chunk)
    }
}
