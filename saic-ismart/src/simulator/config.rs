/// The account and the cars of a simulated cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudConfig {
    /// Accepted at login, an e-mail address or the digits of a phone number.
    pub user: String,
    /// Accepted at login.
    pub password: String,
    /// Country code that a phone login must carry, digits only.
    pub country_code: String,
    /// Validity of a session, s.
    pub token_lifetime_s: u64,
    /// The cars of the account.
    pub cars: Vec<CarConfig>,
    /// What goes wrong.
    pub faults: Faults,
    /// Seconds that pass for the cars in one second of the clock. Answers,
    /// sessions and event ids follow the clock.
    pub pace: f64,
}

impl Default for CloudConfig {
    /// `demo@example.com` with `demo-password` and an MG4 that lives its life.
    fn default() -> Self {
        Self {
            user: "demo@example.com".to_owned(),
            password: "demo-password".to_owned(),
            country_code: "49".to_owned(),
            token_lifetime_s: 10_367_999,
            cars: vec![CarConfig::default()],
            faults: Faults::default(),
            pace: 1.0,
        }
    }
}

/// A simulated car.
#[derive(Debug, Clone, PartialEq)]
pub struct CarConfig {
    /// VIN, 17 characters.
    pub vin: String,
    /// Series in the vehicle list.
    pub series: String,
    /// Model in the vehicle list.
    pub model: String,
    /// Name that its owner gave it.
    pub name: String,
    /// It can be charged.
    pub has_plug: bool,
    /// Usable battery, kWh.
    pub battery_kwh: f64,
    /// What the car believes its battery to be, kWh.
    pub reported_kwh: f64,
    /// State of charge at the beginning, percent.
    pub soc_percent: f64,
    /// Odometer at the beginning, km.
    pub odometer_km: f64,
    /// Where it stands at the beginning: latitude and longitude, degrees.
    pub place_deg: (f64, f64),
    /// What it does, over and over.
    pub plan: Vec<Phase>,
    /// It falls asleep after this time without anything to do, s.
    pub sleeps_after_s: f64,
    /// Remote commands until somebody drives; `None` for as many as one likes.
    pub command_allowance: Option<u32>,
}

impl Default for CarConfig {
    /// An MG4 that charges, rests and drives.
    fn default() -> Self {
        let phase = |activity, minutes| Phase { activity, minutes };
        Self {
            vin: "LSJDEMO0000000001".to_owned(),
            series: "EH32 S".to_owned(),
            model: "MG4 Electric".to_owned(),
            name: "Demo MG4".to_owned(),
            has_plug: true,
            battery_kwh: 64.0,
            reported_kwh: 72.5,
            soc_percent: 54.0,
            odometer_km: 20_481.5,
            place_deg: (52.520_01, 13.404_95),
            plan: vec![
                phase(Activity::Charging { kw: 7.2 }, 90.0),
                phase(Activity::Parked, 30.0),
                phase(Activity::Driving { kmh: 54.0 }, 40.0),
                phase(Activity::Parked, 60.0),
                phase(Activity::FastCharging { kw: 90.0 }, 20.0),
                phase(Activity::Driving { kmh: 96.0 }, 45.0),
                phase(Activity::OutOfReach, 45.0),
            ],
            sleeps_after_s: 600.0,
            command_allowance: None,
        }
    }
}

/// A part of a car's day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// What it does.
    pub activity: Activity,
    /// For how long.
    pub minutes: f64,
}

/// What a simulated car does.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Activity {
    /// Stands unplugged.
    Parked,
    /// Stands unplugged where no signal reaches it.
    OutOfReach,
    /// Drives.
    Driving {
        /// On average.
        kmh: f64,
    },
    /// Stands plugged in at an AC charger.
    Charging {
        /// At most.
        kw: f64,
    },
    /// Stands plugged in at a DC charger.
    FastCharging {
        /// At most.
        kw: f64,
    },
}

/// Probabilities of what goes wrong, per request: 0 is never, 1 is always.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// HTTP 500 with a web page.
    pub server_error: f64,
    /// HTTP 200 with a web page.
    pub web_page: f64,
    /// Half of a body.
    pub half_body: f64,
    /// A wrong signature.
    pub bad_signature: f64,
    /// "The service is not available" (code 6).
    pub unavailable: f64,
    /// A cached status that cannot be true.
    pub cache_garbage: f64,
    /// A status whose temperature inside is 40 °C too high.
    pub temperature_jump: f64,
}
