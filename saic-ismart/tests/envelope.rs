//! The envelope: every published vector, and what must hold for all others.

mod support;

use proptest::prelude::*;
use saic_ismart::envelope::{
    self, ContentType, EnvelopeError, Received, Sealing, Signature, open, seal,
};
use serde_json::Value;
use support::{json, list, text};

fn vectors() -> Value {
    json(include_str!("data/envelope.json"))
}

#[test]
fn hashes() {
    let vectors = vectors();
    let hashes = &vectors["hashes"];
    for case in list(&hashes["password_sha1"]) {
        assert_eq!(
            envelope::password_hash(text(&case["password"])),
            text(&case["out"])
        );
    }
    for case in list(&hashes["vin_sha256"]) {
        assert_eq!(envelope::vin_hash(text(&case["vin"])), text(&case["out"]));
    }
}

#[test]
fn requests() {
    let vectors = vectors();
    let requests = list(&vectors["requests"]);
    assert_eq!(requests.len(), 23);
    for case in requests {
        let content_type = ContentType::of(case["content_type"].as_str());
        assert_eq!(
            content_type.as_str(),
            text(&case["headers"]["ORIGINAL-CONTENT-TYPE"])
        );
        let sealed = seal(&Sealing {
            path: text(&case["path"]),
            tenant: text(&case["tenant"]),
            token: text(&case["token"]),
            timestamp_ms: case["timestamp_ms"].as_i64().unwrap(),
            content_type,
            body: text(&case["body"]),
        });
        assert_eq!(sealed.body, text(&case["wire_body"]), "{}", case["name"]);
        assert_eq!(
            sealed.verification,
            text(&case["verification"]),
            "{}",
            case["name"]
        );
    }
    println!("requests: {0}/{0}", requests.len());
}

/// Signatures that other people's tests expect, with times that are no
/// milliseconds and a path that is empty.
#[test]
fn signatures() {
    let vectors = vectors();
    let signatures = list(&vectors["signatures"]);
    assert_eq!(signatures.len(), 3);
    for case in signatures {
        let sealed = seal(&Sealing {
            path: text(&case["request_path"]),
            tenant: text(&case["tenant_id"]),
            token: text(&case["token"]),
            timestamp_ms: text(&case["timestamp"]).parse().unwrap(),
            content_type: ContentType::of(case["content_type"].as_str()),
            body: text(&case["body"]),
        });
        assert_eq!(sealed.verification, text(&case["out"]));
    }
}

#[test]
fn responses() {
    let vectors = vectors();
    let responses = list(&vectors["responses"]);
    assert_eq!(responses.len(), 7);
    for case in responses {
        let header = |name: &str| {
            let headers = case["headers"].as_object().unwrap();
            let found = headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| text(value))
        };
        let received = Received {
            send_date: header("app-send-date"),
            content_type: header("original-content-type"),
            verification: header("app-verification-string"),
            body: text(&case["wire_body"]).as_bytes(),
        };
        let opened = open(&received).unwrap();
        assert_eq!(opened.text, text(&case["body"]), "{}", case["name"]);
        assert_eq!(opened.signature, Signature::Valid, "{}", case["name"]);
        let unsigned = Received {
            verification: None,
            ..received
        };
        assert_eq!(open(&unsigned).unwrap().signature, Signature::Missing);
        let forged = Received {
            verification: Some("00"),
            ..received
        };
        assert_eq!(open(&forged).unwrap().signature, Signature::Invalid);
    }
    println!("responses: {0}/{0}", responses.len());
}

#[test]
fn damaged_responses() {
    let vectors = vectors();
    let damaged = list(&vectors["damaged"]);
    let expected = [
        EnvelopeError::NotHex,
        EnvelopeError::NotHex,
        EnvelopeError::Length(31),
        EnvelopeError::Padding,
    ];
    assert_eq!(damaged.len(), expected.len());
    for (case, expected) in damaged.iter().zip(expected) {
        let received = Received {
            send_date: Some(&case["timestamp_ms"].to_string()),
            content_type: Some(text(&case["content_type"])),
            verification: None,
            body: text(&case["wire_body"]).as_bytes(),
        };
        assert_eq!(open(&received), Err(expected), "{}", case["name"]);
    }
    println!("damaged responses: {0}/{0}", damaged.len());
}

