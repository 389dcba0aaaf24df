//! What is wrong with a configuration, for people and for programs.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;
use strsim::damerau_levenshtein;

use crate::exit::{Code, Failure, Paint, Style};

/// Everything that was found in one configuration.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The file, as the user named it.
    pub file: String,
    /// In the order of the file; those of environment variables follow.
    pub problems: Vec<Problem>,
}

impl Report {
    /// True if the configuration cannot be used.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// What makes it unusable.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.of(Severity::Error)
    }

    /// What should be put right, but does not keep it from working.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Problem> {
        let alike = move |problem: &&Problem| problem.severity == severity;
        self.problems.iter().filter(alike)
    }

    /// All of it with the lines in question, a blank line between two
    /// problems.
    pub fn render(&self, paint: Paint) -> String {
        let blocks: Vec<_> = self
            .problems
            .iter()
            .map(|problem| problem.render(&self.file, paint))
            .collect();
        blocks.join("\n")
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        let mut failure = match report.errors().count() {
            // Not what is in the file: it cannot be read at all.
            1 if report.problems[0].place == Place::Whole => Self::silent(Code::Configuration),
            1 => Self::new(
                Code::Configuration,
                format!("{} has a mistake", report.file),
            )
            .hint(EXPLAINED),
            count => Self::new(
                Code::Configuration,
                format!("{} has {count} mistakes", report.file),
            )
            .hint(EXPLAINED),
        };
        failure.details = report.render(Paint::for_stderr());
        failure
    }
}

const EXPLAINED: &str = "`telemetry config sample` explains every key";

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// Another place that is part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Place>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            place: Place::default(),
            also: None,
            expected: None,
            help: None,
        }
    }

    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    pub(super) fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(text.into());
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    pub(super) fn also(mut self, place: Place) -> Self {
        self.also = Some(place);
        self
    }

    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The message on one line, for a log.
    pub fn line(&self, file: &str) -> String {
        let place = self.place.name(file);
        let help = self.help.as_ref().map(|help| format!(" ({help})"));
        format!("{place}: {}{}", self.message, help.unwrap_or_default())
    }

    fn render(&self, file: &str, paint: Paint) -> String {
        let (label, style) = match self.severity {
            Severity::Error => ("error", Style::Error),
            Severity::Warning => ("warning", Style::Warning),
        };
        let label = paint.with(style, label);
        let mut text = format!("{label}: {}\n", self.message);
        let gutter = [Some(&self.place), self.also.as_ref()]
            .into_iter()
            .flatten()
            .map(Place::gutter)
            .max()
            .unwrap_or_default();
        self.place.render(&mut text, file, "-->", gutter, paint);
        if let Some(also) = &self.also {
            also.render(&mut text, file, "and", gutter, paint);
        }
        let notes = [("expected", &self.expected), ("help", &self.help)];
        for (name, note) in notes {
            if let Some(note) = note {
                let name = paint.with(Style::Strong, name);
                let _ = writeln!(text, "{:gutter$} = {name}: {note}", "");
            }
        }
        text
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can.
    Warning,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// The file as a whole.
    #[default]
    Whole,
    /// A place in the file.
    Line {
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// How many characters are meant.
        #[serde(skip)]
        length: usize,
        /// The line, secrets hidden.
        #[serde(skip)]
        text: String,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        variable: String,
    },
}

impl Place {
    fn name(&self, file: &str) -> String {
        match self {
            Self::Whole => file.to_owned(),
            Self::Line { line, column, .. } => format!("{file}:{line}:{column}"),
            Self::Variable { variable } => format!("environment variable {variable}"),
        }
    }

    fn gutter(&self) -> usize {
        match self {
            Self::Line { line, .. } => line.to_string().len(),
            Self::Whole | Self::Variable { .. } => 1,
        }
    }

    fn render(&self, out: &mut String, file: &str, arrow: &str, gutter: usize, paint: Paint) {
        let arrow = paint.with(Style::Frame, arrow);
        let _ = writeln!(out, "{:gutter$}{arrow} {}", "", self.name(file));
        let Self::Line {
            line,
            column,
            length,
            text,
        } = self
        else {
            return;
        };
        let bar = paint.with(Style::Frame, "|");
        let number = paint.with(Style::Frame, &format!("{line:>gutter$}"));
        // A tab stays a tab: the caret must move as far as the text did.
        let indent: String = text
            .chars()
            .take(column - 1)
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        let carets = paint.with(Style::Error, &"^".repeat((*length).max(1)));
        let _ = writeln!(out, "{:gutter$} {bar}", "");
        let _ = writeln!(out, "{number} {bar} {text}");
        let _ = writeln!(out, "{:gutter$} {bar} {indent}{carets}", "");
    }
}

