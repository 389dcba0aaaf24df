use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::agent::{USER_AGENT, build_string, x_user_agent};
use super::auth::Credentials;
use super::charging::ChargingDetails;
use super::command::{Command, CommandResult, EventStatus, POLL_EVERY, POLL_FOR, SETTLES};
use super::gcj02::gcj02_to_wgs84;
use super::profile::{Capabilities, Profile};
use super::refusal::{Class, classify, quota_wait};
use super::region::Region;
use super::session::{Session, State};
use super::state::VehicleState;
use super::vehicle::Vehicle;
use crate::clock::{self, Clock};
use crate::endpoint::{lenient, model};
use crate::error::{Call, DecodeError, Error, LoginError};
use crate::form;
use crate::http::{Https, Method, Request, Response, Transport};
use crate::secret::Secret;
use crate::token::{MemoryTokenStore, Token, TokenStore};
use crate::types::{Brand, Position, Vin, open_enum};

/// Repeats of a call that comes too early.
const REPEATS: u32 = 3;
/// Longest wait within a call; a longer one is the caller's.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// A pause where BMW does not say how long.
const USUAL_PAUSE: Duration = Duration::from_secs(300);

open_enum! {
    /// A picture's point of view.
    ImageView {
        /// As the app shows it.
        VehicleStatus = "VehicleStatus",
        /// From the front.
        FrontView = "FrontView",
        /// From the left.
        SideViewLeft = "SideViewLeft",
        /// Dashboard.
        Dashboard = "Dashboard",
        /// The driver's door.
        DriverDoor = "Driverdoor",
        /// At an angle.
        AngleSideViewForty = "AngleSideViewForty",
        /// At a wider angle.
        AngleSideViewSixty = "AngleSideViewSixty",
        /// From the front left.
        FrontLeft = "FrontLeft",
        /// From the front right.
        FrontRight = "FrontRight",
        /// From the rear left.
        RearLeft = "RearLeft",
        /// From the rear right.
        RearRight = "RearRight",
        /// From the rear.
        RearView = "RearView",
    }
}

/// Sets a [`Client`] up.
pub struct ClientBuilder {
    region: Region,
    credentials: Option<Credentials>,
    captcha: Option<Secret>,
    installation: Option<String>,
    build: Option<String>,
    api_url: String,
    store: Arc<dyn TokenStore>,
    transport: Option<Arc<dyn Transport>>,
    extra_ca: Option<Vec<u8>>,
    timeout: Duration,
    clock: Clock,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Who logs in. Not needed where the token store holds a session.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some(Credentials {
            username: user.into(),
            password: password.into(),
        });
        self
    }

    /// The answer to a captcha, which the first login needs. Valid once, for
    /// some minutes.
    #[must_use]
    pub fn captcha_token(mut self, token: impl Into<Secret>) -> Self {
        self.captcha = Some(token.into());
        self
    }

    /// Any text that this installation keeps; BMW counts calls by what is made
    /// of it. By default made from the user name.
    #[must_use]
    pub fn installation(mut self, text: impl Into<String>) -> Self {
        self.installation = Some(text.into());
        self
    }

    /// A finished build string in place of one made from [`installation`](Self::installation).
    #[must_use]
    pub fn build_string(mut self, build: impl Into<String>) -> Self {
        self.build = Some(build.into());
        self
    }

    /// Another server than BMW's.
    #[must_use]
    pub fn api_url(mut self, url: &str) -> Self {
        self.api_url = url.trim_end_matches('/').to_owned();
        self
    }

    /// Where the session is kept. By default in memory.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Other means to carry requests.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Certificates to trust besides those of the system, in PEM.
    #[must_use]
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_ca = Some(pem.into());
        self
    }

    /// For one request. 30 s by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Another clock than the system's, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if TLS cannot be set up or the extra CA is no PEM.
    pub fn build(self) -> Result<Client, Error> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Https::new(self.extra_ca.as_deref(), self.timeout)?),
        };
        let user = self
            .credentials
            .as_ref()
            .map(|credentials| credentials.username.clone());
        let installation = self
            .installation
            .or(user)
            .unwrap_or_else(|| Uuid::new_v4().to_string());
        let session = Session {
            transport: transport.clone(),
            store: self.store,
            clock: self.clock.clone(),
            region: self.region,
            api_url: self.api_url.clone(),
            build: self.build.unwrap_or_else(|| build_string(&installation)),
            correlation_id: Uuid::new_v4().to_string(),
            credentials: self.credentials,
            captcha: StdMutex::new(self.captcha),
            state: Mutex::new(State::default()),
        };
        Ok(Client(Arc::new(Inner {
            session,
            transport,
            clock: self.clock,
            parked_until: StdMutex::new(None),
        })))
    }
}

