#![no_main]

use jbd_bms::frame::Frame;

// What parses is written back byte by byte, and fewer bytes never parse otherwise.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(Some((frame, used))) = Frame::parse(data) else {
        return;
    };
    assert_eq!(frame.to_bytes().as_deref(), Ok(&data[..used]));
    for len in 0..used {
        assert_eq!(Frame::parse(&data[..len]), Ok(None));
    }
});
