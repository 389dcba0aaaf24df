use crate::frame::Request;
use crate::login::PasswordDigits;
use crate::{basic_info, cell_voltages, error_counts, hardware};

pub(crate) const FACTORY_ENTER: u8 = 0x00;
pub(crate) const FACTORY_LEAVE: u8 = 0x01;
pub(crate) const PASSWORD_LOGIN: u8 = 0x06;
pub(crate) const MOSFET_CONTROL: u8 = 0xE1;
pub(crate) const MOSFET_CONTROL_NEW: u8 = 0xFB;
pub(crate) const FUNCTION: u8 = 0x0A;
pub(crate) const REMAINING_CAPACITY: u8 = 0xE0;
const PASSWORD_CHANGE: u8 = 0x07;
const PASSWORD_CLEAR: u8 = 0x09;
const BALANCE_TEST: u8 = 0xE2;
const HEATING: u8 = 0xFC;

/// What can be asked of a board besides its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Read register 0x03.
    BasicInfo,
    /// Read register 0x04.
    CellVoltages,
    /// Read register 0x05.
    HardwareName,
    /// Read register 0xAA.
    ErrorCounts,
    /// Read register 0x00.
    ChipType,
    /// Read register 0x00 in the form that the vendor's app sends.
    ChipTypeLong,
    /// Open the parameters (register 0x00).
    EnterFactoryMode,
    /// Close the parameters (register 0x01).
    LeaveFactoryMode {
        /// Store what was written for good. This also clears the error counts.
        save: bool,
    },
    /// Release or switch off both MOSFETs (register 0xE1).
    Mosfets {
        /// Whether the pack may be charged.
        charge_on: bool,
        /// Whether the pack may be discharged.
        discharge_on: bool,
    },
    /// The same for newer boards, one side at a time (register 0xFB).
    Mosfet {
        /// Which side.
        side: MosfetSide,
        /// Released (`true`) or switched off.
        on: bool,
    },
    /// Register 0x0A.
    Function(Function),
    /// Set the charge left, in steps of 10 mAh up to 655 350 (register 0xE0,
    /// inside factory mode).
    SetRemainingCapacity {
        /// mAh; what lies between two steps is cut off, what lies above is limited.
        mah: u32,
    },
    /// Open balancing switches for a test (register 0xE2, inside factory mode).
    BalanceTest(BalanceTest),
    /// Control the heater (register 0xFC).
    Heating(Heating),
    /// Log in with six digits (register 0x06).
    PasswordLogin(PasswordDigits),
    /// Change the six digits (register 0x07).
    PasswordChange {
        /// The digits now.
        old: PasswordDigits,
        /// The digits from now on.
        new: PasswordDigits,
    },
    /// Remove the digits (register 0x09). Boards take this from anyone: the
    /// password protects nothing.
    PasswordClear,
}

/// Which MOSFET [`Command::Mosfet`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MosfetSide {
    /// The discharge MOSFET.
    Discharge,
    /// The charge MOSFET.
    Charge,
    /// The pre-discharge MOSFET.
    PreDischarge,
    /// Charge and discharge together.
    Both,
}

/// Functions of register 0x0A. Older firmware refuses them with
/// [`Status::Unsupported`](crate::Status::Unsupported).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Function {
    /// Derive the state of charge from the voltage again.
    ResetStateOfCharge,
    /// Set the error counts back to zero.
    ClearProtectionHistory,
    /// Restart the board.
    Restart,
    /// Clear active protections and alarms.
    ClearProtection,
    /// Sleep until there is current or a request.
    Sleep,
    /// Switch off until a charger is connected.
    PowerDown,
    /// Leave balancing to the board.
    AutomaticBalancing,
    /// Storage and transport mode.
    StorageMode,
    /// The switch at 20 percent state of charge.
    TwentyPercentSwitch,
    /// Stay on below 20 percent.
    ForceOnBelowTwentyPercent,
    /// Start the output whatever holds it.
    ForceStart,
    /// Heat up to 15 °C.
    ForceHeating,
}

