//! Whether the set-up of an account works, in plain words: step by step, as
//! far as it goes.

use std::path::Path;
use std::time::Duration;

use bimmer::cardata::stream::{Ending, StreamEvent};
use bimmer::cardata::{Client, IdClaims, RECOMMENDED_KEYS, primary_vins};
use bimmer::{Error, LoginError, Token};
use tokio::time::timeout;

use super::tokens::Tokens;
use super::{BmwError, account};
use crate::config::{Bmw, BmwApi};
use crate::exit::{Code, Failure};

/// How long the stream may take to connect.
const CONNECT: Duration = Duration::from_secs(45);

/// A car that was not asked about for long has something to say at once;
/// one that is parked may say nothing for days.
const FIRST_WORD: Duration = Duration::from_secs(5);

const SCOPES: [&str; 2] = ["cardata:api:read", "cardata:streaming:read"];

/// One step and what came of it.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What was found.
    pub result: Result<String, Failure>,
}

fn found(what: &'static str, result: Result<String, Failure>) -> Finding {
    Finding { what, result }
}

/// How much a diagnosis may do.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Make a call that counts against the quota of the day.
    pub spend_quota: bool,
    /// Connect to the stream, which throws out whoever reads it.
    pub try_stream: bool,
}

/// Looks at an account whose login is kept in `state_dir`. Ends at the first
/// step that makes the others pointless.
pub async fn diagnose(config: &Bmw, state_dir: &Path, extent: Extent) -> Vec<Finding> {
    match config.api {
        BmwApi::MyBmw => vec![found("login", mybmw(config, state_dir).await)],
        BmwApi::CarData => cardata(config, state_dir, extent).await,
    }
}

async fn mybmw(config: &Bmw, state_dir: &Path) -> Result<String, Failure> {
    let failed = |error: BmwError| error.failure("");
    let tokens = Tokens::open(config, Some(state_dir)).map_err(failed)?;
    let client = account::mybmw(config, tokens, None).map_err(failed)?;
    let token = client.token().await.map_err(|error| failed(error.into()))?;
    Ok(format!(
        "the session is valid until {} and renewed by itself",
        token.expires_at.format("%H:%M UTC")
    ))
}

async fn cardata(config: &Bmw, state_dir: &Path, extent: Extent) -> Vec<Finding> {
    let mut findings = Vec::new();
    let client = match open(config, state_dir) {
        Ok(client) => client,
        Err(error) => return vec![found("client id", Err(error.failure("")))],
    };
    let token = client.token().await;
    findings.push(found("login", login(token.as_ref())));
    let Ok(token) = token else {
        return findings;
    };
    findings.push(found("rights", rights(&token)));
    findings.push(found("quota", quota(&client).await));
    if extent.spend_quota {
        let cars = cars(config, &client).await;
        let works = cars.is_ok();
        findings.push(found("cars", cars));
        if works {
            let container = client.ensure_container(RECOMMENDED_KEYS).await;
            let container = container.map(|_| "this program has its one container".to_owned());
            findings.push(found("container", container.map_err(failure)));
        }
    }
    if extent.try_stream {
        findings.push(found("stream", stream(config, &client).await));
    }
    findings
}

fn open(config: &Bmw, state_dir: &Path) -> Result<Client, BmwError> {
    let tokens = Tokens::open(config, Some(state_dir))?;
    let quota = account::file(config, state_dir, "quota.json")?;
    account::cardata(config, tokens, Some(quota))
}

fn failure(error: Error) -> Failure {
    BmwError::from(error).failure("")
}

fn login(token: Result<&Token, &Error>) -> Result<String, Failure> {
    match token {
        Ok(token) => Ok(format!(
            "valid until {}, renewed by itself",
            token.expires_at.format("%H:%M UTC")
        )),
        Err(error) => {
            let text = error.to_string();
            let code = if error.needs_login() {
                Code::Login
            } else {
                Code::Protocol
            };
            let hint = match error {
                Error::Login(LoginError::UnknownClient { .. }) => {
                    "correct `client_id` in its [[bmw]] table, then run `telemetry login bmw`"
                }
                error if error.needs_login() => "run `telemetry login bmw`",
                _ => "try again when there is a way to BMW's servers",
            };
            Err(Failure::new(code, text).hint(hint))
        }
    }
}

/// The rights are bound when the login is made: what is missing does not come
/// by itself.
fn rights(token: &Token) -> Result<String, Failure> {
    let missing = |what: &str, switch: &str| {
        let message = format!("the login lacks the right {what}");
        Failure::new(Code::Login, message).hint(format!(
            "switch on \"{switch}\" for the client in the portal, wait a minute, then run \
             `telemetry login bmw` again: rights are bound when the login is made"
        ))
    };
    let scope = token.scope.as_deref().unwrap_or_default();
    for (right, switch) in SCOPES.into_iter().zip(["CarData API", "CarData Stream"]) {
        if !scope.split(' ').any(|own| own == right) {
            return Err(missing(right, switch));
        }
    }
    let claims = token
        .id_token
        .as_ref()
        .and_then(|id| IdClaims::read(id).ok());
    let gcid = token.gcid.as_deref().unwrap_or_default();
    if claims.is_none_or(|claims| claims.check_stream(gcid).is_err()) {
        return Err(missing("to its own stream", "CarData Stream"));
    }
    Ok("data and stream".to_owned())
}

