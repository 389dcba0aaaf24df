//! The picture of the Chinese login, as a JPEG.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimmer::mybmw::{Client, Region};
use bimmer::{Error, LoginError};
use serde_json::{Value as Json, json};
use support::{Script, json as answer, text};

/// Made of blocks of one colour each; the notch begins at pixel 160 of 320.
const PICTURE: &[u8] = include_bytes!("data/slider.jpg");

/// Shows these pictures one after the other, then the last one again.
fn cloud(pictures: Vec<Vec<u8>>) -> Script {
    let mut shown = 0;
    Script::new(move |request| {
        let data = if request.url.ends_with("/v2/cop/slider-captcha") {
            let picture = &pictures[shown.min(pictures.len() - 1)];
            shown += 1;
            json!({"verifyId": format!("V-{shown}"), "backGroundImg": STANDARD.encode(picture)})
        } else if request.url.ends_with("/v1/cop/check-captcha") {
            return answer(200, &json!({"code": 200, "error": false}));
        } else if request.url.ends_with("/v1/cop/publickey") {
            json!({"value": include_str!("data/rsa_public.pem")})
        } else if request.url.ends_with("/v2/login/pwd") {
            json!({"access_token": "h.e30.s", "refresh_token": "R", "gcid": "G"})
        } else {
            return text(404, "");
        };
        answer(200, &json!({"code": 200, "error": false, "data": data}))
    })
}

fn client(script: &Script) -> Client {
    Client::builder(Region::China)
        .credentials("8613800138000", "secret")
        .transport(script.clone())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_picture_is_solved() {
    let script = cloud(vec![PICTURE.to_vec()]);
    let captcha = client(&script).begin_china_login().await.unwrap();
    // (160 - 26) / 320
    assert_eq!(captcha.position().as_deref(), Some("0.42"));
}

#[tokio::test]
async fn a_login_in_one_go() {
    // The first picture is cut off in the middle of its first line.
    let script = cloud(vec![PICTURE[..600].to_vec(), PICTURE.to_vec()]);
    let token = client(&script).china_login().await.unwrap();
    assert_eq!(token.gcid.as_deref(), Some("G"));
    let checked = script.requests();
    let checked = checked
        .iter()
        .find(|request| request.url.ends_with("check-captcha"));
    let body: Json = serde_json::from_str(&checked.unwrap().body).unwrap();
    assert_eq!(body, json!({"position": "0.42", "verifyId": "V-2"}));
}

#[tokio::test]
async fn pictures_without_a_notch_end_the_login() {
    for picture in [b"no picture".to_vec(), Vec::new(), PICTURE[..600].to_vec()] {
        let script = cloud(vec![picture]);
        let error = client(&script).china_login().await.unwrap_err();
        assert!(
            matches!(error, Error::Login(LoginError::Refused { .. })),
            "{error}"
        );
        assert_eq!(script.count("slider-captcha"), 3);
        assert_eq!(script.count("login/pwd"), 0);
    }
}

/// Damage anywhere gives some place or none, and no panic.
#[tokio::test]
async fn damaged_pictures() {
    let places = (0..PICTURE.len()).step_by(29);
    let damaged = |at: usize| {
        let mut picture = PICTURE.to_vec();
        picture[at] ^= 0x55;
        picture
    };
    let script = cloud(places.clone().map(damaged).collect());
    let client = client(&script);
    for at in places {
        let captcha = client.begin_china_login().await.unwrap();
        if let Some(position) = captcha.position() {
            let place: f64 = position.parse().unwrap();
            assert!((-0.1..1.0).contains(&place), "{at}: {place}");
        }
    }
}
