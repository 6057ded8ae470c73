//! From options to a target: Cranelift's settings, the features of the processor, and which of our options they serve.
//!
//! The one idea: what code relies on is set here and cannot be unset; all else is a default that a caller's flag replaces.

use crate::Target;
use cranelift_codegen::isa::{self, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetError};
use meantime_abi::{OptLevel, RegallocAlgorithm, Tunables};
use meantime_module::OperatorCost;
use std::fmt;
use target_lexicon::{Architecture, PointerWidth, Triple};

/// Why there is no compiler for these options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupError {
    message: String,
}

impl SetupError {
    fn new(message: impl Into<String>) -> SetupError {
        SetupError {
            message: message.into(),
        }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SetupError {}

/// The triple of this machine.
pub fn native_triple() -> Triple {
    Triple::host()
}

/// What code relies on, whatever a caller says.
const FIXED: &[(&str, &str)] = &[
    // The unwinder walks frame pointers.
    ("preserve_frame_pointers", "true"),
    // Results that do not fit in registers are returned in memory of the caller.
    ("enable_multi_ret_implicit_sret", "true"),
    // An exception finds in it where a function keeps registers of its caller.
    ("unwind_info", "true"),
    // Frames larger than a page touch each of their pages in turn, so that none jumps over a guard.
    ("enable_probestack", "true"),
    ("probestack_strategy", "inline"),
];

/// The same of code that counts fuel: the register that Cranelift leaves alone is the counter.
const COUNTS_FUEL: &(&str, &str) = &("enable_pinned_reg", "true");

/// What every x86-64 processor of the last fifteen years has and translation relies on (level 2 of the psABI).
const X86_BASELINE: &[&str] = &[
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_cmpxchg16b",
];

fn isa_builder(triple: Option<&Triple>) -> Result<isa::Builder, SetupError> {
    let Some(triple) = triple else {
        return cranelift_native::builder().map_err(SetupError::new);
    };
    let mut builder = isa::lookup(triple.clone())
        .map_err(|e| SetupError::new(format!("no compiler for the target {triple}: {e}")))?;
    if triple.architecture == Architecture::X86_64 {
        for feature in X86_BASELINE {
            enable(&mut builder, feature)?;
        }
    }
    Ok(builder)
}

fn enable(builder: &mut dyn Configurable, name: &str) -> Result<(), SetupError> {
    builder
        .enable(name)
        .map_err(|e| SetupError::new(format!("setting {name}: {e}")))
}

/// Sets a flag wherever it belongs: shared between targets, or of this one.
fn set(
    shared: &mut settings::Builder,
    isa: &mut isa::Builder,
    name: &str,
    value: &str,
) -> Result<(), SetupError> {
    let set_in = |configurable: &mut dyn Configurable| match configurable.set(name, value) {
        // A preset is enabled, not set.
        Err(SetError::BadName(_)) if value == "true" => configurable.enable(name),
        other => other,
    };
    let result = match set_in(shared) {
        Err(SetError::BadName(_)) => set_in(isa),
        other => other,
    };
    result.map_err(|e| match e {
        SetError::BadName(_) => SetupError::new(format!("no Cranelift setting is called '{name}'")),
        SetError::BadType => SetupError::new(format!(
            "Cranelift setting '{name}' does not take the value '{value}'"
        )),
        SetError::BadValue(expected) => SetupError::new(format!(
            "Cranelift setting '{name}' does not take the value '{value}', but: {expected}"
        )),
    })
}

pub(crate) fn check_flag(
    triple: Option<&Triple>,
    name: &str,
    value: &str,
) -> Result<(), SetupError> {
    set(
        &mut settings::builder(),
        &mut isa_builder(triple)?,
        name,
        value,
    )
}

pub(crate) fn target(
    triple: Option<Triple>,
    flags: &[(String, String)],
    tunables: Tunables,
) -> Result<Target, SetupError> {
    let mut shared = settings::builder();
    let mut isa = isa_builder(triple.as_ref())?;
    let opt_level = match tunables.opt_level {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
        OptLevel::SpeedAndSize => "speed_and_size",
    };
    let regalloc = match tunables.regalloc {
        RegallocAlgorithm::Backtracking => "backtracking",
        RegallocAlgorithm::SinglePass => "single_pass",
    };
    let as_bool = |b: bool| if b { "true" } else { "false" };
    let defaults = [
        ("opt_level", opt_level),
        ("regalloc_algorithm", regalloc),
        ("enable_verifier", as_bool(cfg!(debug_assertions))),
        (
            "enable_nan_canonicalization",
            as_bool(tunables.nan_canonicalization),
        ),
        ("enable_heap_access_spectre_mitigation", "true"),
        ("enable_table_access_spectre_mitigation", "true"),
    ];
    for (name, value) in defaults {
        set(&mut shared, &mut isa, name, value)?;
    }
    let fixed = || {
        FIXED
            .iter()
            .chain(tunables.consume_fuel.then_some(COUNTS_FUEL))
    };
    for (name, value) in flags {
        if let Some((_, fixed)) = fixed().find(|(fixed, _)| fixed == name)
            && fixed != value
        {
            return Err(SetupError::new(format!(
                "Cranelift setting '{name}' must be '{fixed}'"
            )));
        }
        set(&mut shared, &mut isa, name, value)?;
    }
    for (name, value) in fixed() {
        set(&mut shared, &mut isa, name, value)?;
    }
    let isa = isa
        .finish(settings::Flags::new(shared))
        .map_err(|e| SetupError::new(format!("no compiler for these settings: {e}")))?;
    check_target(&*isa)?;
    let flags = isa.flags();
    let signals = tunables.signals_based_traps;
    let costs = || Box::new(OperatorCost::from(&tunables.operator_cost));
    Ok(Target {
        costs: tunables.consume_fuel.then(costs),
        is_x86: isa.triple().architecture == Architecture::X86_64,
        memory_guard_by_select: signals && flags.enable_heap_access_spectre_mitigation(),
        table_guard_by_select: signals && flags.enable_table_access_spectre_mitigation(),
        isa,
        tunables,
    })
}

/// Refuses this machine where [`check_target`] would refuse it as a target.
pub(crate) fn check_machine() -> Result<(), SetupError> {
    #[cfg(target_arch = "x86_64")]
    {
        let required = [
            ("SSE3", std::is_x86_feature_detected!("sse3")),
            ("SSSE3", std::is_x86_feature_detected!("ssse3")),
            ("SSE4.1", std::is_x86_feature_detected!("sse4.1")),
            ("SSE4.2", std::is_x86_feature_detected!("sse4.2")),
            ("popcnt", std::is_x86_feature_detected!("popcnt")),
        ];
        if let Some((name, _)) = required.iter().find(|(_, has)| !has) {
            return Err(SetupError::new(format!(
                "the x86-64 processor must have SSE up to 4.2 and popcnt, but it has no {name}"
            )));
        }
    }
    match Triple::host().architecture {
        Architecture::X86_64 | Architecture::Aarch64(_) => Ok(()),
        other => Err(unsupported_architecture(other)),
    }
}

/// Whether what is compiled for this machine multiplies and adds in one, as [`TargetIsa::has_native_fma`] says of a target.
pub(crate) fn machine_has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx") && std::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        true
    }
}

