//! The embedded database: one SQLite file that holds the journal, the history
//! and the devices, written through one connection.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::migrate::{Migrate as _, MigrateError};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous,
};
use tokio::sync::{Mutex, MutexGuard};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Where sqlx notes which migrations were made.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// Why the embedded database failed.
#[derive(Debug, thiserror::Error)]
#[error("embedded database: {0}")]
pub struct DatabaseError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl From<sqlx::migrate::MigrateError> for DatabaseError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self(error.into())
    }
}

/// Which version's tables a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// This one's.
    Current,
    /// An older one's, which the next start upgrades.
    Older,
}

/// The open file.
#[derive(Debug)]
pub struct Database {
    connection: Mutex<SqliteConnection>,
    gateway: String,
}

impl Database {
    /// Opens or creates the file at `path`, in memory without one, and brings
    /// its tables up to date.
    ///
    /// # Errors
    /// If the file cannot be written, or comes from a newer version.
    pub async fn open(path: Option<&Path>) -> Result<Self, DatabaseError> {
        Self::open_as(path, SqliteLockingMode::Normal).await
    }

    /// The same, and nobody else can read the file meanwhile. What readers and
    /// writer share is a file, too, which commits write to the disk.
    ///
    /// # Errors
    /// The same, or if somebody else has it open.
    pub async fn open_exclusive(path: Option<&Path>) -> Result<Self, DatabaseError> {
        Self::open_as(path, SqliteLockingMode::Exclusive).await
    }

    async fn open_as(
        path: Option<&Path>,
        locking: SqliteLockingMode,
    ) -> Result<Self, DatabaseError> {
        let options = match path {
            Some(path) => SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .locking_mode(locking)
                .journal_mode(SqliteJournalMode::Wal)
                // A number that was handed out must not be used again after a
                // power failure. Commits are a second apart, so this is cheap.
                .synchronous(SqliteSynchronous::Full)
                // Each commit writes whole pages, and a reading is small.
                .page_size(1024),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let mut connection = options
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging()
            .connect()
            .await?;
        MIGRATIONS.run(&mut connection).await?;
        let gateway = gateway_id(&mut connection).await?;
        Ok(Self {
            connection: Mutex::new(connection),
            gateway,
        })
    }

    /// Opens an existing file to look at it.
    ///
    /// # Errors
    /// If there is no such file, or it is none of ours.
    pub async fn open_read_only(path: &Path) -> Result<Self, DatabaseError> {
        let mut connection = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging()
            .connect()
            .await?;
        let gateway = sqlx::query_scalar("SELECT id FROM gateway")
            .fetch_one(&mut connection)
            .await?;
        Ok(Self {
            connection: Mutex::new(connection),
            gateway,
        })
    }

    /// Whether the tables of the file at `path` are those of this version.
    /// Nothing is changed.
    ///
    /// # Errors
    /// If it is none of ours, or comes from a newer version.
    pub async fn layout(path: &Path) -> Result<Layout, DatabaseError> {
        let database = Self::open_read_only(path).await?;
        let connection = &mut *database.lock().await;
        let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await?;
        for migration in &applied {
            match MIGRATIONS
                .iter()
                .find(|known| known.version == migration.version)
            {
                None => return Err(MigrateError::VersionMissing(migration.version).into()),
                Some(known) if known.checksum != migration.checksum => {
                    return Err(MigrateError::VersionMismatch(migration.version).into());
                }
                Some(_) => {}
            }
        }
        Ok(match MIGRATIONS.iter().count() == applied.len() {
            true => Layout::Current,
            false => Layout::Older,
        })
    }

    /// This gateway's id: made once, then for ever the first part of the key
    /// of each of its rows.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The connection; one at a time.
    pub async fn lock(&self) -> MutexGuard<'_, SqliteConnection> {
        self.connection.lock().await
    }

    /// Moves everything from the write-ahead log into the file, so that the
    /// file alone is complete.
    pub async fn checkpoint(&self) {
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = checkpoint.execute(&mut *self.lock().await).await {
            tracing::debug!(%error, "the write-ahead log stays for the next start");
        }
    }
}

async fn gateway_id(connection: &mut SqliteConnection) -> Result<String, sqlx::Error> {
    let fresh = format!("{:012x}", fastrand::u64(..1 << 48));
    sqlx::query("INSERT INTO gateway (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM gateway)")
        .bind(fresh)
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("SELECT id FROM gateway")
        .fetch_one(&mut *connection)
        .await
}

/// Begins a transaction. Not sqlx's: after a commit that failed, SQLite has
/// rolled back by itself, sqlx still counts a transaction, and every later
/// commit would only release a savepoint.
///
/// # Errors
/// Those of the database.
pub async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let begun = execute(connection, "BEGIN IMMEDIATE").await;
    if begun.is_err() {
        // The next attempt must not find the rest of this one.
        let _ = execute(connection, "ROLLBACK").await;
    }
    begun
}

/// Ends the transaction: commits if `result` is good, else rolls back.
///
/// # Errors
/// `result`, or those of the commit; nothing was written then.
pub async fn finish(
    connection: &mut SqliteConnection,
    result: Result<(), sqlx::Error>,
) -> Result<(), sqlx::Error> {
    let result = match result {
        Ok(()) => execute(connection, "COMMIT").await,
        Err(error) => Err(error),
    };
    if result.is_err() {
        // Fails where SQLite has rolled back by itself.
        let _ = execute(connection, "ROLLBACK").await;
    }
    result
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(drop)
}
