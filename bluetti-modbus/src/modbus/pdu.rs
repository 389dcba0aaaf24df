use alloc::vec::Vec;
use core::fmt;

use super::ExceptionCode;

/// Registers that one read may ask for.
pub const MAX_READ_COUNT: u16 = 125;
/// Registers that one write may change.
pub const MAX_WRITE_COUNT: u16 = 123;

pub(super) const READ: u8 = 0x03;
pub(super) const WRITE_SINGLE: u8 = 0x06;
pub(super) const WRITE_MULTIPLE: u8 = 0x10;
pub(super) const EXCEPTION: u8 = 0x80;

/// The address of a device on the line, 0..=247; also called slave id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnitId(pub u8);

impl UnitId {
    /// What most stations answer on.
    pub const DEFAULT: Self = Self(1);
    /// What the newest hosts answer on, AP300 alone.
    pub const HOST: Self = Self(0);
}

impl Default for UnitId {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a request cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No register, or more than one request may carry.
    #[error("{count} registers in one request, 1 to {limit} are possible")]
    Count {
        /// Registers wanted.
        count: usize,
        /// Registers possible.
        limit: u16,
    },
}

/// What to ask a unit. Valid by construction.
///
/// `Debug` does not show the values of a write: some registers hold passwords.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Request {
    unit: UnitId,
    operation: Operation,
}

/// The three things that can be asked.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Function 3: the values of consecutive registers.
    Read {
        /// The first register.
        start: u16,
        /// How many, 1..=[`MAX_READ_COUNT`].
        count: u16,
    },
    /// Function 6: change one register.
    WriteSingle {
        /// The register.
        register: u16,
        /// Its new value.
        value: u16,
    },
    /// Function 16: change consecutive registers.
    WriteMultiple {
        /// The first register.
        start: u16,
        /// The new values, 1..=[`MAX_WRITE_COUNT`].
        values: Vec<u16>,
    },
}

impl Request {
    /// Asks for `count` registers from `start` on.
    ///
    /// # Errors
    ///
    /// [`RequestError`] unless 1 to 125 registers are asked for.
    pub fn read(unit: UnitId, start: u16, count: u16) -> Result<Self, RequestError> {
        check(usize::from(count), MAX_READ_COUNT)?;
        let operation = Operation::Read { start, count };
        Ok(Self { unit, operation })
    }

    /// Changes one register.
    #[must_use]
    pub fn write(unit: UnitId, register: u16, value: u16) -> Self {
        let operation = Operation::WriteSingle { register, value };
        Self { unit, operation }
    }

    /// Changes consecutive registers.
    ///
    /// # Errors
    ///
    /// [`RequestError`] unless 1 to 123 registers are written.
    pub fn write_many(unit: UnitId, start: u16, values: &[u16]) -> Result<Self, RequestError> {
        check(values.len(), MAX_WRITE_COUNT)?;
        let values = values.to_vec();
        let operation = Operation::WriteMultiple { start, values };
        Ok(Self { unit, operation })
    }

    /// Who is asked.
    #[must_use]
    pub fn unit(&self) -> UnitId {
        self.unit
    }

    /// What is asked.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The first register that is read or written.
    #[must_use]
    pub fn register(&self) -> u16 {
        match self.operation {
            Operation::Read { start, .. } | Operation::WriteMultiple { start, .. } => start,
            Operation::WriteSingle { register, .. } => register,
        }
    }

