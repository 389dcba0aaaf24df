//! The asynchronous client.

mod control;
mod identity;
mod pack;

pub use identity::Identity;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::modbus::{Request, UnitId};
use crate::model::Model;
use crate::refusal::{BlockReader, Refusals};
use crate::register::{Block, Group, ReadLimit, Registers};
use crate::session::{Config, Reply, Security, Session, SessionCounters, SessionError, Step};
use crate::{Error, Transport};

/// Writing one request over a link that works takes milliseconds.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// More chunks than any station can have in flight; draining must end.
const DRAIN_LIMIT: usize = 256;

/// A power station over a [`Transport`].
///
/// Calls run one at a time, each within a time limit of its own: a single read
/// ends after at most 8 s, a write after at most 5 s plus reading back; the first
/// call on a link may need 20 s more for the handshake of a station that encrypts.
/// A transport that does not take a request is given up after 5 s.
///
/// Hold the link between polls where you can: some models' Bluetooth dies of
/// connecting again and again.
///
/// # Cancellation
///
/// Dropping the future of a read does no harm: the next call starts by passing
/// over whatever is still arriving. Dropping the future of a write leaves open
/// whether it took effect.
#[derive(Debug)]
pub struct Client<T> {
    transport: T,
    session: Session,
    started: Instant,
    unit: Option<UnitId>,
    model: Option<Model>,
    read_limit: ReadLimit,
    /// Speaks MODBUS-TCP: another map, and no challenge to wait for.
    is_tcp: bool,
    refusals: BTreeMap<UnitId, Refusals>,
    /// When each control was last written, for those that want a pause.
    written: BTreeMap<u16, Instant>,
}

impl<T: Transport> Client<T> {
    /// A client for a station that is connected already.
    pub fn new(transport: T) -> Self {
        Self::with_config(transport, Config::default())
    }

