//! Just enough of Rust's lexical grammar to tell code from comments and literals, so that the
//! checks do not stumble over a word in a string. Not a parser: it keeps every line and column
//! where it was and knows nothing else.

/// `text` with comments and the insides of string and character literals replaced by spaces.
pub(super) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let end = match bytes[i] {
            b'/' if bytes.get(i + 1) == Some(&b'/') => line_end(bytes, i),
            b'/' if bytes.get(i + 1) == Some(&b'*') => block_comment_end(bytes, i),
            b'"' => string_end(bytes, i + 1),
            b'r' if !follows_name(bytes, i, 1) => match raw_string_end(bytes, i) {
                Some(end) => end,
                None => {
                    i += 1;
                    continue;
                }
            },
            b'\'' => match char_end(bytes, i) {
                Some(end) => end,
                None => {
                    i += 1;
                    continue;
                }
            },
            _ => {
                i += 1;
                continue;
            }
        };
        for byte in &mut out[i..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        i = end;
    }
    // Whole characters were blanked or kept, because every delimiter is ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |length| from + length)
}

/// Block comments nest.
fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0;
    let mut i = from;
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

/// Whether the byte before `at` continues a name, not counting one prefix letter such as the `b` of
/// `br"…"`.
fn follows_name(bytes: &[u8], at: usize, prefix: usize) -> bool {
    let name = |i: usize| bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_';
    match at {
        0 => false,
        _ if !name(at - 1) => false,
        _ if prefix == 1 && matches!(bytes[at - 1], b'b' | b'c') => at > 1 && name(at - 2),
        _ => true,
    }
}

/// The end of `r"…"`, `r#"…"#` and so on, if one starts at `from`.
fn raw_string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let hashes = bytes[from + 1..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = from + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut i = open + 1;
    while i < bytes.len() {
        let closes = bytes[i] == b'"'
            && bytes[i + 1..]
                .iter()
                .take(hashes)
                .filter(|&&byte| byte == b'#')
                .count()
                == hashes;
        i += 1;
        if closes {
            return Some(i + hashes);
        }
    }
    Some(bytes.len())
}

/// The end of a character literal, or nothing when the quote begins a lifetime.
fn char_end(bytes: &[u8], from: usize) -> Option<usize> {
    match *bytes.get(from + 1)? {
        b'\\' => {
            let close = bytes[from + 3..].iter().position(|&byte| byte == b'\'')?;
            Some(from + 3 + close + 1)
        }
        first => {
            let length = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            (bytes.get(from + 1 + length) == Some(&b'\'')).then_some(from + length + 2)
        }
    }
}

/// The names in code: what an identifier could be.
pub(super) fn names(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        let text = "let a = \"unsafe { \\\" }\"; // unsafe {\nlet b: &'static str = r#\"\"todo!\"#; /* x /* y */ z */ 'c' '\\'' 'é' b'x';\nend";
        let code = code(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.lines().count(), 3);
        for gone in ["unsafe", "todo", "x", "y", "z", "é"] {
            assert!(!code.contains(gone), "{gone} is still in {code:?}");
        }
        for kept in ["let a =", "let b: &'static str =", "end"] {
            assert!(code.contains(kept), "{kept} is gone from {code:?}");
        }
    }

    #[test]
    fn raw_strings_and_names_that_end_in_r() {
        assert_eq!(
            names(&code("for x in var \"r\" br\"no\" r#\"no\"# yes")).collect::<Vec<_>>(),
            ["for", "x", "in", "var", "b", "yes"]
        );
    }
}
