//! How disassembled functions are laid out: a line for each instruction, with notes above or below the one they are about.

use super::artifact::{Artifact, Function, FunctionKind, NoteKind};
use super::disassemble::{Instruction, disassemble, hex};
use crate::colour::{Palette, Style};
use std::collections::HashSet;
use std::io::{self, Write};

/// What to show.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Whether each line has its address.
    pub addresses: bool,
    /// Whether lines that are jumped to have their address.
    pub address_jumps: bool,
    /// Whether instructions are shown as bytes, too.
    pub bytes: bool,
    /// The kinds of functions to show.
    pub kinds: Vec<FunctionKind>,
    /// A part of the names of functions to show.
    pub filter: Option<String>,
    /// Columns for an address.
    pub address_width: usize,
    /// The kinds of notes to show.
    pub notes: Vec<NoteKind>,
}

/// Prints the functions that are asked for.
pub fn print(
    artifact: &Artifact,
    layout: &Layout,
    palette: &Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let wanted = |function: &&Function| {
        let named = layout
            .filter
            .as_ref()
            .is_none_or(|part| function.name.contains(part.as_str()));
        named && layout.kinds.contains(&function.kind)
    };
    for (index, function) in artifact.functions.iter().filter(wanted).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let Style(before, after) = palette.name;
        writeln!(out, "{before}{}{after}:", function.name)?;
        let instructions = disassemble(artifact.machine, function.offset, &function.code);
        print_function(function, &instructions, layout, palette, out)?;
    }
    Ok(())
}

fn print_function(
    function: &Function,
    instructions: &[Instruction],
    layout: &Layout,
    palette: &Palette,
    out: &mut dyn Write,
) -> io::Result<()> {
    let targets: HashSet<u64> = instructions
        .iter()
        .filter_map(|instruction| instruction.target)
        .collect();
    let mut notes = function
        .notes
        .iter()
        .filter(|note| layout.notes.contains(&note.kind))
        .peekable();
    let width = layout.address_width;
    for instruction in instructions {
        let offset = instruction.address - function.offset;
        let end = offset + instruction.length as u64;
        // Notes are sorted; those about this instruction are next.
        let mut after_line = Vec::new();
        while let Some(note) = notes.next_if(|note| note.is_up_to(end)) {
            match note.kind {
                NoteKind::AddressMap => print_note(out, layout, palette, "╭─╼", &note.text)?,
                _ => after_line.push(note),
            }
        }
        let shows_address =
            layout.addresses || (layout.address_jumps && targets.contains(&instruction.address));
        let Style(before, after) = palette.dim;
        if shows_address {
            write!(out, "{before}{:>width$x}:{after} ", instruction.address)?;
        } else {
            write!(out, "{:width$}  ", "")?;
        }
        if layout.bytes {
            let begin = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = function
                .code
                .get(begin..)
                .and_then(|code| code.get(..instruction.length))
                .unwrap_or_default();
            write!(out, "{before}{:<32}{after}", hex(bytes, " "))?;
        }
        writeln!(out, "{}", instruction.text)?;
        for note in after_line {
            print_note(out, layout, palette, "╰─╼", &note.text)?;
        }
    }
    // What returns past the last instruction, such as a call that does not, is still worth showing.
    for note in notes {
        print_note(out, layout, palette, "╰─╼", &note.text)?;
    }
    Ok(())
}

fn print_note(
    out: &mut dyn Write,
    layout: &Layout,
    palette: &Palette,
    arrow: &str,
    text: &str,
) -> io::Result<()> {
    let width = layout.address_width;
    let Style(before, after) = palette.note;
    writeln!(out, "{:width$}  {before}{arrow} {text}{after}", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour;
    use crate::objdump::artifact::{Machine, Note};

    #[test]
    fn lines_notes_and_addresses() {
        // jmp to the next instruction; ud2; ret
        let function = Function {
            name: "f".to_string(),
            kind: FunctionKind::Wasm,
            offset: 0x40,
            code: vec![0xeb, 0x00, 0x0f, 0x0b, 0xc3],
            notes: vec![
                Note {
                    offset: 0,
                    is_of_call: false,
                    kind: NoteKind::AddressMap,
                    text: "addrmap: 0x1".to_string(),
                },
                Note {
                    offset: 2,
                    is_of_call: false,
                    kind: NoteKind::Trap,
                    text: "trap: unreachable".to_string(),
                },
                Note {
                    offset: 5,
                    is_of_call: true,
                    kind: NoteKind::StackMap,
                    text: "stack_map: 8".to_string(),
                },
            ],
        };
        let other = Function {
            name: "g".to_string(),
            kind: FunctionKind::Trampoline,
            offset: 0,
            code: vec![],
            notes: vec![],
        };
        let artifact = Artifact {
            machine: Machine::X86_64,
            functions: vec![function, other],
        };
        let mut layout = Layout {
            addresses: false,
            address_jumps: true,
            bytes: true,
            kinds: vec![FunctionKind::Wasm],
            filter: None,
            address_width: 4,
            notes: vec![NoteKind::AddressMap, NoteKind::Trap, NoteKind::StackMap],
        };
        let shown = |layout: &Layout| {
            let mut out = Vec::new();
            print(&artifact, layout, &colour::PLAIN, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = shown(&layout);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "f:");
        assert_eq!(lines[1], "      ╭─╼ addrmap: 0x1");
        assert!(
            lines[2].starts_with("      eb 00 ") && lines[2].ends_with("0x42"),
            "{text}"
        );
        assert!(
            lines[3].starts_with("  42: 0f 0b ") && lines[3].ends_with("ud2"),
            "{text}"
        );
        assert_eq!(lines[4], "      ╰─╼ trap: unreachable");
        assert!(lines[5].starts_with("      c3 "), "{text}");
        assert_eq!(lines[6], "      ╰─╼ stack_map: 8");
        assert_eq!(lines.len(), 7);

        layout.filter = Some("nothing".to_string());
        assert_eq!(shown(&layout), "");
    }
}
