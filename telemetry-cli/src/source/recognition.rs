//! Which of the Bluetooth devices that are heard a source can read.

use bluetti_modbus::advertisement::Likelihood as StationLikelihood;
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
    /// Whether it talks encrypted, if the advertisement tells it.
    pub encrypted: Option<bool>,
}

type Recognizer = fn(&Seen) -> Option<Recognized>;

/// One for each source that talks Bluetooth. Of two that are sure the last one is
/// right: the name of a station tells more than the maker of a radio module.
const RECOGNIZERS: [Recognizer; 2] = [jbd, bluetti];

/// What `seen` is; nothing if no source can read it.
pub fn recognize(seen: &Seen) -> Option<Recognized> {
    let found = RECOGNIZERS.iter().filter_map(|recognizer| recognizer(seen));
    // Makers share services: a guess gives way to a better one.
    found.max_by_key(|recognized| recognized.likely)
}

/// The services that have a short form.
fn services(seen: &Seen) -> Vec<u16> {
    let services = seen.services.iter();
    services.filter_map(|&of| short_form(of)).collect()
}

fn manufacturer_data(seen: &Seen) -> Vec<(u16, &[u8])> {
    let data = seen.manufacturer_data.iter();
    data.map(|(company, data)| (*company, data.as_slice()))
        .collect()
}

fn bluetti(seen: &Seen) -> Option<Recognized> {
    let (services, manufacturer_data) = (services(seen), manufacturer_data(seen));
    let advertisement = bluetti_modbus::advertisement::Advertisement {
        name: seen.name.as_deref(),
        services: &services,
        manufacturer_data: &manufacturer_data,
    };
    // All advertise their name or their maker's; packs have the service, too.
    if advertisement.likelihood() != StationLikelihood::Likely {
        return None;
    }
    let model = advertisement.station().map(|station| match station.model {
        Some(model) => model.name().to_owned(),
        None => station.token.to_owned(),
    });
    Some(Recognized {
        kind: "bluetti",
        likely: true,
        model,
        encrypted: advertisement.is_encrypted(),
    })
}

fn jbd(seen: &Seen) -> Option<Recognized> {
    let (services, manufacturer_data) = (services(seen), manufacturer_data(seen));
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
        encrypted: Some(false),
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

    #[test]
    fn stations_are_known_by_name_and_by_what_their_maker_says() {
        let service = 0xFF00 << 96 | 0x1000_8000_0080_5F9B_34FB;
        let with_letter = |letter: u8| {
            let mut station = seen("AC1802305000000002", service);
            let text = [b"UETT".as_slice(), &[letter]].concat();
            station.manufacturer_data = vec![(u16::from_le_bytes(*b"BL"), text)];
            recognize(&station).unwrap()
        };
        let encrypted = with_letter(b'E');
        assert_eq!((encrypted.kind, encrypted.likely), ("bluetti", true));
        assert_eq!(encrypted.model.as_deref(), Some("AC180"));
        assert_eq!(encrypted.encrypted, Some(true));
        assert_eq!(with_letter(b'I').encrypted, Some(false));
        let named = recognize(&seen("E200V22305000000002", 0)).unwrap();
        assert_eq!((named.kind, named.encrypted), ("bluetti", None));
        assert_eq!(named.model.as_deref(), Some("Elite 200 V2"));
    }
}
