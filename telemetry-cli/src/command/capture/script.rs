//! A recording as lines of text.

use std::fmt::Write as _;

use jbd_bms::frame::START;

use super::mask::Mask;
use super::recorder::{Record, What};
use crate::radio::{GattTable, Link};

/// What may be published of a recording, as lines that `telemetry decode jbd`
/// takes: notifications in hexadecimal, everything else as comments.
pub fn script(records: &[Record], mut mask: Mask) -> String {
    for record in records {
        if let What::Wrote(bytes) = &record.what
            && !may_be_shown(bytes)
        {
            mask.hide(bytes);
        }
    }
    // All at once: an answer does not end where a notification does.
    let mut heard: Vec<u8> = Vec::new();
    for record in records {
        if let What::Heard(chunk) = &record.what {
            heard.extend(chunk);
        }
    }
    mask.answers(&mut heard);
    let mut heard = heard.as_slice();
    let mut text = String::new();
    for Record { at, what } in records {
        let at = at.as_secs_f64();
        // A string takes everything.
        let _ = match what {
            What::Heard(chunk) => {
                let (shown, rest) = heard.split_at_checked(chunk.len()).unwrap_or_default();
                heard = rest;
                writeln!(text, "{}  # +{at:.3}", hex(shown))
            }
            What::Wrote(bytes) => writeln!(text, "# +{at:.3} asked {}", question(bytes)),
            What::Note(note) => writeln!(text, "# +{at:.3} {}", mask.text(note)),
        };
    }
    text
}

/// What is known of the device before it says anything.
pub fn preamble(link: &Link, asked: &str, mask: &Mask) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let name = link.name.as_deref().unwrap_or("none");
    let mut text = format!(
        "# telemetry {version}, {os} {arch}: capture of a JBD pack\n\
         # Left out or replaced by x (hexadecimal 78): the Bluetooth address, serial numbers\n\
         # and passwords, also in names. Decode it with: telemetry decode jbd < FILE\n\
         # name: {}\n",
        mask.text(name)
    );
    if let Some(dbm) = link.rssi_dbm {
        // A string takes everything.
        let _ = writeln!(text, "# signal: {dbm} dBm");
    }
    text.push_str(&layout(&link.gatt));
    text.push_str(&format!("# asked: {asked}; times are seconds\n"));
    text
}

fn layout(gatt: &GattTable) -> String {
    let mut text = format!("# writes: {} bytes at most\n", gatt.write_len);
    for of in &gatt.characteristics {
        let role = match of.number {
            number if number == gatt.notify && number == gatt.write => ", carries both ways",
            number if number == gatt.notify => ", carries answers",
            number if number == gatt.write => ", carries questions",
            _ => "",
        };
        let (service, number) = (short(of.service), short(of.number));
        text.push_str(&format!(
            "# service {service}, characteristic {number}: {}{role}\n",
            of.properties.join(" ")
        ));
    }
    text
}

fn short(number: u128) -> String {
    match jbd_bms::advertisement::short_form(number) {
        Some(short) => format!("{short:04x}"),
        None => format!("{number:032x}"),
    }
}

/// Reads hold nothing but the register; logins and writes hold passwords, and
/// those of modules the address, too.
fn may_be_shown(request: &[u8]) -> bool {
    matches!(request, [START, 0xA5, ..])
}

fn question(request: &[u8]) -> String {
    match request {
        [START, 0xA5, register, ..] => format!("register {register:#04x}: {}", hex(request)),
        [START, 0x5A, register, ..] => format!("a write to register {register:#04x}, left out"),
        [0xFF, 0xAA, command, ..] => format!("the module, command {command:#04x}, left out"),
        _ => "something else, left out".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_in_pieces_is_masked_across_them() {
        let at = Duration::from_millis(1_500);
        let record = |what| Record { at, what };
        let records = [
            record(What::Wrote(vec![0xDD, 0xA5, 0xA2, 0x00, 0xFF, 0x5E, 0x77])),
            record(What::Heard(vec![0xDD, 0xA2, 0x00, 0x04, 0x03, 0x41])),
            record(What::Heard(vec![0x42, 0x43, 0xFF, 0x33, 0x77])),
            record(What::Wrote(vec![
                0xFF, 0xAA, 0x15, 0x06, 9, 8, 7, 6, 5, 4, 0,
            ])),
            record(What::Heard(vec![
                0xFF, 0xAA, 0x15, 0x06, 9, 8, 7, 6, 5, 4, 0,
            ])),
            record(What::Note("no answer".to_owned())),
        ];
        assert_eq!(
            script(&records, Mask::default()),
            "# +1.500 asked register 0xa2: dda5a200ff5e77\n\
             dda200040378  # +1.500\n\
             7878fe9177  # +1.500\n\
             # +1.500 asked the module, command 0x15, left out\n\
             7878787878787878787878  # +1.500\n\
             # +1.500 no answer\n"
        );
    }
}
