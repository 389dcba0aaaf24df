//! The station's side of an encrypted link, from the protocol's description.

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use md5::{Digest, Md5};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};

use super::config::Encryption;
use super::random::Random;

/// The half of the handshake key that all units share.
const SHARED_KEY: u128 = 0x459F_C535_8089_41F1_7091_E099_3EE3_E93D;
/// Public half of the key that every client signs with.
const CLIENT_KEY: [u128; 4] = [
    0x3F29_E1B8_B29D_8422_BBB0_E0F0_9000_CF2E,
    0xE293_1DA1_3CDA_C812_9F8C_09DE_AC07_F519,
    0xB5AC_5509_CA3F_3F59_B234_B777_7A23_1AE5,
    0x95CA_5AA1_745F_D7A6_2BC4_D020_3711_7DD1,
];

/// What becomes of a written packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opened {
    /// A request of the session.
    Request(Vec<u8>),
    /// Answer with these packets, in order.
    Answer(Vec<Vec<u8>>),
    /// The client did something wrong.
    HangUp,
    /// Nothing follows.
    Nothing,
}

#[derive(Debug, Clone)]
enum Stage {
    /// Challenge sent.
    Challenged,
    /// Key sent.
    KeySent {
        ephemeral: [u8; 32],
    },
    Session {
        key: [u8; 32],
    },
}

/// One encrypted link as the station sees it.
#[derive(Debug, Clone)]
pub(super) struct Secure {
    signing_key: [u8; 32],
    challenge: [u8; 4],
    stage: Stage,
    inbox: Vec<u8>,
    pub(super) inner_challenge_open: bool,
}

impl Secure {
    pub(super) fn new(config: &Encryption, random: &mut Random) -> Self {
        Self {
            signing_key: config.signing_key,
            challenge: bytes_of(random),
            stage: Stage::Challenged,
            inbox: Vec::new(),
            inner_challenge_open: false,
        }
    }

    pub(super) fn in_session(&self) -> bool {
        matches!(self.stage, Stage::Session { .. })
    }

    /// The challenge, to be repeated until the client answers.
    pub(super) fn challenge(&self) -> Vec<u8> {
        plain(1, &self.challenge)
    }

    /// A challenge inside the session.
    pub(super) fn inner_challenge(&mut self, random: &mut Random) -> Vec<u8> {
        self.challenge = bytes_of(random);
        self.inner_challenge_open = true;
        self.seal(&plain(1, &self.challenge), random)
    }

    /// Encrypts an answer of the session.
    pub(super) fn seal(&self, answer: &[u8], random: &mut Random) -> Vec<u8> {
        let Stage::Session { key } = &self.stage else {
            return answer.to_vec();
        };
        let seed: [u8; 4] = bytes_of(random);
        let iv = Md5::digest(seed);
        let mut blocks = blocks_of(answer);
        let mut cipher = cbc::Encryptor::<aes::Aes256>::new(key.into(), &iv);
        blocks
            .iter_mut()
            .for_each(|block| cipher.encrypt_block(block));
        packet(answer.len(), &seed, &blocks)
    }

    /// Takes what the client wrote.
    pub(super) fn written(&mut self, bytes: &[u8], random: &mut Random) -> Vec<Opened> {
        self.inbox.extend_from_slice(bytes);
        let mut opened = Vec::new();
        while let Some(packet) = self.next_packet() {
            opened.push(self.open(&packet, random));
        }
        opened
    }

    fn next_packet(&mut self) -> Option<Vec<u8>> {
        if self.inbox.len() < 4 {
            return None;
        }
        let length = if self.inbox.starts_with(&[0x2A, 0x2A]) {
            6 + usize::from(self.inbox[3])
        } else {
            let text = usize::from(self.inbox[0]) * 256 + usize::from(self.inbox[1]);
            if text == 0 || text > 1024 {
                // A client that does not encrypt, or one out of step.
                self.inbox.clear();
                return None;
            }
            let seed = if self.in_session() { 4 } else { 0 };
            2 + seed + text.div_ceil(16) * 16
        };
        (self.inbox.len() >= length).then(|| self.inbox.drain(..length).collect())
    }

    fn open(&mut self, packet: &[u8], random: &mut Random) -> Opened {
        if packet.starts_with(&[0x2A, 0x2A]) {
            return self.response(packet, random);
        }
        match self.stage.clone() {
            Stage::Challenged => Opened::Nothing,
            Stage::KeySent { ephemeral } => self.client_key(packet, ephemeral),
            Stage::Session { key } => self.request(packet, key),
        }
    }

    fn response(&mut self, packet: &[u8], random: &mut Random) -> Opened {
        let right = packet == plain(2, &self.handshake_iv()[8..12]);
        if !right {
            return Opened::Answer(vec![plain(3, &[1])]);
        }
        let ephemeral = loop {
            let candidate: [u8; 32] = bytes_of(random);
            if SecretKey::from_slice(&candidate).is_ok() {
                break candidate;
            }
        };
        self.stage = Stage::KeySent { ephemeral };
        let Some(key) = self.station_key(ephemeral) else {
            return Opened::HangUp;
        };
        Opened::Answer(vec![plain(3, &[0]), key])
    }

