//! Linking: all pieces of code one after the other in one text, with the distances between them patched in.
//!
//! The one idea: the text needs nothing patched when it is loaded, at whatever address, so it can be mapped from a file. A branch of
//! AArch64 reaches 128 MiB; where a text is larger, groups of functions end with an island of veneers, through which they call what is farther away.

use crate::CompileError;
use meantime_abi::entity::EntityRef;
use meantime_abi::{CompiledFunction, FuncIndex, Relocation, RelocationKind};
use meantime_module::Module;
use std::collections::HashMap;
use std::ops::Range;
use target_lexicon::{Architecture, Triple};

/// Code and tables of a whole module.
pub(crate) struct Linked {
    pub(crate) text: Vec<u8>,
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

/// Lays out and patches the pieces, of which the first are the module's defined functions in order.
pub(crate) fn link(
    module: &Module,
    triple: &Triple,
    pieces: &[CompiledFunction],
) -> Result<Linked, CompileError> {
    let imports = module.counts().func_imports;
    let functions = module.bodies().len();
    let piece_of = |func: FuncIndex| {
        let defined = func.index().checked_sub(imports as usize)?;
        (defined < functions).then_some(defined)
    };
    Linker {
        piece_of: &piece_of,
        pieces,
        reach: REACH,
        // A breakpoint on x86, a permanently undefined instruction on AArch64.
        filler: match triple.architecture {
            Architecture::Aarch64(_) => 0x00,
            _ => 0xcc,
        },
    }
    .link()
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
struct Group {
    pieces: Range<usize>,
    veneers: HashMap<Target, u32>,
}

struct Linker<'a> {
    piece_of: &'a dyn Fn(FuncIndex) -> Option<usize>,
    pieces: &'a [CompiledFunction],
    reach: Reach,
    filler: u8,
}

impl Linker<'_> {
    fn link(&self) -> Result<Linked, CompileError> {
        let size = |p: &CompiledFunction| p.code.len() + p.align.max(MIN_ALIGN) as usize;
        let mut text = Vec::with_capacity(self.pieces.iter().map(size).sum());
        let mut placed = Vec::with_capacity(self.pieces.len());
        let mut groups = Vec::new();
        for pieces in self.groups() {
            for piece in &self.pieces[pieces.clone()] {
                placed.push(self.place(&mut text, piece)?);
            }
            let veneers = self.reserve_island(&mut text, &pieces)?;
            groups.push(Group { pieces, veneers });
        }
        for group in &groups {
            self.fill_island(&mut text, group, &placed)?;
            for i in group.pieces.clone() {
                for relocation in &self.pieces[i].relocations {
                    self.relocate(&mut text, &placed, group, i, relocation)?;
                }
            }
        }
        let (side, sides) = self.side_tables()?;
        Ok(Linked {
            text,
            placed,
            side,
            sides,
        })
    }

    /// One group if every branch reaches everything; else groups of half of what a branch reaches, so that it reaches the island.
    fn groups(&self) -> Vec<Range<usize>> {
        let branches = |p: &CompiledFunction| {
            p.relocations
                .iter()
                .any(|r| r.kind == RelocationKind::Aarch64Branch26)
        };
        let size = |p: &CompiledFunction| p.code.len() as u64 + u64::from(p.align.max(MIN_ALIGN));
        let all: u64 = self.pieces.iter().map(size).sum();
        if all < u64::from(self.reach.branch26) || !self.pieces.iter().any(branches) {
            let whole = 0..self.pieces.len();
            return vec![whole];
        }
        let mut groups = Vec::new();
        let mut first = 0;
        let mut sum = 0;
        for (i, piece) in self.pieces.iter().enumerate() {
            if i > first && sum + size(piece) > u64::from(self.reach.branch26 / 2) {
                groups.push(first..i);
                first = i;
                sum = 0;
            }
            sum += size(piece);
        }
        groups.push(first..self.pieces.len());
        groups
    }

    fn place(
        &self,
        text: &mut Vec<u8>,
        piece: &CompiledFunction,
    ) -> Result<Range<u32>, CompileError> {
        let align = piece.align.max(MIN_ALIGN);
        if !align.is_power_of_two() || align > MAX_ALIGN {
            return Err(error(format!("code cannot be aligned to {align} bytes")));
        }
        text.resize(text.len().next_multiple_of(align as usize), self.filler);
        let start = text.len();
        text.extend_from_slice(&piece.code);
        self.range(start..text.len())
    }

    fn range(&self, range: Range<usize>) -> Result<Range<u32>, CompileError> {
        match (u32::try_from(range.start), u32::try_from(range.end)) {
            (Ok(start), Ok(end)) if end <= self.reach.text => Ok(start..end),
            _ => Err(error(
                "the machine code of the module exceeds the limit of 2 GiB",
            )),
        }
    }

    fn target(&self, relocation: &Relocation) -> Result<Target, CompileError> {
        match (self.piece_of)(relocation.target) {
            Some(piece) => Ok((piece, relocation.addend)),
            None => Err(error(format!(
                "code refers directly to function {}, which the module does not define",
                relocation.target.as_u32()
            ))),
        }
    }

