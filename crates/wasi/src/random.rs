//! The sources of random bytes of a context.
//!
//! Nothing is seeded or read before a guest asks.

use crate::sys;
use rand_core::{Rng, TryRng};
use std::convert::Infallible;

/// The most bytes one `random_get` may ask for unless [`WasiCtxBuilder::max_random_size`] says
/// otherwise: 64 MiB.
///
/// [`WasiCtxBuilder::max_random_size`]: crate::WasiCtxBuilder::max_random_size
pub const DEFAULT_MAX_SIZE: u64 = 64 << 20;

/// The random sources of a context.
pub struct WasiRandomCtx {
    secure: Box<dyn Rng + Send>,
    insecure: Option<Box<dyn Rng + Send>>,
    insecure_seed: Option<u128>,
    pub(crate) max_size: u64,
}

impl Default for WasiRandomCtx {
    fn default() -> Self {
        WasiRandomCtx {
            secure: Box::new(HostRandom),
            insecure: None,
            insecure_seed: None,
            max_size: DEFAULT_MAX_SIZE,
        }
    }
}

impl WasiRandomCtx {
    /// The source behind `random_get`: unpredictable unless the embedder replaced it.
    pub fn secure(&mut self) -> &mut (dyn Rng + Send) {
        &mut *self.secure
    }

    /// The source for callers that need speed, not secrecy. Made on first use.
    pub fn insecure(&mut self) -> &mut (dyn Rng + Send) {
        let seed = self.insecure_seed() as u64;
        &mut **self
            .insecure
            .get_or_insert_with(|| Box::new(SplitMix64(seed)))
    }

    /// A seed for hash functions and the like; the same at each call.
    pub fn insecure_seed(&mut self) -> u128 {
        let secure = &mut self.secure;
        *self.insecure_seed.get_or_insert_with(|| {
            let (high, low) = (secure.next_u64(), secure.next_u64());
            u128::from(high) << 64 | u128::from(low)
        })
    }

    pub(crate) fn set_secure(&mut self, source: Box<dyn Rng + Send>) {
        self.secure = source;
    }

    pub(crate) fn set_insecure(&mut self, source: Box<dyn Rng + Send>) {
        self.insecure = Some(source);
    }

    pub(crate) fn set_insecure_seed(&mut self, seed: u128) {
        self.insecure_seed = Some(seed);
    }
}

/// The operating system's generator, asked anew each time: no state that could be copied or leaked.
struct HostRandom;

impl TryRng for HostRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        sys::fill_random(bytes);
        Ok(())
    }
}

/// Steele, Lea and Flood's SplitMix64: eight bytes of state, no secrecy.
struct SplitMix64(u64);

impl TryRng for SplitMix64 {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that repeats the bytes it was given, for runs that must be the same each time.
pub struct Deterministic {
    bytes: Vec<u8>,
    next: usize,
}

impl Deterministic {
    /// A source of `bytes`, over and over.
    ///
    /// # Panics
    ///
    /// If `bytes` is empty.
    pub fn new(bytes: Vec<u8>) -> Self {
        assert!(
            !bytes.is_empty(),
            "a deterministic random source needs at least one byte to repeat"
        );
        Deterministic { bytes, next: 0 }
    }

    fn next_byte(&mut self) -> u8 {
        let byte = self.bytes[self.next];
        self.next = (self.next + 1) % self.bytes.len();
        byte
    }
}

impl TryRng for Deterministic {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(std::array::from_fn(|_| {
            self.next_byte()
        })))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(std::array::from_fn(|_| {
            self.next_byte()
        })))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.next_byte();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deterministic_repeats_across_calls() {
        let mut source = Deterministic::new(vec![1, 2, 3]);
        assert_eq!(source.next_u32(), 0x01020301);
        let mut bytes = [0; 4];
        source.fill_bytes(&mut bytes);
        assert_eq!(bytes, [2, 3, 1, 2]);
    }

    #[test]
    fn the_insecure_seed_stays_and_the_stream_moves() {
        let mut ctx = WasiRandomCtx::default();
        assert_eq!(ctx.insecure_seed(), ctx.insecure_seed());
        assert_ne!(ctx.insecure().next_u64(), ctx.insecure().next_u64());
        ctx.set_insecure_seed(5);
        assert_eq!(ctx.insecure_seed(), 5);
    }
}
