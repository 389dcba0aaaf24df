//! `telemetry scan`: which Bluetooth devices are in reach.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::progress::with_progress;
use super::{print, run};
use crate::cli::ScanArgs;
use crate::config::Config;
use crate::exit::{Code, Failure};
use crate::radio::Seen;
use crate::source::recognition::{Recognized, recognize};

/// Listens and prints who was heard. Nothing is stored, no device is connected:
/// it does no harm to a gateway that runs beside it.
///
/// # Errors
/// If Bluetooth cannot be used.
pub async fn scan(args: &ScanArgs, config: &Config) -> Result<(), Failure> {
    let radio = run::guest_radio(config)?;
    let heard = radio.scan(args.duration);
    let heard = with_progress("listening", args.duration, heard).await;
    radio.close().await;
    let mut devices: Vec<Device> = heard?
        .into_iter()
        .map(|seen| Device {
            recognized: recognize(&seen),
            seen,
        })
        .filter(|device| args.all || device.recognized.is_some())
        .collect();
    // Strongest first: that is the one beside the user.
    devices.sort_by_key(|device| std::cmp::Reverse(device.seen.rssi_dbm));
    if devices.is_empty() {
        eprintln!("{}", nothing(args.all));
    }
    if args.json {
        let devices = devices.iter().map(Entry::from).collect();
        let text = serde_json::to_string(&List { devices })
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        return print(&format!("{text}\n"));
    }
    if devices.is_empty() {
        return Ok(());
    }
    print(&format!("{}\n{}", table(&devices), snippet(&devices)))
}

struct Device {
    seen: Seen,
    recognized: Option<Recognized>,
}

#[derive(Serialize)]
struct List<'a> {
    devices: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    address: &'a str,
    name: Option<&'a str>,
    rssi: Option<i16>,
    kind: Option<&'static str>,
    likely: Option<bool>,
    model: Option<&'a str>,
    encrypted: Option<bool>,
    connected: bool,
}

impl<'a> From<&'a Device> for Entry<'a> {
    fn from(Device { seen, recognized }: &'a Device) -> Self {
        let recognized = recognized.as_ref();
        Self {
            address: &seen.address,
            name: seen.name.as_deref(),
            rssi: seen.rssi_dbm,
            kind: recognized.map(|of| of.kind),
            likely: recognized.map(|of| of.likely),
            model: recognized.and_then(|of| of.model.as_deref()),
            encrypted: recognized.and_then(|of| of.encrypted),
            connected: seen.connected,
        }
    }
}

fn nothing(all: bool) -> String {
    let (heard, more) = match all {
        true => ("no Bluetooth device was heard", ""),
        false => (
            "no Bluetooth device that telemetry can read was heard",
            "; `--all` shows the others",
        ),
    };
    format!(
        "{heard}\nhelp: a device that is connected to its phone app is silent, and so is a \
         sleeping pack: close the app, wake the pack with its charger, listen longer with \
         `--for 30s`{more}"
    )
}

fn table(devices: &[Device]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "Address",
            "Name",
            "Kind",
            "Model",
            "Signal",
            "Encrypted",
            "State",
        ]);
    for Device { seen, recognized } in devices {
        let (mut kind, mut model, mut encrypted) = Default::default();
        if let Some(of) = recognized {
            kind = match of.likely {
                true => of.kind.to_owned(),
                false => format!("{}?", of.kind),
            };
            model = of.model.as_deref().map(shown).unwrap_or_default();
            encrypted = match of.encrypted {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            };
        }
        let signal = seen.rssi_dbm.map(|dbm| format!("{dbm} dBm"));
        let state = if seen.connected { "in use here" } else { "" };
        table.add_row([
            shown(&seen.address),
            seen.name.as_deref().map(shown).unwrap_or_default(),
            kind,
            model,
            signal.unwrap_or_default(),
            encrypted.to_owned(),
            state.to_owned(),
        ]);
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// What to paste into the configuration.
fn snippet(devices: &[Device]) -> String {
    let mut text = String::new();
    for Device { seen, recognized } in devices {
        let Some(of) = recognized else { continue };
        text.push_str(&format!("\n[[{}]]\n", of.kind));
        let name = seen.name.as_deref();
        match (is_address(&seen.address), name) {
            (true, Some(name)) => {
                let (address, name) = (&seen.address, shown(name));
                text.push_str(&format!("address = \"{address}\"    # {name}\n"));
            }
            // The system hides the address, or there is no name.
            (false, Some(name)) => text.push_str(&format!("name = {}\n", quoted(name))),
            (_, None) => text.push_str(&format!("address = {}\n", quoted(&seen.address))),
        }
    }
    match text.is_empty() {
        true => text,
        false => format!("\nFor telemetry.toml:\n{text}"),
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<jbd_bms::MacAddress>().is_ok()
}

/// Anybody can choose what is heard: nothing of it must move the cursor, or end
/// a comment.
fn shown(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_device_is_called_the_snippet_is_sound() {
        for (address, name) in [
            (
                "A4:C1:38:00:00:01",
                Some("a\n[[jbd]]\nname = \"b\" \u{1b}[2J"),
            ),
            ("hidden", Some("a\"\\\n\u{7}ä\u{9b}")),
            ("hidden", None),
        ] {
            let seen = Seen {
                address: address.to_owned(),
                name: name.map(str::to_owned),
                rssi_dbm: Some(-60),
                services: vec![],
                manufacturer_data: vec![],
                connected: false,
            };
            let recognized = Some(Recognized {
                kind: "jbd",
                likely: true,
                model: None,
                encrypted: Some(false),
            });
            let devices = [Device { seen, recognized }];
            let text = snippet(&devices);
            let toml = text.split_once(":\n").unwrap().1;
            let config: Config = toml::from_str(toml).unwrap();
            assert_eq!(config.jbd.len(), 1);
            if address == "hidden" && name.is_some() {
                assert_eq!(config.jbd[0].name.as_deref(), name);
            } else {
                assert_eq!(config.jbd[0].address.as_deref(), Some(address));
            }
            assert!(!table(&devices).contains('\u{1b}'));
        }
    }
}
