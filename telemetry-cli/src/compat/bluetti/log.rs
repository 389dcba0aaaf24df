//! The lines that `bluetti-logger` and `bluetti-discovery` write: JSON as
//! Python's `json.dumps` makes it, byte for byte.
//!
//! Each line is one request and what came of it. Data is as it would be on a
//! link that is not encrypted, whether it was or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bluetti_modbus::Error;
use bluetti_modbus::modbus::{Answer, Frame, Operation, Request, UnitId, Words, crc16_modbus};
use bluetti_modbus::session::SessionError;
use chrono::{DateTime, Local};

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was asked.
    pub request: Request,
    /// The whole answer, or what went wrong.
    pub outcome: Result<Vec<u8>, String>,
}

/// Why a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is no JSON object with these keys.
    #[error("it is no line of a log: {0}")]
    Json(#[from] serde_json::Error),
    /// Neither an answer nor an error.
    #[error("it has neither `data` nor `error`")]
    Empty,
    /// What should be base64 is not.
    #[error("`{0}` is no base64")]
    Base64(&'static str),
    /// The request is none that stations know.
    #[error("`command` is no MODBUS request")]
    Command,
}

impl Line {
    /// The line for what a read of `count` registers from `start` came to.
    pub fn read(
        unit: UnitId,
        start: u16,
        count: u16,
        read: &Result<Vec<u16>, Error>,
    ) -> Option<Self> {
        let request = Request::read(unit, start, count).ok()?;
        let outcome = match read {
            Ok(words) => {
                let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
                let answer = Answer::Registers(Words::new(&data)?);
                Ok(Frame { unit, answer }.to_bytes())
            }
            Err(error) => Err(reason(&request, error)),
        };
        Some(Self { request, outcome })
    }

    /// The line for what a write to one register came to: its answer repeats it.
    pub fn write(unit: UnitId, register: u16, value: u16, written: &Result<(), Error>) -> Self {
        let request = Request::write(unit, register, value);
        let outcome = match written {
            // It was told, and said so.
            Ok(()) | Err(Error::PackNotShown { .. }) => Ok(request.to_rtu()),
            Err(error) => Err(reason(&request, error)),
        };
        Self { request, outcome }
    }

    /// As text, without a line break.
    pub fn to_json(&self, time: DateTime<Local>) -> String {
        let (key, text) = match &self.outcome {
            Ok(data) => ("data", STANDARD.encode(data)),
            Err(error) => ("error", error.clone()),
        };
        let text = serde_json::Value::from(text);
        let time = time.format("%Y-%m-%d %H:%M:%S %z");
        let command = STANDARD.encode(self.request.to_rtu());
        format!(
            r#"{{"type": "client", "time": "{time}", "{key}": {text}, "command": "{command}"}}"#
        )
    }

    /// From text.
    ///
    /// # Errors
    /// If it is none of these lines.
    pub fn from_json(text: &str) -> Result<Self, LineError> {
        #[derive(serde::Deserialize)]
        struct Keys {
            command: String,
            data: Option<String>,
            error: Option<String>,
        }

        let keys: Keys = serde_json::from_str(text)?;
        let bytes = |key, text: &str| STANDARD.decode(text).map_err(|_| LineError::Base64(key));
        let command = bytes("command", &keys.command)?;
        let outcome = match (keys.data, keys.error) {
            (Some(data), _) => Ok(bytes("data", &data)?),
            (None, Some(error)) => Err(error),
            (None, None) => return Err(LineError::Empty),
        };
        Ok(Self {
            request: request(&command).ok_or(LineError::Command)?,
            outcome,
        })
    }

    /// The code of a refusal.
    pub fn refusal(&self) -> Option<u8> {
        match &self.outcome {
            Ok(data) => match Frame::parse(data).ok()??.0.answer {
                Answer::Exception { code, .. } => Some(code.code()),
                _ => None,
            },
            Err(error) => {
                let rest = error.strip_prefix(REFUSED)?;
                rest.rsplit_once(": ")?.1.parse().ok()
            }
        }
    }

    /// What was read: the first register, and the words from it on.
    pub fn words(&self) -> Option<(u16, Vec<u16>)> {
        let data = self.outcome.as_ref().ok()?;
        let (frame, _) = Frame::parse(data).ok()??;
        match frame.answer {
            Answer::Registers(words) if self.request.accepts(frame.unit, &frame.answer) => {
                Some((self.request.register(), words.to_vec()))
            }
            _ => None,
        }
    }
}

const REFUSED: &str = "MODBUS Exception ";

/// The original's words, where it has some.
fn reason(request: &Request, error: &Error) -> String {
    match error {
        Error::Refused { code, .. } => {
            let start = request.register();
            let asked = match request.operation() {
                Operation::Read { count, .. } => {
                    format!("ReadHoldingRegisters(starting_address={start}, quantity={count})")
                }
                // Values are nobody's business: some registers hold passwords.
                _ => format!("WriteRegisters(starting_address={start})"),
            };
            format!("{REFUSED}{asked}: {}", code.code())
        }
        Error::TimedOut { .. } => "too many retries".to_owned(),
        Error::MaybeSent(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            "too many retries".to_owned()
        }
        Error::Session(SessionError::ModuleRestarted) => "Got AT+ notification".to_owned(),
        other => other.to_string(),
    }
}

/// The request in these bytes.
pub fn request(bytes: &[u8]) -> Option<Request> {
    let (content, crc) = bytes.split_last_chunk::<2>()?;
    if u16::from_le_bytes(*crc) != crc16_modbus(content) {
        return None;
    }
    let (&[unit, function, a, b, c, d], rest) = content.split_first_chunk()?;
    let (unit, at, what) = (
        UnitId(unit),
        u16::from_be_bytes([a, b]),
        u16::from_be_bytes([c, d]),
    );
    match (function, rest) {
        (0x03, []) => Request::read(unit, at, what).ok(),
        (0x06, []) => Some(Request::write(unit, at, what)),
        (0x10, [len, data @ ..]) if usize::from(*len) == data.len() => {
            let values: Vec<u16> = Words::new(data)?.to_vec();
            (values.len() == usize::from(what))
                .then(|| Request::write_many(unit, at, &values).ok())
                .flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bluetti_modbus::modbus::ExceptionCode;
    use chrono::{FixedOffset, TimeZone as _};

    use super::*;

    /// Lines of the original.
    const DATA: &str = r#"{"type": "client", "time": "2026-01-02 03:04:05 +0100", "data": "AQMCAAS5hw==", "command": "AQML2gABp9U="}"#;
    const ERROR: &str = r#"{"type": "client", "time": "2026-01-02 03:04:05 +0100", "error": "MODBUS Exception ReadHoldingRegisters(starting_address=1, quantity=1): 2", "command": "AQMAAQAB1co="}"#;

    fn at(line: &Line) -> String {
        let zone = FixedOffset::east_opt(3600).unwrap();
        let time = zone.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
        // The zone of the machine is another one, maybe.
        let local = time.with_timezone(&Local);
        let ours = local.format("%Y-%m-%d %H:%M:%S %z").to_string();
        line.to_json(local)
            .replace(&ours, "2026-01-02 03:04:05 +0100")
    }

    #[test]
    fn lines_are_the_originals() {
        let answered = Line::read(UnitId(1), 3034, 1, &Ok(vec![4])).unwrap();
        assert_eq!(at(&answered), DATA);
        let refused = Error::Refused {
            unit: UnitId(1),
            register: 1,
            code: ExceptionCode::IllegalDataAddress,
        };
        let refused = Line::read(UnitId(1), 1, 1, &Err(refused)).unwrap();
        assert_eq!(at(&refused), ERROR);
        for (text, line) in [(DATA, &answered), (ERROR, &refused)] {
            assert_eq!(&Line::from_json(text).unwrap(), line);
        }
        assert_eq!(answered.words(), Some((3034, vec![4])));
        assert_eq!((answered.refusal(), refused.refusal()), (None, Some(2)));
        let silent = Error::TimedOut {
            unit: UnitId(1),
            register: 1,
            attempts: 3,
        };
        let silent = Line::read(UnitId(1), 1, 1, &Err(silent)).unwrap();
        assert_eq!(silent.outcome, Err("too many retries".to_owned()));
        let restarted = Err(Error::Session(SessionError::ModuleRestarted));
        let restarted = Line::read(UnitId(1), 1, 1, &restarted).unwrap();
        assert_eq!(restarted.outcome, Err("Got AT+ notification".to_owned()));
    }

    #[test]
    fn a_selected_pack_is_a_line() {
        let told = Line::write(UnitId(1), 3006, 2, &Ok(()));
        let bytes = STANDARD.decode("AQYLvgACags=").unwrap();
        assert_eq!(told.request.to_rtu(), bytes);
        assert_eq!(told.outcome, Ok(bytes));
        let silent = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let silent = Line::write(UnitId(1), 3006, 2, &Err(Error::MaybeSent(silent)));
        assert_eq!(silent.outcome, Err("too many retries".to_owned()));
    }

    #[test]
    fn other_lines_are_named() {
        let said = |text| Line::from_json(text).unwrap_err().to_string();
        assert!(said("AQM=").starts_with("it is no line of a log: "));
        assert_eq!(
            said(r#"{"command": "AQML2gABp9U="}"#),
            "it has neither `data` nor `error`"
        );
        assert_eq!(
            said(r#"{"command": "?", "error": ""}"#),
            "`command` is no base64"
        );
        assert_eq!(
            said(r#"{"command": "AQML2gABp9Y=", "error": ""}"#),
            "`command` is no MODBUS request"
        );
    }

    #[test]
    fn requests_are_read_back() {
        for wanted in [
            Request::read(UnitId(0), 100, 62).unwrap(),
            Request::write(UnitId(1), 3007, 1),
            Request::write_many(UnitId(1), 3031, &[1, 2, 3]).unwrap(),
        ] {
            assert_eq!(request(&wanted.to_rtu()), Some(wanted));
        }
        assert_eq!(request(&[]), None);
    }
}
