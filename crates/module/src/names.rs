//! Names of functions, as the name section gives them.
//!
//! The one idea: all names are one string, so that a module with a hundred thousand of them is as quick to load as a module with one.
//! Names are for people: what is wrong with a name section is never an error.

use meantime_abi::FuncIndex;
use serde::{Deserialize, Serialize};
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// Names by index.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FuncNames {
    /// Which functions have names, ascending.
    #[serde(with = "crate::packed")]
    funcs: Vec<u32>,
    /// Where each name ends in `text`; it begins where the one before it ends.
    #[serde(with = "crate::packed")]
    ends: Vec<u32>,
    text: String,
}

impl FuncNames {
    /// From pairs in any order. Of several names for one function, the first counts.
    fn new(mut names: Vec<(u32, &str)>) -> FuncNames {
        names.sort_by_key(|(func, _)| *func);
        names.dedup_by_key(|(func, _)| *func);
        let mut all = FuncNames::default();
        for (func, name) in names {
            all.text.push_str(name);
            // The names are part of a module of less than 4 GiB.
            let Ok(end) = u32::try_from(all.text.len()) else {
                break;
            };
            all.funcs.push(func);
            all.ends.push(end);
        }
        all
    }

    /// The name of a function.
    pub(crate) fn get(&self, func: FuncIndex) -> Option<&str> {
        let at = self.funcs.binary_search(&func.as_u32()).ok()?;
        let start = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..*self.ends.get(at)? as usize)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.funcs.len()
    }
}

/// What a name section says of the module and its functions.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) module: Option<String>,
    pub(crate) funcs: FuncNames,
}

impl Names {
    /// Reads the contents of a name section, as far as it is well-formed. Functions at or beyond `func_count` are ignored.
    pub(crate) fn read(section: BinaryReader<'_>, func_count: usize) -> Names {
        let mut names = Names::default();
        let mut funcs = Vec::new();
        for part in NameSectionReader::new(section) {
            match part {
                Ok(Name::Module { name, .. }) => names.module = Some(name.to_owned()),
                Ok(Name::Function(map)) => {
                    // Not every producer sorts them, and they are sorted here anyway.
                    let known = map.names.map_while(Result::ok);
                    funcs.extend(
                        known
                            .filter(|naming| (naming.index as usize) < func_count)
                            .map(|naming| (naming.index, naming.name)),
                    );
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        names.funcs = FuncNames::new(funcs);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_index_in_whatever_order_they_come() {
        let names = FuncNames::new(vec![(9, "nine"), (2, ""), (5, "five"), (9, "again")]);
        let get = |i| names.get(FuncIndex::from_u32(i));
        assert_eq!(names.len(), 3);
        assert_eq!(
            (get(2), get(5), get(9)),
            (Some(""), Some("five"), Some("nine"))
        );
        assert_eq!((get(0), get(4), get(10)), (None, None, None));
    }
}
