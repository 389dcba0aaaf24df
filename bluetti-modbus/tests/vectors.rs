//! Published frames and notification sequences, byte for byte.

#[path = "support/hex.rs"]
mod support;

use bluetti_modbus::encryption::NoEntropy;
use bluetti_modbus::modbus::{Answer, ExceptionCode, Frame, Request, UnitId, Words, crc16_modbus};
use bluetti_modbus::session::{Config, Reply, Session, SessionError, Step};
use serde_json::Value;
use support::hex;

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value) -> u16 {
    value.as_u64().unwrap().try_into().unwrap()
}

#[test]
fn checksums() {
    let samples = vectors(include_str!("data/crc.json"));
    for sample in &samples {
        let crc = crc16_modbus(&hex(&sample["data"]));
        assert_eq!(crc.to_be_bytes().to_vec(), hex(&sample["value"]));
        assert_eq!(crc.to_le_bytes().to_vec(), hex(&sample["wire"]));
    }
    println!("{} checksums", samples.len());
    assert_eq!(samples.len(), 6);
}

#[test]
fn requests_and_the_length_of_their_answers() {
    let samples = vectors(include_str!("data/requests.json"));
    for sample in &samples {
        let request = request_of(sample);
        assert_eq!(request.to_rtu(), hex(&sample["request"]), "{sample}");
        if let Some(len) = sample["response_len"].as_u64() {
            assert_eq!(request.answer_len() as u64, len);
        }
        for answer in ["response", "echo_response"] {
            if sample[answer].is_string() {
                let bytes = hex(&sample[answer]);
                let (frame, used) = Frame::parse(&bytes).unwrap().unwrap();
                assert_eq!((used, frame.to_bytes()), (bytes.len(), bytes.clone()));
                assert!(request.accepts(frame.unit, &frame.answer), "{sample}");
            }
        }
        if sample["parsed_echo"].is_string() {
            let echo = hex(&sample["echo_response"]);
            let (frame, _) = Frame::parse(&echo).unwrap().unwrap();
            let Answer::Written { what, .. } = frame.answer else {
                panic!("{sample}");
            };
            assert_eq!(what.to_be_bytes().to_vec(), hex(&sample["parsed_echo"]));
        }
    }
    println!("{} requests", samples.len());
    assert_eq!(samples.len(), 60);
}

