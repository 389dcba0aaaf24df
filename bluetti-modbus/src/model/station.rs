use alloc::vec::Vec;

use super::{Alarm, Model};
use crate::register::{Choice, Decimal, Registers, Role, Text, Value};

/// What every station can be asked for: a model and what was read of its
/// registers. What the model does not have, or what was not read, is `None`.
///
/// Numbers are as the device counts them, in the unit of the method's name;
/// [`Decimal::to_f64`] makes a float of them.
#[derive(Debug, Clone, Copy)]
pub struct Station<'a> {
    model: Model,
    registers: &'a Registers,
}

/// The highest number of a PV string.
const STRINGS: u8 = 4;
/// The highest number of a warning or fault word.
const WORDS: u8 = 6;

impl<'a> Station<'a> {
    /// A station of this model.
    #[must_use]
    pub const fn new(model: Model, registers: &'a Registers) -> Self {
        Self { model, registers }
    }

    /// Its model.
    #[must_use]
    pub const fn model(&self) -> Model {
        self.model
    }

    fn value(&self, role: Role) -> Option<Value> {
        self.model.value(role, self.registers)
    }

    fn number(&self, role: Role) -> Option<Decimal> {
        self.value(role)?.number()
    }

    fn whole(&self, role: Role) -> Option<i32> {
        i32::try_from(self.number(role)?.in_scale(0)).ok()
    }

    fn percent(&self, role: Role) -> Option<u8> {
        u8::try_from(self.whole(role)?).ok()
    }

    fn switch(&self, role: Role) -> Option<bool> {
        self.value(role)?.switch()
    }

    fn choice(&self, role: Role) -> Option<Choice> {
        match self.value(role)? {
            Value::Choice(choice) => Some(choice),
            _ => None,
        }
    }

    fn seconds(&self, role: Role) -> Option<u32> {
        match self.value(role)? {
            Value::Minutes(minutes) => Some(u32::from(minutes) * 60),
            Value::Number(hours) => u32::try_from(hours.in_scale(2) * 36).ok(),
            _ => None,
        }
    }

    /// Model name, as the station says it.
    #[must_use]
    pub fn device_type(&self) -> Option<Text> {
        match self.value(Role::DeviceType)? {
            Value::Text(text) => Some(text).filter(|text| !text.as_str().is_empty()),
            _ => None,
        }
    }

    /// Serial number.
    #[must_use]
    pub fn serial_number(&self) -> Option<u64> {
        match self.value(Role::SerialNumber)? {
            Value::Serial(serial) => Some(serial).filter(|&serial| serial != 0),
            _ => None,
        }
    }

    /// Protocol version.
    #[must_use]
    pub fn protocol_version(&self) -> Option<u16> {
        u16::try_from(self.whole(Role::ProtocolVersion)?).ok()
    }

    /// Version of the first controller, two decimals.
    #[must_use]
    pub fn arm_version(&self) -> Option<Decimal> {
        self.number(Role::ArmVersion)
    }

    /// Version of the second controller, two decimals.
    #[must_use]
    pub fn dsp_version(&self) -> Option<Decimal> {
        self.number(Role::DspVersion)
    }

    /// State of charge in percent.
    #[must_use]
    pub fn soc_percent(&self) -> Option<u8> {
        self.percent(Role::Soc)
    }

    /// Power from the grid in watts; negative while feeding in.
    #[must_use]
    pub fn ac_input_power_w(&self) -> Option<i32> {
        self.whole(Role::AcInputPower)
    }

    /// Power from PV or a car in watts.
    #[must_use]
    pub fn dc_input_power_w(&self) -> Option<i32> {
        self.whole(Role::DcInputPower)
    }

    /// Power of the AC loads in watts.
    #[must_use]
    pub fn ac_output_power_w(&self) -> Option<i32> {
        self.whole(Role::AcOutputPower)
    }

    /// Power of the DC loads in watts.
    #[must_use]
    pub fn dc_output_power_w(&self) -> Option<i32> {
        self.whole(Role::DcOutputPower)
    }

    /// The AC output is switched on.
    #[must_use]
    pub fn ac_output_on(&self) -> Option<bool> {
        self.switch(Role::AcOutputOn)
    }

    /// The DC output is switched on.
    #[must_use]
    pub fn dc_output_on(&self) -> Option<bool> {
        self.switch(Role::DcOutputOn)
    }

    /// It may charge from the grid.
    #[must_use]
    pub fn grid_charge_on(&self) -> Option<bool> {
        self.switch(Role::GridChargeOn)
    }

    /// Battery voltage in volts.
    #[must_use]
    pub fn battery_voltage_v(&self) -> Option<Decimal> {
        self.number(Role::BatteryVoltage)
    }

