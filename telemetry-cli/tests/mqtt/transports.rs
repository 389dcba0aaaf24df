//! Every way to a broker: encrypted or not, bare or through a web socket.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::*;
use crate::certificate::{Authority, Certificate};

/// A Mosquitto with a second listener, and what its clients need.
struct Secured {
    /// Holds the certificates until the end.
    _directory: TempDir,
    authority: Authority,
    mosquitto: Mosquitto,
    port: u16,
}

impl Secured {
    /// With `lines` about the second listener; `server` is its certificate.
    fn start(lines: impl FnOnce(&Certificate, &Path) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new(directory.path());
        let server = authority.sign("localhost");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let lines = lines(&server, &authority.file());
        let mosquitto = Mosquitto::start(
            &format!("allow_anonymous true\nlistener {port} 127.0.0.1\n{lines}"),
            |_| {},
        );
        Self {
            _directory: directory,
            authority,
            mosquitto,
            port,
        }
    }

    /// Configuration of a gateway that goes through the second listener.
    fn config(&self, scheme: &str, more: &str) -> String {
        format!("url = '{scheme}://localhost:{}'\n{more}", self.port)
    }

    fn ca(&self) -> String {
        format!("ca = '{}'\n", self.authority.file().display())
    }

    /// A gateway of that configuration gets its reading to the broker.
    async fn serves(&self, config: &str) {
        let mut watcher = Watcher::new(self.mosquitto.address()).await;
        let gateway = Gateway::with(config);
        gateway.read(42.5);
        watcher.wait_for(SOC, "42.5").await;
        watcher.wait_for(STATUS, "online").await;
        assert_eq!(gateway.stop().await, Exit::Stopped);
        watcher.wait_for(STATUS, "offline").await;
    }

    /// A gateway of that configuration is not let in, and says `why`.
    async fn refuses(&self, config: &str, why: &str) {
        let log = Log::default();
        let _guard = log.listen();
        let gateway = Gateway::with(config);
        gateway.read(42.5);
        let said = async {
            while !log.text().contains(why) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, said).await.is_err() {
            panic!("never: {why}; said: {}", log.text());
        }
        assert_eq!(gateway.stop().await, Exit::Stopped);
        let kept = retained(self.mosquitto.address()).await;
        assert!(!kept.contains_key(SOC), "{kept:?}");
    }
}

fn encrypted(server: &Certificate, _: &Path) -> String {
    format!(
        "certfile {}\nkeyfile {}\n",
        server.chain.display(),
        server.key.display()
    )
}

/// What the gateway logs on this thread.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own() {
    let broker = Secured::start(encrypted);
    broker.serves(&broker.config("tls", &broker.ca())).await;
}

#[tokio::test]
async fn a_broker_nobody_vouches_for_is_not_trusted() {
    let broker = Secured::start(encrypted);
    let unknown = "nobody known has signed its certificate";
    broker.refuses(&broker.config("tls", ""), unknown).await;

    let elsewhere = tempfile::tempdir().unwrap();
    let other = Authority::new(elsewhere.path());
    let ca = format!("ca = '{}'\n", other.file().display());
    broker.refuses(&broker.config("tls", &ca), unknown).await;

    // The right authority, another name.
    let address = broker
        .config("tls", &broker.ca())
        .replace("localhost", "127.0.0.1");
    broker.refuses(&address, "for another host name").await;
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let broker = Secured::start(|server, ca| {
        let server = encrypted(server, ca);
        let ca = ca.display();
        format!("{server}cafile {ca}\nrequire_certificate true\nuse_identity_as_username true\n")
    });
    let Certificate { chain, key } = broker.authority.sign("gateway");
    let (chain, key) = (chain.display(), key.display());
    let ours = format!(
        "{}client_cert = '{chain}'\nclient_key = '{key}'\n",
        broker.ca()
    );
    let none = broker.config("tls", &broker.ca());
    broker
        .refuses(&none, "does it ask for mqtt.client_cert?")
        .await;
    broker.serves(&broker.config("tls", &ours)).await;
}

#[tokio::test]
async fn a_web_socket_carries_the_same() {
    let broker = Secured::start(|_, _| "protocol websockets\n".to_owned());
    broker.serves(&broker.config("ws", "")).await;
}

#[tokio::test]
async fn an_encrypted_web_socket_carries_the_same() {
    let broker =
        Secured::start(|server, ca| format!("protocol websockets\n{}", encrypted(server, ca)));
    let unknown = "nobody known has signed its certificate";
    broker.refuses(&broker.config("wss", ""), unknown).await;
    broker.serves(&broker.config("wss", &broker.ca())).await;
}

#[tokio::test]
async fn an_encrypted_port_is_recognised_without_encryption() {
    let broker = Secured::start(encrypted);
    let why = "encrypted port with an unencrypted mqtt.url";
    broker.refuses(&broker.config("tcp", ""), why).await;
}
