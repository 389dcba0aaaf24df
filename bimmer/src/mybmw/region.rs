use std::str::FromStr;

/// Where an account is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Region {
    /// USA and Canada.
    NorthAmerica,
    /// Everywhere else.
    #[default]
    RestOfWorld,
    /// China.
    China,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NorthAmerica, Self::RestOfWorld, Self::China];

    /// As users write it: `north_america`, `rest_of_world`, `china`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NorthAmerica => "north_america",
            Self::RestOfWorld => "rest_of_world",
            Self::China => "china",
        }
    }

    /// As the user agent holds it: `na`, `row`, `cn`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NorthAmerica => "na",
            Self::RestOfWorld => "row",
            Self::China => "cn",
        }
    }

    /// Base URL of the API.
    #[must_use]
    pub const fn api_url(self) -> &'static str {
        match self {
            Self::NorthAmerica => "https://cocoapi.bmwgroup.us",
            Self::RestOfWorld => "https://cocoapi.bmwgroup.com",
            Self::China => "https://myprofile.bmw.com.cn",
        }
    }

    /// The app's key for the settings of the login; China has none.
    #[must_use]
    pub const fn subscription_key(self) -> Option<&'static str> {
        match self {
            Self::NorthAmerica => Some("31e102f5-6f7e-7ef3-9044-ddce63891362"),
            Self::RestOfWorld => Some("4f1c85a3-758f-a37d-bbb6-f8704494acfa"),
            Self::China => None,
        }
    }

    /// Site key of the captcha that the first login needs; China has another kind.
    #[must_use]
    pub const fn captcha_site_key(self) -> Option<&'static str> {
        match self {
            Self::NorthAmerica => Some("dc24de9a-9844-438b-b542-60067ff4dbe9"),
            Self::RestOfWorld => Some("7244955f-8f30-4445-adff-4fefe059f815"),
            Self::China => None,
        }
    }
}

impl FromStr for Region {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .into_iter()
            .find(|region| region.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            crate::Error::Configuration(format!("no region {text:?}: there are {names}"))
        })
    }
}
