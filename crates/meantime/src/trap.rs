//! Backtraces of guests, and how a trap becomes an error.
//!
//! A trap is an [`Error`](crate::Error) that can be downcast to [`Trap`] and, when backtraces are on, to [`WasmBacktrace`].

use crate::store::{StoreOpaque, from_host_error};
use crate::{AsContext, Error, Module, ThrownException};
use core::fmt;
use meantime_vm as vm;

pub use meantime_abi::Trap;

/// The error for a call that did not return.
#[cold]
#[allow(
    clippy::boxed_local,
    reason = "it comes in a box so that calls return one word"
)]
pub(crate) fn from_unwind(store: &mut StoreOpaque, unwind: Box<vm::Unwind>) -> Error {
    let vm::Unwind { reason, backtrace } = *unwind;
    let mut error = match reason {
        vm::UnwindReason::Error(error) => from_host_error(error),
        vm::UnwindReason::Exception => Error::from(ThrownException),
        vm::UnwindReason::Trap {
            trap,
            fault_address,
        } => {
            let error = Error::from(trap);
            match fault_address.and_then(|addr| store.vm().describe_fault(addr)) {
                Some(fault) => error.context(MemoryFault(fault)),
                None => error,
            }
        }
    };
    if let Some(backtrace) = backtrace {
        // An error that went through several guests keeps the innermost backtrace.
        if !error.is::<WasmBacktrace>() {
            let backtrace = WasmBacktrace::resolve(store, &backtrace);
            if !backtrace.frames.is_empty() {
                error = error.context(backtrace);
            }
        }
    }
    error
}

/// Where a memory access went wrong.
#[derive(Debug)]
struct MemoryFault(vm::MemoryFault);

impl fmt::Display for MemoryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "memory fault at wasm address 0x{:x} in linear memory of size 0x{:x}",
            self.0.wasm_address, self.0.memory_size
        )
    }
}

/// The guest frames that were on the stack, innermost first.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module $m (func $f (export "run") unreachable))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
/// let error = run.call(&mut store, ()).unwrap_err();
/// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
/// let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
/// assert_eq!(backtrace.frames()[0].func_name(), Some("f"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct WasmBacktrace {
    frames: Vec<FrameInfo>,
    /// Whether to tell how more could be seen.
    hint: bool,
}

impl WasmBacktrace {
    /// The guest frames on the stack now, of this store; empty when the engine does not record backtraces.
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        let store = store.0.opaque();
        let Some(max) = store.engine().config().wasm_backtrace_max_frames else {
            return WasmBacktrace {
                frames: Vec::new(),
                hint: false,
            };
        };
        let max = max.get();
        WasmBacktrace::resolve(store, &store.vm().backtrace(max))
    }

    /// The same, even when the engine does not record backtraces.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        let store = store.0.opaque();
        WasmBacktrace::resolve(store, &store.vm().backtrace(usize::MAX))
    }

    /// The frames, innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }

    fn resolve(store: &StoreOpaque, backtrace: &vm::Backtrace) -> WasmBacktrace {
        let mut hint = false;
        let frames = backtrace.frames.iter();
        let frames = frames.filter_map(|frame| FrameInfo::resolve(store, frame, &mut hint));
        WasmBacktrace {
            frames: frames.collect(),
            hint,
        }
    }
}

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error while executing at wasm backtrace:")?;
        for (i, frame) in self.frames.iter().enumerate() {
            write!(f, "\n  {i:>3}: ")?;
            if let Some(offset) = frame.module_offset() {
                write!(f, "{offset:#8x} - ")?;
            }
            frame.write_name(f)?;
        }
        if self.hint {
            write!(
                f,
                "\nnote: using the `MEANTIME_BACKTRACE_DETAILS=1` environment variable may show \
                 more debugging information"
            )?;
        }
        Ok(())
    }
}

/// One guest frame of a [`WasmBacktrace`].
#[derive(Debug)]
pub struct FrameInfo {
    module: Module,
    func_index: u32,
    func_name: Option<String>,
    func_start: Option<u32>,
    module_offset: Option<u32>,
    symbols: Vec<FrameSymbol>,
}

impl FrameInfo {
    fn resolve(store: &StoreOpaque, frame: &vm::Frame, hint: &mut bool) -> Option<FrameInfo> {
        let module = Module::of_code(&frame.code)?;
        let func_name = module.func_name(frame.func).map(str::to_owned);
        let func_start = module.func_start(frame.func);
        let mut symbols = Vec::new();
        if let Some(offset) = frame.wasm_offset {
            if store.engine().config().wasm_backtrace_details {
                symbols = module.symbolize(offset);
            } else {
                *hint |= store.engine().config().wasm_backtrace_details_env_used
                    && module.has_debug_info();
            }
        }
        Some(FrameInfo {
            func_index: frame.func.as_u32(),
            module_offset: frame.wasm_offset,
            module,
            func_name,
            func_start,
            symbols,
        })
    }

    /// Index of the function in its module.
    pub fn func_index(&self) -> u32 {
        self.func_index
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Name of the function, from the name section.
    pub fn func_name(&self) -> Option<&str> {
        self.func_name.as_deref()
    }

    /// Offset of the instruction in the module's bytes, when address maps are on.
    pub fn module_offset(&self) -> Option<usize> {
        self.module_offset.map(|offset| offset as usize)
    }

    /// Offset of the instruction in the function's body, when address maps are on.
    pub fn func_offset(&self) -> Option<usize> {
        let offset = self.module_offset?.checked_sub(self.func_start?)?;
        Some(offset as usize)
    }

    /// The source positions, innermost inlined function first, when the module has DWARF and details are on.
    pub fn symbols(&self) -> &[FrameSymbol] {
        &self.symbols
    }

    fn write_name(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = |f: &mut fmt::Formatter<'_>| match &self.func_name {
            Some(name) => demangle(f, name),
            None => write!(f, "<wasm function {}>", self.func_index),
        };
        if self.symbols.is_empty() {
            write!(f, "{}!", self.module.name().unwrap_or("<unknown>"))?;
            return raw(f);
        }
        for (i, symbol) in self.symbols.iter().enumerate() {
            if i > 0 {
                write!(f, "\n                - ")?;
            }
            match symbol.name() {
                Some(name) => demangle(f, name)?,
                None if i == 0 => raw(f)?,
                None => f.write_str("<inlined function>")?,
            }
            if let Some(file) = symbol.file() {
                write!(f, "\n                    at {file}")?;
                if let Some(line) = symbol.line() {
                    write!(f, ":{line}")?;
                    if let Some(column) = symbol.column() {
                        write!(f, ":{column}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes a name as its language spells it.
fn demangle(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return write!(f, "{name:#}");
    }
    let cpp = name
        .starts_with("_Z")
        .then(|| cpp_demangle::Symbol::new(name).ok())
        .flatten();
    let options = cpp_demangle::DemangleOptions::default();
    if let Some(name) = cpp.and_then(|symbol| symbol.demangle(&options).ok()) {
        return f.write_str(&name);
    }
    f.write_str(name)
}

/// A source position of a frame.
#[derive(Debug)]
pub struct FrameSymbol {
    pub(crate) name: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

impl FrameSymbol {
    /// Name of the function in its language.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Source file.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Line, from 1.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// Column, from 1.
    pub fn column(&self) -> Option<u32> {
        self.column
    }
}
