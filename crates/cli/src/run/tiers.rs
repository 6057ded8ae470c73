//! What `-D tiers` prints when the program is done: which functions ran in which tier, when they changed, and what it cost.

use meantime::{Compilation, Module, Tier};
use std::fmt::Write;
use std::time::Duration;

/// Lines of single functions at most, the ones that cost most.
const MOST: usize = 40;

/// The report, to be printed to stderr.
pub fn report(module: &Module) -> String {
    render(&module.compilations())
}

fn render(compilations: &[Compilation]) -> String {
    let mut text = String::new();
    let sum = |which: fn(&Tier) -> bool| {
        let those = compilations.iter().filter(|c| which(&c.tier));
        those.fold((0, 0, 0, Duration::ZERO), |(n, wasm, code, took), c| {
            (
                n + 1,
                wasm + c.wasm_bytes,
                code + c.code_bytes,
                took + c.took,
            )
        })
    };
    type Row = (&'static str, fn(&Tier) -> bool);
    let rows: [Row; 4] = [
        ("baseline", |t| *t == Tier::Baseline),
        ("ahead", |t| *t == Tier::Ahead),
        ("optimized", |t| *t == Tier::Optimized),
        ("loops", |t| matches!(t, Tier::Loop(_))),
    ];
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{:<10} {:>9} {:>12} {:>12} {:>10}",
        "tier", "functions", "wasm bytes", "code bytes", "ms"
    );
    for (name, which) in rows {
        let (n, wasm, code, took) = sum(which);
        let _ = writeln!(
            text,
            "{name:<10} {n:>9} {wasm:>12} {code:>12} {:>10.3}",
            millis(took)
        );
    }
    let ahead = || compilations.iter().filter(|c| c.tier == Tier::Ahead);
    if ahead().next().is_some() {
        let (all, called) = (ahead().count(), ahead().filter(|c| c.called).count());
        let _ = writeln!(text, "of {all} compiled ahead {called} were called");
    }
    let mut dearest: Vec<&Compilation> = compilations.iter().collect();
    dearest.sort_by_key(|c| std::cmp::Reverse(c.took));
    let left_out = dearest.len().saturating_sub(MOST);
    dearest.truncate(MOST);
    dearest.sort_by_key(|c| c.at);
    if !dearest.is_empty() {
        let _ = writeln!(
            text,
            "\n{:>10} {:>10} {:>10} {:<16} function",
            "at ms", "took ms", "bytes", "tier"
        );
    }
    for c in dearest {
        let tier = match c.tier {
            Tier::Baseline => "baseline".to_owned(),
            Tier::Ahead => "ahead".to_owned(),
            Tier::Optimized => "optimized".to_owned(),
            Tier::Loop(at) => format!("loop {at:#x}"),
        };
        let name = c.name.as_deref().unwrap_or("");
        let _ = writeln!(
            text,
            "{:>10.3} {:>10.3} {:>10} {tier:<16} {} {name}",
            millis(c.at),
            millis(c.took),
            c.code_bytes,
            c.function,
        );
    }
    if left_out > 0 {
        let _ = writeln!(text, "and {left_out} that cost less");
    }
    text
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_sums_and_the_dearest_in_order() {
        let compilation = |function, tier, at, took| Compilation {
            function,
            name: Some(format!("f{function}")),
            tier,
            at: Duration::from_millis(at),
            took: Duration::from_micros(took),
            called: true,
            wasm_bytes: 10,
            code_bytes: 30,
        };
        let mut all: Vec<_> = (0..50)
            .map(|i| compilation(i, Tier::Baseline, u64::from(i), 1 + u64::from(i)))
            .collect();
        all.push(compilation(7, Tier::Loop(0x99), 60, 5000));
        all.push(compilation(8, Tier::Ahead, 0, 1));
        all.push(Compilation {
            called: false,
            ..compilation(9, Tier::Ahead, 0, 1)
        });
        let text = render(&all);
        assert!(
            text.contains("baseline          50          500         1500      1.275"),
            "{text}"
        );
        assert!(
            text.contains("of 2 compiled ahead 1 were called\n"),
            "{text}"
        );
        assert!(text.contains("loop 0x99        7 f7"), "{text}");
        assert!(text.ends_with("and 13 that cost less\n"), "{text}");
    }
}
