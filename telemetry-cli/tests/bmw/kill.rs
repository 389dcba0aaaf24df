//! The gateway killed around the exchange of a token, which BMW makes once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::http::request::Parts;
use bimmer::cardata::{Client, ClientId, Hosts};
use bimmer::{FileTokenStore, Token};
use serde_json::Value;
use telemetry_cli::cloud::bmw::{CLIENT_ID, CarData};
use telemetry_cli::cloud::{Answer, Cloud};

use crate::clouds::{Served, serve};
use crate::computer::Computer;
use crate::running::Running;
use crate::watcher::DEADLINE;

/// CarData that can keep the answer to an exchange to itself.
#[derive(Debug)]
struct Slow {
    cloud: CarData,
    held: Arc<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Exchanges that were asked for.
    asked: AtomicU32,
    /// The next answer is held back.
    hold: AtomicBool,
    /// One is held back now.
    holding: AtomicBool,
}

impl Cloud for Slow {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        let answer = self.cloud.answer(head, body);
        let is_exchange = String::from_utf8_lossy(body).contains("grant_type=refresh_token");
        if is_exchange {
            self.held.asked.fetch_add(1, Ordering::SeqCst);
            if self.held.hold.load(Ordering::SeqCst) {
                self.held.holding.store(true, Ordering::SeqCst);
                // Somebody else has to wake the test up meanwhile.
                tokio::task::block_in_place(|| {
                    while self.held.hold.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                });
            }
        }
        answer
    }
}

struct Home {
    computer: Computer,
    served: Served<Slow>,
    held: Arc<Held>,
    token: PathBuf,
    log: PathBuf,
}

impl Home {
    /// Logged in, with a token that has to be renewed at once.
    async fn new() -> Self {
        let held = Arc::new(Held::default());
        let cloud = Slow {
            cloud: CarData::new(1),
            held: held.clone(),
        };
        let served = serve(cloud).await;
        let computer = Computer::blank();
        let state = computer.directory.path().join("state/bmw");
        std::fs::create_dir_all(&state).unwrap();
        let token = state.join(format!("{CLIENT_ID}.token"));
        let hosts = Hosts::default().with_auth_url(&served.url);
        let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
            .hosts(hosts)
            .token_store(FileTokenStore::new(&token))
            .build()
            .unwrap();
        client.login(|_| {}).await.unwrap();
        computer.configure(&format!(
            "[gateway]\nstate_dir = \"state\"\n[[bmw]]\nclient_id = \"{CLIENT_ID}\"\n\
             auth_url = \"{url}\"\napi_url = \"{url}\"\nstream_url = \"tcp://127.0.0.1:1\"\n",
            url = served.url
        ));
        Self {
            log: computer.directory.path().join("log"),
            computer,
            served,
            held,
            token,
        }
    }

    fn start(&self) -> Running {
        let log = std::fs::File::create(&self.log).unwrap();
        Running::start(self.computer.telemetry(&["run"]).stderr(log))
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let all = async {
            while !done(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let done = tokio::time::timeout(DEADLINE, all).await;
        assert!(done.is_ok(), "never: {what}; {}", self.said());
    }

    fn asked(&self) -> u32 {
        self.held.asked.load(Ordering::SeqCst)
    }
}

fn refresh_token(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(Token::from_json(&text)?.refresh_token.expose().to_owned())
}

/// As if an hour had passed.
fn expire(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["expires_at"] = "2026-01-01T00:00:00Z".into();
    std::fs::write(path, json.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_token_is_stored_it_goes_on_without_the_user() {
    let home = Home::new().await;
    for round in 0..8 {
        expire(&home.token);
        let before = refresh_token(&home.token);
        let mut running = home.start();
        home.until("a new token", |home| {
            let now = refresh_token(&home.token);
            now.is_some() && now != before
        })
        .await;
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        running.kill();
        assert!(!home.said().contains("login"), "{}", home.said());
    }
    assert_eq!(home.asked(), 8);
    drop(home.served);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_exchange_it_asks_for_a_login_once() {
    let home = Home::new().await;
    expire(&home.token);
    home.held.hold.store(true, Ordering::SeqCst);
    let mut running = home.start();
    home.until("an exchange", |home| {
        home.held.holding.load(Ordering::SeqCst)
    })
    .await;
    running.kill();
    home.held.hold.store(false, Ordering::SeqCst);
    assert_eq!(home.asked(), 1);

    let running = home.start();
    home.until("a word", |home| {
        home.said().contains("a new login is needed")
    })
    .await;
    // Long enough for a storm to show.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let said = home.said();
    assert_eq!(said.matches("a new login is needed").count(), 1, "{said}");
    assert!(said.contains("run `telemetry login bmw`"), "{said}");
    assert_eq!(home.asked(), 2, "one attempt, and no more");
    let calls = home.served.cloud.lock().unwrap().cloud.cloud.calls_used();
    assert_eq!(calls, 0);

    // A login ends the wait, without a restart.
    let hosts = Hosts::default().with_auth_url(&home.served.url);
    let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
        .hosts(hosts)
        .token_store(FileTokenStore::new(&home.token))
        .build()
        .unwrap();
    client.login(|_| {}).await.unwrap();
    let calls = |home: &Home| home.served.cloud.lock().unwrap().cloud.cloud.calls_used();
    home.until("calls", |home| calls(home) > 0).await;
    assert_eq!(running.stop().code(), Some(0));
}
