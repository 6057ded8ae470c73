//! Modules: valid ones whose programs end, and ones that are nearly valid.
//!
//! Not here: configurations of engines ([`crate::options`]). The one idea: what a module may contain is what Meantime supports, so that nearly
//! everything that is generated is also run.

use crate::canonical;
use crate::seeds::{self, Noise};
use arbitrary::{Result, Unstructured};
use wasm_encoder::{Encode, ExportKind};
use wasm_smith::{Config, InstructionKind, InstructionKinds, MemoryOffsetChoices, Module};

/// What a generated module is for, which decides what it may contain.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be compiled only.
    Compile,
    /// To be run. Memories may be as large as their types allow, and accesses anywhere.
    Run,
    /// To be run more than once, with results that can be compared: memories and tables are small enough to be compared, too.
    Compare,
    /// To be run by another engine as well: imports nothing, has no atomics, and makes canonical NaNs by itself.
    Exchange,
    /// The same for an engine that has objects and exceptions, too, but no limits of its own.
    Peer,
}

/// Loop iterations, calls and bytes of bulk instructions that a module has before it traps.
pub const FUEL: u32 = 1_000;
/// The exported global that counts them down.
pub const FUEL_EXPORT: &str = "fuel of all calls";

/// A valid module. If it is to be run, everything that it defines is exported and every call of it ends.
///
/// # Errors
///
/// When the bytes do not suffice.
pub fn module(u: &mut Unstructured<'_>, purpose: Purpose) -> Result<Vec<u8>> {
    let mut module = Module::new(config(u, purpose)?, u)?;
    if purpose == Purpose::Compile {
        return Ok(module.to_bytes());
    }
    let fuel = module.ensure_termination(FUEL);
    let fuel = fuel.expect("only bodies that were not generated cannot be bounded");
    let wasm = with_export(&module.to_bytes(), FUEL_EXPORT, fuel);
    Ok(match purpose {
        Purpose::Exchange | Purpose::Peer => canonical::conversions(&wasm),
        _ => wasm,
    })
}

