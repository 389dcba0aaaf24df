//! The arguments of the drop-in `bmw-mqtt`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Hidden;
use super::broker::{BROKER, BrokerArgs, topic};
use crate::config::{BmwRegion, BmwTokenStore, parse_duration};

/// `bmw-mqtt`
#[derive(Clone, Debug, Args)]
pub struct BmwMqttArgs {
    /// The answer to the captcha for the vehicle NAME, also written
    /// `--captcha_token_NAME TOKEN`: for the first login; later ones need none
    #[arg(long = "captcha-token", value_name = "NAME=TOKEN", value_parser = captcha)]
    pub captcha_tokens: Vec<(String, Hidden)>,
    /// Where the accounts are registered
    #[arg(long, value_enum, default_value_t)]
    pub region: BmwRegion,
    /// The topic of all messages; `{name}` and `{vin}` stand for those of the vehicle
    #[arg(long, default_value = "data/charging/", value_parser = topic)]
    pub topic: String,
    /// Seconds between two readings, or a time such as `5m`; less than five
    /// minutes uses up BMW's daily quota
    #[arg(long, value_name = "TIME", default_value = "300", value_parser = interval)]
    pub interval: Duration,
    /// The broker; without it $MQTT_BROKER or `localhost`
    #[arg(long, value_name = "HOST", help_heading = BROKER)]
    pub mqtt_host: Option<String>,
    /// How it is reached.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Where logins are kept
    #[arg(long, value_enum, default_value_t)]
    pub token_store: BmwTokenStore,
    /// Namespace of the Kubernetes Secrets
    #[arg(long, default_value = "default")]
    pub namespace: String,
    /// Publish distances as `[289, "km"]`, as the library of the original does
    #[arg(long)]
    pub value_pairs: bool,
    /// Where logins and quota are kept; without it $STATE_DIRECTORY,
    /// ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Another server than BMW's, for login and calls
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Another CarData stream than BMW's: tls://HOST:PORT, or tcp:// on this computer
    #[arg(long, value_name = "URL")]
    pub stream_url: Option<String>,
}

/// How the original names its flag, one for each vehicle.
const CAPTCHA: [&str; 2] = ["--captcha_token_", "--captcha-token-"];

/// Flags that are named after vehicles, as flags that are not: clap has to know
/// their names beforehand.
pub(super) fn plain_flags(args: Vec<OsString>) -> Vec<OsString> {
    let mut plain = Vec::with_capacity(args.len());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str().unwrap_or_default();
        let named = CAPTCHA.iter().find_map(|flag| text.strip_prefix(flag));
        let Some(name) = named.map(str::to_owned) else {
            plain.push(arg);
            continue;
        };
        plain.push("--captcha-token".into());
        plain.push(match name.split_once('=') {
            Some(_) => name.into(),
            None => {
                let mut pair = OsString::from(format!("{name}="));
                pair.push(args.next().unwrap_or_default());
                pair
            }
        });
    }
    plain
}

fn captcha(text: &str) -> Result<(String, Hidden), &'static str> {
    match text.split_once('=') {
        Some((name, token)) if !name.is_empty() && !token.is_empty() => {
            Ok((name.to_owned(), token.to_owned().into()))
        }
        _ => Err("write `--captcha_token_NAME TOKEN`"),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => parse_duration(text)?,
    };
    let fits = (Duration::from_secs(1)..=Duration::from_secs(365 * 86_400)).contains(&time);
    fits.then_some(time)
        .ok_or_else(|| format!("`{text}`: from one second to a year"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_any_vehicle() {
        let args = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            plain_flags(args(
                "bmw-mqtt --captcha_token_Mini P1_a --captcha_token_BMW=P1_b= --region china"
            )),
            args("bmw-mqtt --captcha-token Mini=P1_a --captcha-token BMW=P1_b= --region china")
        );
        assert_eq!(
            plain_flags(args("bmw-mqtt --captcha_token_Mini")),
            args("bmw-mqtt --captcha-token Mini=")
        );
        assert!(captcha("Mini=").is_err());
        assert_eq!(interval("300"), Ok(Duration::from_secs(300)));
        assert_eq!(interval("5m"), Ok(Duration::from_secs(300)));
        assert!(interval("0").is_err());
    }
}