    /// Battery current in amperes, positive while charging.
    ///
    /// The sign in the register is not known; where the station tells which way
    /// the energy flows, that decides. Else the number is as sent.
    #[must_use]
    pub fn battery_current_a(&self) -> Option<Decimal> {
        let current = self.number(Role::BatteryCurrent)?;
        let size = current.raw().saturating_abs();
        let raw = match self.net_flow() {
            Some(NetFlow::Charging) => size,
            Some(NetFlow::Discharging) => -size,
            _ => current.raw(),
        };
        Some(Decimal::new(raw, current.scale()))
    }

    /// Grid voltage in volts.
    #[must_use]
    pub fn ac_input_voltage_v(&self) -> Option<Decimal> {
        self.number(Role::AcInputVoltage)
    }

    /// Grid frequency in hertz.
    #[must_use]
    pub fn ac_input_frequency_hz(&self) -> Option<Decimal> {
        self.number(Role::AcInputFrequency)
    }

    /// AC output voltage in volts.
    #[must_use]
    pub fn ac_output_voltage_v(&self) -> Option<Decimal> {
        self.number(Role::AcOutputVoltage)
    }

    /// AC output frequency in hertz.
    #[must_use]
    pub fn ac_output_frequency_hz(&self) -> Option<Decimal> {
        self.number(Role::AcOutputFrequency)
    }

    /// Voltages of the PV strings in volts, up to the last string the model has.
    #[must_use]
    pub fn pv_voltages_v(&self) -> Vec<Option<Decimal>> {
        self.strings(Role::PvVoltage)
    }

    /// Powers of the PV strings in watts, up to the last string the model has.
    #[must_use]
    pub fn pv_powers_w(&self) -> Vec<Option<Decimal>> {
        self.strings(Role::PvPower)
    }

    fn strings(&self, role: fn(u8) -> Role) -> Vec<Option<Decimal>> {
        let known = |&string: &u8| {
            let mut fields = self.model.fields();
            fields.any(|field| field.role() == Some(role(string)))
        };
        let last = (1..=STRINGS).rev().find(known).unwrap_or(0);
        (1..=last).map(|string| self.number(role(string))).collect()
    }

    /// PV energy so far in kilowatt-hours.
    #[must_use]
    pub fn generation_kwh(&self) -> Option<Decimal> {
        self.number(Role::Generation)
    }

    /// Working mode.
    #[must_use]
    pub fn ups_mode(&self) -> Option<Choice> {
        self.choice(Role::WorkingMode)
    }

    /// How fast it charges from the grid.
    #[must_use]
    pub fn charging_mode(&self) -> Option<Choice> {
        self.choice(Role::ChargingMode)
    }

    /// Lower end of the charge range in percent.
    #[must_use]
    pub fn battery_range_start_percent(&self) -> Option<u8> {
        self.percent(Role::SocLow)
    }

    /// Upper end of the charge range in percent.
    #[must_use]
    pub fn battery_range_end_percent(&self) -> Option<u8> {
        self.percent(Role::SocHigh)
    }

    /// When the screen goes off.
    #[must_use]
    pub fn auto_sleep_mode(&self) -> Option<Choice> {
        self.choice(Role::ScreenTimeout)
    }

    /// How many packs are connected.
    #[must_use]
    pub fn pack_count(&self) -> Option<u8> {
        self.percent(Role::PackCount)
    }

    /// Which way the battery's energy flows.
    #[must_use]
    pub fn net_flow(&self) -> Option<NetFlow> {
        match self.choice(Role::NetFlow)?.value() {
            0 => Some(NetFlow::Idle),
            1 => Some(NetFlow::Charging),
            2 => Some(NetFlow::Discharging),
            _ => None,
        }
    }

    /// Seconds until empty.
    #[must_use]
    pub fn time_to_empty_s(&self) -> Option<u32> {
        self.seconds(Role::TimeToEmpty)
            .or_else(|| self.remaining(|flow| flow != NetFlow::Charging))
    }

    /// Seconds until full.
    #[must_use]
    pub fn time_to_full_s(&self) -> Option<u32> {
        self.seconds(Role::TimeToFull)
            .or_else(|| self.remaining(|flow| flow == NetFlow::Charging))
    }

    fn remaining(&self, wanted: fn(NetFlow) -> bool) -> Option<u32> {
        self.net_flow().filter(|&flow| wanted(flow))?;
        self.seconds(Role::TimeRemaining)
    }

    /// The warnings and faults that are up.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let warnings = (1..=WORDS).map(|word| (false, word, Role::Warning(word)));
        let faults = (1..=WORDS).map(|word| (true, word, Role::Fault(word)));
        warnings
            .chain(faults)
            .filter_map(|(fault, word, role)| match self.value(role)? {
                Value::Bits(bits) => Some(Alarm::in_word(self.model.0.alarms, fault, word, bits)),
                _ => None,
            })
            .flatten()
            .collect()
    }
}

/// Which way the battery's energy flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetFlow {
    /// Neither.
    Idle,
    /// Into the battery.
    Charging,
    /// Out of the battery.
    Discharging,
}
