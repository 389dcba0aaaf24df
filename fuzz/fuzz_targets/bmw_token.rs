#![no_main]

use bimmer::cardata::device_flow::{Pending, Step};
use bimmer::cardata::{IdClaims, judge_refresh};
use bimmer::http::Response;
use bimmer::mybmw::{classify, quota_wait};
use bimmer::{Pkce, Secret, Token};
use chrono::DateTime;

// Every answer of a token server, with every status: no panic, and what is
// granted survives storing.
libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let now = DateTime::from_timestamp(1_772_359_200, 0).unwrap();
    let (status, body) = (input.0 % 600, input.1.to_vec());
    let text = String::from_utf8_lossy(&body).into_owned();
    let _ = (classify(status, &text), quota_wait(&text));
    let _ = IdClaims::read(&Secret::new(text.clone()));
    let response = Response {
        status,
        headers: Vec::new(),
        body,
    };
    if let Ok(token) = judge_refresh(&response, &Token::from_refresh_token("old"), now) {
        assert!(!token.refresh_token.is_empty());
        assert_eq!(Token::from_json(&token.to_json()), Some(token));
    }
    let started = Pending::started(&response, Pkce::from_random(&[1; 64]), now);
    let canned = Response {
        status: 200,
        headers: Vec::new(),
        body: br#"{"user_code": "u", "device_code": "d"}"#.to_vec(),
    };
    let mut pending = started
        .unwrap_or_else(|_| Pending::started(&canned, Pkce::from_random(&[1; 64]), now).unwrap());
    for _ in 0..5 {
        if let Step::Done(token) = pending.judge(Ok(&response), now) {
            assert!(!token.access_token.is_empty());
        }
    }
    let _ = Token::from_json(&text);
});
