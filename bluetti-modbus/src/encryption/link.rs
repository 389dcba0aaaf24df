use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::HandshakeError;
use super::cipher::SessionCipher;
use super::entropy::{Entropy, NoEntropy};
use super::handshake::{Accepted, Challenged, KeySent, response_inside};
use super::kex::{Kex, KexType};
use super::packet::{Packet, Packets};
use super::signature::VerifyKey;

/// One link to a station that may encrypt: from its first challenge to the
/// frames of the session.
///
/// Chunks go in with [`push`](Self::push), [`next_event`](Self::next_event) says
/// what they mean. Keys are overwritten when the link is
/// [`reset`](Self::reset) or dropped.
pub struct SecureLink {
    packets: Packets,
    stage: Stage,
    verify_key: Option<VerifyKey>,
    entropy: Box<dyn Entropy>,
    counters: LinkCounters,
}

/// What a [`SecureLink`] saw so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LinkCounters {
    /// Bytes that belonged to no packet.
    pub rejected_bytes: u64,
    /// Packets that were damaged or out of place.
    pub rejected_packets: u64,
    /// Handshakes that led to a session.
    pub handshakes: u64,
    /// Challenges answered inside a session.
    pub inner_challenges: u64,
}

/// What received bytes mean to the owner of a [`SecureLink`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// The station challenges: a handshake has begun, anew perhaps. Write these
    /// bytes.
    Challenged(Vec<u8>),
    /// Write these bytes.
    Send(Vec<u8>),
    /// The session is ready: what is written from now on must be sealed.
    Ready,
    /// A decrypted frame, as a rule a MODBUS answer. Not checked yet.
    Received(Vec<u8>),
    /// A packet was damaged.
    Damaged,
    /// The handshake failed. The link is at its beginning again.
    Failed(HandshakeError),
}

enum Stage {
    Idle,
    Challenged(Challenged),
    Accepted(Accepted),
    KeySent(KeySent),
    Ready(SessionCipher),
}

impl SecureLink {
    /// A link on which nothing has happened yet. Without a verify key every
    /// handshake fails.
    #[must_use]
    pub fn new(verify_key: Option<VerifyKey>, entropy: Box<dyn Entropy>) -> Self {
        Self {
            packets: Packets::default(),
            stage: Stage::Idle,
            verify_key,
            entropy,
            counters: LinkCounters::default(),
        }
    }

    /// Adds one notification.
    pub fn push(&mut self, chunk: &[u8]) {
        self.packets.push(chunk);
    }

    /// What the bytes so far mean; `None` until more arrive.
    pub fn next_event(&mut self) -> Option<LinkEvent> {
        loop {
            let event = if matches!(self.stage, Stage::Idle) {
                let message = self.packets.next_plain()?;
                self.plain(&message)
            } else {
                let seeded = matches!(self.stage, Stage::Ready(_));
                match self.packets.next(seeded)? {
                    Packet::Plain(message) => self.plain(&message),
                    Packet::Encrypted(frame) => self.encrypted(&frame),
                }
            };
            match event {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(error) => {
                    self.stage = Stage::Idle;
                    self.packets.flush();
                    return Some(LinkEvent::Failed(error));
                }
            }
        }
    }

    /// Encrypts what is to be written; `None` outside a session.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] if there are no random bytes for it.
    pub fn seal(&mut self, plain: &[u8]) -> Result<Option<Vec<u8>>, NoEntropy> {
        match &self.stage {
            Stage::Ready(session) => session.seal(plain, &mut *self.entropy).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether a challenge has come since the last reset.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// Whether a packet has begun to arrive.
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        !self.packets.is_empty()
    }

    /// Whether a session is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready(_))
    }

    /// What the handshake waits for; `None` before it and in a session.
    #[must_use]
    pub fn awaits(&self) -> Option<KexType> {
        match self.stage {
            Stage::Idle | Stage::Ready(_) => None,
            Stage::Challenged(_) => Some(KexType::Accepted),
            Stage::Accepted(_) => Some(KexType::StationKey),
            Stage::KeySent(_) => Some(KexType::KeyAccepted),
        }
    }

    /// Forgets a packet that is incomplete.
    pub fn flush(&mut self) {
        self.packets.flush();
    }

    /// The link has ended: forgets, and overwrites, every key.
    pub fn reset(&mut self) {
        self.stage = Stage::Idle;
        self.packets.flush();
    }

