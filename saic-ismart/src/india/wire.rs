//! One request of this region and its response: seal, send, open. What comes
//! back is put in the words of the other regions, so that the session, the
//! event ids and the errors are theirs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::call::{Asked, Heard, TapResult};
use super::{
    AccountDispatcher, CarDispatcher, CodecError, MessageCounter, PinRequest, frame_signature,
    open_account, open_car, pin_hash, seal_account, seal_car,
};
use crate::endpoint::{Answer, Endpoint, Method};
use crate::error::{Call, DecodeError, Error, LoginError};
use crate::hex;
use crate::http::{Request, Response};
use crate::poll::NO_EVENT;
use crate::token::Token;
use crate::wire::{Arrived, Exchange, Wire, unanswered};

pub(super) const USER_AGENT: &str = "CER_IKE_01/2.3.0 (iPad; iOS 26.3; Scale/2.00)";
/// Where logins and PIN checks go.
pub(super) const ACCOUNT_PATH: &str = "ota.mp";
const CAR_PATH: &str = "ota.mpv21";

/// Version of the application data.
const DATA_VERSION: u16 = 513;
const PACKED: u8 = 0;
const TEST_FLAG: u8 = 2;
/// What stands for SIM and card of a phone that tells none.
const PIN_SIM: &str = "1234567890987654321";
const ICC_ID: &str = "12345678901234567890";

/// Numbers of the other regions that stand for what is heard here.
const PENDING: i64 = 4;
const REJECTED: i64 = 8;
pub(super) const SESSION_LOST: i64 = 401;

/// What only this region needs.
#[derive(Default)]
pub(crate) struct India {
    pin: Option<SecretString>,
    /// The PIN was wrong: it is not sent again.
    refused: Mutex<Option<LoginError>>,
}

impl India {
    pub(crate) fn new(pin: Option<SecretString>) -> Self {
        Self {
            pin,
            refused: Mutex::default(),
        }
    }

    fn pin(&self) -> Result<&SecretString, Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &*refused {
            return Err(error.clone().into());
        }
        self.pin.as_ref().ok_or_else(|| {
            let message = "commands need the PIN of the app: ClientBuilder::pin".to_owned();
            Error::Configuration(message)
        })
    }

    fn refuse(&self, error: LoginError) -> Error {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        error.into()
    }

    /// The user asks for a login: everything may be tried again.
    pub(crate) fn forget_refusal(&self) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// User and session of a token, which are kept in one text.
pub(super) fn split(token: &Token) -> (&str, &str) {
    token
        .access_token
        .split_once('/')
        .unwrap_or(("", &token.access_token))
}

pub(super) fn words(message: Option<Vec<u8>>, otherwise: &str) -> String {
    let message = message.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    message
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| otherwise.to_owned())
}

pub(super) fn unreadable(call: &Call, error: CodecError) -> Error {
    Error::Unreadable {
        call: call.clone(),
        source: DecodeError::Frame(error),
    }
}

impl Wire {
    /// Sends a call once and reads what comes back, whatever it says.
    pub(crate) async fn exchange_in_india<E: Endpoint>(
        &self,
        india: &India,
        endpoint: &E,
        token: &Token,
        event_id: &str,
    ) -> Result<Arrived, Error> {
        let call = Call {
            name: endpoint.name(),
            vin: endpoint.vin().cloned(),
        };
        let asked = endpoint
            .india()
            .ok_or_else(|| Error::NotOffered { call: call.clone() })?;
        let car_call = asked.car_call().map_err(|_| {
            Error::InvalidValue(format!("{call}: the protocol cannot carry this value"))
        })?;
        let Some(car_call) = car_call else {
            return self.ask_gateway(&call, &asked, token).await;
        };
        let vin = endpoint.vin().map(|vin| vin.as_str()).unwrap_or_default();
        if matches!(asked, Asked::Control(_)) && event_id == NO_EVENT {
            match self.check_pin(india, &call, token, vin).await {
                Ok(None) => {}
                Ok(Some(lost)) => return Ok(lost),
                // The command itself was not sent.
                Err(Error::MaybeSent { call, source }) => {
                    return Err(Error::NotSent { call, source });
                }
                Err(error) => return Err(error),
            }
        }
        let (user_id, session) = split(token);
        let dispatcher = CarDispatcher {
            user_id: Some(user_id.to_owned()),
            token: Some(session.to_owned()),
            application: car_call.application.to_owned(),
            vin: Some(vin.to_owned()),
            message_id: car_call.message_id,
            created_at_s: u32::try_from(self.now_ms() / 1000).unwrap_or(0),
            event_id: Some(event_id.parse().unwrap_or(0)),
            uplink: Some(0),
            downlink: Some(0),
            acknowledged: Some(0),
            ack_required: Some(false),
            data_length: None,
            data_encoding: Some(PACKED),
            data_version: Some(DATA_VERSION),
            test_flag: Some(TEST_FLAG),
            result: Some(0),
            error_message: None,
        };
        let frame = seal_car(&dispatcher, &car_call.data).map_err(|_| not_a_vin(&call))?;
        let text = self.post(&call, CAR_PATH, frame).await?;
        let (answer, data) = open_car(&text).map_err(|error| unreadable(&call, error))?;
        self.observe(
            "POST",
            CAR_PATH,
            &hex::encode(&car_call.data),
            &hex::encode(&data),
        );
        let number = answer.result.unwrap_or(0);
        let message = words(answer.error_message, meaning(number.into()));
        let (code, message, data) = match TapResult::from(number) {
            TapResult::SessionLost => (SESSION_LOST, message, None),
            _ if !data.is_empty() => {
                match asked
                    .hear(&data)
                    .map_err(|error| unreadable(&call, error))?
                {
                    Heard::Data(json) => (0, message, Some(json)),
                    Heard::Pending => (PENDING, message, None),
                    Heard::Failed(reason) => (REJECTED, reason, None),
                }
            }
            TapResult::Done | TapResult::Pending => (PENDING, message, None),
            TapResult::NotAvailable | TapResult::Other(_) => (number.into(), message, None),
        };
        Ok(Arrived {
            status: 200,
            event_id: answer.event_id.map(|id| id.to_string()),
            retry_after: None,
            answer: Answer {
                code,
                message,
                data,
            },
        })
    }

