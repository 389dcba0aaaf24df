//! The embedded database: one SQLite file that holds the journal, the history
//! and the devices, written through one connection.

use std::path::Path;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Sqlite};
use tokio::sync::{Mutex, MutexGuard};

use crate::store::Cell;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Rows per INSERT statement, largest first. Few fixed sizes, because each is
/// a prepared statement of its own; the largest stays below SQLite's 32,766
/// placeholders with the widest table.
const CHUNKS: [usize; 3] = [64, 8, 1];

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
        let options = match path {
            Some(path) => SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal),
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

    /// This gateway's id: made once, then for ever the first part of the key
    /// of each of its rows.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The connection; one at a time.
    pub async fn lock(&self) -> MutexGuard<'_, SqliteConnection> {
        self.connection.lock().await
    }

    /// Writes what is left to the file and closes it.
    pub async fn close(self) {
        if let Err(error) = self.connection.into_inner().close().await {
            tracing::warn!(%error, "closing the embedded database failed");
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

/// Inserts `rows`, each with one cell per column, as few statements.
///
/// # Errors
/// Those of the database; what was inserted before is up to the transaction.
pub async fn insert(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    let mut rows = rows;
    for chunk in CHUNKS {
        if rows.len() < chunk {
            continue;
        }
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES {}",
            columns.join(","),
            vec![row; chunk].join(",")
        );
        while let Some((now, later)) = rows.split_at_checked(chunk) {
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for cell in now.iter().flatten() {
                query = bind(query, cell.clone());
            }
            query.execute(&mut *connection).await?;
            rows = later;
        }
    }
    Ok(())
}

fn bind(
    query: Query<'_, Sqlite, SqliteArguments>,
    cell: Cell,
) -> Query<'_, Sqlite, SqliteArguments> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Real(number) => query.bind(number),
        Cell::Integer(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
    }
}
