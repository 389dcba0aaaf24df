//! Secrets: given in place, or by the name of where they are.

use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// A secret as configured: the text itself, `env:NAME` or `file:PATH`.
///
/// The value is looked up each time it is asked for, so that a component that
/// waits for a new password sees the changed file. A relative `file:` is taken
/// from `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`) if it is there.
/// `Debug` shows where the secret is, never the secret.
#[derive(Clone)]
pub struct Secret(Kept);

#[derive(Clone)]
enum Kept {
    InPlace(SecretString),
    Variable(String),
    File {
        path: PathBuf,
        credential: Option<PathBuf>,
    },
}

impl Secret {
    /// The secret, read now.
    pub fn reveal(&self) -> Result<SecretString, SecretError> {
        let text: SecretString = match &self.0 {
            Kept::InPlace(text) => text.clone(),
            Kept::Variable(name) => match env::var(name) {
                Ok(text) => text.into(),
                Err(env::VarError::NotPresent) => {
                    return Err(SecretError::VariableMissing(name.clone()));
                }
                Err(env::VarError::NotUnicode(_)) => {
                    return Err(SecretError::VariableNotText(name.clone()));
                }
            },
            Kept::File { path, credential } => {
                let path = existing(credential.as_deref()).unwrap_or(path);
                let text = fs::read_to_string(path)
                    .map_err(|error| SecretError::File(path.to_path_buf(), error))?;
                text.trim_end_matches(['\n', '\r']).into()
            }
        };
        if text.expose_secret().is_empty() {
            return Err(SecretError::Empty(self.whereabouts()));
        }
        Ok(text)
    }

    /// The file that holds the secret: when it changes, another attempt is
    /// worth while.
    pub fn watched_file(&self) -> Option<&Path> {
        match &self.0 {
            Kept::File { path, credential } => {
                Some(existing(credential.as_deref()).unwrap_or(path))
            }
            Kept::InPlace(_) | Kept::Variable(_) => None,
        }
    }

    /// True if the configuration holds the secret itself.
    pub fn is_in_place(&self) -> bool {
        matches!(self.0, Kept::InPlace(_))
    }

    fn whereabouts(&self) -> String {
        match &self.0 {
            Kept::InPlace(_) => "the text in quotes".to_owned(),
            Kept::Variable(name) => format!("environment variable {name}"),
            Kept::File { .. } => self
                .watched_file()
                .map_or_else(String::new, |path| format!("file {}", path.display())),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            return Self(Kept::Variable(name.to_owned()));
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = PathBuf::from(path);
            let credential = env::var_os("CREDENTIALS_DIRECTORY")
                .filter(|_| path.is_relative())
                .map(|directory| Path::new(&directory).join(&path));
            return Self(Kept::File { path, credential });
        }
        Self(Kept::InPlace(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::InPlace(_) => f.write_str("Secret([REDACTED])"),
            Kept::Variable(name) => write!(f, "Secret(env:{name})"),
            Kept::File { path, .. } => write!(f, "Secret(file:{})", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

/// Unlike the one of `String`, its errors do not quote the value.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::from(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Secret, E> {
        Err(unquoted())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
        Err(unquoted())
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Secret, E> {
        Err(unquoted())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
        Err(unquoted())
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Secret, E> {
        Err(unquoted())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
        Err(unquoted())
    }
}

/// What a secret looks like, for messages.
pub(super) const EXPECTED: &str = "text in quotes: the secret, \"env:NAME\" or \"file:PATH\"";

/// What is said of a secret that is a number; not the number.
pub(super) const UNQUOTED: &str = "is not in quotes";

fn unquoted<E: de::Error>() -> E {
    E::custom(UNQUOTED)
}

fn existing(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| path.exists())
}

/// Why a secret cannot be had. Says where it was looked for, not what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// `env:NAME`, and there is no such variable.
    #[error("environment variable {0} is not set")]
    VariableMissing(String),
    /// `env:NAME`, and its value is not UTF-8.
    #[error("environment variable {0} is not text")]
    VariableNotText(String),
    /// `file:PATH` cannot be read.
    #[error("cannot read {}: {}", .0.display(), plain(.1))]
    File(PathBuf, #[source] io::Error),
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
}

/// An IO error without the number that the system gave it.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_as_it_is() {
        let secret = Secret::from("hunter2 ".to_owned());
        assert!(secret.is_in_place());
        assert_eq!(secret.reveal().unwrap().expose_secret(), "hunter2 ");
        assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
    }

    #[test]
    fn a_file_is_read_each_time_without_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let secret = Secret::from(format!("file:{}", path.display()));
        assert_eq!(secret.watched_file(), Some(path.as_path()));
        assert_eq!(
            secret.reveal().unwrap_err().to_string(),
            format!("cannot read {}: No such file or directory", path.display())
        );
        for text in ["hunter2\r\n", "hunter3\n"] {
            fs::write(&path, text).unwrap();
            assert_eq!(secret.reveal().unwrap().expose_secret(), text.trim_end());
        }
        fs::write(&path, "\n").unwrap();
        assert_eq!(
            secret.reveal().unwrap_err().to_string(),
            format!("file {} is empty", path.display())
        );
    }

    #[test]
    fn a_missing_variable_is_named() {
        let secret = Secret::from("env:TELEMETRY_TEST_NO_SUCH_VARIABLE".to_owned());
        assert_eq!(
            secret.reveal().unwrap_err().to_string(),
            "environment variable TELEMETRY_TEST_NO_SUCH_VARIABLE is not set"
        );
    }
}
