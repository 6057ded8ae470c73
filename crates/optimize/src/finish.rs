//! From CLIF to a [`CompiledFunction`]: runs Cranelift and turns what it says about the code into relocations and a side table.

use crate::Target;
use crate::kept;
use crate::location::Locations;
use crate::loops;
use crate::scratch::Scratch;
use crate::slots;
use crate::types::trap_of;
use crate::wide;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function};
use cranelift_codegen::isa::unwind::UnwindInst;
use cranelift_codegen::{
    CodegenError, CompiledCode, ExceptionContextLoc, Final, FinalizedMachCallSite,
    FinalizedMachExceptionHandler, FinalizedMachReloc, FinalizedRelocTarget, MachBufferFinalized,
    MachSrcLoc, RegClass,
};
use meantime_abi::{
    CompiledFunction, ContextPlace, FuncIndex, Handler, HandlerKind, Point, Relocation,
    RelocationKind, SavedRegister, SideTableBuilder, TagIndex,
};
use meantime_compile::CompileError;

/// Without hardware faults functions look at the stack pointer only with their frame allocated, and nothing catches a stack that a single frame overflows,
/// so frames have a limit in bytes: half of what guests leave the host below them.
const MAX_UNGUARDED_FRAME: u32 = 64 << 10;

/// Compiles the CLIF in `scratch`.
pub(crate) fn compile(
    target: &Target,
    scratch: &mut Scratch,
) -> Result<CompiledFunction, CompileError> {
    let code = machine_code(target, scratch)?;
    let func = &scratch.context.func;
    let buffer = &code.buffer;
    if !target.tunables.signals_based_traps {
        let frame = buffer.frame_layout().map_or(0, |l| l.frame_to_fp_offset);
        if frame > MAX_UNGUARDED_FRAME {
            let message = format!("a function needs a stack frame of {frame} bytes");
            return Err(CompileError {
                message,
                unsupported: true,
                offset: None,
            });
        }
    }
    let align = buffer
        .alignment
        .max(target.isa.function_alignment().preferred);
    Ok(CompiledFunction {
        code: buffer.data().to_vec(),
        align,
        relocations: relocations(buffer.relocs(), func)?,
        side_table: side_table(target, buffer, &scratch.locations)?,
    })
}

/// Runs Cranelift, with what is done before its optimizations, and between those and its choice of instructions.
pub(crate) fn machine_code(
    target: &Target,
    scratch: &mut Scratch,
) -> Result<CompiledCode, CompileError> {
    let (isa, context, control) = (&*target.isa, &mut scratch.context, &mut scratch.control);
    loops::prepare(context);
    context.optimize(isa, control).map_err(codegen_error)?;
    if !context.func.sized_stack_slots.is_empty() {
        slots::place_addresses(&mut context.func);
    }
    wide::widen_loads(&mut context.func);
    kept::keep(context);
    let code = isa.compile_function(
        &context.func,
        &context.domtree,
        &mut scratch.registers,
        context.want_disasm,
        control,
    );
    Ok(code
        .map_err(codegen_error)?
        .apply_params(&context.func.params))
}

fn internal(message: String) -> CompileError {
    CompileError {
        message: format!("internal error in code generation: {message}"),
        unsupported: false,
        offset: None,
    }
}

fn codegen_error(error: CodegenError) -> CompileError {
    match error {
        CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge => CompileError {
            message: "a function is too large to be compiled".to_owned(),
            unsupported: false,
            offset: None,
        },
        CodegenError::Verifier(errors) => internal(errors.to_string()),
        other => internal(other.to_string()),
    }
}

fn relocations(
    relocs: &[FinalizedMachReloc],
    func: &Function,
) -> Result<Vec<Relocation>, CompileError> {
    let names = func.params.user_named_funcs();
    let convert = |reloc: &FinalizedMachReloc| {
        let kind = match reloc.kind {
            Reloc::X86CallPCRel4 | Reloc::X86PCRel4 => RelocationKind::X86Pc32,
            Reloc::Arm64Call => RelocationKind::Aarch64Branch26,
            other => return Err(internal(format!("unexpected relocation {other:?}"))),
        };
        let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &reloc.target else {
            return Err(internal(format!("unexpected target {:?}", reloc.target)));
        };
        Ok(Relocation {
            offset: reloc.offset,
            kind,
            target: FuncIndex::from_u32(names[*name].index),
            addend: reloc.addend,
        })
    };
    relocs.iter().map(convert).collect()
}

