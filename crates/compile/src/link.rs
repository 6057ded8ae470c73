//! Linking: all pieces of code one after the other in one text, with the distances between them patched in.
//!
//! The one idea: the text needs nothing patched when it is loaded, at whatever address, so it can be mapped from a file. A branch of
//! AArch64 reaches 128 MiB; where a text may become larger, groups of functions end with an island of veneers, through which they call what is farther
//! away. Pieces are taken one by one, so that none has to be kept once it is in the text.

use crate::{CompileError, TextMemory};
use meantime_abi::entity::EntityRef;
use meantime_abi::{CompiledFunction, Relocation, RelocationKind};
use meantime_module::Module;
use std::collections::HashMap;
use std::ops::Range;
use target_lexicon::{Architecture, Triple};

/// Where the code of a whole module lies, and its tables.
#[derive(Default)]
pub(crate) struct Linked {
    /// Where each piece lies in the text.
    pub(crate) placed: Vec<Range<u32>>,
    pub(crate) side: Vec<u8>,
    /// Where each piece's side table lies.
    pub(crate) sides: Vec<Range<u32>>,
}

/// How far a direct branch reaches, in bytes either way, and how large a text may be.
#[derive(Copy, Clone)]
struct Reach {
    branch26: u32,
    text: u32,
}

const REACH: Reach = Reach {
    branch26: 128 << 20,
    text: i32::MAX as u32,
};

/// The least alignment of a piece of code.
const MIN_ALIGN: u32 = 16;
/// The text itself is aligned to a page, so no piece can need more than this.
const MAX_ALIGN: u32 = 4096;

/// Where the page-aligned parts of an artifact may start, on this target: a multiple of every page size that its hosts use.
pub(crate) fn page_align(triple: &Triple) -> u32 {
    match triple.architecture {
        Architecture::Aarch64(_) => 64 << 10,
        _ => 4 << 10,
    }
}

fn error(message: impl Into<String>) -> CompileError {
    CompileError {
        message: message.into(),
        unsupported: false,
        offset: None,
    }
}

/// What a veneer leads to: a piece, and a distance from its start.
type Target = (usize, i64);

/// Pieces that share an island of veneers.
#[derive(Default)]
struct Group {
    /// Where it begins.
    start: u32,
    pieces: Range<usize>,
    relocations: Range<usize>,
    /// Whether there are branches of a short reach among these.
    branches: bool,
    veneers: HashMap<Target, u32>,
}

