use std::time::Instant;

use bluetti_modbus::model::Model;
use bluetti_modbus::session::Security;
use bluetti_modbus::simulator::{Output, Station as Simulated, StationConfig};

use super::*;
use crate::control::Refusal;
use crate::exit::Code;
use crate::metric::power_station as metric;
use crate::radio::Air;

const PLAIN: &str = "AC3002237000000001";
const ENCRYPTED: &str = "AC1802305000000002";

async fn context() -> Context {
    Context::brief(Radio::Simulated(Air::demo())).await.unwrap()
}

fn reading(context: &Context) -> Arc<Reading> {
    context.hub.snapshot().remove(0).reading.unwrap()
}

#[tokio::test]
async fn a_plain_station_is_read_with_its_packs() {
    let context = context().await;
    once(Bluetti::named(PLAIN), context.clone()).await.unwrap();
    let known = context.hub.snapshot().remove(0);
    let device = &known.device;
    assert_eq!(device.id.as_str(), "bluetti-ac300-2237000000001");
    assert_eq!(device.model.as_deref(), Some("AC300"));
    assert_eq!(device.serial.as_deref(), Some("2237000000001"));
    assert_eq!(
        device.software_version.as_deref(),
        Some("ARM 4335.56, DSP 4035.07")
    );
    let reading = reading(&context);
    assert_eq!(
        reading.values.get(&metric::AC_OUTPUT_ON),
        Some(&Value::from(true))
    );
    assert_eq!(
        reading.values.get(&metric::UPS_MODE),
        Some(&Value::from("STANDARD"))
    );
    assert_eq!(
        reading.values.number(&metric::BATTERY_RANGE_START_PERCENT),
        Some(20.0)
    );
    let packs = reading.values.get(&metric::PACKS).unwrap();
    let packs = serde_json::to_value(packs).unwrap();
    assert_eq!(packs.as_array().unwrap().len(), 2);
    assert_eq!(packs[0]["soc_percent"], 87);
    assert_eq!(packs[1]["soc_percent"], 86);
    assert_eq!(packs[1]["pack_voltage_v"], 53.12);
    assert_eq!(packs[1]["status"], "DISCHARGE");
    assert_eq!(packs[1]["cell_voltages_v"].as_array().unwrap().len(), 16);
    assert_eq!(packs[1]["cell_delta_v"], 0.02);
    assert_eq!(reading.extra["pack_num_max"], 2);
    assert_eq!(reading.extra["protocol_version"], 1019);
    assert!(!reading.extra.contains_key("total_battery_percent"));
    let Some(Native::Bluetti(station)) = &reading.native else {
        panic!("the SDK's own values come along");
    };
    assert_eq!(station.model, Model::AC300);
    assert_eq!(station.security, Security::Plain);
    assert_eq!(station.name.as_deref(), Some(PLAIN));
    let soc = station.packs().map(|(_, pack)| pack.soc_percent());
    assert_eq!(soc.collect::<Vec<_>>(), [Some(87), Some(86)]);
    assert_eq!(context.hub.implausible(), 0);
}

#[tokio::test]
async fn an_encrypted_station_is_read_with_its_pack() {
    let context = context().await;
    once(Bluetti::named(ENCRYPTED), context.clone())
        .await
        .unwrap();
    let reading = reading(&context);
    assert_eq!(reading.device.as_str(), "bluetti-ac180-2305000000002");
    let Some(Native::Bluetti(station)) = &reading.native else {
        panic!("the SDK's own values come along");
    };
    assert_eq!(station.security, Security::Encrypted);
    assert_eq!(station.packs.len(), 1);
    assert!(reading.values.number(&metric::SOC_PERCENT).unwrap() > 5.0);
    assert_eq!(context.hub.implausible(), 0);
}

