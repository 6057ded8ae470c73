//! What the runtime must know of a function's code: points where it can trap or be on the stack, stack maps, handlers.
//!
//! The one idea: a table is a byte string of little-endian 32-bit words, position-independent, sorted by code offset. A
//! reader needs no allocation, no lock and no decoding ahead, so it works in a signal handler. The same format serves every tier.
//!
//! Layout, in words: magic and version, number of points P, of inline frames I, of stack maps M, of stack-map slots L, of handlers H, of saved
//! registers S, and where offsets in the module count from; then the words of each array in this order. A point is two words, its offset in the code, and
//! its trap (upper 8 bits) with its offset in the module (lower 24: no body is as long). Where there are inline frames, each point has one more word, after all
//! points: its frame, which then says where the offset counts from. An offset of code that names a call is that of the instruction after it (the return address); one
//! that names a trap is that of the faulting instruction.

use crate::{FuncIndex, TagIndex, Trap};

const MAGIC: u32 = u32::from_le_bytes(*b"mst4");
const HEADER: usize = 8;
const POINT_WORDS: usize = 2;
const INLINE_WORDS: usize = 4;
const MAP_WORDS: usize = 3;
const HANDLER_WORDS: usize = 6;
const SAVED_WORDS: usize = 2;
/// Set in the word of a context that is in a register.
const IN_REGISTER: u32 = 1 << 31;
const NO_OFFSET: u32 = u32::MAX;
/// The bits of a point's offset in the module, which are all set where it is not recorded.
const DELTA: u32 = (1 << 24) - 1;
const NO_INLINE: u32 = u32::MAX;

/// A place in code where a trap happens or a callee returns.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// Bytes from the function's start.
    pub code_offset: u32,
    /// Offset of the instruction in the module's bytes, unless not recorded.
    pub wasm_offset: Option<u32>,
    /// The trap, where it is one.
    pub trap: Option<Trap>,
    /// The inlined callee it belongs to (index into the inline frames), or none for the function itself.
    pub inline: Option<u32>,
}

/// A call that was compiled into its caller.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct InlineFrame {
    /// The callee.
    pub func: FuncIndex,
    /// Offset of the call instruction in the module's bytes.
    pub call_wasm_offset: Option<u32>,
    /// The inline frame that the call is in, or none for the function itself. Always a smaller index.
    pub parent: Option<u32>,
}

/// What a handler catches.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum HandlerKind {
    /// Exceptions with this tag.
    Tag(TagIndex),
    /// Every exception.
    All,
}

/// Where a frame keeps its own context while a call runs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ContextPlace {
    /// In memory, this many bytes below the frame pointer.
    BelowFp(u32),
    /// In a register that calls preserve, by its number in the instruction set.
    Register(u8),
}

impl ContextPlace {
    /// As one word. Frames are smaller than 2 GiB.
    pub fn to_word(self) -> u32 {
        match self {
            ContextPlace::BelowFp(bytes) => bytes & !IN_REGISTER,
            ContextPlace::Register(register) => IN_REGISTER | u32::from(register),
        }
    }

    fn from_word(word: u32) -> ContextPlace {
        match word & IN_REGISTER {
            0 => ContextPlace::BelowFp(word),
            _ => ContextPlace::Register(word as u8),
        }
    }
}

/// Where a function keeps, from its prologue on, its caller's value of a register that calls preserve.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SavedRegister {
    /// Its number in the instruction set, among registers for integers.
    pub register: u8,
    /// Bytes below the frame pointer.
    pub below_fp: u32,
}

/// Where an exception thrown by a call continues. Registers that calls preserve are there as they were at the call.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The call's return address, in bytes from the function's start.
    pub code_offset: u32,
    /// What it catches. Handlers of one call are tried in order.
    pub kind: HandlerKind,
    /// Where it continues, in bytes from the function's start.
    pub landing: u32,
    /// The stack pointer there, in bytes below the frame pointer.
    pub sp_below_fp: u32,
    /// Where the frame keeps its own context while the call runs: whose tags are meant. Unspecified where everything is caught.
    pub context: ContextPlace,
}