    fn station_key(&self, ephemeral: [u8; 32]) -> Option<Vec<u8>> {
        let point = xy(&SecretKey::from_slice(&ephemeral).ok()?.public_key());
        let signer = SigningKey::from_slice(&self.signing_key).ok()?;
        let signature: Signature = signer.sign(&[&point[..], &self.handshake_iv()].concat());
        let signature = signature.to_bytes();
        // Real firmware drops the leading zero of a half and fills up behind.
        let mut field = Vec::with_capacity(64);
        for half in signature.chunks(32) {
            field.extend(half.strip_prefix(&[0]).unwrap_or(half));
        }
        field.resize(64, 0);
        Some(self.seal_handshake(&plain(4, &[point, field].concat())))
    }

    fn client_key(&mut self, packet: &[u8], ephemeral: [u8; 32]) -> Opened {
        let verdict = |secure: &Self, code| {
            let word = secure.seal_handshake(&plain(6, &[code]));
            Opened::Answer(vec![word])
        };
        let message = self.open_handshake(packet);
        let Some(data) = message.strip_prefix(&[0x2A, 0x2A, 5, 128]) else {
            return verdict(self, 1);
        };
        let sound = message == plain(5, data.get(..128).unwrap_or_default());
        let Some((point, signature)) = data.split_at_checked(64).filter(|_| sound) else {
            return verdict(self, 2);
        };
        let signed = [point, &self.handshake_iv()].concat();
        let shared: [u8; 64] = signature[..64].try_into().unwrap_or([0; 64]);
        let known: Vec<u8> = CLIENT_KEY
            .iter()
            .flat_map(|part| part.to_be_bytes())
            .collect();
        let right = public_key(&known)
            .map(VerifyingKey::from)
            .zip(Signature::from_slice(&shared).ok())
            .is_some_and(|(key, signature)| key.verify(&signed, &signature).is_ok());
        let keys = public_key(point).zip(SecretKey::from_slice(&ephemeral).ok());
        match keys.filter(|_| right) {
            None => verdict(self, 3),
            Some((theirs, ours)) => {
                let accepted = verdict(self, 0);
                let secret = ours.diffie_hellman(&theirs);
                let mut key = [0; 32];
                key.copy_from_slice(secret.raw_secret_bytes());
                self.stage = Stage::Session { key };
                accepted
            }
        }
    }

    fn request(&mut self, packet: &[u8], key: [u8; 32]) -> Opened {
        let iv = Md5::digest(&packet[2..6]);
        let mut blocks = blocks_of(&packet[6..]);
        let mut cipher = cbc::Decryptor::<aes::Aes256>::new(&key.into(), &iv);
        blocks
            .iter_mut()
            .for_each(|block| cipher.decrypt_block(block));
        let text = text_of(packet, &blocks);
        if text == plain(2, &self.handshake_iv()[8..12]) && self.inner_challenge_open {
            self.inner_challenge_open = false;
            return Opened::Nothing;
        }
        Opened::Request(text)
    }

    fn handshake_iv(&self) -> [u8; 16] {
        let [a, b, c, d] = self.challenge;
        Md5::digest([d, c, b, a]).into()
    }

    fn handshake_key(&self) -> [u8; 16] {
        (u128::from_be_bytes(self.handshake_iv()) ^ SHARED_KEY).to_be_bytes()
    }

    fn seal_handshake(&self, message: &[u8]) -> Vec<u8> {
        let mut blocks = blocks_of(message);
        let (key, iv) = (self.handshake_key(), self.handshake_iv());
        let mut cipher = cbc::Encryptor::<aes::Aes128>::new(&key.into(), &iv.into());
        blocks
            .iter_mut()
            .for_each(|block| cipher.encrypt_block(block));
        packet(message.len(), &[], &blocks)
    }

    fn open_handshake(&self, packet: &[u8]) -> Vec<u8> {
        let mut blocks = blocks_of(&packet[2..]);
        let (key, iv) = (self.handshake_key(), self.handshake_iv());
        let mut cipher = cbc::Decryptor::<aes::Aes128>::new(&key.into(), &iv.into());
        blocks
            .iter_mut()
            .for_each(|block| cipher.decrypt_block(block));
        text_of(packet, &blocks)
    }
}

fn bytes_of<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.next_byte())
}

fn public_key(point: &[u8]) -> Option<PublicKey> {
    PublicKey::from_sec1_bytes(&[&[4], point].concat()).ok()
}

fn xy(key: &PublicKey) -> Vec<u8> {
    key.to_sec1_point(false).as_bytes()[1..].to_vec()
}

/// A message in the clear.
fn plain(kind: u8, data: &[u8]) -> Vec<u8> {
    let total =
        u32::from(kind) + data.len() as u32 + data.iter().map(|&b| u32::from(b)).sum::<u32>();
    let mut bytes = vec![0x2A, 0x2A, kind, data.len() as u8];
    bytes.extend(data);
    bytes.push((total >> 8 & 0xFF) as u8);
    bytes.push((total & 0xFF) as u8);
    bytes
}

fn blocks_of(text: &[u8]) -> Vec<aes::Block> {
    text.chunks(16)
        .map(|part| {
            let mut block = [0; 16];
            block[..part.len()].copy_from_slice(part);
            block.into()
        })
        .collect()
}

fn text_of(packet: &[u8], blocks: &[aes::Block]) -> Vec<u8> {
    let length = usize::from(packet[0]) * 256 + usize::from(packet[1]);
    blocks.iter().flatten().copied().take(length).collect()
}

fn packet(length: usize, seed: &[u8], blocks: &[aes::Block]) -> Vec<u8> {
    let mut bytes = vec![(length >> 8) as u8, (length & 0xFF) as u8];
    bytes.extend(seed);
    blocks.iter().for_each(|block| bytes.extend(block));
    bytes
}
