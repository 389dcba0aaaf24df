//! History mode.

use super::*;

#[tokio::test]
async fn the_history_misses_nothing() {
    const COUNT: usize = 1500;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("telemetry.sqlite");
    let database = Arc::new(Database::open(Some(&file)).await.unwrap());
    let limits = Limits {
        commit_interval: Duration::from_millis(5),
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: None,
    };
    let consumers = [mqtt::CONSUMER.to_owned()].into();
    let journal = Journal::open(database, limits, consumers).await.unwrap();
    let writing = CancellationToken::new();
    let writer = tokio::spawn(Writer::new(journal.clone()).run(writing.clone()));

    let mosquitto = Mosquitto::open();
    let link = Link::to(mosquitto.address()).await;
    let config = format!("url = 'tcp://{}'\nhistory = true", link.address);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let gateway = Gateway::with_journal(&config, Some(journal.clone()));
    for number in 0..COUNT {
        gateway.read(number as f64 / 16.0);
        if number % 100 == 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if number == 700 {
            watcher.wait_for(STATUS, "online").await;
            link.cut();
        }
    }
    // A restart of the sink in the middle.
    let has = |number: usize| {
        let text = format!("\"number\":{number},");
        move |watcher: &Watcher| watcher.last.get(HISTORY).is_some_and(|l| l.contains(&text))
    };
    watcher.wait_until("some of the history", has(300)).await;
    assert_eq!(gateway.stop().await, Exit::Stopped);
    let gateway = Gateway::with_journal(&config, Some(journal.clone()));
    watcher.wait_until("all of the history", has(COUNT)).await;
    let mut numbers = history(&watcher);
    let sent = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (1..=COUNT as i64).collect::<Vec<_>>());
    assert!(
        sent < COUNT + 400,
        "{sent} sent: again only what was not acknowledged"
    );
    assert_eq!(gateway.stop().await, Exit::Stopped);

    // Delivered is delivered.
    let backlog = journal.backlog().await.unwrap();
    assert_eq!(backlog, [("mqtt".to_owned(), 0)].into());
    writing.cancel();
    writer.await.unwrap();
}

/// Numbers of the history's entries, as they came.
fn history(watcher: &Watcher) -> Vec<i64> {
    let entries = watcher.log.iter().filter(|(t, ..)| t == HISTORY);
    entries
        .map(|(_, payload, retained)| {
            assert!(!retained);
            let json: serde_json::Value = serde_json::from_str(payload).unwrap();
            assert_eq!(json["device"]["id"], "jbd-pack");
            assert!(json["measured_at"].is_string() && json["gateway"].is_string());
            json["number"].as_i64().unwrap()
        })
        .collect()
}
