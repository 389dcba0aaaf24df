//! Runs the program as a user does: arguments, environment and files in;
//! stdout, stderr and exit code out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{fs, io};

use tempfile::TempDir;

/// One call of the program, in a directory of its own and without the
/// environment of whoever runs the tests.
#[derive(Debug)]
pub(crate) struct Cli {
    directory: TempDir,
    command: Command,
}

/// What came of it. The directory reads `$DIR`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Cli {
    /// `telemetry ARGS`
    pub(crate) fn new<const N: usize>(args: [&str; N]) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
        command
            .args(args)
            .env_clear()
            .env("HOME", directory.path().join("home"))
            .current_dir(directory.path())
            .stdin(Stdio::null());
        Self { directory, command }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.command.arg(arg.as_ref());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(name, content, 0o600)
    }

    /// Writes a file with the given permissions.
    pub(crate) fn file_with_mode(self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("directory");
        fs::write(&path, content).expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
        self
    }

    /// Gives it this to read.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        let path = self.path("stdin");
        fs::write(&path, input).expect("file");
        self.command.stdin(fs::File::open(path).expect("file"));
        self
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Outcome {
        let output = self.command.output().expect("the program starts");
        self.outcome(output)
    }

    /// Lets its stdout be a pipe that nobody reads any more.
    pub(crate) fn into_closed_pipe(mut self) -> Outcome {
        let (reader, writer) = io::pipe().expect("pipe");
        drop(reader);
        self.command.stdout(writer).stderr(Stdio::piped());
        let child = self.command.spawn().expect("the program starts");
        let output = child.wait_with_output().expect("the program ends");
        self.outcome(output)
    }

    fn outcome(&self, output: Output) -> Outcome {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            text.replace(&self.directory.path().display().to_string(), "$DIR")
        };
        Outcome {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code(),
        }
    }
}

impl Outcome {
    /// Success, with these words.
    pub(crate) fn ok(stdout: &str, stderr: &str) -> Self {
        Self {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            code: Some(0),
        }
    }

    /// No success, nothing on stdout.
    pub(crate) fn failure(code: i32, stderr: &str) -> Self {
        Self {
            stdout: String::new(),
            stderr: stderr.to_owned(),
            code: Some(code),
        }
    }

    /// What follows when `telemetry.toml` has these mistakes. A line break
    /// before the first does not count.
    pub(crate) fn mistakes(problems: &str) -> Self {
        let problems = problems.trim_start_matches('\n');
        let count = match problems.matches("error: ").count() {
            1 => "a mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        let end = format!(
            "\nerror: telemetry.toml has {count}\n\
             help: `telemetry config sample` explains every key\n"
        );
        Self::failure(78, &format!("{problems}{end}"))
    }
}