/// Why bytes are not a side table.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SideTableError;

/// A side table in its encoded form.
#[derive(Copy, Clone, Debug)]
pub struct SideTable<'a> {
    words: &'a [[u8; 4]],
    points: u32,
    inlines: u32,
    maps: u32,
    slots: u32,
    handlers: u32,
    saved: u32,
}

impl<'a> SideTable<'a> {
    /// Reads the header and checks that the arrays are there.
    pub fn new(bytes: &'a [u8]) -> Result<SideTable<'a>, SideTableError> {
        let (words, rest) = bytes.as_chunks::<4>();
        if words.len() < HEADER || !rest.is_empty() {
            return Err(SideTableError);
        }
        let word = |i: usize| u32::from_le_bytes(words[i]);
        let table = SideTable {
            words,
            points: word(1),
            inlines: word(2),
            maps: word(3),
            slots: word(4),
            handlers: word(5),
            saved: word(6),
        };
        if word(0) != MAGIC || table.saved_at(table.saved) != words.len() as u64 {
            return Err(SideTableError);
        }
        Ok(table)
    }

    /// Where the inline frames of points are.
    fn point_inlines_at(&self, i: u32) -> u64 {
        HEADER as u64 + u64::from(self.points) * POINT_WORDS as u64 + u64::from(i)
    }

    fn inlines_at(&self, i: u32) -> u64 {
        let points = if self.inlines == 0 { 0 } else { self.points };
        self.point_inlines_at(points) + u64::from(i) * INLINE_WORDS as u64
    }

    fn maps_at(&self, i: u32) -> u64 {
        self.inlines_at(self.inlines) + u64::from(i) * MAP_WORDS as u64
    }

    fn slots_at(&self, i: u32) -> u64 {
        self.maps_at(self.maps) + u64::from(i)
    }

    fn handlers_at(&self, i: u32) -> u64 {
        self.slots_at(self.slots) + u64::from(i) * HANDLER_WORDS as u64
    }

    fn saved_at(&self, i: u32) -> u64 {
        self.handlers_at(self.handlers) + u64::from(i) * SAVED_WORDS as u64
    }

    /// A word, or zero beyond the end, which only a corrupt table asks for.
    fn word(&self, at: u64) -> u32 {
        let word = usize::try_from(at).ok().and_then(|at| self.words.get(at));
        word.map_or(0, |w| u32::from_le_bytes(*w))
    }

    fn point_at(&self, i: u32) -> Point {
        let at = HEADER as u64 + u64::from(i) * POINT_WORDS as u64;
        let place = self.word(at + 1);
        let inline = match self.inlines {
            0 => NO_INLINE,
            _ => self.word(self.point_inlines_at(i)),
        };
        let base = match inline {
            NO_INLINE => self.word(7),
            frame => self.word(self.inlines_at(frame) + 3),
        };
        let delta = place & DELTA;
        Point {
            code_offset: self.word(at),
            wasm_offset: (delta != DELTA).then_some(base.wrapping_add(delta)),
            trap: Trap::from_u8((place >> 24) as u8),
            inline: (inline != NO_INLINE).then_some(inline),
        }
    }

    /// The first index in `0..count` whose key is not below `key`.
    fn lower_bound(count: u32, key: u32, at: impl Fn(u32) -> u32) -> u32 {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn points_from(&self, code_offset: u32) -> impl Iterator<Item = Point> + use<'a> {
        let table = *self;
        let at = |i| table.point_at(i).code_offset;
        let first = Self::lower_bound(table.points, code_offset, at);
        (first..table.points)
            .map(move |i| table.point_at(i))
            .take_while(move |p| p.code_offset == code_offset)
    }

    /// The trap that a fault at this offset is.
    pub fn trap(&self, code_offset: u32) -> Option<Point> {
        self.points_from(code_offset).find(|p| p.trap.is_some())
    }

    /// The point of the call that returns to this offset.
    pub fn call(&self, return_offset: u32) -> Option<Point> {
        self.points_from(return_offset).find(|p| p.trap.is_none())
    }

    /// Every point, by code offset.
    pub fn points(&self) -> impl Iterator<Item = Point> + use<'a> {
        let table = *self;
        (0..table.points).map(move |i| table.point_at(i))
    }

