use std::future::Future;
use std::io;

/// A connected device: bytes out, notification chunks in.
///
/// Implemented by the Bluetooth adapter of this crate, by a serial line, by a
/// test. A transport needs no retries and no time limits; the
/// [`Client`](crate::Client) has them.
pub trait Transport: Send {
    /// Writes one request, cut into as many radio packets as it takes.
    ///
    /// Fails with `ErrorKind::TimedOut` if the bytes may have left, with any other
    /// kind if they have not.
    fn send(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// Waits for the next notification and yields its bytes.
    ///
    /// Must be cancel safe: dropping the future loses no chunk. Fails when the
    /// link is lost.
    fn recv(&mut self) -> impl Future<Output = io::Result<Vec<u8>>> + Send;
}

impl<T: Transport> Transport for &mut T {
    fn send(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        (**self).send(bytes)
    }

    fn recv(&mut self) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        (**self).recv()
    }
}
