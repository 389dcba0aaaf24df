//! What a station can be told.

use std::borrow::Cow;

use bluetti_modbus::Error;
use bluetti_modbus::model::Model;
use bluetti_modbus::register::{
    Control as Register, ControlId, ControlKind, Danger, DateTime, NumberRange, Setting,
};
use chrono::{Datelike as _, Local, Timelike as _};

use super::super::bluetooth::{Base, CommandError};
use super::{PollError, Station};
use crate::config::{Bluetti, BluettiAllow};
use crate::control::power_station as row;
use crate::control::{Control, Form, Offer, bluetooth};
use crate::radio::RadioError;
use crate::value::Value;

/// Each row, and what it is to the SDK. Nothing else can be told: no factory
/// reset, no grid code.
const ROWS: [(&Control, ControlId); 28] = [
    (&row::AC_OUTPUT, ControlId::AcOutput),
    (&row::DC_OUTPUT, ControlId::DcOutput),
    (&row::GRID_CHARGE, ControlId::GridCharge),
    (&row::UPS_MODE, ControlId::WorkingMode),
    (&row::CHARGING_MODE, ControlId::ChargingMode),
    (&row::BATTERY_RANGE_START, ControlId::SocLow),
    (&row::BATTERY_RANGE_END, ControlId::SocHigh),
    (&row::CHARGE_LIMIT, ControlId::ChargeLimit),
    (&row::GRID_CHARGE_CURRENT, ControlId::GridChargeCurrent),
    (&row::AUTO_SLEEP_MODE, ControlId::ScreenTimeout),
    (&row::LED_MODE, ControlId::Led),
    (&row::TIME_CONTROL, ControlId::TimeControl),
    (&row::SET_CLOCK, ControlId::Clock),
    (&row::GRID_ENHANCEMENT, ControlId::GridEnhancement),
    (&row::ECO, ControlId::Eco),
    (&row::ECO_HOURS, ControlId::EcoHours),
    (&row::ECO_AC, ControlId::EcoAc),
    (&row::ECO_HOURS_AC, ControlId::EcoHoursAc),
    (&row::ECO_POWER_AC, ControlId::EcoPowerAc),
    (&row::ECO_DC, ControlId::EcoDc),
    (&row::ECO_HOURS_DC, ControlId::EcoHoursDc),
    (&row::ECO_POWER_DC, ControlId::EcoPowerDc),
    (&row::POWER_LIFTING, ControlId::PowerLifting),
    (&row::CHARGER, ControlId::Charger),
    (&row::POWER_OFF, ControlId::PowerOff),
    (&row::FEED_IN, ControlId::FeedIn),
    (&row::SPLIT_PHASE, ControlId::SplitPhase),
    (&row::SPLIT_PHASE_ROLE, ControlId::SplitPhaseRole),
];

/// What a station of this model offers, and what of it the configuration
/// allows.
pub(super) fn offers(model: Model, config: &Bluetti) -> Vec<Offer> {
    let mut offers: Vec<Offer> = ROWS
        .iter()
        .filter_map(|&(control, id)| {
            let register = register(model, id)?;
            let allowed = !control.guarded || is_allowed(&config.allow, control);
            let offer = Offer::new(control, allowed).with_form(form(register.kind())?);
            Some(match control.metric {
                Some(_) => offer,
                None => offer.with_extra(register.field()),
            })
        })
        .collect();
    // A phone does not disturb a station over TCP.
    if config.tcp.is_none() {
        offers.push(Offer::new(&bluetooth::PAUSE, true));
    }
    offers
}

fn is_allowed(allow: &BluettiAllow, control: &Control) -> bool {
    let allowed = [
        (&row::AC_OUTPUT, allow.ac_output),
        (&row::DC_OUTPUT, allow.dc_output),
        (&row::CHARGER, allow.charger),
        (&row::ECO, allow.eco),
        (&row::ECO_AC, allow.eco_ac),
        (&row::ECO_POWER_AC, allow.eco_power_ac),
        (&row::ECO_DC, allow.eco_dc),
        (&row::ECO_POWER_DC, allow.eco_power_dc),
        (&row::POWER_LIFTING, allow.power_lifting),
        (&row::POWER_OFF, allow.power_off),
        (&row::FEED_IN, allow.feed_in),
        (&row::SPLIT_PHASE, allow.split_phase),
        (&row::SPLIT_PHASE_ROLE, allow.split_phase_role),
    ];
    let mut allowed = allowed.iter();
    allowed.any(|&(of, allowed)| *of == *control && allowed)
}

