//! The asynchronous client.

mod control;
mod parameters;

pub use parameters::WriteOptions;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::assembler::ModuleFrame;
use crate::frame::Request;
use crate::login::{LoginError, LoginStep, ModuleLogin, PasswordDigits};
use crate::session::{Call, Reply, Session, SessionCounters, SessionError, Step, Timing};
use crate::{
    BasicInfo, CellVoltages, ChipType, Command, Error, ErrorCounts, MacAddress, Password, Status,
    Transport, UnitScale, hardware_name,
};

/// Writing one request over a link that works takes milliseconds.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// A board that answered so recently is not asleep.
const AWAKE_FOR: Duration = Duration::from_secs(5);

/// More chunks than any device can have in flight; draining must end.
const DRAIN_LIMIT: usize = 256;

/// A battery over a [`Transport`].
///
/// Calls run one at a time, each within a time limit of its own: a read ends
/// after at most 5.2 s, or about 10 s more where a silent module is logged in to
/// first; a write after at most 3 s plus reading back. A transport that does not
/// take a request is given up after 5 s.
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
    unit_scale: UnitScale,
    password: Option<Password>,
    address: Option<MacAddress>,
    answered_at: Option<Instant>,
    logged_in: bool,
    /// Factory mode was entered and not left yet: a call is inside, or was
    /// dropped there.
    factory_mode: bool,
    /// Charge and discharge MOSFET as this client last left them.
    released: Option<(bool, bool)>,
}

