use crate::frame::Request;

/// Tells the board what a meter shows, inside factory mode. Wrong values make
/// every protection act on wrong measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calibration {
    /// Register 0xAD: no current flows.
    IdleCurrent,
    /// Register 0xAE: so much charge current flows.
    ChargeCurrent {
        /// mA in steps of 10, up to 655 350.
        ma: u32,
    },
    /// Register 0xAF: so much discharge current flows.
    DischargeCurrent {
        /// mA in steps of 10, up to 655 350, positive.
        ma: u32,
    },
    /// Registers 0xB0 to 0xCF: a cell has this voltage.
    Cell {
        /// 1..=32.
        cell: u8,
        /// mV.
        mv: u16,
    },
    /// Registers 0xD0 to 0xD7: a probe has this temperature.
    Probe {
        /// 1..=8.
        probe: u8,
        /// 0.1 °C.
        deci_c: i16,
    },
}

impl Calibration {
    /// The request; `None` if a number is out of its range.
    #[must_use]
    pub fn request(self) -> Option<Request> {
        let (register, value) = match self {
            Self::IdleCurrent => (0xAD, 0),
            Self::ChargeCurrent { ma } => (0xAE, u16::try_from(ma / 10).ok()?),
            Self::DischargeCurrent { ma } => (0xAF, u16::try_from(ma / 10).ok()?),
            Self::Cell {
                cell: cell @ 1..=32,
                mv,
            } => (0xB0 + (cell - 1), mv),
            Self::Probe {
                probe: probe @ 1..=8,
                deci_c,
            } => {
                let deci_kelvin = u16::try_from(i32::from(deci_c) + 2731).ok()?;
                (0xD0 + (probe - 1), deci_kelvin)
            }
            Self::Cell { .. } | Self::Probe { .. } => return None,
        };
        Some(Request::write_array(register, value.to_be_bytes()))
    }
}