async fn told(
    poller: &mut Poller<Station>,
    id: &str,
    word: &str,
    text: &str,
) -> Result<(), Refusal> {
    let controls = poller.base.context.controls.clone();
    let source = async {
        // Nothing comes if it was refused before.
        let request = poller.base.inbox.next().await;
        poller.obey(request).await;
        std::future::pending().await
    };
    tokio::select! {
        outcome = controls.send(id, word, text) => outcome,
        () = source => unreachable!("it waits for ever"),
    }
}

#[tokio::test]
async fn commands_are_carried_out_as_far_as_they_are_allowed() {
    let context = context().await;
    let mut config = Bluetti::named(PLAIN);
    config.allow.ac_output = true;
    let mut poller = poller(config, context.clone(), "bluetti");
    poller.poll(Scope::Brief).await.unwrap();
    let id = context.hub.snapshot()[0].device.id.to_string();
    let values = || reading(&context).values.clone();
    let told = async |poller: &mut _, word, text| told(poller, &id, word, text).await;

    told(&mut poller, "ac_output_on", "off").await.unwrap();
    assert_eq!(values().get(&metric::AC_OUTPUT_ON), Some(&false.into()));
    told(&mut poller, "ac_output", "on").await.unwrap();
    assert_eq!(values().get(&metric::AC_OUTPUT_ON), Some(&true.into()));
    told(&mut poller, "ups_mode", "pv_priority").await.unwrap();
    assert_eq!(
        values().get(&metric::UPS_MODE),
        Some(&Value::from("PV_PRIORITY"))
    );
    told(&mut poller, "battery_range_start_percent", "35")
        .await
        .unwrap();
    let start = values().number(&metric::BATTERY_RANGE_START_PERCENT);
    assert_eq!(start, Some(35.0));
    told(&mut poller, "time_control", "on").await.unwrap();
    assert_eq!(reading(&context).extra["time_control_on"], true);

    let refusal = told(&mut poller, "dc_output", "off").await;
    assert_eq!(refusal, Err(Refusal::NotAllowed("dc_output")));
    let refusal = told(&mut poller, "battery_range_start", "95").await;
    let refusal = refusal.unwrap_err().to_string();
    assert!(refusal.starts_with("not sent: soc_low"), "{refusal}");
    let refusal = told(&mut poller, "ups_mode", "fast").await.unwrap_err();
    assert!(
        refusal.to_string().contains("one of `CUSTOMIZED`"),
        "{refusal}"
    );
    for dangerous in ["split_phase", "split_phase_role"] {
        let refusal = told(&mut poller, dangerous, "off").await.unwrap_err();
        assert!(!refusal.to_string().is_empty());
    }
    for absent in ["factory_reset", "grid_code", "feed_in"] {
        let refusal = told(&mut poller, absent, "on").await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::UnknownControl { .. }),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_paused_station_is_left_alone_until_it_is_told_otherwise() {
    let context = context().await;
    let mut poller = poller(Bluetti::named(ENCRYPTED), context.clone(), "bluetti");
    poller.poll(Scope::Brief).await.unwrap();
    let id = context.hub.snapshot()[0].device.id.to_string();
    told(&mut poller, &id, "bluetooth_pause", "5")
        .await
        .unwrap();
    assert!(poller.peer.link.is_none());
    let error = poller.poll(Scope::Brief).await.unwrap_err();
    assert!(error.to_string().contains("is paused"), "{error}");
    told(&mut poller, &id, "bluetooth_pause", "0")
        .await
        .unwrap();
    poller.poll(Scope::Brief).await.unwrap();
}

#[tokio::test]
async fn a_station_in_use_is_said_to_be_so() {
    let context = context().await;
    let target = Target::Name(PLAIN.to_owned());
    let _held = context.radio.connect(&target, &LAYOUTS).await.unwrap();
    let error = once(Bluetti::named(PLAIN), context).await.unwrap_err();
    assert_eq!(error.code(), Code::Device);
    assert!(error.to_string().contains("in use by another app"));
    assert!(error.hint().unwrap().contains("close its phone app"));
}

#[tokio::test]
async fn a_station_with_another_key_is_not_believed() {
    let context = context().await;
    let config = Bluetti {
        verify_key: bluetti_modbus::encryption::VerifyKey::station(),
        ..Bluetti::named(ENCRYPTED)
    };
    let error = once(config, context).await.unwrap_err();
    assert_eq!(error.code(), Code::Protocol);
    assert!(error.to_string().contains("signature"), "{error}");
    assert!(error.hint().unwrap().contains("no genuine station"));
}

#[tokio::test]
async fn a_link_that_went_is_replaced_without_a_failed_poll() {
    let context = context().await;
    for name in [PLAIN, ENCRYPTED] {
        let mut poller = poller(Bluetti::named(name), context.clone(), "bluetti");
        poller.poll(Scope::Brief).await.unwrap();
        // The device hangs up.
        match poller.peer.link.as_mut().unwrap().client.transport_mut() {
            Wire::Bluetooth(link) => link.cut(),
            Wire::Tcp(_) => unreachable!("it is over Bluetooth"),
        }
        poller.poll(Scope::Brief).await.unwrap();
    }
}

/// Puts what a station says under TCP headers.
async fn serve(listener: tokio::net::TcpListener, mut station: Simulated) {
    use bluetti_modbus::modbus::{crc16_modbus, tcp::HEAD_LEN};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (mut stream, _) = listener.accept().await.unwrap();
    station.connect(0);
    let began = Instant::now();
    let mut now_ms = 0;
    let mut head = [0; HEAD_LEN];
    while stream.read_exact(&mut head).await.is_ok() {
        let mut pdu = vec![0; usize::from(head[5]) - 1];
        stream.read_exact(&mut pdu).await.unwrap();
        let mut request = [&head[6..], &pdu].concat();
        request.extend(crc16_modbus(&request).to_le_bytes());
        let elapsed_ms = began.elapsed().as_millis();
        now_ms = u64::try_from(elapsed_ms).unwrap().max(now_ms);
        station.write(&request, now_ms);
        let mut answer = Vec::new();
        while let Some(at_ms) = station.next_at() {
            now_ms = at_ms;
            if let Some(Output::Notify(chunk)) = station.poll(now_ms) {
                answer.extend(chunk);
            }
        }
        let body = &answer[..answer.len() - 2];
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        stream
            .write_all(&[&head[..4], &length, body].concat())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_station_over_tcp_is_read_and_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let station = StationConfig::of_model(Model::EP2000_TCP, 815);
    tokio::spawn(serve(listener, Simulated::new(station, 1)));
    let context = context().await;
    let mut config = Bluetti::new(None, None);
    config.tcp = Some(place.clone());
    config.allow.ac_output = true;
    let mut poller = poller(config, context.clone(), "bluetti");
    let first = poller.poll(Scope::Due).await.unwrap();
    assert_eq!(first.device.as_str(), "bluetti-ep2000-815");
    assert_eq!(first.values.number(&metric::AC_OUTPUT_POWER_W), Some(148.0));
    assert_eq!(first.values.number(&metric::SOC_PERCENT), Some(64.0));
    context.hub.read(first);
    let device = context.hub.snapshot().remove(0).device;
    assert_eq!((&device.name, &device.address), (&place, &None));
    // No phone is in the way.
    let pause = |offer: &crate::control::Offer| offer.control.key == "bluetooth_pause";
    assert!(!device.controls.iter().any(pause));
    let id = device.id.to_string();
    told(&mut poller, &id, "ac_output", "off").await.unwrap();
    let values = reading(&context).values.clone();
    assert_eq!(values.get(&metric::AC_OUTPUT_ON), Some(&false.into()));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_said_to_be_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut config = Bluetti::new(None, None);
    config.tcp = Some(place.clone());
    let error = once(config, context().await).await.unwrap_err();
    assert_eq!(error.code(), Code::Device);
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("no connection to {place}: ")),
        "{said}"
    );
}
