//! Which iSMART account.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::{ConfigArgs, Hidden, StateDirArgs};

/// Which iSMART account, and which of its cars.
#[derive(Clone, Debug, Default, Args)]
pub struct AccountArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory: the session is kept there.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// E-mail address, or phone number without country code; not needed if the
    /// configuration has one account
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// Its password: better `env:NAME`, `file:PATH`, the configuration or
    /// $SAIC_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET")]
    pub password: Option<Hidden>,
    /// Country code of a phone number, digits only
    #[arg(long, value_name = "DIGITS")]
    pub country_code: Option<String>,
    /// Where the account was made: eu, au, tr, il, br, th or cn; cars in India are
    /// on another cloud, which cannot be read
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Another cloud, such as that of `telemetry simulate saic`
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
}
