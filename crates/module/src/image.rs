//! What of instantiation can be computed ahead: active segments folded into initial images of memories and tables.
//!
//! The one idea: instantiation applies element segments and then data segments in order, and stops at the first that is out of bounds,
//! having applied those before. So a segment may be folded only if no segment before it can trap: then nobody can see the difference.
//! Of each memory or table a first run of segments is folded; those after it are applied on top.
//!
//! Images are bounded: a few bytes of a module must not become a large image, see [`Budget`].

use crate::const_expr::ConstInt;
use crate::module::*;
use meantime_abi::entity::{PrimaryMap, SecondaryMap};
use meantime_abi::*;
use std::borrow::Cow;
use std::ops::Range;

/// Bytes of all images of a module together that need not be justified by segments.
const SPARSE_BYTES: u64 = 16 << 20;
/// An image with at least one byte from a segment in so many is dense: it costs nothing of the budget.
const BYTES_PER_SEGMENT_BYTE: u64 = 2;
/// The same for elements of tables.
const SPARSE_ELEMENTS: u64 = 1 << 20;
const ELEMENTS_PER_SEGMENT_ELEMENT: u64 = 4;
/// Images begin and end at multiples of this, or of a smaller page of the memory: hosts can map them.
const GRANULE: u64 = 64 << 10;

/// How much of all sparse images together is left.
struct Budget(u64);

impl Budget {
    /// Whether an image of this size, with this much of it from segments, may be made.
    fn take(&mut self, size: u64, from_segments: u64, factor: u64) -> bool {
        if size <= from_segments.saturating_mul(factor) {
            return true;
        }
        match self.0.checked_sub(size) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// Folds what can be folded and marks the segments.
pub(crate) fn fold_segments(module: &mut Module, bytes: &[u8]) {
    let globals = known_globals(module);
    let mut scan = Scan {
        may_trap: false,
        globals: &globals,
        imports: module.counts.global_imports,
    };
    let tables = scan.tables(module);
    let memories = scan.memories(module);
    let mut budget = Budget(SPARSE_ELEMENTS);
    for (table, elems) in tables.iter() {
        if let Some(image) = table_image(module, table, elems, &mut budget) {
            module.table_inits[table].image = image;
            for (elem, _) in elems {
                set_in_image(&mut module.elems[*elem].mode);
            }
        }
    }
    let mut budget = Budget(SPARSE_BYTES);
    for (memory, datas) in memories.iter() {
        if let Some(image) = memory_image(module, memory, datas, bytes, &mut budget) {
            module.memory_images[memory] = image;
            for (data, _) in datas {
                set_in_image(&mut module.datas[*data].mode);
            }
        }
    }
}

fn set_in_image<I>(mode: &mut SegmentMode<I>) {
    if let SegmentMode::Active { in_image, .. } = mode {
        *in_image = true;
    }
}

/// The integers that defined, immutable globals are known to hold.
fn known_globals(module: &Module) -> PrimaryMap<DefinedGlobalIndex, Option<ConstInt>> {
    let mut known: PrimaryMap<DefinedGlobalIndex, Option<ConstInt>> = PrimaryMap::new();
    for (index, init) in module.global_inits.iter() {
        let mutable = module.globals[module.global_index(index)].mutable;
        let value = init.int(|global| *known.get(module.defined_global(global)?)?);
        known.push(if mutable { None } else { value });
    }
    known
}

/// The segments that can be folded, with their offsets, by target.
type Foldable<D, S> = SecondaryMap<D, Vec<(S, u64)>>;

struct Scan<'a> {
    /// Whether a segment before here can trap.
    may_trap: bool,
    globals: &'a PrimaryMap<DefinedGlobalIndex, Option<ConstInt>>,
    imports: u32,
}

impl Scan<'_> {
    /// Where a segment goes, when that is known and in bounds of the least size that its target can have.
    fn place(&mut self, offset: &crate::ConstExpr, len: u64, min: Option<u64>) -> Option<u64> {
        let value = offset.int(|global| {
            let defined = global.as_u32().checked_sub(self.imports)?;
            *self.globals.get(DefinedGlobalIndex::from_u32(defined))?
        });
        let place = value.map(ConstInt::address).filter(|at| {
            let end = at.checked_add(len);
            matches!((end, min), (Some(end), Some(min)) if end <= min)
        });
        if place.is_none() {
            self.may_trap = true;
        }
        place
    }

    fn tables(&mut self, module: &Module) -> Foldable<DefinedTableIndex, ElemIndex> {
        let mut foldable = Foldable::default();
        let mut stopped = SecondaryMap::<DefinedTableIndex, bool>::new();
        for (index, elem) in module.elems.iter() {
            let SegmentMode::Active { target, offset, .. } = &elem.mode else {
                continue;
            };
            let min = module.tables[*target].min;
            let place = self.place(offset, elem.items.len() as u64, Some(min));
            let Some(table) = module.defined_table(*target) else {
                continue;
            };
            let are_funcs = matches!(elem.items, ElemItems::Funcs(_));
            match place {
                Some(at) if !self.may_trap && !stopped[table] && are_funcs => {
                    foldable[table].push((index, at));
                }
                _ => stopped[table] = true,
            }
        }
        foldable
    }

