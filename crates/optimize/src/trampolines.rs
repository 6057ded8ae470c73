//! Trampolines: the two ways between the host's arrays of [`ValRaw`] and Wasm's registers, one each per signature.
//!
//! They are the only code here that is not translated from Wasm. What they do is told in `meantime-abi`, at
//! [`EnterPtr`](meantime_abi::EnterPtr) and [`HostFn`](meantime_abi::HostFn).

use crate::Target;
use crate::scratch::Scratch;
use crate::types::{PTR, Repr, UNREACHED, builtin_signature, signature};
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, ArgumentPurpose, Endianness, InstBuilder,
    MemFlagsData, StackSlotData, StackSlotKind, UserFuncName, Value, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use meantime_abi::{
    Builtin, Signature, Trampoline, ValRaw, ValRepr, VmBuiltins, VmHeader, VmHostContext,
    VmStoreContext,
};
use std::mem::offset_of;

const SLOT: usize = size_of::<ValRaw>();
const _: () = assert!(size_of::<VmBuiltins>() == Builtin::COUNT * 8);

/// Writes the CLIF of a trampoline into `scratch`.
pub(crate) fn build(target: &Target, scratch: &mut Scratch, kind: Trampoline, sig: &Signature) {
    scratch.context.clear();
    scratch.locations.clear();
    let func = &mut scratch.context.func;
    func.name = UserFuncName::user(1, 0);
    func.signature = match kind {
        Trampoline::Enter => enter_signature(),
        Trampoline::Host => wasm_signature(sig),
    };
    let mut b = FunctionBuilder::new(func, &mut scratch.builder);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let region = b.func.dfg.alias_regions.insert(AliasRegionData {
        user_id: 0,
        description: "values".into(),
    });
    match kind {
        Trampoline::Enter => enter(target, &mut b, sig, region),
        Trampoline::Host => host(target, &mut b, sig, region),
    }
    b.finalize(target.isa.frontend_config());
}

fn wasm_signature(sig: &Signature) -> ir::Signature {
    signature(sig.params.iter().copied(), sig.results.iter().copied())
}

fn enter_signature() -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::Tail);
    signature.params.extend([
        AbiParam::special(PTR, ArgumentPurpose::VMContext),
        AbiParam::new(PTR),
        AbiParam::new(PTR),
    ]);
    signature
}

/// `fn(*mut VmHostContext, *mut VmContext, *mut ValRaw, usize) -> bool` in the platform's convention.
fn host_signature(target: &Target) -> ir::Signature {
    let mut signature = ir::Signature::new(target.isa.default_call_conv());
    signature.params.extend([AbiParam::new(PTR); 4]);
    signature.returns.push(AbiParam::new(types::I8));
    signature
}

/// Slots of an array of values. They are little-endian on every machine.
fn slot_flags(region: AliasRegion) -> MemFlagsData {
    MemFlagsData::trusted()
        .with_endianness(Endianness::Little)
        .with_alias_region(Some(region))
}

fn slot_offset(index: usize) -> i32 {
    // Functions have at most a thousand parameters and as many results.
    i32::try_from(index * SLOT).expect("limited by the decoder")
}

fn load_values(
    b: &mut FunctionBuilder<'_>,
    reprs: &[ValRepr],
    base: Value,
    region: AliasRegion,
    values: &mut Vec<Value>,
) {
    for (i, &repr) in reprs.iter().enumerate() {
        let ty = Repr::from(repr).ty;
        let value = b.ins().load(ty, slot_flags(region), base, slot_offset(i));
        values.push(value);
    }
}

fn store_values(b: &mut FunctionBuilder<'_>, values: &[Value], base: Value, region: AliasRegion) {
    for (i, &value) in values.iter().enumerate() {
        b.ins()
            .store(slot_flags(region), value, base, slot_offset(i));
    }
}

/// From the host into Wasm: `(context, code, values)`.
fn enter(target: &Target, b: &mut FunctionBuilder<'_>, sig: &Signature, region: AliasRegion) {
    let params = b.block_params(b.current_block().expect("in the entry block"));
    let (context, code, values) = (params[0], params[1], params[2]);
    let mut args = vec![context];
    load_values(b, &sig.params, values, region, &mut args);
    let callee = b.import_signature(wasm_signature(sig));
    let store = target.costs.is_some().then(|| {
        let vm = MemFlagsData::trusted().with_alias_region(Some(region));
        let store = offset_of!(VmHeader, store) as i32;
        b.ins().load(PTR, vm, context, store)
    });
    if let Some(store) = store {
        take_fuel(b, store, region);
    }
    let call = b.ins().call_indirect(callee, code, &args);
    if let Some(store) = store {
        give_fuel(b, store, region);
    }
    let results = b.inst_results(call).to_vec();
    store_values(b, &results, values, region);
    b.ins().return_(&[]);
}

