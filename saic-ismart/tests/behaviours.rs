//! What the client makes of each kind of answer: which requests it sends, and
//! how it ends. The cases are those that another client was observed with;
//! where ours does better, this file says so.

mod support;

use saic_ismart::http::Response;
use saic_ismart::{Error, LoginError, Region, Rejection, Relogin, TransportError, VehicleStatus};
use support::{Script, VIN, event, list, logged_in, plain, text};

const ACK: &str = r#"{"code":0,"message":"success"}"#;
const DATA: &str = r#"{"code":0,"message":"success","data":{"statusTime":1700000000}}"#;
const REGION: &str = "http://127.0.0.1:1/api.app/v1/";

fn code(code: i64) -> String {
    format!(r#"{{"code":{code},"message":"x"}}"#)
}

/// What the server says in each case, in its order.
fn script(name: &str) -> Vec<Response> {
    let ok = || plain(200, DATA);
    let ack = || event(ACK, "111");
    let says = |body: &str| vec![plain(200, body)];
    match name {
        "immediate_data" | "plain_response_no_enc_headers" => vec![ok()],
        "ack_then_data" => vec![ack(), ok()],
        "ack_ack_same_then_data" => vec![ack(), ack(), ok()],
        "ack_new_id_then_data" => vec![ack(), event(ACK, "222"), ok()],
        "ack_then_4_then_data" => vec![ack(), plain(200, &code(4)), ok()],
        "ack_then_8_then_data" => vec![ack(), plain(200, &code(8)), ok()],
        "first_4_no_event" => vec![plain(200, &code(4))],
        "first_4_with_event" => vec![event(&code(4), "111"), ok()],
        "first_8_no_event" => vec![plain(200, &code(8))],
        "first_2_with_event" => vec![event(&code(2), "111")],
        "ack_then_2" => vec![ack(), plain(200, &code(2))],
        "ack_then_3" => vec![ack(), plain(200, &code(3))],
        "ack_then_7" => vec![ack(), plain(200, &code(7))],
        "code_401" => says(r#"{"code":401,"message":"Token missing, Authentication failed!"}"#),
        "code_403" => says(&code(403)),
        "http_401_json" => vec![plain(401, &code(401))],
        "http_401_nonjson" => vec![plain(401, "nope")],
        "http_403_nonjson" => vec![plain(403, "nope")],
        "http_500_json_code0" => vec![plain(500, DATA)],
        "http_500_nonjson" => vec![plain(500, "oops")],
        "http_200_nonjson" => says("oops"),
        "http_502_html" => vec![plain(502, "<html>")],
        "ok_no_data_no_event" => says(ACK),
        "data_and_event" => vec![event(DATA, "111")],
        "data_null" => says(r#"{"code":0,"data":null,"message":"success"}"#),
        "no_code" => says(r#"{"message":"x"}"#),
        "extra_unknown_field" => says(r#"{"code":0,"data":{"statusTime":5,"new":1}}"#),
        "wrong_type_str_for_int" => says(r#"{"code":0,"data":{"statusTime":"5"}}"#),
        "wrong_type_float_for_int" => says(r#"{"code":0,"data":{"statusTime":5.0}}"#),
        "wrong_type_bool_for_int" => says(r#"{"code":0,"data":{"statusTime":true}}"#),
        // Cipher text of no known key, with a status that says enough.
        "bad_http_401_encrypted" => {
            let mut response = plain(
                401,
                "dd1ff1857a13f69b8f971093c7c3899b6b48295f7fc006f9ee8b499ca5fee02a",
            );
            response.headers = vec![
                ("APP-SEND-DATE".to_owned(), "1".to_owned()),
                (
                    "ORIGINAL-CONTENT-TYPE".to_owned(),
                    "application/json".to_owned(),
                ),
            ];
            vec![response]
        }
        other => panic!("a case without a script: {other}"),
    }
}

async fn run(script: &Script) -> Result<VehicleStatus, Error> {
    let client = logged_in(Region::at(REGION), "T")
        .transport(script.clone())
        .relogin(Relogin::Never)
        .build()
        .unwrap();
    client.vehicle_by_vin(VIN).status().await
}

#[tokio::test(start_paused = true)]
async fn as_observed_or_better() {
    let vectors = support::json(include_str!("data/behaviours.json"));
    let cases = list(&vectors);
    assert_eq!(cases.len(), 32);
    for case in cases {
        let name = text(&case["name"]);
        let script = Script::new(script(name).into_iter().map(Ok).collect());
        let result = run(&script).await;
        let sent = script.headers("event-id");
        let observed: Vec<_> = list(&case["event_ids"])
            .iter()
            .map(|id| text(id).to_owned())
            .collect();
        let ok = case["ok"].as_bool().unwrap();
        match name {
            // Fails at once: a rejection does not get better by asking.
            "ack_then_8_then_data" => {
                assert_eq!(sent, ["0", "111"]);
                assert!(matches!(
                    result,
                    Err(Error::Rejected {
                        rejection: Rejection::Unknown,
                        ..
                    })
                ));
                continue;
            }
            // An HTTP error is no success, whatever its body says.
            "http_500_json_code0" => {
                assert!(
                    matches!(result, Err(Error::Unavailable { status: 500, .. })),
                    "{result:?}"
                );
            }
            // Numbers count in every form.
            "wrong_type_str_for_int" | "wrong_type_float_for_int" => {
                assert_eq!(result.unwrap().status_at.unwrap().timestamp(), 5);
            }
            _ => assert_eq!(result.is_ok(), ok, "{name}: {result:?}"),
        }
        assert_eq!(sent, observed, "{name}");
        assert_eq!(script.unused(), 0, "{name}");
    }
    println!("behaviours: {0}/{0}", cases.len());
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_own_error() {
    let error = async |name: &str| {
        let answers = script(name).into_iter().map(Ok).collect();
        run(&Script::new(answers)).await.unwrap_err()
    };
    for name in [
        "code_401",
        "code_403",
        "http_401_json",
        "http_401_nonjson",
        "http_403_nonjson",
        "bad_http_401_encrypted",
    ] {
        let error = error(name).await;
        let elsewhere = matches!(
            error,
            Error::Login(LoginError::LoggedInElsewhere { retry_after: None })
        );
        assert!(elsewhere, "{name}: {error:?}");
    }
    assert!(matches!(
        error("ack_then_2").await,
        Error::Refused { code: 2, .. }
    ));
    assert!(matches!(
        error("first_4_no_event").await,
        Error::Unreachable { attempts: 1, .. }
    ));
    assert!(matches!(
        error("first_8_no_event").await,
        Error::Rejected { .. }
    ));
    assert!(matches!(
        error("http_500_nonjson").await,
        Error::Unavailable {
            status: 500,
            code: -1,
            ..
        }
    ));
    assert!(matches!(
        error("http_502_html").await,
        Error::Unavailable { status: 502, .. }
    ));
    let nothing = error("ok_no_data_no_event").await.to_string();
    assert_eq!(
        nothing,
        "vehicle status of LSJTEST0000******: unreadable answer: the answer holds no data"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_car_is_given_up_within_the_budget() {
    let mut answers = vec![Ok(event(ACK, "111"))];
    answers.extend((0..40).map(|_| Ok(plain(200, &code(4)))));
    let script = Script::new(answers);
    let started = tokio::time::Instant::now();
    let error = run(&script).await.unwrap_err();
    let Error::Unreachable {
        event_id, attempts, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (event_id.as_str(), *attempts as usize),
        ("111", script.count())
    );
    assert!(started.elapsed().as_secs() < 60);
    assert!(started.elapsed().as_secs() > 50);
    assert!((10..14).contains(attempts), "{attempts}");
    assert!(error.may_have_taken_effect());
}

fn cut(not_sent: bool) -> Result<Response, TransportError> {
    Err(TransportError {
        not_sent,
        message: "cut".to_owned(),
    })
}

#[tokio::test(start_paused = true)]
async fn commands_are_never_sent_twice() {
    let lock = async |answers: Vec<Result<Response, TransportError>>| {
        let script = Script::new(answers);
        let client = logged_in(Region::at(REGION), "T")
            .transport(script.clone())
            .build()
            .unwrap();
        let result = client.vehicle_by_vin(VIN).lock().await;
        (result, script.headers("event-id"))
    };
    let (result, sent) = lock(vec![cut(false)]).await;
    assert!(matches!(result, Err(Error::MaybeSent { .. })));
    assert_eq!(sent, ["0"]);
    let (result, sent) = lock(vec![cut(true)]).await;
    assert!(matches!(result, Err(Error::NotSent { .. })));
    assert_eq!(sent, ["0"]);
    let (result, sent) = lock(vec![Ok(plain(502, "<html>"))]).await;
    assert!(result.unwrap_err().may_have_taken_effect());
    assert_eq!(sent, ["0"]);
    // Once it has an event, asking for that is no repetition.
    let answers = vec![
        Ok(event(ACK, "111")),
        cut(false),
        cut(true),
        Ok(plain(502, "")),
        Ok(plain(200, DATA)),
    ];
    let (result, sent) = lock(answers).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(sent, ["0", "111", "111", "111", "111"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_stops_asking() {
    let mut answers = vec![Ok(event(ACK, "111"))];
    answers.extend((0..40).map(|_| Ok(plain(200, &code(4)))));
    answers.push(Ok(plain(200, DATA)));
    let script = Script::new(answers);
    let client = logged_in(Region::at(REGION), "T")
        .transport(script.clone())
        .build()
        .unwrap();
    let car = client.vehicle_by_vin(VIN);
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(5), car.status());
    assert!(waiting.await.is_err());
    let asked = script.count();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(script.count(), asked);
    // The car is free for the next call.
    assert!(matches!(car.status().await, Err(Error::Unreachable { .. })));
}

#[tokio::test(start_paused = true)]
async fn one_call_to_a_car_at_a_time() {
    let answers = vec![
        Ok(event(ACK, "111")),
        Ok(plain(200, DATA)),
        Ok(event(ACK, "222")),
        Ok(plain(200, DATA)),
    ];
    let script = Script::new(answers);
    let client = logged_in(Region::at(REGION), "T")
        .transport(script.clone())
        .build()
        .unwrap();
    let (one, other) = (client.vehicle_by_vin(VIN), client.vehicle_by_vin(VIN));
    let (one, other) = tokio::join!(one.status(), other.status());
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(script.headers("event-id"), ["0", "111", "0", "222"]);
}