    /// The inlined call with this index.
    pub fn inline_frame(&self, index: u32) -> Option<InlineFrame> {
        if index >= self.inlines {
            return None;
        }
        let at = self.inlines_at(index);
        let offset = self.word(at + 1);
        let parent = self.word(at + 2);
        Some(InlineFrame {
            func: FuncIndex::from_u32(self.word(at)),
            call_wasm_offset: (offset != NO_OFFSET).then_some(offset),
            // A parent is always smaller, so that a walk ends even in a corrupt table.
            parent: (parent < index).then_some(parent),
        })
    }

    /// The live GC references while the call that returns to this offset runs: distances of 32-bit slots below the frame pointer,
    /// in bytes. None when the call has no stack map, which means no such references.
    pub fn stack_map(&self, return_offset: u32) -> Option<impl Iterator<Item = u32> + use<'a>> {
        let table = *self;
        let at = |i| table.word(table.maps_at(i));
        let i = Self::lower_bound(table.maps, return_offset, at);
        if i >= table.maps || at(i) != return_offset {
            return None;
        }
        let first = table.word(table.maps_at(i) + 1).min(table.slots);
        let end = first
            .saturating_add(table.word(table.maps_at(i) + 2))
            .min(table.slots);
        Some((first..end).map(move |slot| table.word(table.slots_at(slot))))
    }

    /// The handlers of the call that returns to this offset, in the order in which they are tried.
    pub fn handlers(&self, return_offset: u32) -> impl Iterator<Item = Handler> + use<'a> {
        let table = *self;
        let at = |i| table.word(table.handlers_at(i));
        let first = Self::lower_bound(table.handlers, return_offset, at);
        (first..table.handlers)
            .map(move |i| {
                let at = table.handlers_at(i);
                let tag = TagIndex::from_u32(table.word(at + 2));
                Handler {
                    code_offset: table.word(at),
                    kind: if table.word(at + 1) == 0 {
                        HandlerKind::All
                    } else {
                        HandlerKind::Tag(tag)
                    },
                    landing: table.word(at + 3),
                    sp_below_fp: table.word(at + 4),
                    context: ContextPlace::from_word(table.word(at + 5)),
                }
            })
            .take_while(move |h| h.code_offset == return_offset)
    }

    /// Where the function keeps its caller's registers.
    pub fn saved_registers(&self) -> impl Iterator<Item = SavedRegister> + use<'a> {
        let table = *self;
        (0..table.saved).map(move |i| SavedRegister {
            register: table.word(table.saved_at(i)) as u8,
            below_fp: table.word(table.saved_at(i) + 1),
        })
    }
}

/// Collects what a backend knows of a function and encodes it.
#[derive(Debug, Default)]
pub struct SideTableBuilder {
    points: Vec<Point>,
    inlines: Vec<InlineFrame>,
    maps: Vec<(u32, u32, u32)>,
    slots: Vec<u32>,
    handlers: Vec<Handler>,
    saved: Vec<SavedRegister>,
}

impl SideTableBuilder {
    /// An empty table.
    pub fn new() -> SideTableBuilder {
        SideTableBuilder::default()
    }

    /// Adds a point. In any order.
    pub fn point(&mut self, point: Point) {
        self.points.push(point);
    }

    /// Adds an inlined call, whose parent was added before, and returns its index.
    pub fn inline_frame(&mut self, frame: InlineFrame) -> u32 {
        debug_assert!(
            frame
                .parent
                .is_none_or(|p| (p as usize) < self.inlines.len())
        );
        self.inlines.push(frame);
        self.inlines.len() as u32 - 1
    }

