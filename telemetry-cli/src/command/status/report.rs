//! Everything that a battery pack says, for people.

use jbd_bms::Protection;

use super::page::{Page, duration, join, of};
use crate::event::{Device, Reading};
use crate::metric::battery;
use crate::native::Native;
use crate::summary::number;
use crate::value::Value;

/// Below it a battery neither charges nor discharges.
const IDLE_A: f64 = 0.05;

/// A page about one pack.
pub(super) fn report(device: &Device, reading: &Reading) -> String {
    let values = &reading.values;
    let show = |metric| number(values, metric);
    let mut page = Page::default();
    let about = [device.model.as_deref(), device.address.as_deref()];
    let mut about: Vec<_> = about.into_iter().flatten().map(str::to_owned).collect();
    about.push(show(&battery::RSSI_DBM));
    about.retain(|text| !text.is_empty());
    page.title(&device.name, &about.join(", "));

    page.row(
        "Charge",
        &join([
            show(&battery::SOC_PERCENT),
            of(
                &show(&battery::REMAINING_CAPACITY_AH),
                &show(&battery::NOMINAL_CAPACITY_AH),
            ),
        ]),
    );
    page.row("Health", &show(&battery::SOH_PERCENT));
    page.row("Voltage", &show(&battery::PACK_VOLTAGE_V));
    let state = values
        .number(&battery::CURRENT_A)
        .map(|ampere| match ampere {
            ampere if ampere >= IDLE_A => "charging",
            ampere if ampere <= -IDLE_A => "discharging",
            _ => "idle",
        });
    page.row(
        "Current",
        &join([
            show(&battery::CURRENT_A),
            show(&battery::POWER_W),
            state.unwrap_or_default().to_owned(),
        ]),
    );
    page.row(
        "Time to full",
        &duration(values.number(&battery::TIME_TO_FULL_S)),
    );
    page.row(
        "Time to empty",
        &duration(values.number(&battery::TIME_TO_EMPTY_S)),
    );
    for (label, metric) in [
        ("Charge MOSFET", &battery::CHARGE_MOSFET_ON),
        ("Discharge MOSFET", &battery::DISCHARGE_MOSFET_ON),
    ] {
        if let Some(Value::Bool(on)) = values.get(metric) {
            page.row(label, if *on { "on" } else { "off" });
        }
    }
    protections(&mut page, reading);
    if let Some(Value::List(probes)) = values.get(&battery::TEMPERATURES_C) {
        let probes = probes.iter().map(|probe| match probe.as_f64() {
            Some(celsius) => format!("{celsius:.1} °C"),
            None => "absent".to_owned(),
        });
        page.row("Temperatures", &join(probes));
    }
    cells(&mut page, reading);
    if let Some(Value::Map(counts)) = values.get(&battery::PROTECTION_COUNTS) {
        let counts = counts
            .iter()
            .filter(|(_, count)| count.as_f64() > Some(0.0));
        page.row(
            "Trips so far",
            &join(counts.map(|(name, count)| format!("{} {count}", name.replace('_', " ")))),
        );
    }
    let text = |metric| match values.get(metric) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    page.row("Cycles", &show(&battery::CYCLES));
    page.row("Made", &text(&battery::PRODUCTION_DATE));
    page.row("Software", &text(&battery::SOFTWARE_VERSION));
    page.text()
}

fn protections(page: &mut Page, reading: &Reading) {
    let Some(Native::Jbd(pack)) = &reading.native else {
        return;
    };
    let mut label = "Protection";
    for protection in pack.info.protection.iter() {
        page.row(label, &plain_words(protection));
        label = "";
    }
    if pack.info.protection.is_empty() {
        page.row(label, "none is active");
    }
}

/// What tripped and what follows.
fn plain_words(protection: Protection) -> String {
    let words = match protection {
        Protection::CellOvervoltage => "a cell is above its limit: charging is cut off",
        Protection::CellUndervoltage => "a cell is below its limit: discharging is cut off",
        Protection::PackOvervoltage => "the pack is above its limit: charging is cut off",
        Protection::PackUndervoltage => "the pack is below its limit: discharging is cut off",
        Protection::ChargeOvertemperature => "too hot to charge",
        Protection::ChargeUndertemperature => "too cold to charge",
        Protection::DischargeOvertemperature => "too hot to discharge",
        Protection::DischargeUndertemperature => "too cold to discharge",
        Protection::ChargeOvercurrent => "too much current while charging",
        Protection::DischargeOvercurrent => "too much current while discharging",
        Protection::ShortCircuit => "short circuit",
        Protection::FrontEndError => "the measuring chip does not answer",
        Protection::MosfetSoftwareLock => "a MOSFET was switched off on request; no fault",
        other => return format!("{other}, whose meaning is not known"),
    };
    words.to_owned()
}

/// One line for each cell, the extremes marked.
fn cells(page: &mut Page, reading: &Reading) {
    let values = &reading.values;
    let Some(Value::List(cells)) = values.get(&battery::CELL_VOLTAGES_V) else {
        return;
    };
    let low = values.number(&battery::CELL_MIN_V);
    let high = values.number(&battery::CELL_MAX_V);
    if let (Some(low), Some(high)) = (low, high) {
        let spread = (high - low) * 1000.0;
        let text = format!("{low:.3} to {high:.3} V, spread {spread:.0} mV");
        page.row("Cells", &text);
    }
    let bled = match values.get(&battery::BALANCING) {
        Some(Value::List(bled)) => bled.as_slice(),
        _ => &[],
    };
    for (index, cell) in cells.iter().enumerate() {
        let Some(volts) = cell.as_f64() else { continue };
        let mut line = format!("{:>2}  {volts:.3} V", index + 1);
        let marks = [
            (low == Some(volts), "  lowest"),
            (high == Some(volts), "  highest"),
            (bled.get(index) == Some(&Value::Bool(true)), "  balancing"),
        ];
        for (_, mark) in marks.iter().filter(|(applies, _)| *applies) {
            line.push_str(mark);
        }
        page.row("", &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protection_has_words() {
        for bit in 0..13 {
            let protection = Protection::from_bit(bit);
            assert!(
                !plain_words(protection).contains("not known"),
                "{protection}"
            );
        }
        assert_eq!(
            plain_words(Protection::from_bit(13)),
            "bit_13, whose meaning is not known"
        );
    }
}
