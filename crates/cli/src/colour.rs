//! Whether to use colours, and the few that there are.
//! Only terminals get them, and not where `NO_COLOR` is set (<https://no-color.org>) or the terminal is `dumb`.

use std::io::IsTerminal;

/// A style: what to print before and after. Both are empty where there is no colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style(pub &'static str, pub &'static str);

/// The styles in use.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// For the word that says that something failed.
    pub error: Style,
    /// For headings and names.
    pub name: Style,
    /// For addresses and bytes.
    pub dim: Style,
    /// For notes beside the main thing.
    pub note: Style,
}

/// No colours at all.
pub const PLAIN: Palette = Palette {
    error: Style("", ""),
    name: Style("", ""),
    dim: Style("", ""),
    note: Style("", ""),
};

/// Colours that are readable on dark and on light.
pub const COLOURED: Palette = Palette {
    error: Style("\x1b[1;31m", "\x1b[0m"),
    name: Style("\x1b[1;32m", "\x1b[0m"),
    dim: Style("\x1b[2m", "\x1b[0m"),
    note: Style("\x1b[36m", "\x1b[0m"),
};

/// The palette for a stream.
pub fn palette(stream: &impl IsTerminal) -> Palette {
    if wanted() && stream.is_terminal() {
        COLOURED
    } else {
        PLAIN
    }
}

/// Whether the environment leaves colours on.
fn wanted() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_colour && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
