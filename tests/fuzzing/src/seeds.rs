//! Noise that a number stands for, so that a test, or a report of a failure, can name it.
//!
//! Not a source of randomness: the same seed is the same bytes for ever. The generator is SplitMix64.

/// A sequence of numbers that look random.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Noise {
        Noise(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below a limit.
    ///
    /// # Panics
    ///
    /// When the limit is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// So many bytes of noise.
pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut noise = Noise::new(seed);
    let words = std::iter::from_fn(|| Some(noise.next().to_le_bytes()));
    words.flatten().take(len).collect()
}

/// How many bytes of noise to generate a module from: mostly some ten thousand, which makes some ten functions.
pub fn length(seed: u64) -> usize {
    let mut noise = Noise::new(!seed);
    1024 << noise.below(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_fixed() {
        assert_eq!(Noise::new(0).next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(bytes(0, 3), [0xaf, 0xcd, 0x1d]);
        assert_eq!(bytes(1, 100), bytes(1, 200)[..100]);
        assert_ne!(bytes(1, 8), bytes(2, 8));
        assert!((0..100).all(|seed| (1024..=32768).contains(&length(seed))));
    }
}
