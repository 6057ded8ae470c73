//! [`Profile`]: what was seen of a module while it ran, which outlives the process.
//!
//! A profile is a text, so that people can read and compare it. Its first line names the format and its version, the second the module by the SHA-256 of
//! its bytes, the last has the SHA-256 of all lines before. In between, in rising order:
//!
//! | line | meaning |
//! |---|---|
//! | `func INDEX COST` | the function of this index was called; its code of the first tier cost about so many nanoseconds |
//! | `call OFFSET CALLS INDEX COUNT INDEX COUNT ...` | the call through a reference whose opcode is at this offset of the module's bytes was made about so often, and mostly called these functions (at most four), each about so often |
//!
//! The one idea: a profile can only make code faster or slower. What it says is a guess that code checks, so it may be wrong, but it is never used with a
//! module that it is not of.

use crate::{Engine, Module, Result, bail, format_err};
use meantime_abi::{CallProfile, FuncIndex};
use meantime_optimize::MostlyCalled;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The first line.
const FORMAT: &str = "meantime-profile 2";

/// What was seen of a module while it ran: which functions were called and what they cost, and what calls through references called. Meantime's own.
///
/// [`Module::profile`] makes one, [`Engine::precompile_module_with_profile`] compiles a module better for it.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let wasm = r#"(module (func (export "run")))"#;
/// let module = Module::new(&engine, wasm)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// let text = module.profile().expect("code was made while it ran").to_text();
/// let profile = Profile::from_text(&text)?;
/// let code = engine.precompile_module_with_profile(wasm.as_bytes(), &profile)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    module: [u8; 32],
    /// What functions that were called cost, by index.
    functions: BTreeMap<u32, u64>,
    /// What calls through references called, by offset.
    calls: BTreeMap<u32, Calls>,
}

/// What a call called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Calls {
    /// About how often it was made.
    pub calls: u32,
    /// About how often it called the functions that it called most: these first.
    pub callees: Vec<(FuncIndex, u32)>,
}

impl Calls {
    /// How often a call must have been made to be compiled for what it called.
    const LEAST: u32 = 16;
    /// A function that was called by fewer than one in so many is not tested for.
    const RARE: u32 = 8;

    /// What the call is worth being compiled for: functions that together were called by most calls, each by a good part of them. Most called first.
    pub fn mostly(&self) -> impl Iterator<Item = FuncIndex> {
        let often = self
            .callees
            .iter()
            .filter(|c| c.1 > self.calls / Calls::RARE);
        let together: u64 = often.clone().map(|c| u64::from(c.1)).sum();
        let enough = self.calls >= Calls::LEAST && together >= u64::from(self.calls) * 5 / 8;
        often.filter(move |_| enough).map(|c| c.0)
    }
}

/// What the optimizer is told of a call.
pub(crate) fn mostly_called(calls: &Calls, module: &meantime_module::Module) -> MostlyCalled {
    let defined = calls.mostly().filter_map(|func| module.defined_func(func));
    // Files say what they like.
    defined
        .filter(|func| module.bodies().get(*func).is_some())
        .collect()
}

impl Profile {
    pub(crate) fn new(
        wasm: &[u8],
        functions: BTreeMap<u32, u64>,
        calls: BTreeMap<u32, Calls>,
    ) -> Profile {
        Profile {
            module: hash(wasm),
            functions,
            calls,
        }
    }

    /// Whether it is a profile of the module with these bytes, in the binary format.
    pub fn is_of(&self, wasm: &[u8]) -> bool {
        hash(wasm) == self.module
    }

    /// Adds what was seen of the same module at another time.
    pub(crate) fn add(&mut self, other: &Profile) {
        for (&func, &cost) in &other.functions {
            let known = self.functions.entry(func).or_default();
            *known = (*known).max(cost);
        }
        for (&offset, seen) in &other.calls {
            match self.calls.get_mut(&offset) {
                Some(known) if known.calls >= seen.calls => {}
                Some(known) => known.clone_from(seen),
                None => drop(self.calls.insert(offset, seen.clone())),
            }
        }
    }

    /// Whether a function was called.
    pub(crate) fn called(&self, func: FuncIndex) -> bool {
        self.functions.contains_key(&func.as_u32())
    }

    /// What the call whose opcode is at this offset mostly calls.
    pub(crate) fn mostly_called(
        &self,
        module: &meantime_module::Module,
        offset: u32,
    ) -> MostlyCalled {
        let calls = self.calls.get(&offset);
        calls.map_or_else(MostlyCalled::new, |calls| mostly_called(calls, module))
    }

