//! `[[saic]]`

use std::collections::BTreeMap;

use super::Check;
use crate::config::report::Problem;
use crate::config::tree::Path;
use crate::config::{Config, Saic, SaicPolling, SaicRegion};

/// Letters and digits of a VIN.
const VIN: usize = 17;

/// No car has a larger battery.
const LARGEST_KWH: f64 = 300.0;

impl Check<'_> {
    pub(super) fn saic(&mut self, config: &Config) {
        let mut users = BTreeMap::new();
        for (index, account) in config.saic.iter().enumerate() {
            let table = Path::table("saic").index(index);
            let at = |key| table.clone().key(key);
            self.user(&table, account);
            let user = (account.user.to_lowercase(), account.region.code());
            if let Some(first) = users.insert(user, at("user")) {
                let what = format!("the user `{}`", account.user);
                let help = "one `[[saic]]` reads all cars of the account: remove the other";
                self.twice(&first, &at("user"), &what, help);
            }
            if account.region == SaicRegion::In {
                let problem = Problem::error("cars in India are on another cloud").help(
                    "this program cannot read it; the crate saic-ismart can, with its \
                           feature `india`",
                );
                self.add(&at("region"), problem);
            }
            if account.polling == SaicPolling::Original {
                let problem = Problem::error("only the drop-in command polls as the original does")
                    .help("leave `polling` out here, or use `telemetry saic-mqtt-gateway`");
                self.add(&at("polling"), problem);
            }
            if let Some(url) = &account.base_url
                && !(url.starts_with("http://") || url.starts_with("https://"))
            {
                let problem = Problem::error("`base_url` is no address of the web")
                    .expected("such as \"https://gateway-mg-eu.soimt.com/api.app/v1/\"");
                self.add(&at("base_url"), problem);
            }
            self.certificates(
                &table,
                [("ca", account.ca.as_deref()), UNUSED[0], UNUSED[1]],
                |_| None,
            );
            for (key, interval) in [
                ("interval", account.interval),
                ("driving_interval", account.driving_interval),
                ("charging_interval", account.charging_interval),
                ("parked_interval", account.parked_interval),
            ] {
                self.at_least_a_second(&at(key), interval);
            }
            if account.live_calls_per_day == 0 {
                let problem = Problem::error("`live_calls_per_day` is zero")
                    .help("without any the battery is never read; leave it out for 600");
                self.add(&at("live_calls_per_day"), problem);
            }
            if let Some(name) = account
                .time_zone
                .as_ref()
                .filter(|_| account.zone().is_none())
            {
                let problem = Problem::error(format!("there is no time zone `{name}`"))
                    .expected("a name such as \"Europe/Rome\", or \"GMT+10:00\"");
                self.add(&at("time_zone"), problem);
            }
            self.vehicles(&at("vehicle"), account);
        }
    }

    fn user(&mut self, table: &Path, account: &Saic) {
        let at = |key| table.clone().key(key);
        let is_phone = !account.user.contains('@');
        let digits = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b' ')
        };
        if account.user.trim().is_empty() {
            self.add(&at("user"), Problem::error("`user` is empty"));
        } else if is_phone && !digits(&account.user) {
            let problem = Problem::error("`user` is neither an e-mail address nor a phone number")
                .expected("an address, or the digits of a number without its country code");
            self.add(&at("user"), problem);
        } else if is_phone && account.country_code.is_none() {
            let problem = Problem::error("a phone number without `country_code`")
                .help("add `country_code = \"49\"`, digits only");
            self.add_about(&at("user"), &at("country_code"), problem);
        }
        if let Some(code) = &account.country_code
            && !digits(code.trim_start_matches('+'))
        {
            let problem =
                Problem::error("`country_code` is not made of digits").expected("such as \"49\"");
            self.add(&at("country_code"), problem);
        }
    }

    fn vehicles(&mut self, table: &Path, account: &Saic) {
        let mut vins = BTreeMap::new();
        for (vin, told) in &account.vehicle {
            let path = table.clone().key(vin);
            if vin.len() != VIN || !vin.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let problem = Problem::error(format!("`{vin}` is not a VIN"))
                    .expected("17 letters and digits, as in the car's papers");
                self.add(&path, problem);
            }
            if let Some(first) = vins.insert(vin.to_uppercase(), path.clone()) {
                let what = format!("the VIN `{vin}`");
                self.twice(&first, &path, &what, "remove one of them");
            }
            if let Some(kwh) = told.battery_kwh
                && !(kwh > 0.0 && kwh <= LARGEST_KWH)
            {
                let problem = Problem::error("`battery_kwh` is out of range")
                    .expected("the usable capacity in kWh, such as 64.0");
                self.add(&path.key("battery_kwh"), problem);
            }
        }
    }
}

/// There is no client certificate here.
const UNUSED: [(&str, Option<&std::path::Path>); 2] = [("client_cert", None), ("client_key", None)];
