//! The table of `-X key[=val]` keys: what a key is called, which values it takes, and what it does.
//! Not the keys themselves: each group keeps its own in its own file.
//!
//! The one idea: a row of a group's table is all there is to a key. Parsing the command line, reading the TOML
//! file, printing `-X help` and configuring the engine all walk the same rows. A key that Meantime does not do yet is a
//! [`later`] row; replacing that by an [`on`] row with a closure is all it takes to do it.

use super::plan::Plan;
use std::fmt;
use std::time::Duration;

/// A family of keys: one letter on the command line, one table in the TOML file.
#[derive(Debug)]
pub struct Group {
    /// The letter after the dash, as in `-O`.
    pub letter: char,
    /// The long spelling, as in `--optimize`; also the name of the TOML table.
    pub name: &'static str,
    /// What the group is about, for the heading of its help.
    pub about: &'static str,
    /// The rows, in the order help lists them.
    pub keys: &'static [Key],
}

/// One row: a key, its values and its effect.
#[derive(Debug)]
pub struct Key {
    /// The kebab-case spelling. For [`Kind::Flag`], the prefix that the flag's own name follows.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// The default, in words, for help.
    pub default: &'static str,
    /// One line on what it does.
    pub help: &'static str,
    /// What happens when it is given.
    pub effect: Effect,
    /// Whether `-W all-proposals` reaches it.
    pub proposal: bool,
    /// Whether the TOML file may not set it.
    pub command_line_only: bool,
}

/// The values a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A bare key, `y`, `yes`, `true`, or `n`, `no`, `false`.
    Bool,
    /// As [`Kind::Bool`], or one of these words.
    BoolOr(&'static [&'static str]),
    /// An integer up to the given maximum, decimal or `0x` hexadecimal, `_` between digits.
    Int(u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text; the word says what it stands for in help.
    Text(&'static str),
    /// `N` or `Ns` seconds, `Nms`, `Nus`, `Nns`.
    Duration,
    /// The key is a prefix: `cranelift-NAME[=VALUE]`.
    Flag,
}

/// A number of bytes or of things, as large as the host can address.
pub const USIZE: Kind = Kind::Int(usize::MAX as u64);
/// A number of bytes or of things, 64 bits on every host.
pub const U64: Kind = Kind::Int(u64::MAX);
/// A number of things, 32 bits on every host.
pub const U32: Kind = Kind::Int(u32::MAX as u64);

/// What a key does to the plan.
pub type Apply = fn(&mut Plan, &Value);

/// What happens when a key is given.
#[derive(Clone, Copy)]
pub enum Effect {
    /// It is applied. Values in `later` are refused until Meantime does them.
    On {
        apply: Apply,
        later: &'static [&'static str],
    },
    /// It is refused, except for the values that ask for what Meantime does anyway.
    Later { harmless: &'static [&'static str] },
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Effect::On { .. } => "On",
            Effect::Later { .. } => "Later",
        })
    }
}

/// A parsed value. Its variant is the one its key's [`Kind`] names.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// From [`Kind::Bool`] and [`Kind::BoolOr`].
    Bool(bool),
    /// From [`Kind::Int`], within its maximum.
    Int(u64),
    /// From [`Kind::Choice`] and [`Kind::BoolOr`] (one of the words), and [`Kind::Text`].
    Text(String),
    /// From [`Kind::Duration`].
    Duration(Duration),
    /// From [`Kind::Flag`]: the flag's name without the prefix, and its value if one was given.
    Flag(String, Option<String>),
}

/// One `key=value` that somebody gave, matched to its row.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The group it was given to.
    pub group: &'static Group,
    /// Its row.
    pub key: &'static Key,
    /// Its value.
    pub value: Value,
}

/// A key that Meantime does.
pub const fn on(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
    apply: Apply,
) -> Key {
    Key {
        name,
        kind,
        default,
        help,
        effect: Effect::On { apply, later: &[] },
        proposal: false,
        command_line_only: false,
    }
}

/// A key that is known but that this version of Meantime refuses.
pub const fn later(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        help,
        effect: Effect::Later { harmless: &[] },
        proposal: false,
        command_line_only: false,
    }
}

