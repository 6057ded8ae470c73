//! The list of what is known to fail, and how a script's failures are judged by it.
//!
//! Not the list itself (that is `skips.txt`, which explains its format). The one idea: an entry is a claim
//! that a directive fails; a claim that does not hold is a failure of the test, like a failure that nobody
//! has claimed.

use std::collections::BTreeSet;

use libtest_mimic::Failed;

use crate::configurations::CONFIGURATIONS;
use crate::groups;

static TEXT: &str = include_str!("skips.txt");

/// The list of skips.
pub struct Skips {
    entries: Vec<Entry>,
}

struct Entry {
    /// The entry's own line in `skips.txt`.
    at: usize,
    script: String,
    /// `None` for all.
    configuration: Option<String>,
    /// The line of the directive in the script; `None` for any.
    line: Option<usize>,
    reason: String,
}

/// What the list says of a script's failures.
pub struct Verdict {
    /// The lines of failed directives that no entry claims.
    pub unexpected: BTreeSet<usize>,
    /// A sentence for each entry that claims a failure which is none.
    pub needless: Vec<String>,
}

impl Skips {
    /// Reads `skips.txt`.
    ///
    /// # Panics
    ///
    /// If a line of it does not have the format.
    pub fn read() -> &'static Skips {
        Box::leak(Box::new(Skips::parse(TEXT).unwrap()))
    }

    fn parse(text: &str) -> Result<Skips, String> {
        let mut entries = Vec::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            entries.push(Entry::parse(i + 1, line)?);
        }
        Ok(Skips { entries })
    }

    /// Judges the failures of `script` in `configuration`, given by their lines.
    pub fn judge(&self, script: &str, configuration: &str, failures: &[usize]) -> Verdict {
        let mut verdict = Verdict {
            unexpected: failures.iter().copied().collect(),
            needless: Vec::new(),
        };
        for entry in &self.entries {
            let applies = entry.script == script
                && entry
                    .configuration
                    .as_ref()
                    .is_none_or(|name| name == configuration);
            if !applies {
                continue;
            }
            let claims = |line: &usize| entry.line.is_none_or(|claimed| claimed == *line);
            verdict.unexpected.retain(|line| !claims(line));
            if !failures.iter().any(claims) {
                verdict.needless.push(format!(
                    "skips.txt:{}: remove this entry, nothing it names fails any more (it said: {})",
                    entry.at, entry.reason
                ));
            }
        }
        verdict
    }

    /// Each entry names a script in scope, a line in it, and a configuration.
    pub fn check_names(&self) -> Result<(), Failed> {
        let scripts: Vec<_> = groups::in_scope().flat_map(|g| g.scripts()).collect();
        let mut problems = Vec::new();
        for entry in &self.entries {
            let at = entry.at;
            match scripts.iter().find(|script| script.name == entry.script) {
                None => problems.push(format!("skips.txt:{at}: no script `{}`", entry.script)),
                Some(script) => {
                    let lines = script.text.lines().count();
                    if let Some(line) = entry.line.filter(|line| *line == 0 || *line > lines) {
                        problems.push(format!("skips.txt:{at}: the script has no line {line}"));
                    }
                }
            }
            if let Some(name) = &entry.configuration
                && !CONFIGURATIONS.iter().any(|known| known.name == name)
            {
                problems.push(format!("skips.txt:{at}: no configuration `{name}`"));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(problems.join("\n").into())
    }
}

/// The list says what it is meant to say, on a list and failures made for the purpose.
pub fn check_judgement() -> Result<(), Failed> {
    let skips = Skips::parse(
        "# a comment\n\
         a/a.wast:3   *      one line, everywhere\n\
         a/a.wast:5   guard  one line, in one configuration\n\
         b/b.wast     *      any line\n",
    )?;
    for (script, configuration, failures, unexpected, needless) in [
        ("a/a.wast", "guard", &[3, 5][..], &[][..], 0),
        ("a/a.wast", "guard", &[3, 4, 5], &[4], 0),
        ("a/a.wast", "guard", &[3], &[], 1),
        ("a/a.wast", "bounds", &[3], &[], 0),
        ("a/a.wast", "bounds", &[3, 5], &[5], 0),
        ("a/a.wast", "bounds", &[], &[], 1),
        ("b/b.wast", "guard", &[1, 2], &[], 0),
        ("b/b.wast", "guard", &[], &[], 1),
        ("c/c.wast", "guard", &[], &[], 0),
        ("c/c.wast", "guard", &[1], &[1], 0),
    ] {
        let verdict = skips.judge(script, configuration, failures);
        let got: Vec<usize> = verdict.unexpected.into_iter().collect();
        if got != unexpected || verdict.needless.len() != needless {
            let needless = verdict.needless;
            return Err(
                format!("{script}, {configuration}, {failures:?}: {got:?}, {needless:?}").into(),
            );
        }
    }
    for wrong in ["a/a.wast", "a/a.wast *", "a/a.wast:x * reason"] {
        if Skips::parse(wrong).is_ok() {
            return Err(format!("`{wrong}` is taken for an entry").into());
        }
    }
    Ok(())
}

impl Entry {
    fn parse(at: usize, line: &str) -> Result<Entry, String> {
        let wrong = |what: &str| format!("skips.txt:{at}: {what}");
        let mut words = line.split_whitespace();
        let mut next = |what: &str| words.next().ok_or_else(|| wrong(what));
        let place = next("no script")?;
        let configuration = next("no configuration (`*` for all)")?;
        let reason = words.collect::<Vec<_>>().join(" ");
        if reason.is_empty() {
            return Err(wrong("no reason"));
        }
        let (script, line) = match place.split_once(':') {
            None => (place, None),
            Some((script, line)) => {
                let line = line.parse().map_err(|_| wrong("not a line number"))?;
                (script, Some(line))
            }
        };
        Ok(Entry {
            at,
            script: script.to_string(),
            configuration: (configuration != "*").then(|| configuration.to_string()),
            line,
            reason,
        })
    }
}