    /// Makes room for a veneer for everything outside of the group that a branch in it goes to. There is only one group when all is in reach.
    fn reserve_island(
        &self,
        text: &mut Vec<u8>,
        pieces: &Range<usize>,
    ) -> Result<HashMap<Target, u32>, CompileError> {
        let mut veneers = HashMap::new();
        for relocation in self.pieces[pieces.clone()]
            .iter()
            .flat_map(|p| &p.relocations)
        {
            if relocation.kind != RelocationKind::Aarch64Branch26 {
                continue;
            }
            let target = self.target(relocation)?;
            if pieces.contains(&target.0) || veneers.contains_key(&target) {
                continue;
            }
            let start = text.len().next_multiple_of(4);
            text.resize(start + VENEER_SIZE, self.filler);
            veneers.insert(target, self.range(start..text.len())?.start);
        }
        Ok(veneers)
    }

    fn fill_island(
        &self,
        text: &mut [u8],
        group: &Group,
        placed: &[Range<u32>],
    ) -> Result<(), CompileError> {
        for ((piece, addend), at) in &group.veneers {
            let to = i64::from(placed[*piece].start) + addend;
            let from = i64::from(*at) + VENEER_BASE;
            let distance = i32::try_from(to - from).map_err(|_| out_of_reach())?;
            let at = *at as usize;
            text[at..at + VENEER_SIZE].copy_from_slice(&veneer(distance));
        }
        Ok(())
    }

    fn relocate(
        &self,
        text: &mut [u8],
        placed: &[Range<u32>],
        group: &Group,
        piece: usize,
        relocation: &Relocation,
    ) -> Result<(), CompileError> {
        let here = &placed[piece];
        let place = u64::from(here.start) + u64::from(relocation.offset);
        if place + 4 > u64::from(here.end) {
            return Err(error("a relocation lies outside of its function"));
        }
        let target = self.target(relocation)?;
        // Both are below 2 GiB, and an addend is a few bytes.
        let to = i64::from(placed[target.0].start).saturating_add(target.1);
        let distance = to - place as i64;
        let place = place as usize;
        let distance = match relocation.kind {
            RelocationKind::Aarch64Branch26 if !self.reaches(distance) => {
                let veneer = group.veneers.get(&target).ok_or_else(out_of_reach)?;
                i64::from(*veneer) - place as i64
            }
            _ => distance,
        };
        write_distance(text, place, relocation.kind, distance, self.reach.branch26)
    }

    fn reaches(&self, distance: i64) -> bool {
        let reach = i64::from(self.reach.branch26);
        (-reach..reach).contains(&distance)
    }

    fn side_tables(&self) -> Result<(Vec<u8>, Vec<Range<u32>>), CompileError> {
        let size = self.pieces.iter().map(|p| p.side_table.len()).sum();
        let mut all = Vec::with_capacity(size);
        let mut ranges = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces {
            let start = all.len();
            all.extend_from_slice(&piece.side_table);
            match (u32::try_from(start), u32::try_from(all.len())) {
                (Ok(start), Ok(end)) => ranges.push(start..end),
                _ => {
                    return Err(error(
                        "the side tables of the module exceed the limit of 4 GiB",
                    ));
                }
            }
        }
        Ok((all, ranges))
    }
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
        return Err(error("a relocation lies outside of its function"));
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

    fn link(pieces: &[CompiledFunction], reach: Reach) -> Result<Linked, CompileError> {
        let piece_of = |func: FuncIndex| (func.index() < pieces.len()).then_some(func.index());
        Linker {
            piece_of: &piece_of,
            pieces,
            reach,
            filler: 0xcc,
        }
        .link()
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
        let linked = link(&pieces, REACH).unwrap();
        assert_eq!(linked.placed, [0..40, 48..55]);
        assert_eq!(word(&linked.text, 1) as i32, 48 - 4 - 1);
        assert_eq!(word(&linked.text, 20) as i32, -4 - 20);
        assert_eq!(word(&linked.text, 48 + 3) as i32, -4 - 48 - 3);
        assert_eq!(linked.text[40..48], [0xcc; 8]);
        assert_eq!((linked.side.len(), &linked.sides[1]), (8, &(4..8)));
    }

    #[test]
    fn aarch64_branches_keep_their_opcode() {
        use RelocationKind::Aarch64Branch26;
        let pieces = [
            piece(16, &[(8, Aarch64Branch26, 1, 0)]),
            piece(16, &[(4, Aarch64Branch26, 0, 0)]),
        ];
        let linked = link(&pieces, REACH).unwrap();
        assert_eq!(word(&linked.text, 8), 0x9400_0002);
        assert_eq!(
            word(&linked.text, 20),
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
        let linked = link(&pieces, reach).unwrap();
        let mut veneers = 0;
        for (i, range) in linked.placed.iter().enumerate() {
            let start_of = |i: usize| i64::from(linked.placed[i].start);
            assert_eq!(follow(&linked.text, range.start), start_of(0));
            assert_eq!(
                follow(&linked.text, range.start + 4),
                start_of((i + 1).min(39))
            );
            assert_eq!(follow(&linked.text, range.start + 8), start_of(39));
            assert_eq!(follow(&linked.text, range.start + 12), start_of(39));
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
