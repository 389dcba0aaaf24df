//! `telemetry export`: the history as CSV or JSON lines.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use chrono::Utc;
use serde::Serialize;

use super::{locate_state_dir, run};
use crate::cli::{ExportArgs, ExportFormat};
use crate::config::{Config, plain};
use crate::database::{Database, DatabaseError};
use crate::event::{Device, DeviceId, DeviceKind, Reading, ReadingJson};
use crate::exit::{Code, Failure};
use crate::metric;
use crate::store::sqlite::{Selection, devices, history};
use crate::store::{EXTRA_COLUMN, STORED};
use crate::value::rfc3339;

/// Writes what `args` select.
///
/// # Errors
/// If there is no such history, or the output fails.
pub async fn export(args: &ExportArgs, config: &Config) -> Result<(), Failure> {
    let asked = args.state_dir.state_dir.as_deref();
    let file = config.store.path.clone();
    let file = file.unwrap_or_else(|| locate_state_dir(asked, config).join(run::DATABASE));
    let now = Utc::now();
    let selection = Selection {
        kind: args.kind.unwrap_or(DeviceKind::Battery),
        device: args.device.as_ref().map(|id| DeviceId::new(&[id])),
        from: args.from.map(|moment| moment.resolve(now)),
        to: args.to.map(|moment| moment.resolve(now)),
    };
    if !file.exists() {
        return Err(Failure::new(
            Code::Backend,
            format!("there is no history at {}", file.display()),
        )
        .hint("name the gateway's state directory with `--state-dir DIR`"));
    }
    let failure = |error: DatabaseError| run::database_failure(&file, &error);
    let database = Database::open_read_only(&file).await.map_err(failure)?;
    let devices = devices(&mut *database.lock().await)
        .await
        .map_err(|error| failure(error.into()))?;
    let kinds = match args.kind {
        Some(kind) => vec![kind],
        None => kinds(&database, &devices).await.map_err(failure)?,
    };
    if args.format == ExportFormat::Csv && kinds.len() > 1 {
        return Err(Failure::new(
            Code::Usage,
            "the history holds more than one kind of device, with columns of their own",
        )
        .hint("choose one with `--kind`, or `--format jsonl`"));
    }
    // Last of all: what a file held before is lost when it is opened.
    let unwritten = |error: &std::io::Error| match &args.output {
        None => Failure::stdout(error),
        Some(path) => Failure::new(
            Code::Internal,
            format!("cannot write to {}: {}", path.display(), plain(error)),
        ),
    };
    let output = open(args.output.as_deref(), &file)?;
    let mut writer = RowWriter::new(args.format, output);
    for kind in kinds {
        let selection = Selection {
            kind,
            ..selection.clone()
        };
        writer.header(kind).map_err(|error| unwritten(&error))?;
        let mut result = Ok(());
        history(&database, &selection, |number, reading| {
            let device = devices.iter().find(|device| device.id == reading.device);
            result = match device {
                Some(device) => writer.row(number, device, &reading),
                None => writer.row(
                    number,
                    &Device::unknown(reading.device.clone(), kind),
                    &reading,
                ),
            };
            result.is_ok()
        })
        .await
        .map_err(failure)?;
        result.map_err(|error| unwritten(&error))?;
    }
    writer.finish().map_err(|error| unwritten(&error))
}

/// The kinds in the history, be it only in readings of undescribed devices.
async fn kinds(database: &Database, devices: &[Device]) -> Result<Vec<DeviceKind>, DatabaseError> {
    let mut kinds = Vec::new();
    for kind in STORED {
        let mut any = devices.iter().any(|device| device.kind == kind);
        if !any {
            let all = Selection {
                kind,
                device: None,
                from: None,
                to: None,
            };
            history(database, &all, |_, _| {
                any = true;
                false
            })
            .await?;
        }
        if any {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// Stdout, or a new file at `path`.
fn open(path: Option<&Path>, history: &Path) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = path else {
        return Ok(Box::new(std::io::stdout()));
    };
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same(path, history) {
        let message = format!("{} is the history itself", path.display());
        return Err(Failure::new(Code::Usage, message).hint(OUTPUT));
    }
    match File::create(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => {
            let message = format!("cannot create {}: {}", path.display(), plain(&error));
            Err(Failure::new(Code::Usage, message).hint(OUTPUT))
        }
    }
}

const OUTPUT: &str =
    "name a file that can be written with `--output FILE`, or leave it out for stdout";

enum RowWriter<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(std::io::BufWriter<W>),
}

impl<W: Write> RowWriter<W> {
    fn new(format: ExportFormat, output: W) -> Self {
        match format {
            ExportFormat::Csv => Self::Csv(Box::new(csv::Writer::from_writer(output))),
            ExportFormat::Jsonl => Self::Jsonl(std::io::BufWriter::new(output)),
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
