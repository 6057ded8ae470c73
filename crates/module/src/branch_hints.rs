//! Which branches are likely, as the section `metadata.code.branch_hint` says.
//!
//! The one idea: a hint is known by where its instruction is in the module, so that whoever translates that instruction, in whatever function,
//! finds it. Hints cannot change what a program does: what is wrong with such a section is never an error.

use crate::Module;
use meantime_abi::FuncIndex;
use serde::{Deserialize, Serialize};
use wasmparser::{BinaryReader, BranchHintSectionReader};

/// The section's name.
pub(crate) const SECTION: &str = "metadata.code.branch_hint";

/// Hints by the offset of their instruction in the module, ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BranchHints {
    #[serde(with = "crate::packed")]
    likely: Vec<u32>,
    #[serde(with = "crate::packed")]
    unlikely: Vec<u32>,
}

impl BranchHints {
    /// Reads the contents of such a section, as far as it is well-formed. The module has its bodies.
    pub(crate) fn read(section: BinaryReader<'_>, module: &Module) -> BranchHints {
        let mut hints = BranchHints::default();
        let Ok(functions) = BranchHintSectionReader::new(section) else {
            return hints;
        };
        for function in functions.into_iter().map_while(Result::ok) {
            if function.func as usize >= module.functions.len() {
                break;
            }
            let defined = module.defined_func(FuncIndex::from_u32(function.func));
            let Some(body) = defined.and_then(|index| module.bodies.get(index)) else {
                continue;
            };
            for hint in function.hints.into_iter().map_while(Result::ok) {
                let at = body.range.start.saturating_add(hint.func_offset);
                if !body.range.contains(&at) {
                    break;
                }
                match hint.taken {
                    true => hints.likely.push(at),
                    false => hints.unlikely.push(at),
                }
            }
        }
        hints.likely.sort_unstable();
        hints.unlikely.sort_unstable();
        hints
    }

    fn get(&self, offset: u32) -> Option<bool> {
        let is_in = |list: &[u32]| list.binary_search(&offset).is_ok();
        match (is_in(&self.likely), is_in(&self.unlikely)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

impl Module {
    /// Whether the condition of the branch at this offset in the module is likely or unlikely to hold, if the module says so.
    pub fn branch_hint(&self, offset: u32) -> Option<bool> {
        self.branch_hints.get(offset)
    }
}

#[cfg(all(test, feature = "wat"))]
mod tests {
    use crate::Module;
    use wasmparser::WasmFeatures;

    fn decode(bytes: &[u8]) -> Module {
        Module::decode(bytes, WasmFeatures::default(), false).expect("it is valid")
    }

    /// The hints of a module with one body, by offset from its start.
    fn hints(module: &Module) -> Vec<(u32, bool)> {
        let range = module
            .bodies()
            .values()
            .next()
            .expect("a body")
            .range
            .clone();
        let hint = |at| Some((at - range.start, module.branch_hint(at)?));
        range.clone().filter_map(hint).collect()
    }

    const TEXT: &str = r#"(module
        (import "" "f" (func))
        (func (param i32)
            (block (@metadata.code.branch_hint "\01") (br_if 0 (local.get 0)))
            (@metadata.code.branch_hint "\00") (if (local.get 0) (then))))"#;

    #[test]
    fn hints_are_at_their_instructions() {
        let bytes = wat::parse_str(TEXT).expect("the text parses");
        assert_eq!(hints(&decode(&bytes)), [(5, true), (10, false)]);
    }

    #[test]
    fn wrong_hints_are_no_errors() {
        let bytes = wat::parse_str(TEXT).expect("the text parses");
        let name = crate::branch_hints::SECTION.as_bytes();
        let at = bytes.windows(name.len()).position(|part| part == name);
        let start = at.expect("the section") + name.len();
        // The number of functions, a function, the number of its hints, and then offset, length and value of each.
        for (i, value) in [
            (0, 0),
            (0, 9),
            (1, 0),
            (1, 9),
            (2, 9),
            (3, 99),
            (4, 2),
            (5, 7),
        ] {
            let mut wrong = bytes.clone();
            wrong[start + i] = value;
            assert!(hints(&decode(&wrong)).len() <= 2);
        }
    }
}
