//! Which of the Bluetooth devices that are heard a source can read.

use jbd_bms::MacAddress;
use jbd_bms::advertisement::{Advertisement, Likelihood, short_form};

use crate::radio::Seen;

/// What a device seems to be, by what it advertises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// The table of the configuration that it belongs in, such as `jbd`.
    pub kind: &'static str,
    /// False if only a connection tells.
    pub likely: bool,
    /// The model, where the advertisement tells it.
    pub model: Option<String>,
    /// Whether it talks encrypted.
    pub encrypted: bool,
}

type Recognizer = fn(&Seen) -> Option<Recognized>;

/// One for each source that talks Bluetooth.
const RECOGNIZERS: [Recognizer; 1] = [jbd];

/// What `seen` is; nothing if no source can read it.
pub fn recognize(seen: &Seen) -> Option<Recognized> {
    let found = RECOGNIZERS.iter().filter_map(|recognizer| recognizer(seen));
    // Makers share services: a guess gives way to a better one.
    found.max_by_key(|recognized| recognized.likely)
}

fn jbd(seen: &Seen) -> Option<Recognized> {
    let services: Vec<u16> = seen
        .services
        .iter()
        .filter_map(|&service| short_form(service))
        .collect();
    let manufacturer_data: Vec<(u16, &[u8])> = seen
        .manufacturer_data
        .iter()
        .map(|(company, data)| (*company, data.as_slice()))
        .collect();
    let advertisement = Advertisement {
        name: seen.name.as_deref(),
        address: seen.address.parse::<MacAddress>().ok(),
        services: &services,
        manufacturer_data: &manufacturer_data,
    };
    let likely = match advertisement.likelihood() {
        Likelihood::Likely => true,
        Likelihood::Possible => false,
        Likelihood::No => return None,
    };
    Some(Recognized {
        kind: "jbd",
        likely,
        model: seen.name.as_deref().and_then(board).map(str::to_owned),
        encrypted: false,
    })
}

/// The board in a name that was never changed: `SP04S034`, `JBD-SP04S020`.
fn board(name: &str) -> Option<&str> {
    let board = name.strip_prefix("JBD-").unwrap_or(name);
    match board.as_bytes() {
        [b'S' | b'A' | b'D', b'P', tens, ones, b'S', ..]
            if tens.is_ascii_digit() && ones.is_ascii_digit() =>
        {
            Some(board)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, service: u128) -> Seen {
        Seen {
            address: "00:00:00:00:00:01".to_owned(),
            name: Some(name.to_owned()),
            rssi_dbm: None,
            services: vec![service],
            manufacturer_data: vec![],
            connected: false,
        }
    }

    #[test]
    fn packs_are_known_by_service_name_and_address() {
        let service = jbd_bms::advertisement::GattVariant::Standard.service();
        let board = recognize(&seen("JBD-SP04S020", service)).unwrap();
        assert_eq!((board.kind, board.likely), ("jbd", true));
        assert_eq!(board.model.as_deref(), Some("SP04S020"));
        let boat = recognize(&seen("My boat", service)).unwrap();
        assert_eq!((boat.likely, boat.model), (false, None));
        let pack = Seen {
            address: "A4:C1:38:00:00:01".to_owned(),
            ..seen("My boat", service)
        };
        assert!(recognize(&pack).unwrap().likely);
        assert_eq!(recognize(&seen("TP_1", service)), None);
        assert_eq!(recognize(&seen("Belt", 0x180D << 96)), None);
    }
}
