//! The side table of a function while it is compiled.
//!
//! The one idea: code is written from front to back, so what is recorded of it is in order already, and is kept in the encoded form of
//! `meantime-abi`'s side table. The buffers are reused.

use meantime_abi::{Handler, HandlerKind, SavedRegister, SideTable, Trap};

/// The bits of an offset in the module, which are all set where that is not recorded.
const OFFSET: u32 = (1 << 24) - 1;
const MAGIC: u32 = u32::from_le_bytes(*b"mst4");

/// See the module.
#[derive(Default)]
pub(crate) struct SideTables {
    points: Vec<[u8; 8]>,
    maps: Vec<[u8; 12]>,
    slots: Vec<[u8; 4]>,
    /// Slots that were looked at for stack maps.
    listed: usize,
    /// The map that has nothing but locals, once there is one: its first slot, and how many it has.
    locals: Option<(u32, u32)>,
    handlers: Vec<[u8; 24]>,
    saved: Vec<[u8; 8]>,
    /// Where in the module offsets count from.
    base: u32,
    /// Bits that are set in offsets in the module: all, where those are not recorded.
    unrecorded: u32,
}

fn words<const WORDS: usize, const BYTES: usize>(words: [u32; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

impl SideTables {
    /// Begins a table, with offsets in the module, of which none is below the base, or without.
    pub(crate) fn begin(&mut self, base: u32, with_offsets: bool) {
        self.base = base;
        self.unrecorded = if with_offsets { 0 } else { OFFSET };
        self.points.clear();
        self.maps.clear();
        self.slots.clear();
        self.listed = 0;
        self.locals = None;
        self.handlers.clear();
        self.saved.clear();
    }

    #[inline]
    fn point(&mut self, code_offset: u32, wasm_offset: u32, trap: u32) {
        let place = trap << 24 | (wasm_offset - self.base) & OFFSET | self.unrecorded;
        let point = u64::from(place) << 32 | u64::from(code_offset);
        self.points.push(point.to_le_bytes());
    }

    /// An instruction that can trap, by where it begins.
    #[inline]
    pub(crate) fn trap(&mut self, code_offset: u32, wasm_offset: u32, trap: Trap) {
        self.point(code_offset, wasm_offset, trap as u32);
    }

    /// Corrects where instructions are that can trap: `moved` has the places that were recorded, in order, and the true ones.
    pub(crate) fn move_traps(&mut self, moved: &[(u32, u32)]) {
        let mut points = self.points.iter_mut();
        for (from, to) in moved {
            let [from, to] = [from, to].map(|at| at.to_le_bytes());
            let is_trap = |p: &[u8; 8]| p[7] != 0;
            if let Some(point) = points.find(|p| p[..4] == from && is_trap(p)) {
                point[..4].copy_from_slice(&to);
            }
        }
    }

    /// A call, by where it returns to.
    #[inline]
    pub(crate) fn call(&mut self, code_offset: u32, wasm_offset: u32) {
        self.point(code_offset, wasm_offset, 0);
    }

    /// The slots that hold references during the call that returns here, by how far they are below the frame pointer: those of all locals, which are
    /// always the same, and others. Slots are shared with the map before, if they are the same, and of locals alone with all such maps.
    pub(crate) fn stack_map(
        &mut self,
        code_offset: u32,
        locals: &[u32],
        others: impl Iterator<Item = u32>,
    ) {
        let mut others = others.peekable();
        let alone = others.peek().is_none();
        if let (true, Some((first, count))) = (alone, self.locals) {
            self.maps.push(words([code_offset, first, count]));
            return;
        }
        let mut first = self.slots.len();
        let all = locals.iter().copied().chain(others);
        self.slots.extend(all.map(u32::to_le_bytes));
        let count = self.slots.len() - first;
        if count == 0 {
            return;
        }
        self.listed += count;
        if alone {
            self.locals = Some((first as u32, count as u32));
        } else if let Some(before) = self.maps.last() {
            let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| before[at * 4 + i]));
            let range = word(1) as usize..(word(1) + word(2)) as usize;
            if self.slots[range.clone()] == self.slots[first..] {
                self.slots.truncate(first);
                first = range.start;
            }
        }
        self.maps
            .push(words([code_offset, first as u32, count as u32]));
    }

    /// How many slots there are for all stack maps.
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// How many slots were looked at for all stack maps.
    pub(crate) fn listed_slots(&self) -> usize {
        self.listed
    }

    /// How many handlers there are.
    pub(crate) fn handler_count(&self) -> usize {
        self.handlers.len()
    }

    /// Where an exception continues that a call throws. The landing can be [`SideTables::set_landing`] later.
    pub(crate) fn handler(&mut self, handler: &Handler) {
        let (kind, tag) = match handler.kind {
            HandlerKind::All => (0, 0),
            HandlerKind::Tag(tag) => (1, tag.as_u32()),
        };
        self.handlers.push(words([
            handler.code_offset,
            kind,
            tag,
            handler.landing,
            handler.sp_below_fp,
            handler.context.to_word(),
        ]));
    }

    /// Completes a handler: `f` gets where it lands, as far as that was known, and says where that is and how far the stack pointer is
    /// below the frame pointer.
    pub(crate) fn complete_handlers(&mut self, mut f: impl FnMut(u32) -> (u32, u32)) {
        for handler in &mut self.handlers {
            let word = |at: usize| -> [u8; 4] { std::array::from_fn(|i| handler[at * 4 + i]) };
            let (landing, sp) = f(u32::from_le_bytes(word(3)));
            handler[12..16].copy_from_slice(&landing.to_le_bytes());
            handler[16..20].copy_from_slice(&sp.to_le_bytes());
        }
    }

    /// A register that the function saves for its caller.
    pub(crate) fn saved_register(&mut self, saved: SavedRegister) {
        let SavedRegister { register, below_fp } = saved;
        self.saved.push(words([register.into(), below_fp]));
    }

    /// Puts the encoded table in place of what is there.
    pub(crate) fn finish(&self, bytes: &mut Vec<u8>) {
        let counts = [
            MAGIC,
            self.points.len() as u32,
            0,
            self.maps.len() as u32,
            self.slots.len() as u32,
            self.handlers.len() as u32,
            self.saved.len() as u32,
            self.base,
        ];
        let parts = [
            self.points.as_flattened(),
            self.maps.as_flattened(),
            self.slots.as_flattened(),
            self.handlers.as_flattened(),
            self.saved.as_flattened(),
        ];
        let len = parts.iter().map(|p| p.len()).sum::<usize>() + 32;
        bytes.clear();
        bytes.reserve(len);
        bytes.extend_from_slice(&words::<8, 32>(counts));
        for part in parts.iter().filter(|part| !part.is_empty()) {
            bytes.extend_from_slice(part);
        }
        debug_assert!(SideTable::new(bytes).is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::{ContextPlace, Point, SideTableBuilder, TagIndex};

    #[test]
    fn the_encoding_is_that_of_the_contract() {
        let mut ours = SideTables::default();
        ours.begin(104, true);
        let mut theirs = SideTableBuilder::new();
        let point = |code_offset, trap| Point {
            code_offset,
            wasm_offset: Some(code_offset + 100),
            trap,
            inline: None,
        };
        ours.trap(4, 104, Trap::IntegerOverflow);
        theirs.point(point(4, Some(Trap::IntegerOverflow)));
        ours.call(9, 109);
        theirs.point(point(9, None));
        ours.stack_map(9, &[8], [24].into_iter());
        theirs.stack_map(9, [8, 24]);
        let handler = Handler {
            code_offset: 9,
            kind: HandlerKind::Tag(TagIndex::from_u32(3)),
            landing: 40,
            sp_below_fp: 64,
            context: ContextPlace::BelowFp(8),
        };
        ours.handler(&Handler {
            landing: 1,
            sp_below_fp: 0,
            ..handler
        });
        ours.complete_handlers(|landing| (landing + 39, 64));
        theirs.handler(handler);
        let saved = SavedRegister {
            register: 12,
            below_fp: 24,
        };
        ours.saved_register(saved);
        theirs.saved_register(saved);
        let mut bytes = vec![1, 2, 3];
        ours.finish(&mut bytes);
        assert_eq!(bytes, theirs.finish());
    }

    #[test]
    fn equal_stack_maps_share_their_slots() {
        let mut ours = SideTables::default();
        let others: [(u32, &[u32]); 6] = [
            (4, &[24]),
            (9, &[24]),
            (12, &[]),
            (16, &[]),
            (20, &[32]),
            (24, &[]),
        ];
        for (at, others) in others {
            ours.call(at, 0);
            ours.stack_map(at, &[8], others.iter().copied());
        }
        assert_eq!((ours.slot_count(), ours.listed_slots()), (5, 7));
        let mut bytes = Vec::new();
        ours.finish(&mut bytes);
        let table = SideTable::new(&bytes).unwrap();
        let slots = |at| table.stack_map(at).unwrap().collect::<Vec<_>>();
        for (at, others) in others {
            assert_eq!(slots(at), [&[8], others].concat());
        }
    }
}