    /// The same with other time limits, randomness, or verify key.
    pub fn with_config(transport: T, config: Config) -> Self {
        let mut session = Session::new(config);
        session.connected(0);
        Self {
            transport,
            session,
            started: Instant::now(),
            unit: None,
            model: None,
            read_limit: ReadLimit::SAFE,
            is_tcp: false,
            refusals: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }

    /// A client for a station behind MODBUS-TCP: its map is another, and nothing
    /// is encrypted. The transport puts requests under a TCP header, as
    /// [`TcpTransport`](crate::tcp::TcpTransport) does.
    #[cfg(feature = "tcp")]
    pub fn over_tcp(transport: T, mut config: Config) -> Self {
        config.timing.challenge_ms = 0;
        let mut client = Self::with_config(transport, config);
        client.is_tcp = true;
        client
    }

    /// Asks this unit; otherwise 1, and 0 if that is silent.
    #[must_use]
    pub fn with_unit(mut self, unit: UnitId) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Takes the station for this model; otherwise it is asked.
    #[must_use]
    pub fn with_model(mut self, model: Model) -> Self {
        self.model = Some(model);
        self
    }

    /// Asks for so many registers at once at most. The default is what every known
    /// station takes.
    #[must_use]
    pub fn with_read_limit(mut self, limit: ReadLimit) -> Self {
        self.read_limit = limit;
        self
    }

    /// What an earlier client learned about the same station.
    #[must_use]
    pub fn with_refusals(mut self, unit: UnitId, refusals: Refusals) -> Self {
        self.refusals.insert(unit, refusals);
        self
    }

    /// What a unit refused to tell so far.
    pub fn refusals(&self, unit: UnitId) -> Option<&Refusals> {
        self.refusals.get(&unit)
    }

    /// The transport, to look at it or to reconnect it. After reconnecting, call
    /// [`reconnected`](Self::reconnected).
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Gives the transport back.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Tells that the link is new: the keys of the old one are overwritten, the
    /// next call waits for a challenge.
    pub fn reconnected(&mut self) {
        let now_ms = self.now_ms();
        self.session.connected(now_ms);
    }

    /// Tells that the link has ended: its keys are overwritten, and what the old
    /// link still delivers is passed over. To be called before connecting again.
    pub fn disconnected(&mut self) {
        self.session.disconnected();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..DRAIN_LIMIT {
            let chunk = pin!(self.transport.recv()).poll(&mut context);
            if !matches!(chunk, Poll::Ready(Ok(_))) {
                break;
            }
        }
    }

    /// Whether and how the link is encrypted. Known once something was read.
    pub fn security(&self) -> Security {
        self.session.security()
    }

    /// What was seen besides the expected answers.
    pub fn counters(&self) -> SessionCounters {
        self.session.counters()
    }

    /// The unit that is asked.
    pub fn unit(&self) -> UnitId {
        let of_model = self.model.map(|model| UnitId(model.unit()));
        self.unit.or(of_model).unwrap_or_default()
    }

    /// The station's model, once known.
    pub fn model(&self) -> Option<Model> {
        self.model
    }

    /// Reads consecutive registers of the station, as they are.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a read: not sent, maybe sent, refused, timed out, no
    /// session, or a count that no request can ask for.
    pub async fn read_registers(&mut self, start: u16, count: u16) -> Result<Vec<u16>, Error> {
        self.read_unit(self.unit(), start, count).await
    }

    /// The same of another unit behind the same link.
    ///
    /// # Errors
    ///
    /// As for [`read_registers`](Self::read_registers).
    pub async fn read_unit(
        &mut self,
        unit: UnitId,
        start: u16,
        count: u16,
    ) -> Result<Vec<u16>, Error> {
        let request = Request::read(unit, start, count)?;
        match self.call(request).await? {
            Reply::Registers(words) => Ok(words),
            Reply::Refused(code) => Err(Error::Refused {
                unit,
                register: start,
                code,
            }),
            Reply::Written => Ok(Vec::new()),
        }
    }

    /// Reads blocks, or as much of them as the station has. What it refuses is
    /// halved, found out and remembered.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`read_registers`](Self::read_registers), but for refusals of
    /// registers.
    pub async fn read_blocks(&mut self, blocks: &[Block]) -> Result<Registers, Error> {
        self.read_blocks_of(self.unit(), blocks).await
    }

    /// The same of another unit behind the same link.
    ///
    /// # Errors
    ///
    /// As for [`read_blocks`](Self::read_blocks).
    pub async fn read_blocks_of(
        &mut self,
        unit: UnitId,
        blocks: &[Block],
    ) -> Result<Registers, Error> {
        let known = self.refusals.entry(unit).or_default();
        let mut reader = BlockReader::new(blocks, known);
        while let Some(block) = reader.next_block() {
            match self.read_unit(unit, block.start, block.count).await {
                Ok(words) => reader.answered(block, &words),
                Err(Error::Refused { code, .. })
                    if reader.refused(block, code, self.refusals.entry(unit).or_default()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(reader.into_registers())
    }

    /// Reads the fields of these groups with as few requests as the model allows.
    /// [`Station`](crate::model::Station) and
    /// [`Model::decode`] make values of them. Asks for the model first, unless it
    /// is known.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`read_blocks`](Self::read_blocks), and
    /// [`Error::UnknownModel`].
    pub async fn read(&mut self, groups: &[Group]) -> Result<Registers, Error> {
        let model = self.known_model().await?;
        let blocks = model.plan(groups, self.read_limit);
        self.read_blocks(&blocks).await
    }

    /// Answers what the station asks between calls, until the link fails. To be
    /// raced against whatever ends the idle time; a station that encrypts may
    /// challenge in the middle of it.
    ///
    /// Cancel safe.
    pub async fn idle(&mut self) -> Error {
        self.session.abandon();
        loop {
            let now_ms = self.now_ms();
            if let Step::Write(bytes) = self.session.poll(now_ms) {
                match timeout(SEND_LIMIT, self.transport.send(bytes)).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => return Error::NotSent(error),
                    Err(_) => return Error::NotSent(io::ErrorKind::TimedOut.into()),
                }
            }
            match self.transport.recv().await {
                Ok(chunk) => {
                    let now_ms = self.now_ms();
                    self.session.received(&chunk, now_ms);
                }
                Err(error) => {
                    self.session.disconnected();
                    return Error::NotSent(error);
                }
            }
        }
    }

    async fn known_model(&mut self) -> Result<Model, Error> {
        match self.model {
            Some(model) => Ok(model),
            None => Ok(self.identify().await?.model),
        }
    }

    async fn write(&mut self, request: Request) -> Result<(), Error> {
        let (unit, register) = (request.unit(), request.register());
        match self.call(request).await? {
            Reply::Refused(code) => Err(Error::Refused {
                unit,
                register,
                code,
            }),
            _ => Ok(()),
        }
    }

    async fn call(&mut self, request: Request) -> Result<Reply, Error> {
        let (unit, register, is_write) = (request.unit(), request.register(), request.is_write());
        self.exchange(request).await?.map_err(|error| match error {
            SessionError::TimedOut { .. } | SessionError::Restarted if is_write => {
                Error::MaybeSent(io::Error::new(io::ErrorKind::TimedOut, error))
            }
            SessionError::TimedOut { attempts } => Error::TimedOut {
                unit,
                register,
                attempts,
            },
            SessionError::EchoDiffers => Error::EchoDiffers { register },
            other => Error::Session(other),
        })
    }

    async fn exchange(&mut self, request: Request) -> Result<Result<Reply, SessionError>, Error> {
        self.drain().await?;
        self.session.begin(request, self.now_ms());
        loop {
            let now_ms = self.now_ms();
            let until_ms = match self.session.poll(now_ms) {
                Step::Write(bytes) => {
                    match timeout(SEND_LIMIT, self.transport.send(bytes)).await {
                        Ok(Ok(())) => {
                            let now_ms = self.now_ms();
                            self.session.written(now_ms);
                        }
                        Ok(Err(error)) => {
                            self.session.abandon();
                            return Err(match error.kind() {
                                io::ErrorKind::TimedOut => Error::MaybeSent(error),
                                _ => Error::NotSent(error),
                            });
                        }
                        Err(_) => {
                            self.session.abandon();
                            return Err(Error::MaybeSent(io::ErrorKind::TimedOut.into()));
                        }
                    }
                    continue;
                }
                Step::Wait { until_ms } => until_ms,
                Step::Done(outcome) => return Ok(outcome),
                Step::Idle => return Ok(Err(SessionError::TimedOut { attempts: 0 })),
            };
            let until = self.started + Duration::from_millis(until_ms);
            match timeout_at(until, self.transport.recv()).await {
                Ok(Ok(chunk)) => {
                    let now_ms = self.now_ms();
                    self.session.received(&chunk, now_ms);
                }
                Ok(Err(error)) => {
                    self.session.disconnected();
                    return Err(Error::MaybeSent(error));
                }
                Err(_) => {}
            }
        }
    }

    /// Takes what arrived since the last call: late answers, the answers to calls
    /// that were dropped, challenges.
    async fn drain(&mut self) -> Result<(), Error> {
        self.session.abandon();
        for _ in 0..DRAIN_LIMIT {
            match arrived(&mut self.transport).await {
                Some(Ok(chunk)) => {
                    let now_ms = self.now_ms();
                    self.session.received(&chunk, now_ms);
                }
                Some(Err(error)) => {
                    self.session.disconnected();
                    return Err(Error::NotSent(error));
                }
                None => break,
            }
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The next chunk if it is there already.
async fn arrived(transport: &mut impl Transport) -> Option<io::Result<Vec<u8>>> {
    let mut recv = pin!(transport.recv());
    poll_fn(|context| match recv.as_mut().poll(context) {
        Poll::Ready(chunk) => Poll::Ready(Some(chunk)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