impl Key {
    /// Names values of a [`later`] key that ask for what Meantime does anyway, and so are accepted.
    pub const fn harmless(mut self, values: &'static [&'static str]) -> Key {
        self.effect = Effect::Later { harmless: values };
        self
    }

    /// Names values of an [`on`] key that Meantime does not do yet.
    pub const fn but_later(mut self, values: &'static [&'static str]) -> Key {
        if let Effect::On { apply, .. } = self.effect {
            self.effect = Effect::On {
                apply,
                later: values,
            };
        }
        self
    }

    /// Marks a proposal that `-W all-proposals` switches.
    pub const fn proposal(mut self) -> Key {
        self.proposal = true;
        self
    }

    /// Marks a key that the TOML file may not set.
    pub const fn command_line_only(mut self) -> Key {
        self.command_line_only = true;
        self
    }

    /// How the key and its value are written, for help: `opt-level=0|1|2|s`.
    pub fn synopsis(&self) -> String {
        let name = self.name;
        match self.kind {
            Kind::Bool => format!("{name}[=y|n]"),
            Kind::BoolOr(words) => format!("{name}[=y|n|{}]", words.join("|")),
            Kind::Int(_) => format!("{name}=N"),
            Kind::Choice(words) => format!("{name}={}", words.join("|")),
            Kind::Text(what) => format!("{name}={what}"),
            Kind::Duration => format!("{name}=N|Ns|Nms|Nus|Nns"),
            Kind::Flag => format!("{name}KEY[=VAL]"),
        }
    }

    /// Whether this version of Meantime does it.
    pub fn is_supported(&self) -> bool {
        matches!(self.effect, Effect::On { .. })
    }
}

impl Group {
    /// The row for `name`, and for a [`Kind::Flag`] row what follows its prefix.
    pub fn find(&self, name: &str) -> Option<(&'static Key, Option<&'static str>)> {
        let exact = self
            .keys
            .iter()
            .find(|key| key.name == name && !matches!(key.kind, Kind::Flag));
        exact.map(|key| (key, None)).or_else(|| {
            let is_flag =
                |key: &&Key| matches!(key.kind, Kind::Flag) && name.len() > key.name.len();
            let flag = self
                .keys
                .iter()
                .filter(is_flag)
                .find(|key| name.starts_with(key.name))?;
            Some((flag, Some(flag.name)))
        })
    }

    /// How a key of this group is named in messages: `-O opt-level`.
    pub fn spell(&self, key: &str) -> String {
        format!("-{} {key}", self.letter)
    }
}

impl Value {
    /// The switch. Only for rows of [`Kind::Bool`].
    pub fn on(&self) -> bool {
        let Value::Bool(on) = self else {
            unreachable!("the table gives this key a switch, not {self:?}")
        };
        *on
    }

    /// The number. Only for rows of [`Kind::Int`].
    pub fn int(&self) -> u64 {
        let Value::Int(n) = self else {
            unreachable!("the table gives this key a number, not {self:?}")
        };
        *n
    }

    /// The number as a size. Only for rows of kind [`USIZE`] or narrower, which parsing has bounded.
    pub fn size(&self) -> usize {
        usize::try_from(self.int()).unwrap_or(usize::MAX)
    }

    /// The time. Only for rows of [`Kind::Duration`].
    pub fn duration(&self) -> Duration {
        let Value::Duration(time) = self else {
            unreachable!("the table gives this key a time, not {self:?}")
        };
        *time
    }

    /// The word or text. Only for rows of [`Kind::Choice`] and [`Kind::Text`].
    pub fn text(&self) -> &str {
        let Value::Text(text) = self else {
            unreachable!("the table gives this key a text, not {self:?}")
        };
        text
    }

    /// The flag's name and value. Only for rows of [`Kind::Flag`].
    pub fn flag(&self) -> (&str, Option<&str>) {
        let Value::Flag(name, value) = self else {
            unreachable!("the table gives this key a flag, not {self:?}")
        };
        (name, value.as_deref())
    }
}
