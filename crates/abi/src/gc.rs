//! What a GC reference is, and how objects lie in a store's heap.
//!
//! Not the heap itself, nor its collector: those are the runtime's. The one idea: the heap is a sandbox. A reference is 32 bits, and
//! every access goes to the heap's base plus a 32-bit sum, so that whatever a corrupt heap holds, an access stays inside the reserved
//! region and its guard. Nothing in an object is an address of the host: functions and tags are numbers that the store checks when
//! they are read.
//!
//! A reference's bits: zero is null; with the lowest bit set it is an `i31`, shifted left by one; with the lowest two bits 10 it is a
//! value of the host, its number shifted left by two; otherwise the offset of an object, a multiple of eight.

use crate::{CompositeType, FieldType, RefRepr, StorageType, TypeId, ValType};

/// The bits of references.
#[derive(Copy, Clone, Debug)]
pub struct GcBits;

impl GcBits {
    /// Set in an `i31`.
    pub const I31: u32 = 0b01;
    /// Not zero in what is not an object.
    pub const NOT_OBJECT: u32 = 0b11;
    /// The lowest two bits of a value of the host.
    pub const HOST: u32 = 0b10;
}

/// What an array begins with; and every other object, but without a length: there its first field begins.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmGcHeader {
    /// The canonical type: of a structure or an array its own, of an exception its tag's function type.
    /// [`VmGcHeader::FORWARDED`] while the collector moves objects.
    pub type_id: TypeId,
    /// Of an array, its length in elements.
    pub len: u32,
}

impl VmGcHeader {
    /// In place of the type of an object that has moved; the new reference is where the length was.
    pub const FORWARDED: TypeId = TypeId::NONE;
}

/// Objects begin and end at multiples of this.
pub const GC_ALIGN: u32 = 8;
/// Bytes of address space reserved for a heap: all that a reference can name.
pub const GC_REGION: u64 = 1 << 32;
/// Bytes at the start of a heap that hold no object and fault on every access where hardware faults are traps: more than any field's
/// offset, so that an access through null needs no check there.
pub const GC_NULL_PAGES: u32 = 256 << 10;
/// Bytes after a heap's region that fault on every access, or at least are nobody else's.
pub const GC_GUARD: u64 = 1 << 20;
/// The size that no object has.
pub const GC_MAX_OBJECT: u64 = 1 << 31;

/// What compiled code must know of a type to cast to and from it, by [`TypeId`].
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct VmGcType {
    /// The supertypes from the topmost, then the type itself; the rest is [`TypeId::NONE`]. Of a type with more supertypes, the first ones.
    pub display: [TypeId; VmGcType::DISPLAY],
    /// One of the constants below.
    pub kind: u32,
}

impl VmGcType {
    /// Entries of the display. A type with at least as many supertypes is found by the builtin `is_subtype`.
    pub const DISPLAY: usize = 7;
    /// Nothing: an id that is not in use.
    pub const KIND_NONE: u32 = 0;
    /// A structure.
    pub const KIND_STRUCT: u32 = 1;
    /// An array.
    pub const KIND_ARRAY: u32 = 2;
    /// An exception: the type is a function type.
    pub const KIND_EXN: u32 = 3;
    /// The entry of an id that is not in use.
    pub const NONE: VmGcType = VmGcType {
        display: [TypeId::NONE; VmGcType::DISPLAY],
        kind: VmGcType::KIND_NONE,
    };
}

/// How a value is stored in an object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum GcStorage {
    /// Packed 8 bits.
    I8,
    /// Packed 16 bits.
    I16,
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128 bits, aligned to eight bytes only.
    V128,
    /// A GC reference, 32 bits.
    Ref,
    /// The number of a function in its store, 32 bits: zero is null.
    Func,
}

impl GcStorage {
    /// Of a field.
    pub fn of<T>(field: &FieldType<T>) -> GcStorage {
        match &field.storage {
            StorageType::I8 => GcStorage::I8,
            StorageType::I16 => GcStorage::I16,
            StorageType::Val(ty) => GcStorage::of_val(ty),
        }
    }

    /// Of a whole value.
    pub fn of_val<T>(ty: &ValType<T>) -> GcStorage {
        match ty {
            ValType::I32 => GcStorage::I32,
            ValType::I64 => GcStorage::I64,
            ValType::F32 => GcStorage::F32,
            ValType::F64 => GcStorage::F64,
            ValType::V128 => GcStorage::V128,
            ValType::Ref(r) => match r.heap.repr() {
                RefRepr::Gc => GcStorage::Ref,
                RefRepr::Func => GcStorage::Func,
            },
        }
    }

    /// Bytes.
    pub fn size(self) -> u32 {
        match self {
            GcStorage::I8 => 1,
            GcStorage::I16 => 2,
            GcStorage::I32 | GcStorage::F32 | GcStorage::Ref | GcStorage::Func => 4,
            GcStorage::I64 | GcStorage::F64 => 8,
            GcStorage::V128 => 16,
        }
    }
}

/// Where the fields of an object with a fixed number of them lie. A subtype's first fields lie where its supertype's do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GcFields {
    /// Offset from the object's start and form of each field.
    pub fields: Vec<(u32, GcStorage)>,
    /// Bytes of the whole object, a multiple of [`GC_ALIGN`].
    pub size: u32,
}

/// Where the fields of a structure begin, right after its type.
pub const STRUCT_FIELDS: u32 = size_of::<TypeId>() as u32;

/// Where the number of an exception's tag lies.
pub const EXN_TAG: u32 = STRUCT_FIELDS;

/// Where the elements of an array begin.
pub const ARRAY_ELEMENTS: u32 = size_of::<VmGcHeader>() as u32;

