//! `format_err!`, `bail!` and `ensure!`, and what their expansions call.
//!
//! The one idea: `format_err!(value)` must keep an error an error and make a message of everything else, without
//! specialization. A method call tries its receiver by value before it tries a reference to it, so the constructors for
//! errors are implemented for the error type and that for messages for a reference to the message's type.

pub use core::format_args;
pub use core::result::Result::Err;

use super::Error;
use std::fmt;

/// Makes an [`Error`](crate::Error): from a format string and its arguments, from an error, or from any value that
/// can be printed.
///
/// ```
/// use meantime::format_err;
///
/// let size = 5;
/// assert_eq!(format_err!("{size} pages").to_string(), "5 pages");
/// assert_eq!(format_err!("{} pages", size + 1).to_string(), "6 pages");
/// assert!(format_err!(std::fmt::Error).is::<std::fmt::Error>());
/// assert!(format_err!(String::from("no")).is::<String>());
/// ```
#[macro_export]
macro_rules! format_err {
    ($message:literal $(,)?) => {
        $crate::error::Error::from_format_args($crate::error::macros::format_args!($message))
    };
    ($message:literal, $($args:tt)*) => {
        $crate::error::Error::from_format_args($crate::error::macros::format_args!($message, $($args)*))
    };
    ($error:expr $(,)?) => {{
        use $crate::error::macros::constructor::*;
        let error = $error;
        (&error).meantime_error_constructor()(error)
    }};
}

/// Returns early with an error: `return Err(format_err!(…))`.
///
/// ```
/// fn half(n: u32) -> meantime::Result<u32> {
///     if n % 2 != 0 {
///         meantime::bail!("{n} is odd");
///     }
///     Ok(n / 2)
/// }
/// assert_eq!(half(3).unwrap_err().to_string(), "3 is odd");
/// ```
#[macro_export]
macro_rules! bail {
    ($($args:tt)*) => {
        return $crate::error::macros::Err($crate::format_err!($($args)*))
    };
}

/// Returns early with an error unless a condition holds. Without a message, the condition itself is the message.
///
/// ```
/// fn half(n: u32) -> meantime::Result<u32> {
///     meantime::ensure!(n % 2 == 0, "{n} is odd");
///     Ok(n / 2)
/// }
/// assert_eq!(half(4).unwrap(), 2);
/// assert_eq!(half(3).unwrap_err().to_string(), "3 is odd");
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        $crate::ensure!($condition, concat!("Condition failed: `", stringify!($condition), "`"))
    };
    ($condition:expr, $($args:tt)*) => {
        if $crate::error::macros::is_false($condition) {
            $crate::bail!($($args)*);
        }
    };
}

/// [`format_err!`](crate::format_err) by its name in the `anyhow` library.
#[macro_export]
#[doc(hidden)]
#[deprecated = "Use `format_err!(...)` instead"]
macro_rules! anyhow {
    ($($args:tt)*) => {
        $crate::format_err!($($args)*)
    };
}

/// What `format_err!` chooses from.
pub mod constructor {
    use crate::Error;
    use std::fmt;

    pub use super::super::bridge::constructor::*;

    /// Chosen for errors.
    pub trait ForError<E> {
        /// How to make the error.
        fn meantime_error_constructor(&self) -> fn(E) -> Error;
    }

    impl<E: std::error::Error + Send + Sync + 'static> ForError<E> for E {
        fn meantime_error_constructor(&self) -> fn(E) -> Error {
            Error::new
        }
    }

    /// Chosen for everything else that can be printed.
    pub trait ForMessage<M> {
        /// How to make the error.
        fn meantime_error_constructor(&self) -> fn(M) -> Error;
    }

    impl<M: fmt::Debug + fmt::Display + Send + Sync + 'static> ForMessage<M> for &M {
        fn meantime_error_constructor(&self) -> fn(M) -> Error {
            Error::msg
        }
    }
}

/// A `bool` or a reference to one, which is what `ensure!` takes.
pub trait Condition {
    /// Its value.
    fn holds(self) -> bool;
}

impl Condition for bool {
    fn holds(self) -> bool {
        self
    }
}

impl Condition for &bool {
    fn holds(self) -> bool {
        *self
    }
}

/// Whether a condition does not hold.
#[inline]
pub fn is_false(condition: impl Condition) -> bool {
    !condition.holds()
}

impl Error {
    /// Makes an error of a formatted message; what `format_err!` calls.
    #[doc(hidden)]
    #[cold]
    #[track_caller]
    pub fn from_format_args(args: fmt::Arguments<'_>) -> Self {
        match args.as_str() {
            Some(message) => Error::msg(message),
            None => Error::msg(args.to_string()),
        }
    }
}
