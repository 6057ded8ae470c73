//! `meantime objdump`: shows the machine code of a `.cwasm` file.

use crate::objdump::artifact::{Artifact, FunctionKind, NoteKind};
use crate::objdump::print::{self, Layout};
use crate::options::not_supported;
use crate::report::Usage;
use crate::{colour, input, output};
use clap::builder::BoolishValueParser;
use meantime::Result;
use meantime::error::Context;
use std::path::PathBuf;

/// Disassemble a .cwasm file
#[derive(clap::Args, Debug)]
pub struct ObjdumpCommand {
    /// Show the address of each instruction
    #[arg(long)]
    addresses: bool,

    /// Show the addresses of instructions that are jumped to
    #[arg(long)]
    address_jumps: bool,

    /// Show the bytes of each instruction
    #[arg(long)]
    bytes: bool,

    /// Which functions to show; may be repeated [default: wasm]
    #[arg(long, value_name = "KIND")]
    funcs: Vec<Functions>,

    /// Show only functions whose name has this in it
    #[arg(long, value_name = "STR")]
    filter: Option<String>,

    /// Whether to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: When,

    /// Columns for addresses
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u8))]
    address_width: u8,

    #[command(flatten)]
    notes: Notes,

    /// The file [default: stdin]
    #[arg(value_name = "CWASM")]
    cwasm: Option<PathBuf>,
}

/// What else to show.
#[derive(clap::Args, Debug)]
struct Notes {
    /// Show which Wasm instruction code comes from
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    addrmap: bool,

    /// Show where code can trap
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    traps: bool,

    /// Show where references are on the stack
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    stack_maps: bool,

    /// Show where exceptions are caught
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    exception_tables: bool,

    /// Show what debuggers need to know of frames (not supported yet)
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    frame_tables: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Functions {
    All,
    Wasm,
    Trampoline,
    Builtin,
    Libcall,
}

impl Functions {
    fn kinds(self) -> &'static [FunctionKind] {
        match self {
            Functions::All => &[FunctionKind::Wasm, FunctionKind::Trampoline],
            Functions::Wasm => &[FunctionKind::Wasm],
            Functions::Trampoline => &[FunctionKind::Trampoline],
            // What is built into the runtime is called where it lies, so no file has code of these kinds.
            Functions::Builtin | Functions::Libcall => &[],
        }
    }
}

impl ObjdumpCommand {
    /// Reads the file and prints its functions.
    pub fn execute(self) -> Result<i32> {
        if self.notes.frame_tables {
            return Err(Usage(not_supported("--frame-tables")).into());
        }
        let path = self.cwasm.unwrap_or_else(|| PathBuf::from("-"));
        let name = input::name(&path);
        let bytes = input::any_bytes(&path)?;
        let artifact =
            Artifact::read(&bytes).with_context(|| format!("{name} is not a .cwasm file"))?;
        let palette = match self.color {
            When::Auto => colour::palette(&std::io::stdout()),
            When::Always => colour::COLOURED,
            When::Never => colour::PLAIN,
        };
        let kinds = if self.funcs.is_empty() {
            &[Functions::Wasm][..]
        } else {
            &self.funcs
        };
        let layout = Layout {
            addresses: self.addresses,
            address_jumps: self.address_jumps,
            bytes: self.bytes,
            kinds: kinds
                .iter()
                .flat_map(|functions| functions.kinds())
                .copied()
                .collect(),
            filter: self.filter,
            address_width: usize::from(self.address_width),
            notes: self.notes.kinds(),
        };
        output::print(|out| print::print(&artifact, &layout, &palette, out))?;
        Ok(0)
    }
}

impl Notes {
    fn kinds(&self) -> Vec<NoteKind> {
        let all = [
            (self.addrmap, NoteKind::AddressMap),
            (self.traps, NoteKind::Trap),
            (self.stack_maps, NoteKind::StackMap),
            (self.exception_tables, NoteKind::ExceptionTable),
        ];
        all.into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, kind)| kind)
            .collect()
    }
}
