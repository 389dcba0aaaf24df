//! Login, renewal and repeats of the app API, against a cloud in memory.

mod support;

use std::time::Duration;

use bimmer::mybmw::{Client, Region};
use bimmer::{Error, LoginError, MemoryTokenStore, Pkce, Token};
use serde_json::{Value as Json, json};
use support::mybmw::{MADE_UP, client, cloud, fresh_token, now, profile, rows, vectors, vehicle};
use support::{Script, assert_recorded, fields, json as answer, text};

#[tokio::test(start_paused = true)]
async fn a_first_login() {
    let vector = vectors("login_rest_of_world");
    let script = cloud(vector.clone(), 200, |_| text(500, ""));
    let inputs = &vector["inputs"];
    let client = client(&script, MemoryTokenStore::default())
        .credentials(
            inputs["username"].as_str().unwrap(),
            inputs["password"].as_str().unwrap(),
        )
        .captcha_token(inputs["hcaptcha_token"].as_str().unwrap())
        .build()
        .unwrap();
    let token = client.token().await.unwrap();
    let recorded = vector["requests"].as_array().unwrap();
    let requests = script.requests();
    assert_eq!(requests.len(), recorded.len());
    for (request, recorded) in requests.iter().zip(recorded) {
        assert_recorded(request, recorded, &MADE_UP);
    }
    let challenge = fields(&requests[1].body)["code_challenge"].clone();
    let verifier = fields(&requests[3].body)["code_verifier"].clone();
    assert_eq!(Pkce::from_verifier(verifier).challenge(), challenge);
    assert_eq!(fields(&requests[1].body)["state"].len(), 22);
    assert_eq!(token.access_token.expose(), "AT-1");
    assert_eq!(token.refresh_token.expose(), "RT-2");
    assert_eq!(token.gcid.as_deref(), Some("GCID-1"));
    assert_eq!((token.expires_at - now()).num_seconds(), 3599);
    assert_eq!(client.token().await.unwrap(), token);
}

