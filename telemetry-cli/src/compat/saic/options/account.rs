//! Which account it is.

use std::time::Duration;

use super::Account;
use super::given::{Given, http_url, positive, usage};
use crate::cli::SaicMqttGatewayArgs;
use crate::exit::Failure;
use crate::zone::Zone;

const REST_URI: &str = "https://gateway-mg-eu.soimt.com/api.app/v1/";

impl Given<'_> {
    pub(super) fn account(&self, args: &SaicMqttGatewayArgs) -> Result<Account, Failure> {
        let text = |flag, name, variable| self.text(flag, name, variable).map(|found| found.value);
        let missing = |flag: &str, variable: &str| {
            usage(format!("no account: `{flag}` is missing"))
                .hint(format!("give it with `{flag}` or {variable}"))
        };
        let user = text(&args.saic_user, "--saic-user", "SAIC_USER");
        let user = user.ok_or_else(|| missing("--saic-user", "SAIC_USER"))?;
        let password = self.secret(&args.saic_password, "SAIC_PASSWORD");
        let country_code = text(
            &args.saic_phone_country_code,
            "--saic-phone-country-code",
            "SAIC_PHONE_COUNTRY_CODE",
        );
        if !user.contains('@') && country_code.is_none() {
            return Err(
                missing("--saic-phone-country-code", "SAIC_PHONE_COUNTRY_CODE")
                    .hint("a phone number needs its country code; an e-mail address has an `@`"),
            );
        }
        let timeout = self.text(
            &args.saic_read_timeout,
            "--saic-read-timeout",
            "SAIC_READ_TIMEOUT",
        );
        let zone = self.text(
            &args.saic_user_timezone,
            "--saic-user-timezone",
            "SAIC_USER_TIMEZONE",
        );
        let uri = self.text(&args.saic_rest_uri, "--saic-rest-uri", "SAIC_REST_URI");
        Ok(Account {
            user,
            password: password.ok_or_else(|| missing("--saic-password", "SAIC_PASSWORD"))?,
            country_code,
            rest_uri: uri.map_or(Ok(REST_URI.to_owned()), |found| found.read(http_url))?,
            region: text(&args.saic_region, "--saic-region", "SAIC_REGION")
                .unwrap_or_else(|| "eu".to_owned()),
            tenant: text(&args.saic_tenant_id, "--saic-tenant-id", "SAIC_TENANT_ID")
                .unwrap_or_else(|| "459771".to_owned()),
            relogin_delay: self.seconds(
                &args.saic_relogin_delay,
                "--saic-relogin-delay",
                "SAIC_RELOGIN_DELAY",
                900,
            )?,
            read_timeout: Duration::from_secs_f64(
                timeout
                    .map_or(Ok(10.0), |found| found.read(positive))?
                    .min(600.0),
            ),
            zone: zone
                .map(|found| {
                    found.read(|text| {
                        Zone::parse(text).ok_or_else(|| {
                            format!("`{text}` is no time zone such as `Europe/Rome` or `GMT+01:00`")
                        })
                    })
                })
                .transpose()?,
        })
    }
}
