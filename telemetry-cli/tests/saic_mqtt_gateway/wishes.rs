//! What somebody wants of a car while time passes: with the simulated cloud in
//! memory, which notes when a car is told something.

use std::fs;
use std::time::Duration;

use saic_ismart::http::Response;
use saic_ismart::simulator::{Activity, Cloud, CloudConfig, HttpRequest, InProcess, Peer, Phase};
use telemetry_cli::compat::saic::car::Wish;
use telemetry_cli::compat::saic::charging_station::Subject;
use telemetry_cli::compat::saic::gateway::Cars;

use super::VIN;
use super::days::{DAY, EPOCH_MS, PARKED, cloud, live_with};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Notes when the car is told something, in ms, and how often it is asked.
struct Told {
    cloud: Cloud,
    orders: Vec<u64>,
    questions: u32,
    /// What the cloud answers to orders is lost on the way.
    loses_answers: bool,
}

impl Peer for Told {
    fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        let path = request.target.split('?').next().unwrap_or_default();
        let is_order = path.ends_with("/vehicle/control");
        let is_first = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("event-id") && value == "0"
        };
        let is_question = path.ends_with("/vehicle/status");
        if request.headers.iter().any(is_first) {
            self.questions += u32::from(is_question);
            if is_order {
                self.orders.push(now_ms - EPOCH_MS);
            }
        }
        let mut answer = self.cloud.handle(request, now_ms);
        if is_order && self.loses_answers {
            answer.status = 502;
            answer.body = b"<html>Bad gateway</html>".to_vec();
        }
        answer
    }
}

fn told(activity: Activity) -> InProcess<Told> {
    told_in_turn(&[(activity, 1e6)])
}

fn told_in_turn(plan: &[(Activity, f64)]) -> InProcess<Told> {
    let mut config = CloudConfig::default();
    let phase = |&(activity, minutes)| Phase { activity, minutes };
    config.cars[0].plan = plan.iter().map(phase).collect();
    let told = Told {
        cloud: Cloud::new(config, 7),
        orders: Vec::new(),
        questions: 0,
        loses_answers: false,
    };
    InProcess::starting_at(told, EPOCH_MS)
}

/// Commands, each so long after the start.
fn wish(cars: &Cars, wishes: &[(Duration, &'static str, &'static str)]) {
    let (cars, wishes) = (cars.clone(), wishes.to_vec());
    tokio::spawn(async move {
        let start = tokio::time::Instant::now();
        for (after, name, payload) in wishes {
            tokio::time::sleep_until(start + after).await;
            assert!(cars.wish(VIN, Wish::told(name, payload.into(), false)));
        }
    });
}