impl<T: Transport> Client<T> {
    /// A client for a device that is connected already.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            session: Session::new(Timing::default()),
            started: Instant::now(),
            unit_scale: UnitScale::Auto,
            password: None,
            address: None,
            answered_at: None,
            logged_in: false,
            factory_mode: false,
            released: None,
        }
    }

    /// Six digits for a board that guards its parameters, or six letters and
    /// digits for a module that wants a login. Used only where asked for.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<Password>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The device's address, which the login of newer modules needs.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<MacAddress>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// What a count of current and capacity stands for, where the device does
    /// not say it truly.
    #[must_use]
    pub fn with_unit_scale(mut self, unit_scale: UnitScale) -> Self {
        self.unit_scale = unit_scale;
        self
    }

    /// Other time limits than the default ones.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.session = Session::new(timing);
        self
    }

    /// What an earlier client left the MOSFETs as, told by its
    /// [`released`](Self::released): over a new link nobody else knows.
    #[must_use]
    pub fn with_released(mut self, released: Option<(bool, bool)>) -> Self {
        self.released = released;
        self
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

    /// Tells that the link is new: logins are gone and the board may sleep.
    pub fn reconnected(&mut self) {
        self.session.abandon();
        self.answered_at = None;
        self.logged_in = false;
    }

    /// What was seen besides the expected answers.
    pub fn counters(&self) -> SessionCounters {
        self.session.counters()
    }

    /// Whether the device speaks this protocol, found by asking for register 0x03.
    /// Names and advertised services cannot tell for sure.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Error::NotSent`] or [`Error::MaybeSent`] if the link failed.
    pub async fn identify(&mut self) -> Result<bool, Error> {
        match self.basic_info().await {
            Ok(_)
            | Err(
                Error::Refused { .. }
                | Error::PasswordNeeded
                | Error::PasswordRejected
                | Error::AddressNeeded
                | Error::PairingNeeded,
            ) => Ok(true),
            Err(Error::TimedOut { .. } | Error::Unreadable(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Reads voltage, current, charge, temperatures and state (register 0x03).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a read: not sent, maybe sent, refused, unreadable, timed
    /// out, password or pairing needed.
    pub async fn basic_info(&mut self) -> Result<BasicInfo, Error> {
        let data = self.read(&Command::BasicInfo).await?;
        Ok(BasicInfo::decode(&data, self.unit_scale)?)
    }

    /// Reads the voltage of every cell (register 0x04).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`basic_info`](Self::basic_info).
    pub async fn cell_voltages(&mut self) -> Result<CellVoltages, Error> {
        let data = self.read(&Command::CellVoltages).await?;
        Ok(CellVoltages::decode(&data)?)
    }

    /// Reads the hardware name (register 0x05); `None` if the board does not
    /// know the register, which some never answer.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`basic_info`](Self::basic_info).
    pub async fn hardware_name(&mut self) -> Result<Option<String>, Error> {
        let data = self.read_optional(&Command::HardwareName).await?;
        Ok(data.map(|data| hardware_name(&data)))
    }

    /// Reads the measuring chip (register 0x00); `None` if the board does not
    /// tell, which usually means Texas Instruments.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`basic_info`](Self::basic_info).
    pub async fn chip_type(&mut self) -> Result<Option<ChipType>, Error> {
        let data = self.read_optional(&Command::ChipType).await?;
        Ok(data.map(|data| ChipType::decode(&data)).transpose()?)
    }

    /// Reads how often each protection tripped (register 0xAA).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// As for [`basic_info`](Self::basic_info).
    pub async fn error_counts(&mut self) -> Result<ErrorCounts, Error> {
        let data = self.read(&Command::ErrorCounts).await?;
        Ok(ErrorCounts::decode(&data)?)
    }

    async fn read(&mut self, command: &Command) -> Result<Vec<u8>, Error> {
        self.close_factory_mode().await?;
        self.read_request(command.request()).await
    }

    async fn read_optional(&mut self, command: &Command) -> Result<Option<Vec<u8>>, Error> {
        self.wake().await?;
        optional(self.ask_optional(command.request()).await)
    }

    async fn read_request(&mut self, request: Request) -> Result<Vec<u8>, Error> {
        match self.ask(request.clone()).await {
            Err(Error::TimedOut { register, .. }) if self.answered_at.is_none() => {
                self.log_in_to_module(register).await?;
                self.ask(request).await
            }
            other => other,
        }
    }

    /// A board that sleeps loses the first request. Only a read may be lost.
    async fn wake(&mut self) -> Result<(), Error> {
        self.close_factory_mode().await?;
        let awake = |at: Instant| at.elapsed() < AWAKE_FOR;
        if !self.answered_at.is_some_and(awake) {
            self.read_request(Command::BasicInfo.request()).await?;
        }
        Ok(())
    }

    async fn write(&mut self, command: &Command) -> Result<(), Error> {
        self.write_request(command.request()).await.map(|_| ())
    }

    async fn write_request(&mut self, request: Request) -> Result<Vec<u8>, Error> {
        match self.ask(request.clone()).await {
            Err(Error::Refused {
                status: Status::PasswordWrong,
                ..
            }) if self.password.is_none() => Err(Error::PasswordNeeded),
            Err(Error::Refused {
                status: Status::NotAllowed | Status::PasswordWrong,
                ..
            }) if self.digits().is_some() => {
                self.log_in_to_board().await?;
                self.ask(request).await
            }
            other => other,
        }
    }

    fn digits(&self) -> Option<PasswordDigits> {
        self.password.as_ref().and_then(Password::digits)
    }

    async fn log_in_to_board(&mut self) -> Result<(), Error> {
        let digits = self.digits().ok_or(Error::PasswordNeeded)?;
        let request = Command::PasswordLogin(digits).request();
        match self.ask(request).await {
            // Firmware without passwords does not know the register.
            Ok(_)
            | Err(Error::Refused {
                status: Status::Unsupported,
                ..
            }) => {
                self.logged_in = true;
                Ok(())
            }
            Err(Error::Refused { .. }) => Err(Error::PasswordRejected),
            Err(other) => Err(other),
        }
    }

    async fn log_in_to_module(&mut self, asked: u8) -> Result<(), Error> {
        let (mut login, mut request) = ModuleLogin::start(self.password.clone(), self.address);
        loop {
            let step = match self.exchange(Call::Module(request)).await? {
                Ok(Reply::Module { command, data }) => login.answered(&ModuleFrame {
                    command,
                    data: &data,
                }),
                Ok(Reply::Register { .. }) => Err(LoginError::Unanswered),
                Err(SessionError::Echoed) => return Err(Error::PairingNeeded),
                Err(SessionError::TimedOut { .. }) => login.unanswered(),
            };
            match step {
                Ok(LoginStep::Done) => return Ok(()),
                Ok(LoginStep::Send(next, next_request)) => (login, request) = (next, next_request),
                Err(LoginError::PasswordNeeded) => return Err(Error::PasswordNeeded),
                Err(LoginError::PasswordRejected) => return Err(Error::PasswordRejected),
                Err(LoginError::AddressNeeded) => return Err(Error::AddressNeeded),
                Err(LoginError::Unanswered) => {
                    return Err(Error::TimedOut {
                        register: asked,
                        attempts: 3,
                    });
                }
            }
        }
    }

    async fn ask(&mut self, request: Request) -> Result<Vec<u8>, Error> {
        let (register, is_write) = (request.register(), request.is_write());
        self.call(Call::Register(request), register, is_write).await
    }

    async fn ask_optional(&mut self, request: Request) -> Result<Vec<u8>, Error> {
        let register = request.register();
        self.call(Call::Optional(request), register, false).await
    }

    async fn call(&mut self, call: Call, register: u8, is_write: bool) -> Result<Vec<u8>, Error> {
        match self.exchange(call).await? {
            Ok(Reply::Register { status, data }) => {
                self.answered_at = Some(Instant::now());
                match status {
                    Status::Ok => Ok(data),
                    status => Err(Error::Refused { register, status }),
                }
            }
            Ok(Reply::Module { .. }) => Err(Error::TimedOut {
                register,
                attempts: 1,
            }),
            Err(SessionError::Echoed) => Err(Error::PairingNeeded),
            Err(SessionError::TimedOut { .. }) if is_write => {
                Err(Error::MaybeSent(io::ErrorKind::TimedOut.into()))
            }
            Err(SessionError::TimedOut { attempts }) => Err(Error::TimedOut { register, attempts }),
        }
    }

    async fn exchange(&mut self, call: Call) -> Result<Result<Reply, SessionError>, Error> {
        self.drain().await?;
        self.session.begin(call, self.now_ms());
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
                    self.session.abandon();
                    return Err(Error::MaybeSent(error));
                }
                Err(_) => {}
            }
        }
    }

    /// Passes over what arrived since the last call: late answers, and the
    /// answers to calls that were dropped.
    async fn drain(&mut self) -> Result<(), Error> {
        self.session.abandon();
        for _ in 0..DRAIN_LIMIT {
            match arrived(&mut self.transport).await {
                Some(Ok(chunk)) => {
                    let now_ms = self.now_ms();
                    self.session.received(&chunk, now_ms);
                }
                Some(Err(error)) => return Err(Error::NotSent(error)),
                None => break,
            }
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Silence and ignorance are how boards say that they lack a register.
fn optional(outcome: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match outcome {
        Err(
            Error::TimedOut { .. }
            | Error::Refused {
                status: Status::Unsupported,
                ..
            },
        ) => Ok(None),
        other => other.map(Some),
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
