//! A car as a device of the gateway.

use std::borrow::Cow;

use bimmer::mybmw::Vehicle;
use bimmer::types::{Brand, Vin};

use crate::config::BmwAllow;
use crate::control::{Form, Offer, vehicle};
use crate::event::{Device, DeviceId, DeviceKind};

/// The car with this VIN.
pub(super) fn device(vin: &Vin, brand: &Brand, name: &str) -> Device {
    let vendor = match brand {
        Brand::Bmw => "BMW",
        Brand::Mini => "MINI",
        Brand::Toyota => "Toyota",
        other => other.as_str(),
    };
    Device {
        name: name.to_owned(),
        vendor: vendor.to_owned(),
        model: Some(name.to_owned()),
        serial: Some(vin.to_string()),
        ..Device::unknown(id(vin), DeviceKind::Vehicle)
    }
}

/// The VIN in lower case.
pub(super) fn id(vin: &Vin) -> DeviceId {
    DeviceId::new(&[vin.as_str()])
}

/// Every limit that a car has been seen to offer.
static AMPERES: [(i64, &str); 9] = [
    (6, "6A"),
    (8, "8A"),
    (10, "10A"),
    (12, "12A"),
    (13, "13A"),
    (16, "16A"),
    (20, "20A"),
    (24, "24A"),
    (32, "32A"),
];

/// What a car of the app API can be told.
pub(super) fn offers(car: &Vehicle, allow: &BmwAllow) -> Vec<Offer> {
    let can = &car.capabilities;
    let yes = Some(true);
    let mut offers = Vec::new();
    let mut lights = Vec::new();
    if can.lights == yes {
        lights.push("lights");
    }
    if can.horn == yes {
        lights.push("horn");
    }
    if !lights.is_empty() {
        let form = Form::Select(Cow::Owned(lights));
        offers.push(Offer::new(&vehicle::FIND_CAR, true).with_form(form));
    }
    if can.lock == yes {
        offers.push(Offer::new(&vehicle::LOCK_DOORS, true));
        if can.unlock == yes {
            offers.push(Offer::new(&vehicle::LOCKED, allow.unlock));
        }
    }
    if can.climate_now == yes {
        offers.push(Offer::new(&vehicle::CLIMATE, true));
    }
    if can.charge_start() {
        offers.push(Offer::new(&vehicle::START_CHARGING, true));
    }
    if can.charge_stop() {
        offers.push(Offer::new(&vehicle::STOP_CHARGING, true));
    }
    if can.is_charging_target_soc_enabled == yes {
        let form = Form::Number {
            min: 20.0,
            max: 100.0,
            step: 5.0,
            unit: "%",
        };
        offers.push(Offer::new(&vehicle::TARGET_SOC, true).with_form(form));
    }
    let limits = car.charging.as_ref();
    let limits = limits.map_or(&[][..], |details| details.ac_limits_a());
    let limits: Vec<_> = AMPERES
        .iter()
        .filter(|(ampere, _)| limits.contains(ampere))
        .map(|(_, text)| *text)
        .collect();
    if can.is_charging_power_limit_enabled == yes && !limits.is_empty() {
        let form = Form::Select(Cow::Owned(limits));
        offers.push(Offer::new(&vehicle::CURRENT_LIMIT, true).with_form(form));
    }
    offers
}

/// The amperes of one of those limits.
pub(super) fn amperes(text: &str) -> Option<u8> {
    text.strip_suffix('A')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::bmw::vectors::car;

    #[test]
    fn a_car_offers_what_it_can() {
        let offers = offers(&car("bev_charging"), &BmwAllow::default());
        let names: Vec<_> = offers.iter().map(|offer| offer.control.name).collect();
        assert_eq!(
            names,
            [
                "find_car",
                "lock_doors",
                "lock",
                "climate",
                "start_charging",
                "stop_charging",
                "target_soc",
                "current_limit"
            ]
        );
        let guarded = offers.iter().find(|offer| offer.control.name == "lock");
        assert!(
            !guarded.unwrap().allowed,
            "unlocking has to be allowed by name"
        );
        let Some(Form::Select(limits)) = offers.last().map(|offer| &offer.form) else {
            panic!("limits are words");
        };
        assert_eq!(limits.as_ref(), ["6A", "8A", "10A", "16A", "20A", "32A"]);
        assert_eq!(amperes("16A"), Some(16));
    }
}
