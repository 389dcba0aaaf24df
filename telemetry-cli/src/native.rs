//! What a device said, as its SDK has it: for the drop-in commands, whose
//! messages carry values that the catalogue scales, rounds or has no row for.

use std::sync::Arc;

use jbd_bms::{BasicInfo, CellVoltages};

/// The SDK's own values behind a reading; cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Native {
    /// Of a JBD battery pack.
    Jbd(Arc<JbdPack>),
}

/// The two answers of a JBD pack that make a reading. They belong together:
/// asked for one after the other, in one cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct JbdPack {
    /// Register 0x03.
    pub info: BasicInfo,
    /// Register 0x04.
    pub cells: CellVoltages,
}