/// Looks up positions for ascending code offsets.
struct Positions<'a> {
    ranges: &'a [MachSrcLoc<Final>],
    locations: &'a Locations,
    with_offsets: bool,
}

impl Positions<'_> {
    /// A point for the instruction that covers the byte `at`.
    fn point(&self, code_offset: u32, at: u32) -> Point {
        let i = self.ranges.partition_point(|range| range.end <= at);
        let range = self.ranges.get(i).filter(|range| range.start <= at);
        let location = range.and_then(|range| self.locations.decode(range.loc));
        Point {
            code_offset,
            wasm_offset: location.filter(|_| self.with_offsets).map(|l| l.offset),
            trap: None,
            inline: location.and_then(|l| l.inline),
        }
    }
}

fn side_table(
    target: &Target,
    buffer: &MachBufferFinalized<Final>,
    locations: &Locations,
) -> Result<Vec<u8>, CompileError> {
    let positions = Positions {
        ranges: buffer.get_srclocs_sorted(),
        locations,
        with_offsets: target.tunables.generate_address_map,
    };
    let mut table = SideTableBuilder::new();
    for &frame in locations.inlined() {
        let mut frame = frame;
        if !positions.with_offsets {
            frame.call_wasm_offset = None;
        }
        table.inline_frame(frame);
    }
    for trap in buffer.traps() {
        let Some(kind) = trap_of(trap.code) else {
            continue;
        };
        let mut point = positions.point(trap.offset, trap.offset);
        point.trap = Some(kind);
        table.point(point);
    }
    for site in buffer.call_sites() {
        // The call ends where its callee returns to.
        table.point(positions.point(site.ret_addr, site.ret_addr.saturating_sub(1)));
        handlers(&mut table, &site)?;
    }
    saved_registers(&mut table, &buffer.unwind_info);
    for (return_offset, frame_size, map) in buffer.user_stack_maps() {
        // Entries count from the stack pointer upwards, and the frame pointer is as far above that as the frame is large.
        let slots = map.entries().map(|(_, from_sp)| frame_size - from_sp);
        table.stack_map(*return_offset, slots);
    }
    Ok(table.finish())
}

/// Adds the registers for integers that the prologue saves: the others are nobody's across calls of the guest.
fn saved_registers(table: &mut SideTableBuilder, prologue: &[(u32, UnwindInst)]) {
    let mut start = 0;
    for (_, inst) in prologue {
        match *inst {
            UnwindInst::DefineNewFrame {
                offset_downward_to_clobbers,
                ..
            } => start = offset_downward_to_clobbers,
            UnwindInst::SaveReg {
                clobber_offset,
                reg,
            } if reg.class() == RegClass::Int => table.saved_register(SavedRegister {
                register: reg.hw_enc(),
                below_fp: start - clobber_offset,
            }),
            _ => {}
        }
    }
}

/// Adds the handlers of a call.
fn handlers(
    table: &mut SideTableBuilder,
    site: &FinalizedMachCallSite<'_>,
) -> Result<(), CompileError> {
    if site.exception_handlers.is_empty() {
        return Ok(());
    }
    let Some(sp_below_fp) = site.frame_offset else {
        return Err(internal("a frame of unknown size has handlers".to_owned()));
    };
    let mut context = ContextPlace::BelowFp(0);
    for handler in site.exception_handlers {
        let (kind, landing) = match *handler {
            FinalizedMachExceptionHandler::Context(ExceptionContextLoc::SPOffset(offset)) => {
                context = ContextPlace::BelowFp(sp_below_fp - offset);
                continue;
            }
            FinalizedMachExceptionHandler::Context(ExceptionContextLoc::GPR(register)) => {
                context = ContextPlace::Register(register);
                continue;
            }
            FinalizedMachExceptionHandler::Tag(tag, landing) => {
                (HandlerKind::Tag(TagIndex::from_u32(tag.as_u32())), landing)
            }
            FinalizedMachExceptionHandler::Default(landing) => (HandlerKind::All, landing),
        };
        table.handler(Handler {
            code_offset: site.ret_addr,
            kind,
            landing,
            sp_below_fp,
            context,
        });
    }
    Ok(())
}
