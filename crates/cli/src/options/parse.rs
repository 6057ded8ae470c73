//! From `key[=val],…` to settings: the grammar of one `-X` argument.
//! Not clap's part of the command line, and not what the settings then do.
//!
//! A bad key or value is a message in words; whoever called decides how to show it (clap for the command line, an error with
//! the file's name for TOML).

use super::table::{Effect, Group, Key, Kind, Setting, Value};
use std::time::Duration;

/// Parses one argument of a group: keys separated by commas.
pub fn settings(group: &'static Group, argument: &str) -> Result<Vec<Setting>, String> {
    argument
        .split(',')
        .map(|part| match part.split_once('=') {
            Some((name, value)) => setting(group, name, Some(value)),
            None => setting(group, part, None),
        })
        .collect()
}

/// Parses one key and its value, if one was given, and refuses what Meantime does not do yet.
pub fn setting(group: &'static Group, name: &str, text: Option<&str>) -> Result<Setting, String> {
    if name.is_empty() {
        return Err(format!(
            "a key is missing; `-{} help` lists them",
            group.letter
        ));
    }
    let Some((key, prefix)) = group.find(name) else {
        return Err(unknown(group, name));
    };
    let value = match prefix {
        Some(prefix) => Value::Flag(name[prefix.len()..].to_string(), text.map(str::to_string)),
        None => value(key, text).map_err(|problem| format!("{}: {problem}", group.spell(name)))?,
    };
    refuse_later(group, key, &value)?;
    Ok(Setting { group, key, value })
}

/// The message for a key that is in no row of the group, with the nearest one that is.
fn unknown(group: &Group, name: &str) -> String {
    let message = format!(
        "unknown key `{name}`; `-{} help` lists those of this group",
        group.letter
    );
    let nearest = group
        .keys
        .iter()
        .map(|key| (distance(key.name, name), key.name))
        .min();
    match nearest {
        Some((distance, key)) if distance <= 1 + name.len() / 4 => {
            format!("{message} (did you mean `{key}`?)")
        }
        _ => message,
    }
}

/// How many letters must be added, dropped or changed to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Refuses keys, and values of keys, that this version does not do.
fn refuse_later(group: &Group, key: &Key, value: &Value) -> Result<(), String> {
    let spelled = || group.spell(key.name);
    match key.effect {
        Effect::On { later, .. } => match later.iter().find(|word| spells(value, word)) {
            None => Ok(()),
            Some(word) => Err(super::not_supported(&format!("{}={word}", spelled()))),
        },
        Effect::Later { harmless } => match harmless.iter().any(|word| spells(value, word)) {
            true => Ok(()),
            false => Err(super::not_supported(&spelled())),
        },
    }
}

/// Whether a value is the one that a table writes as `word`.
fn spells(value: &Value, word: &str) -> bool {
    match value {
        Value::Bool(on) => word == if *on { "y" } else { "n" },
        Value::Text(text) => word == text,
        Value::Int(n) => word.parse() == Ok(*n),
        Value::Duration(_) | Value::Flag(..) => false,
    }
}

/// Parses a key's value by the kind that its row gives.
fn value(key: &Key, text: Option<&str>) -> Result<Value, String> {
    let needed = || match text {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("a value is missing, as in `{}`", key.synopsis())),
    };
    Ok(match key.kind {
        Kind::Bool => Value::Bool(switch(text).ok_or_else(|| not_one_of("y, n", text))?),
        Kind::BoolOr(words) => match (switch(text), words.iter().find(|word| text == Some(**word)))
        {
            (Some(on), _) => Value::Bool(on),
            (None, Some(word)) => Value::Text(word.to_string()),
            (None, None) => return Err(not_one_of(&format!("y, n, {}", words.join(", ")), text)),
        },
        Kind::Int(max) => Value::Int(integer(needed()?, max)?),
        Kind::Choice(words) => {
            let text = needed()?;
            let word = words.iter().find(|word| **word == text);
            Value::Text(
                word.ok_or_else(|| not_one_of(&words.join(", "), Some(text)))?
                    .to_string(),
            )
        }
        Kind::Text(_) => Value::Text(needed()?.to_string()),
        Kind::Duration => Value::Duration(duration(needed()?)?),
        // `setting` takes flags apart before it comes here: their names are not in the table.
        Kind::Flag => Value::Flag(String::new(), text.map(str::to_string)),
    })
}

fn not_one_of(words: &str, text: Option<&str>) -> String {
    format!("`{}` is not one of {words}", text.unwrap_or_default())
}

fn switch(text: Option<&str>) -> Option<bool> {
    match text {
        None | Some("y" | "yes" | "true") => Some(true),
        Some("n" | "no" | "false") => Some(false),
        Some(_) => None,
    }
}