    /// Adds the stack map of a call, as distances of slots from the *frame pointer downwards*, in bytes.
    pub fn stack_map(&mut self, return_offset: u32, slots_below_fp: impl IntoIterator<Item = u32>) {
        let first = self.slots.len() as u32;
        self.slots.extend(slots_below_fp);
        self.maps
            .push((return_offset, first, self.slots.len() as u32 - first));
    }

    /// Adds a handler. Handlers of one call keep their order.
    pub fn handler(&mut self, handler: Handler) {
        self.handlers.push(handler);
    }

    /// Adds a register that the function saves for its caller.
    pub fn saved_register(&mut self, saved: SavedRegister) {
        self.saved.push(saved);
    }

    /// The encoded table.
    pub fn finish(mut self) -> Vec<u8> {
        self.points.sort_by_key(|p| p.code_offset);
        self.maps.sort_by_key(|m| m.0);
        self.handlers.sort_by_key(|h| h.code_offset);
        // The first offset of each frame's points, and of those of none.
        let mut base = u32::MAX;
        let mut bases = vec![u32::MAX; self.inlines.len()];
        for p in &self.points {
            let first = match p.inline {
                None => &mut base,
                Some(frame) => &mut bases[frame as usize],
            };
            *first = p.wasm_offset.unwrap_or(u32::MAX).min(*first);
        }
        let mut words = vec![
            MAGIC,
            self.points.len() as u32,
            self.inlines.len() as u32,
            self.maps.len() as u32,
            self.slots.len() as u32,
            self.handlers.len() as u32,
            self.saved.len() as u32,
            base,
        ];
        for p in &self.points {
            let trap = p.trap.map_or(0, |t| u32::from(t as u8));
            let base = match p.inline {
                None => base,
                Some(frame) => bases[frame as usize],
            };
            let delta = p.wasm_offset.map_or(DELTA, |at| (at - base).min(DELTA));
            words.extend([p.code_offset, trap << 24 | delta]);
        }
        if !self.inlines.is_empty() {
            words.extend(self.points.iter().map(|p| p.inline.unwrap_or(NO_INLINE)));
        }
        for (f, base) in self.inlines.iter().zip(bases) {
            let offset = f.call_wasm_offset.unwrap_or(NO_OFFSET);
            let parent = f.parent.unwrap_or(NO_INLINE);
            words.extend([f.func.as_u32(), offset, parent, base]);
        }
        for m in &self.maps {
            words.extend([m.0, m.1, m.2]);
        }
        words.extend(&self.slots);
        for h in &self.handlers {
            let (kind, tag) = match h.kind {
                HandlerKind::All => (0, 0),
                HandlerKind::Tag(tag) => (1, tag.as_u32()),
            };
            words.extend([
                h.code_offset,
                kind,
                tag,
                h.landing,
                h.sp_below_fp,
                h.context.to_word(),
            ]);
        }
        for s in &self.saved {
            words.extend([s.register.into(), s.below_fp]);
        }
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut b = SideTableBuilder::new();
        let inline = b.inline_frame(InlineFrame {
            func: FuncIndex::from_u32(7),
            call_wasm_offset: Some(99),
            parent: None,
        });
        let at = |code_offset, trap, inline| Point {
            code_offset,
            wasm_offset: Some(code_offset * 2),
            trap,
            inline,
        };
        b.point(at(40, None, None));
        b.point(at(8, Some(Trap::IntegerOverflow), Some(inline)));
        b.point(at(40, Some(Trap::MemoryOutOfBounds), None));
        b.stack_map(40, [16, 24]);
        b.stack_map(20, [8]);
        b.handler(Handler {
            code_offset: 40,
            kind: HandlerKind::Tag(TagIndex::from_u32(2)),
            landing: 90,
            sp_below_fp: 32,
            context: ContextPlace::BelowFp(16),
        });
        b.handler(Handler {
            code_offset: 40,
            kind: HandlerKind::All,
            landing: 91,
            sp_below_fp: 32,
            context: ContextPlace::Register(12),
        });
        b.saved_register(SavedRegister {
            register: 3,
            below_fp: 40,
        });
        b.finish()
    }