impl GcFields {
    fn new(start: u32, storages: impl Iterator<Item = GcStorage>) -> GcFields {
        let mut at = start;
        let mut fields = Vec::new();
        for storage in storages {
            at = at.next_multiple_of(storage.size().min(GC_ALIGN));
            fields.push((at, storage));
            // The validator allows at most ten thousand fields and a thousand parameters.
            at += storage.size();
        }
        GcFields {
            fields,
            // Never less than what says where an object moved to.
            size: at.next_multiple_of(GC_ALIGN),
        }
    }

    /// Of a structure.
    pub fn of_struct<T>(fields: &[FieldType<T>]) -> GcFields {
        GcFields::new(STRUCT_FIELDS, fields.iter().map(GcStorage::of))
    }

    /// Of an exception that carries values of these types. Its tag's number comes first, 32 bits at [`EXN_TAG`].
    pub fn of_exn<T>(params: &[ValType<T>]) -> GcFields {
        GcFields::new(EXN_TAG + 4, params.iter().map(GcStorage::of_val))
    }
}

/// How objects of a type lie in the heap: all that the collector must know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GcLayout {
    /// A structure.
    Struct(GcFields),
    /// An array, by its elements.
    Array(GcStorage),
    /// An exception whose tag has this function type.
    Exn(GcFields),
}

impl GcLayout {
    /// Of a type's objects; of a function type, that of exceptions.
    pub fn of<T>(ty: &CompositeType<T>) -> GcLayout {
        match ty {
            CompositeType::Struct(fields) => GcLayout::Struct(GcFields::of_struct(fields)),
            CompositeType::Array(element) => GcLayout::Array(GcStorage::of(element)),
            CompositeType::Func(func) => GcLayout::Exn(GcFields::of_exn(&func.params)),
        }
    }

    /// Where what an object holds begins, after what the runtime knows it by.
    pub fn start(&self) -> u32 {
        match self {
            GcLayout::Struct(_) | GcLayout::Exn(_) => STRUCT_FIELDS,
            GcLayout::Array(_) => ARRAY_ELEMENTS,
        }
    }

    /// Bytes of an object, where an array has this length.
    pub fn size(&self, len: u32) -> u64 {
        match self {
            GcLayout::Struct(fields) | GcLayout::Exn(fields) => fields.size.into(),
            GcLayout::Array(element) => array_size(*element, len),
        }
    }

    /// As [`VmGcType::kind`].
    pub fn kind(&self) -> u32 {
        match self {
            GcLayout::Struct(_) => VmGcType::KIND_STRUCT,
            GcLayout::Array(_) => VmGcType::KIND_ARRAY,
            GcLayout::Exn(_) => VmGcType::KIND_EXN,
        }
    }
}

/// Bytes of an array. Fits 37 bits.
pub fn array_size(element: GcStorage, len: u32) -> u64 {
    let size = u64::from(ARRAY_ELEMENTS) + u64::from(element.size()) * u64::from(len);
    size.next_multiple_of(GC_ALIGN.into())
}

const _: () = assert!(size_of::<VmGcHeader>() == GC_ALIGN as usize);
// Code multiplies by shifting.
const _: () = assert!(size_of::<VmGcType>() == 32);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FuncType, HeapType, RefType, TypeIndex};

    fn field(storage: StorageType) -> FieldType {
        FieldType {
            mutable: true,
            storage,
        }
    }

    #[test]
    fn fields_are_aligned_and_a_prefix_stays_a_prefix() {
        let types = [
            StorageType::I8,
            StorageType::I16,
            StorageType::Val(ValType::V128),
            StorageType::I8,
            StorageType::Val(ValType::F64),
            StorageType::Val(ValType::FUNCREF),
            StorageType::Val(ValType::Ref(RefType {
                nullable: false,
                heap: HeapType::Any,
            })),
        ];
        let fields: Vec<_> = types.map(field).to_vec();
        let all = GcFields::of_struct(&fields);
        let offsets: Vec<u32> = all.fields.iter().map(|f| f.0).collect();
        assert_eq!(offsets, [4, 6, 8, 24, 32, 40, 44]);
        assert_eq!(all.size, 48);
        assert_eq!(all.fields[5].1, GcStorage::Func);
        assert_eq!(all.fields[6].1, GcStorage::Ref);
        for n in 0..fields.len() {
            let prefix = GcFields::of_struct(&fields[..n]);
            assert_eq!(prefix.fields, all.fields[..n]);
            assert_eq!(prefix.size % GC_ALIGN, 0);
        }
        assert_eq!(GcFields::of_struct::<TypeIndex>(&[]).size, GC_ALIGN);
    }

    #[test]
    fn the_largest_structure_ends_before_the_guards_do() {
        let fields = vec![field(StorageType::Val(ValType::V128)); 10_000];
        let size = GcFields::of_struct(&fields).size;
        assert!(size < GC_NULL_PAGES && u64::from(size) < GC_GUARD);
    }

    #[test]
    fn an_exception_begins_with_its_tag() {
        let func = FuncType::<TypeIndex> {
            params: [ValType::I32, ValType::I64].into(),
            results: [].into(),
        };
        let GcLayout::Exn(fields) = GcLayout::of(&CompositeType::Func(func)) else {
            panic!("an exception");
        };
        assert_eq!(fields.fields[0], (8, GcStorage::I32));
        assert_eq!((fields.fields[1].0, fields.size), (16, 24));
    }

    #[test]
    fn sizes_of_arrays_do_not_overflow() {
        assert_eq!(array_size(GcStorage::I8, 0), 8);
        assert_eq!(array_size(GcStorage::I8, 1), 16);
        assert_eq!(array_size(GcStorage::I16, 4), 16);
        assert!(array_size(GcStorage::V128, u32::MAX) > 1 << 35);
    }
}
