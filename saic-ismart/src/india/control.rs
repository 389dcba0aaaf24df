use super::bits::{CodecError, I8, I16, List, Maybe, Nested, Octets, Sequence, message, sequence};
use super::status::{BasicStatus, Position};
use crate::vehicle::{Climate, Command};

/// Ends the parameters of most commands.
const END: u16 = 255;

sequence! {
    /// One parameter of a command.
    #[derive(Debug)]
    ControlParam {
        /// Number.
        id: u16 = I16,
        /// Value, 1 to 255 bytes.
        value: Vec<u8> = Octets<1, 255>,
    }
}

sequence! {
    /// Application 510, message 1: a command.
    #[derive(Debug)]
    ControlRequest {
        /// Kind of command, one byte.
        kind: Vec<u8> = Octets<1, 1>,
        /// 1 to 10 parameters.
        params: Option<Vec<ControlParam>> = Maybe<List<ControlParam, 1, 10>>,
    }
}

sequence! {
    /// The answer to a [`ControlRequest`], raw.
    #[derive(Debug)]
    ControlAnswer {
        /// Kind of command, one byte.
        kind: Vec<u8> = Octets<1, 1>,
        /// 1 is under way, 2 is done, anything else has failed.
        status: Vec<u8> = Octets<1, 1>,
        /// 0 is fine.
        failure: Option<u8> = Maybe<I8>,
        /// Where the car is.
        position: Position = Nested<Position>,
        /// Its state.
        basic: BasicStatus = Nested<BasicStatus>,
    }
}

message!(ControlRequest, ControlAnswer);

impl ControlRequest {
    /// A command with the parameters that this region takes. They are those of
    /// the other regions, but: the end is one zero byte, windows open with 3,
    /// and climate is started with mode 3 and stopped with two zeros.
    ///
    /// # Errors
    ///
    /// [`CodecError::Range`] for a command that the protocol cannot carry.
    pub fn of(command: &Command) -> Result<Self, CodecError> {
        let params = match *command {
            Command::Climate(Climate::Start { index }) => vec![(19, 3), (20, index)],
            Command::Climate(Climate::Stop) => vec![(19, 0), (20, 0)],
            _ => command.params(),
        };
        let value = |id, byte| match (command, id, byte) {
            // By the number that newer cars of other regions take.
            (Command::Windows(_), 13, 2) => 3,
            _ => byte,
        };
        let param = |(id, byte)| ControlParam {
            id,
            value: vec![value(id, byte)],
        };
        let mut params: Vec<_> = params.into_iter().map(param).collect();
        if !params.is_empty() && command.has_end() {
            params.push(param((END, 0)));
        }
        let kind = u8::try_from(command.request_type()).map_err(|_| CodecError::Range)?;
        Ok(Self {
            kind: vec![kind],
            params: (!params.is_empty()).then_some(params),
        })
    }
}
