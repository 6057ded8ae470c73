//! [`Error`] itself, and the walk over its causes.
//!
//! Not here: what kinds of layers there are (`layer`), and how context gets on (`context`).

use super::bridge;
use super::layer::{Boxed, Foreign, Layer, Message, WithContext};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;

/// What went wrong, with its causes and a backtrace.
///
/// Any error of the standard library's kind becomes one with `?`; [`format_err!`](crate::format_err) and
/// [`bail!`](crate::bail) make one from a message; [`Context`](super::Context) adds context.
///
/// # Printing
///
/// `{}` prints the outermost message, `{:#}` all messages on one line, `{:?}` all of them as a list, followed by the
/// stack backtrace if one was captured: that is when `RUST_LIB_BACKTRACE=1` or `RUST_BACKTRACE=1` is set.
///
/// ```
/// use meantime::{Result, error::Context};
///
/// fn port(text: &str) -> Result<u16> {
///     text.parse::<u16>().with_context(|| format!("`{text}` is not a port"))
/// }
///
/// let error = port("http").unwrap_err();
/// assert_eq!(error.to_string(), "`http` is not a port");
/// assert_eq!(format!("{error:#}"), "`http` is not a port: invalid digit found in string");
/// assert!(error.is::<std::num::ParseIntError>());
/// ```
#[repr(transparent)]
pub struct Error(Box<Inner>);

// A `Result<()>` travels in a register.
const _: () = assert!(size_of::<Result<(), Error>>() == size_of::<usize>());

struct Inner {
    layer: Box<dyn Layer>,
    /// Where the innermost layer was made. Moves outward when context is added.
    backtrace: Backtrace,
}

impl Error {
    /// Wraps an error.
    #[cold]
    #[track_caller]
    pub fn new<E>(error: E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Error::from_layer(Box::new(Foreign(error)), Backtrace::capture())
    }

    /// Makes an error from anything that can be printed.
    ///
    /// ```
    /// let error = meantime::Error::msg("no such table");
    /// assert_eq!(error.downcast_ref::<&str>(), Some(&"no such table"));
    /// ```
    #[cold]
    #[track_caller]
    pub fn msg<M>(message: M) -> Self
    where
        M: fmt::Debug + fmt::Display + Send + Sync + 'static,
    {
        Error::from_layer(Box::new(Message(message)), Backtrace::capture())
    }

    /// Wraps an error whose type is not known.
    ///
    /// It can be had back by downcasting to `Box<dyn std::error::Error + Send + Sync>`, not to the type inside.
    #[cold]
    #[track_caller]
    pub fn from_boxed(error: Box<dyn std::error::Error + Send + Sync + 'static>) -> Self {
        Error::from_layer(Box::new(Boxed(error)), Backtrace::capture())
    }

    pub(super) fn from_layer(layer: Box<dyn Layer>, backtrace: Backtrace) -> Error {
        Error(Box::new(Inner { layer, backtrace }))
    }

    pub(super) fn into_layer(self) -> Box<dyn Layer> {
        self.0.layer
    }

    /// Adds context: what was being done when this went wrong.
    ///
    /// ```
    /// let error = meantime::Error::msg("no such file").context("reading the configuration");
    /// assert_eq!(error.to_string(), "reading the configuration");
    /// assert_eq!(error.root_cause().to_string(), "no such file");
    /// ```
    #[cold]
    pub fn context<C>(mut self, context: C) -> Self
    where
        C: fmt::Display + Send + Sync + 'static,
    {
        let backtrace = std::mem::replace(&mut self.0.backtrace, Backtrace::disabled());
        let layer = WithContext {
            context,
            source: Some(self),
        };
        Error::from_layer(Box::new(layer), backtrace)
    }

    /// The stack of the thread when the error was made; disabled unless the environment asks for backtraces.
    pub fn backtrace(&self) -> &Backtrace {
        &self.0.backtrace
    }

    /// This error and its causes, outermost first.
    pub fn chain(&self) -> Chain<'_> {
        let outermost: &(dyn std::error::Error + 'static) = self.0.layer.as_error();
        Chain {
            next: Some(outermost),
        }
    }

    /// The last of [`Error::chain`].
    pub fn root_cause(&self) -> &(dyn std::error::Error + 'static) {
        self.chain().last().unwrap_or(self.0.layer.as_error())
    }

