//! `decode bluetti` as a user runs it: a logger's lines, hexadecimal or a
//! phone's log in, JSON out.

use serde_json::{Map, Value, json};

use crate::btsnoop::{Log, acl, att, notification};
use crate::call::{Cli, Outcome};

const REQUEST: &str = "0103000a002865d6";
const REFUSAL: &str = "018302c0f1";
const NOTHING_REJECTED: &str = "rejected_bytes=0 rejected_frames=0\n";

fn decode<const N: usize>(args: [&str; N], input: impl AsRef<[u8]>) -> Outcome {
    let mut cli = Cli::new(["decode", "bluetti"]);
    for arg in args {
        cli = cli.arg(arg);
    }
    cli.input(input).run()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let texts = digits.map(|pair| std::str::from_utf8(pair).unwrap());
    texts
        .map(|text| u8::from_str_radix(text, 16).unwrap())
        .collect()
}

/// An answer to a read, and what the open implementation made of it.
#[derive(serde::Deserialize)]
struct Case {
    model: String,
    start: u16,
    count: u16,
    answer: String,
    fields: Map<String, Value>,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("../data/bluetti-answers.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The answer of an AC300 to [`REQUEST`].
fn home() -> Case {
    let mut cases = cases().into_iter();
    cases
        .find(|case| case.model == "AC300" && case.start == 10)
        .unwrap()
}

fn objects(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn agrees(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => found.as_f64() == expected.as_f64(),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| agrees(a, b))
        }
        _ => found == expected,
    }
}

#[test]
fn answers_of_the_first_implementation() {
    let mut fields = 0;
    for case in cases() {
        let (start, count) = (case.start.to_string(), case.count.to_string());
        // In pieces, as over a short MTU.
        let pieces: Vec<_> = case.answer.as_bytes().chunks(40).collect();
        let input = pieces.join(&b'\n');
        let args = ["--model", &case.model, "--start", &start, "--count", &count];
        let outcome = decode(args, input);
        assert_eq!(
            (outcome.stderr.as_str(), outcome.code),
            (NOTHING_REJECTED, Some(0))
        );
        let objects = objects(&outcome);
        let [object] = objects.as_slice() else {
            panic!("{}: {objects:?}", case.model);
        };
        assert_eq!(object["kind"], "registers");
        assert_eq!(object["start"], case.start);
        for (name, expected) in &case.fields {
            let found = &object["fields"][name];
            assert!(agrees(found, expected), "{}: {name}: {found}", case.model);
            fields += 1;
        }
    }
    assert_eq!(fields, 398);
}

/// A log of one station, and what the other open implementation made of it.
#[derive(serde::Deserialize)]
struct LoggedCase {
    model: String,
    unit: u8,
    lines: Vec<String>,
    fields: Map<String, Value>,
}

#[test]
fn logs_with_the_names_of_the_second_implementation() {
    let mut fields = 0;
    for text in include_str!("../data/bluetti-logs.jsonl").lines() {
        let case: LoggedCase = serde_json::from_str(text).unwrap();
        let (input, unit) = (case.lines.join("\n"), case.unit.to_string());
        let outcome = decode(["--model", &case.model, "--slave", &unit], &input);
        assert_eq!(outcome.stderr, NOTHING_REJECTED, "{}", case.model);
        let objects = objects(&outcome);
        assert_eq!(objects.len(), case.lines.len());
        for (name, expected) in &case.fields {
            let mut found = objects
                .iter()
                .filter_map(|object| object["fields"].get(name));
            assert!(
                found.any(|found| agrees(found, expected)),
                "{}: {name} is not {expected}: {objects:#?}",
                case.model
            );
            fields += 1;
        }
        let other = decode(["--model", &case.model, "--slave", "7"], &input);
        assert_eq!(other, Outcome::ok("", NOTHING_REJECTED));
    }
    assert_eq!(fields, 149);
}

