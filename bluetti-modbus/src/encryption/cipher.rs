use alloc::vec::Vec;
use core::fmt;

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes128, Aes256, Block};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::entropy::{Entropy, NoEntropy};

/// The ciphers' block, bytes.
pub(super) const BLOCK: usize = 16;
/// The length of the plain text, in front of every encrypted frame.
pub(super) const LENGTH: usize = 2;
/// The random bytes that a session frame's initial vector is derived from.
pub(super) const SEED: usize = 4;

/// Zeros up to the next block; none where a block is full already.
pub(super) fn padded(len: usize) -> usize {
    len.next_multiple_of(BLOCK)
}

pub(super) fn md5(bytes: &[u8]) -> [u8; BLOCK] {
    Md5::digest(bytes).into()
}

/// Encrypts keys during the handshake: one key and one initial vector for both
/// directions.
pub(super) struct HandshakeCipher {
    key: Zeroizing<[u8; BLOCK]>,
    iv: Zeroizing<[u8; BLOCK]>,
}

impl HandshakeCipher {
    pub(super) fn new(key: [u8; BLOCK], iv: [u8; BLOCK]) -> Self {
        Self {
            key: Zeroizing::new(key),
            iv: Zeroizing::new(iv),
        }
    }

    pub(super) fn iv(&self) -> &[u8; BLOCK] {
        &self.iv
    }

    pub(super) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut frame = (plain.len() as u16).to_be_bytes().to_vec();
        frame.extend(plain);
        frame.resize(LENGTH + padded(plain.len()), 0);
        let body = frame.get_mut(LENGTH..).unwrap_or_default();
        let mut cipher = cbc::Encryptor::<Aes128>::new((&*self.key).into(), (&*self.iv).into());
        cipher.encrypt_blocks(Block::slice_as_chunks_mut(body).0);
        frame
    }

    /// The plain text of a complete frame, `None` if its parts do not fit.
    pub(super) fn open(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let (&length, body) = frame.split_first_chunk::<LENGTH>()?;
        let mut plain = body_of(length, body)?;
        let mut cipher = cbc::Decryptor::<Aes128>::new((&*self.key).into(), (&*self.iv).into());
        cipher.decrypt_blocks(Block::slice_as_chunks_mut(&mut plain).0);
        cut(length, plain)
    }
}

/// Encrypts and decrypts the frames of one session. The key is overwritten when
/// the value is dropped.
pub struct SessionCipher {
    key: Zeroizing<[u8; 32]>,
}

impl SessionCipher {
    /// From the shared secret of a key exchange.
    #[must_use]
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key }
    }

    /// A frame ready to be written, under four fresh random bytes.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] if there are none.
    pub fn seal(&self, plain: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>, NoEntropy> {
        let mut seed = [0; SEED];
        entropy.fill(&mut seed)?;
        let head = LENGTH + SEED;
        let mut frame = Vec::with_capacity(head + padded(plain.len()));
        frame.extend((plain.len() as u16).to_be_bytes());
        frame.extend(seed);
        frame.extend(plain);
        frame.resize(head + padded(plain.len()), 0);
        let body = frame.get_mut(head..).unwrap_or_default();
        let mut cipher = cbc::Encryptor::<Aes256>::new((&*self.key).into(), &md5(&seed).into());
        cipher.encrypt_blocks(Block::slice_as_chunks_mut(body).0);
        Ok(frame)
    }

    /// The plain text of a complete frame; `None` if its length does not fit or
    /// the padding is not zero, which means damage.
    #[must_use]
    pub fn open(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let (&length, rest) = frame.split_first_chunk::<LENGTH>()?;
        let (seed, body) = rest.split_first_chunk::<SEED>()?;
        let mut plain = body_of(length, body)?;
        let mut cipher = cbc::Decryptor::<Aes256>::new((&*self.key).into(), &md5(seed).into());
        cipher.decrypt_blocks(Block::slice_as_chunks_mut(&mut plain).0);
        cut(length, plain)
    }
}

impl fmt::Debug for SessionCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCipher").finish_non_exhaustive()
    }
}

fn body_of(length: [u8; LENGTH], body: &[u8]) -> Option<Vec<u8>> {
    let wanted = padded(usize::from(u16::from_be_bytes(length)));
    (body.len() == wanted && wanted > 0).then(|| body.to_vec())
}

fn cut(length: [u8; LENGTH], mut plain: Vec<u8>) -> Option<Vec<u8>> {
    let len = usize::from(u16::from_be_bytes(length));
    let padding_is_zero = plain.get(len..)?.iter().all(|&byte| byte == 0);
    plain.truncate(len);
    padding_is_zero.then_some(plain)
}
