//! What is kept of a module whose code is made while it runs: optimized functions, as they are before they have an address, and a profile.
//!
//! The one idea: functions stand in the order in which they were made. Code calls directly only what was made before it, and itself, so they can be
//! published in that order.

use crate::profile::Profile;
use meantime_abi::{CompiledFunction, DefinedFuncIndex, FuncIndex, Relocation, RelocationKind};

/// What a process leaves for the next.
pub(crate) struct Warm {
    pub functions: Vec<(DefinedFuncIndex, CompiledFunction)>,
    pub profile: Profile,
}

impl Warm {
    pub fn encode<'a>(
        functions: impl ExactSizeIterator<Item = &'a (DefinedFuncIndex, CompiledFunction)>,
        profile: &Profile,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        put_len(&mut out, functions.len());
        for (func, compiled) in functions {
            put(&mut out, func.as_u32());
            put(&mut out, compiled.align);
            put_bytes(&mut out, &compiled.code);
            put_bytes(&mut out, &compiled.side_table);
            put_len(&mut out, compiled.relocations.len());
            for relocation in &compiled.relocations {
                put(&mut out, relocation.offset);
                put(&mut out, kind_number(relocation.kind));
                put(&mut out, relocation.target.as_u32());
                out.extend_from_slice(&relocation.addend.to_le_bytes());
            }
        }
        put_bytes(&mut out, profile.to_text().as_bytes());
        out
    }

    /// None when the bytes are something else, by mistake.
    pub fn decode(bytes: &[u8]) -> Option<Warm> {
        let mut reader = Reader(bytes);
        let count = reader.number()?;
        let mut functions = Vec::new();
        for _ in 0..count {
            let func = DefinedFuncIndex::from_u32(reader.number()?);
            let align = reader.number()?;
            let code = reader.bytes()?.to_vec();
            let side_table = reader.bytes()?.to_vec();
            let relocations = (0..reader.number()?).map(|_| reader.relocation());
            let relocations = relocations.collect::<Option<_>>()?;
            let compiled = CompiledFunction {
                code,
                align,
                relocations,
                side_table,
            };
            functions.push((func, compiled));
        }
        let text = std::str::from_utf8(reader.bytes()?).ok()?;
        let profile = Profile::from_text(text).ok()?;
        reader.0.is_empty().then_some(Warm { functions, profile })
    }
}

fn put(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    // Code of a module is less than 2 GiB.
    put(out, len as u32);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

const KINDS: [RelocationKind; 2] = [RelocationKind::X86Pc32, RelocationKind::Aarch64Branch26];

fn kind_number(kind: RelocationKind) -> u32 {
    match kind {
        RelocationKind::X86Pc32 => 0,
        RelocationKind::Aarch64Branch26 => 1,
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn relocation(&mut self) -> Option<Relocation> {
        let offset = self.number()?;
        let kind = *KINDS.get(self.number()? as usize)?;
        let target = FuncIndex::from_u32(self.number()?);
        let (addend, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Relocation {
            offset,
            kind,
            target,
            addend: i64::from_le_bytes(*addend),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_written_is_read() {
        let relocation = Relocation {
            offset: 3,
            kind: RelocationKind::Aarch64Branch26,
            target: FuncIndex::from_u32(9),
            addend: -4,
        };
        let compiled = CompiledFunction {
            code: vec![1, 2, 3, 4, 5, 6, 7, 8],
            align: 16,
            relocations: vec![relocation],
            side_table: vec![9, 9],
        };
        let functions = [
            (DefinedFuncIndex::from_u32(5), compiled.clone()),
            (DefinedFuncIndex::from_u32(4), compiled),
        ];
        let profile = Profile::new(b"", BTreeMap::from([(5, 77)]), BTreeMap::new());
        let bytes = Warm::encode(functions.iter(), &profile);
        let warm = Warm::decode(&bytes).unwrap();
        assert_eq!(warm.functions, functions);
        assert_eq!(warm.profile, profile);
        for len in 0..bytes.len() {
            assert!(Warm::decode(&bytes[..len]).is_none());
        }
    }
}
