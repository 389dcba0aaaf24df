//! The embedded database: does it open, and is its layout ours?

use std::path::PathBuf;

use crate::command::run::database_failure;
use crate::database::{Database, Layout};
use crate::exit::Failure;

/// Looks at the file, if there is one.
pub(super) async fn probe(file: PathBuf) -> Result<String, Failure> {
    let shown = file.display();
    if !file.exists() {
        return Ok(format!("{shown} is made at the first start"));
    }
    let layout = Database::layout(&file)
        .await
        .map_err(|error| database_failure(&file, &error))?;
    Ok(match layout {
        Layout::Current => format!("{shown} opens, and its layout is current"),
        Layout::Older => format!("{shown} opens; the next start brings its layout up to date"),
    })
}