#[test]
fn merged_split_damaged_and_interrupted_answers() {
    let answer = home().answer;
    let mut damaged = answer.clone();
    damaged.replace_range(20..22, "ff");
    let (first, second) = answer.split_at(60);
    let input = [
        // Merged with a refusal, behind a stray byte.
        &format!("00{answer}{REFUSAL}"),
        // A line of the module between two pieces.
        first,
        "41542b4e414d453f0d",
        second,
        &damaged,
        // Broken off.
        first,
        &answer,
        // The refusal in two pieces, and the read of something else.
        "0183",
        "02c0f1",
        "01030207d57beb",
    ]
    .join("\n");
    let outcome = decode(
        ["--model", "AC300", "--start", "10", "--count", "40"],
        input,
    );
    let kinds: Vec<_> = objects(&outcome)
        .iter()
        .map(|object| object["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "registers",
            "exception",
            "registers",
            "registers",
            "exception"
        ]
    );
    assert_eq!(
        objects(&outcome)[1],
        json!({"kind": "exception", "code": 2})
    );
    assert_eq!(outcome.code, Some(0));
    let rejected = 1 + 85 + 30 + 7;
    assert!(
        outcome
            .stderr
            .ends_with(&format!("\nrejected_bytes={rejected} rejected_frames=2\n")),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("the Bluetooth module spoke"));
}

#[test]
fn numbers_without_a_name_are_kept() {
    let line = "{\"type\": \"client\", \"time\": \"\", \"data\": \"AQMCAAl4Qg==\", \
                \"command\": \"AQMLuQABV8s=\"}";
    assert_eq!(
        decode(["--model", "ac300"], line),
        Outcome::ok(
            "{\"kind\":\"registers\",\"start\":3001,\"fields\":{\"ups_mode\":\"unknown_9\",\
             \"ctrl_ups_mode\":\"unknown_9\"}}\n",
            NOTHING_REJECTED
        )
    );
}

#[test]
fn a_refusal_in_a_log_is_an_exception_and_a_damaged_line_costs_no_other() {
    let refused = "{\"type\": \"client\", \"time\": \"2026-01-02 03:04:05 +0100\", \"error\": \
        \"MODBUS Exception ReadHoldingRegisters(starting_address=1, quantity=1): 2\", \
        \"command\": \"AQMAAQAB1co=\"}";
    let silent = refused.replace(
        "MODBUS Exception ReadHoldingRegisters(starting_address=1, quantity=1): 2",
        "too many retries",
    );
    let broken = &refused[..90];
    let input = format!("{refused}\n{silent}\n{broken}\n\n{refused}\n");
    let outcome = decode(["--model", "AC300"], input);
    let exception = json!({"kind": "exception", "code": 2});
    assert_eq!(objects(&outcome), [exception.clone(), exception]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome
            .stderr
            .contains("line 2: no answer: too many retries")
    );
    assert!(outcome.stderr.contains("line 3: it is no line of a log"));
}

#[test]
fn an_unknown_model_lists_those_that_are_known() {
    let outcome = decode(["--model", "AC9000"], "");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("AC9000"), "{}", outcome.stderr);
    for known in ["AC300", "EL30V2", "Balco 260", "Generic V2"] {
        assert!(outcome.stderr.contains(known), "{}", outcome.stderr);
    }
    let outcome = decode(["--model", "AC300", "--start", "10"], "");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--count"), "{}", outcome.stderr);
}

#[test]
fn a_phones_log() {
    let answer = bytes(&home().answer);
    let mut log = Log::new(1002);
    log.connected(0x40);
    // What was asked before is in no log.
    log.received(&notification(0x40, 0x11, &answer));
    log.sent(&acl(0x40, &att(0x52, 0x0E, &bytes(REQUEST)), usize::MAX)[0]);
    for chunk in answer.chunks(20) {
        for fragment in acl(0x40, &att(0x1B, 0x11, chunk), 9) {
            log.received(&fragment);
        }
        // Another device at the same time.
        log.received(&notification(0x41, 0x11, &answer));
    }
    log.sent(
        &acl(
            0x40,
            &att(0x12, 0x0E, &bytes("01060bbf00017bca")),
            usize::MAX,
        )[0],
    );
    log.received(&notification(0x40, 0x11, &bytes("01060bbf00017bca")));
    let outcome = Cli::new(["decode", "bluetti", "--model", "AC300", "--btsnoop", "log"])
        .file("log", log.bytes())
        .run();
    assert_eq!(
        (outcome.stderr.as_str(), outcome.code),
        (NOTHING_REJECTED, Some(0))
    );
    let objects = objects(&outcome);
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["fields"]["total_battery_percent"], 87);
    assert_eq!(objects[1], json!({"kind": "written", "start": 3007}));
}

#[test]
fn a_phones_log_of_a_station_that_encrypts() {
    let mut log = Log::new(1002);
    log.connected(0x40);
    log.received(&notification(0x40, 0x11, &bytes("2a2a010484690f5a015b")));
    let outcome = Cli::new(["decode", "bluetti", "--model", "AC180", "--btsnoop", "log"])
        .file("log", log.bytes())
        .run();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("encrypts"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("bluetti-logger"));
}
