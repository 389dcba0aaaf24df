//! Those who are told besides the broker's readers, each in its own time: what
//! one cannot take keeps neither the other from it nor the car from a command.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::super::abrp::Abrp;
use super::super::osmand::Osmand;
use super::super::shared::Shared;
use super::Answer;

/// What they are told.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) answer: Answer,
    pub(super) capacity_kwh: Option<f64>,
    pub(super) at: DateTime<Utc>,
}

/// The newest report, if there is one.
pub(super) type Newest = watch::Receiver<Option<Arc<Report>>>;

/// Tells them, until nobody reports any more.
pub(super) async fn run(shared: Shared, vin: String, newest: Newest) {
    let say = |name: &str, text: String| {
        shared.hold(shared.names.vehicle(&vin, name), text, true);
    };
    let abrp = async {
        let mut newest = newest.clone();
        let Some(mut abrp) = Abrp::new(&shared.options.abrp, &vin) else {
            let why = "ABRP request skipped because of missing configuration";
            while next(&mut newest).await.is_some() {
                say("_internal/abrp", why.to_owned());
            }
            return;
        };
        while let Some(report) = next(&mut newest).await {
            let Report {
                answer,
                capacity_kwh,
                at,
            } = &*report;
            if let Some(said) = abrp.send(&shared, answer, *capacity_kwh, *at).await {
                say("_internal/abrp", said);
            }
        }
    };
    let osmand = async {
        let Some(osmand) = &shared.options.osmand else {
            return;
        };
        let mut osmand = Osmand::new(osmand, &vin);
        let mut newest = newest.clone();
        while let Some(report) = next(&mut newest).await {
            if let Some(said) = osmand.send(&shared, &report.answer, report.at).await {
                say("_internal/osmand", said);
            }
        }
    };
    tokio::join!(abrp, osmand);
}

async fn next(newest: &mut Newest) -> Option<Arc<Report>> {
    newest.changed().await.ok()?;
    newest.borrow_and_update().clone()
}