/// Takes the pieces one by one, of which the first are the module's defined functions in order, and patches them when all are there.
pub(crate) struct Linker<'a> {
    text: &'a mut dyn TextMemory,
    imports: usize,
    functions: usize,
    reach: Reach,
    filler: u8,
    linked: Linked,
    /// Of all pieces, with offsets in the text.
    relocations: Vec<Relocation>,
    /// Those that are complete, and the one that is not.
    groups: Vec<Group>,
    open: Group,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(
        module: &Module,
        triple: &Triple,
        text: &'a mut dyn TextMemory,
    ) -> Linker<'a> {
        // A breakpoint on x86, a permanently undefined instruction on AArch64.
        let filler = match triple.architecture {
            Architecture::Aarch64(_) => 0x00,
            _ => 0xcc,
        };
        let imports = module.counts().func_imports as usize;
        // Code is about twice as long as what it is compiled from, its tables half as long again; what is not used is given back.
        let bodies: usize = module.bodies().values().map(|b| b.range.len()).sum();
        text.reserve(2 * bodies);
        let mut linker = Linker::with_reach(imports, module.bodies().len(), REACH, filler, text);
        linker.linked.side.reserve(2 * bodies);
        linker
    }

    fn with_reach(
        imports: usize,
        functions: usize,
        reach: Reach,
        filler: u8,
        text: &'a mut dyn TextMemory,
    ) -> Linker<'a> {
        Linker {
            text,
            imports,
            functions,
            reach,
            filler,
            linked: Linked::default(),
            relocations: Vec::new(),
            groups: Vec::new(),
            open: Group::default(),
        }
    }

    /// Puts a piece after those before.
    ///
    /// # Errors
    ///
    /// When there is too much code, or the piece makes no sense.
    pub(crate) fn add(&mut self, piece: &CompiledFunction) -> Result<(), CompileError> {
        // Groups are half as large as a branch reaches, so that each reaches the island.
        let end = self.text.bytes().len() as u64 + piece.code.len() as u64 + u64::from(MAX_ALIGN);
        let far = end - u64::from(self.open.start) > u64::from(self.reach.branch26 / 2);
        let branches = piece.relocations.iter().any(is_branch);
        if far && (self.open.branches || branches) && !self.open.pieces.is_empty() {
            self.end_group()?;
        }
        self.open.branches |= branches;
        let placed = self.place(piece)?;
        for relocation in &piece.relocations {
            let offset = u64::from(placed.start) + u64::from(relocation.offset);
            if offset + 4 > u64::from(placed.end) {
                return Err(outside());
            }
            self.relocations.push(Relocation {
                offset: offset as u32,
                ..*relocation
            });
        }
        self.linked.placed.push(placed);
        self.open.pieces.end += 1;
        self.open.relocations.end = self.relocations.len();
        self.add_side_table(&piece.side_table)
    }

    /// Patches all pieces.
    ///
    /// # Errors
    ///
    /// When one refers to what is not there, or is out of its reach.
    pub(crate) fn finish(mut self) -> Result<Linked, CompileError> {
        self.end_group()?;
        let groups = std::mem::take(&mut self.groups);
        for group in &groups {
            self.fill_island(group)?;
            for i in group.relocations.clone() {
                self.relocate(group, i)?;
            }
        }
        let mut linked = self.linked;
        linked.side.shrink_to_fit();
        Ok(linked)
    }

    fn place(&mut self, piece: &CompiledFunction) -> Result<Range<u32>, CompileError> {
        let align = piece.align.max(MIN_ALIGN);
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(error(format!("code cannot be aligned to {align} bytes")));
        }
        let start = self.text.bytes().len().next_multiple_of(align as usize);
        self.fill(start)?;
        self.text.append(&piece.code).map_err(no_memory)?;
        self.range(start)
    }

    /// Fills the text up to a length.
    fn fill(&mut self, len: usize) -> Result<(), CompileError> {
        let filler = [self.filler; MIN_ALIGN as usize];
        while let Some(rest @ 1..) = len.checked_sub(self.text.bytes().len()) {
            let part = &filler[..rest.min(filler.len())];
            self.text.append(part).map_err(no_memory)?;
        }
        Ok(())
    }

    /// From a place to the end of the text.
    fn range(&self, start: usize) -> Result<Range<u32>, CompileError> {
        match (u32::try_from(start), u32::try_from(self.text.bytes().len())) {
            (Ok(start), Ok(end)) if end <= self.reach.text => Ok(start..end),
            _ => Err(error(
                "the machine code of the module exceeds the limit of 2 GiB",
            )),
        }
    }

    fn add_side_table(&mut self, table: &[u8]) -> Result<(), CompileError> {
        let start = self.linked.side.len();
        self.linked.side.extend_from_slice(table);
        let end = self.linked.side.len();
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
            return Err(error(
                "the side tables of the module exceed the limit of 4 GiB",
            ));
        };
        self.linked.sides.push(start..end);
        Ok(())
    }

    /// The piece that is a function.
    fn target(&self, relocation: &Relocation) -> Result<Target, CompileError> {
        match relocation.target.index().checked_sub(self.imports) {
            Some(piece) if piece < self.functions => Ok((piece, relocation.addend)),
            _ => Err(error(format!(
                "code refers directly to function {}, which the module does not define",
                relocation.target.as_u32()
            ))),
        }
    }

    /// Ends the group, with room for a veneer for everything outside of it that a branch in it goes to. Where the next ones will be is not known, so that
    /// one may turn out not to be needed.
    fn end_group(&mut self) -> Result<(), CompileError> {
        let mut group = std::mem::take(&mut self.open);
        for i in group.relocations.clone().filter(|_| group.branches) {
            let relocation = self.relocations[i];
            if !is_branch(&relocation) {
                continue;
            }
            let target = self.target(&relocation)?;
            if group.pieces.contains(&target.0) || group.veneers.contains_key(&target) {
                continue;
            }
            let start = self.text.bytes().len().next_multiple_of(4);
            self.fill(start + VENEER_SIZE)?;
            group.veneers.insert(target, self.range(start)?.start);
        }
        self.open = Group {
            start: self.text.bytes().len() as u32,
            pieces: group.pieces.end..group.pieces.end,
            relocations: group.relocations.end..group.relocations.end,
            ..Group::default()
        };
        self.groups.push(group);
        Ok(())
    }

    fn start_of(&self, (piece, addend): Target) -> Result<i64, CompileError> {
        let placed = self.linked.placed.get(piece);
        let placed = placed.ok_or_else(|| error("code refers to a function without code"))?;
        // It is below 2 GiB, and an addend is a few bytes.
        Ok(i64::from(placed.start).saturating_add(addend))
    }

    fn fill_island(&mut self, group: &Group) -> Result<(), CompileError> {
        for (target, at) in &group.veneers {
            let from = i64::from(*at) + VENEER_BASE;
            let distance = self.start_of(*target)? - from;
            let distance = i32::try_from(distance).map_err(|_| out_of_reach())?;
            let at = *at as usize;
            self.text.bytes_mut()[at..at + VENEER_SIZE].copy_from_slice(&veneer(distance));
        }
        Ok(())
    }

    fn relocate(&mut self, group: &Group, index: usize) -> Result<(), CompileError> {
        let relocation = self.relocations[index];
        let place = relocation.offset as usize;
        let target = self.target(&relocation)?;
        let distance = self.start_of(target)? - place as i64;
        let distance = match relocation.kind {
            RelocationKind::Aarch64Branch26 if !self.reaches(distance) => {
                let veneer = group.veneers.get(&target).ok_or_else(out_of_reach)?;
                i64::from(*veneer) - place as i64
            }
            _ => distance,
        };
        let text = self.text.bytes_mut();
        write_distance(text, place, relocation.kind, distance, self.reach.branch26)
    }

    fn reaches(&self, distance: i64) -> bool {
        let reach = i64::from(self.reach.branch26);
        (-reach..reach).contains(&distance)
    }
}

