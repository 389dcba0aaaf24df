//! The file that a tool writes down in what it asks and is answered.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::Local;

use crate::compat::bluetti::log::Line;
use crate::exit::{Code, Failure};

/// A log, to which lines are added.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens `path`, or makes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        let opened = options.create(true).append(true).read(true).open(path);
        let file = opened.map_err(|error| failure(path, &error))?;
        let mut log = Self {
            path: path.to_owned(),
            file,
        };
        // Who wrote the last line may have been killed in the middle of it.
        if !log
            .ends_with_a_line()
            .map_err(|error| failure(path, &error))?
        {
            log.add("\n")?;
        }
        Ok(log)
    }

    /// Adds a line, with the time of now.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, line: &Line) -> Result<(), Failure> {
        self.add(&format!("{}\n", line.to_json(Local::now())))
    }

    fn add(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| failure(&self.path, &error))
    }

    fn ends_with_a_line(&mut self) -> std::io::Result<bool> {
        if self.file.metadata()?.len() == 0 {
            return Ok(true);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }
}

/// The lines of a log, and how many of its lines were none.
///
/// # Errors
/// If it cannot be read.
pub fn lines(path: &Path) -> Result<(Vec<Line>, usize), Failure> {
    let bytes = std::fs::read(path).map_err(|error| failure(path, &error))?;
    let mut damaged = 0;
    let mut lines = Vec::new();
    for text in String::from_utf8_lossy(&bytes).lines() {
        match Line::from_json(text) {
            Ok(line) => lines.push(line),
            Err(_) => damaged += usize::from(!text.trim().is_empty()),
        }
    }
    Ok((lines, damaged))
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::Usage, format!("{}: {error}", path.display()))
}
