use super::wire::{ACCOUNT_PATH, unreadable, words};
use super::{AccountDispatcher, LoginAnswer, LoginRequest, open_account, seal_account};
use crate::envelope;
use crate::error::{Call, DecodeError, Error};
use crate::login::{Credentials, refusal};
use crate::token::Token;
use crate::wire::Wire;

/// What stands for the SIM of a phone that tells none.
const SIM: &str = "1234567891234567890";
const USER_ID_LENGTH: usize = 50;
/// Characters of the returned user that count.
const USER_ID_KEPT: usize = 14;
const LONGEST_PASSWORD: usize = 16;
const DEVICE_ID_LENGTH: usize = 103;

/// A device id for an account: stable, and as long as that of the app.
pub(crate) fn device_id(account: &str) -> String {
    let hash = envelope::vin_hash(&format!("device\n{account}"));
    let mut id = hash.repeat(2);
    id.truncate(DEVICE_ID_LENGTH);
    id
}

fn padded(digits: &str) -> String {
    format!("{digits:0>USER_ID_LENGTH$}")
}

impl Wire {
    /// Opens a session.
    pub(crate) async fn login_in_india(
        &self,
        credentials: &Credentials,
        device_id: &str,
        account: &str,
    ) -> Result<Token, Error> {
        let call = Call {
            name: "login",
            vin: None,
        };
        let (phone, password) = credentials.phone_and_password().ok_or_else(|| {
            Error::Configuration("this region knows users by their phone only".to_owned())
        })?;
        let request = LoginRequest {
            password: password.chars().take(LONGEST_PASSWORD).collect(),
            device_id: Some(device_id.to_owned()),
        };
        let invalid = |_| {
            let message = "a password has 6 to 16 ASCII characters".to_owned();
            Error::InvalidValue(message)
        };
        let dispatcher = AccountDispatcher {
            user_id: Some(padded(phone)),
            ..self.account_dispatcher("501", SIM)
        };
        let data = request.to_bytes().map_err(invalid)?;
        let frame = seal_account(&dispatcher, &data).map_err(invalid)?;
        let text = self.post(&call, ACCOUNT_PATH, frame).await?;
        let (answer, data) = open_account(&text).map_err(|error| unreadable(&call, error))?;
        if let Some(result) = answer.result.filter(|result| *result != 0) {
            let message = words(answer.error_message, "no reason given");
            return Err(refusal(result.into(), message).into());
        }
        let missing = |path: &str| Error::Unreadable {
            call: call.clone(),
            source: DecodeError::Json {
                path: path.to_owned(),
                message: "missing".to_owned(),
            },
        };
        let login = LoginAnswer::from_bytes(&data).map_err(|error| unreadable(&call, error))?;
        let token = login.token.ok_or_else(|| missing("token"))?;
        let user = answer.user_id.ok_or_else(|| missing("uid"))?;
        let kept = user.get(user.len().saturating_sub(USER_ID_KEPT)..);
        Ok(Token {
            access_token: format!("{}/{token}", padded(kept.unwrap_or_default())),
            refresh_token: None,
            // How long a session lives is not told: it ends when the cloud says so.
            expires_at_ms: i64::MAX,
            account: account.to_owned(),
        })
    }
}