fn unsupported_architecture(architecture: Architecture) -> SetupError {
    SetupError::new(format!(
        "the architecture {architecture} is not supported, only x86-64 and AArch64"
    ))
}

/// Refuses targets for which translation would need more than the machine has.
fn check_target(isa: &dyn TargetIsa) -> Result<(), SetupError> {
    let triple = isa.triple();
    match triple.architecture {
        Architecture::X86_64 => {
            for flag in isa.isa_flags() {
                if X86_BASELINE.contains(&flag.name)
                    && flag.name != "has_cmpxchg16b"
                    && flag.as_bool() == Some(false)
                {
                    return Err(SetupError::new(format!(
                        "the x86-64 processor must have SSE up to 4.2 and popcnt, but {} is off",
                        flag.name
                    )));
                }
            }
        }
        Architecture::Aarch64(_) => {
            // The unwinder looks return addresses up among those of code, and would not find signed ones.
            let signs = |flag: &settings::Value| flag.name == "sign_return_address";
            if isa
                .isa_flags()
                .iter()
                .any(|f| signs(f) && f.as_bool() == Some(true))
            {
                return Err(SetupError::new(
                    "Cranelift setting 'sign_return_address' must be 'false'",
                ));
            }
        }
        other => return Err(unsupported_architecture(other)),
    }
    if triple.pointer_width() != Ok(PointerWidth::U64) {
        return Err(SetupError::new("only 64-bit targets are supported"));
    }
    Ok(())
}

/// Everything that changes code: shared settings, then the target's.
pub(crate) fn list(target: &Target) -> Vec<(String, String)> {
    let shared = target.isa.flags().iter();
    let own = target.isa.isa_flags();
    shared
        .chain(own)
        .filter(|v| v.name != "enable_verifier")
        .map(|v| (v.name.to_owned(), v.value_string()))
        .collect()
}
