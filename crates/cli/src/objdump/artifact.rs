//! What is in a `.cwasm` file, as far as a reader of its code wants to know: the functions' names and bytes, and notes on places in them.
//! Not the file's format, which is the compiler's; this is the only file of the command that knows the compiler.

use meantime::{Result, bail};
use meantime_abi::{FuncKey, HandlerKind, Point, SideTable};
use meantime_compile::{ArtifactView, LoadedArtifact, Symbol};

/// A compiled module.
#[derive(Debug)]
pub struct Artifact {
    /// The machine that its code is for.
    pub machine: Machine,
    /// The functions, by where they lie.
    pub functions: Vec<Function>,
}

/// A machine whose code can be disassembled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Machine {
    /// x86 with 64 bits.
    X86_64,
    /// Arm with 64 bits.
    Aarch64,
}

/// A function's code.
#[derive(Debug)]
pub struct Function {
    /// Its symbol.
    pub name: String,
    /// What it is for.
    pub kind: FunctionKind,
    /// Its distance from the beginning of the code.
    pub offset: u64,
    /// Its bytes.
    pub code: Vec<u8>,
    /// What is known of places in it, by where they are.
    pub notes: Vec<Note>,
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FunctionKind {
    /// A function of the module.
    Wasm,
    /// A way between the module and its host.
    Trampoline,
}

/// Something known of a place in a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The place, as its distance from the beginning of the function.
    pub offset: u64,
    /// Whether it is about the instruction that ends at the place, a call known by where it returns to; not the one that begins there.
    pub is_of_call: bool,
    /// What kind of thing is known.
    pub kind: NoteKind,
    /// The thing, in words.
    pub text: String,
}

/// What kind of thing is known of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// Which Wasm instruction the code comes from.
    AddressMap,
    /// What trap happens there.
    Trap,
    /// Which stack slots hold references.
    StackMap,
    /// Where an exception goes on.
    ExceptionTable,
}

impl Note {
    /// Whether the note is about an instruction that ends at this distance from the beginning of the function, or one before.
    pub fn is_up_to(&self, end: u64) -> bool {
        self.offset < end || (self.offset == end && self.is_of_call)
    }
}

impl Artifact {
    /// Reads a file, for whatever machine and settings it was made.
    ///
    /// # Errors
    ///
    /// The bytes are not a compiled module, are damaged, or are for a machine that cannot be disassembled.
    pub fn read(bytes: &[u8]) -> Result<Artifact> {
        let loaded = LoadedArtifact::parse_any_host(bytes)?;
        let view = loaded.view(bytes);
        let triple = &view.info().triple;
        let machine = match triple.split('-').next() {
            Some("x86_64") => Machine::X86_64,
            Some("aarch64") => Machine::Aarch64,
            _ => bail!("its code is for {triple}, which cannot be disassembled"),
        };
        let functions = view
            .symbols()
            .map(|symbol| function(&view, symbol))
            .collect();
        Ok(Artifact { machine, functions })
    }
}

fn function(view: &ArtifactView<'_>, symbol: Symbol<'_>) -> Function {
    Function {
        name: symbol.name,
        kind: match symbol.record.key {
            FuncKey::Func(_) => FunctionKind::Wasm,
            FuncKey::Trampoline(..) => FunctionKind::Trampoline,
        },
        offset: u64::from(symbol.record.code.start),
        code: symbol.code.to_vec(),
        notes: symbol
            .side_table
            .map(|table| notes(view, &table))
            .unwrap_or_default(),
    }
}

/// Everything that a side table says, by place.
fn notes(view: &ArtifactView<'_>, table: &SideTable<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    for point in table.points() {
        let mut note = |kind, text| {
            notes.push(Note {
                offset: u64::from(point.code_offset),
                is_of_call: point.trap.is_none(),
                kind,
                text,
            })
        };
        if let Some(text) = address(view, table, &point) {
            note(NoteKind::AddressMap, text);
        }
        if let Some(trap) = point.trap {
            note(NoteKind::Trap, format!("trap: {trap:?}"));
            continue;
        }
        if let Some(slots) = table.stack_map(point.code_offset) {
            let slots: Vec<_> = slots.map(|slot| format!("fp-{slot:#x}")).collect();
            note(
                NoteKind::StackMap,
                format!("stack_map: {}", slots.join(", ")),
            );
        }
        for handler in table.handlers(point.code_offset) {
            let what = match handler.kind {
                HandlerKind::Tag(tag) => format!("tag {}", tag.as_u32()),
                HandlerKind::All => "all".to_string(),
            };
            note(
                NoteKind::ExceptionTable,
                format!("exception handler: {what} -> +{:#x}", handler.landing),
            );
        }
    }
    notes
}

/// The Wasm instruction of a point, and for an inlined one, the calls that it was inlined through.
fn address(view: &ArtifactView<'_>, table: &SideTable<'_>, point: &Point) -> Option<String> {
    let mut text = format!("addrmap: {:#x}", point.wasm_offset?);
    let mut inline = point.inline;
    // A parent's index is always smaller, so this ends.
    while let Some(frame) = inline.and_then(|index| table.inline_frame(index)) {
        let name = view.module().func_name(frame.func);
        let name = name.map_or_else(
            || format!("function[{}]", frame.func.as_u32()),
            str::to_string,
        );
        text.push_str(&format!(" in `{}`", name.escape_debug()));
        if let Some(call) = frame.call_wasm_offset {
            text.push_str(&format!(", inlined at {call:#x}"));
        }
        inline = frame.parent;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_artifact() {
        for bytes in [
            &b""[..],
            b"\x7fELF",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            b"\0asm\x01\0\0\0",
        ] {
            assert!(Artifact::read(bytes).is_err());
        }
    }

    #[test]
    fn places_of_calls_are_after_them() {
        let note = |is_of_call| Note {
            offset: 8,
            is_of_call,
            kind: NoteKind::AddressMap,
            text: String::new(),
        };
        assert!(!note(false).is_up_to(8) && note(false).is_up_to(9));
        assert!(note(true).is_up_to(8) && !note(true).is_up_to(7));
    }
}
