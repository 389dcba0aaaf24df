//! The state directory: can it be written, and who has it?

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::config::plain;
use crate::exit::{Code, Failure};

/// Tries to write, and leaves nothing behind.
pub(super) async fn probe(directory: &Path, holder: Option<String>) -> Result<String, Failure> {
    let shown = directory.display();
    if let Some(holder) = holder {
        return Ok(format!("{shown} is held by the running gateway, {holder}"));
    }
    // A directory that is not there yet is made by the first start.
    let existing = directory.ancestors().find(|path| path.exists());
    let existing = existing.unwrap_or(Path::new("."));
    write(existing).map_err(|error| {
        let message = format!("cannot write to {}: {}", existing.display(), plain(&error));
        Failure::new(Code::Backend, message).hint(format!(
            "let this user write to {shown}, or choose another directory with `state_dir` in \
             [gateway]; without one, readings are lost at exit"
        ))
    })?;
    Ok(match existing == directory {
        true => format!("{shown} is free and can be written"),
        false => format!("{shown} is made at the first start"),
    })
}

fn write(directory: &Path) -> io::Result<()> {
    let file = directory.join(format!(".telemetry-check-{:08x}", fastrand::u32(..)));
    File::create_new(&file)?;
    fs::remove_file(&file)
}
