//! Jumps through loops that only choose lead where the table would send them: what they do is tested elsewhere, here is that they are jumps.

use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use meantime_abi::{DefinedFuncIndex, Tunables};
use meantime_baseline::Baseline;
use meantime_module::{Module, WasmFeatures};
use target_lexicon::Architecture;
use wast::parser::{ParseBuffer, parse};

/// How many jumps lead to the first of all places that jumps lead back to, in a function that jumps once in each direction. That is its loop, if any
/// leads there.
fn jumps_to_the_loop(between: &str) -> usize {
    let source = format!(
        "(module (global $times (mut i32) (i32.const 9))
           (func (param $next i32)
             loop $top
               block $two block $one block $zero
                 local.get $next
                 br_table $zero $one $two
               end
               i32.const 2 local.set $next {between} br $top
               end
               return
               end
               (global.set $times (i32.sub (global.get $times) (i32.const 1)))
               (if (global.get $times) (then return))
               i32.const 1 local.set $next {between} br $top
             end))"
    );
    let buffer = ParseBuffer::new(&source).expect("tokens");
    let mut text = parse::<wast::Wat<'_>>(&buffer).expect("a module");
    let wasm = text.encode().expect("it can be encoded");
    let module = Module::decode(&wasm, WasmFeatures::all(), false).expect("it is valid");
    let compiler = Baseline::new(Architecture::X86_64, Tunables::default());
    let compiler = compiler.expect("there is a compiler for x86-64");
    let index = DefinedFuncIndex::from_u32(0);
    let compiled = compiler.compile_function(&module, &wasm, index, &mut |_| None);
    let code = compiled.expect("it is compiled").code;
    let targets: Vec<u64> = Decoder::with_ip(64, &code, 0, DecoderOptions::NONE)
        .iter()
        .filter(|i| i.mnemonic() == Mnemonic::Jmp && i.near_branch_target() != 0)
        .map(|i| (i.near_branch_target(), i.ip()))
        .filter(|(target, ip)| target < ip)
        .map(|(target, _)| target)
        .collect();
    let first = targets.iter().min();
    targets
        .iter()
        .filter(|target| Some(*target) == first)
        .count()
}

#[test]
fn constants_choose_at_once() {
    // The one that leads back, to a block that ended.
    assert_eq!(jumps_to_the_loop(""), 1);
    // Both, to the loop.
    assert_eq!(jumps_to_the_loop("nop"), 2);
}
