//! Each oracle over a few hundred fixed seeds: quick, and the same every time.
//!
//! Besides that nothing fails, they test that the generators make something to look at: an oracle whose every input is
//! refused would find nothing.

use meantime_fuzzing::{Oracle, Verdict};

/// At least so many of a hundred are checked to the end.
fn check(oracle: Oracle, seeds: u64, at_least: u64) {
    let checked = (0..seeds)
        .filter(|&seed| oracle.check(&oracle.input(seed)) == Verdict::Checked)
        .count() as u64;
    assert!(
        checked * 100 >= at_least * seeds,
        "only {checked} of {seeds} were checked"
    );
}

#[test]
fn compile() {
    check(Oracle::Compile, 300, 20);
}

#[test]
fn instantiate() {
    check(Oracle::Instantiate, 300, 40);
}

#[test]
fn configurations() {
    check(Oracle::Configurations, 150, 60);
}

#[test]
fn objects() {
    check(Oracle::Objects, 60, 90);
}

#[test]
fn throws() {
    check(Oracle::Throws, 100, 90);
}

#[test]
fn jumps() {
    check(Oracle::Jumps, 200, 100);
}

/// The other engine is an interpreter that takes stack for every instruction when it is not optimized.
#[test]
fn differential() {
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let checks = thread.spawn(|| check(Oracle::Differential, 300, 60));
    checks.expect("a thread").join().expect("no failure");
}

/// An input from nothing is no input, and never a failure.
#[test]
fn little_input() {
    for oracle in Oracle::ALL {
        for len in 0..20 {
            oracle.check(&vec![0x80; len]);
        }
    }
    assert_eq!(Oracle::Compile.check(b"(module)"), Verdict::Checked);
    assert_eq!(Oracle::Compile.check(b""), Verdict::Refused);
}

/// What is printed for a person is the module that is checked.
#[test]
fn text() {
    for oracle in Oracle::ALL {
        let text = oracle.text(&Oracle::Compile.input(0)).unwrap_or_default();
        assert!(text.is_empty() || text.starts_with("(module"), "{text}");
    }
    let oracle = Oracle::Configurations;
    let texts = (0..20).filter_map(|seed| oracle.text(&oracle.input(seed)));
    assert!(texts.filter(|text| text.contains("(func")).count() > 10);
}
