//! Oracle: jumps go where a model says, in every configuration.
//!
//! A program is a few functions that choose what to do next by a `br_table` in a loop ([`program`]), as toolchains write them whose source has a goto.
//! It is written as a module ([`text`]) and interpreted ([`model`]). The one idea: every block changes the number that all else depends on, so that one
//! block too many or too few shows.
//!
//! ```text
//! cargo run --release -p meantime-fuzzing -- jumps --seconds 60
//! ```

pub mod model;
pub mod program;
pub mod text;

use crate::Verdict;
use crate::options::Options;
use arbitrary::Unstructured;
use meantime::{Instance, Store, Trap, Val};
use model::{End, Outcome};
use program::{BUDGET, Program};

/// How often everything is called: code of both tiers is to run.
const ROUNDS: usize = 3;
/// The trap of an access outside.
const OUTSIDE: &str = "MemoryOutOfBounds";
/// More fuel than any program uses.
const FUEL: u64 = 1 << 40;

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The program.
    pub program: Program,
    /// The engines.
    pub options: Vec<Options>,
}

impl Case {
    /// Reads it from bytes; none if they are too few.
    pub fn new(u: Unstructured<'_>) -> Option<Case> {
        let (options, mut choices) = Options::for_a_model(u).ok()?;
        Some(Case {
            options,
            program: Program::new(&mut choices),
        })
    }

    /// The module, as text.
    pub fn text(&self) -> String {
        text::module(&self.program)
    }
}

/// Runs a program and its model.
///
/// # Panics
///
/// When they differ, or configurations differ in the fuel that is used.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Some(case) = Case::new(u) else {
        return Verdict::NoInput;
    };
    let expected = model::run(&case.program, ROUNDS);
    let text = case.text();
    let mut used = None;
    for options in &case.options {
        let (ours, fuel) = run(&case.program, &text, options);
        for (i, (ours, expected)) in ours.ends.iter().zip(&expected.ends).enumerate() {
            assert!(
                ours == expected,
                "with {options:?}, call {i}: {ours:x?}, expected {expected:x?}"
            );
        }
        assert_eq!(ours.pages, expected.pages, "with {options:?}");
        assert!(ours == expected, "with {options:?}: the memory differs");
        // The counter is not exact where a trap comes from an access.
        if !ours
            .ends
            .iter()
            .any(|end| end.as_ref().is_err_and(|trap| trap == OUTSIDE))
        {
            let others = *used.get_or_insert(fuel);
            assert_eq!(fuel, others, "with {options:?}: fuel that is left");
        }
    }
    Verdict::Checked
}

/// What the program does, and the fuel that is left if it is counted.
fn run(program: &Program, text: &str, options: &Options) -> (Outcome, Option<u64>) {
    let options = Options {
        consume_fuel: program.fuel,
        epochs: program.epochs,
        ..options.clone()
    };
    let module = options.module_of_text(text);
    let mut store = Store::new(module.engine(), ());
    if program.fuel {
        store.set_fuel(FUEL).expect("it is counted");
    }
    if program.epochs {
        store.set_epoch_deadline(1);
    }
    let instance = Instance::new(&mut store, &module, &[]).expect("nothing can fail");
    let mut ends = Vec::new();
    for _ in 0..ROUNDS {
        for &(function, choice, x) in &program.calls {
            ends.push(call(&mut store, instance, function, choice, x));
        }
    }
    let memory = instance.get_memory(&mut store, "memory");
    let memory = memory.expect("it is exported");
    let outcome = Outcome {
        ends,
        memory: memory.data(&store)[..65536].to_vec(),
        pages: memory.size(&store),
    };
    (outcome, store.get_fuel().ok())
}

fn call(store: &mut Store<()>, instance: Instance, function: usize, choice: u32, x: u64) -> End {
    let budget = instance.get_global(&mut *store, "budget");
    let budget = budget.expect("it is exported");
    let set = budget.set(&mut *store, Val::I32(BUDGET as i32));
    set.expect("it is a mutable number");
    let func = instance.get_typed_func::<(u32, u64), u64>(&mut *store, &format!("f{function}"));
    let func = func.expect("it is exported");
    func.call(&mut *store, (choice, x))
        .map_err(|e| match e.downcast_ref::<Trap>() {
            Some(trap) => format!("{trap:?}"),
            None => panic!("{e:?}"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    /// Programs that all trap at once, or that never go back, find nothing.
    #[test]
    fn all_ends_are_met() {
        let (mut results, mut spent, mut outside) = (0, 0, 0);
        for seed in 0..200 {
            let bytes = seeds::bytes(seed, 4096);
            let case = Case::new(Unstructured::new(&bytes)).expect("the bytes suffice");
            for end in model::run(&case.program, 1).ends {
                match end {
                    Ok(_) => results += 1,
                    Err(trap) if trap == OUTSIDE => outside += 1,
                    Err(_) => spent += 1,
                }
            }
        }
        println!("{results} results, {spent} without end, {outside} outside");
        assert!(results > 400 && spent > 100 && outside > 30);
    }
}
