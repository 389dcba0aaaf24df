//! A file that one process holds at a time, and in which it says who it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::{env, process};

/// Held as long as it lives; the system frees it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// This process has it.
    HeldBy(String),
    /// Locks do not work here: some network file systems have none.
    Unsupported(io::Error),
    /// The file cannot be written.
    Io(io::Error),
}

impl FileLock {
    /// Takes the lock at `path`; the file is created if necessary, and stays.
    ///
    /// # Errors
    /// If another process has it, or the file cannot be written or locked.
    pub fn take(path: &Path) -> Result<Self, Refusal> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(Refusal::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Refusal::HeldBy(holder(file))),
            Err(TryLockError::Error(error)) => return Err(Refusal::Unsupported(error)),
        }
        sign(&mut file).map_err(Refusal::Io)?;
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {} ({})", process::id(), command())
}

fn holder(file: File) -> String {
    let mut holder = String::new();
    let _ = file.take(200).read_to_string(&mut holder);
    match holder.lines().next() {
        // Between taking the lock and writing its name, the holder is nameless.
        None | Some("") => "another process".to_owned(),
        Some(line) => line.to_owned(),
    }
}

/// Program and subcommand. Not all arguments: a password may be among them.
fn command() -> String {
    let mut arguments = env::args_os();
    let program = arguments.next().map(PathBuf::from).unwrap_or_default();
    let program = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let subcommand = arguments
        .next()
        .and_then(|argument| argument.into_string().ok())
        .filter(|argument| !argument.starts_with('-'))
        .filter(|argument| {
            let mut bytes = argument.bytes();
            bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        });
    match subcommand {
        Some(subcommand) => format!("{program} {subcommand}"),
        None => program,
    }
}
