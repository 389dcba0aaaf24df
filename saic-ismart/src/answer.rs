//! What an answer means, by HTTP status and the vendor's number.

use std::time::Duration;

use crate::endpoint::Answer;
use crate::error::{Call, Error, LoginError, Rejection};

/// An answer, judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Success, with the JSON text of the data, if any.
    Done(Option<String>),
    /// The car has not answered yet, or cannot be reached (code 4).
    Pending { message: String },
    /// The session is not accepted.
    SessionLost { code: i64, message: String },
    /// The car will not do it now (code 8).
    Rejected { message: String },
    /// Refused for good.
    Refused { code: i64, message: String },
    /// The cloud is out of order.
    Unavailable {
        status: u16,
        code: i64,
        message: String,
        retry_after: Option<Duration>,
    },
}

/// Whether a status means that the session is not accepted.
pub(crate) const fn is_session_status(status: u16) -> bool {
    matches!(status, 401 | 403)
}

/// Judges an answer that could be read.
pub(crate) fn judge(status: u16, retry_after: Option<Duration>, answer: Answer) -> Verdict {
    let Answer {
        code,
        message,
        data,
    } = answer;
    let unavailable = |message| Verdict::Unavailable {
        status,
        code,
        message,
        retry_after,
    };
    if is_session_status(status) || matches!(code, 401 | 403) {
        let code = if code > 0 { code } else { i64::from(status) };
        return Verdict::SessionLost { code, message };
    }
    match code {
        8 => Verdict::Rejected { message },
        4 => Verdict::Pending { message },
        6 => unavailable(message),
        _ if status >= 500 || status == 429 => unavailable(message),
        0 if (200..300).contains(&status) => Verdict::Done(data),
        0 => unavailable(message),
        _ => Verdict::Refused { code, message },
    }
}

impl Verdict {
    /// The error of a call that ends with this verdict.
    pub(crate) fn into_error(self, call: Call) -> Error {
        match self {
            Self::Done(_) => Error::Unreadable {
                call,
                source: crate::error::DecodeError::NoData,
            },
            Self::Pending { message } => Error::Unreachable {
                call,
                event_id: crate::poll::NO_EVENT.to_owned(),
                attempts: 1,
                message,
            },
            Self::SessionLost { code, message } => {
                LoginError::SessionRefused { code, message }.into()
            }
            Self::Rejected { message } => Error::Rejected {
                call,
                rejection: Rejection::of(&message),
                message,
            },
            Self::Refused { code, message } => Error::Refused {
                call,
                code,
                message,
            },
            Self::Unavailable {
                status,
                code,
                message,
                retry_after,
            } => Error::Unavailable {
                call,
                status,
                code,
                message,
                retry_after,
            },
        }
    }
}
