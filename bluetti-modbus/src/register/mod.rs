//! Registers: the image of what was read, what a field is and how it is decoded,
//! what a control is and how it is encoded.
//!
//! Pure data and functions. Which registers a station has is in
//! [`model`](crate::model).

mod block;
mod choice;
mod control;
mod decimal;
mod field;
mod image;
mod kind;
#[cfg(feature = "serde")]
mod serialize;
mod text;
mod time;
mod value;

pub use block::{Block, ReadLimit};
pub use choice::{Choice, Choices, Named, choices};
pub use control::{
    Control, ControlError, ControlId, ControlKind, Danger, NumberRange, Setting, Write,
};
pub use decimal::Decimal;
pub(crate) use field::field;
pub use field::{Field, Group, Role, Unit};
pub use image::Registers;
pub use kind::{Kind, PvQuantity, PvScale, Word};
pub use text::Text;
pub use time::{DateTime, SlotMode, TimeSlot};
pub use value::{CellVoltage, Value};
