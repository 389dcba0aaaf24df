//! What is in the way is said in plain words, with the line that mends it.

use telemetry_cli::config;
use telemetry_cli::exit::Code;
use telemetry_cli::sink::mariadb::probe;
use telemetry_cli::supervisor::Exit;
use tempfile::tempdir;

use crate::gateway::{Gateway, eventually};
use crate::server::{MariaDb, PASSWORD, execute};
use crate::shared;

async fn probed(config: &str) -> Result<String, (Code, String)> {
    let config: config::MariaDb = toml::from_str(config).expect("valid");
    assert!(!format!("{config:?}").contains(PASSWORD));
    let found = probe(&config).await;
    let found = found.map_err(|failure| (failure.code, failure.message));
    assert!(!format!("{found:?}").contains(PASSWORD));
    found
}

#[tokio::test]
async fn a_refused_login_is_tried_again_and_a_missing_password_is_not() {
    let database = shared().database().await;
    let name = &database.name;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let wrong = database.config.replace(PASSWORD, "hunter2");
    // The server's side may be mended while we run.
    let Exit::Transient(why) = gateway.run_once(&wrong).await else {
        panic!("it is tried again");
    };
    let expected = format!(
        "MariaDB {}: it refuses the user {name}; check mariadb.user and mariadb.password (a new \
         user: CREATE USER '{name}'@'%' IDENTIFIED BY '…'; GRANT ALL ON {name}.* TO '{name}'@'%';)",
        shared().address()
    );
    assert_eq!(why, expected);
    assert_eq!(probed(&wrong).await, Err((Code::Login, expected)));

    let missing = database.config.replace(PASSWORD, "file:/no/such/file");
    let Exit::LoginNeeded(why) = gateway.run_once(&missing).await else {
        panic!("a login is needed");
    };
    assert!(
        why.contains("mariadb.password: cannot read /no/such/file"),
        "{why}"
    );
}

#[tokio::test]
async fn databases_and_rights_that_are_missing_come_with_the_line_that_helps() {
    let database = shared().database().await;
    let name = &database.name;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let elsewhere = database
        .config
        .replace(&format!("database = '{name}'"), "database = 'not there'");
    // Without any right to it, the server does not say whether it exists.
    let why = gateway.trouble(&elsewhere).await;
    let line = format!(
        "CREATE DATABASE IF NOT EXISTS `not there` CHARACTER SET utf8mb4; GRANT ALL \
                        ON `not there`.* TO '{name}'@'%';"
    );
    assert!(why.contains(&line), "{why}");
    execute(
        &mut root,
        &format!("GRANT ALL ON `not there`.* TO '{name}'@'%'"),
    )
    .await;
    let Exit::Transient(why) = gateway.run_once(&elsewhere).await else {
        panic!("it heals by itself");
    };
    assert!(
        why.contains("it has no database not there: CREATE DATABASE `not there`"),
        "{why}"
    );
    // Exactly that line, and it works.
    execute(
        &mut root,
        "CREATE DATABASE `not there` CHARACTER SET utf8mb4",
    )
    .await;
    let found = probed(&elsewhere).await.unwrap();
    assert!(
        found.ends_with("database not there: no tables yet (telemetry run makes them)"),
        "{found}"
    );

    execute(
        &mut root,
        &format!("REVOKE ALL ON {name}.* FROM '{name}'@'%'"),
    )
    .await;
    execute(
        &mut root,
        &format!("GRANT SELECT ON {name}.* TO '{name}'@'%'"),
    )
    .await;
    let Exit::Transient(why) = gateway.run_once(&database.config).await else {
        panic!("it heals by itself");
    };
    let grant = format!("GRANT ALL ON {name}.* TO '{name}'@'%';");
    assert!(
        why.contains("may not do this (CREATE command denied") && why.ends_with(&grant),
        "{why}"
    );
    // Heals while the sink waits.
    let sink = gateway.start(&database.config);
    gateway.count("pack", 0, 3).await;
    execute(&mut root, &grant).await;
    eventually(&mut root, "SELECT taken FROM gateway", 3).await;
    sink.stop().await;

    execute(
        &mut root,
        &format!("REVOKE ALL ON {name}.* FROM '{name}'@'%'"),
    )
    .await;
    execute(
        &mut root,
        &format!("GRANT SELECT ON {name}.* TO '{name}'@'%'"),
    )
    .await;
    let (code, why) = probed(&database.config).await.unwrap_err();
    assert_eq!(code, Code::Backend);
    assert!(
        why.contains("UPDATE command denied") && why.ends_with(&grant),
        "{why}"
    );
}

#[tokio::test]
async fn a_read_only_server_is_recognized() {
    let server = MariaDb::start();
    let database = server.database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    gateway.count("pack", 0, 3).await;
    eventually(&mut root, "SELECT taken FROM gateway", 3).await;
    execute(&mut root, "SET GLOBAL read_only = 1").await;
    let (code, why) = probed(&database.config).await.unwrap_err();
    assert_eq!(code, Code::Backend);
    assert!(why.contains("it is read-only; is it a replica?"), "{why}");
    let why = gateway.trouble(&database.config).await;
    assert!(why.contains("it is read-only"), "{why}");
    gateway.count("pack", 3, 6).await;
    execute(&mut root, "SET GLOBAL read_only = 0").await;
    eventually(&mut root, "SELECT taken FROM gateway", 6).await;
    sink.stop().await;
}

#[tokio::test]
async fn what_is_no_server_is_told_apart() {
    let database = shared().database().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let port = |port: u16| {
        let line = format!("port = {}", shared().address().port());
        database.config.replace(&line, &format!("port = {port}"))
    };
    // Nobody there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = free.local_addr().unwrap().port();
    drop(free);
    let why = gateway.trouble(&port(unused)).await;
    assert!(
        why.ends_with("nothing listens there; is the server running, and is the port right?"),
        "{why}"
    );
    // Somebody else.
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap();
    let talker = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut socket, _)) = other.accept().await {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    let why = gateway.trouble(&port(address.port())).await;
    assert!(
        why.contains("no MariaDB server") || why.contains("it closed the connection"),
        "{why}"
    );
    talker.abort();
    let unknown = database.config.replace("127.0.0.1", "no-such-host.invalid");
    let why = gateway.trouble(&unknown).await;
    assert!(why.contains("unknown host; check mariadb.host"), "{why}");
}

#[tokio::test]
async fn the_probe_says_what_it_found() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    let found = probed(&database.config).await.unwrap();
    assert!(found.contains("MariaDB"), "{found}");
    let rest = format!(
        " at {}, not encrypted; database {}: layout 1",
        shared().address(),
        database.name
    );
    assert!(found.ends_with(&rest), "{found}");
    // The same by the socket.
    let socket = format!("socket = '{}'", shared().socket().display());
    let found = probed(&database.with(&socket)).await.unwrap();
    assert!(
        found.contains(&format!(
            " at {}, not encrypted",
            shared().socket().display()
        )),
        "{found}"
    );
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
}
