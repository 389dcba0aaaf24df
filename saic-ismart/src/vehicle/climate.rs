use super::control::Param;

/// The temperature index that the front defroster is always sent with: 22 °C.
const DEFROST_INDEX: u8 = 8;

/// Climate and front defroster. The cloud takes temperatures as an index of
/// the series: [`crate::Profile::temperature_index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Climate {
    /// On at a temperature; works with every series.
    Start {
        /// Index of the temperature.
        index: u8,
    },
    /// Off.
    Stop,
    /// Blows without cooling.
    BlowOnly,
    /// Front defroster, at its own temperature.
    FrontDefrost,
    /// Everything by hand. What the modes mean differs by series.
    Full {
        /// Mode or fan speed, 1 to 5.
        mode: u8,
        /// Index of the temperature.
        index: u8,
        /// The air conditioner runs.
        air_conditioner: bool,
    },
}

impl Climate {
    pub(super) fn params(self) -> Vec<Param> {
        match self {
            Self::Start { index } => vec![(19, 2), (20, index)],
            Self::Stop => vec![(19, 0), (22, 0)],
            Self::BlowOnly => vec![(19, 1), (20, 0), (22, 0)],
            Self::FrontDefrost => vec![(19, 5), (20, DEFROST_INDEX), (22, 1)],
            Self::Full {
                mode,
                index,
                air_conditioner,
            } => vec![(19, mode), (20, index), (22, air_conditioner.into())],
        }
    }
}
