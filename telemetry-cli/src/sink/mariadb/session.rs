//! One connection to the server: what it is set to, and the transactions that
//! run on it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::mysql::MySqlConnection;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::time::{sleep, timeout};

use super::failure::{Class, Failure};
use super::settings::Settings;
use crate::event::{Device, DeviceId, ReadingJson};
use crate::journal::Entry;
use crate::store::mariadb::{Refused, Target, device_row, forget, insert, layout, server_error};
use crate::store::{Cell, STORED, row};

/// Until the server has let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// Until a transaction is through; a server under load may take its time.
const ANSWER: Duration = Duration::from_secs(120);

/// Attempts at a transaction that others were in the way of.
const ATTEMPTS: u32 = 8;

/// A device's `last_seen` is written again when it is this old, in
/// milliseconds.
const SEEN: i64 = 60_000;

/// A reason is cut to so many characters.
const REASON: usize = 2000;

/// Not what the server's configuration says: every mistake is an error, times
/// are UTC, an idle connection stays, and a lock is not waited for longer than
/// a transaction may take.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', wait_timeout = 28800, innodb_lock_wait_timeout = 20, autocommit = 1";

/// A gateway's own row.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) id: String,
    pub(super) name: String,
}

/// The open connection.
#[derive(Debug)]
pub(super) struct Session {
    connection: MySqlConnection,
    settings: Settings,
    gateway: Gateway,
    most_bytes: usize,
    /// What the server calls itself.
    pub(super) server: String,
    /// Protocol version, empty without encryption.
    pub(super) encryption: String,
    /// The devices as the database has them: description and `last_seen`.
    devices: BTreeMap<DeviceId, (Device, i64)>,
}

