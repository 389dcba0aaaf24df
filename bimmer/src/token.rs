//! Sessions that outlive the program, so that a restart needs no new login.

use std::fs;
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::secret::Secret;

/// A session with one of the clouds. Fields that an API does not have are `None`.
/// `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// What requests carry. Empty in a token that was made from a refresh token alone.
    #[serde(default)]
    pub access_token: Secret,
    /// What the next token is had for. It changes with each renewal.
    pub refresh_token: Secret,
    /// Password of the CarData stream.
    #[serde(default)]
    pub id_token: Option<Secret>,
    /// The account's number at BMW; user name of the CarData stream.
    #[serde(default)]
    pub gcid: Option<String>,
    /// The rights of the token, in one text.
    #[serde(default)]
    pub scope: Option<String>,
    /// End of validity of access token and id token.
    pub expires_at: DateTime<Utc>,
    /// Session id of the app API.
    #[serde(default)]
    pub session_id: Option<String>,
    /// When that id was made; it is changed after 14 days.
    #[serde(default)]
    pub session_id_at: Option<DateTime<Utc>>,
}

impl Token {
    /// Renewed this long before its end.
    pub const MARGIN: TimeDelta = TimeDelta::minutes(5);

    /// From a refresh token alone; the first call renews it.
    #[must_use]
    pub fn from_refresh_token(refresh_token: impl Into<Secret>) -> Self {
        Self {
            access_token: Secret::default(),
            refresh_token: refresh_token.into(),
            id_token: None,
            gcid: None,
            scope: None,
            expires_at: DateTime::UNIX_EPOCH,
            session_id: None,
            session_id_at: None,
        }
    }

    /// Whether it can still be used at this time.
    #[must_use]
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        !self.access_token.is_empty() && now < self.renew_at()
    }

    /// When it should be renewed: five minutes before its end.
    #[must_use]
    pub fn renew_at(&self) -> DateTime<Utc> {
        self.expires_at
            .checked_sub_signed(Self::MARGIN)
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
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

    /// Takes over what a renewed token does not say again.
    pub(crate) fn keep_from(&mut self, old: &Self) {
        if self.refresh_token.is_empty() {
            self.refresh_token = old.refresh_token.clone();
        }
        self.gcid = self.gcid.take().or_else(|| old.gcid.clone());
        self.scope = self.scope.take().or_else(|| old.scope.clone());
        self.session_id = self.session_id.take().or_else(|| old.session_id.clone());
        self.session_id_at = self.session_id_at.or(old.session_id_at);
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

    /// Keeps other programs from renewing the same session as long as the
    /// result lives. `None` if another one is about to.
    fn lock(&self) -> Storing<'_, Option<StoreLock>> {
        Box::pin(async { Ok(Some(StoreLock { _file: None })) })
    }
}

/// Stores a token whose storing has failed, in place of the one with the
/// refresh token `replaced`. Gives the one that counts: somebody may have logged
/// in meanwhile.
pub(crate) async fn store_again(
    store: &dyn TokenStore,
    token: Token,
    replaced: &Secret,
) -> io::Result<Token> {
    match store.load().await? {
        Some(there) if there.refresh_token == token.refresh_token => Ok(token),
        Some(other) if other.refresh_token != *replaced => Ok(other),
        _ => store.save(&token).await.map(|()| token),
    }
}

/// Waits for a renewal in a task of its own: who gives up waiting does not end
/// it. The old token is void as soon as the server has answered.
pub(crate) async fn to_its_end(
    renewal: impl Future<Output = Result<Token, Error>> + Send + 'static,
) -> Result<Token, Error> {
    let ended = tokio::spawn(renewal).await;
    ended.unwrap_or_else(|error| Err(Error::Store(io::Error::other(error))))
}

/// Released when dropped.
#[derive(Debug)]
pub struct StoreLock {
    _file: Option<fs::File>,
}

impl StoreLock {
    /// A lock that holds this file open, for stores of other kinds.
    #[must_use]
    pub const fn holding(file: fs::File) -> Self {
        Self { _file: Some(file) }
    }
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
/// replaced as a whole: a crash leaves the old one or the new one. A file
/// beside it, with `.lock` at the end of its name, keeps programs apart.
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
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> Storing<'_, Option<Token>> {
        let path = self.path.clone();
        Box::pin(async move {
            // A file that is no token is as good as none: the next login replaces it.
            let text = on_disk(path, read_private).await?;
            Ok(text.and_then(|text| Token::from_json(&text)))
        })
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        let text = token.to_json();
        Box::pin(on_disk(self.path.clone(), move |path| {
            replace(path, text.as_bytes())
        }))
    }

    fn clear(&self) -> Storing<'_, ()> {
        let remove = |path: &Path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        Box::pin(on_disk(self.path.clone(), remove))
    }

    fn lock(&self) -> Storing<'_, Option<StoreLock>> {
        let path = beside(&self.path, ".lock");
        let lock = |path: &Path| {
            let mut options = fs::OpenOptions::new();
            options.create(true).truncate(false).write(true);
            private(&mut options);
            let file = options.open(path)?;
            match file.try_lock() {
                Ok(()) => Ok(Some(StoreLock::holding(file))),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(error)) => Err(error),
            }
        };
        Box::pin(on_disk(path, lock))
    }
}

/// Runs `work` where waiting for a disk stops nothing else.
pub(crate) async fn on_disk<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let named = move || {
        work(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    tokio::task::spawn_blocking(named)
        .await
        .map_err(io::Error::other)?
}

/// The content of a file, `None` if there is none.
pub(crate) fn read_private(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file beside the old one and renames it over that.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = beside(path, &format!(".{}.new", std::process::id()));
    let written = write_private(&new, content).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
        return written;
    }
    // The rename itself has to survive a power cut, too.
    #[cfg(unix)]
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    // A leftover of a crash might have other permissions.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn private(options: &mut fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(access: &str) -> Token {
        let mut token = Token::from_refresh_token("r-1");
        token.access_token = access.into();
        token.expires_at = DateTime::from_timestamp(2_000_000_000, 0).unwrap();
        token
    }

    #[test]
    fn ends_a_little_early() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(token("t").is_fresh(at(1_999_999_000)));
        assert!(!token("t").is_fresh(at(1_999_999_900)));
        assert!(!token("").is_fresh(at(1_000_000_000)));
        assert!(!format!("{:?}", token("t")).contains("r-1"));
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
    async fn one_program_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(dir.path().join("token.json"));
        let other = store.clone();
        let lock = store.lock().await.unwrap();
        assert!(lock.is_some());
        assert!(other.lock().await.unwrap().is_none());
        drop(lock);
        assert!(other.lock().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(dir.path().join("no").join("token.json"));
        let error = store.save(&token("one")).await.unwrap_err();
        assert!(error.to_string().contains("token.json"));
    }
}