impl Function {
    const fn number(self) -> u8 {
        match self {
            Self::ResetStateOfCharge => 0x01,
            Self::ClearProtectionHistory => 0x02,
            Self::Restart => 0x03,
            Self::ClearProtection => 0x04,
            Self::Sleep => 0x05,
            Self::PowerDown => 0x06,
            Self::AutomaticBalancing => 0x07,
            Self::StorageMode => 0x08,
            Self::TwentyPercentSwitch => 0x09,
            Self::ForceOnBelowTwentyPercent => 0x0A,
            Self::ForceStart => 0x0B,
            Self::ForceHeating => 0x0C,
        }
    }
}

/// What [`Command::BalanceTest`] opens. A test ends by entering and leaving
/// factory mode once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BalanceTest {
    /// Bleed cells 1, 3, 5 …
    OddCells,
    /// Bleed cells 2, 4, 6 …
    EvenCells,
    /// Bleed none.
    CloseAll,
}

/// Control of the heater (register 0xFC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Heating {
    /// Start (`true`) or stop.
    pub on: bool,
    /// Hours until then; zero together with `in_minutes` means at once.
    pub in_hours: u8,
    /// Minutes until then.
    pub in_minutes: u8,
    /// Start below this temperature, °C.
    pub start_c: i8,
    /// Stop at this temperature, °C.
    pub stop_c: i8,
}

impl Command {
    /// The request that carries this command.
    #[must_use]
    pub fn request(&self) -> Request {
        match *self {
            Self::BasicInfo => Request::read(basic_info::REGISTER),
            Self::CellVoltages => Request::read(cell_voltages::REGISTER),
            Self::HardwareName => Request::read(hardware::NAME_REGISTER),
            Self::ErrorCounts => Request::read(error_counts::REGISTER),
            Self::ChipType => Request::read(hardware::CHIP_REGISTER),
            Self::ChipTypeLong => Request::read_array(hardware::CHIP_REGISTER, [0, 0]),
            Self::EnterFactoryMode => Request::write_array(FACTORY_ENTER, [0x56, 0x78]),
            Self::LeaveFactoryMode { save: true } => {
                Request::write_array(FACTORY_LEAVE, [0x28, 0x28])
            }
            Self::LeaveFactoryMode { save: false } => {
                Request::write_array(FACTORY_LEAVE, [0x00, 0x00])
            }
            Self::Mosfets {
                charge_on,
                discharge_on,
            } => {
                let off = u8::from(!charge_on) | u8::from(!discharge_on) << 1;
                Request::write_array(MOSFET_CONTROL, [0, off])
            }
            Self::Mosfet { side, on } => {
                let side = match side {
                    MosfetSide::Discharge => 0x00,
                    MosfetSide::Charge => 0x01,
                    MosfetSide::PreDischarge => 0x03,
                    MosfetSide::Both => 0x0A,
                };
                Request::write_array(MOSFET_CONTROL_NEW, [side, u8::from(!on)])
            }
            Self::Function(function) => Request::write_array(FUNCTION, [function.number(), 0]),
            Self::SetRemainingCapacity { mah } => {
                let counts = u16::try_from(mah / 10).unwrap_or(u16::MAX);
                Request::write_array(REMAINING_CAPACITY, counts.to_be_bytes())
            }
            Self::BalanceTest(test) => {
                let which = match test {
                    BalanceTest::OddCells => 1,
                    BalanceTest::EvenCells => 2,
                    BalanceTest::CloseAll => 3,
                };
                Request::write_array(BALANCE_TEST, [0, which])
            }
            Self::Heating(heating) => Request::write_array(
                HEATING,
                [
                    if heating.on { 1 } else { 2 },
                    heating.in_hours,
                    heating.in_minutes,
                    heating.start_c.cast_unsigned(),
                    heating.stop_c.cast_unsigned(),
                ],
            ),
            Self::PasswordLogin(PasswordDigits([a, b, c, d, e, f])) => {
                Request::write_array(PASSWORD_LOGIN, [6, a, b, c, d, e, f])
            }
            Self::PasswordChange { old, new } => {
                let mut data = [12; 13];
                data[1..7].copy_from_slice(&old.0);
                data[7..].copy_from_slice(&new.0);
                Request::write_array(PASSWORD_CHANGE, data)
            }
            Self::PasswordClear => Request::write_array(PASSWORD_CLEAR, *b"\x06J1B2D4"),
        }
    }
}
