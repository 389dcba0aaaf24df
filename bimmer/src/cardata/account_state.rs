use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::quota::Budget;
use crate::token::{on_disk, read_private, replace};

/// What has to be remembered about an account, so that a program that restarts
/// again and again does not spend the quota on its start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountState {
    /// The allowance of calls.
    #[serde(default)]
    pub budget: Budget,
    /// Our container, once it is known.
    #[serde(default)]
    pub container: Option<OwnContainer>,
}

/// The container that this program reads through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnContainer {
    /// The cloud's id of it.
    pub id: String,
    /// [`signature`](super::signature) of the keys that were wanted, which
    /// may be more than the cloud accepted.
    pub wanted: String,
}

/// Where the state is kept: in memory, and in a file if there is a path.
#[derive(Debug, Default)]
pub(super) struct StateFile {
    path: Option<PathBuf>,
    memory: Mutex<AccountState>,
}

impl StateFile {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self {
            path,
            memory: Mutex::default(),
        }
    }

    /// Changes the state as a whole: reads it, changes it, writes it. With a
    /// file, programs that share it take turns.
    pub(super) async fn update<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut AccountState) -> T + Send + 'static,
    ) -> io::Result<T> {
        let Some(path) = self.path.clone() else {
            let mut state = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(change(&mut state));
        };
        on_disk(path, move |path| {
            let _turn = turn(path)?;
            let text = read_private(path)?.unwrap_or_default();
            let before: AccountState = serde_json::from_str(&text).unwrap_or_default();
            let mut after = before.clone();
            let result = change(&mut after);
            if after != before {
                replace(path, &serde_json::to_vec(&after).map_err(io::Error::other)?)?;
            }
            Ok(result)
        })
        .await
    }
}

fn turn(path: &Path) -> io::Result<std::fs::File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let file = std::fs::File::create(path.with_file_name(name))?;
    file.lock()?;
    Ok(file)
}
