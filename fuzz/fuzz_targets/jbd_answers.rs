#![no_main]

use jbd_bms::assembler::Assembler;
use jbd_bms::frame::Frame;
use jbd_bms::{Answer, BasicInfo, BasicInfoView, Status, UnitScale};

// Past the checksum: any content of any register is decoded, and parameters
// are encoded back to the bytes they came from.
libfuzzer_sys::fuzz_target!(|input: (u8, u8, &[u8])| {
    let code = if input.1 < 0x80 { 0 } else { input.1 & 0x8F };
    let (register, status) = (input.0, Status::from(code));
    let data = &input.2[..input.2.len().min(255)];
    let sent = Frame {
        register,
        status,
        data,
        zero_checksum: false,
    };
    let mut assembler = Assembler::new();
    assembler.push(&sent.to_bytes().unwrap());
    let frame = assembler.next_frame().unwrap();
    assert_eq!(frame, sent);
    match Answer::decode(&frame, UnitScale::Auto) {
        Ok(Answer::BasicInfo(info)) => {
            let view = BasicInfoView::parse(data, UnitScale::Auto).unwrap();
            assert_eq!(BasicInfo::from(view), info);
        }
        Ok(Answer::Parameter { parameter, value }) if parameter.words() == 1 => {
            let encoded = parameter.encode(&value, UnitScale::Auto).unwrap();
            assert_eq!(encoded, data[..2]);
            assert_eq!(parameter.parse(&value.to_string()), Some(value));
        }
        _ => {}
    }
});
