//! The handshake as steps that turn into each other: what has not been checked
//! cannot be gone on with.
//!
//! [`Challenged`] → [`Accepted`] → [`KeySent`] → [`SessionCipher`]

use alloc::vec::Vec;
use core::fmt;

use p256::SecretKey;
use zeroize::Zeroizing;

use super::cipher::{BLOCK, HandshakeCipher, SessionCipher, md5};
use super::entropy::{Entropy, NoEntropy};
use super::kex::{Kex, KexError, KexType};
use super::signature::{HALF, PAIR, VerifyKey, coordinates, point, sign_as_client};
use super::{HandshakeError, LOCAL_AES_KEY};

/// How often random bytes are drawn for a key. One in 2^32 draws is no scalar of
/// the curve; a source that fails this often is none.
const DRAWS: usize = 8;

/// The station sent its challenge; [`response`](Self::response) answers it.
pub struct Challenged {
    challenge: [u8; 4],
    cipher: HandshakeCipher,
}

impl Challenged {
    /// Takes the first message.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Message`] if it is not a challenge.
    pub fn new(challenge: &Kex<'_>) -> Result<Self, HandshakeError> {
        let data = expect(challenge, KexType::Challenge)?;
        let &challenge = data.first_chunk().ok_or(KexError::Frame)?;
        let iv = initial_vector(challenge);
        let mut key = LOCAL_AES_KEY;
        key.iter_mut().zip(iv).for_each(|(key, iv)| *key ^= iv);
        Ok(Self {
            challenge,
            cipher: HandshakeCipher::new(key, iv),
        })
    }

    /// Whether the station only repeats the challenge of this step.
    #[must_use]
    pub fn is_for(&self, challenge: &Kex<'_>) -> bool {
        challenge.kind() == KexType::Challenge && challenge.data() == self.challenge
    }

    /// What to write, as often as the challenge comes.
    #[must_use]
    pub fn response(&self) -> Vec<u8> {
        response(self.cipher.iv())
    }

    /// Takes the station's word about the response.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Refused`] if it does not accept it.
    pub fn accepted(self, message: &Kex<'_>) -> Result<Accepted, HandshakeError> {
        expect(message, KexType::Accepted)?;
        match message.verdict() {
            0 => Ok(self.presumed_accepted()),
            code => Err(refused(KexType::Response, code)),
        }
    }

    /// The station sends its key without a word about the response: taken, too.
    #[must_use]
    pub fn presumed_accepted(self) -> Accepted {
        Accepted {
            cipher: self.cipher,
        }
    }
}

/// The response was right; the station's key is next.
pub struct Accepted {
    cipher: HandshakeCipher,
}

impl Accepted {
    /// Decrypts a frame of this phase; `None` if it is damaged.
    #[must_use]
    pub fn open(&self, frame: &[u8]) -> Option<Vec<u8>> {
        self.cipher.open(frame)
    }

    /// Checks the station's key and signature, and makes the client's.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::InvalidSignature`], [`HandshakeError::InvalidKey`], or
    /// [`HandshakeError::Entropy`] without randomness for a fresh key.
    pub fn station_key(
        self,
        message: &Kex<'_>,
        verify_key: &VerifyKey,
        entropy: &mut dyn Entropy,
    ) -> Result<KeySent, HandshakeError> {
        let data = expect(message, KexType::StationKey)?;
        let (station_xy, rest) = data.split_first_chunk::<PAIR>().ok_or(KexError::Frame)?;
        let signature = rest.first_chunk::<PAIR>().ok_or(KexError::Frame)?;
        let signed = [&station_xy[..], self.cipher.iv()].concat();
        if !verify_key.accepts(&signed, signature) {
            return Err(HandshakeError::InvalidSignature);
        }
        let station = point(station_xy).ok_or(HandshakeError::InvalidKey)?;
        let own = fresh_key(entropy)?;
        let own_xy = coordinates(&own.public_key());
        let own_signature = sign_as_client(&[&own_xy[..], self.cipher.iv()].concat())?;
        let content = [own_xy, own_signature].concat();
        let answer = self
            .cipher
            .seal(&Kex::message(KexType::ClientKey, &content));
        let secret = own.diffie_hellman(&station);
        let mut key = Zeroizing::new([0; 2 * BLOCK]);
        key.copy_from_slice(secret.raw_secret_bytes());
        Ok(KeySent {
            cipher: self.cipher,
            answer,
            session: SessionCipher::new(key),
        })
    }
}

/// The client's key is made; the station has to accept it.
pub struct KeySent {
    cipher: HandshakeCipher,
    answer: Vec<u8>,
    session: SessionCipher,
}

impl KeySent {
    /// What to write. A station that repeats its key gets the same again, never
    /// another key.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// Decrypts a frame of this phase; `None` if it is damaged.
    #[must_use]
    pub fn open(&self, frame: &[u8]) -> Option<Vec<u8>> {
        self.cipher.open(frame)
    }

    /// Takes the station's word about the key; the session begins.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Refused`] if it does not accept it.
    pub fn confirmed(self, message: &Kex<'_>) -> Result<SessionCipher, HandshakeError> {
        expect(message, KexType::KeyAccepted)?;
        match message.verdict() {
            0 => Ok(self.session),
            code => Err(refused(KexType::ClientKey, code)),
        }
    }
}

/// The answer to a challenge that comes inside a running session; it goes back
/// encrypted with the session's key.
///
/// # Errors
///
/// [`HandshakeError::Message`] if the message is not a challenge.
pub(super) fn response_inside(challenge: &Kex<'_>) -> Result<Vec<u8>, HandshakeError> {
    let data = expect(challenge, KexType::Challenge)?;
    let &challenge = data.first_chunk().ok_or(KexError::Frame)?;
    Ok(response(&initial_vector(challenge)))
}

fn initial_vector(mut challenge: [u8; 4]) -> [u8; BLOCK] {
    challenge.reverse();
    md5(&challenge)
}

fn response(iv: &[u8; BLOCK]) -> Vec<u8> {
    Kex::message(KexType::Response, iv.get(8..12).unwrap_or_default())
}

fn expect<'a>(message: &Kex<'a>, kind: KexType) -> Result<&'a [u8], HandshakeError> {
    match message.kind() == kind {
        true => Ok(message.data()),
        false => Err(KexError::Type(message.kind().code()).into()),
    }
}

fn refused(step: KexType, code: u8) -> HandshakeError {
    HandshakeError::Refused { step, code }
}

fn fresh_key(entropy: &mut dyn Entropy) -> Result<SecretKey, NoEntropy> {
    let mut bytes = Zeroizing::new([0; HALF]);
    for _ in 0..DRAWS {
        entropy.fill(&mut bytes[..])?;
        if let Ok(key) = SecretKey::from_slice(&bytes[..]) {
            return Ok(key);
        }
    }
    Err(NoEntropy)
}

macro_rules! opaque_debug {
    ($($step:ident),*) => {$(
        impl fmt::Debug for $step {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($step)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(Challenged, Accepted, KeySent);
