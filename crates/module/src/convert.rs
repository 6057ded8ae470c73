//! The decoder's types as ours.
//!
//! The one idea: the decoder's concrete heap types say which definition they refer to, ours also which kind of definition that
//! is, so that representation never needs a lookup. Definitions may refer forward within their recursion group, so [`Types`] first
//! learns the kinds of a whole section and then converts.

use crate::{ModuleError, ModuleErrorKind};
use meantime_abi::entity::PrimaryMap;
use meantime_abi::*;
use std::ops::Range;
use wasmparser as wp;

/// The type section, as far as it was read.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) defs: PrimaryMap<TypeIndex, SubType>,
    pub(crate) groups: PrimaryMap<RecGroupIndex, Range<u32>>,
    kinds: Vec<CompositeKind>,
}

/// An error for what is valid in a proposal that is not implemented.
pub(crate) fn unsupported(what: &str, offset: u64) -> ModuleError {
    ModuleError::at(
        ModuleErrorKind::Unsupported,
        format!("{what} not supported"),
        offset,
    )
}

impl Types {
    /// Takes a validated type section.
    pub(crate) fn read(&mut self, section: wp::TypeSectionReader<'_>) -> Result<(), ModuleError> {
        let mut read = Vec::new();
        for group in section.into_iter_with_offsets() {
            let (_, group) = group.map_err(ModuleError::malformed)?;
            let first = self.kinds.len() as u32;
            for (offset, ty) in group.into_types_and_offsets() {
                self.kinds.push(kind(&ty, offset)?);
                read.push((offset, ty));
            }
            self.groups.push(first..self.kinds.len() as u32);
        }
        self.defs.reserve(read.len());
        for (offset, ty) in read {
            let ty = self.sub_type(&ty, offset)?;
            self.defs.push(ty);
        }
        Ok(())
    }

