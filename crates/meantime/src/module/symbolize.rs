//! Source positions from DWARF in custom sections.
//!
//! Addresses in a module's DWARF are offsets from the start of the code section's contents.

use crate::FrameSymbol;
use meantime_compile::ArtifactView;
use meantime_module::Module;
use std::sync::{Arc, Mutex};

type Reader = gimli::EndianArcSlice<gimli::LittleEndian>;

/// The DWARF of a module, parsed as far as was asked for.
pub(super) struct Symbols {
    /// Parsing is lazy and changes the context.
    context: Mutex<addr2line::Context<Reader>>,
}

impl Symbols {
    /// None when the module has no DWARF, it was not kept, or it cannot be read.
    pub(super) fn new(view: ArtifactView<'_>) -> Option<Symbols> {
        view.custom_section(".debug_info")?;
        let load = |id: gimli::SectionId| -> Result<Reader, gimli::Error> {
            let bytes = view.custom_section(id.name()).unwrap_or_default();
            Ok(gimli::EndianArcSlice::new(
                Arc::from(bytes),
                gimli::LittleEndian,
            ))
        };
        let dwarf = gimli::Dwarf::load(load).ok()?;
        let context = addr2line::Context::from_dwarf(dwarf).ok()?;
        Some(Symbols {
            context: Mutex::new(context),
        })
    }

    pub(super) fn find(&self, env: &Module, offset: u32) -> Vec<FrameSymbol> {
        let mut symbols = Vec::new();
        let Some(address) = offset.checked_sub(env.code_section_start()) else {
            return symbols;
        };
        let context = self
            .context
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Ok(mut frames) = context.find_frames(address.into()).skip_all_loads() else {
            return symbols;
        };
        while let Ok(Some(frame)) = frames.next() {
            let name = frame
                .function
                .as_ref()
                .and_then(|f| f.raw_name().ok().map(|n| n.to_string()));
            let location = frame.location.as_ref();
            symbols.push(FrameSymbol {
                name,
                file: location.and_then(|l| l.file).map(str::to_owned),
                line: location.and_then(|l| l.line),
                column: location.and_then(|l| l.column),
            });
        }
        symbols
    }
}
