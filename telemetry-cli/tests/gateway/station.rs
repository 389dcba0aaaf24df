//! A power station: what the broker and Home Assistant hear of it, and commands
//! back to it.

use bluetti_modbus::model::Model;
use bluetti_modbus::simulator::StationConfig;

use super::*;

const NAME: &str = "AC3002237000000001";
const DEVICE: &str = "telemetry/bluetti-ac300-2237000000001";

#[tokio::test(flavor = "multi_thread")]
async fn a_station_is_announced_read_and_told_through_the_broker() {
    let mosquitto = Mosquitto::open();
    let computer = Computer::blank();
    computer.configure(&format!(
        "[mqtt]\nurl = 'tcp://{}'\n\
         [[bluetti]]\nname = '{NAME}'\ninterval = '2s'\n\
         [bluetti.allow]\nac_output = true\n",
        mosquitto.address()
    ));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    let station = StationConfig::of_model(Model::AC300, 2_237_000_000_001);
    bluez.add(Config::station(NAME, 1, station));
    let gateway = start(&computer);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let topic = |key: &str| format!("{DEVICE}/{key}");
    watcher.wait_for(&topic("soc_percent"), "87").await;
    watcher.wait_for(&topic("availability"), "online").await;
    let state = json(&watcher.last[&topic("state")]);
    assert_eq!(state["packs"][1]["soc_percent"], 86);
    assert_eq!(state["extra"]["max_grid_charge_current"], 5);
    assert_eq!(watcher.last[&topic("ac_output_power_w")], "148");

    // A switch, a choice of the model's options and numbers within its range.
    let document = "homeassistant/device/bluetti-ac300-2237000000001/config";
    watcher
        .wait_until("the document", |watcher| {
            watcher.last.contains_key(document)
        })
        .await;
    let document = json(&watcher.last[document]);
    let component = |key: &str| document["cmps"][key].clone();
    assert_eq!(component("ac_output")["p"], "switch");
    // Not allowed: taken away, should it be there from before.
    assert_eq!(component("dc_output"), serde_json::json!({"p": "switch"}));
    let modes = ["CUSTOMIZED", "PV_PRIORITY", "STANDARD", "TIME_CONTROL"];
    assert_eq!(component("set_ups_mode")["ops"], serde_json::json!(modes));
    let current = component("grid_charge_current");
    assert_eq!(
        (&current["min"], &current["max"]),
        (&1.0.into(), &10.0.into())
    );
    assert_eq!(current["unit_of_meas"], "A");

    let ok = r#"{"error":null,"id":null,"ok":true}"#;
    for (key, word, after) in [
        ("ac_output_on", "off", "false"),
        ("ac_output_on", "on", "true"),
        ("ups_mode", "TIME_CONTROL", "TIME_CONTROL"),
        ("battery_range_end_percent", "80", "80"),
        ("grid_charge_current", "7", ""),
    ] {
        let result = topic(&format!("{key}/result"));
        watcher.last.remove(&result);
        watcher
            .publish(&topic(&format!("{key}/set")), word, false)
            .await;
        watcher.wait_for(&result, ok).await;
        if !after.is_empty() {
            assert_eq!(watcher.last[&topic(key)], after, "told before the result");
        }
    }
    let real = bluez.with(|service| {
        let station = service.peripheral(1).station();
        [3007, 3001, 3016, 3019].map(|register| station.register(1, register))
    });
    assert_eq!(real, [Some(1), Some(4), Some(80), Some(7)]);
    let state = json(&watcher.last[&topic("state")]);
    assert_eq!(state["extra"]["max_grid_charge_current"], 7);

    for (key, word, why) in [
        ("dc_output_on", "off", "is not allowed"),
        ("split_phase", "on", "is not allowed"),
        ("ups_mode", "FAST", "is not one of `CUSTOMIZED`"),
        ("grid_charge_current", "11", "from 1 to 10"),
        ("battery_range_start_percent", "80", "must stay below"),
        ("factory_reset", "press", "nothing that can be set"),
    ] {
        let result = topic(&format!("{key}/result"));
        watcher.last.remove(&result);
        watcher
            .publish(&topic(&format!("{key}/set")), word, false)
            .await;
        watcher
            .wait_until(why, |watcher| {
                let answer = watcher.last.get(&result);
                answer.is_some_and(|answer| answer.contains(why))
            })
            .await;
    }
    assert!(gateway.stop().success(), "{}", log(&computer));
}
