/// BMW's id of an error, `exveErrorId`. It tells more than the HTTP status,
/// which differs from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ErrorId(String);

/// What to do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// There was no token: log in.
    Login,
    /// Renew the token, then ask once more.
    Refresh,
    /// The login lacks a right: log in again, asking for it by name.
    LoginWithScope,
    /// Leave this vehicle alone: it is not this account's main user.
    DropVehicle,
    /// Forget the container's id, look for it, create it again.
    RenewContainer,
    /// The request itself is wrong.
    CorrectInput,
    /// It is gone already, which is what was wanted.
    AlreadyGone,
    /// Delete old containers of our own.
    TooManyContainers,
    /// Ask for the first page again.
    RestartPages,
    /// There is no picture.
    NoImage,
    /// There is nothing to list.
    EmptyList,
    /// Leave out the key that the cloud does not know.
    RemoveKey,
    /// Ask for fewer keys.
    ReduceContainer,
    /// No more calls today.
    WaitForQuota,
    /// Ask again a little later.
    Retry,
    /// An id that this version does not know.
    Unknown,
}

/// Id, what to do, what it means in plain words.
const TABLE: [(&str, Action, &str); 20] = [
    ("CU-100", Action::Login, "the request had no token: log in"),
    ("CU-101", Action::Refresh, "the token is not accepted"),
    ("CU-102", Action::Refresh, "the token has ended"),
    (
        "CU-103",
        Action::LoginWithScope,
        "the login lacks the right cardata:api:read: switch on CarData API in the portal, wait a minute, log in again",
    ),
    (
        "CU-104",
        Action::DropVehicle,
        "this account is not the main user of the vehicle, or the vehicle was removed from it",
    ),
    (
        "CU-105",
        Action::RenewContainer,
        "the container belongs to somebody else, or is gone",
    ),
    ("CU-120", Action::CorrectInput, "the VIN is malformed"),
    (
        "CU-121",
        Action::CorrectInput,
        "the container id is malformed",
    ),
    (
        "CU-122",
        Action::AlreadyGone,
        "the container is deleted already",
    ),
    (
        "CU-124",
        Action::TooManyContainers,
        "the account has its ten containers: delete some in the portal",
    ),
    (
        "CU-125",
        Action::RestartPages,
        "the page token has ended: start from the first page",
    ),
    (
        "CU-126",
        Action::NoImage,
        "there is no picture of this vehicle",
    ),
    (
        "CU-127",
        Action::EmptyList,
        "there are no charging settings for places",
    ),
    ("CU-400", Action::CorrectInput, "the request is malformed"),
    (
        "CU-401",
        Action::CorrectInput,
        "a parameter of the request is wrong",
    ),
    (
        "CU-402",
        Action::RemoveKey,
        "a telematic key is not known to the cloud",
    ),
    (
        "CU-403",
        Action::ReduceContainer,
        "forbidden; for a container: too many keys",
    ),
    (
        "CU-429",
        Action::WaitForQuota,
        "the 50 calls of the day are used up",
    ),
    ("CU-500", Action::Retry, "the server failed"),
    ("CU-503", Action::Retry, "the server is overloaded"),
];

impl ErrorId {
    /// From the cloud's text, such as `CU-104`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_ascii_uppercase())
    }

    /// The cloud's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What to do about it.
    #[must_use]
    pub fn action(&self) -> Action {
        self.row().map_or(Action::Unknown, |row| row.1)
    }

    /// What it means, and what the user can do, in plain words.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        self.row()
            .map_or("an error that this version does not know", |row| row.2)
    }

    fn row(&self) -> Option<&'static (&'static str, Action, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
}
