#![no_main]

use saic_ismart::charging::ChargingStatus;
use saic_ismart::india::{
    AccountDispatcher, CarDispatcher, ChargeStatus, ControlAnswer, ControlRequest, LoginAnswer,
    LoginRequest, PinRequest, Status, StatusRequest, frame_signature, open_account, open_car,
    seal_account, seal_car,
};
use saic_ismart::{ChargingData, VehicleStatus};

// Any text is opened or refused; past the frame, whatever can be read is
// written again as it was, and the models of all regions take it.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = (open_account(text), open_car(text), frame_signature(text));
    }
    macro_rules! again {
        ($($message:ty),*) => {$(
            if let Ok(read) = <$message>::from_bytes(bytes) {
                let written = read.to_bytes().unwrap();
                assert!(written.len() <= bytes.len());
                assert_eq!(<$message>::from_bytes(&written).unwrap(), read);
            }
        )*};
    }
    again!(
        AccountDispatcher,
        CarDispatcher,
        LoginRequest,
        PinRequest,
        StatusRequest,
        Status,
        ControlRequest,
        ControlAnswer,
        ChargeStatus
    );
    let _ = LoginAnswer::from_bytes(bytes);
    if let Ok(mut dispatcher) = AccountDispatcher::from_bytes(bytes) {
        dispatcher.data_length = bytes.len() as u32;
        if let Ok(frame) = seal_account(&dispatcher, bytes) {
            assert_eq!(open_account(&frame), Ok((dispatcher, bytes.to_vec())));
        }
    }
    if let Ok(mut dispatcher) = CarDispatcher::from_bytes(bytes) {
        dispatcher.data_length = u16::try_from(bytes.len()).ok();
        if let Ok(frame) = seal_car(&dispatcher, bytes) {
            assert_eq!(open_car(&frame), Ok((dispatcher, bytes.to_vec())));
        }
    }
    if let Ok(status) = Status::from_bytes(bytes) {
        let status = VehicleStatus::from_json(&status.to_json()).unwrap();
        assert!(status.basic.locked.is_some());
    }
    if let Ok(answer) = ControlAnswer::from_bytes(bytes) {
        saic_ismart::vehicle::ControlAnswer::from_json(&answer.to_json()).unwrap();
    }
    if let Ok(charge) = ChargeStatus::from_bytes(bytes) {
        let data = ChargingData::from_json(&charge.to_data_json()).unwrap();
        let status = ChargingStatus::from_json(&charge.to_status_json()).unwrap();
        assert_eq!(data.rvs, status.charging);
        assert!(data.management.state.is_some());
    }
});
