//! The published handshake, session frames and captured signatures, byte for byte.

#[path = "support/hex.rs"]
mod support;

use bluetti_modbus::encryption::handshake::{Accepted, Challenged};
use bluetti_modbus::encryption::{
    CLIENT_SIGNING_KEY, HandshakeError, Kex, KexError, KexType, LOCAL_AES_KEY, LinkEvent,
    NoEntropy, STATION_VERIFY_KEY, SecureLink, SessionCipher, VerifyKey,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use support::hex;
use zeroize::Zeroizing;

fn data() -> Value {
    serde_json::from_str(include_str!("data/encryption.json")).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Gives these bytes, then no more.
fn entropy(bytes: Vec<u8>) -> impl FnMut(&mut [u8]) -> Result<(), NoEntropy> + Send {
    let mut rest = bytes;
    move |wanted: &mut [u8]| {
        if rest.len() < wanted.len() {
            return Err(NoEntropy);
        }
        let later = rest.split_off(wanted.len());
        wanted.copy_from_slice(&rest);
        rest = later;
        Ok(())
    }
}

fn test_key(data: &Value) -> VerifyKey {
    VerifyKey::new(&array(&data["test_keys"]["test_k2_xy"])).unwrap()
}

fn client_scalar(data: &Value) -> Vec<u8> {
    hex(&data["test_keys"]["client_ephemeral_scalar"])
}

/// A link that took the first `steps` frames of the station.
fn link_after(data: &Value, steps: usize, seeds: &[u8]) -> SecureLink {
    let random = [client_scalar(data), seeds.to_vec()].concat();
    let mut link = SecureLink::new(Some(test_key(data)), Box::new(entropy(random)));
    let frames = list(&data["handshake"]["steps"]);
    for step in frames
        .iter()
        .filter(|step| is_from_station(step))
        .take(steps)
    {
        link.push(&hex(&step["frame"]));
        while link.next_event().is_some() {}
    }
    link
}

fn is_from_station(step: &Value) -> bool {
    step["dir"] == "device->client"
}

fn session_cipher(data: &Value) -> SessionCipher {
    let step = &list(&data["handshake"]["steps"])[5];
    SessionCipher::new(Zeroizing::new(array(&step["session_key_aes256"])))
}

#[test]
fn published_constants() {
    let data = data();
    let constants = &data["constants"];
    assert_eq!(LOCAL_AES_KEY, array(&constants["local_aes_key"]));
    assert_eq!(CLIENT_SIGNING_KEY, array(&constants["l1_private_scalar"]));
    assert_eq!(STATION_VERIFY_KEY, array(&constants["k2_public_xy"]));
    let spki = [
        hex(&constants["p256_spki_prefix"]),
        STATION_VERIFY_KEY.to_vec(),
    ];
    assert_eq!(spki.concat(), hex(&constants["k2_public_spki"]));
    assert!(VerifyKey::station().is_some());
    assert!(VerifyKey::new(&array(&constants["l1_public_xy"])).is_some());
}

#[test]
fn challenges_and_their_responses() {
    let data = data();
    let samples = list(&data["challenge"]);
    for sample in samples {
        let frame = hex(&sample["challenge_frame"]);
        let challenge = Kex::parse(&frame).unwrap();
        assert_eq!(challenge.data(), hex(&sample["challenge_bytes"]));
        let step = Challenged::new(&challenge).unwrap();
        assert!(step.is_for(&challenge));
        assert_eq!(step.response(), hex(&sample["response"]));
    }
    println!("{} challenges", samples.len());
    assert_eq!(samples.len(), 5);
}

#[test]
fn the_whole_handshake() {
    let data = data();
    let steps = list(&data["handshake"]["steps"]);
    assert_eq!(steps.len(), 6);
    let mut link = link_after(&data, 0, &[]);
    let mut compared = 0;
    let mut awaited: Option<Vec<u8>> = None;
    for step in steps {
        let frame = hex(&step["frame"]);
        if !is_from_station(step) {
            assert_eq!(awaited.take(), Some(frame), "{}", step["what"]);
            compared += 1;
            continue;
        }
        assert_eq!(awaited, None);
        link.push(&frame);
        while let Some(event) = link.next_event() {
            match event {
                LinkEvent::Challenged(bytes) | LinkEvent::Send(bytes) => awaited = Some(bytes),
                LinkEvent::Ready => compared += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(link.is_ready());
    assert_eq!(compared, 3, "response, client key, session");
}

#[test]
fn the_steps_one_by_one() {
    let data = data();
    let steps = list(&data["handshake"]["steps"]);
    let (challenge, accepted) = (hex(&steps[0]["frame"]), hex(&steps[2]["frame"]));
    let step = Challenged::new(&Kex::parse(&challenge).unwrap()).unwrap();
    let step: Accepted = step.accepted(&Kex::parse(&accepted).unwrap()).unwrap();
    let plain = step.open(&hex(&steps[3]["frame"])).unwrap();
    assert_eq!(plain, hex(&steps[3]["plain"]));
    let mut random = entropy(client_scalar(&data));
    let message = Kex::parse(&plain).unwrap();
    let step = step
        .station_key(&message, &test_key(&data), &mut random)
        .unwrap();
    assert_eq!(step.answer(), hex(&steps[4]["frame"]));
    assert_eq!(step.open(step.answer()).unwrap(), hex(&steps[4]["plain"]));
    let plain = step.open(&hex(&steps[5]["frame"])).unwrap();
    let session = step.confirmed(&Kex::parse(&plain).unwrap()).unwrap();
    let frame = &list(&data["session_frames"])[0];
    let mut seed = entropy(hex(&frame["iv_seed"]));
    let sealed = session.seal(&hex(&frame["plain"]), &mut seed).unwrap();
    assert_eq!(sealed, hex(&frame["frame"]), "the session keys are equal");
}

#[test]
fn frame_lengths() {
    let data = data();
    let steps = list(&data["handshake"]["steps"]);
    let lengths = &data["handshake"]["frame_lengths"];
    let names = [
        "challenge",
        "response",
        "accepted",
        "device_key",
        "client_key",
        "key_accepted",
    ];
    for (step, name) in steps.iter().zip(names) {
        assert_eq!(
            hex(&step["frame"]).len() as u64,
            lengths[name].as_u64().unwrap()
        );
    }
}

#[test]
fn session_frames() {
    let data = data();
    let session = session_cipher(&data);
    let samples = list(&data["session_frames"]);
    for sample in samples {
        let (plain, frame) = (hex(&sample["plain"]), hex(&sample["frame"]));
        let mut seed = entropy(hex(&sample["iv_seed"]));
        assert_eq!(session.seal(&plain, &mut seed).unwrap(), frame, "{sample}");
        assert_eq!(session.open(&frame).unwrap(), plain, "{sample}");
    }
    println!("{} session frames", samples.len());
    assert_eq!(samples.len(), 8);
}

#[test]
fn fragmentation() {
    let data = data();
    let samples = list(&data["fragmentation"]);
    for (index, sample) in samples.iter().enumerate() {
        let steps = if index < 2 { 2 } else { 4 };
        let mut link = link_after(&data, steps, &[]);
        let notifications = list(&sample["notifications"]);
        let mut events = Vec::new();
        for (count, notification) in notifications.iter().enumerate() {
            assert!(events.is_empty(), "{}: after {count}", sample["what"]);
            link.push(&hex(notification));
            while let Some(event) = link.next_event() {
                events.push(event);
            }
        }
        let whole = match index {
            0 | 1 => LinkEvent::Send(hex(&list(&data["handshake"]["steps"])[4]["frame"])),
            _ => LinkEvent::Received(hex(&list(&data["session_frames"])[3]["plain"])),
        };
        assert_eq!(events, [whole], "{}", sample["what"]);
        assert_eq!(link.is_collecting(), index == 3, "the tail is kept");
    }
    println!("{} fragmentations", samples.len());
    assert_eq!(samples.len(), 4);
}

#[test]
fn a_challenge_inside_a_session() {
    let data = data();
    let inside = &data["challenge_inside_session"];
    let session = session_cipher(&data);
    assert_eq!(
        session.open(&hex(&inside["device_frame"])).unwrap(),
        hex(&inside["device_plain"])
    );
    let mut link = link_after(&data, 4, &hex(&inside["client_iv_seed"]));
    link.push(&hex(&inside["device_frame"]));
    let answer = LinkEvent::Send(hex(&inside["client_frame"]));
    assert_eq!(link.next_event(), Some(answer));
    assert!(link.is_ready());
    assert_eq!(
        session.open(&hex(&inside["client_frame"])).unwrap(),
        hex(&inside["client_plain"])
    );
}

#[test]
fn errors() {
    let data = data();
    let samples = list(&data["errors"]);
    for sample in samples {
        let case = sample["case"].as_str().unwrap();
        let steps = match case {
            "challenge with wrong checksum"
            | "challenge with 3 data bytes"
            | "encrypted frame before any challenge" => 0,
            "challenge not accepted" => 1,
            "client key refused (encrypted)" => 3,
            _ => 2,
        };
        let mut link = link_after(&data, steps, &[]);
        if sample["plain"].is_string() {
            let plain = hex(&sample["plain"]);
            let wrong = KexError::Length { kind: 4, len: 100 };
            assert_eq!(Kex::parse(&plain), Err(wrong));
            continue;
        }
        link.push(&hex(&sample["frame"]));
        let event = link.next_event();
        let failed = |step| {
            let refused = HandshakeError::Refused { step, code: 1 };
            Some(LinkEvent::Failed(refused))
        };
        match case {
            "challenge not accepted" => assert_eq!(event, failed(KexType::Response)),
            "client key refused (encrypted)" => assert_eq!(event, failed(KexType::ClientKey)),
            "tampered device signature (encrypted)" => {
                let error = HandshakeError::InvalidSignature;
                assert_eq!(event, Some(LinkEvent::Failed(error)));
            }
            "cipher text not a multiple of 16" => {
                assert_eq!(event, None);
                assert!(link.is_collecting(), "waits for the last byte");
                link.flush();
                assert!(!link.is_collecting());
            }
            _ => assert_eq!(event, None, "{case}"),
        }
        if steps == 0 {
            assert!(!link.is_begun(), "{case}");
        }
    }
    println!("{} errors", samples.len());
    assert_eq!(samples.len(), 9);
}

#[test]
fn captured_signatures_with_a_dropped_zero() {
    let data = data();
    let key = VerifyKey::station().unwrap();
    let samples = list(&data["captured_device_signatures"]["vectors"]);
    for sample in samples {
        let message = [hex(&sample["device_xy"]), hex(&sample["iv"])].concat();
        let field = array(&sample["signature_field"]);
        assert!(key.accepts(&message, &field), "{}", sample["layout"]);
        let mut other = message;
        other[0] ^= 1;
        assert!(!key.accepts(&other, &field), "{}", sample["layout"]);
    }
    assert_eq!(samples.len(), 2);
}

#[test]
fn synthetic_signatures_with_a_dropped_zero() {
    let data = data();
    let key = test_key(&data);
    let samples = list(&data["synthetic_short_signatures"]);
    for sample in samples {
        let message = [hex(&sample["device_xy"]), hex(&sample["iv"])].concat();
        for field in ["canonical_signature", "device_encoding"] {
            assert!(key.accepts(&message, &array(&sample[field])), "{field}");
        }
    }
    assert_eq!(samples.len(), 2);
}

/// Once in 65 536 handshakes; never captured, so made here.
#[test]
fn a_signature_with_both_halves_short() {
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};

    let data = data();
    let signer = SigningKey::from_slice(&hex(&data["test_keys"]["test_k2_scalar"])).unwrap();
    let key = test_key(&data);
    // The first number whose signature has both halves short.
    let message = 3358u32.to_be_bytes();
    let signature: Signature = signer.sign(&message);
    let bytes: [u8; 64] = signature.to_bytes().into();
    assert_eq!((bytes[0], bytes[32]), (0, 0));
    assert!(key.accepts(&message, &bytes));
    let mut field = [0; 64];
    field[..31].copy_from_slice(&bytes[1..32]);
    field[31..62].copy_from_slice(&bytes[33..]);
    assert!(key.accepts(&message, &field));
    field[63] = 1;
    assert!(!key.accepts(&message, &field), "filling is zero");
}

/// All events of a link that receives these chunks, bytes to be written included.
fn events(data: &Value, chunks: &[&[u8]]) -> Vec<LinkEvent> {
    let mut link = link_after(data, 0, &[]);
    let mut events = Vec::new();
    for chunk in chunks {
        link.push(chunk);
        while let Some(event) = link.next_event() {
            events.push(event);
        }
    }
    assert!(!link.is_collecting() && link.is_ready());
    events
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 64,
        ..ProptestConfig::default()
    })]

    /// Handshake and session in one stream, cut anywhere.
    #[test]
    fn chunk_borders_mean_nothing(cuts in vec(any::<Index>(), 0..40)) {
        let data = data();
        let steps = list(&data["handshake"]["steps"]).iter();
        let frames = list(&data["session_frames"]).iter();
        let stream: Vec<u8> = steps
            .chain(frames)
            .filter(|sent| is_from_station(sent))
            .flat_map(|sent| hex(&sent["frame"]))
            .collect();
        let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        borders.extend([0, stream.len()]);
        borders.sort_unstable();
        let chunks: Vec<&[u8]> = borders.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let whole = events(&data, &[&stream]);
        prop_assert_eq!(whole.len(), 7, "challenge, key, ready, four answers");
        prop_assert_eq!(events(&data, &chunks), whole);
    }
}
