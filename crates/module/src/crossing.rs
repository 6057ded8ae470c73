//! Whether functions can get in or out of an instance as values, other than as imported and exported functions.
//!
//! Where they cannot, as in most programs, nobody outside can ever call a function that is only in a table, nor can
//! such a program call a function of the host that it does not import: neither needs a trampoline. This errs on the side of saying yes.

use crate::{EntityIndex, Module};
use meantime_abi::{CompositeType, FuncType, HeapType, RefType, ValType};

impl Module {
    /// Whether a reference to a function may cross the border of an instance in a table, a global, a parameter, a result, an
    /// exception or an object.
    pub fn funcrefs_cross(&self) -> bool {
        // An external reference may wrap an object of the guest, and that may hold functions.
        let has_objects = self
            .types
            .values()
            .any(|ty| !matches!(ty.composite, CompositeType::Func(_)));
        let carries = |ty: &RefType| match ty.heap {
            HeapType::Extern => has_objects,
            HeapType::NoExtern | HeapType::I31 => false,
            _ => true,
        };
        let val_carries = |ty: &ValType| matches!(ty, ValType::Ref(ty) if carries(ty));
        let func_carries = |ty: &FuncType| ty.params.iter().chain(&ty.results).any(val_carries);
        let crosses = |index: EntityIndex| match index {
            EntityIndex::Func(func) => func_carries(self.func_type(func)),
            EntityIndex::Table(table) => carries(&self.tables[table].element),
            EntityIndex::Global(global) => val_carries(&self.globals[global].content),
            EntityIndex::Memory(_) | EntityIndex::Tag(_) => false,
        };
        // An exception can leave through any call, with what its tag says.
        self.tags
            .values()
            .any(|tag| func_carries(self.type_as_func(tag.func)))
            || self.imports.iter().any(|import| crosses(import.index))
            || self.exports.iter().any(|export| crosses(export.index))
    }
}
