//! An account at BMW, as the configuration describes it.

use std::path::{Path, PathBuf};

use bimmer::cardata::stream::StreamOptions;
use bimmer::cardata::{self, ClientId, Hosts};
use bimmer::mybmw;
use bimmer::types::Vin;
use secrecy::ExposeSecret as _;

use super::BmwError;
use super::tokens::Tokens;
use crate::config::{Bmw, BmwRegion};
use crate::event::DeviceId;

/// Files of the accounts, in the state directory.
const DIRECTORY: &str = "bmw";

/// Where the account of `config` keeps a file with this ending. Makes the
/// directory.
pub fn file(config: &Bmw, state_dir: &Path, ending: &str) -> std::io::Result<PathBuf> {
    let directory = state_dir.join(DIRECTORY);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&directory)?;
    Ok(directory.join(format!("{}.{ending}", config.account())))
}

/// Where the login is kept, if in a file; for those who wait for a new one.
pub fn token_file(config: &Bmw, state_dir: &Path) -> PathBuf {
    state_dir
        .join(DIRECTORY)
        .join(format!("{}.token", config.account()))
}

impl Bmw {
    /// What its files are called: the account, without what a file name cannot hold.
    pub fn account(&self) -> String {
        let own = self.client_id.as_deref().or(self.user.as_deref());
        let name = self.token_name.as_deref().or(own).unwrap_or("account");
        DeviceId::new(&[name]).to_string()
    }

    /// The cars that it names.
    ///
    /// # Errors
    /// If one of them is no VIN.
    pub fn vins(&self) -> Result<Vec<Vin>, BmwError> {
        let vin = |text: &String| {
            let wrong = || BmwError::Configuration(format!("`{text}` is no VIN of 17 characters"));
            Vin::new(text).ok_or_else(wrong)
        };
        self.vin.iter().map(vin).collect()
    }
}

/// The client of the app API. Nothing is sent yet.
///
/// # Errors
/// If the configuration cannot be meant, or the password not be had.
pub fn mybmw(
    config: &Bmw,
    tokens: Tokens,
    installation: Option<&str>,
) -> Result<mybmw::Client, BmwError> {
    let mut builder = mybmw::Client::builder(region(config.region)).token_store(tokens);
    if let (Some(user), Some(password)) = (&config.user, &config.password) {
        builder = builder.credentials(user, password.reveal()?.expose_secret().to_owned());
    }
    if let Some(captcha) = &config.captcha_token {
        builder = builder.captcha_token(captcha.reveal()?.expose_secret().to_owned());
    }
    if let Some(text) = installation {
        builder = builder.installation(text);
    }
    if let Some(url) = &config.api_url {
        builder = builder.api_url(url);
    }
    // Whoever sends the calls elsewhere does not mean the password to go to BMW.
    if let Some(url) = config.auth_url.as_ref().or(config.api_url.as_ref()) {
        builder = builder.auth_url(url);
    }
    if let Some(pem) = extra_ca(config)? {
        builder = builder.extra_ca(pem);
    }
    Ok(builder.build()?)
}

/// The client of CarData. Nothing is sent yet.
///
/// # Errors
/// If the configuration cannot be meant.
pub fn cardata(
    config: &Bmw,
    tokens: Tokens,
    state_file: Option<PathBuf>,
) -> Result<cardata::Client, BmwError> {
    let id = config.client_id.as_deref().unwrap_or_default();
    let mut hosts = Hosts::default();
    if let Some(url) = &config.auth_url {
        hosts = hosts.with_auth_url(url);
    }
    if let Some(url) = &config.api_url {
        hosts = hosts.with_api_url(url);
    }
    if let Some(url) = &config.stream_url {
        let (_, host, port) = stream_address(url)?;
        hosts = hosts.with_stream(&host, port);
    }
    let mut builder = cardata::Client::builder(ClientId::new(id)?)
        .hosts(hosts)
        .token_store(tokens);
    if let Some(file) = state_file {
        builder = builder.state_file(file);
    }
    if let Some(pem) = extra_ca(config)? {
        builder = builder.extra_ca(pem);
    }
    Ok(builder.build()?)
}

/// How its stream connects.
///
/// # Errors
/// If the address of the stream cannot be meant.
pub fn stream_options(config: &Bmw) -> Result<StreamOptions, BmwError> {
    let mut options = StreamOptions::default();
    if let Some(url) = &config.stream_url {
        options.plain_loopback = !stream_address(url)?.0;
    }
    Ok(options)
}

/// Whether it is encrypted, host and port.
fn stream_address(url: &str) -> Result<(bool, String, u16), BmwError> {
    let wrong = || {
        BmwError::Configuration(format!(
            "`{url}` is no address of a stream: `tls://host:9000`, or `tcp://127.0.0.1:9000` for \
             one on this computer"
        ))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let tls = match scheme {
        "tls" | "mqtts" | "ssl" => true,
        "tcp" | "mqtt" => false,
        _ => return Err(wrong()),
    };
    let (host, port) = rest
        .trim_end_matches('/')
        .rsplit_once(':')
        .ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(wrong)?;
    if host.is_empty() {
        return Err(wrong());
    }
    Ok((tls, host.to_owned(), port))
}

fn extra_ca(config: &Bmw) -> Result<Option<Vec<u8>>, BmwError> {
    let Some(path) = &config.stream_ca else {
        return Ok(None);
    };
    let pem = std::fs::read(path).map_err(|error| {
        BmwError::Configuration(format!(
            "`stream_ca`: cannot read {}: {error}",
            path.display()
        ))
    })?;
    Ok(Some(pem))
}

/// The SDK's word for it.
pub fn region(region: BmwRegion) -> mybmw::Region {
    match region {
        BmwRegion::NorthAmerica => mybmw::Region::NorthAmerica,
        BmwRegion::RestOfWorld => mybmw::Region::RestOfWorld,
        BmwRegion::China => mybmw::Region::China,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_streams() {
        for (url, read) in [
            (
                "tls://stream.example:9000",
                Some((true, "stream.example", 9000)),
            ),
            ("tcp://127.0.0.1:1883/", Some((false, "127.0.0.1", 1883))),
            ("tcp://[::1]:1883", Some((false, "::1", 1883))),
            ("stream.example:9000", None),
            ("https://stream.example:9000", None),
            ("tls://stream.example", None),
            ("tls://:9000", None),
        ] {
            let address = stream_address(url).ok();
            let address = address
                .as_ref()
                .map(|(tls, host, port)| (*tls, host.as_str(), *port));
            assert_eq!(address, read, "{url}");
        }
    }
}
