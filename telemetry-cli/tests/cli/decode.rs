//! `decode jbd` as a user runs it: hexadecimal or a phone's log in, JSON out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::Value;

use crate::btsnoop::{Log, acl, att, disconnected, notification};
use crate::call::{Cli, Outcome};

const CELLS: &str = "dd0400080cff0d010cfe0d00fdc877";
const CELLS_OBJECT: &str =
    "{\"kind\":\"cell_voltages\",\"cell_voltages_mv\":[3327,3329,3326,3328]}\n";
const BASIC: [&str; 2] = [
    "dd03001b0533fb2ea8cae29000252d2e00000000",
    "0000224b0304020b630b5ef9d377",
];
const BASIC_OBJECT: &str = "{\"kind\":\"basic_info\",\"pack_voltage_mv\":13310,\
    \"current_ma\":-12340,\"remaining_capacity_mah\":432100,\"nominal_capacity_mah\":580000,\
    \"cycles\":37,\"soc_percent\":75,\"temperatures_deci_c\":[184,179],\
    \"charge_mosfet_on\":true,\"discharge_mosfet_on\":true,\"protection\":[],\
    \"balancing\":[],\"production_date\":\"2022-09-14\",\"software_version\":\"2.2\"}\n";
const NOTHING_REJECTED: &str = "rejected_bytes=0 rejected_frames=0\n";

fn decode(input: impl AsRef<[u8]>) -> Outcome {
    Cli::new(["decode", "jbd"]).input(input).run()
}

fn decode_log(log: impl AsRef<[u8]>) -> Outcome {
    Cli::new(["decode", "jbd", "--btsnoop", "log"])
        .file("log", log)
        .run()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let texts = digits.map(|pair| std::str::from_utf8(pair).unwrap());
    texts
        .map(|text| u8::from_str_radix(text, 16).unwrap())
        .collect()
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    input: Vec<String>,
    answers: Vec<Value>,
    rejected_bytes: u64,
    rejected_frames: u64,
}

impl Case {
    fn all() -> Vec<Self> {
        let lines = include_str!("../data/jbd-answers.jsonl").lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn check(&self, outcome: &Outcome) {
        let counters = format!(
            "rejected_bytes={} rejected_frames={}\n",
            self.rejected_bytes, self.rejected_frames
        );
        assert_eq!(outcome.stderr, counters, "{}", self.name);
        assert_eq!(outcome.code, Some(0), "{}", self.name);
        let lines = outcome.stdout.lines();
        let answers: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers, self.answers, "{}", self.name);
    }
}

/// Each case by itself: captured and published frames, damage on the way.
#[test]
fn vectors() {
    let cases = Case::all();
    for case in &cases {
        case.check(&decode(case.input.join("\n")));
    }
    println!("vectors through the command: {0}/{0}", cases.len());
}

/// The same from a phone's log, in both forms and with the packets in fragments.
#[test]
fn vectors_in_a_phones_log() {
    let cases = Case::all();
    for (number, case) in cases.iter().enumerate() {
        // Two at a time test both forms; all cases see one of them.
        let mut log = Log::new(if number % 2 == 0 { 1001 } else { 1002 });
        log.connected(0x40);
        for chunk in &case.input {
            let frame = att(0x1B, 0x11, &bytes(chunk));
            for fragment in acl(0x40, &frame, 1 + number % 27) {
                log.received(&fragment);
            }
        }
        case.check(&decode_log(log.bytes()));
    }
    println!("vectors through a log: {0}/{0}", cases.len());
}

#[test]
fn the_shape_of_an_answer() {
    let input = format!("{}\n{}\n{CELLS}\n", BASIC[0], BASIC[1]);
    assert_eq!(
        decode(input),
        Outcome::ok(&format!("{BASIC_OBJECT}{CELLS_OBJECT}"), NOTHING_REJECTED)
    );
}

#[test]
fn comments_blank_lines_case_and_white_space_do_not_matter() {
    let input = "# captured\r\n\r\n  DD0400080CFF # half\r\n\t0d 01 0c fe\r\n0d00fdc877";
    assert_eq!(decode(input), Outcome::ok(CELLS_OBJECT, NOTHING_REJECTED));
}

#[test]
fn no_input_is_no_answers() {
    for input in ["", "\n", "# nothing"] {
        assert_eq!(decode(input), Outcome::ok("", NOTHING_REJECTED));
    }
}

const HELP: &str = "help: each line is one notification in hexadecimal, \
    such as `dd0400020ce4ff0e77`, or a comment after `#`\n";

#[test]
fn a_bad_line_is_named_and_what_came_before_stays() {
    for (line, message) in [
        ("zz", "line 3, column 1: `z` is no hexadecimal digit"),
        ("dd 0", "line 3: 3 hexadecimal digits make no whole bytes"),
        ("dd:03", "line 3, column 3: `:` is no hexadecimal digit"),
        ("0xdd", "line 3, column 2: `x` is no hexadecimal digit"),
    ] {
        let outcome = decode(format!("# one\n{CELLS}\n{line}\n{CELLS}\n"));
        assert_eq!(outcome.code, Some(2));
        assert_eq!(outcome.stdout, CELLS_OBJECT);
        let stderr = format!("error: {message}\n{HELP}{NOTHING_REJECTED}");
        assert_eq!(outcome.stderr, stderr);
    }
}

