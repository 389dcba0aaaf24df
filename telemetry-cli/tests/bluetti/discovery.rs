//! `bluetti-discovery`: all registers, interrupted in between, and what has changed.

use std::collections::BTreeSet;
use std::process::Stdio;

use bluetti_modbus::Error;
use bluetti_modbus::modbus::{ExceptionCode, Operation, UnitId};
use telemetry_cli::compat::bluetti::log::Line;

use crate::running::Running;
use crate::scene::{AC300_ADDRESS, Scene, until};

#[test]
fn a_survey_that_was_interrupted_goes_on_and_finds_every_page() {
    let scene = Scene::new();
    let args = ["--log", "log", AC300_ADDRESS];
    let survey = Running::start(
        scene
            .tool("bluetti-discovery", &args)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    until("a part", || scene.text("log").lines().count() > 150);
    assert_eq!(survey.stop().code(), Some(0));
    let before = scene.text("log").lines().count();

    let output = scene.tool("bluetti-discovery", &args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("registers need not be asked for"),
        "{stderr}"
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("100% complete with discovery\n"));

    let text = scene.text("log");
    let lines: Vec<Line> = text
        .lines()
        .filter_map(|line| Line::from_json(line).ok())
        .collect();
    // The pages of the simulated station, but for what is private.
    let mut expected = BTreeSet::new();
    for (start, count) in [(0, 70), (70, 21), (91, 119), (3000, 67)] {
        expected.extend(start..start + count);
    }
    expected.retain(|register| !(7..10).contains(register));
    let mut found = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for line in &lines {
        if let Some((start, words)) = line.words() {
            found.extend(start..start + words.len() as u16);
        } else if let Operation::Read { start, count: 1 } = *line.request.operation() {
            assert_eq!(line.refusal(), Some(2));
            refused.insert(start);
        }
    }
    assert_eq!(found, expected);
    assert!(refused.contains(&12_500) && refused.contains(&210));
    let error = "\"error\": \"MODBUS Exception ReadHoldingRegisters(starting_address=210, \
                 quantity=1): 2\"";
    assert!(text.contains(error));
    // The second run did not begin again: what was answered is not asked twice.
    let answered = |lines: &[Line]| -> Vec<u16> {
        let starts = lines.iter().filter_map(Line::words);
        starts.map(|(start, _)| start).collect()
    };
    let (first, second) = lines.split_at(before.min(lines.len()));
    let first: BTreeSet<u16> = answered(first).into_iter().collect();
    assert!(answered(second).iter().all(|start| !first.contains(start)));

    // A third one has nothing to do.
    let lines = text.lines().count();
    let output = scene.tool("bluetti-discovery", &args).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(scene.text("log").lines().count(), lines);
}

#[test]
fn the_log_of_another_station_is_not_gone_on_with() {
    let scene = Scene::new();
    let line = |start, words: &[u16]| {
        let read = Ok(words.to_vec());
        let line = Line::read(UnitId(1), start, words.len() as u16, &read);
        line.unwrap().to_json(chrono::Local::now())
    };
    let text = format!("{}\n{}\n", line(16, &[1019]), line(17, &[815, 0, 0, 0]));
    std::fs::write(scene.path("log"), &text).unwrap();
    let args = ["--log", "log", AC300_ADDRESS];
    let output = scene.tool("bluetti-discovery", &args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("serial number 815"), "{stderr}");
    assert_eq!(scene.text("log"), text);
}

#[test]
fn two_logs_differ_in_what_was_switched_between_them() {
    let scene = Scene::new();
    let unit = UnitId(1);
    let now = chrono::Local::now;
    let log = |name: &str, lines: &[(u16, Result<Vec<u16>, Error>)]| {
        let lines = lines.iter().map(|(start, read)| {
            let count = read.as_ref().map_or(1, |words| words.len() as u16);
            Line::read(unit, *start, count, read)
                .unwrap()
                .to_json(now())
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        std::fs::write(scene.path(name), text).unwrap();
    };
    let refused = |register| {
        Err(Error::Refused {
            unit,
            register,
            code: ExceptionCode::IllegalDataAddress,
        })
    };
    log(
        "a",
        &[
            (3007, Ok(vec![1, 0])),
            (3061, Ok(vec![5])),
            (700, refused(700)),
        ],
    );
    log(
        "b",
        &[
            (3007, Ok(vec![0, 0])),
            (700, Ok(vec![3])),
            (3061, Ok(vec![5])),
        ],
    );
    let diff = |more: &[&str]| {
        let args = [&["--diff", "a", "b"], more].concat();
        let output = scene.tool("bluetti-discovery", &args).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        diff(&[]),
        "700: refused -> 3 (0x0003)\n3007: 1 (0x0001) -> 0 (0x0000)\n"
    );
    assert_eq!(
        diff(&["--model", "AC300"]),
        "700: refused -> 3 (0x0003)\n\
         3007: 1 (0x0001) -> 0 (0x0000)  ac_output_on true -> false\n"
    );
}
