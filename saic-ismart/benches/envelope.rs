//! What a request and its response of 4 KB each cost, beside the primitives that
//! they are made of, here and in OpenSSL (if `openssl` is installed).
//!
//! `cargo bench -p saic-ismart`. Prints figures and judges nothing.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use saic_ismart::envelope::{ContentType, Received, Sealing, open, seal};
use sha2::Sha256;

const BODY: usize = 4096;
const RUNS: u32 = 200;
const PER_RUN: u32 = 200;

fn main() {
    let body = "a".repeat(BODY);
    let sealing = Sealing {
        path: "/vehicle/control",
        tenant: "459771",
        token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.c3ludGhldGlj.c2lnbmF0dXJl",
        timestamp_ms: 1_700_000_000_123,
        content_type: ContentType::Json,
        body: &body,
    };
    let (wire, verification) = response(&body);
    let received = Received {
        send_date: Some("1700000000123"),
        content_type: Some("application/json"),
        verification: Some(&verification),
        body: wire.as_bytes(),
    };

    let sealing_us = fastest_us(|| {
        black_box(seal(black_box(&sealing)));
    });
    let opening_us = fastest_us(|| {
        black_box(open(black_box(&received)).expect("a sound response"));
    });
    let both_us = sealing_us + opening_us;
    println!("seal 4 KB {sealing_us:.2} us, open 4 KB {opening_us:.2} us, both {both_us:.2} us");

    let primitives_us = primitives();
    println!(
        "the same primitives alone {primitives_us:.2} us, ratio {:.2}",
        both_us / primitives_us
    );
    match openssl_us() {
        Some(openssl_us) => println!(
            "the same primitives in OpenSSL {openssl_us:.2} us, ratio {:.2}",
            both_us / openssl_us
        ),
        None => println!("OpenSSL is not installed: no comparison"),
    }
}

/// AES-CBC there and back over 4 KB, and HMAC over the hex text of each.
fn primitives() -> f64 {
    let (key, iv) = ([7; 16], [9; 16]);
    let text = vec![b'a'; 2 * BODY];
    let mut buffer = vec![b'a'; BODY + 16];
    fastest_us(|| {
        let length = cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into())
            .encrypt_padded::<Pkcs7>(black_box(&mut buffer), BODY)
            .expect("room for the padding")
            .len();
        black_box(hmac(&text));
        black_box(hmac(&text));
        cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into())
            .decrypt_padded::<Pkcs7>(black_box(&mut buffer[..length]))
            .expect("what was encrypted before");
    })
}

fn hmac(text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key").expect("a key of any length");
    mac.update(black_box(text));
    mac.finalize().into_bytes().into()
}

/// The same by the figures of `openssl speed`, in kB/s.
fn openssl_us() -> Option<f64> {
    let speed = |bytes: usize, arguments: &[&str]| {
        let output = Command::new("openssl")
            .args([
                "speed",
                "-mr",
                "-seconds",
                "1",
                "-bytes",
                &bytes.to_string(),
            ])
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let figure = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("+F:"))?;
        let bytes_per_s: f64 = figure.rsplit(':').next()?.trim().parse().ok()?;
        (bytes_per_s > 0.0).then(|| bytes as f64 / bytes_per_s * 1e6)
    };
    let encryption = speed(BODY, &["-evp", "aes-128-cbc"])?;
    let decryption = speed(BODY, &["-decrypt", "-evp", "aes-128-cbc"])?;
    let hashing = speed(2 * BODY, &["-evp", "sha256"])?;
    Some(encryption + decryption + 2.0 * hashing)
}

/// The fastest of many short runs: the one that other programs disturbed least.
fn fastest_us(mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let started = Instant::now();
        for _ in 0..PER_RUN {
            work();
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(PER_RUN)
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}

/// A response as the cloud seals it: hex of the cipher text, and its signature.
fn response(body: &str) -> (String, String) {
    use md5::{Digest, Md5};
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let md5 = |text: &str| <[u8; 16]>::from(Md5::digest(text));
    let key = md5("17000000001231application/json");
    let mut buffer = body.as_bytes().to_vec();
    buffer.resize(body.len() + 16, 0);
    let wire = cbc::Encryptor::<Aes128>::new(&key.into(), &md5("1700000000123").into())
        .encrypt_padded::<Pkcs7>(&mut buffer, body.len())
        .map(hex)
        .expect("room for the padding");
    let hmac_key = hex(&md5(&format!("{}1700000000123", hex(&key))));
    let mut mac = Hmac::<Sha256>::new_from_slice(hmac_key.as_bytes()).expect("a key of any length");
    mac.update(format!("17000000001231application/json{wire}").as_bytes());
    (wire, hex(&mac.finalize().into_bytes()))
}