/// Whether it is of the kind whose reach is short.
fn is_branch(relocation: &Relocation) -> bool {
    relocation.kind == RelocationKind::Aarch64Branch26
}

fn no_memory(why: std::io::Error) -> CompileError {
    error(format!(
        "no memory for the machine code of the module: {why}"
    ))
}

fn outside() -> CompileError {
    error("a relocation lies outside of its function")
}

/// Patches a place in code with the distance from there to what it refers to, the addend included.
///
/// # Errors
///
/// When that is out of the instruction's reach or not aligned, or the place is outside of the code.
pub fn patch_distance(
    code: &mut [u8],
    relocation: &Relocation,
    distance: i64,
) -> Result<(), CompileError> {
    let place = relocation.offset as usize;
    write_distance(code, place, relocation.kind, distance, REACH.branch26)
}

fn write_distance(
    text: &mut [u8],
    place: usize,
    kind: RelocationKind,
    distance: i64,
    branch26: u32,
) -> Result<(), CompileError> {
    let Some(word) = text.get_mut(place..).and_then(|t| t.first_chunk_mut::<4>()) else {
        return Err(outside());
    };
    let old = u32::from_le_bytes(*word);
    let new = match kind {
        RelocationKind::X86Pc32 => i32::try_from(distance).map_err(|_| out_of_reach())? as u32,
        RelocationKind::Aarch64Branch26 => {
            let reach = i64::from(branch26);
            if !(-reach..reach).contains(&distance) {
                return Err(out_of_reach());
            }
            if distance % 4 != 0 {
                return Err(error("a branch goes to an address that is not aligned"));
            }
            (old & !BRANCH26_MASK) | ((distance >> 2) as u32 & BRANCH26_MASK)
        }
    };
    *word = new.to_le_bytes();
    Ok(())
}

fn out_of_reach() -> CompileError {
    error("a call is out of reach: the machine code of the module is too large")
}

/// The bits of an AArch64 `b` or `bl` that hold the distance.
const BRANCH26_MASK: u32 = (1 << 26) - 1;
const VENEER_SIZE: usize = 20;
/// What a veneer's distance counts from, from its start: the distance itself.
const VENEER_BASE: i64 = 16;