/// Where the guest goes on: takes the counter of fuel from the store's context to its register.
fn take_fuel(b: &mut FunctionBuilder<'_>, store: Value, region: AliasRegion) {
    let vm = MemFlagsData::trusted().with_alias_region(Some(region));
    let fuel = offset_of!(VmStoreContext, fuel) as i32;
    let counter = b.ins().load(types::I64, vm, store, fuel);
    b.ins().set_pinned_reg(counter);
}

/// Where the host goes on: the opposite.
fn give_fuel(b: &mut FunctionBuilder<'_>, store: Value, region: AliasRegion) {
    let vm = MemFlagsData::trusted().with_alias_region(Some(region));
    let fuel = offset_of!(VmStoreContext, fuel) as i32;
    let counter = b.ins().get_pinned_reg(types::I64);
    b.ins().store(vm, counter, store, fuel);
}

/// From Wasm to a function of the host: has the function's own signature, and a [`VmHostContext`] as its context.
fn host(target: &Target, b: &mut FunctionBuilder<'_>, sig: &Signature, region: AliasRegion) {
    let params = b.block_params(b.current_block().expect("in the entry block"));
    let (context, args) = (params[0], params[1..].to_vec());
    let vm = MemFlagsData::trusted().with_alias_region(Some(region));
    let load = |b: &mut FunctionBuilder<'_>, base, offset: usize| {
        b.ins().load(
            PTR,
            vm,
            base,
            i32::try_from(offset).expect("a small struct"),
        )
    };

    let store = load(b, context, offset_of!(VmHeader, store));
    let caller = load(b, store, offset_of!(VmStoreContext, caller));
    let frame = b.ins().get_frame_pointer(PTR);
    let exit_fp = offset_of!(VmStoreContext, exit_fp) as i32;
    b.ins().store(vm, frame, store, exit_fp);
    if target.costs.is_some() {
        give_fuel(b, store, region);
    }

    let count = sig.params.len().max(sig.results.len());
    // The caller's context waits behind the values: only a failure needs it, so that no register has to be saved for it.
    let saved_caller = slot_offset(count);
    let bytes = u32::try_from(count * SLOT + 8).expect("limited by the decoder");
    let slot = b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4));
    let values = b.ins().stack_addr(PTR, slot, 0);
    b.ins().stack_store(PTR, caller, slot, saved_caller);
    store_values(b, &args, values, region);
    let count = b.ins().iconst(PTR, count as i64);
    let func = load(b, context, offset_of!(VmHostContext, func));
    let host = b.import_signature(host_signature(target));
    let call = b
        .ins()
        .call_indirect(host, func, &[context, caller, values, count]);
    let succeeded = b.inst_results(call)[0];
    if target.costs.is_some() {
        let caller = b.ins().stack_load(PTR, PTR, slot, saved_caller);
        let store = load(b, caller, offset_of!(VmHeader, store));
        take_fuel(b, store, region);
    }

    let (raise, done) = (b.create_block(), b.create_block());
    b.set_cold_block(raise);
    b.ins().brif(succeeded, done, &[], raise, &[]);
    b.seal_block(raise);
    b.seal_block(done);

    b.switch_to_block(raise);
    // Only Wasm gets here, and it said who it is.
    let caller = b.ins().stack_load(PTR, PTR, slot, saved_caller);
    let builtins = load(b, caller, offset_of!(VmHeader, builtins));
    let raise_pending = load(b, builtins, Builtin::RaisePending as usize * 8);
    let raise_sig = b.import_signature(builtin_signature(target, Builtin::RaisePending));
    b.ins().call_indirect(raise_sig, raise_pending, &[caller]);
    b.ins().trap(UNREACHED);

    b.switch_to_block(done);
    let mut results = Vec::with_capacity(sig.results.len());
    load_values(b, &sig.results, values, region, &mut results);
    b.ins().return_(&results);
}
