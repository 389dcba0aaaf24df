use core::fmt;

/// The status byte of an answer: how the board took the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Status {
    /// `0x00`: done.
    Ok,
    /// `0x80`: the board does not know the register, or refuses it for good.
    Unsupported,
    /// `0x81`: not allowed now; factory mode was not entered, or a password is missing.
    NotAllowed,
    /// `0x82`: the board saw a wrong checksum or a value it does not take.
    Invalid,
    /// `0x83`: the password is wrong or required.
    PasswordWrong,
    /// Any other status byte, as received.
    Other(u8),
}

impl Status {
    /// The status byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0x00,
            Self::Unsupported => 0x80,
            Self::NotAllowed => 0x81,
            Self::Invalid => 0x82,
            Self::PasswordWrong => 0x83,
            Self::Other(code) => code,
        }
    }

    /// Whether the request was carried out.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }
}

impl From<u8> for Status {
    fn from(code: u8) -> Self {
        match code {
            0x00 => Self::Ok,
            0x80 => Self::Unsupported,
            0x81 => Self::NotAllowed,
            0x82 => Self::Invalid,
            0x83 => Self::PasswordWrong,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self {
            Self::Ok => "ok",
            Self::Unsupported => "unknown to this board or refused",
            Self::NotAllowed => "not allowed now: factory mode or password missing",
            Self::Invalid => "checksum or value not accepted",
            Self::PasswordWrong => "password wrong or required",
            Self::Other(_) => "unknown status",
        };
        write!(f, "status {:#04x}, {meaning}", self.code())
    }
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The first byte is not the start mark.
    #[error("a frame starts with 0xdd, not {0:#04x}")]
    Start(u8),
    /// The status byte is neither 0x00 nor 0x80..=0x8f.
    #[error("{0:#04x} is no status byte")]
    Status(u8),
    /// The last byte is not the end mark.
    #[error("a frame ends with 0x77, not {0:#04x}")]
    End(u8),
    /// The checksum does not fit the content.
    #[error("checksum {got:#06x}, expected {expected:#06x}")]
    Checksum {
        /// What the content adds up to.
        expected: u16,
        /// What the frame carries.
        got: u16,
    },
    /// More data than the length byte can express.
    #[error("{0} data bytes do not fit one frame")]
    TooLong(usize),
}

/// Why the data of a sound frame is not what its register should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The answer ends before its fixed part does.
    #[error("register {register:#04x}: {got} data bytes, at least {needed} needed")]
    TooShort {
        /// The register that was read.
        register: u8,
        /// Data bytes of the fixed part.
        needed: usize,
        /// Data bytes received.
        got: usize,
    },
    /// A list of 16-bit values has an odd number of bytes.
    #[error("register {register:#04x}: {got} data bytes are no list of 16-bit values")]
    OddLength {
        /// The register that was read.
        register: u8,
        /// Data bytes received.
        got: usize,
    },
    /// The answer belongs to other parameters than those asked for.
    #[error("register {register:#04x}: the answer is about other parameters")]
    OtherParameters {
        /// The register that was read.
        register: u8,
    },
}

/// Why a call on [`Client`](crate::Client) failed, by how far it got.
#[cfg(feature = "client")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request did not leave: the transport refused it. Safe to repeat.
    #[error("not sent: {0}")]
    NotSent(#[source] std::io::Error),
    /// The request was handed to the transport and its effect is unknown: the
    /// link failed, or a write stayed unanswered. Never repeated by this crate.
    #[error("sent, but unanswered: {0}")]
    MaybeSent(#[source] std::io::Error),
    /// The device answered with a refusal.
    #[error("register {register:#04x} refused: {status}")]
    Refused {
        /// The register that was read or written.
        register: u8,
        /// The device's reason.
        status: Status,
    },
    /// The device answered, but not with what the register should hold.
    #[error("unreadable answer: {0}")]
    Unreadable(#[from] DecodeError),
    /// A read stayed unanswered after every repetition.
    #[error("register {register:#04x} unanswered after {attempts} requests")]
    TimedOut {
        /// The register that was read.
        register: u8,
        /// How often it was asked for.
        attempts: u8,
    },
    /// The device wants a password and none was given.
    #[error("the device wants a password")]
    PasswordNeeded,
    /// The device does not take the password that was given.
    #[error("the device does not accept the password")]
    PasswordRejected,
    /// The module login needs the device's address, which nobody told.
    #[error("the login needs the device's Bluetooth address")]
    AddressNeeded,
    /// The module echoes requests: it wants passkey pairing through the
    /// operating system before it passes them on.
    #[error("the device wants to be paired with its passkey first")]
    PairingNeeded,
    /// The device acknowledged a write, but reading back shows another value.
    #[error("register {register:#04x} was acknowledged, but reading back shows no effect")]
    NotEffective {
        /// The register that was written.
        register: u8,
    },
    /// The parameter is written only when forced; nothing was sent.
    #[error("{0} is guarded: a wrong value makes the pack unsafe")]
    Guarded(crate::parameters::Parameter),
    /// A value is outside what the register can hold or what is safe; nothing
    /// was sent.
    #[error("{0}")]
    InvalidValue(alloc::string::String),
}

#[cfg(feature = "client")]
impl Error {
    /// Whether the same call may succeed later without anyone doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NotSent(_) | Self::MaybeSent(_) | Self::TimedOut { .. } | Self::Unreadable(_)
        )
    }

    /// Whether the user has to supply a (different) password.
    #[must_use]
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::PasswordNeeded | Self::PasswordRejected)
    }

    /// Whether the user has to pair the device through the operating system.
    #[must_use]
    pub fn needs_pairing(&self) -> bool {
        matches!(self, Self::PairingNeeded)
    }
}
