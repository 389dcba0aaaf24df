//! How a command ends: documented exit codes, and errors for people.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::{env, fmt};

/// Exit codes. They are part of the interface: scripts and service managers
/// rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// All went well.
    Ok = 0,
    /// The command line makes no sense.
    Usage = 2,
    /// The device was not found or is in use, or another process holds the
    /// state directory or the history.
    Device = 3,
    /// A device or service answered nonsense, or not in time.
    Protocol = 4,
    /// A login or a password is needed.
    Login = 5,
    /// The broker or the database cannot be used.
    Backend = 6,
    /// The service's quota is used up.
    Quota = 7,
    /// A bug of ours.
    Internal = 70,
    /// The configuration is wrong.
    Configuration = 78,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command failed: what, and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What failed; nothing is shown if it is empty.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The particulars, shown as they are before the message.
    pub details: String,
}

impl Failure {
    /// A failure that ends the process with `code`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            details: String::new(),
        }
    }

    /// A failure about which all has been said.
    pub fn silent(code: Code) -> Self {
        Self::new(code, "")
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What writing to stdout failed with. A reader that went away
    /// (`telemetry export | head`) has what it wanted: no failure at all.
    pub fn stdout(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Code::Ok);
        }
        Self::new(Code::Internal, format!("cannot write to stdout: {error}"))
    }

    /// The text for the user.
    pub fn render(&self, paint: Paint) -> String {
        let mut text = self.details.clone();
        if !self.message.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            let label = paint.with(Style::Error, "error");
            text.push_str(&format!("{label}: {}\n", self.message));
        }
        if let Some(hint) = &self.hint {
            let label = paint.with(Style::Strong, "help");
            text.push_str(&format!("{label}: {hint}\n"));
        }
        text
    }

    /// Tells the user and gives the exit code.
    pub fn report(&self) -> ExitCode {
        // If stderr is gone, too, there is nobody to tell.
        let _ = io::stderr().write_all(self.render(Paint::for_stderr()).as_bytes());
        self.code.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Whether text may be coloured. Colours repeat what the words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Plain,
    /// With ANSI escapes.
    Ansi,
}

impl Paint {
    /// Colours if stderr is a terminal, unless `NO_COLOR` is set.
    pub fn for_stderr() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !set("NO_COLOR") && !dumb {
            Self::Ansi
        } else {
            Self::Plain
        }
    }

    /// `text` in a style.
    pub fn with(self, style: Style, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\u{1b}[{}m{text}\u{1b}[0m", style.escape()),
        }
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Something that keeps us from going on.
    Error,
    /// Something that does not.
    Warning,
    /// Lines and numbers around what is shown.
    Frame,
    /// A label.
    Strong,
}

impl Style {
    fn escape(self) -> &'static str {
        match self {
            Self::Error => "1;31",
            Self::Warning => "1;33",
            Self::Frame => "1;34",
            Self::Strong => "1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_next() {
        let failure = Failure::new(Code::Device, "pack not found").hint("move closer");
        assert_eq!(
            failure.render(Paint::Plain),
            "error: pack not found\nhelp: move closer\n"
        );
        assert_eq!(
            failure.render(Paint::Ansi),
            "\u{1b}[1;31merror\u{1b}[0m: pack not found\n\u{1b}[1mhelp\u{1b}[0m: move closer\n"
        );
        assert_eq!(Failure::silent(Code::Ok).render(Paint::Plain), "");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::stdout(&closed).code, Code::Ok);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Failure::stdout(&full).code, Code::Internal);
    }
}