#[test]
fn plain_responses() {
    let received = Received {
        send_date: Some("1"),
        content_type: None,
        verification: None,
        body: b" {}\n",
    };
    let opened = open(&received).unwrap();
    assert_eq!(
        (&*opened.text, opened.signature),
        ("{}", Signature::NotEncrypted)
    );
    let empty = Received {
        content_type: Some("application/json"),
        body: b" ",
        ..received
    };
    assert_eq!(open(&empty).unwrap().signature, Signature::NotEncrypted);
    let binary = Received {
        body: b"\xff",
        ..received
    };
    assert_eq!(open(&binary), Err(EnvelopeError::NotText));
}

/// A response as the cloud makes it. The body of a request with empty path,
/// tenant and token would differ in its key, so that this is worked out here.
fn respond(body: &str, send_date: &str, content_type: &str) -> (String, String) {
    use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
    use hmac::{KeyInit, Mac};
    use md5::{Digest, Md5};

    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let md5 = |text: String| <[u8; 16]>::from(Md5::digest(text));
    let key = md5(format!("{send_date}1{content_type}"));
    let mut buffer = body.as_bytes().to_vec();
    buffer.resize((body.len() / 16 + 1) * 16, 0);
    cbc::Encryptor::<aes::Aes128>::new(&key.into(), &md5(send_date.to_owned()).into())
        .encrypt_padded::<Pkcs7>(&mut buffer, body.len())
        .unwrap();
    let wire = hex(&buffer);
    let hmac_key = hex(&md5(format!("{}{send_date}", hex(&key))));
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(hmac_key.as_bytes()).unwrap();
    mac.update(format!("{send_date}1{content_type}{wire}").as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    (wire, signature)
}

proptest! {
    #[test]
    fn what_the_cloud_seals_is_opened(body in "\\PC{1,200}", send_date in "[0-9]{1,14}") {
        let (wire, signature) = respond(&body, &send_date, "application/json");
        let received = Received {
            send_date: Some(&send_date),
            content_type: Some("application/json"),
            verification: Some(&signature),
            body: wire.as_bytes(),
        };
        let opened = open(&received).unwrap();
        prop_assert_eq!(&*opened.text, body.as_str());
        prop_assert_eq!(opened.signature, Signature::Valid);
    }

    #[test]
    fn one_changed_digit_is_noticed(body in "[a-z]{1,80}", place in any::<prop::sample::Index>()) {
        let (wire, signature) = respond(&body, "1", "application/json");
        let mut damaged = wire.into_bytes();
        let place = place.index(damaged.len());
        damaged[place] = if damaged[place] == b'0' { b'1' } else { b'0' };
        let received = Received {
            send_date: Some("1"),
            content_type: Some("application/json"),
            verification: Some(&signature),
            body: &damaged,
        };
        if let Ok(opened) = open(&received) {
            prop_assert_eq!(opened.signature, Signature::Invalid);
        }
    }

    #[test]
    fn nothing_makes_opening_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        send_date in prop::option::of("\\PC{0,20}"),
        content_type in prop::option::of("\\PC{0,20}"),
        verification in prop::option::of("\\PC{0,20}"),
    ) {
        let _ = open(&Received {
            send_date: send_date.as_deref(),
            content_type: content_type.as_deref(),
            verification: verification.as_deref(),
            body: &body,
        });
    }

    #[test]
    fn seals_depend_on_everything(
        path in "/[a-z]{1,9}", token in "[a-z]{0,9}", timestamp_ms in 0i64..1 << 45, body in "[a-z]{1,40}",
    ) {
        let sealing = Sealing {
            path: &path, tenant: "1", token: &token, timestamp_ms,
            content_type: ContentType::Json, body: &body,
        };
        let sealed = seal(&sealing);
        prop_assert_eq!(sealed.body.len(), (body.len() / 16 + 1) * 32);
        for other in [
            Sealing { path: "/0", ..sealing.clone() },
            Sealing { tenant: "2", ..sealing.clone() },
            Sealing { token: "0", ..sealing.clone() },
            Sealing { timestamp_ms: timestamp_ms + 1, ..sealing.clone() },
            Sealing { content_type: ContentType::Form, ..sealing.clone() },
            Sealing { body: "0", ..sealing.clone() },
        ] {
            let other = seal(&other);
            prop_assert_ne!(&other.verification, &sealed.verification);
            prop_assert_ne!(&other.body, &sealed.body);
        }
    }
}
