//! The keys of `-R` / `--record`: recording a run so that it can be replayed.

use super::table::{Group, Key, Kind, USIZE, later};

/// `-R` / `--record` / `[record]`.
pub static RECORD: Group = Group {
    letter: 'R',
    name: "record",
    about: "Recording for replay",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    later("path", Kind::Text("PATH"), "unset", "the file to record to"),
    later(
        "validation-metadata",
        Kind::Bool,
        "n",
        "keep signatures, to be checked at replay",
    )
    .harmless(&["n"]),
    later(
        "event-window-size",
        USIZE,
        "chosen for you",
        "events buffered before they are written",
    ),
];
