//! Supervision of components.

use tokio_util::sync::CancellationToken;

/// How a component ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to.
    Stopped,
    /// Something failed that may work next time.
    Transient(String),
    /// The user has to do something first: what.
    LoginNeeded(String),
    /// The configuration is wrong.
    Fatal(String),
}

/// What every component gets from the supervisor.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of the component, such as `jbd garage` or `mqtt`.
    pub name: String,
    /// Cancelled when the component has to end.
    pub shutdown: CancellationToken,
}
