use alloc::vec::Vec;
use core::fmt;

use p256::PublicKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point;

use super::{CLIENT_SIGNING_KEY, HandshakeError, STATION_VERIFY_KEY};

pub(super) const HALF: usize = 32;
/// X and Y of a point, or r and s of a signature.
pub(super) const PAIR: usize = 2 * HALF;

/// The public key that a station's signature is checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyKey(VerifyingKey);

impl VerifyKey {
    /// From X and Y of a P-256 point; `None` if it is not on the curve.
    #[must_use]
    pub fn new(xy: &[u8; PAIR]) -> Option<Self> {
        point(xy).map(|point| Self(point.into()))
    }

    /// The key of real stations, [`STATION_VERIFY_KEY`].
    #[must_use]
    pub fn station() -> Option<Self> {
        Self::new(&STATION_VERIFY_KEY)
    }

    /// Checks a station's signature of `message`.
    ///
    /// Stations drop a leading zero byte of r or s and fill the field up with
    /// zeros at its end, in 2 of 256 handshakes. So up to four readings of the
    /// field are tried.
    #[must_use]
    pub fn accepts(&self, message: &[u8], field: &[u8; PAIR]) -> bool {
        readings(field)
            .filter_map(|(r, s)| Signature::from_scalars(r, s).ok())
            .any(|signature| self.0.verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyKey").finish_non_exhaustive()
    }
}

/// How long r and s are, and how many bytes of filling follow.
const LAYOUTS: [(usize, usize); 4] = [(32, 32), (31, 32), (32, 31), (31, 31)];

fn readings(field: &[u8; PAIR]) -> impl Iterator<Item = ([u8; HALF], [u8; HALF])> {
    LAYOUTS.iter().filter_map(|&(r_len, s_len)| {
        let (r, rest) = field.split_at_checked(r_len)?;
        let (s, filling) = rest.split_at_checked(s_len)?;
        let filled = filling.iter().all(|&byte| byte == 0);
        filled.then_some((leading_zeros(r), leading_zeros(s)))
    })
}

fn leading_zeros(short: &[u8]) -> [u8; HALF] {
    let mut whole = [0; HALF];
    let from = HALF.saturating_sub(short.len());
    if let Some(end) = whole.get_mut(from..) {
        end.copy_from_slice(short);
    }
    whole
}

/// Signs as every client does.
pub(super) fn sign_as_client(message: &[u8]) -> Result<[u8; PAIR], HandshakeError> {
    let key =
        SigningKey::from_slice(&CLIENT_SIGNING_KEY).map_err(|_| HandshakeError::InvalidKey)?;
    let signature: Signature = key.sign(message);
    Ok(signature.to_bytes().into())
}

pub(super) fn point(xy: &[u8; PAIR]) -> Option<PublicKey> {
    let mut encoded = Vec::with_capacity(1 + PAIR);
    encoded.push(0x04);
    encoded.extend(xy);
    PublicKey::from_sec1_bytes(&encoded).ok()
}

pub(super) fn coordinates(key: &PublicKey) -> [u8; PAIR] {
    let encoded = key.to_sec1_point(false);
    let mut xy = [0; PAIR];
    if let Some(bytes) = encoded.as_bytes().get(1..=PAIR) {
        xy.copy_from_slice(bytes);
    }
    xy
}