/// Parses a decimal or `0x` number, `_` ignored between digits, no larger than `max`.
fn integer(text: &str, max: u64) -> Result<u64, String> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let digits = digits.replace('_', "");
    // `from_str_radix` would take a sign, which no key does.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(format!("`{text}` is not a number"));
    }
    match u64::from_str_radix(&digits, radix) {
        Ok(n) if n <= max => Ok(n),
        _ => Err(format!("`{text}` is too large; the most is {max}")),
    }
}

/// Parses a span of time: a number, and a unit that is seconds when left out.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    let n = integer(&text[..text.len() - unit.len()], u64::MAX)?;
    match unit {
        "" | "s" => Ok(Duration::from_secs(n)),
        "ms" => Ok(Duration::from_millis(n)),
        "us" | "μs" => Ok(Duration::from_micros(n)),
        "ns" => Ok(Duration::from_nanos(n)),
        _ => Err(format!("`{unit}` is not one of the units s, ms, us, ns")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{CODEGEN, GROUPS, OPTIMIZE, WASM};

    fn one(group: &'static Group, argument: &str) -> Value {
        let mut settings = settings(group, argument).unwrap();
        assert_eq!(settings.len(), 1);
        settings.remove(0).value
    }

    #[test]
    fn values_by_kind() {
        assert_eq!(one(&OPTIMIZE, "memory-init-cow"), Value::Bool(true));
        assert_eq!(one(&OPTIMIZE, "memory-init-cow=no"), Value::Bool(false));
        assert_eq!(
            one(&OPTIMIZE, "memory-guard-size=0x1_0000"),
            Value::Int(65536)
        );
        assert_eq!(one(&OPTIMIZE, "memory-guard-size=1_000"), Value::Int(1000));
        assert_eq!(one(&OPTIMIZE, "opt-level=s"), Value::Text("s".into()));
        assert_eq!(
            one(&CODEGEN, "cranelift-has_avx"),
            Value::Flag("has_avx".into(), None)
        );
        let set = Value::Flag("opt_level".into(), Some("none".into()));
        assert_eq!(one(&CODEGEN, "cranelift-opt_level=none"), set);
        assert_eq!(
            one(&CODEGEN, "cranelift-debug-verifier=n"),
            Value::Bool(false)
        );
    }

    #[test]
    fn several_keys_in_one_argument() {
        let both = settings(&OPTIMIZE, "opt-level=0,memory-may-move=n").unwrap();
        let names: Vec<_> = both.iter().map(|setting| setting.key.name).collect();
        assert_eq!(names, ["opt-level", "memory-may-move"]);
    }

    #[test]
    fn bad_values_say_why() {
        let why = |argument: &str| settings(&OPTIMIZE, argument).unwrap_err();
        assert!(why("opt-level=9").contains("`9` is not one of 0, 1, 2, s"));
        assert!(why("opt-level").contains("a value is missing"));
        assert!(why("memory-guard-size=-1").contains("is not a number"));
        assert!(why("memory-guard-size=0x").contains("is not a number"));
        assert!(why("memory-guard-size=99999999999999999999").contains("too large"));
        assert!(why("memory-may-move=maybe").contains("is not one of y, n"));
        assert!(why("opt-levle=2").contains("did you mean `opt-level`"));
        assert!(why("").contains("a key is missing"));
    }

    #[test]
    fn later_keys_are_refused_by_name() {
        let why = settings(&WASM, "component-model-async").unwrap_err();
        assert_eq!(
            why,
            "-W component-model-async is not supported by this version of Meantime"
        );
        assert!(
            settings(&WASM, "component-model-async=n").is_ok(),
            "what is off may be turned off"
        );
        let why = settings(&CODEGEN, "collector=drc").unwrap_err();
        assert_eq!(
            why,
            "-C collector=drc is not supported by this version of Meantime"
        );
    }

    #[test]
    fn durations() {
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1_500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("7us"), Ok(Duration::from_micros(7)));
        assert_eq!(duration("7ns"), Ok(Duration::from_nanos(7)));
        assert!(duration("7h").is_err());
        assert!(duration("ms").is_err());
    }

    /// Each name and each word of a table can be given, so that help never lists what parsing would not know.
    #[test]
    fn every_row_can_be_spelled() {
        for group in GROUPS {
            for (index, key) in group.keys.iter().enumerate() {
                assert!(
                    group.keys[..index]
                        .iter()
                        .all(|other| other.name != key.name),
                    "{} twice",
                    key.name
                );
                assert!(!key.help.is_empty() && !key.name.contains([',', '=', ' ']));
                if !matches!(key.kind, Kind::Flag) {
                    assert!(std::ptr::eq(group.find(key.name).unwrap().0, key));
                }
                let words = match key.effect {
                    Effect::On { later, .. } => later,
                    Effect::Later { harmless } => harmless,
                };
                for word in words {
                    let value = value(key, Some(word)).unwrap();
                    assert!(
                        spells(&value, word),
                        "{}: `{word}` is no value of its kind",
                        key.name
                    );
                }
            }
        }
    }
}
