use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};
use serde::Deserialize;

use super::Client;
use super::send::Ask;
use crate::endpoint::lenient;
use crate::error::Error;
use crate::form;
use crate::http::Method;
use crate::mybmw::charging_history::{ChargingSessions, ChargingStatistics, SessionDetails};
use crate::mybmw::consumption::Sustainability;
use crate::mybmw::profile::Profile;

/// As many charges as the app asks for at once.
const MOST_SESSIONS: &str = "40";
/// As many weeks as the app asks for at once.
const WEEKS: &str = "7";

/// The month that a time is in, in UTC.
fn month(at: DateTime<Utc>) -> String {
    format!("{:04}-{:02}", at.year(), at.month())
}

impl Client {
    /// Charges of the month of a time, summed up. Endpoint
    /// `/eadrax-chs/v2/charging-statistics`.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn charging_statistics(
        &self,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<ChargingStatistics, Error> {
        let date = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let query = form::encode(&[("vin", profile.vin.as_str()), ("currentDate", &date)]);
        let path = format!("/eadrax-chs/v2/charging-statistics?{query}");
        self.ask_json(&about("charging statistics", path, profile))
            .await
    }

    /// Charges of the month of a time, 40 at most. Endpoint
    /// `/eadrax-chs/v2/charging-sessions`.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn charging_sessions(
        &self,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<ChargingSessions, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            charging_sessions: Option<ChargingSessions>,
        }
        let date = format!("{}-01T00:00:00.000Z", month(at));
        let query = form::encode(&[
            ("vin", profile.vin.as_str()),
            ("next_token", ""),
            ("date", &date),
            ("maxResults", MOST_SESSIONS),
            // With it the date is left aside, and the present month comes.
            ("include_date_picker", "false"),
        ]);
        let path = format!("/eadrax-chs/v2/charging-sessions?{query}");
        let answer: Answer = self
            .ask_json(&about("charging sessions", path, profile))
            .await?;
        Ok(answer.charging_sessions.unwrap_or_default())
    }

    /// More about a charge, by its [`id`](crate::mybmw::ChargingSession::id).
    /// Endpoint `/eadrax-chs/v2/charging-sessions/{id}`. Told by one source.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn charging_session(
        &self,
        profile: &Profile,
        id: &str,
    ) -> Result<SessionDetails, Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Answer {
            Session { details: SessionDetails },
            Details(SessionDetails),
        }
        let id = form::encode(&[("", id)]);
        let path = format!(
            "/eadrax-chs/v2/charging-sessions/{}",
            id.trim_start_matches('=')
        );
        let answer = self
            .ask_json(&about("charging session", path, profile))
            .await?;
        Ok(match answer {
            Answer::Session { details } | Answer::Details(details) => details,
        })
    }

    /// What the car used on its last trip and this month. Endpoint
    /// `/eadrax-suscs/v1/vehicles/sustainability`.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn sustainability(&self, profile: &Profile) -> Result<Sustainability, Error> {
        let path = "/eadrax-suscs/v1/vehicles/sustainability";
        let ask = self.about_trips("consumption", path.to_owned(), profile);
        self.ask_json(&ask.await?).await
    }

    /// Trips of the month of a time, grouped by week, as JSON text: nobody has
    /// described it. Endpoint `/eadrax-suscs/v1/vehicles/sustainability/trips/history`.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn trips(&self, profile: &Profile, at: DateTime<Utc>) -> Result<String, Error> {
        let query = form::encode(&[
            ("date", month(at).as_str()),
            ("offset", "0"),
            ("limit", WEEKS),
            ("groupByWeek", "true"),
            ("timezone", "+00:00"),
        ]);
        let path = format!("/eadrax-suscs/v1/vehicles/sustainability/trips/history?{query}");
        let ask = self.about_trips("trips", path, profile).await?;
        Ok(self.ask(&ask).await?.text().into_owned())
    }

    /// Trips of the month of a time, summed up, as JSON text: nobody has
    /// described it. Endpoint `/eadrax-suscs/v1/vehicles/sustainability/trips/statistics`.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn trip_statistics(
        &self,
        profile: &Profile,
        at: DateTime<Utc>,
    ) -> Result<String, Error> {
        let query = form::encode(&[("date", month(at).as_str()), ("timezone", "+00:00")]);
        let path = format!("/eadrax-suscs/v1/vehicles/sustainability/trips/statistics?{query}");
        let ask = self.about_trips("trip statistics", path, profile).await?;
        Ok(self.ask(&ask).await?.text().into_owned())
    }

    async fn about_trips<'a>(
        &self,
        name: &'static str,
        path: String,
        profile: &'a Profile,
    ) -> Result<Ask<'a>, Error> {
        let mut ask = about(name, path, profile);
        let gcid = self.token().await?.gcid;
        ask.headers.extend(gcid.map(|gcid| ("x-gcid", gcid)));
        Ok(ask)
    }
}

fn about<'a>(name: &'static str, path: String, profile: &'a Profile) -> Ask<'a> {
    Ask::new(name, Method::Get, path, profile.brand()).about(&profile.vin)
}
