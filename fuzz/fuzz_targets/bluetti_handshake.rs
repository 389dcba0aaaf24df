#![no_main]

use bluetti_modbus::encryption::{Entropy, LinkEvent, NoEntropy, SecureLink, SessionCipher};
use bluetti_modbus::simulator::{Output, Station, StationConfig};

fn entropy(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    bytes.fill(7);
    Ok(())
}

/// Takes what the station sends until nothing more is due.
fn shake_hands(station: &mut Station, link: &mut SecureLink, until_ms: u64) {
    while let Some(at_ms) = station.next_at().filter(|&at_ms| at_ms <= until_ms) {
        let Some(Output::Notify(chunk)) = station.poll(at_ms) else {
            continue;
        };
        link.push(&chunk);
        while let Some(event) = link.next_event() {
            if let LinkEvent::Challenged(bytes) | LinkEvent::Send(bytes) = event {
                station.write(&bytes, at_ms);
            }
        }
    }
}

// Any bytes at any point of a handshake that is otherwise sound, and inside its
// session: past the cipher, whatever the station encrypts. Borders mean nothing.
libfuzzer_sys::fuzz_target!(|input: (u8, u16, u8, &[u8])| {
    let (mode, from_ms, size, data) = input;
    let data = &data[..data.len().min(1024)];
    let config = StationConfig::with_registers([(16, 2005)]).encrypted();
    let mut station = Station::new(config, 1);
    let mut link = SecureLink::new(station.verify_key(), Box::new(entropy));
    station.connect(0);
    if mode % 4 == 0 {
        shake_hands(&mut station, &mut link, 2_000);
        assert!(link.is_ready());
        if let Ok(Some(sealed)) = link.seal(data)
            && !data.is_empty()
        {
            link.push(&sealed);
            while let Some(event) = link.next_event() {
                if let LinkEvent::Received(plain) = event {
                    assert_eq!(plain, data);
                }
            }
            assert!(link.is_ready());
        }
        return;
    }
    shake_hands(&mut station, &mut link, u64::from(from_ms % 1_000));
    for chunk in data.chunks(usize::from(size).max(1)) {
        link.push(chunk);
        let mut events = 0;
        while link.next_event().is_some() {
            events += 1;
            assert!(events <= 1_024, "every event takes bytes");
        }
    }
    let cipher = SessionCipher::new([mode; 32].into());
    let mut source = entropy;
    let source: &mut dyn Entropy = &mut source;
    if let Ok(sealed) = cipher.seal(data, source)
        && !data.is_empty()
    {
        assert_eq!(cipher.open(&sealed).as_deref(), Some(data));
    }
    let _ = cipher.open(data);
});
