//! Sink: readings on standard output, one line each.

use std::collections::BTreeMap;
use std::io;

use tokio::io::AsyncWriteExt;

use crate::event::{Device, DeviceKind, Event, Reading, ReadingJson};
use crate::hub::Hub;
use crate::supervisor::{Exit, Task};

/// Writes each reading as a JSON object until nobody reads any more. The
/// gateway's own readings are left out.
pub async fn run(hub: Hub, task: Task) -> Exit {
    let mut follower = hub.follow();
    let mut devices = BTreeMap::new();
    let mut output = tokio::io::stdout();
    loop {
        let event = tokio::select! {
            event = follower.next() => event,
            () = task.shutdown.cancelled() => return Exit::Stopped,
        };
        match event {
            Event::Device(device) => {
                devices.insert(device.id.clone(), device);
            }
            Event::Reading(reading) if reading.kind != DeviceKind::Gateway => {
                let Some(device) = devices.get(&reading.device) else {
                    continue;
                };
                if let Err(error) = write(&mut output, device, &reading).await {
                    // `| head` has seen enough.
                    tracing::debug!(%error, "standard output is closed");
                    return Exit::Stopped;
                }
            }
            Event::Reading(_) | Event::Availability(..) => {}
        }
    }
}

async fn write(
    output: &mut tokio::io::Stdout,
    device: &Device,
    reading: &Reading,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(&ReadingJson { device, reading })?;
    line.push(b'\n');
    output.write_all(&line).await?;
    output.flush().await
}