/// A module that exports this global, too, if it exports anything.
fn with_export(wasm: &[u8], name: &str, global: u32) -> Vec<u8> {
    const EXPORTS: u8 = 7;
    let (mut out, mut rest) = (wasm[..8].to_vec(), &wasm[8..]);
    while let Some((id, mut after)) = rest.split_first() {
        let len = leb(&mut after) as usize;
        let (mut content, after) = after.split_at(len);
        if *id == EXPORTS {
            let mut section = Vec::new();
            (leb(&mut content) + 1).encode(&mut section);
            name.encode(&mut section);
            ExportKind::Global.encode(&mut section);
            global.encode(&mut section);
            section.extend(content);
            out.push(EXPORTS);
            section.encode(&mut out);
        } else {
            out.extend(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    out
}

/// Reads a number of 32 bits from a valid module.
fn leb(bytes: &mut &[u8]) -> u32 {
    let len = 1 + bytes.iter().take_while(|byte| **byte >= 0x80).count();
    let (number, rest) = bytes.split_at(len);
    *bytes = rest;
    let bits = number.iter().rev();
    bits.fold(0, |all, byte| all << 7 | u32::from(byte & 0x7f))
}

/// What wasm-smith may use.
fn config(u: &mut Unstructured<'_>, purpose: Purpose) -> Result<Config> {
    let wasmi = purpose == Purpose::Exchange;
    let peer = purpose == Purpose::Peer;
    let foreign = wasmi || peer;
    let small = foreign || purpose == Purpose::Compare || u.ratio(3, 4)?;
    let mut config = Config {
        // Wasmi has neither.
        gc_enabled: !wasmi && u.ratio(1, 2)?,
        exceptions_enabled: !wasmi && u.ratio(1, 2)?,
        // Not supported.
        compact_imports_enabled: false,
        custom_descriptors_enabled: false,
        custom_page_sizes_enabled: false,
        shared_everything_threads_enabled: false,
        acquire_release_atomics_enabled: false,
        max_tags: if wasmi { 0 } else { 5 },
        // Programs rather than scraps of everything.
        min_funcs: 3,
        max_funcs: u.int_in_range(3..=20)?,
        max_instructions: u.int_in_range(10..=400)?,
        max_imports: if foreign { 0 } else { u.int_in_range(0..=8)? },
        // Enough that one of them is of functions.
        min_types: 5,
        max_types: u.int_in_range(5..=20)?,
        max_globals: u.int_in_range(0..=10)?,
        max_memories: u.int_in_range(0..=4)?,
        max_tables: u.int_in_range(0..=4)?,
        export_everything: purpose != Purpose::Compile,
        generate_custom_sections: u.ratio(1, 8)?,
        min_uleb_size: if u.ratio(1, 8)? { 5 } else { 1 },
        // Features.
        memory64_enabled: u.arbitrary()?,
        simd_enabled: u.ratio(3, 4)?,
        tail_call_enabled: u.ratio(3, 4)?,
        threads_enabled: !foreign && u.ratio(1, 4)?,
        wide_arithmetic_enabled: !peer && u.arbitrary()?,
        memory_max_size_required: peer,
        table_max_size_required: peer,
        canonicalize_nans: foreign,
        // A program that traps at once does nothing else.
        disallow_traps: u.ratio(2, 3)?,
        ..Config::default()
    };
    config.relaxed_simd_enabled = config.simd_enabled && !foreign && u.arbitrary()?;
    if u.ratio(1, 4)? {
        config.memory_offset_choices = MemoryOffsetChoices(50, 30, 20);
    }
    if small {
        config.max_memory32_bytes = 1 << 20;
        config.max_memory64_bytes = 1 << 20;
        config.max_table_elements = 1_000;
    }
    if u.ratio(3, 4)? {
        config.allowed_instructions = some_kinds(u)?;
    }
    Ok(config)
}

/// A part of the instructions, so that those that are left meet each other more often.
fn some_kinds(u: &mut Unstructured<'_>) -> Result<InstructionKinds> {
    use InstructionKind::*;
    let mut kinds = vec![NumericInt];
    if u.ratio(3, 4)? {
        kinds.push(Control);
    }
    for kind in [
        Numeric, Vector, Reference, Parametric, Variable, Table, Memory,
    ] {
        if u.arbitrary()? {
            kinds.push(kind);
        }
    }
    Ok(InstructionKinds::new(&kinds))
}

/// A module for [`Purpose::Compile`], every fourth as it is, the others with up to eight bytes changed, inserted or cut off; now and then, noise
/// behind a module's header.
pub fn nearly_a_module(seed: u64) -> Vec<u8> {
    let noise = seeds::bytes(seed, seeds::length(seed));
    let mut choices = Noise::new(seed ^ 0x6d65_616e_7469_6d65);
    let mut wasm = match module(&mut Unstructured::new(&noise), Purpose::Compile) {
        Ok(wasm) if choices.below(16) > 0 => wasm,
        _ => [b"\0asm\x01\0\0\0", &noise[..]].concat(),
    };
    let changes = match seed % 4 {
        0 => 0,
        _ => choices.below(9),
    };
    for _ in 0..changes {
        let at = choices.below(wasm.len());
        match choices.below(16) {
            0 => wasm.truncate(at + 1),
            1 => wasm.insert(at, choices.next() as u8),
            2 => drop(wasm.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x0f])),
            3 => wasm[at] ^= 0x80,
            4 => wasm[at] = wasm[at].wrapping_add(1),
            _ => wasm[at] = choices.next() as u8,
        }
    }
    wasm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_modules_are_valid_and_export_what_runs() {
        let engine = meantime::Engine::default();
        for purpose in [Purpose::Compile, Purpose::Run, Purpose::Compare] {
            let mut generated = 0;
            for seed in 0..100 {
                let noise = seeds::bytes(seed, 2048);
                // Some noise makes nothing: the generator may give up.
                let Ok(wasm) = module(&mut Unstructured::new(&noise), purpose) else {
                    continue;
                };
                generated += 1;
                match meantime::Module::validate(&engine, &wasm) {
                    Ok(()) => {}
                    Err(e) => assert!(crate::run::may_refuse(&e), "seed {seed}: {e:?}"),
                }
            }
            assert!(generated >= 80, "{purpose:?}: only {generated} of 100");
        }
    }

    #[test]
    fn nearly_modules_are_fixed_and_of_both_kinds() {
        let engine = meantime::Engine::default();
        let valid = (0..200).filter(|&seed| {
            let wasm = nearly_a_module(seed);
            assert_eq!(wasm, nearly_a_module(seed));
            meantime::Module::validate(&engine, &wasm).is_ok()
        });
        assert!((20..180).contains(&valid.count()));
    }
}
