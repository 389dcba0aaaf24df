use super::control::Param;

/// What windows and sunroof shall do. Whether a car obeys differs by series;
/// some refuse with code 8 and reason 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Which.
    pub panes: Panes,
    /// What.
    pub action: WindowAction,
}

/// Windows and sunroof that a command addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Panes {
    /// The sunroof.
    pub sunroof: bool,
    /// The driver's window.
    pub driver: bool,
    /// The passenger's window.
    pub passenger: bool,
    /// The window behind on the left.
    pub rear_left: bool,
    /// The window behind on the right.
    pub rear_right: bool,
}

impl Panes {
    /// All windows, not the sunroof.
    pub const WINDOWS: Self = Self {
        sunroof: false,
        driver: true,
        passenger: true,
        rear_left: true,
        rear_right: true,
    };
    /// The driver's window.
    pub const DRIVER: Self = Self {
        sunroof: false,
        driver: true,
        passenger: false,
        rear_left: false,
        rear_right: false,
    };
    /// The sunroof.
    pub const SUNROOF: Self = Self {
        sunroof: true,
        driver: false,
        passenger: false,
        rear_left: false,
        rear_right: false,
    };
}

/// The motion of windows and sunroof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowAction {
    /// Closes.
    Close,
    /// Opens a gap.
    Ventilate,
    /// Opens, by the number that the app of newer cars sends (2).
    Open,
    /// Opens, by the number that older clients send (3); the sunroof takes this one.
    OpenOld,
}

impl Windows {
    pub(super) fn params(self) -> Vec<Param> {
        let panes = self.panes;
        let action = match self.action {
            WindowAction::Close => 0,
            WindowAction::Ventilate => 1,
            WindowAction::Open => 2,
            WindowAction::OpenOld => 3,
        };
        vec![
            (8, panes.sunroof.into()),
            (9, panes.driver.into()),
            (10, panes.passenger.into()),
            (11, panes.rear_left.into()),
            (12, panes.rear_right.into()),
            (13, action),
        ]
    }
}
