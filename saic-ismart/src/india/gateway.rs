use super::call::{Asked, vehicle_list};
use super::gateway_signature;
use super::wire::{SESSION_LOST, USER_AGENT, retry_after, split};
use crate::answer::is_session_status;
use crate::endpoint::{Answer, Method};
use crate::envelope::{self, Received};
use crate::error::{Call, DecodeError, Error};
use crate::http::Request;
use crate::token::Token;
use crate::wire::{Arrived, Wire, unanswered};

const JSON: &str = "application/json";
/// The gateway's number for a session that is not accepted.
const GATEWAY_SESSION_LOST: i64 = 7;

impl Wire {
    /// Asks the JSON gateway, which no car has to answer.
    pub(super) async fn ask_gateway(
        &self,
        call: &Call,
        asked: &Asked,
        token: &Token,
    ) -> Result<Arrived, Error> {
        let path = match asked {
            Asked::Gateway(path) => path.as_str(),
            _ => "/vehicle/userVinList",
        };
        let timestamp_ms = self.now_ms();
        let (user_id, session) = split(token);
        let headers = vec![
            ("User-Agent", USER_AGENT.to_owned()),
            ("Content-Type", JSON.to_owned()),
            ("APP-CONTENT-ENCRYPTED", "1".to_owned()),
            ("APP-LANGUAGE-TYPE", "en-us".to_owned()),
            ("APP-LOGIN-TOKEN", session.to_owned()),
            ("APP-USER-ID", user_id.to_owned()),
            ("APP-SEND-DATE", timestamp_ms.to_string()),
            ("ORIGINAL-CONTENT-TYPE", JSON.to_owned()),
            (
                "APP-VERIFICATION-STRING",
                gateway_signature(path, timestamp_ms, JSON),
            ),
        ];
        let request = Request {
            method: Method::Get,
            url: format!("{}{path}", self.base_url.trim_end_matches('/')),
            headers,
            body: String::new(),
        };
        let response = self.transport.send(request).await;
        let response = response.map_err(|source| unanswered(call.clone(), source))?;
        let opened = envelope::open(&Received {
            send_date: response.header("APP-SEND-DATE"),
            content_type: response.header("ORIGINAL-CONTENT-TYPE"),
            // How answers are signed here is not known.
            verification: None,
            body: &response.body,
        });
        let unreadable = |source| Error::Unreadable {
            call: call.clone(),
            source,
        };
        let lost = is_session_status(response.status);
        let text = match opened {
            Ok(opened) => opened.text.into_owned(),
            Err(_) if lost || response.status >= 500 => String::new(),
            Err(error) => return Err(unreadable(error.into())),
        };
        let shown = call.vin.as_ref().map_or_else(
            || path.to_owned(),
            |vin| path.replace(vin.as_str(), &vin.hash()),
        );
        self.observe("GET", &shown, "", &text);
        let mut answer = match Answer::read(&text) {
            Ok(answer) => answer,
            Err(_) if lost => Answer {
                code: SESSION_LOST,
                message: "session not accepted".to_owned(),
                data: None,
            },
            Err(_) if text.starts_with('<') => {
                return Err(unreadable(DecodeError::WebPage(response.status)));
            }
            Err(_) if response.status >= 500 || response.status == 429 => {
                return Err(Error::Unavailable {
                    call: call.clone(),
                    status: response.status,
                    code: -1,
                    message: "no data in the answer".to_owned(),
                    retry_after: retry_after(&response),
                });
            }
            // A list alone is an answer, too.
            Err(_) if text.starts_with('[') => Answer {
                code: -1,
                message: String::new(),
                data: None,
            },
            Err(error) => return Err(unreadable(error)),
        };
        match answer.code {
            GATEWAY_SESSION_LOST => answer.code = SESSION_LOST,
            // No number, no frame: all of it is the answer.
            -1 => {
                answer.code = 0;
                answer.data = answer.data.or_else(|| Some(text.clone()));
            }
            _ => {}
        }
        if answer.code == 0 && *asked == Asked::Vehicles {
            let list = answer.data.as_deref().and_then(vehicle_list);
            answer.data = list.or_else(|| vehicle_list(&text));
        }
        Ok(Arrived {
            status: response.status,
            event_id: None,
            retry_after: retry_after(&response),
            answer,
        })
    }
}
