//! Passwords, and the login that newer Bluetooth modules want.
//!
//! Boards guard their parameters with six digits ([`PasswordDigits`]). Newer
//! modules, which sit between the radio and the board, pass nothing on before
//! they are logged in to with frames of their own ([`ModuleLogin`]).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::MacAddress;
use crate::assembler::{ModuleFrame, module_sum};

/// A password as the user typed it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// As six digits for a board; `None` if it is anything else.
    #[must_use]
    pub fn digits(&self) -> Option<PasswordDigits> {
        PasswordDigits::new(&self.0)
    }

    /// As six ASCII letters or digits for a module; `None` if it is anything else.
    #[must_use]
    fn letters(&self) -> Option<[u8; 6]> {
        let letters: [u8; 6] = self.0.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphanumeric)
            .then_some(letters)
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Six digits, sent as values rather than as text. `Debug` does not show them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordDigits(pub(crate) [u8; 6]);

impl PasswordDigits {
    /// From exactly six ASCII digits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| Self(digits.map(|digit| digit - b'0')))
    }
}

impl fmt::Debug for PasswordDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigits(..)")
    }
}

const APP_KEY: u8 = 0x15;
const SET_PASSWORD: u8 = 0x16;
const RANDOM: u8 = 0x17;
const USER_PASSWORD: u8 = 0x18;
const ROOT_PASSWORD: u8 = 0x1D;
const SET_NAME: u8 = 0x07;

const DEFAULT_APP_KEY: [u8; 6] = *b"000000";
/// The same in every module; published with the captures of the vendor's apps.
const ROOT: [u8; 15] = *b"JBDbtpwd!@#2023";

/// A request to the Bluetooth module. `Debug` shows the command number only.
#[derive(Clone, PartialEq, Eq)]
pub struct ModuleRequest {
    bytes: Vec<u8>,
}

impl ModuleRequest {
    /// A request with this command number and data; `None` above 255 bytes.
    #[must_use]
    pub fn new(command: u8, data: &[u8]) -> Option<Self> {
        let len = u8::try_from(data.len()).ok()?;
        Some(Self::build(command, data, len))
    }

    /// Asks for the random byte that masks the next password.
    #[must_use]
    pub fn random() -> Self {
        Self::build(RANDOM, &[], 0)
    }

    /// Presents the app key: `000000`, or the password on modules that check
    /// nothing else.
    #[must_use]
    pub fn app_key(key: [u8; 6]) -> Self {
        Self::build(APP_KEY, &key, 6)
    }

    /// Presents the user's password, masked.
    #[must_use]
    pub fn user_password(password: [u8; 6], address: MacAddress, random: u8) -> Self {
        Self::build(USER_PASSWORD, &masked(password, address, random), 6)
    }

    /// Presents the root password that all modules share, masked.
    #[must_use]
    pub fn root_password(address: MacAddress, random: u8) -> Self {
        Self::build(ROOT_PASSWORD, &masked(ROOT, address, random), 15)
    }

    /// Sets a new user password; needs a login first. `None` unless it is six
    /// ASCII letters or digits.
    #[must_use]
    pub fn set_password(password: &Password) -> Option<Self> {
        Some(Self::build(SET_PASSWORD, &password.letters()?, 6))
    }

    /// Sets the name that the module advertises. `None` unless it is 1 to 20
    /// printable ASCII characters.
    #[must_use]
    pub fn set_name(name: &str) -> Option<Self> {
        let sound =
            (1..=20).contains(&name.len()) && name.bytes().all(|b| (b' '..=b'~').contains(&b));
        sound.then(|| Self::build(SET_NAME, name.as_bytes(), name.len() as u8))
    }

    fn build(command: u8, data: &[u8], len: u8) -> Self {
        let mut bytes = Vec::with_capacity(data.len() + 5);
        bytes.extend([0xFF, 0xAA, command, len]);
        bytes.extend(data);
        bytes.push(module_sum(command, len, data));
        Self { bytes }
    }

    /// What to write to the device.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The module's command number, which its answer repeats.
    #[must_use]
    pub fn command(&self) -> u8 {
        self.bytes.get(2).copied().unwrap_or_default()
    }
}

impl fmt::Debug for ModuleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleRequest")
            .field("command", &self.command())
            .finish_non_exhaustive()
    }
}

/// The address covers the first six bytes only; the rest of a longer password
/// is masked by the random byte alone.
fn masked<const N: usize>(password: [u8; N], address: MacAddress, random: u8) -> [u8; N] {
    let mut address = address.octets().into_iter();
    password.map(|byte| (byte ^ address.next().unwrap_or(0)).wrapping_add(random))
}

/// What a frame from the Bluetooth module says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModuleAnswer {
    /// The app key is right; the user's password comes next.
    KeyAccepted,
    /// The app key is wrong.
    KeyRejected,
    /// The app key is right and no password is set: requests pass.
    Open,
    /// The byte that masks the next password.
    Random(u8),
    /// The user's password.
    UserPassword {
        /// Whether it is right.
        accepted: bool,
    },
    /// The root password.
    RootPassword {
        /// Whether it is right.
        accepted: bool,
    },
    /// A new user password.
    PasswordSet {
        /// Whether it was taken.
        accepted: bool,
    },
    /// The advertised name was set.
    NameSet,
    /// Anything else, by its command number.
    Other(u8),
}

