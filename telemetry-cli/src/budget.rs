//! Daily budgets on disk: a restart loop must not cost requests.

use chrono::{DateTime, Utc};

use crate::database::{Database, DatabaseError};
use crate::schedule::Budget;

/// The budget of `name` with what earlier runs spent of it.
///
/// # Errors
/// Those of the database.
pub async fn load(database: &Database, name: &str, limit: u32) -> Result<Budget, DatabaseError> {
    let spent: Vec<i64> = sqlx::query_scalar("SELECT at FROM request WHERE budget = ?")
        .bind(name)
        .fetch_all(&mut *database.lock().await)
        .await?;
    let spent = spent
        .into_iter()
        .filter_map(DateTime::from_timestamp_millis);
    Ok(Budget::new(limit, spent.collect()))
}

/// Writes down the last request of `budget`, before it is made.
///
/// # Errors
/// Those of the database.
pub async fn save(database: &Database, name: &str, budget: &Budget) -> Result<(), DatabaseError> {
    let times: Vec<DateTime<Utc>> = budget.spent().collect();
    let (Some(oldest), Some(newest)) = (times.first(), times.last()) else {
        return Ok(());
    };
    let mut connection = database.lock().await;
    sqlx::query("INSERT OR IGNORE INTO request (budget, at) VALUES (?, ?)")
        .bind(name)
        .bind(newest.timestamp_millis())
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM request WHERE budget = ? AND at < ?")
        .bind(name)
        .bind(oldest.timestamp_millis())
        .execute(&mut *connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Action, Schedule};
    use std::time::Duration;

    #[tokio::test]
    async fn what_was_spent_stays_spent() {
        let database = Database::open(None).await.unwrap();
        let now = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        let budget = load(&database, "pack", 2).await.unwrap();
        let mut schedule = Schedule::new(Duration::from_secs(1), Some(budget), 0);
        for second in [0, 100] {
            let now = now + chrono::TimeDelta::seconds(second);
            assert_eq!(schedule.next_action(now), Action::Poll);
            schedule.polled(now);
            save(&database, "pack", schedule.budget().unwrap())
                .await
                .unwrap();
        }
        let budget = load(&database, "pack", 2).await.unwrap();
        assert_eq!(Some(&budget), schedule.budget());
        assert_eq!(budget.left(now), 0);
        assert_eq!(load(&database, "other", 2).await.unwrap().left(now), 2);
    }
}