#[tokio::test(start_paused = true)]
async fn a_login_without_captcha_sends_nothing() {
    let script = cloud(vectors("login_rest_of_world"), 200, |_| text(500, ""));
    let builder =
        client(&script, MemoryTokenStore::default()).credentials("driver@example.com", "x");
    let error = builder.build().unwrap().token().await.unwrap_err();
    assert!(matches!(error, Error::Login(LoginError::CaptchaMissing)));
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_renewal() {
    let login = vectors("login_rest_of_world");
    let script = cloud(login, 200, |_| text(500, ""));
    let store = MemoryTokenStore::with(Token::from_refresh_token("RT-1"));
    let token = client(&script, store)
        .build()
        .unwrap()
        .token()
        .await
        .unwrap();
    let vector = vectors("refresh_rest_of_world");
    let recorded = vector["requests"].as_array().unwrap();
    assert_eq!(script.requests().len(), recorded.len());
    for (request, recorded) in script.requests().iter().zip(recorded) {
        assert_recorded(request, recorded, &MADE_UP);
    }
    assert_eq!(
        token.access_token.expose(),
        vector["result"]["access_token"].as_str().unwrap()
    );
    assert_eq!(
        token.refresh_token.expose(),
        vector["result"]["refresh_token"].as_str().unwrap()
    );
    assert!(token.session_id.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refused_renewal_becomes_a_login_if_one_is_prepared() {
    let login = vectors("login_rest_of_world");
    let script = cloud(login.clone(), 400, |_| text(500, ""));
    let store = MemoryTokenStore::with(Token::from_refresh_token("RT-1"));
    let builder = client(&script, store)
        .credentials("driver@example.com", "x")
        .captcha_token("P1");
    builder.build().unwrap().token().await.unwrap();
    let recorded = rows("refresh_rejected_then_full_login");
    assert_eq!(script.requests().len(), recorded.len());
    for (request, recorded) in script.requests().iter().zip(&recorded) {
        assert_eq!(
            request.method.as_str(),
            recorded["method"].as_str().unwrap()
        );
        assert_eq!(
            request.url.split('?').next().unwrap(),
            recorded["url"].as_str().unwrap()
        );
        let keys: Vec<String> = fields(&request.body).into_keys().collect();
        let expected: Vec<String> = recorded["form_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|k| k.as_str().unwrap().into())
            .collect();
        assert_eq!(keys, expected);
    }

    // Otherwise the user is asked, and the dead token is not sent again.
    let script = cloud(login, 400, |_| text(500, ""));
    let store = MemoryTokenStore::with(Token::from_refresh_token("RT-1"));
    let client = client(&script, store).build().unwrap();
    for _ in 0..3 {
        let error = client.token().await.unwrap_err();
        assert!(
            matches!(error, Error::Login(LoginError::SessionEnded { .. })),
            "{error}"
        );
    }
    assert_eq!(script.requests().len(), 2);
}

/// In the login, every class is one of the login.
#[tokio::test(start_paused = true)]
async fn refusals_of_a_login() {
    for row in rows("error_classification")
        .iter()
        .filter(|row| row["module"] == "AUTH")
    {
        let (status, body) = (
            row["status"].as_u64().unwrap(),
            row["body"].as_str().unwrap(),
        );
        let (status, body) = (u16::try_from(status).unwrap(), body.to_owned());
        let script = Script::new(move |_| text(status, &body));
        let builder = client(&script, MemoryTokenStore::default());
        let builder = builder
            .credentials("driver@example.com", "x")
            .captcha_token("P1");
        let error = builder.build().unwrap().token().await.unwrap_err();
        assert!(
            matches!(error, Error::Login(_) | Error::Blocked { .. }),
            "{row}: {error}"
        );
        if let Some(detail) = row["detail"].as_str().filter(|detail| *detail != "Blocked") {
            assert!(
                error.to_string().contains(detail.trim_end_matches(" - ")),
                "{error}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_by_class() {
    for row in rows("retry_sequences") {
        let sequence = row["server_sequence"].as_array().unwrap().clone();
        let mut at = 0;
        let script = cloud(vectors("login_rest_of_world"), 200, move |_| {
            let step = &sequence[at.min(sequence.len() - 1)];
            at += 1;
            let status = u16::try_from(step[0].as_u64().unwrap()).unwrap();
            match &step[1] {
                Json::String(body) => text(status, body),
                body if status == 200 && body.as_object().is_some_and(|b| b.is_empty()) => {
                    answer(200, &json!({"state": {}}))
                }
                body => answer(status, body),
            }
        });
        let started = tokio::time::Instant::now();
        let store = MemoryTokenStore::with(fresh_token("AT-0"));
        let client = client(&script, store).build().unwrap();
        let vehicle = vehicle("bev_charging");
        let outcome = client.vehicle(&profile(&vehicle)).await;
        let name = row["name"].as_str().unwrap();
        match (row["result"]["error"].as_str(), outcome) {
            (None, Ok(_)) => {}
            (Some("MyBMWQuotaError"), Err(Error::Quota { .. }))
            | (Some("MyBMWAuthError"), Err(Error::Blocked { .. } | Error::Login(_)))
            | (Some("MyBMWAPIError"), Err(Error::Unavailable { .. })) => {}
            (expected, outcome) => panic!("{name}: {expected:?}, {outcome:?}"),
        }
        assert_eq!(
            script.count("/vehicles/state"),
            row["state_requests"].as_u64().unwrap() as usize,
            "{name}"
        );
        assert_eq!(
            script.count("/oauth/token"),
            row["token_requests"].as_u64().unwrap() as usize,
            "{name}"
        );
        let seen: Vec<String> = script
            .requests()
            .iter()
            .filter(|request| request.url.contains("/vehicles/state"))
            .map(|request| request.header("authorization").unwrap().to_owned())
            .collect();
        assert_eq!(json!(seen), row["authorization_seen"], "{name}");
        // Two seconds as the server says, not four as the vector's client waited.
        let waits = row["sleeps_s"].as_array().unwrap().len() as u64;
        assert_eq!(started.elapsed().as_secs(), waits * 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_left_alone() {
    let script = Script::new(|_| {
        let words = "Out of call volume quota. Quota will be replenished in 02:12:20.";
        answer(403, &json!({"statusCode": 403, "message": words}))
    });
    let store = MemoryTokenStore::with(fresh_token("AT-0"));
    let client = client(&script, store).build().unwrap();
    for _ in 0..5 {
        let error = client.profiles().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7940)));
    }
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_chinese_login() {
    let claims = "eyJleHAiOjE3NzIzNjI4MDB9";
    let script = Script::new(move |request| {
        let data = if request.url.ends_with("/v2/cop/slider-captcha") {
            json!({"verifyId": "V-1", "backGroundImg": "/9j/"})
        } else if request.url.ends_with("/v1/cop/check-captcha") {
            return answer(200, &json!({"code": 200, "error": false}));
        } else if request.url.ends_with("/v1/cop/publickey") {
            json!({"value": include_str!("data/rsa_public.pem")})
        } else if request.url.ends_with("/v2/login/pwd") {
            json!({"access_token": format!("h.{claims}.s"), "refresh_token": "R", "gcid": "G"})
        } else {
            return text(404, "");
        };
        answer(200, &json!({"code": 200, "error": false, "data": data}))
    });
    let client = Client::builder(Region::China)
        .credentials("8613800138000", "secret")
        .transport(script.clone())
        .clock(now)
        .build()
        .unwrap();
    let captcha = client.begin_china_login().await.unwrap();
    assert_eq!(captcha.picture, [0xFF, 0xD8, 0xFF]);
    let token = client.finish_china_login(&captcha, "0.17").await.unwrap();
    assert_eq!(token.expires_at.timestamp(), 1_772_362_800);
    assert_eq!(client.token().await.unwrap(), token);
    let bodies: Vec<Json> = script
        .requests()
        .iter()
        .map(|request| serde_json::from_str(&request.body).unwrap_or_default())
        .collect();
    assert_eq!(bodies[0], json!({"mobile": "8613800138000"}));
    assert_eq!(bodies[1], json!({"position": "0.17", "verifyId": "V-1"}));
    assert_eq!(
        (&bodies[3]["verifyId"], &bodies[3]["deviceId"]),
        (&json!("V-1"), &bodies[3]["mobile"])
    );
    assert_eq!(bodies[3]["password"].as_str().unwrap().len(), 172);
    assert!(script.requests()[3].header("x-login-nonce").is_some());
    let elsewhere = Client::builder(Region::RestOfWorld)
        .transport(script)
        .build()
        .unwrap();
    assert!(matches!(
        elsewhere.begin_china_login().await,
        Err(Error::Configuration(_))
    ));
}
