//! The names, numbers and header of a `.cwasm` file: what writing and loading it agree on.
//!
//! The file is an ELF object for the target, so that the usual tools can look at it: the code is `.text`, with a symbol for each piece.
//! Sections of our own hold the rest. `.meantime.info` begins with a magic number, the format's number and a checksum, and is checked
//! before anything else is looked at. Files are trusted, being code; checks are against accidents, and against what they would do: panics.

/// Changes whenever files of before cannot be read any more, and when what their code agrees on with the runtime (`meantime-abi`: how objects
/// lie, for instance) changes between two versions.
pub(crate) const FORMAT: u32 = 3;
/// What `.meantime.info` begins with.
pub(crate) const MAGIC: &[u8; 8] = b"meantime";
/// Bytes of its header: magic number, format, zero, checksum.
pub(crate) const INFO_HEADER: usize = 24;

/// In the place of the operating system in the ELF header, where it tells our files from others.
pub(crate) const ELF_OS_ABI: u8 = 211;
/// In the place of the target's flags, by kind of artifact.
pub(crate) const ELF_FLAG_MODULE: u32 = 1;
pub(crate) const ELF_FLAG_COMPONENT: u32 = 2;

/// The machine code.
pub(crate) const TEXT: &str = ".text";
/// What the artifact was made with.
pub(crate) const INFO: &str = ".meantime.info";
/// The module.
pub(crate) const MODULE: &str = ".meantime.module";
/// The table of functions.
pub(crate) const FUNCS: &str = ".meantime.funcs";
/// Which functions are the trampolines of each type.
pub(crate) const TRAMPOLINES: &str = ".meantime.trampolines";
/// The side tables.
pub(crate) const SIDE: &str = ".meantime.side";
/// Memory images, data segments and custom sections.
pub(crate) const DATA: &str = ".meantime.data";

/// The checksum of what loading relies on: all but the contents of the code, the side tables and the data, of which it has the sizes.
/// Finds accidents; hides nothing from an attacker.
pub(crate) fn checksum(parts: &[&[u8]], sizes: &[usize]) -> u64 {
    let mut sum = u64::from(FORMAT);
    for part in parts {
        sum = sum_of(sum, part);
    }
    for size in sizes {
        sum = mix(sum, *size as u64);
    }
    sum
}

/// Sums 32 bytes at a time, in four chains that a processor can follow at once.
fn sum_of(sum: u64, bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut chains = [1, 2, 3, 4].map(|i| mix(sum, i));
    let mut add = |block: &[u8; 32]| {
        for (chain, word) in chains.iter_mut().zip(block.as_chunks::<8>().0) {
            *chain = mix(*chain, u64::from_le_bytes(*word));
        }
    };
    blocks.iter().for_each(&mut add);
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    add(&last);
    let sum = chains.into_iter().reduce(mix).unwrap_or(sum);
    mix(sum, bytes.len() as u64)
}

fn mix(sum: u64, word: u64) -> u64 {
    let product = u128::from(sum ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    // Both halves, so that no bit of the word is lost; rotated, so that no two changes cancel.
    (product as u64 ^ (product >> 64) as u64)
        .rotate_left(29)
        .wrapping_add(0x2545_f491_4f6c_dd1d)
}

/// What kind of artifact bytes are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Precompiled {
    /// A compiled module.
    Module,
    /// A compiled component.
    Component,
}

/// Whether bytes are an artifact, by their first 64 bytes. Says nothing about whether it can be loaded.
pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
    let header = bytes.get(..64)?;
    if !header.starts_with(b"\x7fELF") || header[7] != ELF_OS_ABI {
        return None;
    }
    match u32::from_le_bytes([header[48], header[49], header[50], header[51]]) {
        ELF_FLAG_MODULE => Some(Precompiled::Module),
        ELF_FLAG_COMPONENT => Some(Precompiled::Component),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_every_size_counts() {
        let bytes: Vec<u8> = (0..100).collect();
        let sum = checksum(&[&bytes], &[7]);
        for i in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[i / 8] ^= 1 << (i % 8);
            assert_ne!(checksum(&[&changed], &[7]), sum);
        }
        assert_ne!(checksum(&[&bytes], &[8]), sum);
        assert_ne!(checksum(&[&bytes[..99]], &[7]), sum);
        assert_ne!(checksum(&[&bytes[..50], &bytes[50..]], &[7]), sum);
    }

    #[test]
    fn other_files_are_not_artifacts() {
        assert_eq!(detect_precompiled(b""), None);
        assert_eq!(detect_precompiled(b"\0asm\x01\0\0\0"), None);
        let mut elf = [0; 64];
        elf[..4].copy_from_slice(b"\x7fELF");
        assert_eq!(detect_precompiled(&elf), None);
        elf[7] = ELF_OS_ABI;
        assert_eq!(detect_precompiled(&elf), None);
        elf[48] = 2;
        assert_eq!(detect_precompiled(&elf), Some(Precompiled::Component));
        assert_eq!(detect_precompiled(&elf[..63]), None);
    }
}