    fn sub_type(&self, ty: &wp::SubType, offset: u64) -> Result<SubType, ModuleError> {
        let supertype = match ty.supertype_idxs.as_slice() {
            [] => None,
            [one] => Some(self.index(one.unpack(), offset)?),
            _ => return Err(unsupported("several supertypes of a type are", offset)),
        };
        let vals = |types: &[wp::ValType]| {
            let types = types.iter().map(|ty| self.val_type(*ty, offset));
            types.collect::<Result<Box<[_]>, _>>()
        };
        let composite = match &ty.composite_type.inner {
            wp::CompositeInnerType::Func(func) => CompositeType::Func(FuncType {
                params: vals(func.params())?,
                results: vals(func.results())?,
            }),
            wp::CompositeInnerType::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| self.field_type(field, offset));
                CompositeType::Struct(fields.collect::<Result<_, _>>()?)
            }
            wp::CompositeInnerType::Array(ty) => {
                CompositeType::Array(self.field_type(&ty.0, offset)?)
            }
            wp::CompositeInnerType::Cont(_) => {
                return Err(unsupported("continuation types are", offset));
            }
        };
        Ok(SubType {
            is_final: ty.is_final,
            supertype,
            composite,
        })
    }

    fn field_type(&self, ty: &wp::FieldType, offset: u64) -> Result<FieldType, ModuleError> {
        Ok(FieldType {
            mutable: ty.mutable,
            storage: match ty.element_type {
                wp::StorageType::I8 => StorageType::I8,
                wp::StorageType::I16 => StorageType::I16,
                wp::StorageType::Val(ty) => StorageType::Val(self.val_type(ty, offset)?),
            },
        })
    }

    fn index(&self, index: wp::UnpackedIndex, offset: u64) -> Result<TypeIndex, ModuleError> {
        match index.as_module_index() {
            Some(index) if (index as usize) < self.kinds.len() => Ok(TypeIndex::from_u32(index)),
            // Sections are read as they stand in the module, where every type has an index of the module.
            _ => Err(unsupported("a type index of this form is", offset)),
        }
    }

    pub(crate) fn val_type(&self, ty: wp::ValType, offset: u64) -> Result<ValType, ModuleError> {
        Ok(match ty {
            wp::ValType::I32 => ValType::I32,
            wp::ValType::I64 => ValType::I64,
            wp::ValType::F32 => ValType::F32,
            wp::ValType::F64 => ValType::F64,
            wp::ValType::V128 => ValType::V128,
            wp::ValType::Ref(ty) => ValType::Ref(self.ref_type(ty, offset)?),
        })
    }

    pub(crate) fn ref_type(&self, ty: wp::RefType, offset: u64) -> Result<RefType, ModuleError> {
        Ok(RefType {
            nullable: ty.is_nullable(),
            heap: self.heap_type(ty.heap_type(), offset)?,
        })
    }

    pub(crate) fn heap_type(&self, ty: wp::HeapType, offset: u64) -> Result<HeapType, ModuleError> {
        use wp::AbstractHeapType as A;
        Ok(match ty {
            wp::HeapType::Abstract { shared: true, .. } => {
                return Err(unsupported("shared reference types are", offset));
            }
            wp::HeapType::Abstract { shared: false, ty } => match ty {
                A::Func => HeapType::Func,
                A::NoFunc => HeapType::NoFunc,
                A::Extern => HeapType::Extern,
                A::NoExtern => HeapType::NoExtern,
                A::Any => HeapType::Any,
                A::Eq => HeapType::Eq,
                A::I31 => HeapType::I31,
                A::Struct => HeapType::Struct,
                A::Array => HeapType::Array,
                A::None => HeapType::None,
                A::Exn => HeapType::Exn,
                A::NoExn => HeapType::NoExn,
                A::Cont | A::NoCont => {
                    return Err(unsupported("continuation types are", offset));
                }
            },
            wp::HeapType::Concrete(index) => {
                let index = self.index(index, offset)?;
                HeapType::Concrete(self.kinds[index.as_u32() as usize], index)
            }
            wp::HeapType::Exact(_) => return Err(unsupported("exact reference types are", offset)),
        })
    }

    pub(crate) fn table_type(
        &self,
        ty: &wp::TableType,
        offset: u64,
    ) -> Result<TableType, ModuleError> {
        if ty.shared {
            return Err(unsupported("shared tables are", offset));
        }
        Ok(TableType {
            addr: addr_type(ty.table64),
            element: self.ref_type(ty.element_type, offset)?,
            min: ty.initial,
            max: ty.maximum,
        })
    }

    pub(crate) fn global_type(
        &self,
        ty: &wp::GlobalType,
        offset: u64,
    ) -> Result<GlobalType, ModuleError> {
        if ty.shared {
            return Err(unsupported("shared globals are", offset));
        }
        Ok(GlobalType {
            mutable: ty.mutable,
            content: self.val_type(ty.content_type, offset)?,
        })
    }
}

fn kind(ty: &wp::SubType, offset: u64) -> Result<CompositeKind, ModuleError> {
    let composite = &ty.composite_type;
    if composite.shared {
        return Err(unsupported("shared types are", offset));
    }
    if composite.descriptor_idx.is_some() || composite.describes_idx.is_some() {
        return Err(unsupported("custom descriptors are", offset));
    }
    match composite.inner {
        wp::CompositeInnerType::Func(_) => Ok(CompositeKind::Func),
        wp::CompositeInnerType::Struct(_) => Ok(CompositeKind::Struct),
        wp::CompositeInnerType::Array(_) => Ok(CompositeKind::Array),
        wp::CompositeInnerType::Cont(_) => Err(unsupported("continuation types are", offset)),
    }
}

fn addr_type(is_64: bool) -> AddrType {
    if is_64 { AddrType::I64 } else { AddrType::I32 }
}

pub(crate) fn memory_type(ty: &wp::MemoryType) -> MemoryType {
    MemoryType {
        addr: addr_type(ty.memory64),
        shared: ty.shared,
        min: ty.initial,
        max: ty.maximum,
        // Validated: a page is one byte or 64 KiB.
        page_size_log2: ty.page_size_log2.unwrap_or(16) as u8,
    }
}

pub(crate) fn tag_type(ty: &wp::TagType) -> TagType {
    TagType {
        func: TypeIndex::from_u32(ty.func_type_idx),
    }
}