/// AArch64 code that jumps `distance` bytes from its last word, using the two registers that calls may always change.
fn veneer(distance: i32) -> [u8; VENEER_SIZE] {
    const LDRSW_X16_PC_16: u32 = 0x9800_0090;
    const ADR_X17_PC_12: u32 = 0x1000_0071;
    const ADD_X16_X16_X17: u32 = 0x8b11_0210;
    const BR_X16: u32 = 0xd61f_0200;
    let words = [
        LDRSW_X16_PC_16,
        ADR_X17_PC_12,
        ADD_X16_X16_X17,
        BR_X16,
        distance as u32,
    ];
    let mut bytes = [0; VENEER_SIZE];
    for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::FuncIndex;

    fn piece(len: usize, relocations: &[(u32, RelocationKind, u32, i64)]) -> CompiledFunction {
        let mut code = vec![0; len];
        for (offset, kind, ..) in relocations {
            if *kind == RelocationKind::Aarch64Branch26 {
                // `bl`
                code[*offset as usize + 3] = 0x94;
            }
        }
        CompiledFunction {
            code,
            align: 16,
            relocations: relocations
                .iter()
                .map(|(offset, kind, target, addend)| Relocation {
                    offset: *offset,
                    kind: *kind,
                    target: FuncIndex::from_u32(*target),
                    addend: *addend,
                })
                .collect(),
            side_table: vec![len as u8; 4],
        }
    }

    fn link(pieces: &[CompiledFunction], reach: Reach) -> Result<(Vec<u8>, Linked), CompileError> {
        let mut text = Vec::new();
        let mut linker = Linker::with_reach(0, pieces.len(), reach, 0xcc, &mut text);
        for piece in pieces {
            linker.add(piece)?;
        }
        let linked = linker.finish()?;
        Ok((text, linked))
    }

    fn word(text: &[u8], at: u32) -> u32 {
        let at = at as usize;
        u32::from_le_bytes(text[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn x86_calls_are_relative_to_the_next_instruction() {
        use RelocationKind::X86Pc32;
        let pieces = [
            piece(40, &[(1, X86Pc32, 1, -4), (20, X86Pc32, 0, -4)]),
            piece(7, &[(3, X86Pc32, 0, -4)]),
        ];
        let (text, linked) = link(&pieces, REACH).unwrap();
        assert_eq!(linked.placed, [0..40, 48..55]);
        assert_eq!(word(&text, 1) as i32, 48 - 4 - 1);
        assert_eq!(word(&text, 20) as i32, -4 - 20);
        assert_eq!(word(&text, 48 + 3) as i32, -4 - 48 - 3);
        assert_eq!(text[40..48], [0xcc; 8]);
        assert_eq!((linked.side.len(), &linked.sides[1]), (8, &(4..8)));
    }

    #[test]
    fn aarch64_branches_keep_their_opcode() {
        use RelocationKind::Aarch64Branch26;
        let pieces = [
            piece(16, &[(8, Aarch64Branch26, 1, 0)]),
            piece(16, &[(4, Aarch64Branch26, 0, 0)]),
        ];
        let (text, _) = link(&pieces, REACH).unwrap();
        assert_eq!(word(&text, 8), 0x9400_0002);
        assert_eq!(
            word(&text, 20),
            0x9400_0000 | ((-20i32 >> 2) as u32 & BRANCH26_MASK)
        );
    }

    /// Follows a `bl` at `at`, through a veneer if it leads to one.
    fn follow(text: &[u8], at: u32) -> i64 {
        let word_at = word(text, at);
        assert_eq!(word_at >> 26, 0b100101, "not a bl");
        let to = i64::from(at) + (i64::from(((word_at << 6) as i32) >> 6) << 2);
        let first = word(text, to as u32);
        if first != 0x9800_0090 {
            return to;
        }
        let distance = word(text, to as u32 + 16) as i32;
        to + VENEER_BASE + i64::from(distance)
    }

    #[test]
    fn far_aarch64_branches_go_through_veneers() {
        use RelocationKind::Aarch64Branch26;
        let reach = Reach {
            branch26: 512,
            text: 1 << 20,
        };
        // Each calls the first, its neighbour and the last.
        let pieces: Vec<_> = (0..40u32)
            .map(|i| {
                let calls = [
                    (0, Aarch64Branch26, 0, 0),
                    (4, Aarch64Branch26, (i + 1).min(39), 0),
                    (8, Aarch64Branch26, 39, 0),
                    (12, Aarch64Branch26, 39, 0),
                ];
                piece(64, &calls)
            })
            .collect();
        let (text, linked) = link(&pieces, reach).unwrap();
        let mut veneers = 0;
        for (i, range) in linked.placed.iter().enumerate() {
            let start_of = |i: usize| i64::from(linked.placed[i].start);
            assert_eq!(follow(&text, range.start), start_of(0));
            assert_eq!(follow(&text, range.start + 4), start_of((i + 1).min(39)));
            assert_eq!(follow(&text, range.start + 8), start_of(39));
            assert_eq!(follow(&text, range.start + 12), start_of(39));
            let direct = i64::from(range.start) + 8 - start_of(39);
            veneers += usize::from(!(-512..512).contains(&direct));
        }
        assert!(veneers > 20);
    }

    #[test]
    fn what_cannot_be_linked_is_an_error() {
        use RelocationKind::*;
        let small = Reach {
            branch26: 64,
            text: 4096,
        };
        let undefined = [piece(16, &[(0, X86Pc32, 7, -4)])];
        let outside = [piece(16, &[(13, X86Pc32, 0, -4)])];
        let far = [piece(16, &[(0, X86Pc32, 0, 1 << 40)])];
        let odd = [piece(16, &[(0, Aarch64Branch26, 0, 2)])];
        // The function alone is larger than a branch reaches, so its own end is too far away.
        let large = [piece(400, &[(0, Aarch64Branch26, 1, 0)]), piece(16, &[])];
        let too_much = [piece(5000, &[])];
        let mut misaligned = [piece(16, &[])];
        misaligned[0].align = 48;
        for (pieces, message) in [
            (&undefined[..], "does not define"),
            (&outside, "outside of its function"),
            (&far, "out of reach"),
            (&odd, "not aligned"),
            (&large, "out of reach"),
            (&too_much, "exceeds the limit"),
            (&misaligned, "cannot be aligned"),
        ] {
            let error = link(pieces, small).err().expect(message);
            assert!(error.message.contains(message), "{}", error.message);
        }
    }
}
