//! What a store's heap knows of types, by their numbers.
//!
//! Not the rules of types: those are the engine's. The one idea: everything is computed when a type is added, into flat arrays, so that
//! compiled code and the collector read one entry. The collector's is the same for objects of every kind: it adds up instead of
//! telling them apart, as branches that depend on the next object are hard to foresee.

use meantime_abi::{
    ARRAY_ELEMENTS, CompositeType, GC_ALIGN, GcFields, GcLayout, GcStorage, TypeId, VmGcType,
};

/// What the collector must know of objects of a type.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(align(32))]
pub(super) struct Scan {
    /// Bytes without elements. More than any space has when the type is not known.
    size: u32,
    /// Bytes of each element, or zero.
    element: u32,
    /// Where most of its references lie, one after the other.
    pub row: u32,
    /// How many these are without elements.
    row_len: u32,
    /// All bits are set if elements are references, else none is.
    refs: u32,
    /// Where the offsets of the other references are in [`Layouts::offsets`].
    pub first: u32,
    pub end: u32,
    /// Whether its objects may have references.
    pub has_refs: bool,
}

impl Scan {
    /// Of a type that is not known.
    const UNKNOWN: Scan = Scan {
        size: u32::MAX,
        element: 0,
        row: 0,
        row_len: 0,
        refs: 0,
        first: 0,
        end: 0,
        has_refs: false,
    };

    /// Bytes of an object whose second word is this, an array's length; 2^32 of an unknown type.
    #[inline(always)]
    pub fn bytes(&self, len: u32) -> u64 {
        let bytes = u64::from(self.size) + u64::from(self.element) * u64::from(len);
        bytes.next_multiple_of(GC_ALIGN.into())
    }

    /// How many references lie in its row.
    #[inline(always)]
    pub fn row_len(&self, len: u32) -> u32 {
        self.row_len + (self.refs & len)
    }
}

/// The types of a store.
#[derive(Default)]
pub(super) struct Layouts {
    layouts: Vec<Option<Box<GcLayout>>>,
    /// As compiled code sees them.
    vm: Vec<VmGcType>,
    scans: Vec<Scan>,
    offsets: Vec<u32>,
}

impl Layouts {
    /// Adds a type, unless it is known. `supertypes` are those of the type, from the topmost.
    pub fn add(&mut self, id: TypeId, supertypes: &[TypeId], ty: &CompositeType<TypeId>) {
        if id == TypeId::NONE || self.layout(id).is_some() {
            return;
        }
        let index = id.bits() as usize;
        if index >= self.layouts.len() {
            self.layouts.resize_with(index + 1, || None);
            self.vm.resize(index + 1, VmGcType::NONE);
            self.scans.resize(index + 1, Scan::UNKNOWN);
        }
        let layout = GcLayout::of(ty);
        let mut vm = VmGcType {
            kind: layout.kind(),
            ..VmGcType::NONE
        };
        let line = supertypes.iter().chain([&id]);
        for (place, &ty) in vm.display.iter_mut().zip(line) {
            *place = ty;
        }
        self.vm[index] = vm;
        self.scans[index] = self.scan_of(&layout);
        self.layouts[index] = Some(Box::new(layout));
    }

    fn scan_of(&mut self, layout: &GcLayout) -> Scan {
        match layout {
            GcLayout::Struct(fields) | GcLayout::Exn(fields) => self.scan_of_fields(fields),
            GcLayout::Array(element) => Scan {
                size: ARRAY_ELEMENTS,
                element: element.size(),
                row: ARRAY_ELEMENTS,
                refs: if *element == GcStorage::Ref {
                    u32::MAX
                } else {
                    0
                },
                has_refs: *element == GcStorage::Ref,
                ..Scan::UNKNOWN
            },
        }
    }

    fn scan_of_fields(&mut self, fields: &GcFields) -> Scan {
        let refs = fields.fields.iter().filter(|f| f.1 == GcStorage::Ref);
        let offsets: Vec<u32> = refs.map(|f| f.0).collect();
        let rows = offsets.chunk_by(|a, b| a + size_of::<u32>() as u32 == *b);
        let longest = rows.max_by_key(|row| row.len()).unwrap_or_default();
        let (row, row_len) = (longest.first().copied().unwrap_or(0), longest.len() as u32);
        let in_row = row..row + row_len * size_of::<u32>() as u32;
        let first = self.offsets.len() as u32;
        let others = offsets.iter().filter(|at| !in_row.contains(at));
        self.offsets.extend(others);
        Scan {
            size: fields.size,
            row,
            row_len,
            first,
            end: self.offsets.len() as u32,
            has_refs: row_len != 0,
            ..Scan::UNKNOWN
        }
    }

    /// How objects of a type lie.
    pub fn layout(&self, id: TypeId) -> Option<&GcLayout> {
        self.layouts.get(id.bits() as usize)?.as_deref()
    }

    /// As compiled code sees the types.
    pub fn vm_types(&self) -> &[VmGcType] {
        &self.vm
    }

    /// As the collector does.
    pub fn scans(&self) -> &[Scan] {
        &self.scans
    }

    /// What [`Scan::first`] and [`Scan::end`] are places in.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::{FieldType, HeapType, RefType, StorageType, ValType};

    fn field(ty: ValType<TypeId>) -> FieldType<TypeId> {
        FieldType {
            mutable: true,
            storage: StorageType::Val(ty),
        }
    }

    #[test]
    fn references_and_supertypes_are_found_ahead() {
        let any = ValType::Ref(RefType {
            nullable: true,
            heap: HeapType::Any,
        });
        let id = TypeId::from_u32;
        let mut layouts = Layouts::default();
        let fields = [
            field(any),
            field(ValType::I64),
            field(ValType::FUNCREF),
            field(any),
            field(any),
            field(ValType::I32),
            field(any),
        ];
        let ty = CompositeType::Struct(fields.into());
        let line: Vec<TypeId> = (10..20).map(id).collect();
        layouts.add(id(3), &line, &ty);
        layouts.add(id(1), &line[..1], &CompositeType::Array(field(any)));
        layouts.add(id(3), &[], &CompositeType::Array(field(any)));
        let scan = layouts.scans()[3];
        assert_eq!((scan.bytes(77), scan.row, scan.row_len(77)), (40, 20, 2));
        let others = scan.first as usize..scan.end as usize;
        assert_eq!(layouts.offsets()[others], [4, 32]);
        assert_eq!(layouts.vm_types()[3].display, line[..7]);
        let none = TypeId::NONE;
        let display = [id(10), id(1), none, none, none, none, none];
        assert_eq!(layouts.vm_types()[1].display, display);
        let scan = layouts.scans()[1];
        assert_eq!((scan.bytes(3), scan.row, scan.row_len(3)), (24, 8, 3));
        assert_eq!((scan.first, scan.has_refs), (scan.end, true));
        assert_eq!(layouts.scans()[2].bytes(3), 1 << 32);
        assert_eq!(layouts.vm_types()[2], VmGcType::NONE);
        assert!(layouts.layout(id(2)).is_none() && layouts.layout(id(9)).is_none());
        layouts.add(TypeId::NONE, &[], &ty);
        assert!(layouts.layout(TypeId::NONE).is_none());
    }
}