/// The control of a model; a dangerous one where its row is about that danger.
fn register(model: Model, id: ControlId) -> Option<&'static Register> {
    let harmless = model.control(id);
    harmless.or_else(|| model.dangerous_control(id, danger(id)?))
}

/// The danger that the name of a row names.
fn danger(id: ControlId) -> Option<Danger> {
    match id {
        ControlId::FeedIn => Some(Danger::FeedIn),
        ControlId::SplitPhase | ControlId::SplitPhaseRole => Some(Danger::SplitPhase),
        _ => None,
    }
}

fn form(kind: ControlKind) -> Option<Form> {
    Some(match kind {
        ControlKind::Switch { .. } => Form::Switch,
        ControlKind::Number(NumberRange { min, max, unit, .. }) => Form::Number {
            min: min.into(),
            max: max.into(),
            step: NumberRange::STEP.into(),
            unit: unit.symbol(),
        },
        ControlKind::Select(choices) => {
            let names = choices.options().iter().map(|option| option.name);
            Form::Select(Cow::Owned(names.collect()))
        }
        ControlKind::Button | ControlKind::Clock => Form::Button,
        _ => return None,
    })
}

/// What `value` asks of such a control.
fn setting(kind: ControlKind, value: &Value) -> Option<Setting<'_>> {
    match (kind, value) {
        (ControlKind::Switch { .. }, Value::Bool(on)) => Some(Setting::Switch(*on)),
        (ControlKind::Button, Value::Bool(true)) => Some(Setting::Press),
        (ControlKind::Clock, Value::Bool(true)) => Some(Setting::Clock(now()?)),
        (ControlKind::Number(_), Value::Float(number)) => Some(Setting::Number(*number as i32)),
        (ControlKind::Select(_), Value::Text(name)) => Some(Setting::Name(name)),
        _ => None,
    }
}

/// The clock on the wall.
fn now() -> Option<DateTime> {
    let now = Local::now();
    Some(DateTime {
        year: u16::try_from(now.year()).ok()?,
        month: u8::try_from(now.month()).ok()?,
        day: u8::try_from(now.day()).ok()?,
        hour: u8::try_from(now.hour()).ok()?,
        minute: u8::try_from(now.minute()).ok()?,
        second: u8::try_from(now.second()).ok()?,
    })
}

/// Tells the station something over the link that there is.
pub(super) async fn tell(
    station: &mut Station,
    base: &Base,
    control: &'static Control,
    value: &Value,
) -> Result<(), CommandError<PollError>> {
    let (Some(link), Some(known)) = (&mut station.link, &mut station.known) else {
        let lost = RadioError::LinkLost(base.target.clone());
        return Err(CommandError::NotSent(lost.into()));
    };
    let model = known.identity.model;
    let row = ROWS.iter().find(|(row, _)| *row == control);
    let found = row.and_then(|&(_, id)| {
        let register = register(model, id)?;
        Some((id, register.danger(), setting(register.kind(), value)?))
    });
    let Some((id, danger, setting)) = found else {
        return Err(CommandError::NotSent(PollError::NoSuchControl {
            model,
            control: control.name,
        }));
    };
    // Whatever becomes of it, what is known of the settings is old now.
    known.settings_at = None;
    let effect = match danger {
        None => link.client.set(id, &setting).await,
        Some(danger) => link.client.set_dangerous(id, danger, &setting).await,
    };
    if effect.as_ref().is_err_and(Error::needs_reconnect) || id == ControlId::PowerOff {
        station.link = None;
    }
    effect.map_err(|error| match error {
        error @ (Error::NotSent(_)
        | Error::NoSuchControl(_)
        | Error::Guarded { .. }
        | Error::InvalidValue(_)
        | Error::InvalidRequest(_)) => CommandError::NotSent(error.into()),
        error => CommandError::Failed(error.into()),
    })
}
