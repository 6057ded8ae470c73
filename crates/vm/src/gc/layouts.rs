//! What a store's heap knows of types, by their numbers.
//!
//! Not the rules of types: those are the engine's. The one idea: everything is computed when a type is added, into flat arrays, so that
//! compiled code and the collector read one entry.

use meantime_abi::{CompositeType, GcLayout, GcStorage, TypeId, VmGcType};

/// What the collector does with an object of a type.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Scan {
    /// Nothing: the type is not known.
    Unknown,
    /// It is so many bytes long, and has references at the offsets in this range of [`Layouts::offsets`].
    Fixed { size: u32, first: u32, end: u32 },
    /// It has so many bytes for each element, and no references.
    Plain { element: u32 },
    /// It is an array of references.
    Refs,
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
            self.scans.resize(index + 1, Scan::Unknown);
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
            GcLayout::Struct(fields) | GcLayout::Exn(fields) => {
                let first = self.offsets.len() as u32;
                let refs = fields.fields.iter().filter(|f| f.1 == GcStorage::Ref);
                self.offsets.extend(refs.map(|f| f.0));
                Scan::Fixed {
                    size: fields.size,
                    first,
                    end: self.offsets.len() as u32,
                }
            }
            GcLayout::Array(GcStorage::Ref) => Scan::Refs,
            GcLayout::Array(element) => Scan::Plain {
                element: element.size(),
            },
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

    /// What the ranges of [`Scan::Fixed`] are of.
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
        ];
        let ty = CompositeType::Struct(fields.into());
        let line: Vec<TypeId> = (10..20).map(id).collect();
        layouts.add(id(3), &line, &ty);
        layouts.add(id(1), &line[..1], &CompositeType::Array(field(any)));
        layouts.add(id(3), &[], &CompositeType::Array(field(any)));
        let Scan::Fixed { size, first, end } = layouts.scans()[3] else {
            panic!("a structure");
        };
        assert_eq!(size, 32);
        assert_eq!(layouts.offsets()[first as usize..end as usize], [8, 28]);
        assert_eq!(layouts.vm_types()[3].display, line[..7]);
        let none = TypeId::NONE;
        let display = [id(10), id(1), none, none, none, none, none];
        assert_eq!(layouts.vm_types()[1].display, display);
        assert_eq!(layouts.scans()[1], Scan::Refs);
        assert_eq!(layouts.vm_types()[2], VmGcType::NONE);
        assert!(layouts.layout(id(2)).is_none() && layouts.layout(id(9)).is_none());
        layouts.add(TypeId::NONE, &[], &ty);
        assert!(layouts.layout(TypeId::NONE).is_none());
    }
}
