//! `[mariadb]`

use super::Check;
use crate::config::report::Problem;
use crate::config::tree::Path;
use crate::config::{MariaDb, Tls};

impl Check<'_> {
    pub(super) fn mariadb(&mut self, mariadb: &MariaDb) {
        let at = |key| Path::table("mariadb").key(key);
        for (key, text) in [
            ("host", &mariadb.host),
            ("user", &mariadb.user),
            ("database", &mariadb.database),
        ] {
            if text.trim().is_empty() {
                self.add(&at(key), Problem::error(format!("`{key}` is empty")));
            }
        }
        if mariadb.host.contains(['/', ':']) && mariadb.host.parse::<std::net::IpAddr>().is_err() {
            let problem = Problem::error("`host` is not a host name")
                .expected("a name or an address without port, such as \"db.example.org\"")
                .help("the port has a key of its own: `port = 3306`");
            self.add(&at("host"), problem);
        }
        if mariadb.port == 0 {
            let problem = Problem::error("`port` is zero").expected("the server's port: 3306");
            self.add(&at("port"), problem);
        }
        if !(1..=LARGEST_BATCH).contains(&mariadb.batch) {
            let problem = Problem::error("`batch` is out of range")
                .expected(format!("from 1 to {LARGEST_BATCH}"));
            self.add(&at("batch"), problem);
        }
        if let Some(history) = mariadb.history {
            self.not_zero(&at("history"), history);
        }
        let tls = mariadb.tls();
        if tls == Tls::VerifyCa && mariadb.ca.is_none() {
            let problem = Problem::error("`tls = \"verify_ca\"` without `ca`").help(
                "with the system's authorities alone, any public certificate would do: name \
                 the server's own authority, or write \"verify_identity\"",
            );
            self.add_about(&at("tls"), &at("ca"), problem);
        }
        let files = [
            ("ca", mariadb.ca.as_deref()),
            ("client_cert", mariadb.client_cert.as_deref()),
            ("client_key", mariadb.client_key.as_deref()),
        ];
        self.certificates(&Path::table("mariadb"), files, |key| match key {
            "ca" if !tls.verifies() => Some((
                "is not looked at with this `tls`",
                "leave `tls` out, or write `tls = \"verify_identity\"`",
            )),
            "client_cert" | "client_key" if matches!(tls, Tls::Disabled | Tls::Preferred) => {
                Some((
                    "may not be used with this `tls`",
                    "leave `tls` out, or write `tls = \"verify_identity\"`",
                ))
            }
            _ => None,
        });
    }
}

/// More readings in one transaction would take memory for no speed.
const LARGEST_BATCH: u32 = 5000;