    fn memories(&mut self, module: &Module) -> Foldable<DefinedMemoryIndex, DataIndex> {
        let mut foldable = Foldable::default();
        let mut stopped = SecondaryMap::<DefinedMemoryIndex, bool>::new();
        for (index, data) in module.datas.iter() {
            let SegmentMode::Active { target, offset, .. } = &data.mode else {
                continue;
            };
            let min = module.memories[*target].min_bytes();
            let place = self.place(offset, data.range.len() as u64, min);
            let Some(memory) = module.defined_memory(*target) else {
                continue;
            };
            match place {
                Some(at) if !self.may_trap && !stopped[memory] => {
                    foldable[memory].push((index, at));
                }
                _ => stopped[memory] = true,
            }
        }
        foldable
    }
}

fn table_image(
    module: &Module,
    table: DefinedTableIndex,
    elems: &[(ElemIndex, u64)],
    budget: &mut Budget,
) -> Option<Box<[Option<FuncIndex>]>> {
    let between = match &module.table_inits[table].init {
        None => None,
        Some(init) => init.as_func()?,
    };
    let mut size = 0;
    let mut from_segments = 0;
    for (elem, at) in elems {
        let len = module.elems[*elem].items.len() as u64;
        from_segments += len;
        // An empty segment writes nothing, wherever it is.
        if len > 0 {
            size = size.max(at + len);
        }
    }
    if elems.is_empty() || !budget.take(size, from_segments, ELEMENTS_PER_SEGMENT_ELEMENT) {
        return None;
    }
    let mut image = vec![between; usize::try_from(size).ok()?];
    for (elem, at) in elems {
        if let ElemItems::Funcs(funcs) = &module.elems[*elem].items
            && !funcs.is_empty()
        {
            let at = *at as usize;
            image[at..at + funcs.len()].copy_from_slice(funcs);
        }
    }
    Some(image.into())
}

/// None when segments cannot be folded; an image or, of nothing but zeros, none when they can.
fn memory_image(
    module: &Module,
    memory: DefinedMemoryIndex,
    datas: &[(DataIndex, u64)],
    bytes: &[u8],
    budget: &mut Budget,
) -> Option<Option<MemoryImage>> {
    if datas.is_empty() {
        return None;
    }
    let mut span: Option<Range<u64>> = None;
    let mut from_segments = 0;
    for (data, at) in datas {
        let range = &module.datas[*data].range;
        let contents = &bytes[range.start as usize..range.end as usize];
        from_segments += contents.len() as u64;
        let Some(first) = contents.iter().position(|b| *b != 0) else {
            continue;
        };
        let last = contents.iter().rposition(|b| *b != 0).unwrap_or(first);
        let (first, end) = (at + first as u64, at + last as u64 + 1);
        span = Some(match span {
            Some(span) => span.start.min(first)..span.end.max(end),
            None => first..end,
        });
    }
    let Some(span) = span else {
        return Some(None);
    };
    let ty = &module.memories[module.memory_index(memory)];
    let granule = GRANULE.min(ty.page_size());
    let start = span.start / granule * granule;
    let len = span.end.next_multiple_of(granule) - start;
    // An image is at least one granule: what counts is the memory between segments, not the rounding.
    if !budget.take(span.end - span.start, from_segments, BYTES_PER_SEGMENT_BYTE) {
        return None;
    }
    let clip = |(data, at): &(DataIndex, u64)| {
        let range = &module.datas[*data].range;
        let end = at + u64::from(range.end - range.start);
        let (from, to) = ((*at).max(start), end.min(start + len));
        // Both differences are at most the segment's length.
        (from < to).then(|| {
            let first = range.start + (from - at) as u32;
            (from, first..first + (to - from) as u32)
        })
    };
    Some(Some(MemoryImage {
        start,
        len,
        pieces: datas.iter().filter_map(clip).collect(),
    }))
}

impl MemoryImage {
    /// The image itself, `len` bytes. `source` is what the ranges of `pieces` point into: the module's bytes, or what
    /// [`Module::extract`] made. Borrowed from it when it lies there in one piece.
    ///
    /// # Panics
    ///
    /// When `source` is too short to be that.
    pub fn bytes<'a>(&self, source: &'a [u8]) -> Cow<'a, [u8]> {
        let piece = |range: &Range<u32>| &source[range.start as usize..range.end as usize];
        if let Some(range) = self.as_one_piece() {
            return Cow::Borrowed(piece(&range));
        }
        let mut image = vec![0; self.len as usize];
        for (at, range) in &self.pieces {
            let at = (at - self.start) as usize;
            let contents = piece(range);
            image[at..at + contents.len()].copy_from_slice(contents);
        }
        Cow::Owned(image)
    }

    /// Where the whole image lies, when it lies in one piece.
    pub fn as_one_piece(&self) -> Option<Range<u32>> {
        match self.pieces.as_ref() {
            [(start, range)]
                if *start == self.start && u64::from(range.end - range.start) == self.len =>
            {
                Some(range.clone())
            }
            _ => None,
        }
    }
}
