//! Who is logged in: one session, five attempts a day.

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::config::CloudConfig;
use super::random::Random;

const ATTEMPTS_A_DAY: u32 = 5;
const DAY_MS: u64 = 86_400_000;

/// A code and words, where login fails.
pub(super) type Refused = (i64, String);

#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    session: Option<Session>,
    failures: u32,
    failures_day: u64,
    logins: u64,
}

#[derive(Debug, Clone)]
struct Session {
    access_token: String,
    refresh_token: String,
    ends_ms: u64,
}

impl Account {
    pub(super) fn accepts(&self, token: &str, now_ms: u64) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.access_token == token && now_ms < session.ends_ms)
    }

    pub(super) const fn logins(&self) -> u64 {
        self.logins
    }

    pub(super) fn end_session(&mut self) {
        self.session = None;
    }

    pub(super) fn login(
        &mut self,
        form: &str,
        config: &CloudConfig,
        random: &mut Random,
        now_ms: u64,
    ) -> Result<Value, Refused> {
        let field = |name: &str| {
            let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| decoded(value))
        };
        let required = |name: &str| field(name).unwrap_or_default();
        let unavailable = || {
            (
                6,
                "The service is not available,please try again later.".to_owned(),
            )
        };
        if required("deviceId").is_empty() || required("scope") != "all" {
            return Err(unavailable());
        }
        match required("grant_type").as_str() {
            "password" => self.check_password(&field, config, now_ms)?,
            "refresh_token" => {
                let known = self
                    .session
                    .as_ref()
                    .map(|session| session.refresh_token.as_str());
                if known != Some(required("refresh_token").as_str()) {
                    return Err((401, "Token missing, Authentication failed!".to_owned()));
                }
            }
            _ => return Err(unavailable()),
        }
        self.logins += 1;
        let mut token =
            |kind: &str| format!("{kind}.{:016x}{:016x}", random.number(), random.number());
        let session = Session {
            access_token: token("access"),
            refresh_token: token("refresh"),
            ends_ms: now_ms.saturating_add(config.token_lifetime_s.saturating_mul(1_000)),
        };
        let data = json!({
            "access_token": session.access_token,
            "refresh_token": session.refresh_token,
            "expires_in": config.token_lifetime_s,
            "token_type": "bearer", "scope": "all", "tenant_id": "459771",
            "account": config.user, "user_id": "1000001", "user_name": "demo",
            "client_id": "sword", "oauth_id": "", "role_id": "", "role_name": "",
            "dept_id": "", "post_id": "", "avatar": "", "license": "simulated",
            "jti": "simulated", "languageType": "EN", "detail": { "languageType": "EN" },
            "IS_CHANGE_PASSWORD": false,
        });
        self.session = Some(session);
        Ok(data)
    }

    fn check_password(
        &mut self,
        field: &dyn Fn(&str) -> Option<String>,
        config: &CloudConfig,
        now_ms: u64,
    ) -> Result<(), Refused> {
        if field("loginType").as_deref() == Some("1") {
            match field("countryCode") {
                Some(code) if code == config.country_code => {}
                Some(code) if code.starts_with('+') => {
                    return Err((1_000_036, "The account is not registered.".to_owned()));
                }
                _ => return Err((1_000_020, "The country code not exist !".to_owned())),
            }
        }
        let user = field("username").unwrap_or_default();
        if !user.eq_ignore_ascii_case(&config.user) {
            return Err((1_000_036, "The account is not registered.".to_owned()));
        }
        let today = now_ms / DAY_MS;
        if today != self.failures_day {
            self.failures_day = today;
            self.failures = 0;
        }
        if self.failures >= ATTEMPTS_A_DAY {
            return Err((15_033, "The account is locked until tomorrow.".to_owned()));
        }
        let hash: String = Sha1::digest(&config.password)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if field("password") != Some(hash) {
            self.failures += 1;
            let left = ATTEMPTS_A_DAY - self.failures;
            return Err((
                15_019,
                format!("Wrong password, {left} attempts left today."),
            ));
        }
        self.failures = 0;
        Ok(())
    }
}

/// Percent-decoded form text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let code = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match (
            byte,
            code.and_then(|digits| u8::from_str_radix(digits, 16).ok()),
        ) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_text() {
        assert_eq!(decoded("demo%40example.com"), "demo@example.com");
        assert_eq!(decoded("a+b%2"), "a b%2");
        assert_eq!(decoded("%zz%"), "%zz%");
    }
}
