//! From bytes to a [`Module`]: one pass over the sections, each validated and then read, and then the bodies of functions.
//!
//! The one idea: the validator sees every section first, so that reading may trust what it says; what reading checks itself is
//! only that numbers fit our own types and that a proposal is implemented. Bodies and data segments that are plain have validators of their own.

use crate::branch_hints::{self, BranchHints};
use crate::classify::require_module;
use crate::convert::{self, Types, unsupported};
use crate::module::*;
use crate::names::Names;
use crate::{ConstExpr, ConstOp, ModuleError, ModuleErrorKind, escape, image, plain, validate};
use meantime_abi::*;
use smallvec::smallvec;
use std::ops::Range;
use wasmparser as wp;
use wasmparser::Payload;

/// Custom sections beyond this number are ignored: the format allows one for every two bytes.
const MAX_CUSTOM_SECTIONS: usize = 10_000;

impl Module {
    /// Decodes and validates a module in the binary format. With `parallel`, the bodies of a large module are validated on several
    /// threads; a small one is never worth starting any.
    ///
    /// # Errors
    ///
    /// When the bytes are not a module, or it is not valid with these features, or it is beyond an implementation limit; the
    /// error says where. Of several mistakes in bodies the first is reported, with and without `parallel`.
    pub fn decode(
        bytes: &[u8],
        features: wp::WasmFeatures,
        parallel: bool,
    ) -> Result<Module, ModuleError> {
        require_module(bytes)?;
        if u32::try_from(bytes.len()).is_err() {
            return Err(ModuleError::at(
                ModuleErrorKind::Limit,
                "the module is larger than 4 GiB, which exceeds the limit",
                u64::from(u32::MAX),
            ));
        }
        let mut decoder = Decoder::new(features);
        decoder.sections(bytes)?;
        let bodies = std::mem::take(&mut decoder.bodies);
        validate::bodies(&decoder.module, &features, bodies, parallel)?;
        decoder.finish(bytes)
    }
}

/// A module as far as it was read.
struct Decoder<'a> {
    validator: wp::Validator,
    types: Types,
    module: Module,
    bodies: Vec<validate::Body<'a>>,
    name_section: Option<wp::BinaryReader<'a>>,
    hint_section: Option<wp::BinaryReader<'a>>,
}

