//! Each entry arrives once and in its order, whatever is killed when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::gateway::{Gateway, assert_counted, eventually, rows};
use crate::link::Link;
use crate::server::{Database, MariaDb};
use crate::shared;

const TAKEN: &str = "SELECT taken FROM gateway";

/// The same database behind another address.
fn behind(database: &Database, address: SocketAddr) -> String {
    let port = database
        .config
        .lines()
        .find(|line| line.starts_with("port"))
        .unwrap();
    database
        .config
        .replace(port, &format!("port = {}", address.port()))
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_waited_for() {
    let mut server = MariaDb::start();
    let database = server.database().await;
    server.kill();
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    gateway.count("pack", 0, 700).await;
    let why = gateway.trouble(&database.config).await;
    assert!(
        why.contains("nothing listens there; is the server running"),
        "{why}"
    );
    server.restart();
    let mut root = database.inside().await;
    eventually(&mut root, TAKEN, 700).await;
    assert_counted(&mut root, gateway.id(), 700).await;
    let counts = gateway.stats.counts();
    assert_eq!(counts["mariadb"].health(), "ok");
    assert!(counts["mariadb"].failures > 0);
    let (_, error) = counts["mariadb"].last_error.clone().unwrap();
    assert!(error.contains("nothing listens there"), "{error}");
    sink.stop().await;
    assert_eq!(gateway.journal.backlog().await.unwrap()["mariadb"], 0);
}

/// The server is killed while entries are appended and written.
#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_server_lose_nothing_and_double_nothing() {
    const KILLS: i64 = 6;
    const EACH: i64 = 400;
    let mut server = MariaDb::start();
    let database = server.database().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.with("batch = 7"));
    for kill in 0..KILLS {
        for number in kill * EACH..(kill + 1) * EACH {
            gateway.append(crate::gateway::reading("pack", number));
            if number % 50 == 0 {
                sleep(Duration::from_millis(2)).await;
            }
        }
        sleep(Duration::from_millis(fastrand::u64(5..150))).await;
        tokio::task::block_in_place(|| {
            server.kill();
            server.restart();
        });
    }
    let mut root = database.inside().await;
    eventually(&mut root, TAKEN, KILLS * EACH).await;
    assert_counted(&mut root, gateway.id(), KILLS * EACH).await;
    sink.stop().await;
}

/// The gateway is killed at points that look random: in the middle of a
/// transaction, between its commit and the journal's cursor.
#[tokio::test(flavor = "multi_thread")]
async fn kills_of_the_gateway_lose_nothing_and_double_nothing() {
    const COUNT: i64 = 3000;
    let database = shared().database().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    gateway.count("pack", 0, COUNT).await;
    gateway.close().await;
    let mut kills = 0;
    let mut root = database.inside().await;
    loop {
        let gateway = Gateway::open(&directory).await;
        let sink = gateway.start(&database.with("batch = 5"));
        sleep(Duration::from_millis(fastrand::u64(20..200))).await;
        sink.kill().await;
        kills += 1;
        let taken: Result<i64, _> = sqlx::query_scalar(TAKEN).fetch_one(&mut root).await;
        let id = gateway.id().to_owned();
        gateway.close().await;
        if let Ok(taken) = taken {
            // Whatever was committed by now, looked at once: no gap, nothing
            // twice. More may come in that was on its way.
            let rows = rows(&mut root, &id).await;
            let count = rows.len() as i64;
            assert!(count >= taken);
            let counted: Vec<_> = (0..count).map(|cycles| (cycles + 1, cycles)).collect();
            assert_eq!(rows, counted);
            if taken == COUNT {
                break;
            }
        }
        assert!(kills < 2000, "it gets nowhere");
    }
    println!("{kills} kills");
    assert!(kills > 3);
    assert_counted(&mut root, Gateway::open(&directory).await.id(), COUNT).await;
}

/// Forwards to a server; lets the `COMMIT` through and keeps the answer, so
/// that its sender cannot know.
async fn thief(target: SocketAddr, armed: Arc<AtomicBool>, stolen: Arc<AtomicU32>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let Ok(mut far) = TcpStream::connect(target).await else {
                continue;
            };
            let (armed, stolen) = (armed.clone(), stolen.clone());
            tokio::spawn(async move {
                let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
                let mut keep = false;
                loop {
                    tokio::select! {
                        read = near.read(&mut up) => {
                            let Ok(length @ 1..) = read else { return };
                            let commit = up[..length].windows(6).any(|part| part == b"COMMIT");
                            keep = commit && armed.swap(false, Ordering::SeqCst);
                            if far.write_all(&up[..length]).await.is_err() { return }
                        }
                        read = far.read(&mut down) => {
                            let Ok(length @ 1..) = read else { return };
                            if keep {
                                stolen.fetch_add(1, Ordering::SeqCst);
                                return;
                            }
                            if near.write_all(&down[..length]).await.is_err() { return }
                        }
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_commit_without_an_answer_is_not_repeated() {
    const ROUNDS: i64 = 5;
    let database = shared().database().await;
    let armed = Arc::new(AtomicBool::new(false));
    let stolen = Arc::new(AtomicU32::new(0));
    let address = thief(shared().address(), armed.clone(), stolen.clone()).await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&behind(&database, address));
    let mut root = database.inside().await;
    for round in 0..ROUNDS {
        armed.store(true, Ordering::SeqCst);
        gateway.count("pack", round * 40, (round + 1) * 40).await;
        eventually(&mut root, TAKEN, (round + 1) * 40).await;
    }
    sink.stop().await;
    assert_eq!(stolen.load(Ordering::SeqCst), ROUNDS as u32);
    assert_counted(&mut root, gateway.id(), ROUNDS * 40).await;
    assert_eq!(gateway.stats.counts()["mariadb"].set_aside, 0);
}

#[tokio::test]
async fn cut_links_heal() {
    let database = shared().database().await;
    let link = Link::to(shared().address()).await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&behind(&database, link.address));
    let mut root = database.inside().await;
    for round in 0..5 {
        gateway.count("pack", round * 100, (round + 1) * 100).await;
        sleep(Duration::from_millis(fastrand::u64(1..30))).await;
        link.cut();
    }
    eventually(&mut root, TAKEN, 500).await;
    sink.stop().await;
    assert_counted(&mut root, gateway.id(), 500).await;
}

#[tokio::test]
async fn what_was_read_last_arrives_before_the_end() {
    let database = shared().database().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.with("batch = 50"));
    let mut root = database.inside().await;
    gateway.count("pack", 0, 1).await;
    eventually(&mut root, TAKEN, 1).await;
    gateway.count("pack", 1, 900).await;
    sink.stop().await;
    assert_counted(&mut root, gateway.id(), 900).await;
    let consumer = gateway.journal.consumer("mariadb").await.unwrap();
    assert_eq!(consumer.taken(), 900, "and the journal knows it");
}

#[tokio::test]
async fn a_server_that_hangs_does_not_hold_up_the_end() {
    let server = MariaDb::start();
    let database = server.database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    gateway.count("pack", 0, 5).await;
    eventually(&mut root, TAKEN, 5).await;
    server.pause();
    gateway.count("pack", 5, 300).await;
    sink.stop().await;
    // Neither does one that hangs from the start.
    gateway.start(&database.config).stop().await;
    server.resume();
    let sink = gateway.start(&database.config);
    eventually(&mut root, TAKEN, 300).await;
    sink.stop().await;
    assert_counted(&mut root, gateway.id(), 300).await;
}
