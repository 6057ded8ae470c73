//! [`ExnType`]: the types of exceptions, of which there are none yet.

use super::{FieldType, TagType, ValType};
use crate::Engine;
use crate::error::{Result, bail};
use std::convert::Infallible;
use std::fmt;

/// The type of an exception: what exceptions with a tag of some type carry.
///
/// This version of Meantime has no exceptions, so there is no value of this type and making one is an error.
///
/// ```
/// use meantime::{Engine, ExnType, ValType};
///
/// assert!(ExnType::new(&Engine::default(), [ValType::I32]).is_err());
/// ```
#[derive(Clone, Debug, Hash)]
pub struct ExnType {
    never: Infallible,
}

impl ExnType {
    /// The type of exceptions that carry these values.
    ///
    /// # Errors
    ///
    /// Always: exceptions are not supported yet.
    pub fn new(_engine: &Engine, _fields: impl IntoIterator<Item = ValType>) -> Result<ExnType> {
        bail!("exception types are not supported by this version of Meantime")
    }

    /// The type of exceptions with a tag of this type.
    ///
    /// # Errors
    ///
    /// Always: exceptions are not supported yet.
    pub fn from_tag_type(_tag: &TagType) -> Result<ExnType> {
        bail!("exception types are not supported by this version of Meantime")
    }

    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        match self.never {}
    }

    /// The type of the tag.
    pub fn tag_type(&self) -> TagType {
        match self.never {}
    }

    /// One of the values that it carries.
    pub fn field(&self, _i: usize) -> Option<FieldType> {
        match self.never {}
    }

    /// The values that it carries.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.no_fields()
    }

    fn no_fields(&self) -> std::iter::Empty<FieldType> {
        match self.never {}
    }

    /// Whether this is the other type.
    pub fn matches(&self, _other: &ExnType) -> bool {
        match self.never {}
    }
}

impl fmt::Display for ExnType {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never {}
    }
}
