//! Runs the program as a user does: arguments, environment and files in;
//! stdout, stderr and exit code out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// One call of the program, in a directory of its own and without the
/// environment of whoever runs the tests.
#[derive(Debug)]
pub struct Cli {
    directory: TempDir,
    command: Command,
}

/// What came of it. The directory reads `$DIR`.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

#[expect(dead_code, reason = "no test file uses all of it")]
impl Cli {
    /// `telemetry ARGS`
    pub fn new<const N: usize>(args: [&str; N]) -> Self {
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
    pub fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.command.arg(arg.as_ref());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file that only its owner can read.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(name, content, 0o600)
    }

    /// Writes a file with the given permissions.
    pub fn file_with_mode(self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("directory");
        fs::write(&path, content).expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
        self
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Outcome {
        let output = self.command.output().expect("the program starts");
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

    /// Starts it with pipes on stdout and stderr.
    pub fn spawn(mut self) -> (TempDir, Child) {
        let child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        (self.directory, child)
    }
}
