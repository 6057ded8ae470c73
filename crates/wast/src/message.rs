//! Does an error say what a script expects?
//!
//! Not whether it is an error of the right kind (that is `directive`). The one idea: the specification's own
//! harness compares prefixes, because a message may go on with particulars. Here an error may say the
//! expected words anywhere, since it also tells where it comes from, and `EQUIVALENTS` lists where the
//! libraries that parse and validate put the same thing in other words.

/// The kind of assertion that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assertion {
    /// `assert_trap` and `assert_exhaustion`.
    Trap,
    /// `assert_unlinkable`.
    Unlinkable,
    /// `assert_invalid` and `assert_malformed`. Not told apart, because the libraries draw the line between
    /// decoding and validation in other places than the specification.
    Rejected,
}

/// Does `actual` say what a script expects with `expected`?
pub(crate) fn matches(assertion: Assertion, expected: &str, actual: &str) -> bool {
    actual.contains(expected)
        || EQUIVALENTS.iter().any(|(kind, prefix, wordings)| {
            *kind == assertion
                && expected.starts_with(prefix)
                && wordings.iter().any(|wording| actual.contains(wording))
        })
}

use Assertion::{Rejected, Trap};

/// Where errors put it in other words than scripts do: the kind of assertion, how the script's message
/// begins, and what an error may say instead.
#[rustfmt::skip]
const EQUIVALENTS: &[(Assertion, &str, &[&str])] = &[
    // Traps do not say which element, nor of which type a null is.
    (Trap, "uninitialized element", &["uninitialized element"]),
    (Trap, "null array reference", &["null reference"]),
    (Trap, "null function reference", &["null reference"]),
    (Trap, "null i31 reference", &["null reference"]),
    (Trap, "null structure reference", &["null reference"]),

    // The same in other words.
    (Rejected, "data count and data section have inconsistent lengths", &["data count is non-zero but data section is absent"]),
    (Rejected, "function and code section have inconsistent lengths", &[
        "function section is absent but code section has non-zero count",
        "function section has non-zero count but code section is absent",
    ]),
    (Rejected, "illegal opcode ff", &["illegal opcode: 0xff"]),
    (Rejected, "immutable array", &["array is immutable"]),
    (Rejected, "immutable field", &["field is immutable"]),
    (Rejected, "immutable global", &["global is immutable"]),
    (Rejected, "invalid UTF-8 encoding", &["malformed UTF-8 encoding"]),
    (Rejected, "invalid lane index", &["SIMD index out of bounds"]),
    (Rejected, "invalid mutability", &["malformed global flags", SHARED_GLOBAL, END]),
    (Rejected, "malformed mutability", &["malformed global flags", SHARED_GLOBAL]),
    (Rejected, "invalid section id", &["malformed section id"]),
    (Rejected, "malformed import kind", &["for external kind", END]),
    (Rejected, "malformed limits flags", &["resizable limits flags", "memory limits flags", END]),
    (Rejected, "malformed memop flags", &["malformed memop", "invalid memop alignment"]),
    (Rejected, "memory size must be at most 65536 pages (4GiB)", &["memory size must be at most 0x10000 65536-byte pages"]),
    (Rejected, "type mismatch: instruction requires", &["type mismatch: expected"]),
    (Rejected, "zero flag expected", &["zero byte expected", TRAILING, "unknown table 1"]),

    // A number that is too large for its field is told by the field.
    (Rejected, "i32 constant", &["invalid var_u32: integer too large"]),
    (Rejected, "i64 constant out of range", &["constant out of range"]),
    (Rejected, "memory size must be at most", &["invalid var_u32: integer"]),
    (Rejected, "offset out of range", &["invalid var_u32: integer too large"]),

    // A number with too many bytes or bits, when the decoder stops reading it where it must end and takes the
    // rest for what comes next.
    (Rejected, "integer representation too long", &[END, TRAILING, "malformed section id", "limits flags", "invalid leading byte"]),
    (Rejected, "integer too large", &[END, TRAILING, "malformed section id", "limits flags"]),

    // Sections and bodies that end early or late, depending on what is looked at first.
    (Rejected, "END opcode expected", &[OPEN_FRAMES]),
    (Rejected, "illegal opcode", &[END, "constant expression required"]),
    (Rejected, "invalid value type", &[END]),
    (Rejected, "junk after last section", &["section out of order"]),
    (Rejected, "length out of bounds", &[END, "expected section, got wasm magic number"]),
    (Rejected, "malformed elements segment kind", &[END]),
    (Rejected, "malformed section id", &[END]),
    (Rejected, "multiple start sections", &["section out of order"]),
    (Rejected, "section size mismatch", &[OPEN_FRAMES]),
    (Rejected, "unexpected content after last section", &["section out of order", "function and code section have inconsistent lengths"]),
    (Rejected, "unexpected end", &[END, OPEN_FRAMES, "branch depth too large"]),

    // Text. The specification's lexer makes one token of whatever stands without space between it, and its
    // parser says where that fits nowhere; ours says what would have fit there.
    (Rejected, "empty annotation id", &["invalid character in string"]),
    (Rejected, "empty identifier", &["invalid character in string"]),
    (Rejected, "i8 constant out of range", &["malformed lane index", "constant out of range"]),
    (Rejected, "illegal character", &["unexpected character"]),
    (Rejected, "invalid lane length", TOKENS),
    (Rejected, "malformed lane index", TOKENS),
    (Rejected, "unclosed string", &[END]),
    (Rejected, "unexpected token", TOKENS),
    (Rejected, "unknown operator", TOKENS),
    (Rejected, "wrong number of lane indices", TOKENS),
    (Rejected, "wrong number of lane literals", TOKENS),
];

const END: &str = "unexpected end-of-file";
const OPEN_FRAMES: &str = "control frames remain at end of function body";
const SHARED_GLOBAL: &str = "shared globals require the shared-everything-threads proposal";
const TRAILING: &str = "trailing bytes at end of section";

/// What a parser says of a token where another should be.
const TOKENS: &[&str] = &[
    "unknown operator or unexpected token",
    "unexpected token, expected",
    "expected a float",
    "expected a i8",
    "expected a i16",
    "expected a i32",
    "expected a i64",
    "expected a u8",
    "expected a lane index",
    "expected an instruction",
    "expected valid module field",
    "expected `(`",
    "constant out of range",
    "extra tokens remaining after parse",
    "legacy_exceptions feature required",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_may_say_more() {
        let actual = "wasm trap: integer divide by zero";
        assert!(matches(Trap, "integer divide by zero", actual));
        assert!(!matches(Trap, "integer overflow", actual));
    }

    #[test]
    fn an_error_may_say_it_in_other_words_for_its_assertion_only() {
        let actual = "global is immutable: cannot modify it with `global.set`";
        assert!(matches(Rejected, "immutable global", actual));
        assert!(!matches(Assertion::Unlinkable, "immutable global", actual));
        assert!(!matches(Rejected, "unknown global", actual));
    }

    #[test]
    fn equivalents_are_listed_once_and_say_something_else() {
        for (i, (kind, prefix, wordings)) in EQUIVALENTS.iter().enumerate() {
            assert!(!prefix.is_empty() && !wordings.is_empty(), "{prefix}");
            let again = EQUIVALENTS[i + 1..]
                .iter()
                .any(|(other_kind, other, _)| (other_kind, other) == (kind, prefix));
            assert!(!again, "{prefix} is listed twice");
        }
    }
}