    /// What was seen so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        LinkCounters {
            rejected_bytes: self.packets.rejected_bytes(),
            ..self.counters
        }
    }

    fn plain(&mut self, message: &[u8]) -> Result<Option<LinkEvent>, HandshakeError> {
        let Ok(message) = Kex::parse(message) else {
            return Ok(self.passed_over());
        };
        if message.kind() == KexType::Challenge {
            if let Stage::Challenged(step) = &self.stage
                && step.is_for(&message)
            {
                return Ok(Some(LinkEvent::Send(step.response())));
            }
            let step = Challenged::new(&message)?;
            let response = step.response();
            self.stage = Stage::Challenged(step);
            return Ok(Some(LinkEvent::Challenged(response)));
        }
        match (self.take_stage(), message.kind()) {
            (Stage::Challenged(step), KexType::Accepted) => {
                self.stage = Stage::Accepted(step.accepted(&message)?);
                Ok(None)
            }
            (stage, _) => {
                self.stage = stage;
                Ok(self.passed_over())
            }
        }
    }

    fn encrypted(&mut self, frame: &[u8]) -> Result<Option<LinkEvent>, HandshakeError> {
        match self.take_stage() {
            Stage::Idle => Ok(self.passed_over()),
            Stage::Challenged(step) => self.station_key(step.presumed_accepted(), frame),
            Stage::Accepted(step) => self.station_key(step, frame),
            Stage::KeySent(step) => self.key_accepted(step, frame),
            Stage::Ready(session) => {
                let plain = session.open(frame);
                self.stage = Stage::Ready(session);
                match plain {
                    Some(plain) => self.received(plain),
                    None => Ok(self.damaged()),
                }
            }
        }
    }

    fn station_key(
        &mut self,
        step: Accepted,
        frame: &[u8],
    ) -> Result<Option<LinkEvent>, HandshakeError> {
        let opened = step.open(frame);
        let message = opened.as_ref().map(|plain| Kex::parse(plain));
        match message {
            Some(Ok(message)) if message.kind() == KexType::StationKey => {
                let verify_key = self.verify_key.as_ref();
                let verify_key = verify_key.ok_or(HandshakeError::InvalidSignature)?;
                let step = step.station_key(&message, verify_key, &mut *self.entropy)?;
                let answer = step.answer().to_vec();
                self.stage = Stage::KeySent(step);
                Ok(Some(LinkEvent::Send(answer)))
            }
            Some(Err(error)) if error.is_about_shape() => Err(error.into()),
            _ => {
                self.stage = Stage::Accepted(step);
                Ok(self.damaged())
            }
        }
    }

    fn key_accepted(
        &mut self,
        step: KeySent,
        frame: &[u8],
    ) -> Result<Option<LinkEvent>, HandshakeError> {
        let opened = step.open(frame);
        let message = opened.as_ref().and_then(|plain| Kex::parse(plain).ok());
        match message {
            Some(message) if message.kind() == KexType::KeyAccepted => {
                self.stage = Stage::Ready(step.confirmed(&message)?);
                self.counters.handshakes += 1;
                Ok(Some(LinkEvent::Ready))
            }
            Some(message) if message.kind() == KexType::StationKey => {
                let answer = step.answer().to_vec();
                self.stage = Stage::KeySent(step);
                Ok(Some(LinkEvent::Send(answer)))
            }
            _ => {
                self.stage = Stage::KeySent(step);
                Ok(self.damaged())
            }
        }
    }

    /// A frame of the session: a MODBUS answer, or a challenge inside it.
    fn received(&mut self, plain: Vec<u8>) -> Result<Option<LinkEvent>, HandshakeError> {
        if let Ok(message) = Kex::parse(&plain)
            && message.kind() == KexType::Challenge
        {
            let response = response_inside(&message)?;
            self.counters.inner_challenges += 1;
            return Ok(self.seal(&response)?.map(LinkEvent::Send));
        }
        Ok(Some(LinkEvent::Received(plain)))
    }

    fn take_stage(&mut self) -> Stage {
        core::mem::replace(&mut self.stage, Stage::Idle)
    }

    fn passed_over(&mut self) -> Option<LinkEvent> {
        self.counters.rejected_packets += 1;
        None
    }

    fn damaged(&mut self) -> Option<LinkEvent> {
        self.counters.rejected_packets += 1;
        Some(LinkEvent::Damaged)
    }
}

impl fmt::Debug for SecureLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureLink")
            .field("is_ready", &self.is_ready())
            .field("awaits", &self.awaits())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
