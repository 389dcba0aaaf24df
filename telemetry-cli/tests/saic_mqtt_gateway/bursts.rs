//! Many messages at once.

use telemetry_cli::config;
use telemetry_cli::sink::mqtt::session::{Kind, Outgoing, Session, Speaker};
use telemetry_cli::supervisor::{Exit, Task};
use tokio_util::sync::CancellationToken;

use super::LWT;
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

/// More than a connection takes at once.
const MANY: usize = 400;

fn tell(topic: String) -> Outgoing {
    Outgoing::Tell {
        topic,
        payload: "x".to_owned(),
        retain: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_of_a_burst_is_lost_and_the_state_waits_for_those_before_it() {
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let (speaker, outgoing) = Speaker::new();
    let config = config::Mqtt::new(format!("tcp://{}", broker.address()));
    let (session, _heard) =
        Session::new(&config, LWT.to_owned(), outgoing).expect("a configuration");
    let shutdown = CancellationToken::new();
    let task = Task {
        name: "mqtt".to_owned(),
        shutdown: shutdown.clone(),
    };
    let running = tokio::spawn(session.run(task));
    watcher.wait_for(LWT, "online").await;

    for number in 0..MANY {
        speaker.say(tell(format!("burst/{number}")));
    }
    speaker.say(Outgoing::Hold {
        kind: Kind::Value,
        topic: "burst/state".to_owned(),
        payload: "after".to_owned(),
        always: false,
    });
    watcher.wait_for("burst/state", "after").await;
    let missing = |from: usize, watcher: &Watcher| {
        (from..from + MANY)
            .filter(|number| !watcher.last.contains_key(&format!("burst/{number}")))
            .count()
    };
    assert_eq!(missing(0, &watcher), 0);

    // What was said last arrives, too.
    for number in MANY..2 * MANY {
        speaker.say(tell(format!("burst/{number}")));
    }
    shutdown.cancel();
    assert_eq!(running.await.expect("no panic"), Exit::Stopped);
    watcher.wait_for(LWT, "offline").await;
    assert_eq!(missing(MANY, &watcher), 0);
}
