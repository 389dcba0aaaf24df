use std::fmt;
use std::ops::Deref;

/// A password or a token among the arguments, which no message shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(String);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Deref for Hidden {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    /// Every argument that takes a password or a token.
    #[test]
    fn parsed_arguments_show_no_password() {
        for line in [
            "login saic --user u --password geheim",
            "status saic --user u --password geheim",
            "command saic climate on --user u --password geheim",
            "status jbd --address A4:C1:38:30:C2:8E --password geheim",
            "command jbd charge_mosfet on --address A4:C1:38:30:C2:8E --password geheim",
            "login bmw --captcha-token geheim",
            "status bmw --username u --captcha-token geheim",
            "bmw-mqtt --captcha-token Mini=geheim",
            "bmw-mqtt --mqtt-password geheim",
            "jbd-bms-mqtt -n n -i 1 -t t --mqtt-password geheim",
            "jbd-bms-mqtt -n n -i 1 -t t --pack-password geheim",
            "bluetti-monitor --dbpass geheim 00:11:22:33:44:55",
            "bluetti-mqtt --broker b --password geheim 00:11:22:33:44:55",
            "saic-mqtt-gateway --saic-password geheim --mqtt-password geheim",
            "saic-mqtt-gateway --abrp-api-key geheim --abrp-user-token geheim",
        ] {
            let words = std::iter::once("telemetry").chain(line.split(' '));
            let shown = match Cli::try_parse_from(words) {
                Ok(cli) => format!("{cli:?} {cli:#?}"),
                Err(error) => panic!("{line}: {error}"),
            };
            assert!(!shown.contains("geheim"), "{line}: {shown}");
            assert!(shown.contains("REDACTED"), "{line}: {shown}");
        }
    }
}
