//! The embedded broker, for itself.

use super::*;

#[tokio::test]
async fn it_works_with_mosquittos_tools() {
    let broker = broker().await;
    let (host, port) = (broker.ip().to_string(), broker.port().to_string());
    let publish = |topic: &'static str, more: &'static [&'static str]| {
        let (host, port) = (host.clone(), port.clone());
        tokio::task::spawn_blocking(move || {
            let status = tool("mosquitto_pub")
                .args(["-h", &host, "-p", &port, "-t", topic])
                .args(more)
                .status();
            assert!(started(status).success());
        })
    };
    publish("a/über/1", &["-m", "retained", "-r", "-q", "1"])
        .await
        .unwrap();
    publish("a/b/2", &["-m", "gone", "-r"]).await.unwrap();
    publish("a/b/2", &["-n", "-r", "-q", "1"]).await.unwrap();
    let child = tool("mosquitto_sub")
        .args(["-h", &host, "-p", &port, "-t", "a/#", "-q", "1"])
        .args(["-v", "-C", "2", "-W", "60"])
        .stdout(Stdio::piped())
        .spawn();
    let child = started(child);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output());
    // Until it has subscribed, this is repeated.
    while !output.is_finished() {
        publish("a/b/3", &["-m", "live", "-q", "1"]).await.unwrap();
    }
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "a/über/1 retained\na/b/3 live\n");
}

#[tokio::test]
async fn wills_follow_an_ungraceful_end_only() {
    let broker = broker().await;
    let mut watcher = Watcher::new(broker).await;
    let will = |topic: &str| Some(LastWill::new(topic, "gone", QoS::AtLeastOnce, true));
    let polite = Watcher::connect(broker, "polite", 0, will("will/polite")).await;
    polite.leave().await;
    drop(Watcher::connect(broker, "rude", 0, will("will/rude")).await);
    watcher.wait_for("will/rude", "gone").await;
    assert!(!watcher.last.contains_key("will/polite"));

    // A second connection of the same client ends the first one.
    let mut first = Watcher::connect(broker, "twin", 0, will("will/twin")).await;
    let _second = Watcher::connect(broker, "twin", 0, None).await;
    watcher.wait_for("will/twin", "gone").await;
    while first.packet().await.is_some() {}
}

#[tokio::test]
async fn a_silent_client_is_cut() {
    let broker = broker().await;
    let mut watcher = Watcher::new(broker).await;
    let mut connect = rumqttc::Connect::new("silent");
    connect.keep_alive = 1;
    connect.last_will = Some(LastWill::new("silent", "x", QoS::AtMostOnce, false));
    let mut socket = TcpStream::connect(broker).await.unwrap();
    let mut bytes = tokio_util::bytes::BytesMut::new();
    Packet::Connect(connect).write(&mut bytes, 1024).unwrap();
    socket.write_all(&bytes).await.unwrap();
    watcher.wait_for("silent", "x").await;
}

#[tokio::test]
async fn garbage_costs_its_sender_the_connection_and_nothing_else() {
    let broker = broker().await;
    let mut watcher = Watcher::new(broker).await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut connect = tokio_util::bytes::BytesMut::new();
    Packet::Connect(rumqttc::Connect::new(""))
        .write(&mut connect, 1024)
        .unwrap();
    for round in 0..400 {
        let mut socket = TcpStream::connect(broker).await.unwrap();
        if round % 2 == 0 {
            socket.write_all(&connect).await.unwrap();
        }
        let mut bytes = vec![0; random.usize(1..200)];
        random.fill(&mut bytes);
        // A plausible head, so that the parsers behind it are reached.
        bytes[0] = [0x10, 0x30, 0x32, 0x40, 0x82, 0xa2, 0xc0][random.usize(..7)];
        if bytes.len() > 2 && round % 3 != 0 {
            bytes[1] = (bytes.len() as u8).saturating_sub(2).min(127);
        }
        // It may be closed already.
        let _ = socket.write_all(&bytes).await;
        let _ = socket.shutdown().await;
    }
    watcher.publish("still/there", "yes", false).await;
    watcher.wait_for("still/there", "yes").await;
}

#[tokio::test]
async fn a_packet_over_a_mebibyte_is_not_taken() {
    let broker = broker().await;
    let mut client = Watcher::connect(broker, "large", 0, None).await;
    client.publish("fits", vec![b'x'; 1_000_000], true).await;
    let mut publish = rumqttc::Publish::new("large", QoS::AtLeastOnce, vec![b'x'; 1 << 21]);
    publish.pkid = 9;
    client.try_send(&Packet::Publish(publish)).await;
    while client.packet().await.is_some() {}
    assert_eq!(retained(broker).await["fits"].len(), 1_000_000);
}

#[tokio::test]
async fn pings_are_answered() {
    let broker = broker().await;
    let mut client = Watcher::connect(broker, "pinging", 0, None).await;
    client.send(&Packet::PingReq).await;
    assert_eq!(client.packet().await, Some(Packet::PingResp));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_acknowledged_and_delivered_whole() {
    const COUNT: u16 = 2_000;
    let broker = broker().await;
    let mut client = Watcher::connect(broker, "fast", 0, None).await;
    let (mut acknowledged, mut delivered) = (Vec::new(), Vec::new());
    for number in 1..=COUNT {
        let payload = number.to_string().into_bytes();
        let mut publish = rumqttc::Publish::new("t/x", QoS::AtLeastOnce, payload);
        publish.pkid = number;
        client.send(&Packet::Publish(publish)).await;
        if number % 100 != 0 {
            continue;
        }
        while acknowledged.len() + delivered.len() < 2 * usize::from(number) {
            match client.packet().await.expect("the connection holds") {
                Packet::PubAck(ack) => acknowledged.push(ack.pkid),
                Packet::Publish(publish) => {
                    let text = std::str::from_utf8(&publish.payload).unwrap();
                    delivered.push(text.parse::<u16>().unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let all: Vec<_> = (1..=COUNT).collect();
    assert_eq!(acknowledged, all);
    assert_eq!(delivered, all);
}
