//! Sessions that outlive the program, so that a restart does not log the phone out.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A session with the cloud. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What requests carry.
    pub access_token: String,
    /// What a new token may be had for without a password.
    pub refresh_token: Option<String>,
    /// End of validity, Unix time in ms.
    pub expires_at_ms: i64,
    /// Whom it belongs to: a hash of address and user. A token of another
    /// account is not used.
    pub account: String,
}

/// Renewed this long before its end.
const MARGIN_MS: i64 = 15 * 60 * 1000;

impl Token {
    /// Whether it can still be used at this time, Unix time in ms.
    #[must_use]
    pub const fn is_valid(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at_ms.saturating_sub(MARGIN_MS)
    }

    /// As JSON text, for stores of other kinds. Secret.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the text that [`to_json`](Self::to_json) gave; `None` if it is another one.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// The future of a [`TokenStore`].
pub type Storing<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Where a session is kept between runs of the program.
pub trait TokenStore: Send + Sync + 'static {
    /// What was saved last; `None` if nothing was.
    fn load(&self) -> Storing<'_, Option<Token>>;

    /// Keeps a session. It is used after this is done.
    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()>;

    /// Forgets the session.
    fn clear(&self) -> Storing<'_, ()>;
}

/// Keeps the session as long as the program runs.
#[derive(Debug, Default)]
pub struct MemoryTokenStore(Mutex<Option<Token>>);

impl MemoryTokenStore {
    /// With a session from elsewhere.
    #[must_use]
    pub const fn with(token: Token) -> Self {
        Self(Mutex::new(Some(token)))
    }

    fn set(&self, token: Option<Token>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

impl TokenStore for MemoryTokenStore {
    fn load(&self) -> Storing<'_, Option<Token>> {
        let token = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::pin(async move { Ok(token) })
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        self.set(Some(token.clone()));
        Box::pin(async { Ok(()) })
    }

    fn clear(&self) -> Storing<'_, ()> {
        self.set(None);
        Box::pin(async { Ok(()) })
    }
}

/// Keeps the session in a file that only its owner can read. The file is
/// replaced as a whole: a crash leaves the old one or the new one.
#[derive(Debug, Clone)]
pub struct FileTokenStore {
    path: PathBuf,
}

impl FileTokenStore {
    /// At this place, whose directory must exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Runs `work` where waiting for a disk stops nothing else.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Storing<'_, T> {
        let path = self.path.clone();
        Box::pin(async move {
            let in_file = |error: io::Error, path: &Path| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            tokio::task::spawn_blocking(move || work(&path).map_err(|error| in_file(error, &path)))
                .await
                .map_err(io::Error::other)?
        })
    }
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> Storing<'_, Option<Token>> {
        self.blocking(|path| match fs::read_to_string(path) {
            // A file that is no token is as good as none: the next login replaces it.
            Ok(text) => Ok(Token::from_json(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        let text = token.to_json();
        self.blocking(move |path| replace(path, text.as_bytes()))
    }

    fn clear(&self) -> Storing<'_, ()> {
        self.blocking(|path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
}

/// Writes a file beside the old one and renames it over that.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let written = write_private(&new, content).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    // A leftover of a crash might have other permissions.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token {
            access_token: text.to_owned(),
            refresh_token: Some("r-1".to_owned()),
            expires_at_ms: 2_000_000_000_000,
            account: "a".to_owned(),
        }
    }

    #[test]
    fn ends_a_little_early() {
        let token = token("t");
        assert!(token.is_valid(1_999_999_000_000));
        assert!(!token.is_valid(1_999_999_999_000));
        assert!(!format!("{token:?}").contains("r-1"));
    }

    #[tokio::test]
    async fn a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token.json");
        let store = FileTokenStore::new(&path);
        assert_eq!(store.load().await.unwrap(), None);
        store.save(&token("one")).await.unwrap();
        store.save(&token("two")).await.unwrap();
        assert_eq!(store.load().await.unwrap(), Some(token("two")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::write(&path, "{").unwrap();
        assert_eq!(store.load().await.unwrap(), None);
        store.clear().await.unwrap();
        store.clear().await.unwrap();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(dir.path().join("no").join("token.json"));
        let error = store.save(&token("one")).await.unwrap_err();
        assert!(error.to_string().contains("token.json"));
    }
}
