/// There is no randomness; nothing may be sent that needs some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness to be had")]
pub struct NoEntropy;

/// Where the random bytes of keys and frames come from: the operating system, a
/// microcontroller's generator, or fixed bytes in a test.
pub trait Entropy: Send {
    /// Fills the whole slice with bytes that nobody can guess.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] if that is not possible. What would need them is not sent.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

impl<F: FnMut(&mut [u8]) -> Result<(), NoEntropy> + Send> Entropy for F {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self(bytes)
    }
}

/// The operating system's randomness.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

#[cfg(feature = "std")]
impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}
