//! The features of the language that a module may use: one table, and a method of [`Config`] for each.

use super::Config;
use crate::error::{Result, bail};
use wasmparser::WasmFeatures;

/// Every feature that this version supports, and whether it is on unless the embedder says otherwise. Asking for any
/// other is an error.
const SUPPORTED: &[(WasmFeatures, bool)] = &[
    // Always there in WebAssembly 2.0.
    (WasmFeatures::FLOATS, true),
    (WasmFeatures::MUTABLE_GLOBAL, true),
    (WasmFeatures::SATURATING_FLOAT_TO_INT, true),
    (WasmFeatures::SIGN_EXTENSION, true),
    (WasmFeatures::MULTI_VALUE, true),
    (WasmFeatures::BULK_MEMORY, true),
    (WasmFeatures::BULK_MEMORY_OPT, true),
    (WasmFeatures::REFERENCE_TYPES, true),
    (WasmFeatures::CALL_INDIRECT_OVERLONG, true),
    // Types of references to anything but functions, `externref` among them.
    (WasmFeatures::GC_TYPES, true),
    (WasmFeatures::SIMD, true),
    // Of WebAssembly 3.0.
    (WasmFeatures::RELAXED_SIMD, true),
    (WasmFeatures::TAIL_CALL, true),
    (WasmFeatures::EXTENDED_CONST, true),
    (WasmFeatures::MULTI_MEMORY, true),
    (WasmFeatures::MEMORY64, true),
    (WasmFeatures::FUNCTION_REFERENCES, true),
    (WasmFeatures::GC, true),
    (WasmFeatures::EXCEPTIONS, true),
    // Finished, or widely used, beyond that.
    (WasmFeatures::THREADS, true),
    (WasmFeatures::WIDE_ARITHMETIC, true),
    // Not finished.
    (WasmFeatures::CUSTOM_PAGE_SIZES, false),
    (WasmFeatures::COMPACT_IMPORTS, false),
];

/// The features whose entry fulfils a condition.
fn supported(condition: impl Fn(bool) -> bool) -> WasmFeatures {
    let entries = SUPPORTED.iter().filter(|(_, default)| condition(*default));
    entries.fold(WasmFeatures::empty(), |all, (feature, _)| all | *feature)
}

impl Config {
    /// The features that modules may use.
    pub(crate) fn features(&self) -> WasmFeatures {
        (supported(|default| default) & !self.features_off) | self.features_on
    }

    /// An error that names a feature that is asked for and not supported, or asked for without one it needs.
    pub(super) fn check_features(&self) -> Result<WasmFeatures> {
        let features = self.features();
        let unsupported = features & !supported(|_| true);
        if let Some((name, _)) = unsupported.iter_names().next() {
            bail!(
                "the wasm_{} feature is not supported by this version of Meantime",
                name.to_lowercase()
            );
        }
        if features.contains(WasmFeatures::RELAXED_SIMD) && !features.contains(WasmFeatures::SIMD) {
            bail!("cannot disable the simd proposal but enable the relaxed simd proposal");
        }
        Ok(features)
    }

    /// Switches features on or off.
    ///
    /// `Engine::new` refuses features that this version does not support.
    pub fn wasm_features(&mut self, flag: WasmFeatures, enable: bool) -> &mut Self {
        self.features_on.set(flag, enable);
        self.features_off.set(flag, !enable);
        self
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $flag:ident,)*) => {
        impl Config {
            $(
                $(#[$doc])*
                pub fn $name(&mut self, enable: bool) -> &mut Self {
                    self.wasm_features(WasmFeatures::$flag, enable)
                }
            )*
        }
    };
}

methods! {
    /// Functions and blocks with several results. On by default.
    wasm_multi_value = MULTI_VALUE,
    /// Instructions that copy and fill parts of memories and tables. On by default.
    wasm_bulk_memory = BULK_MEMORY,
    /// References in tables, locals and globals, and several tables. On by default.
    wasm_reference_types = REFERENCE_TYPES,
    /// 128-bit vectors. On by default; switching it off needs [`Config::wasm_relaxed_simd`] off, too.
    wasm_simd = SIMD,
    /// Vector instructions whose results may differ between machines. On by default.
    wasm_relaxed_simd = RELAXED_SIMD,
    /// Calls that replace their caller's frame. On by default.
    wasm_tail_call = TAIL_CALL,
    /// Arithmetic in constant expressions. On by default.
    wasm_extended_const = EXTENDED_CONST,
    /// Several memories in a module. On by default.
    wasm_multi_memory = MULTI_MEMORY,
    /// 64-bit addresses of memories and indices of tables. On by default.
    wasm_memory64 = MEMORY64,
    /// References to functions of a certain type, and calls through them. On by default.
    wasm_function_references = FUNCTION_REFERENCES,
    /// Multiplication and addition with 128-bit results. On by default.
    wasm_wide_arithmetic = WIDE_ARITHMETIC,
    /// Atomic instructions and shared memories. On by default; see also [`Config::shared_memory`].
    wasm_threads = THREADS,
    /// Structures, arrays and casts, garbage-collected. On by default; needs [`Config::wasm_function_references`] and
    /// [`Config::gc_support`].
    wasm_gc = GC,
    /// Exceptions: tags, `throw` and `try_table`. On by default; needs [`Config::gc_support`].
    wasm_exceptions = EXCEPTIONS,
    /// Exceptions as they were before the proposal changed. Not supported.
    #[doc(hidden)]
    wasm_legacy_exceptions = LEGACY_EXCEPTIONS,
    /// Memories with pages of one byte. Off by default.
    wasm_custom_page_sizes = CUSTOM_PAGE_SIZES,
    /// Continuations. Not supported by this version.
    wasm_stack_switching = STACK_SWITCHING,
    /// Sharing of more than memories. Not supported by this version.
    wasm_shared_everything_threads = SHARED_EVERYTHING_THREADS,
    /// Types of references other than to functions, `externref` among them. On by default.
    gc_support = GC_TYPES,
    /// Components. Not supported by this version.
    wasm_component_model = COMPONENT_MODEL,
    /// Asynchronous functions of components. Not supported by this version.
    wasm_component_model_async = CM_ASYNC,
    /// More built-ins for asynchronous components. Not supported by this version.
    wasm_component_model_more_async_builtins = CM_MORE_ASYNC_BUILTINS,
    /// Stackful asynchronous functions of components. Not supported by this version.
    wasm_component_model_async_stackful = CM_ASYNC_STACKFUL,
    /// Threads of components. Not supported by this version.
    wasm_component_model_threading = CM_THREADING,
    /// Values of type `error-context`. Not supported by this version.
    wasm_component_model_error_context = CM_ERROR_CONTEXT,
    /// Garbage-collected values in the canonical ABI. Not supported by this version.
    wasm_component_model_gc = CM_GC,
    /// Values of type `map`. Not supported by this version.
    wasm_component_model_map = CM_MAP,
    /// 64-bit memories in the canonical ABI. Not supported by this version.
    wasm_component_model_memory64 = CM64,
    /// Lists of a fixed length. Not supported by this version.
    wasm_component_model_fixed_length_lists = CM_FIXED_LENGTH_LISTS,
    /// Names that say what an import implements. Not supported by this version.
    wasm_component_model_implements = CM_IMPLEMENTS,
}