impl Session {
    /// Connects. Touches no table.
    pub(super) async fn open(settings: &Settings, gateway: Gateway) -> Result<Self, Failure> {
        let options = settings.reveal().map_err(Failure::login)?;
        let fail = |error: sqlx::Error| Failure::new(&error, settings);
        let connecting = async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(SESSION).execute(&mut connection).await?;
            let about = "SELECT VERSION(), CAST(@@max_allowed_packet AS SIGNED)";
            let about = sqlx::query(about).fetch_one(&mut connection).await?;
            let status = sqlx::query("SHOW SESSION STATUS LIKE 'Ssl_version'")
                .fetch_optional(&mut connection)
                .await?;
            Ok(Self {
                server: about.try_get(0)?,
                most_bytes: usize::try_from(about.try_get::<i64, _>(1)?).unwrap_or(usize::MAX),
                encryption: status.map_or(Ok(String::new()), |row| row.try_get(1))?,
                connection,
                settings: settings.clone(),
                gateway,
                devices: BTreeMap::new(),
            })
        };
        match timeout(CONNECT, connecting).await {
            Ok(result) => result.map_err(fail),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    /// Version of the layout in the database.
    pub(super) async fn layout(&mut self) -> Result<usize, Failure> {
        let found = timeout(ANSWER, layout::version(&mut self.connection)).await;
        let found = found.map_err(|_| Failure::no_answer())?;
        found.map_err(|error| Failure::of_layout(&error, &self.settings))
    }

    /// Brings the layout up to date.
    pub(super) async fn migrate(&mut self) -> Result<(), Failure> {
        let migrating = layout::migrate(&mut self.connection);
        match timeout(ANSWER, migrating).await {
            Ok(result) => result.map_err(|error| Failure::of_layout(&error, &self.settings)),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    /// Introduces the gateway; the number of its last entry in the database.
    /// `trouble` is what kept it away, and when.
    pub(super) async fn introduce(
        &mut self,
        trouble: Option<&(DateTime<Utc>, String)>,
    ) -> Result<i64, Failure> {
        let sql = "INSERT INTO gateway (id, name, version, taken, behind, first_contact, \
                       last_contact, last_error, last_error_at) \
                   VALUES (?, ?, ?, 0, 0, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), ?, ?) \
                   ON DUPLICATE KEY UPDATE name = VALUES(name), version = VALUES(version), \
                       last_contact = VALUES(last_contact), \
                       last_error = COALESCE(VALUES(last_error), last_error), \
                       last_error_at = COALESCE(VALUES(last_error_at), last_error_at)";
        let (at, text) = trouble.map(|(at, text)| (at.naive_utc(), text)).unzip();
        let introduce = sqlx::query(sql)
            .bind(&self.gateway.id)
            .bind(&self.gateway.name)
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(text)
            .bind(at);
        let taken = async {
            introduce.execute(&mut self.connection).await?;
            sqlx::query_scalar("SELECT taken FROM gateway WHERE id = ?")
                .bind(&self.gateway.id)
                .fetch_one(&mut self.connection)
                .await
        };
        let taken = timeout(ANSWER, taken).await;
        self.answer(taken)
    }

    /// A sign of life, and how many entries wait.
    pub(super) async fn beat(&mut self, behind: i64) -> Result<(), Failure> {
        let sql = "UPDATE gateway SET last_contact = UTC_TIMESTAMP(3), behind = ? WHERE id = ?";
        let beat = sqlx::query(sql).bind(behind).bind(&self.gateway.id);
        let done = timeout(ANSWER, beat.execute(&mut self.connection)).await;
        self.answer(done).map(drop)
    }

    /// Deletes some of this gateway's rows from before `limit`; how many.
    pub(super) async fn forget(&mut self, limit: DateTime<Utc>) -> Result<u64, Failure> {
        let mut forgotten = 0;
        for kind in STORED {
            let forgetting = forget(&mut self.connection, kind, &self.gateway.id, limit);
            let done = timeout(ANSWER, forgetting).await;
            forgotten += self.answer(done)?;
        }
        Ok(forgotten)
    }

    /// Writes `entries`, of which there is at least one, in one transaction
    /// with the number of the last one; `before` is the number that the
    /// database has to have now. Comes back with the numbers of the readings
    /// that had to be set aside, and the reasons.
    ///
    /// The number is what makes each entry arrive exactly once: whoever does
    /// not know whether a transaction was committed asks for it.
    pub(super) async fn write(
        &mut self,
        entries: &[Entry],
        known: &BTreeMap<DeviceId, Device>,
        before: i64,
        behind: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        let mut attempt = 1;
        loop {
            let transaction = self.transaction(entries, known, before, behind);
            let result = timeout(ANSWER, transaction).await;
            match result.unwrap_or_else(|_| Err(Failure::no_answer())) {
                Err(failure) if failure.class == Class::Again && attempt < ATTEMPTS => {
                    tracing::debug!(
                        attempt,
                        reason = failure.text,
                        "the transaction is repeated"
                    );
                    sleep(Duration::from_millis(fastrand::u64(5..50) << attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn transaction(
        &mut self,
        entries: &[Entry],
        known: &BTreeMap<DeviceId, Device>,
        before: i64,
        behind: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        let Some(last) = entries.last() else {
            return Ok(Vec::new());
        };
        let due = self.due(entries, known);
        let settings = &self.settings;
        let id = &self.gateway.id;
        let fail = |error: sqlx::Error| Failure::new(&error, settings);
        let mut connection = self.connection.begin().await.map_err(fail)?;
        let moved = sqlx::query(
            "UPDATE gateway SET taken = ?, behind = ?, last_contact = UTC_TIMESTAMP(3) \
             WHERE id = ? AND taken = ?",
        )
        .bind(last.number)
        .bind(behind)
        .bind(id)
        .bind(before)
        .execute(&mut *connection)
        .await
        .map_err(fail)?;
        if moved.rows_affected() == 0 {
            return Err(Failure::later(format!(
                "somebody else writes as gateway {id}; is a copy of its state directory in use?"
            )));
        }
        let mut aside = Vec::new();
        for kind in STORED {
            let of_kind: Vec<_> = entries.iter().filter(|e| e.reading.kind == kind).collect();
            let rows: Vec<_> = of_kind
                .iter()
                .map(|entry| row(id, entry.number, &entry.reading))
                .collect();
            let target = Target::readings(kind);
            let refused = insert(&mut connection, &target, &rows, self.most_bytes).await;
            for Refused { place, reason } in refused.map_err(fail)? {
                if let Some(entry) = of_kind.get(place) {
                    aside.push((*entry, reason.chars().take(REASON).collect::<String>()));
                }
            }
        }
        if !aside.is_empty() {
            let rows: Vec<_> = aside
                .iter()
                .map(|(entry, reason)| aside_row(id, entry, reason, known, self.most_bytes / 2))
                .collect();
            let target = Target::set_aside();
            let refused = insert(&mut connection, &target, &rows, self.most_bytes).await;
            if let Some(refused) = refused.map_err(fail)?.first() {
                let reason = &refused.reason;
                return Err(Failure::later(format!(
                    "a refused reading cannot even be set aside: {reason}"
                )));
            }
        }
        let rows: Vec<_> = due
            .values()
            .map(|(device, first, last)| device_row(device, *first, *last))
            .collect();
        let refused = insert(&mut connection, &Target::devices(), &rows, self.most_bytes).await;
        for Refused { place, reason } in refused.map_err(fail)? {
            let device = due.keys().nth(place);
            tracing::warn!(?device, reason, "its description is refused");
        }
        connection.commit().await.map_err(fail)?;
        for (id, (device, _, last)) in due {
            self.devices.insert(id, (device, last));
        }
        let aside = aside.into_iter().map(|(entry, why)| (entry.number, why));
        Ok(aside.collect())
    }

    /// The devices to write: those that are new, described anew, or not noted
    /// for a while; with the first and last time that they were heard of in
    /// `entries`. In their order, so that gateways that share devices lock
    /// them in the same one.
    fn due(
        &self,
        entries: &[Entry],
        known: &BTreeMap<DeviceId, Device>,
    ) -> BTreeMap<DeviceId, (Device, i64, i64)> {
        let mut due: BTreeMap<DeviceId, (Device, i64, i64)> = BTreeMap::new();
        for Entry { reading, .. } in entries {
            let now = reading.fetched_at.timestamp_millis();
            if let Some((_, first, last)) = due.get_mut(&reading.device) {
                *first = now.min(*first);
                *last = now.max(*last);
                continue;
            }
            let device = known.get(&reading.device);
            let noted = self.devices.get(&reading.device);
            let fresh = noted.is_some_and(|(as_noted, last)| {
                now - last < SEEN && device.is_none_or(|device| device == as_noted)
            });
            if !fresh {
                let device = device.cloned();
                let device =
                    device.unwrap_or_else(|| Device::unknown(reading.device.clone(), reading.kind));
                due.insert(reading.device.clone(), (device, now, now));
            }
        }
        due
    }

    /// What the server made of something that may have hung.
    fn answer<T>(
        &self,
        result: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Failure> {
        match result {
            Ok(result) => result.map_err(|error| Failure::new(&error, &self.settings)),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    /// Whether the user may write, as far as that can be seen without writing.
    pub(super) async fn try_to_write(&mut self) -> Result<(), Failure> {
        // Refused to whom may not, and changes nothing: no gateway has no id.
        let nothing = sqlx::query("UPDATE gateway SET taken = taken WHERE id = ''");
        let done = timeout(ANSWER, nothing.execute(&mut self.connection)).await;
        self.answer(done).map(drop)
    }

    /// Gives memory back that a large batch has taken.
    pub(super) fn rest(&mut self) {
        self.connection.shrink_buffers();
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            let said = server_error(&error).map(|error| error.message());
            tracing::debug!(said, "the connection ended before its end");
        }
    }
}

/// The whole reading as JSON, for [`Target::set_aside`]; if not even that can
/// be sent, its beginning.
fn aside_row(
    gateway: &str,
    entry: &Entry,
    reason: &str,
    known: &BTreeMap<DeviceId, Device>,
    most_bytes: usize,
) -> Vec<Cell> {
    let reading = &entry.reading;
    let stranger = Device::unknown(reading.device.clone(), reading.kind);
    let device = known.get(&reading.device).unwrap_or(&stranger);
    let mut json = serde_json::to_string(&ReadingJson { device, reading }).unwrap_or_default();
    json.truncate(json.floor_char_boundary(most_bytes));
    vec![
        Cell::Text(gateway.to_owned()),
        Cell::Integer(entry.number),
        Cell::Text(reading.device.to_string()),
        Cell::Text(reading.kind.as_str().to_owned()),
        Cell::Text(reason.to_owned()),
        Cell::Text(json),
        Cell::Time(Utc::now().timestamp_millis()),
    ]
}
