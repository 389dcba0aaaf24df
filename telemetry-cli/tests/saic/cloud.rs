//! The simulated cloud in this process, which tells who asked it what.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use saic_ismart::simulator::{self, Activity, CarConfig, CloudConfig, Phase};
use telemetry_cli::cloud::saic::{BASE_PATH, Saic};
use telemetry_cli::cloud::{Answer, Cloud, Server};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A cloud, and the requests that came.
pub(crate) struct Watched {
    saic: Saic,
    requests: Vec<String>,
}

impl Cloud for Watched {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        self.requests.push(head.uri.path().replace(BASE_PATH, ""));
        self.saic.answer(head, body)
    }
}

/// A cloud with an MG4 that charges all day.
pub(crate) struct TestCloud {
    pub(crate) base_url: String,
    watched: Arc<Mutex<Watched>>,
    _runtime: Runtime,
}

impl TestCloud {
    pub(crate) fn start() -> Self {
        let plan = vec![Phase {
            activity: Activity::Charging { kw: 7.2 },
            minutes: 1440.0,
        }];
        let car = CarConfig {
            plan,
            ..CarConfig::default()
        };
        let config = CloudConfig {
            cars: vec![car],
            ..CloudConfig::default()
        };
        let watched = Arc::new(Mutex::new(Watched {
            saic: Saic::new(config, 7),
            requests: Vec::new(),
        }));
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime
            .block_on(Server::bind((Ipv4Addr::LOCALHOST, 0).into()))
            .expect("a port");
        let base_url = format!("http://{}{BASE_PATH}/", server.local_addr());
        runtime.spawn(server.run(watched.clone(), CancellationToken::new()));
        Self {
            base_url,
            watched,
            _runtime: runtime,
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To look at it, or to break it.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut simulator::Cloud) -> T) -> T {
        change(&mut self.watched().saic.0)
    }

    /// What was asked since the last look, by path.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.watched().requests)
    }
}