/// One account of the app. Clones share the session.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    session: Session,
    transport: Arc<dyn Transport>,
    clock: Clock,
    /// The quota is used up until then.
    parked_until: StdMutex<Option<DateTime<Utc>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.0.session.region)
            .finish_non_exhaustive()
    }
}

/// One call, without what every call carries.
struct Ask<'a> {
    name: &'static str,
    method: Method,
    path: String,
    brand: Brand,
    vin: Option<&'a Vin>,
    vin_in_header: bool,
    accept: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl<'a> Ask<'a> {
    fn new(name: &'static str, method: Method, path: impl Into<String>, brand: Brand) -> Self {
        Self {
            name,
            method,
            path: path.into(),
            brand,
            vin: None,
            vin_in_header: false,
            accept: "application/json",
            headers: Vec::new(),
            body: None,
        }
    }

    const fn about(mut self, vin: &'a Vin) -> Self {
        self.vin = Some(vin);
        self.vin_in_header = true;
        self
    }

    fn call(&self) -> Call {
        Call {
            name: self.name,
            vin: self.vin.cloned(),
        }
    }
}

impl Client {
    /// Begins to set up a client.
    #[must_use]
    pub fn builder(region: Region) -> ClientBuilder {
        ClientBuilder {
            region,
            credentials: None,
            captcha: None,
            installation: None,
            build: None,
            api_url: region.api_url().to_owned(),
            store: Arc::new(MemoryTokenStore::default()),
            transport: None,
            extra_ca: None,
            timeout: Duration::from_secs(30),
            clock: clock::system(),
        }
    }

    /// A valid token: the stored one, a renewed one, or one of a new login.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the user has to do something, [`Error::Blocked`] if
    /// BMW lets nobody in.
    pub async fn token(&self) -> Result<Token, Error> {
        self.0.session.token_instead_of(None).await
    }

    /// Takes a new captcha token for the next login.
    pub fn set_captcha_token(&self, token: impl Into<Secret>) {
        let mut captcha = self
            .0
            .session
            .captcha
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *captcha = Some(token.into());
    }

