//! What `-X help` and `-X help-long` print: the rows of one group's table.
//! Not the help of the command line as a whole, which is clap's.

use super::table::{Effect, Group, Key, Kind};

/// One line for each key, or with `long` also its default and whether this version does it.
pub fn text(group: &Group, long: bool) -> String {
    let mut text = format!(
        "{} (-{} / --{}):\n\n",
        group.about, group.letter, group.name
    );
    let (now, later): (Vec<&Key>, Vec<&Key>) =
        group.keys.iter().partition(|key| key.is_supported());
    for key in &now {
        row(&mut text, group, key, long);
    }
    if !later.is_empty() {
        text.push_str(if now.is_empty() { "" } else { "\n" });
        text.push_str("Known, but not supported by this version of Meantime:\n\n");
    }
    for key in &later {
        row(&mut text, group, key, long);
    }
    if !long {
        text.push_str(&format!(
            "\n`-{} help-long` says more about each.\n",
            group.letter
        ));
    }
    text
}

fn row(text: &mut String, group: &Group, key: &Key, long: bool) {
    let synopsis = format!("-{} {}", group.letter, key.synopsis());
    if !long {
        text.push_str(&format!("  {synopsis:<44} {}\n", key.help));
        return;
    }
    text.push_str(&format!(
        "  {synopsis}\n      {}\n      Default: {}\n",
        key.help, key.default
    ));
    if let Kind::Int(_) = key.kind {
        text.push_str("      N is decimal or 0x hexadecimal; `_` may separate digits.\n");
    }
    match key.effect {
        Effect::On { later: [], .. } | Effect::Later { harmless: [] } => {}
        Effect::On { later, .. } => {
            text.push_str(&format!("      Not supported yet: {}\n", later.join(", ")))
        }
        Effect::Later { harmless } => text.push_str(&format!(
            "      Accepted already: {}\n",
            harmless.join(", ")
        )),
    }
    text.push('\n');
}
