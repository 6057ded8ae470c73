//! The specification's scripts, one test for each script and configuration.
//!
//! Not a place to describe the engine: what it can do yet is `groups.rs` (which scripts, with which
//! features), how it is configured is `configurations.rs`, and what it gets wrong is `skips.txt`.
//! The one idea: a script's failures must be exactly those that `skips.txt` lists, so a skip that has
//! become needless fails the test as a regression does.
//!
//! Names are `group/script/configuration`, such as `wasm-v2/memory_grow.wast/bounds`; a part of one selects tests:
//!
//! ```text
//! cargo test -p meantime-wast --test spec            # all
//! cargo test -p meantime-wast --test spec -- simd    # those with `simd` in their name
//! ```

mod configurations;
mod groups;
mod skips;

use libtest_mimic::{Arguments, Failed, Trial};
use meantime::{Config, Engine, Strategy};
use meantime_wast::{Failure, Options, Report, WastContext};

use configurations::{CONFIGURATIONS, Configuration};
use groups::{Group, Script};
use skips::Skips;

fn main() {
    let arguments = Arguments::from_args();
    let skips = Skips::read();
    let trials = trials(skips);
    libtest_mimic::run(&arguments, trials).exit();
}

/// All tests: the scripts, and those of the tables themselves.
fn trials(skips: &'static Skips) -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("tables/every_group_is_listed", groups::check_complete),
        Trial::test("tables/skips_are_judged", skips::check_judgement),
        Trial::test("tables/every_skip_names_a_test", move || {
            skips.check_names()
        }),
    ];
    for group in groups::in_scope() {
        for script in group.scripts() {
            let of_interest = |configuration: &&Configuration| group.heap || !configuration.heap;
            for configuration in CONFIGURATIONS.iter().filter(of_interest) {
                let name = format!("{}/{}", script.name, configuration.name);
                let script = script.clone();
                trials.push(Trial::test(name, move || {
                    run(group, &script, configuration, skips)
                }));
            }
        }
    }
    trials
}

/// Runs one script in one configuration and compares its failures to the list of skips.
fn run(
    group: &Group,
    script: &Script,
    configuration: &Configuration,
    skips: &Skips,
) -> Result<(), Failed> {
    let mut config = Config::new();
    group.set_features(&mut config);
    config.strategy(Strategy::Cranelift);
    (configuration.apply)(&mut config);
    let engine = Engine::new(&config).map_err(show)?;

    let mut options = Options::default();
    options.silent = true;
    options.store_setup(configurations::set_up);
    let mut context = WastContext::new(&engine, &options).map_err(show)?;
    let Report {
        directives,
        failures,
    } = context.run_all(&script.name, script.text).map_err(show)?;
    if directives == 0 {
        return Err("the script has no directives".into());
    }

    let lines: Vec<usize> = failures.iter().map(|failure| failure.line).collect();
    let verdict = skips.judge(&script.name, configuration.name, &lines);
    let mut problems: Vec<String> = failures
        .iter()
        .filter(|failure| verdict.unexpected.contains(&failure.line))
        .map(show_failure)
        .collect();
    problems.extend(verdict.needless);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {directives} directives failed\n{}",
        failures.len(),
        problems.join("\n")
    )
    .into())
}

fn show_failure(failure: &Failure) -> String {
    format!("{failure:#}")
}

fn show(error: meantime::Error) -> Failed {
    format!("{error:#}").into()
}
