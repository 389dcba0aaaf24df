//! Login and PIN: what is asked and what comes back.

use std::fmt;

use super::bits::{BitReader, BitWriter, CodecError, Ia5, Kind as _, Maybe, Sequence};
use super::bits::{message, sequence};

sequence! {
    /// Application 501, message 1. `Debug` shows nothing of it.
    LoginRequest {
        /// In plain text, 6 to 30 characters; the app cuts it to 16.
        password: String = Ia5<6, 30>,
        /// The installation, 1 to 200 characters.
        device_id: Option<String> = Maybe<Ia5<1, 200>>,
    }
}

sequence! {
    /// Application 313, message 1. `Debug` shows nothing of it.
    PinRequest {
        /// [`pin_hash`](super::pin_hash) of the PIN: 32 characters.
        pin_hash: String = Ia5<32, 32>,
    }
}

/// The answer to a login. What follows the tokens is not read. `Debug` shows
/// nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LoginAnswer {
    /// The session, 40 characters.
    pub token: Option<String>,
    /// The same again.
    pub refresh_token: Option<String>,
}

type SessionToken = Maybe<Ia5<40, 40>>;

/// Expiry, cars, picture, language.
const UNREAD: u32 = 4;

impl Sequence for LoginAnswer {
    fn read(bits: &mut BitReader<'_>) -> Result<Self, CodecError> {
        let (has_token, has_refresh) = (bits.flag()?, bits.flag()?);
        bits.bits(UNREAD)?;
        let mut token = |is_there| {
            if is_there {
                SessionToken::read(bits)
            } else {
                Ok(None)
            }
        };
        Ok(Self {
            token: token(has_token)?,
            refresh_token: token(has_refresh)?,
        })
    }

    fn write(&self, bits: &mut BitWriter) -> Result<(), CodecError> {
        bits.flag(self.token.is_some());
        bits.flag(self.refresh_token.is_some());
        bits.bits(0, UNREAD);
        SessionToken::write(&self.token, bits)?;
        SessionToken::write(&self.refresh_token, bits)
    }
}

message!(LoginRequest, PinRequest, LoginAnswer);

macro_rules! secret {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

secret!(LoginRequest, PinRequest, LoginAnswer);