    /// Shows the PIN, which every command needs. Gives back what is to be said
    /// of a lost session.
    async fn check_pin(
        &self,
        india: &India,
        call: &Call,
        token: &Token,
        vin: &str,
    ) -> Result<Option<Arrived>, Error> {
        let request = PinRequest {
            pin_hash: pin_hash(india.pin()?.expose_secret()),
        };
        let (user_id, session) = split(token);
        let dispatcher = AccountDispatcher {
            user_id: Some(user_id.to_owned()),
            token: Some(session.to_owned()),
            vin: Some(vin.to_owned()),
            ..self.account_dispatcher("313", PIN_SIM)
        };
        let frame = request
            .to_bytes()
            .and_then(|data| seal_account(&dispatcher, &data))
            .map_err(|_| not_a_vin(call))?;
        let text = self.post(call, ACCOUNT_PATH, frame).await?;
        let (answer, _) = open_account(&text).map_err(|error| unreadable(call, error))?;
        let number = answer.result.unwrap_or(0);
        let message = words(answer.error_message, meaning(number.into()));
        match TapResult::from(number) {
            TapResult::Done => Ok(None),
            TapResult::SessionLost => Ok(Some(Arrived {
                status: 200,
                event_id: None,
                retry_after: None,
                answer: Answer {
                    code: SESSION_LOST,
                    message,
                    data: None,
                },
            })),
            _ => Err(india.refuse(LoginError::WrongPin {
                code: number.into(),
                message,
            })),
        }
    }

    pub(super) fn account_dispatcher(&self, application: &str, sim: &str) -> AccountDispatcher {
        AccountDispatcher {
            application: application.to_owned(),
            created_at_s: u32::try_from(self.now_ms() / 1000).unwrap_or(0),
            message_id: 1,
            counter: Some(MessageCounter {
                uplink: 1,
                downlink: 0,
            }),
            sim: Some(sim.to_owned()),
            icc_id: ICC_ID.to_owned(),
            data_encoding: Some(PACKED),
            data_version: DATA_VERSION,
            test_flag: Some(TEST_FLAG),
            ..AccountDispatcher::default()
        }
    }

    /// Sends a frame and gives back the text of the answer.
    pub(super) async fn post(
        &self,
        call: &Call,
        path: &str,
        frame: String,
    ) -> Result<String, Error> {
        let headers = vec![
            ("User-Agent", USER_AGENT.to_owned()),
            ("Content-Type", "text/plain".to_owned()),
            ("Accept", "*/*".to_owned()),
            ("Accept-Language", "en-US;q=1".to_owned()),
            ("SIGNATURE", "1".to_owned()),
            ("APP-SIGNATURE", frame_signature(&frame)),
        ];
        let request = Request {
            method: Method::Post,
            url: format!("{}{path}", self.region.tap_url()),
            headers,
            body: frame,
        };
        let response = self.transport.send(request).await;
        let response = response.map_err(|source| unanswered(call.clone(), source))?;
        tracing::debug!(call = %call, status = response.status, bytes = response.body.len(), "answered");
        let text = String::from_utf8_lossy(response.body.trim_ascii()).into_owned();
        if response.status < 400 && !text.starts_with('<') {
            return Ok(text);
        }
        if response.status >= 400 {
            return Err(Error::Unavailable {
                call: call.clone(),
                status: response.status,
                code: -1,
                message: "no data in the answer".to_owned(),
                retry_after: retry_after(&response),
            });
        }
        Err(Error::Unreadable {
            call: call.clone(),
            source: DecodeError::WebPage(response.status),
        })
    }

    pub(super) fn observe(&self, method: &str, path: &str, request: &str, response: &str) {
        if let Some(observer) = &self.observer {
            observer(&Exchange {
                method,
                path,
                request_headers: &[],
                request,
                status: 200,
                response_headers: &[],
                response,
            });
        }
    }
}

pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn not_a_vin(call: &Call) -> Error {
    Error::InvalidValue(format!("{}: a VIN has 17 ASCII characters", call.name))
}

fn meaning(result: i64) -> &'static str {
    match result {
        0 | 4 | 6 => "no answer yet",
        2 => "session not accepted",
        5 => "not available to this account: the car is shared",
        _ => "no reason given",
    }
}
