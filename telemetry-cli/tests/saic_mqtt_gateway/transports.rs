//! Ways to the broker: encrypted, and through a web socket.

use std::net::TcpListener;

use saic_ismart::simulator::Activity;

use super::{LWT, Program, Simulated, car};
use crate::certificate::Authority;
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

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