    #[test]
    fn lookups_find_what_was_added() {
        let bytes = sample();
        let table = SideTable::new(&bytes).unwrap();
        let trap = table.trap(8).unwrap();
        assert_eq!(
            (trap.trap, trap.wasm_offset),
            (Some(Trap::IntegerOverflow), Some(16))
        );
        assert_eq!(
            table.inline_frame(trap.inline.unwrap()).unwrap().func,
            FuncIndex::from_u32(7)
        );
        assert_eq!(table.call(40).unwrap().trap, None);
        assert_eq!(table.trap(40).unwrap().trap, Some(Trap::MemoryOutOfBounds));
        assert!(table.trap(9).is_none() && table.call(8).is_none());
        assert_eq!(table.stack_map(40).unwrap().collect::<Vec<_>>(), [16, 24]);
        assert_eq!(table.stack_map(20).unwrap().collect::<Vec<_>>(), [8]);
        assert!(table.stack_map(21).is_none());
        let landings: Vec<_> = table.handlers(40).map(|h| h.landing).collect();
        assert_eq!(landings, [90, 91]);
        let contexts: Vec<_> = table.handlers(40).map(|h| h.context).collect();
        let expected = [ContextPlace::BelowFp(16), ContextPlace::Register(12)];
        assert_eq!(contexts, expected);
        let saved: Vec<_> = table.saved_registers().collect();
        assert_eq!((saved[0].register, saved[0].below_fp), (3, 40));
    }

    #[test]
    fn offsets_in_the_module_are_those_of_each_function() {
        for with_frames in [false, true] {
            let mut b = SideTableBuilder::new();
            // Bodies may be anywhere, and points come in any order.
            let frames = [None, Some(3_000_000_000), Some(5)].map(|call_wasm_offset| {
                with_frames.then(|| {
                    b.inline_frame(InlineFrame {
                        func: FuncIndex::from_u32(1),
                        call_wasm_offset,
                        parent: None,
                    })
                })
            });
            let mut points = Vec::new();
            let offsets = [900_000_000, 899_000_000, u32::MAX - 2, 4_000_000_000];
            for (i, wasm_offset) in (0..).zip(offsets) {
                let inline = match i {
                    0 | 1 => None,
                    _ => frames[i as usize - 1],
                };
                if inline.is_none() && i > 1 {
                    continue;
                }
                points.push(Point {
                    code_offset: 10 * i,
                    wasm_offset: Some(wasm_offset),
                    trap: (i == 1).then_some(Trap::IntegerOverflow),
                    inline,
                });
            }
            points.push(Point {
                code_offset: 1000,
                wasm_offset: None,
                trap: Some(Trap::StackOverflow),
                inline: frames[0],
            });
            points.iter().rev().for_each(|p| b.point(*p));
            let bytes = b.finish();
            let table = SideTable::new(&bytes).unwrap();
            assert_eq!(table.points().collect::<Vec<_>>(), points);
            let calls: Vec<_> = (0..3).map_while(|i| table.inline_frame(i)).collect();
            assert_eq!(calls.len(), 3 * usize::from(with_frames));
            assert!(calls.iter().all(|f| f.func == FuncIndex::from_u32(1)));
        }
    }

    #[test]
    fn truncated_bytes_are_refused() {
        let bytes = sample();
        for len in 0..bytes.len() {
            assert!(SideTable::new(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn changed_bytes_never_panic() {
        let bytes = sample();
        for i in 4 * HEADER - 4..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[i] = 0xff;
            let table = SideTable::new(&bytes).unwrap();
            for offset in 0..64 {
                let _ = (
                    table.trap(offset),
                    table.call(offset),
                    table.handlers(offset).count(),
                );
                let _ = table.stack_map(offset).map(Iterator::count);
            }
            let _ = (table.inline_frame(0), table.saved_registers().count());
        }
    }
}