    /// Whether the request changes something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.operation, Operation::Read { .. })
    }

    /// Length of the complete answer as an RTU frame, bytes. A refusal has 5.
    #[must_use]
    pub fn answer_len(&self) -> usize {
        match self.operation {
            Operation::Read { count, .. } => usize::from(count) * 2 + 5,
            _ => 8,
        }
    }

    pub(super) fn function(&self) -> u8 {
        match self.operation {
            Operation::Read { .. } => READ,
            Operation::WriteSingle { .. } => WRITE_SINGLE,
            Operation::WriteMultiple { .. } => WRITE_MULTIPLE,
        }
    }

    /// Appends function, registers and values.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.function());
        match &self.operation {
            Operation::Read { start, count } => put_words(bytes, &[*start, *count]),
            Operation::WriteSingle { register, value } => put_words(bytes, &[*register, *value]),
            Operation::WriteMultiple { start, values } => {
                let count = values.len() as u16;
                put_words(bytes, &[*start, count]);
                bytes.push((count * 2) as u8);
                put_words(bytes, values);
            }
        }
    }

    /// Whether an answer of `unit` is the answer to this request: unit, function,
    /// count and, for writes, what was written all agree.
    #[must_use]
    pub fn accepts(&self, unit: UnitId, answer: &Answer<'_>) -> bool {
        self.concerns(unit, answer)
            && match (&self.operation, answer) {
                (_, Answer::Exception { .. }) | (Operation::Read { .. }, _) => true,
                (Operation::WriteSingle { register, value }, Answer::Written { at, what, .. }) => {
                    (register, value) == (at, what)
                }
                (Operation::WriteMultiple { start, values }, Answer::Written { at, what, .. }) => {
                    start == at && values.len() == usize::from(*what)
                }
                _ => false,
            }
    }

    /// Whether an answer of `unit` has the unit, function and length of an answer
    /// to this request, whatever it says.
    pub(crate) fn concerns(&self, unit: UnitId, answer: &Answer<'_>) -> bool {
        unit == self.unit
            && match (answer, &self.operation) {
                (Answer::Registers(words), Operation::Read { count, .. }) => {
                    words.len() == usize::from(*count)
                }
                (Answer::Registers(_), _) => false,
                (Answer::Written { function, .. } | Answer::Exception { function, .. }, _) => {
                    *function == self.function()
                }
            }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Request");
        out.field("unit", &self.unit.0)
            .field("operation", &self.operation);
        out.finish()
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { start, count } => write!(f, "read {count} from {start}"),
            Self::WriteSingle { register, .. } => write!(f, "write 1 to {register}"),
            Self::WriteMultiple { start, values } => {
                write!(f, "write {} to {start}", values.len())
            }
        }
    }
}

fn check(count: usize, limit: u16) -> Result<(), RequestError> {
    match (1..=usize::from(limit)).contains(&count) {
        true => Ok(()),
        false => Err(RequestError::Count { count, limit }),
    }
}

pub(super) fn put_words(bytes: &mut Vec<u8>, words: &[u16]) {
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

/// Consecutive registers as they lie in an answer, read in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words<'a>(&'a [[u8; 2]]);

impl<'a> Words<'a> {
    /// Views bytes as registers; `None` if their number is odd.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(words))
    }

    /// How many registers.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// One register, counted from the first of the answer.
    #[must_use]
    pub fn get(self, index: usize) -> Option<u16> {
        self.0.get(index).map(|&word| u16::from_be_bytes(word))
    }

    /// All registers in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = u16> + 'a {
        self.0.iter().map(|&word| u16::from_be_bytes(word))
    }

    /// All registers in order, owned.
    #[must_use]
    pub fn to_vec(self) -> Vec<u16> {
        self.iter().collect()
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.0.as_flattened()
    }
}

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a unit answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// To a read.
    Registers(Words<'a>),
    /// To a write.
    Written {
        /// Function 6 or 16.
        function: u8,
        /// The first register written.
        at: u16,
        /// The value of function 6, the count of function 16.
        what: u16,
    },
    /// A refusal.
    Exception {
        /// The function that was asked for: 3, 6 or 16.
        function: u8,
        /// The reason.
        code: ExceptionCode,
    },
}

impl<'a> Answer<'a> {
    /// Reads function and content; `None` unless they are exactly an answer.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match *bytes {
            [READ, len, ref data @ ..] if data.len() == usize::from(len) && len > 0 => {
                Words::new(data).map(Self::Registers)
            }
            [function @ (WRITE_SINGLE | WRITE_MULTIPLE), a, b, c, d] => Some(Self::Written {
                function,
                at: u16::from_be_bytes([a, b]),
                what: u16::from_be_bytes([c, d]),
            }),
            [function, code]
                if matches!(function ^ EXCEPTION, READ | WRITE_SINGLE | WRITE_MULTIPLE) =>
            {
                Some(Self::Exception {
                    function: function ^ EXCEPTION,
                    code: ExceptionCode::from(code),
                })
            }
            _ => None,
        }
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Registers(words) => {
                bytes.extend([READ, (words.len() * 2) as u8]);
                bytes.extend(words.bytes());
            }
            Self::Written { function, at, what } => {
                bytes.push(function);
                put_words(bytes, &[at, what]);
            }
            Self::Exception { function, code } => {
                bytes.extend([function | EXCEPTION, code.code()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_checked() {
        let read = |count| Request::read(UnitId::DEFAULT, 0, count).is_ok();
        assert!(read(1) && read(125) && !read(0) && !read(126));
        let write = |count| Request::write_many(UnitId::DEFAULT, 0, &[0; 200][..count]).is_ok();
        assert!(write(1) && write(123) && !write(0) && !write(124));
    }

    #[test]
    fn debug_shows_no_written_value() {
        let secret = Request::write(UnitId::DEFAULT, 2200, 4711);
        assert!(!alloc::format!("{secret:?}").contains("4711"));
        let secret = Request::write_many(UnitId::DEFAULT, 2200, &[4711]).unwrap();
        assert!(!alloc::format!("{secret:?}").contains("4711"));
    }
}