impl<'a> Decoder<'a> {
    fn new(features: wp::WasmFeatures) -> Decoder<'a> {
        Decoder {
            validator: wp::Validator::new_with_features(features),
            types: Types::default(),
            module: empty_module(),
            bodies: Vec::new(),
            name_section: None,
            hint_section: None,
        }
    }

    fn sections(&mut self, bytes: &'a [u8]) -> Result<(), ModuleError> {
        let mut parser = wp::Parser::new(0);
        parser.set_features(*self.validator.features());
        for payload in parser.parse_all(bytes) {
            let payload = payload.map_err(ModuleError::malformed)?;
            if let Payload::DataSection(section) = &payload {
                let segments = section.original_position()..section.range().end;
                let datas = plain::datas(&self.module, bytes, segments, section.count());
                if let Some(datas) = datas {
                    self.module.datas.extend(datas);
                    continue;
                }
            }
            if let Payload::CodeSectionEntry(body) = payload {
                let func = self.validator.code_section_entry(&body);
                let func = func.map_err(ModuleError::invalid)?;
                let range = range32(body.range())?;
                self.module.bodies.push(Body { range });
                self.bodies.push((func, body));
                continue;
            }
            let valid = self.validator.payload(&payload);
            valid.map_err(ModuleError::invalid)?;
            self.section(payload)?;
        }
        self.module.types = std::mem::take(&mut self.types.defs);
        self.module.rec_groups = std::mem::take(&mut self.types.groups);
        Ok(())
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), ModuleError> {
        match payload {
            Payload::TypeSection(section) => self.types.read(section),
            Payload::ImportSection(section) => self.imports(section),
            Payload::FunctionSection(section) => self.functions(section),
            Payload::TableSection(section) => self.tables(section),
            Payload::MemorySection(section) => self.memories(section),
            Payload::TagSection(section) => self.tags(section),
            Payload::GlobalSection(section) => self.globals(section),
            Payload::ExportSection(section) => self.exports(section),
            Payload::StartSection { func, .. } => {
                self.module.start = Some(FuncIndex::from_u32(func));
                Ok(())
            }
            Payload::ElementSection(section) => self.elems(section),
            Payload::DataSection(section) => self.datas(section),
            Payload::CodeSectionStart {
                unchecked_range,
                count,
                ..
            } => {
                // Each body takes at least three bytes, and the bytes are all here.
                let count = (count as usize).min(1 << 20);
                self.module.bodies.reserve(count);
                self.bodies.reserve(count);
                self.module.code_section_start = offset32(unchecked_range.start)?;
                Ok(())
            }
            Payload::CustomSection(section) => self.custom(&section),
            // The version is checked, a body was kept already, the number of data segments only helps the validator.
            _ => Ok(()),
        }
    }

    fn imports(&mut self, section: wp::ImportSectionReader<'a>) -> Result<(), ModuleError> {
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import.map_err(ModuleError::malformed)?;
            let module = &mut self.module;
            let index = match import.ty {
                wp::TypeRef::Func(ty) => {
                    module.counts.func_imports += 1;
                    EntityIndex::Func(module.functions.push(function(ty)))
                }
                wp::TypeRef::FuncExact(_) => {
                    return Err(unsupported("exact function imports are", offset));
                }
                wp::TypeRef::Table(ty) => {
                    module.counts.table_imports += 1;
                    let ty = self.types.table_type(&ty, offset)?;
                    EntityIndex::Table(module.tables.push(ty))
                }
                wp::TypeRef::Memory(ty) => {
                    module.counts.memory_imports += 1;
                    EntityIndex::Memory(module.memories.push(convert::memory_type(&ty)))
                }
                wp::TypeRef::Global(ty) => {
                    module.counts.global_imports += 1;
                    let ty = self.types.global_type(&ty, offset)?;
                    EntityIndex::Global(module.globals.push(ty))
                }
                wp::TypeRef::Tag(ty) => {
                    module.counts.tag_imports += 1;
                    EntityIndex::Tag(module.tags.push(convert::tag_type(&ty)))
                }
            };
            module.imports.push(Import {
                module: import.module.to_owned(),
                name: import.name.to_owned(),
                index,
            });
        }
        Ok(())
    }

    fn functions(&mut self, section: wp::FunctionSectionReader<'a>) -> Result<(), ModuleError> {
        self.module.functions.reserve(section.count() as usize);
        for ty in section {
            let ty = ty.map_err(ModuleError::malformed)?;
            self.module.functions.push(function(ty));
        }
        Ok(())
    }

    fn tables(&mut self, section: wp::TableSectionReader<'a>) -> Result<(), ModuleError> {
        for table in section.into_iter_with_offsets() {
            let (offset, table) = table.map_err(ModuleError::malformed)?;
            let ty = self.types.table_type(&table.ty, offset)?;
            let init = match &table.init {
                wp::TableInit::RefNull => None,
                wp::TableInit::Expr(expr) => Some(ConstExpr::read(expr, &self.types)?),
            };
            self.module.tables.push(ty);
            self.module.counts.tables += 1;
            self.module.table_inits.push(TableInit {
                init,
                image: Box::default(),
            });
        }
        Ok(())
    }

    fn memories(&mut self, section: wp::MemorySectionReader<'a>) -> Result<(), ModuleError> {
        for ty in section {
            let ty = ty.map_err(ModuleError::malformed)?;
            self.module.memories.push(convert::memory_type(&ty));
            self.module.memory_images.push(None);
            self.module.counts.memories += 1;
        }
        Ok(())
    }

    fn tags(&mut self, section: wp::TagSectionReader<'a>) -> Result<(), ModuleError> {
        for ty in section {
            let ty = ty.map_err(ModuleError::malformed)?;
            self.module.tags.push(convert::tag_type(&ty));
            self.module.counts.tags += 1;
        }
        Ok(())
    }

    fn globals(&mut self, section: wp::GlobalSectionReader<'a>) -> Result<(), ModuleError> {
        for global in section.into_iter_with_offsets() {
            let (offset, global) = global.map_err(ModuleError::malformed)?;
            let ty = self.types.global_type(&global.ty, offset)?;
            let init = ConstExpr::read(&global.init_expr, &self.types)?;
            self.module.globals.push(ty);
            self.module.global_inits.push(init);
            self.module.counts.globals += 1;
        }
        Ok(())
    }

    fn exports(&mut self, section: wp::ExportSectionReader<'a>) -> Result<(), ModuleError> {
        for export in section {
            let export = export.map_err(ModuleError::malformed)?;
            let at = export.index;
            let index = match export.kind {
                wp::ExternalKind::Func | wp::ExternalKind::FuncExact => {
                    EntityIndex::Func(FuncIndex::from_u32(at))
                }
                wp::ExternalKind::Table => EntityIndex::Table(TableIndex::from_u32(at)),
                wp::ExternalKind::Memory => EntityIndex::Memory(MemoryIndex::from_u32(at)),
                wp::ExternalKind::Global => EntityIndex::Global(GlobalIndex::from_u32(at)),
                wp::ExternalKind::Tag => EntityIndex::Tag(TagIndex::from_u32(at)),
            };
            self.module.exports.push(Export {
                name: export.name.to_owned(),
                index,
            });
        }
        Ok(())
    }

    fn elems(&mut self, section: wp::ElementSectionReader<'a>) -> Result<(), ModuleError> {
        for elem in section.into_iter_with_offsets() {
            let (offset, elem) = elem.map_err(ModuleError::malformed)?;
            let mode = match &elem.kind {
                wp::ElementKind::Passive => SegmentMode::Passive,
                wp::ElementKind::Declared => SegmentMode::Declared,
                wp::ElementKind::Active {
                    table_index,
                    offset_expr,
                } => SegmentMode::Active {
                    target: TableIndex::from_u32(table_index.unwrap_or(0)),
                    offset: ConstExpr::read(offset_expr, &self.types)?,
                    in_image: false,
                },
            };
            let (ty, items) = match elem.items {
                wp::ElementItems::Functions(items) => (
                    RefType {
                        nullable: false,
                        heap: HeapType::Func,
                    },
                    elem_funcs(items)?,
                ),
                wp::ElementItems::Expressions(ty, items) => {
                    let ty = self.types.ref_type(ty, offset)?;
                    (ty, self.elem_exprs(ty, items)?)
                }
            };
            self.module.elems.push(Elem { ty, mode, items });
        }
        Ok(())
    }

    /// Items as expressions; as functions where all are just that, which is how most producers write functions with null among them.
    fn elem_exprs(
        &self,
        ty: RefType,
        items: wp::SectionLimited<'a, wp::ConstExpr<'a>>,
    ) -> Result<ElemItems, ModuleError> {
        let mut funcs = Vec::new();
        let mut exprs = Vec::new();
        for item in items {
            let item = item.map_err(ModuleError::malformed)?;
            let item = ConstExpr::read(&item, &self.types)?;
            let func = match ty.heap.repr() {
                RefRepr::Func if exprs.is_empty() => item.as_func(),
                _ => None,
            };
            match func {
                Some(func) => funcs.push(func),
                None => {
                    let as_expr = |func: Option<FuncIndex>| ConstExpr {
                        ops: smallvec![func.map_or(ConstOp::RefNull(ty.heap), ConstOp::RefFunc)],
                    };
                    exprs.extend(funcs.drain(..).map(as_expr));
                    exprs.push(item);
                }
            }
        }
        Ok(if exprs.is_empty() {
            ElemItems::Funcs(funcs.into())
        } else {
            ElemItems::Exprs(exprs.into())
        })
    }

    fn datas(&mut self, section: wp::DataSectionReader<'a>) -> Result<(), ModuleError> {
        for data in section {
            let data = data.map_err(ModuleError::malformed)?;
            let mode = match &data.kind {
                wp::DataKind::Passive => SegmentMode::Passive,
                wp::DataKind::Active {
                    memory_index,
                    offset_expr,
                } => SegmentMode::Active {
                    target: MemoryIndex::from_u32(*memory_index),
                    offset: ConstExpr::read(offset_expr, &self.types)?,
                    in_image: false,
                },
            };
            // The range is the whole segment's; its bytes are what it ends with.
            let range = range32(data.range.end - data.data.len() as u64..data.range.end)?;
            self.module.datas.push(Data { mode, range });
        }
        Ok(())
    }

    fn custom(&mut self, section: &wp::CustomSectionReader<'a>) -> Result<(), ModuleError> {
        if section.name() == "name" && self.name_section.is_none() {
            self.name_section = Some(section.data_reader());
        }
        if section.name() == branch_hints::SECTION && self.hint_section.is_none() {
            self.hint_section = Some(section.data_reader());
        }
        if self.module.custom_sections.len() < MAX_CUSTOM_SECTIONS {
            self.module.custom_sections.push(CustomSection {
                name: section.name().to_owned(),
                range: range32(section.data_range())?,
            });
        }
        Ok(())
    }

    /// What can only be computed from the whole module.
    fn finish(self, bytes: &[u8]) -> Result<Module, ModuleError> {
        let mut module = self.module;
        if let Some(section) = self.name_section {
            let names = Names::read(section, module.functions.len());
            module.name = names.module;
            module.func_names = names.funcs;
        }
        if let Some(section) = self.hint_section {
            module.branch_hints = BranchHints::read(section, &module);
        }
        module.exports_by_name = (0..module.exports.len() as u32).collect();
        let exports = &module.exports;
        module
            .exports_by_name
            .sort_by(|&a, &b| exports[a as usize].name.cmp(&exports[b as usize].name));
        escape::mark(&mut module);
        check_layout(&module.counts, bytes.len() as u64)?;
        image::fold_segments(&mut module, bytes);
        Ok(module)
    }
}