async fn quota(client: &Client) -> Result<String, Failure> {
    match client.remaining_calls().await.map_err(failure)? {
        0 => Err(Failure::new(
            Code::Quota,
            "the 50 calls of the last 24 hours are used up; the stream goes on without",
        )
        .hint("wait; other programs on this account use the same quota")),
        left => Ok(format!("{left} of 50 calls are left today")),
    }
}

async fn cars(config: &Bmw, client: &Client) -> Result<String, Failure> {
    let mappings = client.mappings().await.map_err(failure)?;
    let ours = primary_vins(&mappings);
    let second = mappings.iter().filter(|mapping| !mapping.is_primary());
    let second: Vec<_> = second.map(|mapping| mapping.vin.masked()).collect();
    for vin in &config.vin {
        if !ours
            .iter()
            .any(|own| own.as_str().eq_ignore_ascii_case(vin))
        {
            let message = format!("the account gets no data of {vin}");
            return Err(Failure::new(Code::Device, message).hint(
                "it has to be mapped to this account as PRIMARY, and \"CarData\" be switched on \
                 for it in the portal",
            ));
        }
    }
    match (ours.as_slice(), second.as_slice()) {
        ([], []) => Err(Failure::new(Code::Device, "the account has no cars")
            .hint("add the car in the My BMW or MINI app, and confirm that it is yours")),
        ([], second) => {
            let message = format!("this account is not the main user of {}", second.join(", "));
            Err(Failure::new(Code::Device, message)
                .hint("BMW gives data to the PRIMARY user alone: log in as that one"))
        }
        (ours, _) => {
            let masked: Vec<_> = ours.iter().map(bimmer::Vin::masked).collect();
            Ok(format!("PRIMARY user of {}", masked.join(", ")))
        }
    }
}

async fn stream(config: &Bmw, client: &Client) -> Result<String, Failure> {
    let options = account::stream_options(config).map_err(|error| error.failure(""))?;
    let mut stream = client.stream(options).map_err(failure)?;
    let connected = async {
        loop {
            match stream.next().await {
                Ok(StreamEvent::Connected) => return Ok(()),
                Ok(StreamEvent::Disconnected { ending, .. }) => return Err(refused(ending)),
                Ok(_) => {}
                Err(error) => return Err(failure(error)),
            }
        }
    };
    let connected = timeout(CONNECT, connected).await;
    connected.unwrap_or_else(|_| Err(refused(Ending::Unreachable)))?;
    let first = async {
        while let Ok(event) = stream.next().await {
            if matches!(event, StreamEvent::Message { .. }) {
                return true;
            }
        }
        false
    };
    Ok(match timeout(FIRST_WORD, first).await {
        Ok(true) => "connected, and a car speaks".to_owned(),
        _ => "connected; no car has said anything yet, which is normal while it is parked. If \
              it stays so after a drive: tick the descriptors under \"Configure data stream\" \
              in the portal, for each car; the selection has been seen to vanish"
            .to_owned(),
    })
}

/// Why there is no stream.
fn refused(ending: Ending) -> Failure {
    let (message, hint) = match ending {
        Ending::Refused | Ending::TopicRefused => (
            "BMW's broker refuses this login",
            "switch on \"CarData Stream\" in the portal, wait a minute, and run `telemetry login \
             bmw` again",
        ),
        Ending::Closed => (
            "BMW's broker closed the connection at once",
            "another program may read the stream of this account: BMW allows one. Stop that, or \
             let it read what this gateway publishes",
        ),
        _ => (
            "BMW's broker cannot be reached",
            "it is customer.streaming-cardata.bmwgroup.com, port 9000: does a firewall keep it \
             back?",
        ),
    };
    Failure::new(Code::Protocol, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_with_its_switch() {
        let mut token = Token::from_refresh_token("r");
        token.scope = Some("openid cardata:streaming:read".to_owned());
        let failure = rights(&token).unwrap_err();
        assert_eq!(
            failure.message,
            "the login lacks the right cardata:api:read"
        );
        assert!(failure.hint.unwrap().contains("\"CarData API\""));
        token.scope = Some("openid cardata:api:read cardata:streaming:read".to_owned());
        let failure = rights(&token).unwrap_err();
        assert!(failure.hint.unwrap().contains("\"CarData Stream\""));
    }

    #[test]
    fn a_second_reader_is_suspected() {
        let failure = refused(Ending::Closed);
        assert!(failure.hint.unwrap().contains("BMW allows one"));
    }
}
