//! The directory for what outlives the process: journal, history, tokens. One
//! process at a time.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Environment, plain};
use crate::exit::{Code, Failure};
use crate::file_lock::{FileLock, Refusal};

/// A directory that this process holds, or nothing but memory.
#[derive(Debug)]
pub struct StateDir(Option<Held>);

#[derive(Debug)]
struct Held {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: Option<FileLock>,
}

impl StateDir {
    /// Where the directory is: `asked` (flag or configuration), else the first
    /// of `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/telemetry`, else
    /// `/var/lib/telemetry`. For those who only read, it is not locked.
    pub fn locate(asked: Option<&Path>, environment: &Environment) -> PathBuf {
        if let Some(path) = asked {
            return path.to_path_buf();
        }
        if let Some(list) = environment.get("STATE_DIRECTORY") {
            // systemd lists all of StateDirectory=.
            let first = list.split(':').next().unwrap_or_default();
            if !first.is_empty() {
                return first.into();
            }
        }
        let absolute = |name| {
            environment
                .get(name)
                .map(Path::new)
                .filter(|path| path.is_absolute())
        };
        let user = absolute("XDG_STATE_HOME")
            .map(Path::to_path_buf)
            .or_else(|| Some(absolute("HOME")?.join(".local/state")));
        match user {
            Some(directory) => directory.join("telemetry"),
            None => "/var/lib/telemetry".into(),
        }
    }

    /// Creates `path` if necessary and takes hold of it. If nothing can be
    /// written there, warns and goes on in memory. Fails if another process
    /// holds it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        match hold(path) {
            Ok(held) => Ok(Self(Some(held))),
            Err(Refusal::HeldBy(holder)) => Err(in_use(path, &holder)),
            Err(Refusal::Io(error) | Refusal::Unsupported(error)) => {
                tracing::warn!(
                    state_dir = %path.display(),
                    error = plain(&error),
                    "Cannot write to the state directory: history and unsent readings are kept \
                     in memory and lost at exit; choose another one with --state-dir"
                );
                Ok(Self::memory())
            }
        }
    }

    /// Which process holds the directory `path`, if any does.
    pub fn holder(path: &Path) -> Option<String> {
        FileLock::holder(&path.join(LOCK))
    }

    /// No directory: everything is forgotten at exit.
    pub fn memory() -> Self {
        Self(None)
    }

    /// The directory; nothing if all is in memory.
    pub fn path(&self) -> Option<&Path> {
        self.0.as_ref().map(|held| held.path.as_path())
    }
}

fn hold(path: &Path) -> Result<Held, Refusal> {
    create(path).map_err(Refusal::Io)?;
    let lock = match FileLock::take(&path.join(LOCK)) {
        Ok(lock) => Some(lock),
        // No reason to stop.
        Err(Refusal::Unsupported(error)) => {
            tracing::warn!(
                state_dir = %path.display(),
                error = plain(&error),
                "Cannot lock the state directory: make sure that no other process uses it"
            );
            None
        }
        Err(refusal) => return Err(refusal),
    };
    Ok(Held {
        path: path.to_path_buf(),
        _lock: lock,
    })
}

fn in_use(path: &Path, holder: &str) -> Failure {
    let message = format!("the state directory {} is held by {holder}", path.display());
    Failure::new(Code::Device, message)
        .hint("stop that process, or choose another directory with `--state-dir DIR`")
}

fn create(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    // With `recursive` a file in the way may be taken for the directory.
    if fs::metadata(path)?.is_dir() {
        Ok(())
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use super::*;

    fn located(asked: Option<&str>, variables: &[(&str, &str)]) -> PathBuf {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = variables.iter().map(own).collect();
        StateDir::locate(asked.map(Path::new), &environment)
    }

    #[test]
    fn the_place_depends_on_who_asks() {
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_STATE_HOME", "/state");
        let systemd = ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b");
        for (path, asked, variables) in [
            ("/here", Some("/here"), &[systemd, xdg, home][..]),
            ("/var/lib/a", None, &[systemd, xdg, home]),
            ("/state/telemetry", None, &[xdg, home]),
            ("/home/me/.local/state/telemetry", None, &[home]),
            (
                "/home/me/.local/state/telemetry",
                None,
                &[("XDG_STATE_HOME", "relative"), home],
            ),
            ("/var/lib/telemetry", None, &[]),
            ("/var/lib/telemetry", None, &[("STATE_DIRECTORY", "")]),
        ] {
            assert_eq!(located(asked, variables), Path::new(path));
        }
    }

    #[test]
    fn one_process_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let held = StateDir::open(&path).unwrap();
        let failure = StateDir::open(&path).unwrap_err();
        assert_eq!(failure.code, Code::Device);
        assert!(
            failure
                .message
                .contains(&format!("process {} (", std::process::id()))
        );
        let holder = StateDir::holder(&path).unwrap();
        assert!(failure.message.ends_with(&holder));
        drop(held);
        assert_eq!(StateDir::holder(&path), None);
        assert_eq!(StateDir::holder(directory.path()), None);
        assert!(StateDir::open(&path).unwrap().path().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_look_into_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let _state = StateDir::open(&path).unwrap();
        for (path, mode) in [(&path, 0o700), (&path.join(LOCK), 0o600)] {
            let permissions = fs::metadata(path).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o777, mode, "{}", path.display());
        }
    }

    #[test]
    fn without_a_directory_there_is_memory() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let state = StateDir::open(&file).unwrap();
        assert_eq!(state.path(), None);
    }
}