impl From<&ModuleFrame<'_>> for ModuleAnswer {
    fn from(frame: &ModuleFrame<'_>) -> Self {
        match (frame.command, frame.data) {
            (APP_KEY, [0]) => Self::KeyAccepted,
            (APP_KEY, [1]) => Self::KeyRejected,
            (APP_KEY, [2]) => Self::Open,
            (RANDOM, &[random]) => Self::Random(random),
            (USER_PASSWORD, &[code]) => Self::UserPassword {
                accepted: code == 0,
            },
            (ROOT_PASSWORD, &[code]) => Self::RootPassword {
                accepted: code == 0,
            },
            (SET_PASSWORD, &[code]) => Self::PasswordSet {
                accepted: code == 0,
            },
            (SET_NAME, []) => Self::NameSet,
            (command, _) => Self::Other(command),
        }
    }
}

/// The login to a module, one request at a time. Each answer turns this step
/// into the next; the order cannot be got wrong.
///
/// Modules come in two kinds: some want the key `000000` and then the masked
/// password, others only the password in place of the key. Both are handled
/// without being told which.
#[derive(Debug, Clone)]
pub struct ModuleLogin {
    password: Option<Password>,
    address: Option<MacAddress>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    DefaultKey,
    PasswordAsKey,
    UserRandom { optional: bool },
    User,
    RootRandom,
    Root,
}

/// What comes after an answer of the module.
#[derive(Debug, Clone)]
pub enum LoginStep {
    /// Send this, then continue with its answer.
    Send(ModuleLogin, ModuleRequest),
    /// The module passes requests on now.
    Done,
}

/// Why a login ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The module wants a password and none was given.
    #[error("the module wants a password")]
    PasswordNeeded,
    /// The password is wrong, or not six ASCII letters or digits.
    #[error("the module does not accept the password")]
    PasswordRejected,
    /// The device's address is needed to mask the password.
    #[error("the login needs the device's Bluetooth address")]
    AddressNeeded,
    /// The module did not answer, or not as any known module does.
    #[error("the module does not answer as expected")]
    Unanswered,
}

impl ModuleLogin {
    /// The first request of a login.
    #[must_use]
    pub fn start(password: Option<Password>, address: Option<MacAddress>) -> (Self, ModuleRequest) {
        let login = Self {
            password,
            address,
            stage: Stage::DefaultKey,
        };
        (login, ModuleRequest::app_key(DEFAULT_APP_KEY))
    }

    /// Goes on after the module's answer.
    ///
    /// # Errors
    ///
    /// A [`LoginError`] if the login cannot succeed.
    pub fn answered(self, answer: &ModuleFrame<'_>) -> Result<LoginStep, LoginError> {
        use ModuleAnswer::{KeyAccepted, KeyRejected, Open, Random, RootPassword, UserPassword};
        match (self.stage, ModuleAnswer::from(answer)) {
            (Stage::DefaultKey | Stage::PasswordAsKey, Open) => Ok(LoginStep::Done),
            (Stage::DefaultKey, KeyAccepted) => self.ask_random(false),
            (Stage::DefaultKey, KeyRejected) => {
                let key = self.letters()?;
                Ok(self.send(Stage::PasswordAsKey, ModuleRequest::app_key(key)))
            }
            (Stage::PasswordAsKey, KeyAccepted) => self.ask_random(true),
            (Stage::UserRandom { .. }, Random(random)) => {
                let request =
                    ModuleRequest::user_password(self.letters()?, self.address()?, random);
                Ok(self.send(Stage::User, request))
            }
            // Some modules pass requests on only after the root password.
            (Stage::User, UserPassword { accepted: true }) => {
                Ok(self.send(Stage::RootRandom, ModuleRequest::random()))
            }
            (Stage::RootRandom, Random(random)) => {
                let request = ModuleRequest::root_password(self.address()?, random);
                Ok(self.send(Stage::Root, request))
            }
            (Stage::Root, RootPassword { .. }) => Ok(LoginStep::Done),
            (Stage::PasswordAsKey, KeyRejected)
            | (Stage::User, UserPassword { accepted: false }) => Err(LoginError::PasswordRejected),
            _ => Err(LoginError::Unanswered),
        }
    }

    /// Goes on after the module stayed silent.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unanswered`] unless the silent step was an optional one.
    pub fn unanswered(self) -> Result<LoginStep, LoginError> {
        match self.stage {
            Stage::UserRandom { optional: true } | Stage::RootRandom | Stage::Root => {
                Ok(LoginStep::Done)
            }
            _ => Err(LoginError::Unanswered),
        }
    }

    fn ask_random(self, optional: bool) -> Result<LoginStep, LoginError> {
        self.letters()?;
        if self.address.is_none() && optional {
            return Ok(LoginStep::Done);
        }
        self.address()?;
        Ok(self.send(Stage::UserRandom { optional }, ModuleRequest::random()))
    }

    fn send(self, stage: Stage, request: ModuleRequest) -> LoginStep {
        LoginStep::Send(Self { stage, ..self }, request)
    }

    fn letters(&self) -> Result<[u8; 6], LoginError> {
        let password = self.password.as_ref().ok_or(LoginError::PasswordNeeded)?;
        password.letters().ok_or(LoginError::PasswordRejected)
    }

    fn address(&self) -> Result<MacAddress, LoginError> {
        self.address.ok_or(LoginError::AddressNeeded)
    }
}
