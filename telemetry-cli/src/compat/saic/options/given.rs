//! A value from a flag, else from its variable.

use std::time::Duration;

use crate::cli::Hidden;
use crate::config::{Environment, Secret};
use crate::exit::{Code, Failure};

/// Where values come from.
pub(super) struct Given<'e>(pub(super) &'e Environment);

/// A value, and where it comes from.
pub(super) struct Found {
    pub(super) value: String,
    origin: String,
}

impl Found {
    pub(super) fn read<T>(self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
        read(&self.value).map_err(|why| usage(format!("{}: {why}", self.origin)))
    }
}

impl Given<'_> {
    pub(super) fn text(&self, flag: &Option<String>, name: &str, variable: &str) -> Option<Found> {
        // An empty one is none, as in the original: people leave them in templates.
        if let Some(value) = flag.as_ref().filter(|value| !value.is_empty()) {
            return Some(Found {
                value: value.clone(),
                origin: format!("`{name}`"),
            });
        }
        let value = self.0.get(variable)?;
        Some(Found {
            value: value.to_owned(),
            origin: format!("environment variable {variable}"),
        })
    }

    /// Everything that is not clearly yes is no, as in the original.
    pub(super) fn boolean(
        &self,
        flag: &Option<String>,
        name: &str,
        variable: &str,
        default: bool,
    ) -> bool {
        let yes = |found: Found| {
            let value = found.value.to_ascii_lowercase();
            ["true", "1", "yes", "y"].contains(&value.as_str())
        };
        self.text(flag, name, variable).map_or(default, yes)
    }

    pub(super) fn seconds(
        &self,
        flag: &Option<String>,
        name: &str,
        variable: &str,
        default: u64,
    ) -> Result<Duration, Failure> {
        let whole = |text: &str| {
            let seconds = text
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|seconds| *seconds > 0);
            seconds.ok_or_else(|| format!("`{text}` is no whole number of seconds above 0"))
        };
        let found = self.text(flag, name, variable);
        let seconds = found.map(|found| found.read(whole)).transpose()?;
        Ok(Duration::from_secs(seconds.map_or(default, u64::from)))
    }

    /// The release as whoever built it names it, else ours.
    pub(super) fn version(&self) -> String {
        let named = self.0.get("RELEASE_VERSION").map(str::trim);
        let named = named.filter(|name| !name.is_empty());
        named.unwrap_or(env!("CARGO_PKG_VERSION")).to_owned()
    }

    /// Shown by no `Debug`.
    pub(super) fn secret(&self, flag: &Option<Hidden>, variable: &str) -> Option<Secret> {
        match flag.as_ref().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.to_string().into()),
            None => self.0.get(variable).map(|text| text.to_owned().into()),
        }
    }
}

pub(super) fn usage(message: String) -> Failure {
    Failure::new(Code::Usage, message)
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    let number = number.filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("`{text}` is no number above 0"))
}

pub(super) fn http_url(text: &str) -> Result<String, String> {
    let valid = reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    match valid {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no URL that begins with `http://` or `https://`"
        )),
    }
}
