//! `[[bmw]]`: BMW and MINI cars of one account.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Secret, duration};
use crate::filter::Keep;

/// `[[bmw]]`: an account with its cars.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bmw {
    /// By which way.
    pub api: BmwApi,
    /// What people call the account; user or client id if absent.
    pub label: Option<String>,
    /// CarData: the client id that the portal shows.
    pub client_id: Option<String>,
    /// MyBMW: e-mail address, or phone number in China.
    pub user: Option<String>,
    /// MyBMW: its password.
    pub password: Option<Secret>,
    /// MyBMW: where the account is registered.
    pub region: BmwRegion,
    /// The cars; all of the account if empty.
    pub vin: Vec<String>,
    /// MyBMW: how often an active car is asked for.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// MyBMW: how often a parked car is asked for.
    #[serde(with = "duration")]
    pub parked_interval: Duration,
    /// CarData: each descriptor on a topic of its own, as BMW sends it.
    pub raw: bool,
    /// CarData: an estimate of the state of charge between two reports of the car.
    pub estimate_soc: bool,
    /// Which readings are stored.
    pub store: Keep,
    /// Where the login is kept.
    pub token_store: BmwTokenStore,
    /// Namespace of the Kubernetes Secret.
    pub namespace: String,
    /// Another login server.
    pub auth_url: Option<String>,
    /// Another API server.
    pub api_url: Option<String>,
    /// Another stream server: `tls://host:port`, or `tcp://127.0.0.1:port`.
    pub stream_url: Option<String>,
    /// PEM file with an authority to trust besides those of the system.
    pub stream_ca: Option<PathBuf>,
    /// `[bmw.allow]`
    pub allow: BmwAllow,
    /// The answer to a captcha. Valid once and for minutes: no file can say it.
    #[serde(skip)]
    pub captcha_token: Option<Secret>,
    /// A login from elsewhere, where none is kept.
    #[serde(skip)]
    pub refresh_token: Option<Secret>,
    /// What its login is called where it is kept, if not by the account.
    #[serde(skip)]
    pub token_name: Option<String>,
    /// CarData: what is known is told again after this time, news or not.
    #[serde(skip)]
    pub repeat: Option<Duration>,
}

/// `[bmw.allow]`: which commands that can hurt are let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BmwAllow {
    /// Unlock the doors.
    pub unlock: bool,
}

/// By which way BMW is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BmwApi {
    /// The official one, which only reads.
    #[default]
    CarData,
    /// The one of the app.
    MyBmw,
}

/// Where an account of the app is registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum BmwRegion {
    /// USA and Canada.
    NorthAmerica,
    /// Everywhere else.
    #[default]
    RestOfWorld,
    /// China.
    China,
}

/// Where the login of an account is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lowercase")]
pub enum BmwTokenStore {
    /// A file in the state directory.
    #[default]
    File,
    /// A Secret of the Kubernetes cluster.
    Kubernetes,
}

impl Default for Bmw {
    fn default() -> Self {
        Self {
            api: BmwApi::default(),
            label: None,
            client_id: None,
            user: None,
            password: None,
            region: BmwRegion::default(),
            vin: Vec::new(),
            interval: Duration::from_secs(300),
            parked_interval: Duration::from_secs(1800),
            raw: false,
            estimate_soc: false,
            store: Keep::default(),
            token_store: BmwTokenStore::default(),
            namespace: "default".to_owned(),
            auth_url: None,
            api_url: None,
            stream_url: None,
            stream_ca: None,
            allow: BmwAllow::default(),
            captcha_token: None,
            refresh_token: None,
            token_name: None,
            repeat: None,
        }
    }
}

impl Bmw {
    /// What the configuration calls the account.
    pub fn title(&self) -> &str {
        let own = match self.api {
            BmwApi::CarData => &self.client_id,
            BmwApi::MyBmw => &self.user,
        };
        let label = self.label.as_deref().or(own.as_deref());
        label.unwrap_or_default()
    }

    /// Whether it names the car, or names none and so takes all.
    pub fn wants(&self, vin: &str) -> bool {
        self.vin.is_empty() || self.vin.iter().any(|own| own.eq_ignore_ascii_case(vin))
    }
}
