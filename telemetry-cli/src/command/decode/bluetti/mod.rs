//! `telemetry decode bluetti`

use std::io::{self, BufRead, Write, stdin};
use std::path::Path;

use bluetti_modbus::modbus::{Frame, Request, UnitId};
use bluetti_modbus::model::Model;

use super::att::{Connections, Event, Link};
use super::chunk::Chunks;
use super::stream::Rejected;
use super::{Heeded, end, phone, warn};
use crate::cli::DecodeBluettiArgs;
use crate::compat::bluetti::log::{Line, request};
use crate::exit::{Code, Failure};
use answers::{Answers, Asked};
use object::Object;

mod answers;
pub mod object;

/// Connections of a phone that are followed at once.
const LINKS_MAX: usize = 64;

/// How the challenge of a station begins that encrypts.
const CHALLENGE: [u8; 4] = [0x2A, 0x2A, 0x01, 0x04];

/// Decodes what `args` names.
///
/// # Errors
/// If the input is not what it should be, or stdout fails.
pub fn decode(args: &DecodeBluettiArgs) -> Result<(), Failure> {
    let printer = Printer {
        output: io::stdout().lock(),
        model: args.model,
        unit: args.slave,
        answers: 0,
    };
    let (rejected, input) = match (&args.btsnoop, args.start.zip(args.count)) {
        (Some(file), _) => decode_phone(file, printer)?,
        (None, Some((start, count))) => decode_chunks(start, count, printer)?,
        (None, None) => decode_lines(stdin().lock(), printer)?,
    };
    end(rejected, input)
}

/// Notifications that answer one read, line by line.
fn decode_chunks(
    start: u16,
    count: u16,
    mut printer: Printer<impl Write>,
) -> Result<Heeded, Failure> {
    let request = Request::read(
        UnitId(printer.unit.unwrap_or(printer.model.unit())),
        start,
        count,
    )
    .map_err(|error| Failure::new(Code::Usage, error.to_string()))?;
    let asked = printer.asked(request);
    let mut chunks = Chunks::new(stdin().lock());
    let mut answers = Answers::default();
    let input = loop {
        match chunks.next_chunk() {
            Ok(Some(chunk)) => {
                answers.push(chunk, &asked, |frame| printer.print(&asked.request, frame))?;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    answers.finish(&asked, |frame| printer.print(&asked.request, frame))?;
    warn_of_module_lines(answers.module_lines);
    Ok((answers.rejected(), input))
}

/// The lines of a logger. One that is damaged, because the logger was killed
/// while it wrote, costs no other.
fn decode_lines(
    mut input: impl BufRead,
    mut printer: Printer<impl Write>,
) -> Result<Heeded, Failure> {
    let mut rejected = Rejected::default();
    let mut damaged = None;
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        let read = input.read_until(b'\n', &mut text);
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                damaged = Some(Failure::new(Code::Usage, format!("line {number}: {error}")));
                break;
            }
        }
        let text = String::from_utf8_lossy(text.trim_ascii());
        if text.is_empty() {
            continue;
        }
        match Line::from_json(&text) {
            Ok(line) => printer.print_line(number, &line, &mut rejected)?,
            Err(error) => {
                damaged.get_or_insert_with(|| {
                    Failure::new(Code::Usage, format!("line {number}: {error}")).hint(
                        "each line is one of those that `bluetti-logger --log` writes; for lines \
                         of hexadecimal say what was read with `--start` and `--count`",
                    )
                });
            }
        }
    }
    Ok((rejected, damaged.map_or(Ok(()), Err)))
}

fn decode_phone(file: &Path, mut printer: Printer<impl Write>) -> Result<Heeded, Failure> {
    let mut records = match phone::open(file) {
        Ok(records) => records,
        Err(failure) => return Ok((Rejected::default(), Err(failure))),
    };
    let mut connections = Connections::default();
    let mut stations = Stations::default();
    let input = loop {
        let event = match records.next_record() {
            Ok(Some(record)) => connections.hear(&record),
            Ok(None) => break Ok(()),
            Err(error) => break Err(phone::failure(file, &error)),
        };
        match event {
            Some(Event::Written { link, value }) => {
                if let Some(request) = request(&value) {
                    let asked = printer.asked(request);
                    stations.asked(link, asked, &mut printer)?;
                }
            }
            Some(Event::Notified { link, value, .. }) => {
                stations.heard(link, &value, &mut printer)?;
            }
            Some(Event::Ended(link)) => stations.ended(|other| other == link, &mut printer)?,
            None => {}
        }
    };
    stations.ended(|_| true, &mut printer)?;
    phone::warn_of_gaps(connections.incomplete());
    warn_of_module_lines(stations.module_lines);
    if stations.encrypted {
        warn(
            "a station in this log encrypts: what it said cannot be read from outside; \
             `bluetti-logger` takes part in the session and writes it down in plain",
        );
    } else if input.is_ok() && printer.answers == 0 {
        warn("no answer of a Bluetti station in this log");
    }
    Ok((stations.rejected, input))
}