/// A reader that is not UTF-8, and a line without end.
#[test]
fn no_input_is_too_strange() {
    let outcome = decode(b"\xff\xfe");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.starts_with("error: line 1, column 1: "));
    let outcome = decode("0".repeat(10_000_000));
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.starts_with("error: line 1: longer than"));
}

#[test]
fn an_answer_that_cannot_be_read_is_unknown() {
    // Register 0x03 with one byte, register 0x04 with three.
    let outcome = decode("dd03000105fffa77\ndd0400030c0c0cffd977\n");
    assert_eq!(outcome.code, Some(0));
    assert_eq!(
        outcome.stdout,
        "{\"kind\":\"unknown\",\"register\":3,\"data\":\"05\"}\n\
         {\"kind\":\"unknown\",\"register\":4,\"data\":\"0c0c0c\"}\n"
    );
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("warning: register 0x03: "),
        "{}",
        lines[0]
    );
    assert_eq!(lines[2], "rejected_bytes=0 rejected_frames=0");
}

#[test]
fn registers_without_a_meaning_keep_their_data() {
    let outcome = decode("dd60000201a2ff5b77\n");
    let object = "{\"kind\":\"unknown\",\"register\":96,\"data\":\"01a2\"}\n";
    assert_eq!(outcome, Outcome::ok(object, NOTHING_REJECTED));
}

/// A probe that is not there, and a date that is none.
#[test]
fn what_is_absent_is_null() {
    let outcome = decode("dd03001905330000000000000000ffff00000000000022000304010000fd8777");
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(answer["temperatures_deci_c"], serde_json::json!([null]));
    assert_eq!(answer["production_date"], Value::Null);
    assert!(answer.get("humidity_percent").is_none());
}

#[test]
fn the_unit_scale_can_be_overruled() {
    for (scale, current) in [("auto", -12_340), ("1", -12_340), ("10", -123_400)] {
        let outcome = Cli::new(["decode", "jbd", "--unit-scale", scale])
            .input(BASIC.join("\n"))
            .run();
        let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(answer["current_ma"], current, "{scale}");
    }
    let outcome = Cli::new(["decode", "jbd", "--unit-scale", "2"]).run();
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn an_answer_is_printed_while_the_input_is_still_open() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["decode", "jbd"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(input, "{CELLS}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, CELLS_OBJECT);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let outcome = Cli::new(["decode", "jbd"]).input(CELLS).into_closed_pipe();
    assert_eq!(outcome, Outcome::ok("", ""));
}

#[test]
fn links_of_a_log_do_not_mix() {
    for datalink in [1001, 1002, 2001] {
        let mut log = Log::new(datalink);
        log.connected(0x40);
        log.connected(0x41);
        // What the phone sends does not count, nor do other channels.
        log.sent(&notification(0x40, 0x11, &bytes(CELLS)));
        log.received(&notification(0x40, 0x11, &[0x00]));
        log.received(&notification(0x40, 0x11, &bytes(BASIC[0])));
        log.received(&notification(0x41, 0x11, &bytes(&CELLS[..10])));
        log.received(&acl(0x40, &att(0x0B, 0x11, &bytes(CELLS)), 99)[0]);
        log.received(&notification(0x40, 0x11, &bytes(BASIC[1])));
        log.received(&notification(0x41, 0x11, &bytes(&CELLS[10..])));
        let outcome = decode_log(log.bytes());
        assert_eq!(
            outcome,
            Outcome::ok(
                &format!("{BASIC_OBJECT}{CELLS_OBJECT}"),
                "rejected_bytes=1 rejected_frames=0\n"
            ),
            "{datalink}"
        );
    }
}

#[test]
fn other_devices_of_a_log_do_not_disturb() {
    let mut log = Log::new(1002);
    log.connected(0x40);
    for number in 0..=255 {
        log.received(&notification(0x40, 0x20, &[number, 0xDD, 0x00, number]));
        log.received(&notification(0x42, 0x11, &[0xDD, number]));
    }
    log.received(&notification(0x40, 0x11, &bytes(CELLS)));
    let outcome = decode_log(log.bytes());
    assert_eq!(outcome, Outcome::ok(CELLS_OBJECT, NOTHING_REJECTED));
}

#[test]
fn indications_and_logins_are_answers_too() {
    let mut log = Log::new(1002);
    log.received(&acl(0x40, &att(0x1D, 0x11, &bytes("ffaa15010218")), 99)[0]);
    let login = "{\"kind\":\"login\",\"command\":21,\"meaning\":\"open\",\"data\":\"02\"}\n";
    assert_eq!(
        decode_log(log.bytes()),
        Outcome::ok(login, NOTHING_REJECTED)
    );
}

/// The number of a connection is used again for the next one.
#[test]
fn a_new_connection_starts_anew() {
    let mut log = Log::new(1002);
    log.connected(0x40);
    log.received(&notification(0x40, 0x11, &bytes(BASIC[0])));
    log.event(&disconnected(0x40));
    log.connected(0x40);
    log.received(&notification(0x40, 0x11, &bytes(CELLS)));
    assert_eq!(
        decode_log(log.bytes()),
        Outcome::ok(CELLS_OBJECT, "rejected_bytes=20 rejected_frames=0\n")
    );
}

/// Two connections and fragments lost: the rest of the log goes on.
#[test]
fn lost_fragments_cost_their_answer_only() {
    let mut log = Log::new(1002);
    let frame = att(0x1B, 0x11, &bytes(CELLS));
    let fragments = acl(0x40, &frame, 10);
    assert_eq!(fragments.len(), 3);
    log.received(&fragments[1]);
    log.received(&fragments[0]);
    for fragment in &fragments {
        log.received(fragment);
    }
    assert_eq!(
        decode_log(log.bytes()),
        Outcome::ok(CELLS_OBJECT, NOTHING_REJECTED)
    );
}

#[test]
fn packets_that_the_phone_cut_off_are_told() {
    let mut log = Log::new(1002);
    log.received(&notification(0x40, 0x11, &bytes(CELLS)));
    log.received_in_part(&notification(0x40, 0x11, &bytes(CELLS)), 6);
    let outcome = decode_log(log.bytes());
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), CELLS_OBJECT)
    );
    assert_eq!(
        outcome.stderr,
        format!(
            "warning: 1 packet is not whole in this log and was left out; \
             set the phone to log Bluetooth in full\n{NOTHING_REJECTED}"
        )
    );
}

