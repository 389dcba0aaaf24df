//! Sink: a live table on a terminal; elsewhere one line of text per reading.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use chrono::Local;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::event::{Availability, Device, DeviceId, DeviceKind, Event, Reading};
use crate::hub::Hub;
use crate::summary;
use crate::supervisor::{Exit, Task};

/// How often the table is drawn, if anything changed.
const FRAME: Duration = Duration::from_millis(500);

/// Draws until told to stop. The gateway itself has no row.
pub async fn run(hub: Hub, task: Task) -> Exit {
    let mut follower = hub.follow();
    let mut rows = BTreeMap::<DeviceId, Row>::new();
    let terminal = std::io::stdout().is_terminal();
    let mut screen = Screen::default();
    let mut frame = tokio::time::interval(FRAME);
    let mut changed = false;
    loop {
        tokio::select! {
            event = follower.next() => {
                let line = take(&mut rows, event);
                changed = true;
                if let (false, Some(line)) = (terminal, line)
                    && writeln!(std::io::stdout(), "{line}").is_err()
                {
                    return Exit::Stopped;
                }
            }
            _ = frame.tick() => {
                if terminal && changed {
                    screen.draw(&table(&rows));
                    changed = false;
                }
            }
            () = task.shutdown.cancelled() => return Exit::Stopped,
        }
    }
}

#[derive(Default)]
struct Row {
    device: Option<Arc<Device>>,
    reading: Option<Arc<Reading>>,
    offline: Option<String>,
}

/// Notes the event; what is worth a line of text.
fn take(rows: &mut BTreeMap<DeviceId, Row>, event: Event) -> Option<String> {
    match event {
        Event::Device(device) if device.kind == DeviceKind::Gateway => None,
        Event::Device(device) => {
            let row = rows.entry(device.id.clone()).or_default();
            row.device = Some(device);
            None
        }
        Event::Reading(reading) => {
            let row = rows.get_mut(&reading.device)?;
            let name = row.name();
            let line = format!(
                "{} {name}: {}",
                time(&reading),
                summary::summary(&reading.values)
            );
            row.reading = Some(reading);
            Some(line)
        }
        Event::Availability(id, availability) => {
            let row = rows.get_mut(&id)?;
            row.offline = match availability {
                Availability::Online => None,
                Availability::Offline { reason } => Some(reason),
            };
            let reason = row.offline.clone()?;
            row.reading.as_ref()?;
            Some(format!("{} is offline: {reason}", row.name()))
        }
    }
}

impl Row {
    fn name(&self) -> String {
        self.device
            .as_ref()
            .map_or_else(String::new, |device| device.name.clone())
    }
}

/// When it was measured, by the clock on the wall of whoever reads it.
fn time(reading: &Reading) -> String {
    let local = reading.measured_at.with_timezone(&Local);
    local.format("%H:%M:%S").to_string()
}

fn table(rows: &BTreeMap<DeviceId, Row>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["Device", "Charge", "Power", "Details", "Measured", "State"]);
    for row in rows.values() {
        let (mut charge, mut power, mut rest, mut measured) = Default::default();
        if let Some(reading) = &row.reading {
            charge = summary::charge(&reading.values);
            power = summary::power(&reading.values);
            rest = summary::details(&reading.values);
            measured = time(reading);
        }
        let state = row.offline.as_deref().unwrap_or("online");
        table.add_row([&row.name(), &charge, &power, &rest, &measured, state]);
    }
    for column in table.column_iter_mut().skip(1).take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Draws over what it drew before.
#[derive(Default)]
struct Screen {
    lines: usize,
}

impl Screen {
    fn draw(&mut self, text: &str) {
        let mut output = std::io::stdout().lock();
        if self.lines > 0 {
            // Up to the first line of the last frame, and clear from there.
            let _ = write!(output, "\x1b[{}A\x1b[0J", self.lines);
        }
        let _ = writeln!(output, "{text}");
        let _ = output.flush();
        self.lines = text.lines().count();
    }
}