fn warn_of_module_lines(count: u64) {
    if count > 0 {
        warn(&format!(
            "{count} times the Bluetooth module spoke instead of the station (`AT+…`): it had \
             restarted, and what was under way then is lost"
        ));
    }
}

/// The links of a phone on which requests were seen.
#[derive(Debug, Default)]
struct Stations {
    links: Vec<(Link, Asked, Answers)>,
    rejected: Rejected,
    module_lines: u64,
    encrypted: bool,
}

impl Stations {
    fn asked(
        &mut self,
        link: Link,
        asked: Asked,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        // One request at a time: what the last one got is all that it gets.
        self.ended(|other| other == link, printer)?;
        let oldest = self.links.first().map(|(link, ..)| *link);
        if let Some(oldest) = oldest.filter(|_| self.links.len() >= LINKS_MAX) {
            self.ended(|other| other == oldest, printer)?;
        }
        self.links.push((link, asked, Answers::default()));
        Ok(())
    }

    fn heard(
        &mut self,
        link: Link,
        value: &[u8],
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        self.encrypted |= value.starts_with(&CHALLENGE);
        let known = self.links.iter_mut().find(|(known, ..)| *known == link);
        match known {
            Some((_, asked, answers)) => {
                answers.push(value, asked, |frame| printer.print(&asked.request, frame))
            }
            None => Ok(()),
        }
    }

    fn ended(
        &mut self,
        which: impl Fn(Link) -> bool,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let ended = self.links.extract_if(.., |(link, ..)| which(*link));
        for (_, asked, mut answers) in ended.collect::<Vec<_>>() {
            answers.finish(&asked, |frame| printer.print(&asked.request, frame))?;
            self.rejected.add(answers.rejected());
            self.module_lines += answers.module_lines;
        }
        Ok(())
    }
}

/// Prints answers, each as soon as it is known.
#[derive(Debug)]
struct Printer<W> {
    output: W,
    model: Model,
    /// Whose answers count; all if `None`.
    unit: Option<u8>,
    answers: u64,
}

impl<W: Write> Printer<W> {
    fn asked(&self, request: Request) -> Asked {
        Asked {
            request,
            unit: self.unit,
        }
    }

    fn print(&mut self, request: &Request, frame: &Frame<'_>) -> Result<(), Failure> {
        self.write(&Object::new(self.model, request.register(), frame))
    }

    fn print_line(
        &mut self,
        number: u64,
        line: &Line,
        rejected: &mut Rejected,
    ) -> Result<(), Failure> {
        let unit = line.request.unit().0;
        if self.unit.is_some_and(|wanted| wanted != unit) {
            return Ok(());
        }
        match (&line.outcome, line.refusal()) {
            (Err(_), Some(code)) => self.write(&Object::Exception { code }),
            (Err(error), None) => {
                warn(&format!("line {number}: no answer: {error}"));
                Ok(())
            }
            (Ok(data), _) => {
                let asked = Asked {
                    request: line.request.clone(),
                    unit: Some(unit),
                };
                let mut answers = Answers::default();
                let before = self.answers;
                answers.push(data, &asked, |frame| self.print(&asked.request, frame))?;
                answers.finish(&asked, |frame| self.print(&asked.request, frame))?;
                rejected.add(answers.rejected());
                if self.answers == before {
                    warn(&format!(
                        "line {number}: its data is no answer to its command"
                    ));
                }
                Ok(())
            }
        }
    }

    fn write(&mut self, object: &Object) -> Result<(), Failure> {
        self.answers += 1;
        let mut line = serde_json::to_vec(object)
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        line.push(b'\n');
        let written = self.output.write_all(&line);
        written
            .and_then(|()| self.output.flush())
            .map_err(|error| Failure::stdout(&error))
    }
}