    /// This error and those that context was added to, outermost first.
    fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        std::iter::successors(Some(self), |e| e.0.layer.inner()).map(|e| &*e.0.layer)
    }

    /// Whether the error, or a piece of context, is of type `E`.
    pub fn is<E>(&self) -> bool
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.downcast_ref::<E>().is_some()
    }

    /// The value of type `E` that the error is or has as context.
    ///
    /// # Errors
    ///
    /// The error itself, when it has none.
    ///
    /// ```
    /// let error = meantime::Error::msg("full").context(String::from("writing"));
    /// let error = error.downcast::<u8>().unwrap_err();
    /// assert_eq!(error.downcast::<String>().unwrap(), "writing");
    /// ```
    pub fn downcast<E>(self) -> Result<E, Self>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let Some(layers_outside) = self.layers().position(|l| find::<E>(l).is_some()) else {
            return Err(self);
        };
        let mut layer = self.into_layer();
        for _ in 0..layers_outside {
            let inner = layer.move_out(&mut ());
            layer = inner.expect("counted above").into_layer();
        }
        let mut found: Option<E> = None;
        match layer.value().is::<E>() {
            true => drop(layer.move_out(&mut found)),
            false => found = bridge::move_out(layer),
        }
        Ok(found.expect("this layer holds it"))
    }

    /// As [`Error::downcast`], by reference.
    pub fn downcast_ref<E>(&self) -> Option<&E>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.layers().find_map(find)
    }

    /// As [`Error::downcast`], by reference.
    pub fn downcast_mut<E>(&mut self) -> Option<&mut E>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let mut error = self;
        while find::<E>(&*error.0.layer).is_none() {
            error = error.0.layer.inner_mut()?;
        }
        let layer = &mut error.0.layer;
        match layer.value().is::<E>() {
            true => layer.value_mut().downcast_mut(),
            false => bridge::find_mut(layer.value_mut()),
        }
    }

    /// The error as the standard library's type for any error.
    pub fn into_boxed_dyn_error(self) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self.into_layer().into_error()
    }
}

/// The value of a layer, or of what another library's error in it holds, when it is of this type.
fn find<E>(layer: &dyn Layer) -> Option<&E>
where
    E: fmt::Display + fmt::Debug + Send + Sync + 'static,
{
    let value = layer.value();
    value.downcast_ref().or_else(|| bridge::find(value))
}

impl<E> From<E> for Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    #[cold]
    #[track_caller]
    fn from(error: E) -> Self {
        Error::new(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.chain();
        if let Some(outermost) = chain.next() {
            write!(f, "{outermost}")?;
        }
        if f.alternate() {
            for cause in chain {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let mut f = f.debug_struct("Error");
            f.field("error", &self.0.layer.as_error());
            if let Some(source) = self.0.layer.inner() {
                f.field("source", source);
            }
            return f.finish();
        }
        write!(f, "{self}")?;
        let causes = self.chain().count() - 1;
        if causes > 0 {
            f.write_str("\n\nCaused by:\n")?;
        }
        for (i, cause) in self.chain().skip(1).enumerate() {
            match causes {
                1 => writeln!(f, "    {cause}")?,
                _ => writeln!(f, "{i: >5}: {cause}")?,
            }
        }
        if self.backtrace().status() == BacktraceStatus::Captured {
            write!(f, "\nStack backtrace:\n{}", self.backtrace())?;
        }
        Ok(())
    }
}

impl std::ops::Deref for Error {
    type Target = dyn std::error::Error + Send + Sync + 'static;

    fn deref(&self) -> &Self::Target {
        self.0.layer.as_error()
    }
}

impl AsRef<dyn std::error::Error + Send + Sync> for Error {
    fn as_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self.0.layer.as_error()
    }
}

impl AsRef<dyn std::error::Error> for Error {
    fn as_ref(&self) -> &(dyn std::error::Error + 'static) {
        self.0.layer.as_error()
    }
}

impl From<Error> for Box<dyn std::error::Error + Send + Sync + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}

impl From<Error> for Box<dyn std::error::Error + Send + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}

impl From<Error> for Box<dyn std::error::Error + 'static> {
    fn from(error: Error) -> Self {
        error.into_boxed_dyn_error()
    }
}

/// The errors of an [`Error::chain`].
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    next: Option<&'a (dyn std::error::Error + 'static)>,
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn std::error::Error + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.next?;
        self.next = error.source();
        Some(error)
    }
}

impl std::iter::FusedIterator for Chain<'_> {}
