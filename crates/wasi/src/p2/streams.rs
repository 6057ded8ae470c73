//! The traits of byte streams: an object one polls for readiness and then reads or writes without
//! blocking.
//!
//! The one idea: `read`, `write`, `flush` and `check_write` never block; `ready` is the only thing
//! that waits. A caller that wants to block waits first and acts then, as the `blocking_*` methods
//! do.

use bytes::Bytes;
use std::error::Error;
use std::fmt;

/// How often a `blocking_*` method waits again for a stream that says it is ready and then has
/// nothing.
const MAX_BLOCKING_ATTEMPTS: u8 = 10;

/// Something whose readiness can be awaited, again and again.
#[crate::async_trait]
pub trait Pollable: Send + 'static {
    /// Resolves when the object is ready for its purpose. Failures show when it is then used.
    async fn ready(&mut self);
}

/// A stream that can be read.
#[crate::async_trait]
pub trait InputStream: Pollable {
    /// Reads at most `size` bytes without blocking. No bytes means that there are none now.
    ///
    /// # Errors
    ///
    /// [`StreamError::Closed`] at the end of the stream, the other variants when reading fails.
    fn read(&mut self, size: usize) -> StreamResult<Bytes>;

    /// Like [`read`](Self::read), but waits until there is at least one byte.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        for _ in 0..=MAX_BLOCKING_ATTEMPTS {
            self.ready().await;
            let bytes = self.read(size)?;
            if size == 0 || !bytes.is_empty() {
                return Ok(bytes);
            }
        }
        Err(StreamError::trap("max blocking attempts exceeded"))
    }

    /// Reads and drops at most `nelem` bytes without blocking, and says how many there were.
    fn skip(&mut self, nelem: usize) -> StreamResult<usize> {
        Ok(self.read(nelem)?.len())
    }

    /// Like [`skip`](Self::skip), but waits until there is at least one byte.
    async fn blocking_skip(&mut self, nelem: usize) -> StreamResult<usize> {
        Ok(self.blocking_read(nelem).await?.len())
    }

    /// Stops work that the stream does in the background, if it does any.
    async fn cancel(&mut self) {}
}

/// A stream that can be written.
#[crate::async_trait]
pub trait OutputStream: Pollable {
    /// Writes `bytes`, no more than [`check_write`](Self::check_write) last permitted, without
    /// blocking.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()>;

    /// Starts to pass on what the stream holds back. Until that is done `check_write` permits
    /// nothing.
    fn flush(&mut self) -> StreamResult<()>;

    /// How many bytes may be written now. Zero means that [`ready`](Pollable::ready) must be
    /// awaited first.
    fn check_write(&mut self) -> StreamResult<usize>;

    /// Writes all of `bytes` and flushes, waiting as often as needed.
    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let permit = self.write_ready().await?;
            let chunk = bytes.split_to(permit.min(bytes.len()));
            self.write(chunk)?;
        }
        // The bytes are out: that the stream closed behind them is no failure of this write.
        match self.flush() {
            Ok(()) | Err(StreamError::Closed) => {}
            Err(error) => return Err(error),
        }
        match self.write_ready().await {
            Ok(_) | Err(StreamError::Closed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes `nelem` zero bytes, no more than `check_write` permits.
    fn write_zeroes(&mut self, nelem: usize) -> StreamResult<()> {
        if nelem > self.check_write()? {
            return Err(StreamError::trap(
                "cannot write more zeroes than `check_write` allows",
            ));
        }
        self.write(Bytes::from(vec![0; nelem]))
    }

    /// Waits until something may be written, and says how much.
    async fn write_ready(&mut self) -> StreamResult<usize> {
        for _ in 0..=MAX_BLOCKING_ATTEMPTS {
            self.ready().await;
            let permit = self.check_write()?;
            if permit > 0 {
                return Ok(permit);
            }
        }
        Err(StreamError::trap("max blocking attempts exceeded"))
    }

    /// Stops work that the stream does in the background, if it does any.
    async fn cancel(&mut self) {}
}

#[crate::async_trait]
impl Pollable for Box<dyn InputStream> {
    async fn ready(&mut self) {
        (**self).ready().await;
    }
}

#[crate::async_trait]
impl Pollable for Box<dyn OutputStream> {
    async fn ready(&mut self) {
        (**self).ready().await;
    }
}

/// Any input stream.
pub type DynInputStream = Box<dyn InputStream>;

/// Any output stream.
pub type DynOutputStream = Box<dyn OutputStream>;

/// The result of using a stream.
pub type StreamResult<T> = Result<T, StreamError>;

/// Why a stream could not be used.
#[derive(Debug)]
pub enum StreamError {
    /// The stream is at its end, or nobody reads it any more.
    Closed,
    /// The last operation failed; the stream may work again.
    LastOperationFailed(meantime::Error),
    /// The host cannot go on: the guest traps.
    Trap(meantime::Error),
}

impl StreamError {
    /// A [`StreamError::Trap`] with a message.
    pub fn trap(msg: &str) -> StreamError {
        StreamError::Trap(meantime::Error::msg(msg.to_owned()))
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Closed => f.write_str("closed"),
            StreamError::LastOperationFailed(error) => write!(f, "last operation failed: {error}"),
            StreamError::Trap(error) => write!(f, "trap: {error}"),
        }
    }
}

impl Error for StreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StreamError::Closed => None,
            StreamError::LastOperationFailed(error) | StreamError::Trap(error) => error.source(),
        }
    }
}