/// What was said on a topic of the car.
fn said<'s>(said: &'s [(String, String)], topic: &str) -> Vec<&'s str> {
    let topic = super::car(topic);
    let of = said.iter().filter(|(one, _)| *one == topic);
    of.map(|(_, payload)| payload.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_switched_off_leaves_the_account_to_the_phone() {
    for (flags, mode, logins) in [
        ("", "off", 1),
        ("--polling hybrid", "off", 1),
        ("", "periodic", 2),
    ] {
        let cloud = cloud(&[PARKED]);
        let directory = tempfile::tempdir().expect("temporary directory");
        let cars = Cars::default();
        wish(&cars, &[(HOUR, "refresh/mode", mode)]);
        let phone = cloud.clone();
        tokio::spawn(async move {
            tokio::time::sleep(HOUR + 60 * SECOND).await;
            phone.cloud().cloud.log_in_elsewhere();
        });
        live_with(&cloud, &directory, flags, DAY / 2, cars).await;
        assert_eq!(cloud.cloud().cloud.logins(), logins, "{flags} {mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn restarts_beside_a_wallbox_cost_a_parked_car_nothing() {
    let cloud = cloud(&[PARKED]);
    let directory = tempfile::tempdir().expect("temporary directory");
    let stations = directory.path().join("stations.json");
    let sample = include_str!("../../packaging/saic-mqtt-gateway/charging-stations.json");
    fs::write(&stations, sample.replace("LSJTEST0000000001", VIN)).expect("written");
    let flags = format!("--charging-stations-json {}", stations.display());
    for _ in 0..24 {
        let cars = Cars::default();
        let broker = cars.clone();
        tokio::spawn(async move {
            tokio::time::sleep(5 * SECOND).await;
            // As the broker has kept it.
            let wish = Wish::Station(Subject::ChargeState, "false".to_owned());
            assert!(broker.wish(VIN, wish));
        });
        let said = live_with(&cloud, &directory, &flags, DAY / 24, cars).await;
        let charging = self::said(&said, "drivetrain/charging");
        assert!(!charging.contains(&"True"), "{charging:?}");
    }
    assert_eq!(cloud.cloud().cloud.live_calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_climate_that_is_started_with_its_temperature_is_one_order() {
    let cloud = told(Activity::Parked);
    let directory = tempfile::tempdir().expect("temporary directory");
    let cars = Cars::default();
    wish(
        &cars,
        &[
            (HOUR, "climate/remoteClimateState", "on"),
            (HOUR + SECOND / 5, "climate/remoteTemperature", "20"),
            // A double click.
            (HOUR * 2, "doors/locked", "True"),
            (HOUR * 2 + SECOND / 2, "doors/locked", "True"),
            // Nothing is to be done, nobody is woken.
            (HOUR * 3, "doors/boot", "True"),
        ],
    );
    let said = live_with(&cloud, &directory, "", HOUR * 4, cars).await;
    assert_eq!(cloud.cloud().orders.len(), 2);
    let results = |topic| self::said(&said, &format!("{topic}/result"));
    assert_eq!(results("climate/remoteClimateState"), ["Success"]);
    assert_eq!(results("climate/remoteTemperature"), ["Success"]);
    assert_eq!(results("doors/locked"), ["Success", "Success"]);
    assert_eq!(results("doors/boot"), ["Success"]);
    let temperature = self::said(&said, "climate/remoteTemperature");
    assert_eq!(temperature.last(), Some(&"20"));
}

#[tokio::test(start_paused = true)]
async fn what_the_gateway_clears_breaks_off_no_poll() {
    let mut questions = Vec::new();
    for echoes in [0, 60] {
        let cloud = told(Activity::Parked);
        let directory = tempfile::tempdir().expect("temporary directory");
        let cars = Cars::default();
        let order = (HOUR, "doors/locked", "False");
        let echo = |n| (HOUR + n * SECOND, "doors/locked", "");
        let wishes: Vec<_> = [order].into_iter().chain((1..echoes).map(echo)).collect();
        wish(&cars, &wishes);
        live_with(&cloud, &directory, "", 2 * HOUR, cars).await;
        assert_eq!(cloud.cloud().orders.len(), 1);
        questions.push(cloud.cloud().questions);
    }
    assert_eq!(questions[0], questions[1]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_an_end_cuts_off_is_made_after_the_start() {
    let cloud = told_in_turn(&[(Activity::Parked, 60.0), (Activity::OutOfReach, 1e6)]);
    let directory = tempfile::tempdir().expect("temporary directory");
    let cars = Cars::default();
    let at = HOUR + 120 * SECOND;
    wish(&cars, &[(at, "refresh/mode", "force")]);
    live_with(&cloud, &directory, "", at + 2 * SECOND, cars).await;
    let before = cloud.cloud().questions;
    live_with(&cloud, &directory, "", 60 * SECOND, Cars::default()).await;
    assert_eq!(cloud.cloud().questions, before + 1);
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_no_poll() {
    let cloud = told(Activity::OutOfReach);
    let directory = tempfile::tempdir().expect("temporary directory");
    let cars = Cars::default();
    // The first poll begins at 10 s, and the car does not answer for long.
    wish(&cars, &[(12 * SECOND, "doors/locked", "False")]);
    live_with(&cloud, &directory, "", 300 * SECOND, cars).await;
    let orders = cloud.cloud().orders.clone();
    assert!(matches!(orders[..], [12_000..13_000]), "{orders:?}");
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_is_lost_is_followed_by_a_poll() {
    let cloud = told(Activity::Parked);
    cloud.cloud().loses_answers = true;
    let directory = tempfile::tempdir().expect("temporary directory");
    let cars = Cars::default();
    let asked_before = cloud.clone();
    let before = tokio::spawn(async move {
        tokio::time::sleep(HOUR).await;
        asked_before.cloud().questions
    });
    wish(&cars, &[(HOUR + SECOND, "doors/locked", "False")]);
    let said = live_with(&cloud, &directory, "", HOUR + 120 * SECOND, cars).await;
    let result = self::said(&said, "doors/locked/result");
    assert!(
        matches!(result[..], [one] if one.starts_with("Failed: ") && one.contains("may have obeyed")),
        "{result:?}"
    );
    assert_eq!(cloud.cloud().orders.len(), 1);
    let before = before.await.expect("no panic");
    assert_eq!(cloud.cloud().questions, before + 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_while_the_gateway_ends_has_its_result() {
    let cloud = told(Activity::Parked);
    let directory = tempfile::tempdir().expect("temporary directory");
    let cars = Cars::default();
    wish(&cars, &[(HOUR, "doors/locked", "False")]);
    // The car takes 25 s to answer.
    let end = HOUR + SECOND * 49 / 2;
    let said = live_with(&cloud, &directory, "", end, cars).await;
    assert_eq!(self::said(&said, "doors/locked/result"), ["Success"]);
}
