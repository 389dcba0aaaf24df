#![no_main]

use bluetti_modbus::modbus::{Frame, tcp};

// What parses is written back byte by byte, and fewer bytes never parse otherwise.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(Some((frame, used))) = Frame::parse(data) {
        assert_eq!(frame.to_bytes(), &data[..used]);
        for len in 0..used {
            assert_eq!(Frame::parse(&data[..len]), Ok(None));
        }
    }
    if let Ok(Some((frame, used))) = tcp::Frame::parse(data) {
        assert_eq!(frame.to_bytes(), &data[..used]);
        for len in 0..used {
            assert_eq!(tcp::Frame::parse(&data[..len]), Ok(None));
        }
    }
});
