use std::time::Duration;

use crate::login;
use crate::poll::{PollTiming, PollTimings};

/// Where an account lives: host, region code and tenant.
///
/// An account works in its own region only; elsewhere the cloud calls it "not
/// registered".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// Europe, the United Kingdom, and the rest of the world.
    Europe,
    /// Australia and New Zealand.
    Australia,
    /// Türkiye.
    Turkey,
    /// Israel. Its certificate chain may need an extra CA.
    Israel,
    /// Brazil. Told by one source.
    Brazil,
    /// Thailand. Guessed from the pattern of the others.
    Thailand,
    /// China. Unverified.
    China,
    /// India, which speaks another protocol: see [`crate::india`].
    #[cfg(feature = "india")]
    India,
    /// The Indian protocol at another address: a simulator, a proxy.
    #[cfg(feature = "india")]
    IndiaAt {
        /// What is in front of `TAP.Web/` and `api.app/v1/`, with or without a
        /// slash at the end.
        base_url: String,
    },
    /// Any other place, or a simulator.
    Custom {
        /// Base URL, with or without a slash at the end.
        base_url: String,
        /// The header `REGION`.
        code: String,
        /// The header `tenant-id`.
        tenant: String,
    },
}

/// The tenant of all known regions.
const TENANT: &str = "459771";
#[cfg(feature = "india")]
const INDIA: &str = "mgindia.co.in";
#[cfg(feature = "india")]
const GATEWAY: &str = "api.app/v1/";
#[cfg(feature = "india")]
const TAP: &str = "TAP.Web/";

impl Region {
    /// The European tenant and region code at another address: a simulator, a
    /// proxy, a region that this crate does not know.
    #[must_use]
    pub fn at(base_url: impl Into<String>) -> Self {
        Self::Custom {
            base_url: base_url.into(),
            code: Self::Europe.code().to_owned(),
            tenant: TENANT.to_owned(),
        }
    }

    /// By its code: `eu`, `au`, `tr`, `il`, `br`, `th`, `cn`; with the feature
    /// `india` also `in`.
    #[must_use]
    pub fn by_code(code: &str) -> Option<Self> {
        Some(match code.to_ascii_lowercase().as_str() {
            "eu" => Self::Europe,
            "au" => Self::Australia,
            "tr" => Self::Turkey,
            "il" => Self::Israel,
            "br" => Self::Brazil,
            "th" => Self::Thailand,
            "cn" => Self::China,
            #[cfg(feature = "india")]
            "in" => Self::India,
            _ => return None,
        })
    }

    /// The base URL, ending in a slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        match self {
            Self::Custom { base_url, .. } => format!("{}/", base_url.trim_end_matches('/')),
            #[cfg(feature = "india")]
            Self::India => format!("https://iov-gateway.{INDIA}/{GATEWAY}"),
            #[cfg(feature = "india")]
            Self::IndiaAt { base_url } => {
                format!("{}/{GATEWAY}", base_url.trim_end_matches('/'))
            }
            Self::China => "https://tap-cn.soimt.com/api.app/v1/".to_owned(),
            known => format!("https://gateway-mg-{}.soimt.com/api.app/v1/", known.code()),
        }
    }

    /// Whether the Indian protocol is spoken.
    #[cfg(feature = "india")]
    pub(crate) const fn is_india(&self) -> bool {
        matches!(self, Self::India | Self::IndiaAt { .. })
    }

    /// Where frames of the Indian protocol go, ending in a slash.
    #[cfg(feature = "india")]
    pub(crate) fn tap_url(&self) -> String {
        match self {
            Self::IndiaAt { base_url } => format!("{}/{TAP}", base_url.trim_end_matches('/')),
            _ => format!("https://iov-tap.{INDIA}/{TAP}"),
        }
    }

    /// How long one request may take unless the program says otherwise.
    pub(crate) const fn timeout(&self) -> Duration {
        match self {
            #[cfg(feature = "india")]
            Self::India | Self::IndiaAt { .. } => Duration::from_secs(30),
            _ => Duration::from_secs(15),
        }
    }

    /// How to wait for cars unless the program says otherwise.
    pub(crate) fn poll_timings(&self) -> PollTimings {
        match self {
            #[cfg(feature = "india")]
            Self::India | Self::IndiaAt { .. } => PollTimings {
                read: PollTiming::even(1_500, 10),
                command: PollTiming::even(2_000, 15),
            },
            _ => PollTimings::same(PollTiming::default()),
        }
    }

    /// What the installation of an account calls itself unless the program says
    /// otherwise.
    pub(crate) fn device_id(&self, account: &str) -> String {
        match self {
            #[cfg(feature = "india")]
            Self::India | Self::IndiaAt { .. } => crate::india::device_id(account),
            _ => login::device_id(account),
        }
    }

    /// This region at another address.
    pub(crate) fn moved_to(&self, base_url: String) -> Self {
        #[cfg(feature = "india")]
        if self.is_india() {
            let base_url = base_url
                .trim_end_matches('/')
                .trim_end_matches("/api.app/v1");
            return Self::IndiaAt {
                base_url: base_url.to_owned(),
            };
        }
        Self::Custom {
            base_url,
            code: self.code().to_owned(),
            tenant: self.tenant().to_owned(),
        }
    }

    /// The header `REGION`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Europe => "eu",
            Self::Australia => "au",
            Self::Turkey => "tr",
            Self::Israel => "il",
            Self::Brazil => "br",
            Self::Thailand => "th",
            Self::China => "cn",
            #[cfg(feature = "india")]
            Self::India | Self::IndiaAt { .. } => "in",
            Self::Custom { code, .. } => code,
        }
    }

    /// The header `tenant-id`.
    #[must_use]
    pub fn tenant(&self) -> &str {
        match self {
            Self::Custom { tenant, .. } => tenant,
            _ => TENANT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        let eu = Region::by_code("EU").unwrap();
        assert_eq!(eu.base_url(), "https://gateway-mg-eu.soimt.com/api.app/v1/");
        assert_eq!((eu.code(), eu.tenant()), ("eu", "459771"));
        assert_eq!(
            Region::by_code("tr").unwrap().base_url(),
            "https://gateway-mg-tr.soimt.com/api.app/v1/"
        );
        assert_eq!(
            Region::China.base_url(),
            "https://tap-cn.soimt.com/api.app/v1/"
        );
        assert_eq!(Region::by_code("mars"), None);
        let here = Region::at("http://127.0.0.1:8080/api.app/v1");
        assert_eq!(here.base_url(), "http://127.0.0.1:8080/api.app/v1/");
    }
}
