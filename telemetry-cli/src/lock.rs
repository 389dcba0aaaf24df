//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. A task that panicked while it held the lock is restarted by
/// the supervisor, and what it left behind is complete: nothing behind these
/// locks is changed in more than one step that could fail.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
