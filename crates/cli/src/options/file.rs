//! The options' TOML file (`--config FILE`): a table for each group, with the keys of the command line.
//! What a value means is the command line's business: each is turned into the text that one would type there.

use super::table::{Group, Kind, Setting};
use super::{GROUPS, parse};
use crate::report::Usage;
use meantime::Result;
use meantime::error::Context;
use std::path::Path;

/// Reads the settings of a file, in the order of its groups.
pub fn read(path: &Path) -> Result<Vec<Setting>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read options from `{}`", path.display()))?;
    parse(&text)
        .map_err(|problem| Usage(format!("in options file `{}`: {problem}", path.display())).into())
}

/// Parses the text of a file.
fn parse(text: &str) -> Result<Vec<Setting>, String> {
    let file: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string())?;
    let mut settings = Vec::new();
    for (name, table) in &file {
        let Some(group) = GROUPS.iter().find(|group| group.name == name) else {
            let names: Vec<_> = GROUPS
                .iter()
                .map(|group| format!("[{}]", group.name))
                .collect();
            return Err(format!(
                "unknown table [{name}]; there are {}",
                names.join(", ")
            ));
        };
        let Some(table) = table.as_table() else {
            return Err(format!("`{name}` should be a table, as in [{name}]"));
        };
        for (key, value) in table {
            for text in
                texts(value).ok_or_else(|| format!("[{name}] {key}: such a value fits no key"))?
            {
                settings.push(setting(group, key, &text)?);
            }
        }
    }
    Ok(settings)
}

/// What one would type for a value; several for an array, whose elements are given one after the other.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    Some(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(n) => vec![n.to_string()],
        toml::Value::Boolean(on) => vec![on.to_string()],
        toml::Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(texts).collect();
            texts?.into_iter().flatten().collect()
        }
        _ => return None,
    })
}

fn setting(group: &'static Group, name: &str, text: &str) -> Result<Setting, String> {
    let problem = |problem| format!("[{}] {problem}", group.name);
    match group.find(name) {
        Some((key, _)) if key.command_line_only => Err(problem(format!(
            "{name} can only be given on the command line"
        ))),
        // A bare flag on the command line is a flag set to true here.
        Some((key, _)) if matches!(key.kind, Kind::Flag) && text == "true" => {
            parse::setting(group, name, None).map_err(problem)
        }
        _ => parse::setting(group, name, Some(text)).map_err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::table::Value;

    #[test]
    fn all_kinds_of_values() {
        let settings = parse(
            "[optimize]\nopt-level = 0\nmemory-init-cow = false\nmemory-guard-size = \"0x1000\"\n\
             [codegen]\ncranelift-has_avx = true\ncranelift-opt_level = \"none\"\n\
             [wasm]\nmax-memory-size = 1_000",
        )
        .unwrap();
        let find = |name: &str| {
            let of_name = |setting: &&Setting| setting.key.name == name;
            settings
                .iter()
                .filter(of_name)
                .map(|setting| setting.value.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(find("opt-level"), [Value::Text("0".into())]);
        assert_eq!(find("memory-init-cow"), [Value::Bool(false)]);
        assert_eq!(find("memory-guard-size"), [Value::Int(4096)]);
        assert_eq!(find("max-memory-size"), [Value::Int(1000)]);
        let flags = [
            Value::Flag("has_avx".into(), None),
            Value::Flag("opt_level".into(), Some("none".into())),
        ];
        assert_eq!(find("cranelift-"), flags);
    }

    #[test]
    fn problems_name_table_and_key() {
        let why = |text: &str| parse(text).unwrap_err();
        assert!(why("[optimise]").contains("unknown table [optimise]"));
        assert!(why("optimize = 1").contains("should be a table"));
        assert!(why("[optimize]\nspeed = 3").contains("[optimize] unknown key `speed`"));
        assert!(why("[optimize]\nopt-level = 1.5").contains("opt-level: such a value fits no key"));
        assert!(why("[wasm]\nwmemcheck = true").contains("-W wmemcheck is not supported"));
        assert!(why("[wasi]\nconfig-var = \"a=b\"").contains("only be given on the command line"));
        assert!(why("[optimize\n").contains("line 1"));
    }
}
