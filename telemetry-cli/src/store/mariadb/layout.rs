//! The tables and views in MariaDB: versioned, and safe to make by several
//! gateways at once.
//!
//! MariaDB commits each change of a table at once, so a migration can end half
//! way. Therefore none is ever "dirty": its statements can be repeated, and its
//! number is noted when all of them are done.

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Row};

use super::number;

/// Each migration once, in the order in which they are applied; the first one
/// leads to version 1.
const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/mariadb/0001_layout.sql")];

/// The version that this program writes.
pub const VERSION: usize = MIGRATIONS.len();

/// Gateways that migrate the same database take turns. In a cluster the lock
/// holds on one node only, and a proxy may not know it: it spares them
/// needless work and deadlocks, nothing depends on it.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('telemetry ', SHA1(DATABASE())), 60)";
const UNLOCK: &str = "SELECT RELEASE_LOCK(CONCAT('telemetry ', SHA1(DATABASE())))";

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS layout (\
    version INT NOT NULL PRIMARY KEY, program TEXT NOT NULL, applied_at DATETIME(3) NOT NULL\
    ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4";

const NO_SUCH_TABLE: u16 = 1146;

/// Why there is no layout to write to.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A later version of this program has been here.
    #[error("its tables have layout {found}, and this version knows layouts up to {VERSION}")]
    Newer {
        /// What was found.
        found: usize,
    },
    /// The server failed or refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Version of the layout in the database; 0 if there is none.
///
/// # Errors
/// Those of the server, and [`LayoutError::Newer`].
pub async fn version(connection: &mut MySqlConnection) -> Result<usize, LayoutError> {
    let newest = sqlx::query("SELECT MAX(version) FROM layout")
        .fetch_one(connection)
        .await;
    let found = match newest {
        Ok(row) => row.try_get::<Option<i32>, _>(0)?.unwrap_or(0),
        Err(error) if number(&error) == Some(NO_SUCH_TABLE) => 0,
        Err(error) => return Err(error.into()),
    };
    let found = usize::try_from(found).unwrap_or(0);
    match found > VERSION {
        true => Err(LayoutError::Newer { found }),
        false => Ok(found),
    }
}

/// Brings the layout up to date. Needs no right to change tables where there
/// is nothing to change.
///
/// # Errors
/// Those of the server, and [`LayoutError::Newer`].
pub async fn migrate(connection: &mut MySqlConnection) -> Result<(), LayoutError> {
    if version(connection).await? == VERSION {
        return Ok(());
    }
    if let Err(error) = sqlx::query(LOCK).execute(&mut *connection).await {
        tracing::debug!(%error, "migrating without a lock");
    }
    let result = apply(connection).await;
    // The server does it, too, when the connection ends.
    let _ = sqlx::query(UNLOCK).execute(connection).await;
    result
}

async fn apply(connection: &mut MySqlConnection) -> Result<(), LayoutError> {
    // Another gateway may have done it meanwhile.
    let found = version(connection).await?;
    sqlx::raw_sql(VERSIONS).execute(&mut *connection).await?;
    for (place, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        sqlx::raw_sql(*migration).execute(&mut *connection).await?;
        let program = env!("CARGO_PKG_VERSION");
        sqlx::query(AssertSqlSafe(format!(
            "INSERT IGNORE INTO layout (version, program, applied_at) \
             VALUES ({}, '{program}', UTC_TIMESTAMP(3))",
            place + 1
        )))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
