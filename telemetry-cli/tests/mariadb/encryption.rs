//! Encryption: as much as was asked for, never less.

use std::fs;
use std::path::{Path, PathBuf};

use telemetry_cli::config;
use telemetry_cli::sink::mariadb::probe;
use tempfile::{TempDir, tempdir};

use crate::certificate::Authority;
use crate::gateway::{Gateway, eventually};
use crate::server::{Database, MariaDb, execute};
use crate::shared;

/// A server with a certificate for `localhost`, and who has signed it.
struct Encrypted {
    server: MariaDb,
    files: TempDir,
}

impl Encrypted {
    fn start() -> Self {
        let files = tempdir().unwrap();
        for name in ["server", "client", "stranger"] {
            certify(files.path(), name);
        }
        let path = |name: &str| files.path().join(name).display().to_string();
        let server = MariaDb::with(
            &[
                &format!("--ssl-cert={}", path("server/localhost.pem")),
                &format!("--ssl-key={}", path("server/localhost.key")),
                // Clients may show certificates of this one.
                &format!("--ssl-ca={}", path("client/ca.pem")),
            ],
            |_| {},
        );
        Self { server, files }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// What `probe` says with these lines.
    async fn probe(&self, database: &Database, host: &str, lines: &str) -> Result<String, String> {
        let config = database.config.replace("127.0.0.1", host);
        let config: config::MariaDb = toml::from_str(&format!("{config}{lines}")).unwrap();
        probe(&config).await.map_err(|failure| failure.message)
    }
}

#[tokio::test]
async fn each_degree_of_encryption_is_kept() {
    let encrypted = Encrypted::start();
    let database = encrypted.server.database().await;
    let ca = |name: &str| format!("ca = '{}'\n", encrypted.file(name).display());
    let good = ca("server/ca.pem");
    let wrong = ca("stranger/ca.pem");
    let with = async |host: &str, lines: &str| encrypted.probe(&database, host, lines).await;

    let found = with("localhost", "tls = 'disabled'").await.unwrap();
    assert!(found.contains(", not encrypted;"), "{found}");
    for lines in ["", "tls = 'preferred'", "tls = 'required'"] {
        let found = with("127.0.0.1", lines).await.unwrap();
        assert!(
            found.contains("TLSv1.3, certificate not checked;"),
            "{found}"
        );
    }
    let found = with("localhost", &good).await.unwrap();
    assert!(found.contains("TLSv1.3, certificate checked;"), "{found}");
    let identity = format!("{good}tls = 'verify_identity'");
    assert!(
        with("localhost", &identity)
            .await
            .unwrap()
            .contains("certificate checked")
    );
    let authority = format!("{good}tls = 'verify_ca'");
    assert!(
        with("127.0.0.1", &authority)
            .await
            .unwrap()
            .contains("certificate checked")
    );

    let why = with("127.0.0.1", &good).await.unwrap_err();
    assert!(
        why.ends_with("its certificate is for another host name; check mariadb.host"),
        "{why}"
    );
    let unknown = "nobody known has signed its certificate; set mariadb.ca to the authority's file";
    for lines in [
        wrong.as_str(),
        "tls = 'verify_identity'",
        &format!("{wrong}tls = 'verify_ca'"),
    ] {
        let why = with("localhost", lines).await.unwrap_err();
        assert!(why.ends_with(unknown), "{why}");
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_not_taken_for_one_with() {
    let database = shared().database().await;
    let directory = tempdir().unwrap();
    let files = tempdir().unwrap();
    certify(files.path(), "server");
    let gateway = Gateway::open(&directory).await;
    let ca = format!("ca = '{}'", files.path().join("server/ca.pem").display());
    for lines in ["tls = 'required'", "tls = 'verify_identity'", &ca] {
        let why = gateway.trouble(&database.with(lines)).await;
        assert!(
            why.contains("it offers no encryption, and mariadb.tls or mariadb.ca asks for it"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn users_may_have_to_encrypt_or_to_show_a_certificate() {
    let encrypted = Encrypted::start();
    let database = encrypted.server.database().await;
    let name = &database.name;
    let mut root = database.inside().await;
    let with = async |lines: &str| encrypted.probe(&database, "localhost", lines).await;
    execute(&mut root, &format!("ALTER USER '{name}'@'%' REQUIRE SSL")).await;
    let why = with("tls = 'disabled'").await.unwrap_err();
    assert!(
        why.contains("if it lets this user in over TLS only, leave out mariadb.tls"),
        "{why}"
    );
    with("").await.unwrap();

    execute(&mut root, &format!("ALTER USER '{name}'@'%' REQUIRE X509")).await;
    let file = |name: &str| encrypted.file(name).display().to_string();
    let ca = format!("ca = '{}'\n", file("server/ca.pem"));
    assert!(with(&ca).await.unwrap_err().contains("it refuses the user"));
    let shown = |name: &str| {
        let certificate = file(&format!("{name}/localhost.pem"));
        let key = file(&format!("{name}/localhost.key"));
        format!("{ca}client_cert = '{certificate}'\nclient_key = '{key}'\n")
    };
    with(&shown("client")).await.unwrap();
    with(&shown("stranger")).await.unwrap_err();

    // And rows travel on such a connection, through a restart.
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let config = database.config.replace("127.0.0.1", "localhost");
    let sink = gateway.start(&format!("{config}{}", shown("client")));
    gateway.count("pack", 0, 600).await;
    eventually(&mut root, "SELECT taken FROM gateway", 600).await;
    sink.stop().await;
}

/// An authority, and a certificate of it for `localhost`, in `directory/NAME`.
fn certify(directory: &Path, name: &str) {
    let directory = directory.join(name);
    fs::create_dir(&directory).unwrap();
    Authority::new(&directory).sign("localhost");
}
