use super::Model;

/// What a station's advertised name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertised<'a> {
    /// The part before the serial number, such as `AC300`.
    pub token: &'static str,
    /// The model, where its map is known; else the generic one is chosen by
    /// [`Generation::of_protocol`](super::Generation::of_protocol).
    pub model: Option<Model>,
    /// The serial number, decimal digits.
    pub serial: &'a str,
}

/// The usual length of a serial number.
const SERIAL_DIGITS: usize = 13;
/// More than a serial number fits no `u64`.
const SERIAL_DIGITS_MAX: usize = 20;

/// Tokens that are not the model's own name.
static TOKENS: [(&str, Option<Model>); 11] = [
    ("AC200P", None),
    ("AC240", None),
    ("AC240P", None),
    ("CHARGER 2", Some(Model::CHARGER_2)),
    ("E200V2", Some(Model::ELITE_200_V2)),
    ("EBOX", Some(Model::EP2000)),
    ("EL100", None),
    ("EL10V2", None),
    ("EL30", None),
    ("EL400", None),
    ("PBOX", Some(Model::EP760)),
];

impl Model {
    /// What an advertised name says: a known token and a serial number of digits
    /// alone. Case counts. `None` for a name that is not one of a station.
    ///
    /// A token that leaves the usual 13 digits wins over a longer one, because
    /// some end in digits themselves.
    ///
    /// ```
    /// use bluetti_modbus::model::Model;
    ///
    /// let advertised = Model::from_advertised("EP500P2236000123456").unwrap();
    /// assert_eq!(advertised.model, Some(Model::EP500P));
    /// assert_eq!(advertised.serial, "2236000123456");
    /// assert_eq!(Model::from_advertised("Kitchen lamp"), None);
    /// ```
    #[must_use]
    pub fn from_advertised(name: &str) -> Option<Advertised<'_>> {
        tokens()
            .filter_map(|(token, model)| {
                let serial = name.strip_prefix(token)?;
                let digits = serial.bytes().all(|byte| byte.is_ascii_digit());
                let fits = (1..=SERIAL_DIGITS_MAX).contains(&serial.len());
                (digits && fits).then_some(Advertised {
                    // Both spellings are the same station.
                    token: if token == Self::ELITE_200_V2.name() {
                        "E200V2"
                    } else {
                        token
                    },
                    model,
                    serial,
                })
            })
            .max_by_key(|found| (found.serial.len() == SERIAL_DIGITS, found.token.len()))
    }
}

fn tokens() -> impl Iterator<Item = (&'static str, Option<Model>)> {
    let named = Model::ALL.iter().filter(|model| !model.is_generic());
    let named = named.map(|&model| (model.name(), Some(model)));
    named.chain(TOKENS.iter().copied())
}