fn request_of(sample: &Value) -> Request {
    let unit = sample.get("slave").map_or(UnitId::DEFAULT, |unit| {
        UnitId(unit.as_u64().unwrap().try_into().unwrap())
    });
    let address = number(&sample["address"]);
    match sample["op"].as_str().unwrap() {
        "read" => Request::read(unit, address, number(&sample["count"])).unwrap(),
        "write_single" => Request::write(unit, address, number(&sample["value"])),
        "write_multiple" => {
            let data = hex(&sample["data"]);
            let values = Words::new(&data).unwrap().to_vec();
            Request::write_many(unit, address, &values).unwrap()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_odd_number_of_bytes_is_no_list_of_registers() {
    assert_eq!(Words::new(b"abc"), None);
}

/// What a session makes of a sequence of notifications.
#[derive(Debug, PartialEq)]
enum Outcome {
    Answered(Vec<u8>),
    Refused(ExceptionCode),
    /// Still waiting, and asking again only when the time is over.
    Pending,
    /// Asks again after the short silence.
    AskedAgain,
    ModuleRestarted,
    EchoDiffers,
}

fn outcome(request: &[u8], notifications: &[Vec<u8>]) -> Outcome {
    let word = |at: usize| u16::from_be_bytes([request[at], request[at + 1]]);
    let unit = UnitId(request[0]);
    let request = match request[1] {
        3 => Request::read(unit, word(2), word(4)).unwrap(),
        6 => Request::write(unit, word(2), word(4)),
        _ => {
            let values = Words::new(&request[7..request.len() - 2]).unwrap().to_vec();
            Request::write_many(unit, word(2), &values).unwrap()
        }
    };
    let mut session = Session::new(Config::new(|_: &mut [u8]| Err(NoEntropy)));
    session.connected(0);
    session.begin(request.clone(), 5_000);
    assert_eq!(session.poll(5_000), Step::Write(&request.to_rtu()));
    let mut now_ms = 5_000;
    let Step::Wait { until_ms } = session.poll(now_ms) else {
        panic!("nothing awaited");
    };
    let deadline_ms = until_ms;
    for notification in notifications {
        now_ms += 20;
        session.received(notification, now_ms);
    }
    match session.poll(now_ms) {
        Step::Done(Ok(Reply::Registers(values))) => {
            let bytes: Vec<u8> = values.iter().flat_map(|word| word.to_be_bytes()).collect();
            let words = Words::new(&bytes).unwrap();
            let answer = Answer::Registers(words);
            let unit = request.unit();
            Outcome::Answered(Frame { unit, answer }.to_bytes())
        }
        Step::Done(Ok(Reply::Written)) => Outcome::Answered(notifications.concat()),
        Step::Done(Ok(Reply::Refused(code))) => Outcome::Refused(code),
        Step::Done(Err(SessionError::ModuleRestarted)) => Outcome::ModuleRestarted,
        Step::Done(Err(SessionError::EchoDiffers)) => Outcome::EchoDiffers,
        Step::Wait { until_ms } if until_ms == deadline_ms => Outcome::Pending,
        Step::Wait { until_ms } => {
            assert_eq!(until_ms, now_ms + 250);
            assert_eq!(session.poll(until_ms), Step::Write(&request.to_rtu()));
            Outcome::AskedAgain
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn notification_sequences() {
    let samples = vectors(include_str!("data/notifications.json"));
    for sample in &samples {
        let case = sample["case"].as_str().unwrap();
        let notifications: Vec<Vec<u8>> = sample["notifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(hex)
            .collect();
        let wanted = match case {
            "whole response in one notification"
            | "chunks of 20 bytes (MTU 23)"
            | "chunks of 1 byte"
            | "two chunks 60+25"
            | "write echo"
            | "write-multiple acknowledge"
            | "unsupported marker value 404 in a register" => {
                Outcome::Answered(notifications.concat())
            }
            "bit flip in payload, length right"
            | "bad crc"
            | "exception with corrupt crc (upstream does not check it)"
            | "one byte too many"
            | "extra byte in a later chunk" => Outcome::AskedAgain,
            "exception 1" => Outcome::Refused(ExceptionCode::IllegalFunction),
            "exception 2 (illegal address)"
            | "exception split after 2 bytes"
            | "exception split after 3 bytes" => {
                Outcome::Refused(ExceptionCode::IllegalDataAddress)
            }
            "exception 3" => Outcome::Refused(ExceptionCode::IllegalDataValue),
            "write exception 4" => Outcome::Refused(ExceptionCode::ServerDeviceFailure),
            "AT+NAME?" | "AT+ADV?" | "AT+NAME? after a partial answer" => Outcome::ModuleRestarted,
            "short answer"
            | "answer to another command of another length"
            | "read answer of the same length as the write echo is taken as its answer (upstream)"
            | "answer from another slave"
            | "function code of exception does not belong to request" => Outcome::Pending,
            "write echo with another value" => Outcome::EchoDiffers,
            other => panic!("{other}"),
        };
        let got = outcome(&hex(&sample["request"]), &notifications);
        assert_eq!(got, wanted, "{case}");
        if let Some(frame) = sample["frame"]
            .as_str()
            .filter(|_| sample["outcome"] == "ok")
            && matches!(wanted, Outcome::Answered(_))
        {
            assert_eq!(got, Outcome::Answered(hex(&Value::from(frame))), "{case}");
        }
    }
    println!("{} notification sequences", samples.len());
    assert_eq!(samples.len(), 27);
}