    /// Its text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FORMAT}\nmodule {}\n", hex(&self.module));
        // Writing to a string does not fail.
        for (func, cost) in &self.functions {
            let _ = writeln!(text, "func {func} {cost}");
        }
        for (offset, seen) in &self.calls {
            let _ = write!(text, "call {offset} {}", seen.calls);
            for (callee, count) in &seen.callees {
                let _ = write!(text, " {} {count}", callee.as_u32());
            }
            text.push('\n');
        }
        let end = hex(&hash(text.as_bytes()));
        let _ = writeln!(text, "end {end}");
        text
    }

    /// A profile from its text.
    ///
    /// # Errors
    ///
    /// When the text is something else, of another version, or was changed or cut off.
    pub fn from_text(text: &str) -> Result<Profile> {
        let Some(rest) = text.strip_prefix("meantime-profile ") else {
            bail!("this is not a profile");
        };
        if !text.starts_with(&format!("{FORMAT}\n")) {
            let version = rest.lines().next().unwrap_or_default();
            bail!(
                "this profile is of version {version:?} of the format, which this version of Meantime cannot read"
            );
        }
        let damaged = || format_err!("this profile is damaged");
        let end = text.rfind("end ").ok_or_else(damaged)?;
        if text[end..] != format!("end {}\n", hex(&hash(&text.as_bytes()[..end]))) {
            return Err(damaged());
        }
        let mut profile = Profile {
            module: [0; 32],
            functions: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        let mut lines = text[..end].lines().skip(1);
        let module = lines.next().and_then(|line| line.strip_prefix("module "));
        profile.module = module.and_then(unhex).ok_or_else(damaged)?;
        for line in lines {
            profile.line(line).ok_or_else(damaged)?;
        }
        Ok(profile)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        match words.next()? {
            "func" => {
                let func = words.next()?.parse().ok()?;
                self.functions.insert(func, words.next()?.parse().ok()?);
            }
            "call" => {
                let offset = words.next()?.parse().ok()?;
                let calls = words.next()?.parse().ok()?;
                let mut callees = Vec::new();
                while let Some(callee) = words.next() {
                    // The largest number is no index.
                    let callee = callee.parse().ok().filter(|i| *i != u32::MAX)?;
                    let count = words.next()?.parse().ok()?;
                    callees.push((FuncIndex::from_u32(callee), count));
                }
                if callees.len() > CallProfile::CALLEES {
                    return None;
                }
                self.calls.insert(offset, Calls { calls, callees });
            }
            _ => return None,
        }
        words.next().is_none().then_some(())
    }
}

pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

impl Module {
    /// What was seen of the module so far, in all its instances. None for a module whose code was made ahead of time. Meantime's own.
    pub fn profile(&self) -> Option<Profile> {
        Some(self.tiers()?.profile(self.code()))
    }
}

impl Engine {
    /// Compiles a module as [`Engine::precompile_module`] does, for what a profile says of it: calls through references are compiled for what they called
    /// mostly, and what was never reached is laid out of the way. Meantime's own.
    ///
    /// # Errors
    ///
    /// As for [`Engine::precompile_module`], and when the profile is of another module.
    pub fn precompile_module_with_profile(
        &self,
        bytes: &[u8],
        profile: &Profile,
    ) -> Result<Vec<u8>> {
        Module::precompile(self, bytes, Some(profile))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Profile {
        let seen = Calls {
            calls: 1000,
            callees: vec![(FuncIndex::from_u32(7), 700), (FuncIndex::from_u32(3), 299)],
        };
        Profile::new(
            b"some bytes",
            BTreeMap::from([(3, 0), (7, 123_456_789_012)]),
            BTreeMap::from([(99, seen)]),
        )
    }

    #[test]
    fn a_text_says_everything() {
        let text = some().to_text();
        assert_eq!(Profile::from_text(&text).unwrap(), some());
        assert!(text.contains("\nfunc 7 123456789012\ncall 99 1000 7 700 3 299\nend "));
        assert!(some().is_of(b"some bytes") && !some().is_of(b"other bytes"));
    }

    #[test]
    fn every_change_is_noticed() {
        let text = some().to_text();
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Profile::from_text(&changed).is_err(), "{changed}");
            assert!(Profile::from_text(&text[..i]).is_err());
        }
        assert!(Profile::from_text(&format!("{text}func 1 1\n")).is_err());
        let newer = text.replace("profile 2", "profile 3");
        let error = Profile::from_text(&newer).unwrap_err();
        assert!(error.to_string().contains("version \"3\""), "{error}");
    }

    #[test]
    fn numbers_that_are_no_index_are_no_panic() {
        let with = |callee: u32| {
            let lines = format!(
                "{FORMAT}\nmodule {}\ncall 9 1000 {callee} 1000\n",
                "0".repeat(64)
            );
            let end = hex(&hash(lines.as_bytes()));
            Profile::from_text(&format!("{lines}end {end}\n"))
        };
        assert!(with(u32::MAX).is_err());
        let profile = with(u32::MAX - 1).unwrap();
        let features = meantime_module::WasmFeatures::all();
        let module = meantime_module::Module::decode(b"\0asm\x01\0\0\0", features, false);
        let module = module.unwrap();
        assert!(profile.mostly_called(&module, 9).is_empty());
    }

    #[test]
    fn calls_that_go_everywhere_are_no_guess() {
        let of = |calls, counts: &[u32]| -> Vec<u32> {
            let indices = (0..).map(FuncIndex::from_u32);
            let callees = indices.zip(counts.iter().copied()).collect();
            let calls = Calls { calls, callees };
            calls.mostly().map(FuncIndex::as_u32).collect()
        };
        assert_eq!(of(16, &[10]), [0]);
        assert_eq!(of(1000, &[625, 100, 100]), [0]);
        assert_eq!(of(1000, &[500, 200, 100]), [0, 1]);
        assert_eq!(of(1000, &[250, 250, 250, 250]), [0, 1, 2, 3]);
        assert_eq!(of(u32::MAX, &[u32::MAX, u32::MAX]), [0, 1]);
        let none: [u32; 0] = [];
        assert_eq!(of(15, &[15]), none);
        assert_eq!(of(1000, &[624]), none);
        assert_eq!(of(1000, &[400, 100, 100, 100]), none);
        assert_eq!(of(0, &[]), none);
    }

    #[test]
    fn calls_of_too_many_functions_are_damage() {
        let with = |callees: &str| {
            let lines = format!("{FORMAT}\nmodule {}\ncall 9 100{callees}\n", "0".repeat(64));
            let end = hex(&hash(lines.as_bytes()));
            Profile::from_text(&format!("{lines}end {end}\n"))
        };
        assert!(with("").is_ok() && with(" 1 2 3 4 5 6 7 8").is_ok());
        assert!(with(" 1 2 3 4 5 6 7 8 9 10").is_err() && with(" 1").is_err());
    }
}