fn empty_module() -> Module {
    Module {
        name: None,
        types: Default::default(),
        rec_groups: Default::default(),
        imports: Vec::new(),
        exports: Vec::new(),
        functions: Default::default(),
        tables: Default::default(),
        memories: Default::default(),
        globals: Default::default(),
        tags: Default::default(),
        counts: VmCounts::default(),
        escaped: Default::default(),
        table_inits: Default::default(),
        global_inits: Default::default(),
        memory_images: Default::default(),
        elems: Default::default(),
        datas: Default::default(),
        start: None,
        bodies: Default::default(),
        func_names: Default::default(),
        branch_hints: Default::default(),
        exports_by_name: Vec::new(),
        custom_sections: Vec::new(),
        code_section_start: 0,
    }
}

fn function(ty: u32) -> Function {
    Function {
        ty: TypeIndex::from_u32(ty),
        escaped: None,
    }
}

fn elem_funcs(items: wp::SectionLimited<'_, u32>) -> Result<ElemItems, ModuleError> {
    let mut funcs = Vec::with_capacity((items.count() as usize).min(1 << 20));
    for item in items {
        let func = item.map_err(ModuleError::malformed)?;
        funcs.push(Some(FuncIndex::from_u32(func)));
    }
    Ok(ElemItems::Funcs(funcs.into()))
}

fn offset32(offset: u64) -> Result<u32, ModuleError> {
    u32::try_from(offset).map_err(|_| {
        ModuleError::at(
            ModuleErrorKind::Limit,
            "an offset of 4 GiB or more exceeds the limit",
            offset,
        )
    })
}

fn range32(range: Range<u64>) -> Result<Range<u32>, ModuleError> {
    Ok(offset32(range.start)?..offset32(range.end)?)
}

/// Checks what [`VmLayout::new`] relies on. The validator's own limits are far below this one today.
fn check_layout(counts: &VmCounts, end: u64) -> Result<(), ModuleError> {
    let all = [
        counts.func_imports,
        counts.table_imports,
        counts.memory_imports,
        counts.global_imports,
        counts.tag_imports,
        counts.tables,
        counts.memories,
        counts.globals,
        counts.tags,
        counts.escaped_funcs,
    ];
    // No item takes more than 64 bytes of a context.
    let items: u64 = all.into_iter().map(u64::from).sum();
    if items * 64 > 1 << 30 {
        let message = format!("the number of imports and definitions, {items}, exceeds the limit");
        return Err(ModuleError::at(ModuleErrorKind::Limit, message, end));
    }
    Ok(())
}
