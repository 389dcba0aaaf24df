//! Why a call failed, in the original's words where it has some.

use std::time::Duration;

use saic_ismart::{Error, LoginError};

use super::super::refresh::Failed;
use crate::source::saic::advice;

/// For the result of a command.
pub(super) fn reason(error: &Error) -> String {
    let code = |code: i64, message: &str| format!("return code: {code}, message: {message}");
    match error {
        Error::Refused {
            code: number,
            message,
            ..
        } => code(*number, message),
        Error::Rejected { message, .. } => code(8, message),
        Error::Unreachable { message, .. } => code(4, message),
        Error::Unavailable {
            code: number,
            message,
            ..
        } => code(*number, message),
        Error::Login(login) => format!("relogin failed ({login})"),
        other => other.to_string(),
    }
}

/// For the result of a command, with what to do about it.
pub(super) fn refusal(error: &Error) -> String {
    let why = reason(error);
    match advice(error) {
        Some(advice) => format!("{why}; {advice}"),
        None => why,
    }
}

/// Whose fault a failed poll is.
pub(super) fn whose(error: &Error) -> Failed {
    match error {
        Error::Unreachable { .. } | Error::Rejected { .. } | Error::Refused { .. } => Failed::Car,
        _ => Failed::Cloud,
    }
}

/// Whether somebody else has the account at the moment.
pub(super) fn is_elsewhere(error: &Error) -> bool {
    matches!(error, Error::Login(LoginError::LoggedInElsewhere { .. }))
}

/// How long the account is to be left to somebody else.
pub(super) fn left_to_another(error: &Error) -> Option<Duration> {
    match error {
        Error::Login(LoginError::LoggedInElsewhere { retry_after }) => *retry_after,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use saic_ismart::{Call, Rejection};

    use super::*;

    #[test]
    fn results_name_the_clouds_number_and_words() {
        let call = || Call {
            name: "lock",
            vin: None,
        };
        let rejected = Error::Rejected {
            call: call(),
            rejection: Rejection::TooFrequent,
            message: "operation too frequent (71)".to_owned(),
        };
        assert_eq!(
            reason(&rejected),
            "return code: 8, message: operation too frequent (71)"
        );
        assert_eq!(whose(&rejected), Failed::Car);
        assert_eq!(
            refusal(&rejected),
            "return code: 8, message: operation too frequent (71); \
             start the car with its key; until then it takes no more commands"
        );
        let asleep = Error::Unreachable {
            call: call(),
            event_id: "0".to_owned(),
            attempts: 9,
            message: "remote control instruction failed".to_owned(),
        };
        assert_eq!(
            refusal(&asleep),
            "return code: 4, message: remote control instruction failed; \
             try again when the car was opened or driven, where it has a signal"
        );
        let elsewhere = Error::from(LoginError::LoggedInElsewhere { retry_after: None });
        assert!(reason(&elsewhere).starts_with("relogin failed (another device"));
        assert!(is_elsewhere(&elsewhere) && whose(&elsewhere) == Failed::Cloud);
        let wrong = Error::InvalidValue("40 °C is outside".to_owned());
        assert_eq!(reason(&wrong), "40 °C is outside");
    }
}