    /// What the vehicles of the account are, of all brands. Three calls and one
    /// per vehicle; worth keeping.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn profiles(&self) -> Result<Vec<Profile>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct List {
            #[serde(default, deserialize_with = "lenient::list")]
            mapping_infos: Vec<Mapping>,
        }
        #[derive(Deserialize)]
        struct Mapping {
            vin: Vin,
        }
        let mut profiles: Vec<Profile> = Vec::new();
        for brand in Brand::WITH_LIST {
            let path = "/eadrax-vcs/v5/vehicle-list";
            let ask = Ask::new("vehicle list", Method::Post, path, brand.clone());
            let list: List = self.ask_json(&ask).await?;
            for Mapping { vin } in list.mapping_infos {
                if profiles.iter().any(|known| known.vin == vin) {
                    continue;
                }
                let path = "/eadrax-vcs/v5/vehicle-data/profile";
                let ask = Ask::new("vehicle profile", Method::Get, path, brand.clone()).about(&vin);
                let mut profile: Profile = self.ask_json(&ask).await?;
                profile.listed_as = Some(brand.clone());
                profiles.push(profile);
            }
        }
        Ok(profiles)
    }

    /// How a vehicle is now. One call, two for cars with charging settings.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn vehicle(&self, profile: &Profile) -> Result<Vehicle, Error> {
        let fetched_at = self.now();
        let (state, capabilities) = self.state(profile, fetched_at).await?;
        let charging = if capabilities.has_charging_details() {
            Some(
                self.charging_details(profile, &capabilities, fetched_at)
                    .await?,
            )
        } else {
            None
        };
        Ok(Vehicle::new(
            profile.clone(),
            state,
            capabilities,
            charging,
            fetched_at,
        ))
    }

    /// All vehicles. One that fails does not keep the others from being read,
    /// unless the failure concerns the account.
    ///
    /// # Errors
    ///
    /// An [`Error`] about the account: login, quota, blocked.
    pub async fn vehicles(
        &self,
        profiles: &[Profile],
    ) -> Result<Vec<(Vin, Result<Vehicle, Error>)>, Error> {
        let mut vehicles = Vec::new();
        for profile in profiles {
            match self.vehicle(profile).await {
                Err(error @ (Error::Quota { .. } | Error::Login(_) | Error::Blocked { .. })) => {
                    return Err(error);
                }
                outcome => vehicles.push((profile.vin.clone(), outcome)),
            }
        }
        Ok(vehicles)
    }

    async fn state(
        &self,
        profile: &Profile,
        now: DateTime<Utc>,
    ) -> Result<(VehicleState, Capabilities), Error> {
        #[derive(Deserialize)]
        struct Answer {
            state: VehicleState,
            #[serde(default)]
            capabilities: Capabilities,
        }
        let stamp = now.timestamp_millis();
        let path = format!("/eadrax-vcs/v4/vehicles/state?apptimezone=0&appDateTime={stamp}");
        let ask = Ask::new("vehicle state", Method::Get, path, profile.brand()).about(&profile.vin);
        let Answer {
            mut state,
            capabilities,
        } = self.ask_json(&ask).await?;
        if self.0.session.region == Region::China
            && let Some(location) = &mut state.location
        {
            location.position = location.position.map(gcj02_to_wgs84);
        }
        Ok((state, capabilities))
    }

    async fn charging_details(
        &self,
        profile: &Profile,
        capabilities: &Capabilities,
        now: DateTime<Utc>,
    ) -> Result<ChargingDetails, Error> {
        let has_settings = capabilities.is_charging_settings_enabled == Some(true);
        let path = format!(
            "/eadrax-crccs/v2/vehicles?fields=charging-profile&has_charging_settings_capabilities={has_settings}"
        );
        let brand = profile.brand();
        let mut ask = Ask::new("charging details", Method::Get, path, brand).about(&profile.vin);
        ask.headers.push((
            "bmw-current-date",
            now.to_rfc3339_opts(SecondsFormat::Secs, false),
        ));
        self.ask_json(&ask).await
    }

    /// A picture, PNG.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn image(&self, profile: &Profile, view: &ImageView) -> Result<Vec<u8>, Error> {
        let query = form::encode(&[("carView", view.as_str()), ("toCrop", "true")]);
        let path = format!("/eadrax-ics/v5/presentation/vehicles/images?{query}");
        let brand = profile.brand();
        let mut ask = Ask::new("vehicle image", Method::Get, path, brand).about(&profile.vin);
        ask.accept = "image/png";
        ask.headers
            .push(("bmw-app-vehicle-type", "connected".to_owned()));
        Ok(self.ask(&ask).await?.body)
    }

    /// Sends a command once and waits for its result, four minutes at most.
    /// After commands that change the state, `vehicle` is read again. Dropping
    /// the future stops the waiting, not the car.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] without sending if the car cannot do it,
    /// [`Error::CommandFailed`] and [`Error::CommandTimedOut`] about the result,
    /// any other if it was not sent or not answered.
    pub async fn command(
        &self,
        vehicle: &mut Vehicle,
        command: &Command,
    ) -> Result<CommandResult, Error> {
        command.check(vehicle)?;
        if command.is_pointless(vehicle) {
            return Ok(CommandResult::without_event(EventStatus::Ignored));
        }
        let gcid = match command {
            Command::SendPoi(_) => self.token().await?.gcid,
            _ => None,
        };
        let order = command.order(vehicle, gcid.as_deref())?;
        let profile = vehicle.profile.clone();
        let (vin, brand) = (&profile.vin, profile.brand());
        let mut ask = Ask::new(command.name(), Method::Post, order.path, brand.clone()).about(vin);
        ask.vin_in_header = order.names_vin_in_header;
        ask.body = Some(order.body);
        let response = self.ask(&ask).await?;
        let Some(event_id) = event_id(&response) else {
            return Ok(CommandResult::without_event(EventStatus::Executed));
        };
        let call = ask.call();
        let status = self.wait_for(&call, &event_id, &brand).await?;
        let mut result = CommandResult {
            status,
            event_id: Some(event_id),
            position: None,
        };
        if let Command::FindVehicle {
            observer: Some(observer),
        } = command
        {
            result.position = self.found(&call, &result, *observer, &brand).await?;
        }
        if command.changes_state() {
            tokio::time::sleep(SETTLES).await;
            *vehicle = self.vehicle(&profile).await?;
        }
        Ok(result)
    }

    async fn wait_for(
        &self,
        call: &Call,
        event_id: &str,
        brand: &Brand,
    ) -> Result<EventStatus, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            event_status: Option<EventStatus>,
            #[serde(default, deserialize_with = "lenient::maybe")]
            error_details: Option<ErrorDetails>,
        }
        let query = form::encode(&[("eventId", event_id)]);
        let path = format!("/eadrax-vrccs/v3/presentation/remote-commands/eventStatus?{query}");
        let mut last = EventStatus::Initiated;
        let mut waited = Duration::ZERO;
        while waited < POLL_FOR {
            tokio::time::sleep(POLL_EVERY).await;
            waited += POLL_EVERY;
            let ask = Ask::new("command status", Method::Post, path.clone(), brand.clone());
            let answer: Answer = match self.ask_json(&ask).await {
                Ok(answer) => answer,
                // One question that fails is no result; the next comes soon.
                Err(error @ (Error::NotSent { .. } | Error::MaybeSent { .. })) => {
                    tracing::debug!(%error, "no news about a command");
                    continue;
                }
                Err(error) => return Err(error),
            };
            match answer.event_status {
                Some(EventStatus::Error) => {
                    let message = answer.error_details.unwrap_or_default().words();
                    return Err(Error::CommandFailed {
                        call: call.clone(),
                        message,
                    });
                }
                Some(status) if status.is_final() => return Ok(status),
                Some(status) => last = status,
                None => {}
            }
        }
        Err(Error::CommandTimedOut {
            call: call.clone(),
            waited,
            last: last.to_string(),
        })
    }

    async fn found(
        &self,
        call: &Call,
        result: &CommandResult,
        observer: Position,
        brand: &Brand,
    ) -> Result<Option<Position>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            position_data: Option<Data>,
            #[serde(default, deserialize_with = "lenient::maybe")]
            error_details: Option<ErrorDetails>,
        }
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, deserialize_with = "lenient::maybe")]
            position: Option<Point>,
        }
        #[derive(Deserialize)]
        struct Point {
            latitude: f64,
            longitude: f64,
        }
        let event_id = result.event_id.as_deref().unwrap_or_default();
        let query = form::encode(&[("eventId", event_id)]);
        let path = format!("/eadrax-vrccs/v4/presentation/remote-commands/eventPosition?{query}");
        let mut ask = Ask::new("vehicle position", Method::Post, path, brand.clone());
        ask.headers
            .push(("latitude", format!("{:?}", observer.latitude)));
        ask.headers
            .push(("longitude", format!("{:?}", observer.longitude)));
        let answer: Answer = self.ask_json(&ask).await?;
        let point = answer.position_data.and_then(|data| data.position);
        match (point, answer.error_details) {
            (Some(point), _) => Ok(Position::new(point.latitude, point.longitude)),
            (None, Some(details)) => Err(Error::CommandFailed {
                call: call.clone(),
                message: details.words(),
            }),
            (None, None) => Ok(None),
        }
    }

    async fn ask_json<T: serde::de::DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Error> {
        let response = self.ask(ask).await?;
        model(&response.body).map_err(|source| Error::Unreadable {
            call: ask.call(),
            source,
        })
    }

    /// Sends one call: waits and repeats where it comes too early, renews the
    /// token once, and keeps quiet while the quota is used up.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        self.check_parked(&ask.call())?;
        let mut refused: Option<Token> = None;
        let mut repeats = 0;
        loop {
            let token = self.0.session.token_instead_of(refused.as_ref()).await?;
            let sent = self.0.transport.send(self.request(ask, &token)).await;
            let response = sent.map_err(|source| Error::transport(ask.call(), source))?;
            if response.is_success() {
                return Ok(response);
            }
            let text = response.text();
            let (class, message) = classify(response.status, &text);
            let wait = quota_wait(&text);
            match class {
                Class::RateLimit if repeats < REPEATS && refused.is_none() => {
                    let wait = wait.unwrap_or(Duration::from_secs(2 << repeats));
                    if wait > LONGEST_WAIT {
                        return Err(self.park(ask, wait, message));
                    }
                    tokio::time::sleep(wait).await;
                    repeats += 1;
                }
                Class::Auth if response.status == 401 && refused.is_none() => refused = Some(token),
                Class::RateLimit | Class::Quota => {
                    return Err(self.park(ask, wait.unwrap_or(USUAL_PAUSE), message));
                }
                Class::Blocked => return Err(Error::Blocked { call: ask.call() }),
                Class::Auth if response.status == 401 => {
                    return Err(LoginError::SessionEnded { message }.into());
                }
                Class::Server => {
                    let status = response.status;
                    return Err(Error::Unavailable {
                        call: ask.call(),
                        status,
                        message,
                    });
                }
                Class::Auth | Class::Other => {
                    let status = response.status;
                    let code = status.to_string();
                    return Err(Error::Refused {
                        call: ask.call(),
                        status,
                        code,
                        message,
                    });
                }
            }
        }
    }

    fn request(&self, ask: &Ask<'_>, token: &Token) -> Request {
        let session = &self.0.session;
        let agent = x_user_agent(&session.build, &ask.brand, session.region);
        let mut request = Request::new(ask.method, format!("{}{}", session.api_url, ask.path))
            .with_header("accept", ask.accept)
            .with_header("accept-language", "en")
            .with_header("x-raw-locale", "en-US")
            .with_header("user-agent", USER_AGENT)
            .with_header("x-user-agent", agent)
            .with_header("x-identity-provider", "gcdm")
            .with_header("x-correlation-id", session.correlation_id.as_str())
            .with_header("bmw-correlation-id", session.correlation_id.as_str())
            .with_header(
                "bmw-units-preferences",
                "d=KM;v=L;p=B;ec=KWH100KM;fc=L100KM;em=GKM;",
            )
            .with_header("24-hour-format", "true");
        let own = ask
            .headers
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()));
        request.headers.extend(own);
        if let Some(vin) = ask.vin.filter(|_| ask.vin_in_header) {
            request = request.with_header("bmw-vin", vin.as_str());
        }
        request = request.with_header(
            "authorization",
            format!("Bearer {}", token.access_token.expose()),
        );
        if let Some(id) = &token.session_id {
            request = request.with_header("bmw-session-id", id.as_str());
        }
        if let Some(body) = &ask.body {
            request = request.with_header("content-type", "application/json");
            request.body = body.clone();
        }
        request
    }

    fn check_parked(&self, call: &Call) -> Result<(), Error> {
        let until = *self
            .0
            .parked_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = until.and_then(|until| (until - self.now()).to_std().ok());
        match left.filter(|left| !left.is_zero()) {
            Some(retry_after) => Err(Error::Quota {
                call: call.clone(),
                retry_after,
                message: "BMW asked to wait; nothing was sent".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn park(&self, ask: &Ask<'_>, retry_after: Duration, message: String) -> Error {
        let wait = TimeDelta::from_std(retry_after).unwrap_or(TimeDelta::hours(1));
        let mut until = self
            .0
            .parked_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = self.now().checked_add_signed(wait);
        Error::Quota {
            call: ask.call(),
            retry_after,
            message,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.0.clock)()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetails {
    title: String,
    description: String,
}

impl ErrorDetails {
    fn words(self) -> String {
        match (self.title.is_empty(), self.description.is_empty()) {
            (true, true) => "no reason given".to_owned(),
            (false, false) => format!("{}: {}", self.title, self.description),
            _ => self.title + &self.description,
        }
    }
}

fn event_id(response: &Response) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        #[serde(default, deserialize_with = "lenient::text")]
        event_id: Option<String>,
    }
    let read: Result<Event, DecodeError> = model(&response.body);
    read.ok()?.event_id
}
