//! PEM files that the configuration names.

use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates in the file that the key `name` leads to, or what is wrong
/// with it.
pub(super) fn certificates(
    name: &str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(name, path, &error))?;
    match all.is_empty() {
        true => Err(format!(
            "{name} {}: no certificate in PEM form in it",
            path.display()
        )),
        false => Ok(all),
    }
}

/// The private key in it.
pub(super) fn key(name: &str, path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(name, path, &error))
}

fn unreadable(name: &str, path: &Path, error: &Error) -> String {
    let path = path.display();
    match error {
        Error::Io(error) => format!("{name} {path}: {error}"),
        Error::NoItemsFound => format!("{name} {path}: no key in PEM form in it"),
        _ => format!("{name} {path}: damaged PEM file"),
    }
}