/// The text of the file, followed by one position per environment variable.
/// So each value has a position, wherever it comes from.
#[derive(Debug)]
pub(super) struct Source<'i> {
    text: &'i str,
    variables: Vec<String>,
}

impl<'i> Source<'i> {
    pub(super) fn new(text: &'i str) -> Self {
        Self {
            text,
            variables: Vec::new(),
        }
    }

    /// The position that stands for a variable.
    pub(super) fn add_variable(&mut self, name: &str) -> Range<usize> {
        self.variables.push(name.to_owned());
        let start = self.text.len() + self.variables.len();
        start..start + 1
    }

    pub(super) fn is_variable(&self, span: &Range<usize>) -> bool {
        span.start > self.text.len()
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        if let Some(index) = span.start.checked_sub(self.text.len() + 1) {
            let variable = self.variables.get(index).cloned().unwrap_or_default();
            return Place::Variable { variable };
        }
        let mut start = span.start;
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let shown = hide_secrets(line);
        let column = before[line_start..].chars().count();
        let marked = self.text.get(start..span.end).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        Place::Line {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            length: marked.min(shown.chars().count().saturating_sub(column)),
            text: shown,
        }
    }
}

/// The line without a password in it. Works on text, because a line that is
/// not even TOML may hold one.
fn hide_secrets(line: &str) -> String {
    let mut shown = line.to_owned();
    let mut from = 0;
    while let Some(equals) = shown[from..].find('=').map(|at| from + at) {
        from = equals + 1;
        let key = shown[..equals].trim_end_matches([' ', '\t', '"', '\'']);
        let value = shown[from..].trim_start();
        let named = ["\"env:", "'env:", "\"file:", "'file:"];
        if is_secret(key)
            && !value.is_empty()
            && !named.iter().any(|start| value.starts_with(start))
        {
            let start = shown.len() - value.len();
            shown.replace_range(start.., "***");
            break;
        }
    }
    // tcp://user:password@host, perhaps without the scheme
    if let Some(end) = shown.rfind('@') {
        let head = &shown[..end];
        let scheme = head.find("://").map(|at| at + 3);
        let quote = || head.rfind(['"', '\'']).map(|at| at + 1);
        if let Some(start) = scheme.or_else(quote)
            && shown[start..end].contains(':')
        {
            shown.replace_range(start..end, "***");
        }
    }
    shown
}

/// True for a key whose value is not to be shown: also a mistyped one, which
/// is what messages are about.
fn is_secret(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let key = text.rsplit(|c| !is_part(c)).next().unwrap_or_default();
    let key = key.to_lowercase();
    ["pass", "pwd", "token", "secret"]
        .iter()
        .any(|part| key.contains(part))
        || key.ends_with("pin")
        || damerau_levenshtein(&key, "password") <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_their_whereabouts_are_not() {
        for (line, shown) in [
            ("password = \"hunter2\"", "password = ***"),
            ("  pin=1234 # mine", "  pin=***"),
            ("password = hunter2", "password = ***"),
            ("\"password\" = 'a=b'", "\"password\" = ***"),
            (
                "mqtt = { url = \"tcp://a\", password = \"b\" }",
                "mqtt = { url = \"tcp://a\", password = ***",
            ),
            ("password = \"env:PW\"", "password = \"env:PW\""),
            ("password =", "password ="),
            ("url = \"tcp://me:p@ss@host\"", "url = \"tcp://***@host\""),
            ("url = \"me:pass@host\"", "url = \"***@host\""),
            ("user = \"me@host\"", "user = \"me@host\""),
            ("name = \"pin = 4\"", "name = \"pin = ***"),
            ("pasword=\"hunter2\"", "pasword=***"),
            ("wifi.Passwort = \"hunter2\"", "wifi.Passwort = ***"),
            ("path = \"/a\"", "path = \"/a\""),
            ("interval = \"30s\"", "interval = \"30s\""),
        ] {
            assert_eq!(hide_secrets(line), shown);
        }
    }

    #[test]
    fn every_byte_has_a_place() {
        let text = "a = \"ä€\"\r\n\tb = 1\n";
        let mut source = Source::new(text);
        for at in 0..=text.len() {
            let place = source.place(&(at..at + 1));
            assert!(matches!(place, Place::Line { .. }), "{at}");
        }
        let Place::Line {
            line,
            column,
            length,
            text,
        } = source.place(&(14..15))
        else {
            panic!("no line");
        };
        assert_eq!((line, column, length, text.as_str()), (2, 2, 1, "\tb = 1"));
        let span = source.add_variable("TELEMETRY_A__B");
        assert!(source.is_variable(&span));
        assert_eq!(
            source.place(&span),
            Place::Variable {
                variable: "TELEMETRY_A__B".to_owned()
            }
        );
    }
}
