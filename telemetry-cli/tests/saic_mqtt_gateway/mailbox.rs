//! Messages of the account, with the simulated cloud in memory.

use saic_ismart::simulator::Activity;
use saic_ismart::{Client, Credentials, MessageGroup, Region};

use super::days::{DAY, cloud, live};

/// Each start of a car leaves a message, of which there are three pages.
#[tokio::test(start_paused = true)]
async fn only_the_newest_start_of_a_car_is_kept() {
    let mut plan = vec![(Activity::Parked, 10.0)];
    for _ in 0..50 {
        plan.extend([
            (Activity::Driving { kmh: 30.0 }, 1.0),
            (Activity::Parked, 1.0),
        ]);
    }
    plan.push((Activity::Parked, 1e6));
    let cloud = cloud(&plan);
    let directory = tempfile::tempdir().expect("temporary directory");
    // Asks for the messages.
    live(&cloud, &directory, "", DAY / 288).await;
    tokio::time::sleep(DAY / 6).await;
    live(&cloud, &directory, "", DAY / 24).await;
    let clock = cloud.clone();
    let credentials = Credentials::email("demo@example.com", "demo-password");
    let client = Client::builder(Region::Europe, credentials)
        .transport(cloud)
        .clock(move || i64::try_from(clock.now_ms()).expect("a time"))
        .build()
        .expect("a client");
    let left = client.messages(MessageGroup::Alarm, 1, 100).await;
    let left = left.expect("messages").messages;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].is_read(), Some(true));
}
