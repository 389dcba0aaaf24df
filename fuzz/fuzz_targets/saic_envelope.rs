#![no_main]

use saic_ismart::endpoint::Answer;
use saic_ismart::envelope::{ContentType, Received, Sealing, Signature, open, seal};

// Any response is opened or refused. Sealing the same gives the same, in whole
// blocks.
libfuzzer_sys::fuzz_target!(|input: (i64, Option<&str>, Option<&str>, &str, &[u8])| {
    let (timestamp_ms, content_type, verification, path, body) = input;
    let send_date = timestamp_ms.to_string();
    let received = Received {
        send_date: Some(&send_date),
        content_type,
        verification,
        body,
    };
    if let Ok(opened) = open(&received) {
        assert_eq!(
            opened.signature == Signature::NotEncrypted,
            content_type.is_none() || body.trim_ascii().is_empty()
        );
        let _ = Answer::read(&opened.text);
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    let sealing = Sealing {
        path,
        tenant: "459771",
        token: verification.unwrap_or_default(),
        timestamp_ms,
        content_type: ContentType::of(content_type),
        body: text,
    };
    let sealed = seal(&sealing);
    assert_eq!(sealed, seal(&sealing));
    assert_eq!(sealed.verification.len(), 64);
    if !matches!(sealing.content_type, ContentType::Multipart(_)) {
        let blocks = if text.trim().is_empty() {
            0
        } else {
            text.trim().len() / 16 + 1
        };
        assert_eq!(sealed.body.len(), 32 * blocks);
    }
});
