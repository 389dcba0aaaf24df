//! `telemetry export`: the history as CSV or JSON lines.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::database::{Database, DatabaseError};
use crate::event::{Device, DeviceKind, Reading, ReadingJson};
use crate::exit::{Code, Failure};
use crate::metric;
use crate::store::sqlite::{Selection, devices, history};
use crate::store::{EXTRA_COLUMN, STORED};
use crate::value::rfc3339;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One column per metric; lists as JSON.
    Csv,
    /// One reading per line.
    Jsonl,
}

/// Writes the rows of `selection`, of every kind if it names none, from the
/// database at `file` to `output`.
///
/// # Errors
/// If there is no such database, or the output fails.
pub async fn export(
    file: &Path,
    kind: Option<DeviceKind>,
    selection: &Selection,
    format: Format,
    output: impl Write,
) -> Result<(), Failure> {
    if !file.exists() {
        return Err(Failure::new(
            Code::Backend,
            format!("there is no history at {}", file.display()),
        )
        .hint("name the gateway's state directory with `--state-dir DIR`"));
    }
    let failure = |error: DatabaseError| {
        Failure::new(Code::Backend, format!("{}: {error}", file.display()))
    };
    let database = Database::open_read_only(file).await.map_err(failure)?;
    let devices = devices(&mut *database.lock().await)
        .await
        .map_err(|error| failure(error.into()))?;
    let kinds: Vec<_> = match kind {
        Some(kind) => vec![kind],
        None => STORED
            .into_iter()
            .filter(|kind| devices.iter().any(|device| device.kind == *kind))
            .collect(),
    };
    if format == Format::Csv && kinds.len() > 1 {
        return Err(Failure::new(
            Code::Usage,
            "the history holds more than one kind of device, with columns of their own",
        )
        .hint("choose one with `--kind`, or `--format jsonl`"));
    }
    let mut writer = RowWriter::new(format, output);
    for kind in kinds {
        let selection = Selection {
            kind,
            ..selection.clone()
        };
        writer.header(kind).map_err(|error| Failure::stdout(&error))?;
        let mut result = Ok(());
        history(&database, &selection, |number, reading| {
            let device = devices.iter().find(|device| device.id == reading.device);
            if let Some(device) = device {
                result = writer.row(number, device, &reading);
            }
            result.is_ok()
        })
        .await
        .map_err(failure)?;
        result.map_err(|error| Failure::stdout(&error))?;
    }
    writer.finish().map_err(|error| Failure::stdout(&error))
}

enum RowWriter<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(std::io::BufWriter<W>),
}

impl<W: Write> RowWriter<W> {
    fn new(format: Format, output: W) -> Self {
        match format {
            Format::Csv => Self::Csv(Box::new(csv::Writer::from_writer(output))),
            Format::Jsonl => Self::Jsonl(std::io::BufWriter::new(output)),
        }
    }

    fn header(&mut self, kind: DeviceKind) -> std::io::Result<()> {
        if let Self::Csv(writer) = self {
            let keys = metric::catalogue(kind).iter().map(|metric| metric.key);
            let first = ["number", "device", "name", "measured_at", "fetched_at"];
            writer.write_record(first.into_iter().chain(keys).chain([EXTRA_COLUMN]))?;
        }
        Ok(())
    }

    fn row(&mut self, number: i64, device: &Device, reading: &Reading) -> std::io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            number: i64,
            #[serde(flatten)]
            reading: ReadingJson<'a>,
        }

        match self {
            Self::Jsonl(output) => {
                let reading = ReadingJson { device, reading };
                serde_json::to_writer(&mut *output, &Line { number, reading })?;
                output.write_all(b"\n")
            }
            Self::Csv(writer) => {
                let known = [
                    number.to_string(),
                    device.id.to_string(),
                    device.name.clone(),
                    rfc3339(reading.measured_at),
                    rfc3339(reading.fetched_at),
                ];
                let values = metric::catalogue(reading.kind).iter().map(|metric| {
                    let value = reading.values.get(metric);
                    value.map_or_else(String::new, ToString::to_string)
                });
                let extra = match reading.extra.is_empty() {
                    true => String::new(),
                    false => serde_json::to_string(&reading.extra)?,
                };
                writer.write_record(known.into_iter().chain(values).chain([extra]))?;
                Ok(())
            }
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Jsonl(mut output) => output.flush(),
        }
    }
}
