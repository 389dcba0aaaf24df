use core::fmt;

/// Why a station refused a request: the exception code of the MODBUS
/// specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "u8", from = "u8"))]
#[non_exhaustive]
pub enum ExceptionCode {
    /// `0x01`: the function is not offered.
    IllegalFunction,
    /// `0x02`: a register does not exist, or the read runs past the end of a
    /// block. Normal for registers of other models.
    IllegalDataAddress,
    /// `0x03`: the value or the count is not taken.
    IllegalDataValue,
    /// `0x04`: the station failed while it carried out the request.
    ServerDeviceFailure,
    /// `0x05`: accepted, but it takes longer.
    Acknowledge,
    /// `0x06`: busy with something else.
    ServerDeviceBusy,
    /// `0x08`: a memory did not hold what was stored.
    MemoryParityError,
    /// `0x0A`: a gateway has no way to the unit.
    GatewayPathUnavailable,
    /// `0x0B`: the unit behind a gateway does not answer.
    GatewayTargetFailedToRespond,
    /// Any other code, as received.
    Unknown(u8),
}

impl ExceptionCode {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::IllegalFunction => 0x01,
            Self::IllegalDataAddress => 0x02,
            Self::IllegalDataValue => 0x03,
            Self::ServerDeviceFailure => 0x04,
            Self::Acknowledge => 0x05,
            Self::ServerDeviceBusy => 0x06,
            Self::MemoryParityError => 0x08,
            Self::GatewayPathUnavailable => 0x0A,
            Self::GatewayTargetFailedToRespond => 0x0B,
            Self::Unknown(code) => code,
        }
    }

    /// Whether the same request may be taken a little later.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Acknowledge | Self::ServerDeviceBusy)
    }
}

impl From<u8> for ExceptionCode {
    fn from(code: u8) -> Self {
        match code {
            0x01 => Self::IllegalFunction,
            0x02 => Self::IllegalDataAddress,
            0x03 => Self::IllegalDataValue,
            0x04 => Self::ServerDeviceFailure,
            0x05 => Self::Acknowledge,
            0x06 => Self::ServerDeviceBusy,
            0x08 => Self::MemoryParityError,
            0x0A => Self::GatewayPathUnavailable,
            0x0B => Self::GatewayTargetFailedToRespond,
            other => Self::Unknown(other),
        }
    }
}

impl From<ExceptionCode> for u8 {
    fn from(exception: ExceptionCode) -> Self {
        exception.code()
    }
}

impl fmt::Display for ExceptionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self {
            Self::IllegalFunction => "function not offered",
            Self::IllegalDataAddress => "register not there",
            Self::IllegalDataValue => "value or count not taken",
            Self::ServerDeviceFailure => "device failure",
            Self::Acknowledge => "accepted, takes longer",
            Self::ServerDeviceBusy => "busy",
            Self::MemoryParityError => "memory parity error",
            Self::GatewayPathUnavailable => "no way to the unit",
            Self::GatewayTargetFailedToRespond => "unit behind the gateway silent",
            Self::Unknown(_) => "unknown exception",
        };
        write!(f, "exception {}, {meaning}", self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives() {
        for code in 0..=0xFF {
            assert_eq!(ExceptionCode::from(code).code(), code);
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        let named = [
            (1, ExceptionCode::IllegalFunction),
            (2, ExceptionCode::IllegalDataAddress),
            (3, ExceptionCode::IllegalDataValue),
            (4, ExceptionCode::ServerDeviceFailure),
            (5, ExceptionCode::Acknowledge),
            (6, ExceptionCode::ServerDeviceBusy),
            (8, ExceptionCode::MemoryParityError),
            (10, ExceptionCode::GatewayPathUnavailable),
            (11, ExceptionCode::GatewayTargetFailedToRespond),
            (7, ExceptionCode::Unknown(7)),
            (9, ExceptionCode::Unknown(9)),
        ];
        for (code, exception) in named {
            assert_eq!(ExceptionCode::from(code), exception);
        }
    }
}
