//! `[[bmw]]`

use std::collections::BTreeMap;

use super::Check;
use crate::config::report::Problem;
use crate::config::tree::Path;
use crate::config::{Bmw, BmwApi, Config};

/// Letters and digits of a VIN.
const VIN: usize = 17;

impl Check<'_> {
    pub(super) fn bmw(&mut self, config: &Config) {
        let mut accounts = BTreeMap::new();
        for (index, account) in config.bmw.iter().enumerate() {
            let table = Path::table("bmw").index(index);
            let at = |key| table.clone().key(key);
            let (key, own) = match account.api {
                BmwApi::CarData => ("client_id", &account.client_id),
                BmwApi::MyBmw => ("user", &account.user),
            };
            match own {
                None => self.without(&table, account, key),
                Some(own) => {
                    let same = (key, own.to_lowercase());
                    if let Some(first) = accounts.insert(same, at(key)) {
                        let what = format!("the account `{own}`");
                        let help = "one `[[bmw]]` reads all cars of an account: put their VINs \
                                    into its `vin`";
                        self.twice(&first, &at(key), &what, help);
                    }
                }
            }
            self.client_id(&at("client_id"), account);
            for (number, vin) in account.vin.iter().enumerate() {
                if vin.len() != VIN || !vin.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    let problem = Problem::error(format!("`{vin}` is not a VIN"))
                        .expected("17 letters and digits, as in the car's papers");
                    self.add(&at("vin").index(number), problem);
                }
            }
            self.at_least_a_second(&at("interval"), account.interval);
            self.at_least_a_second(&at("parked_interval"), account.parked_interval);
            for (key, url) in [
                ("auth_url", &account.auth_url),
                ("api_url", &account.api_url),
            ] {
                let web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
                if url.as_ref().is_some_and(|url| !web(url)) {
                    let problem = Problem::error(format!("`{key}` is no address of the web"))
                        .expected("such as \"https://api.example\"");
                    self.add(&at(key), problem);
                }
            }
            if let Some(url) = &account.stream_url
                && !(url.starts_with("tls://") || url.starts_with("tcp://"))
            {
                let problem = Problem::error("`stream_url` is no address of a stream")
                    .expected("\"tls://host:9000\", or \"tcp://127.0.0.1:9000\" on this computer");
                self.add(&at("stream_url"), problem);
            }
            let files = [
                ("stream_ca", account.stream_ca.as_deref()),
                ("client_cert", None),
                ("client_key", None),
            ];
            self.certificates(&table, files, |_| None);
        }
    }

    fn without(&mut self, table: &Path, account: &Bmw, key: &str) {
        let help = match account.api {
            BmwApi::CarData => {
                "create a CarData client in the customer portal, and copy its id; for the API of \
                 the app set `api = \"mybmw\"`"
            }
            BmwApi::MyBmw => "add the e-mail address of the account",
        };
        let problem = Problem::error(format!("this `[[bmw]]` has no `{key}`")).help(help);
        self.add_about(table, &table.clone().key(key), problem);
    }

    fn client_id(&mut self, path: &Path, account: &Bmw) {
        let Some(id) = &account.client_id else { return };
        let parts: Vec<_> = id.trim().split('-').map(str::len).collect();
        let hex = id
            .trim()
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        if parts != [8, 4, 4, 4, 12] || !hex {
            let problem = Problem::error("`client_id` is no CarData client id")
                .expected("a UUID such as \"01234567-89ab-cdef-0123-456789abcdef\"");
            self.add(path, problem);
        }
    }
}
