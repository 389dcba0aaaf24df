mod builder;
mod command;
mod history;
mod send;

use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use self::send::Ask;
use super::charging::ChargingDetails;
use super::china_login::SliderCaptcha;
use super::gcj02::gcj02_to_wgs84;
use super::profile::{Capabilities, Profile};
use super::region::Region;
use super::session::Session;
use super::state::VehicleState;
use super::vehicle::Vehicle;
use crate::clock::Clock;
use crate::endpoint::lenient;
use crate::error::Error;
#[cfg(feature = "jpeg")]
use crate::error::LoginError;
use crate::form;
use crate::http::{Method, Transport};
use crate::secret::Secret;
use crate::token::Token;
use crate::types::{Brand, Vin, open_enum};

pub use self::builder::ClientBuilder;

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

/// Pictures that a login asks for.
#[cfg(feature = "jpeg")]
const PICTURES: u32 = 3;

/// One account of the app. Clones share the session.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
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

impl Client {
    /// A valid token: the stored one, a renewed one, or one of a new login.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the user has to do something, [`Error::Blocked`] if
    /// BMW lets nobody in.
    pub async fn token(&self) -> Result<Token, Error> {
        self.0.session.token_instead_of(None).await
    }

    /// Waits for a renewal that is under way, and stores a token that could not
    /// be stored when it came. For programs that are about to drop the last
    /// clone: such a token is lost with it, and the session too.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if it can still not be stored.
    pub async fn settle(&self) -> Result<(), Error> {
        self.0.session.keeper.settle().await
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

    /// Begins the login of the region China: a picture with a notch, whose place
    /// [`slider_position`](crate::mybmw::slider_position) finds in its pixels.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] in other regions or without credentials, any
    /// other if the server refuses.
    pub async fn begin_china_login(&self) -> Result<SliderCaptcha, Error> {
        self.0.session.begin_china_login().await
    }

    /// Finishes that login and stores the session.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if place, phone number or password are wrong.
    pub async fn finish_china_login(
        &self,
        captcha: &SliderCaptcha,
        position: &str,
    ) -> Result<Token, Error> {
        self.0.session.finish_china_login(captcha, position).await
    }

    /// The login of the region China in one go: three pictures are tried at most.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if no picture could be solved, or phone number or
    /// password are wrong. As [`begin_china_login`](Self::begin_china_login)
    /// otherwise.
    #[cfg(feature = "jpeg")]
    pub async fn china_login(&self) -> Result<Token, Error> {
        for _ in 0..PICTURES {
            let captcha = self.begin_china_login().await?;
            if let Some(position) = captcha.position() {
                return self.finish_china_login(&captcha, &position).await;
            }
        }
        let message = format!("none of {PICTURES} pictures has a notch that can be found");
        Err(LoginError::Refused { message }.into())
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
            match self
                .charging_details(profile, &capabilities, fetched_at)
                .await
            {
                Ok(details) => Some(details),
                Err(error) if concerns_account(&error) => return Err(error),
                // A car without its charging settings still has a state.
                Err(error) => {
                    tracing::debug!(%error, "no charging details");
                    None
                }
            }
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
                Err(error) if concerns_account(&error) => return Err(error),
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
}

/// Whether the next vehicle would fail as well.
const fn concerns_account(error: &Error) -> bool {
    matches!(
        error,
        Error::Quota { .. } | Error::Login(_) | Error::Blocked { .. } | Error::Store(_)
    )
}
