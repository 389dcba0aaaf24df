//! Where the login of an account is kept.

use std::path::Path;

use bimmer::token::{StoreLock, Storing};
use bimmer::{FileTokenStore, MemoryTokenStore, Token, TokenStore};

use secrecy::ExposeSecret as _;

use super::kubernetes::KubernetesTokenStore;
use super::{BmwError, account};
use crate::config::{Bmw, BmwTokenStore};

/// One of the places that the SDK does not choose between.
#[derive(Debug)]
pub enum Tokens {
    /// Forgotten at the end.
    Memory(MemoryTokenStore),
    /// A private file.
    File(FileTokenStore),
    /// A Secret of the cluster.
    Kubernetes(KubernetesTokenStore),
}

impl Tokens {
    /// Forgotten at the end.
    pub fn memory() -> Self {
        Self::Memory(MemoryTokenStore::default())
    }

    /// The one that `config` asks for.
    ///
    /// # Errors
    /// If there is no cluster, or no directory.
    pub fn open(config: &Bmw, state_dir: Option<&Path>) -> Result<Self, BmwError> {
        match (config.token_store, state_dir) {
            (BmwTokenStore::Kubernetes, _) => {
                let name = format!("{}-connect-api-token", config.account());
                let store = KubernetesTokenStore::of_environment(&config.namespace, &name);
                let store = store.map_err(BmwError::Configuration)?;
                Ok(Self::Kubernetes(store))
            }
            (BmwTokenStore::File, Some(directory)) => {
                let file = account::file(config, directory, "token")?;
                Ok(Self::File(FileTokenStore::new(file)))
            }
            (BmwTokenStore::File, None) => match &config.refresh_token {
                None => Ok(Self::memory()),
                Some(token) => {
                    let token = token.reveal()?.expose_secret().to_owned();
                    let token = Token::from_refresh_token(token);
                    Ok(Self::Memory(MemoryTokenStore::with(token)))
                }
            },
        }
    }

    fn store(&self) -> &dyn TokenStore {
        match self {
            Self::Memory(store) => store,
            Self::File(store) => store,
            Self::Kubernetes(store) => store,
        }
    }
}

impl TokenStore for Tokens {
    fn load(&self) -> Storing<'_, Option<Token>> {
        self.store().load()
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        self.store().save(token)
    }

    fn clear(&self) -> Storing<'_, ()> {
        self.store().clear()
    }

    fn lock(&self) -> Storing<'_, Option<StoreLock>> {
        self.store().lock()
    }
}
