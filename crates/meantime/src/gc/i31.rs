//! [`I31`]: an integer of 31 bits that fits into a reference.

/// A 31-bit integer (`i31`), signed or unsigned as it is read.
///
/// ```
/// use meantime::I31;
/// assert_eq!(I31::new_i32(-1).unwrap().get_u32(), 0x7fff_ffff);
/// assert!(I31::new_u32(0x8000_0000).is_none());
/// assert_eq!(I31::wrapping_u32(0x8000_0001).get_i32(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct I31(u32);

impl I31 {
    const MASK: u32 = u32::MAX >> 1;

    /// This unsigned number, when it fits.
    pub fn new_u32(value: u32) -> Option<I31> {
        (value <= Self::MASK).then_some(I31(value))
    }

    /// This signed number, when it fits.
    pub fn new_i32(value: i32) -> Option<I31> {
        let fits = (value << 1) >> 1 == value;
        fits.then(|| I31::wrapping_i32(value))
    }

    /// The lower 31 bits of this number.
    pub fn wrapping_u32(value: u32) -> I31 {
        I31(value & Self::MASK)
    }

    /// The lower 31 bits of this number.
    pub fn wrapping_i32(value: i32) -> I31 {
        I31::wrapping_u32(value as u32)
    }

    /// The number, unsigned.
    pub fn get_u32(&self) -> u32 {
        self.0
    }

    /// The number, signed.
    pub fn get_i32(&self) -> i32 {
        ((self.0 << 1) as i32) >> 1
    }

    /// As a reference: shifted left, with the lowest bit set.
    pub(crate) fn bits(self) -> u32 {
        self.0 << 1 | 1
    }

    /// From a reference that is one.
    pub(crate) fn from_bits(bits: u32) -> Option<I31> {
        (bits & 1 == 1).then_some(I31(bits >> 1))
    }
}
