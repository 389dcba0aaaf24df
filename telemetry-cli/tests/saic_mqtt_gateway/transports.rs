//! Ways to the broker: encrypted, and through a web socket.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use saic_ismart::simulator::Activity;

use super::{LWT, Program, Simulated, car};
use crate::certificate::Authority;
use crate::mosquitto::Mosquitto;
use crate::running::Running;
use crate::watcher::{DEADLINE, Watcher};

/// A broker with another listener of this configuration, and its port.
fn broker(lines: &str) -> (Mosquitto, u16) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    let lines = format!("allow_anonymous true\nlistener {port} 127.0.0.1\n{lines}");
    (Mosquitto::start(&lines, |_| {}), port)
}

/// The gateway publishes through the other listener, and hears its commands.
async fn works(broker: &Mosquitto, uri: &str, flags: &[&str]) {
    let cloud = Simulated::doing(Activity::Parked).await;
    let mut watcher = Watcher::new(broker.address()).await;
    let running = Program::new(&cloud, uri).start(flags);
    watcher.wait_for(LWT, "online").await;
    watcher.wait_for(&car("refresh/mode"), "periodic").await;
    assert_eq!(
        super::tell(&mut watcher, "refresh/mode", "off").await,
        "Success"
    );
    assert!(running.stop().success());
    watcher.wait_for(LWT, "offline").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_broker_is_verified() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path());
    let server = authority.sign("localhost");
    let lines = format!(
        "certfile {}\nkeyfile {}\n",
        server.chain.display(),
        server.key.display()
    );
    let (broker, port) = broker(&lines);
    let ca = authority.file().display().to_string();
    let uri = format!("tls://localhost:{port}");
    works(&broker, &uri, &["--mqtt-server-cert", &ca]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_counts_if_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new(directory.path());
    let server = authority.sign("broker.example");
    let lines = format!(
        "certfile {}\nkeyfile {}\n",
        server.chain.display(),
        server.key.display()
    );
    let (broker, port) = broker(&lines);
    let ca = authority.file().display().to_string();
    let uri = format!("tls://localhost:{port}");
    let flag = "--mqtt-server-cert-check-hostname";
    let strict = ["--mqtt-server-cert", &ca];
    refused(
        &uri,
        &strict,
        &format!("another host name; check `--mqtt-uri`, or give `{flag} false`"),
    )
    .await;
    works(&broker, &uri, &["--mqtt-server-cert", &ca, flag, "false"]).await;

    // Who has signed it counts all the same.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Authority::new(elsewhere.path())
        .file()
        .display()
        .to_string();
    let lax = ["--mqtt-server-cert", &other, flag, "false"];
    refused(&uri, &lax, "nobody known has signed its certificate").await;
}

/// The gateway does not connect, and says why.
async fn refused(uri: &str, flags: &[&str], why: &str) {
    let cloud = Simulated::doing(Activity::Parked).await;
    let program = Program::new(&cloud, uri);
    let mut command = program.command(flags);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("it was built");
    let stderr = child.stderr.take().expect("a pipe");
    let running = Running::of(child);
    let expected = why.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        lines.find(|line| line.contains(&expected))
    });
    let found = tokio::time::timeout(DEADLINE, read).await.expect(why);
    assert!(found.expect("no panic").is_some(), "{why}");
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_works() {
    let (broker, port) = broker("protocol websockets\n");
    works(&broker, &format!("ws://localhost:{port}"), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_the_password_is_said_of_its_flag() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::with_login("me", "right");
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let flags = ["--mqtt-user", "me", "--mqtt-password", "wrong"];
    let mut command = program.command(&flags);
    let ended = tokio::task::spawn_blocking(move || command.output()).await;
    let ended = ended.expect("no panic").expect("the program");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(6), "{said}");
    assert!(
        said.contains("check `--mqtt-user` and `--mqtt-password`"),
        "{said}"
    );
    assert!(!said.contains("mqtt.password"), "{said}");
}
