//! `telemetry decode jbd`

use std::io::{self, Write, stdin};
use std::path::Path;

use jbd_bms::UnitScale;

use super::answer;
use super::att::{Connections, Event, Link};
use super::chunk::{ChunkError, Chunks};
use super::stream::{Heard, Rejected, Stream};
use super::{Heeded, end, phone, warn};
use crate::cli::DecodeJbdArgs;
use crate::exit::{Code, Failure};

/// Characteristics that are listened to at once; a phone that is connected to
/// every pack in the house needs a few dozen.
const CHARACTERISTICS_MAX: usize = 256;

/// Decodes what `args` names.
///
/// # Errors
/// If the input is not what it should be, or stdout fails.
pub fn decode(args: &DecodeJbdArgs) -> Result<(), Failure> {
    let printer = Printer {
        output: io::stdout().lock(),
        unit_scale: args.unit_scale.into(),
        line: Vec::new(),
        answers: 0,
    };
    let (rejected, input) = match &args.btsnoop {
        None => decode_chunks(printer)?,
        Some(file) => decode_log(file, printer)?,
    };
    end(rejected, input)
}

fn decode_chunks(mut printer: Printer<impl Write>) -> Result<Heeded, Failure> {
    let mut chunks = Chunks::new(stdin().lock());
    let mut stream = Stream::default();
    let input = loop {
        match chunks.next_chunk() {
            Ok(Some(chunk)) => stream.push(chunk, |heard| printer.print(&heard))?,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    stream.finish(|heard| printer.print(&heard))?;
    Ok((stream.rejected(), input))
}

fn decode_log(file: &Path, mut printer: Printer<impl Write>) -> Result<Heeded, Failure> {
    let mut records = match phone::open(file) {
        Ok(records) => records,
        Err(failure) => return Ok((Rejected::default(), Err(failure))),
    };
    let mut connections = Connections::default();
    let mut packs = Packs::default();
    let mut notifications = 0u64;
    let input = loop {
        let event = match records.next_record() {
            Ok(Some(record)) => connections.hear(&record),
            Ok(None) => break Ok(()),
            Err(error) => break Err(phone::failure(file, &error)),
        };
        match event {
            Some(Event::Notified {
                link,
                attribute,
                value,
            }) => {
                notifications += 1;
                packs.hear(link, attribute, &value, &mut printer)?;
            }
            Some(Event::Ended(link)) => packs.end(|other| other == link, &mut printer)?,
            // Answers tell by themselves what they are about.
            Some(Event::Written { .. }) | None => {}
        }
    };
    packs.end(|_| true, &mut printer)?;
    phone::warn_of_gaps(connections.incomplete());
    if input.is_ok() && printer.answers == 0 {
        warn(&format!(
            "no answer of a JBD pack in this log; notifications of others: {notifications}"
        ));
    }
    Ok((packs.rejected, input))
}

impl From<ChunkError> for Failure {
    fn from(error: ChunkError) -> Self {
        let failure = Self::new(Code::Usage, error.to_string());
        match error {
            ChunkError::Read { .. } => failure,
            _ => failure.hint(
                "each line is one notification in hexadecimal, such as `dd0400020ce4ff0e77`, \
                 or a comment after `#`",
            ),
        }
    }
}

/// The characteristics of a log that a pack may answer through.
#[derive(Debug, Default)]
struct Packs {
    /// Used last at the end.
    heard: Vec<Characteristic>,
    rejected: Rejected,
}

#[derive(Debug)]
struct Characteristic {
    link: Link,
    attribute: u16,
    stream: Stream,
    /// Other devices are listened to as well, but what they say is nothing
    /// that a pack's answers lack.
    is_pack: bool,
}

impl Packs {
    fn hear(
        &mut self,
        link: Link,
        attribute: u16,
        value: &[u8],
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let mut known = self.heard.iter();
        let known = known.position(|known| known.link == link && known.attribute == attribute);
        let mut characteristic = match known {
            Some(at) => self.heard.remove(at),
            None => Characteristic {
                link,
                attribute,
                stream: Stream::default(),
                is_pack: false,
            },
        };
        characteristic.is_pack |= starts_a_poll(value);
        characteristic.hear(|stream, each| stream.push(value, each), printer)?;
        if self.heard.len() >= CHARACTERISTICS_MAX {
            let oldest = self.heard.remove(0);
            self.finish(oldest, printer)?;
        }
        self.heard.push(characteristic);
        Ok(())
    }

    fn end(
        &mut self,
        which: impl Fn(Link) -> bool,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let ended = self.heard.extract_if(.., |heard| which(heard.link));
        for characteristic in ended.collect::<Vec<_>>() {
            self.finish(characteristic, printer)?;
        }
        Ok(())
    }

    fn finish(
        &mut self,
        mut characteristic: Characteristic,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        characteristic.hear(|stream, each| stream.finish(each), printer)?;
        if characteristic.is_pack {
            self.rejected.add(characteristic.stream.rejected());
        }
        Ok(())
    }
}

impl Characteristic {
    fn hear(
        &mut self,
        from: impl FnOnce(
            &mut Stream,
            &mut dyn FnMut(Heard<'_>) -> Result<(), Failure>,
        ) -> Result<(), Failure>,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let is_pack = &mut self.is_pack;
        from(&mut self.stream, &mut |heard| {
            *is_pack = true;
            printer.print(&heard)
        })
    }
}

/// How the answers start that every app asks for all the time. A pack of which
/// only damaged ones are left is known by them.
fn starts_a_poll(value: &[u8]) -> bool {
    matches!(value, [0xDD, 0x03 | 0x04, 0x00, ..])
}

/// Prints answers, each as soon as it is known.
#[derive(Debug)]
struct Printer<W> {
    output: W,
    unit_scale: UnitScale,
    line: Vec<u8>,
    answers: u64,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        self.line.clear();
        self.answers += 1;
        let problem = answer::write(heard, self.unit_scale, &mut self.line)
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let written = self.output.write_all(&self.line);
        written
            .and_then(|()| self.output.flush())
            .map_err(|error| Failure::stdout(&error))?;
        if let Some(problem) = problem {
            warn(&problem.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characteristics_without_end_do_not_pile_up() {
        let link = Link {
            adapter: 0,
            handle: 0x40,
        };
        let mut printer = Printer {
            output: Vec::new(),
            unit_scale: UnitScale::Auto,
            line: Vec::new(),
            answers: 0,
        };
        let mut packs = Packs::default();
        let halves = [
            &[0xDD, 0x04, 0x00, 0x02, 0x0C][..],
            &[0xE4, 0xFF, 0x0E, 0x77],
        ];
        for attribute in 0..1000 {
            packs
                .hear(link, 7, halves[usize::from(attribute) % 2], &mut printer)
                .unwrap();
            packs
                .hear(link, 1000 + attribute, halves[0], &mut printer)
                .unwrap();
            assert!(packs.heard.len() <= CHARACTERISTICS_MAX);
        }
        // What is in use stays.
        let lines = printer.output.split(|&byte| byte == b'\n');
        assert_eq!(lines.count(), 500 + 1);
        assert_eq!(packs.rejected.bytes, 5 * (1000 + 1 - 256));
    }
}