#[test]
fn a_log_without_a_pack_is_told() {
    let mut log = Log::new(1002);
    log.received(&notification(0x40, 0x20, b"72 bpm"));
    let warning = "warning: no answer of a JBD pack in this log; notifications of others: 1\n";
    assert_eq!(
        decode_log(log.bytes()),
        Outcome::ok("", &format!("{warning}{NOTHING_REJECTED}"))
    );
}

#[test]
fn a_damaged_log_is_read_up_to_the_damage() {
    let mut log = Log::new(1002);
    log.received(&notification(0x40, 0x11, &bytes(CELLS)));
    let offset = log.bytes().len();
    log.received(&notification(0x40, 0x11, &bytes(CELLS)));

    let truncated = &log.bytes()[..offset + 30];
    let mut damaged = log.bytes().to_vec();
    damaged[offset + 4..offset + 8].fill(0xFF);
    for (log, message) in [
        (
            truncated,
            format!("the log ends within the record at offset {offset}"),
        ),
        (
            &damaged[..],
            format!("the record at offset {offset} is damaged: 4294967295 bytes stored of 27"),
        ),
    ] {
        let outcome = decode_log(log);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (Some(2), CELLS_OBJECT)
        );
        assert_eq!(
            outcome.stderr,
            format!("error: log: {message}\n{NOTHING_REJECTED}")
        );
    }
}

#[test]
fn what_is_no_log_is_refused() {
    let mut version = Log::new(1002).bytes().to_vec();
    version[11] = 2;
    for (log, message) in [
        (Vec::new(), "this is no btsnoop log\nhelp: "),
        (b"btsnoop\0\0\0".to_vec(), "this is no btsnoop log\nhelp: "),
        (vec![0x0A; 100], "this is no btsnoop log\nhelp: "),
        (version, "btsnoop version 2, only 1 is known\n"),
        (
            Log::new(1003).bytes().to_vec(),
            "btsnoop datalink 1003, only 1001, 1002 and 2001 are known\n",
        ),
    ] {
        let outcome = decode_log(log);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
        let start = format!("error: log: {message}");
        assert!(outcome.stderr.starts_with(&start), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with(NOTHING_REJECTED));
    }
    let outcome = Cli::new(["decode", "jbd", "--btsnoop", "none"]).run();
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.starts_with("error: none: "));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_log_is_too_strange(
        datalink in prop_oneof![Just(1001), Just(1002), Just(2001)],
        packets in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)),
            0..40,
        ),
        end in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut log = Log::new(datalink);
        for (is_event, packet) in packets {
            match is_event {
                true => log.event(&packet),
                false => log.received(&packet),
            }
        }
        let outcome = decode_log([log.bytes(), &end].concat());
        let code = if end.is_empty() { 0 } else { 2 };
        prop_assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for outcome in [decode(&bytes), decode_log(&bytes)] {
            prop_assert!(matches!(outcome.code, Some(0 | 2)), "{:?}", outcome);
            prop_assert!(outcome.stderr.lines().last().unwrap().starts_with("rejected_bytes="));
        }
    }
}
