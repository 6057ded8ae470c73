//! Decisions read from a fuzzer's bytes, one byte for most of them; when the bytes are used up, each is the first possibility.

use arbitrary::Unstructured;

/// Decisions that are still to be made.
#[derive(Debug)]
pub struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    /// From these bytes.
    pub fn new(u: Unstructured<'a>) -> Choices<'a> {
        Choices(u)
    }

    /// The bytes that are left.
    pub fn rest(self) -> Unstructured<'a> {
        self.0
    }

    /// Whether bytes are left.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// A number below a limit that is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.int_in_range(0..=limit - 1).unwrap_or(0)
    }

    /// True once in so many.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of them.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }
}
