//! The fast validator against the full one, on bodies as they are and changed at random.

use super::*;
use arbitrary::Unstructured;
use wasmparser::{BinaryReader, FuncToValidate, FunctionBody, Parser, ValidPayload, Validator};

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

#[derive(Default, Debug)]
struct Seen {
    bodies: usize,
    known: usize,
    changed: usize,
    changed_known: usize,
    changed_valid: usize,
}

/// Compares the two on the bodies of a module, each as it is and with so many changes.
fn compare(wasm: &[u8], random: &mut Random, changes: usize, seen: &mut Seen) {
    let features = WasmFeatures::all();
    let module = Module::decode(wasm, features, false).expect("valid");
    let plain = Plain::new(&module, &features).expect("all features are enabled");
    let mut scratch = Scratch::default();
    let mut validator = Validator::new_with_features(features);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.expect("well-formed");
        let Ok(ValidPayload::Func(func, body)) = validator.payload(&payload) else {
            continue;
        };
        let FuncToValidate {
            resources,
            index,
            ty,
            features,
        } = func;
        let full = |body: &[u8]| {
            let func = FuncToValidate {
                resources: resources.clone(),
                index,
                ty,
                features,
            };
            let body = FunctionBody::new(BinaryReader::new_features(body, 0, features));
            func.into_validator(Default::default())
                .validate(&body)
                .is_ok()
        };
        let body = body.as_bytes();
        seen.bodies += 1;
        seen.known += usize::from(plain.validate(&mut scratch, ty, body));
        for _ in 0..changes {
            let mut changed = body.to_vec();
            for _ in 0..=random.below(3) {
                change(&mut changed, random);
            }
            let known = plain.validate(&mut scratch, ty, &changed);
            let valid = full(&changed);
            assert!(valid || !known, "taken for valid: {changed:02x?}");
            seen.changed += 1;
            seen.changed_known += usize::from(known);
            seen.changed_valid += usize::from(valid);
        }
    }
}

/// One change: a byte, a byte more or less, a piece doubled or taken out.
fn change(body: &mut Vec<u8>, random: &mut Random) {
    if body.is_empty() {
        return;
    }
    let at = random.below(body.len());
    // Opcodes of the part that is known, mostly.
    let byte = match random.below(4) {
        0 => random.next() as u8,
        1 => random.below(0x24) as u8,
        2 => 0x7c + random.below(4) as u8,
        _ => 0x41 + random.below(0x84) as u8,
    };
    match random.below(6) {
        0 => body.insert(at, byte),
        1 => drop(body.remove(at)),
        2 => {
            let end = (at + 1 + random.below(8)).min(body.len());
            let piece = body[at..end].to_vec();
            let to = random.below(body.len());
            body.splice(to..to, piece);
        }
        3 => {
            let end = (at + 1 + random.below(8)).min(body.len());
            body.drain(at..end);
        }
        _ => body[at] = byte,
    }
}

fn generated(random: &mut Random, config: wasm_smith::Config) -> Option<Vec<u8>> {
    let entropy: Vec<u8> = (0..4096).map(|_| random.next() as u8).collect();
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&entropy));
    Some(module.ok()?.to_bytes())
}

#[test]
fn what_is_taken_for_valid_is() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut seen = Seen::default();
    for round in 0..600 {
        let config = wasm_smith::Config {
            simd_enabled: round % 8 == 0,
            reference_types_enabled: false,
            bulk_memory_enabled: round % 8 == 1,
            gc_enabled: false,
            exceptions_enabled: round % 4 == 2,
            tail_call_enabled: false,
            threads_enabled: false,
            wide_arithmetic_enabled: false,
            memory64_enabled: round % 3 == 0,
            max_memories: 1,
            min_funcs: 2,
            max_instructions: 60,
            max_imports: 4,
            max_globals: 4,
            max_types: 6,
            ..Default::default()
        };
        if let Some(wasm) = generated(&mut random, config) {
            compare(&wasm, &mut random, 60, &mut seen);
        }
    }
    // The comparison is only worth something where both answers are common.
    assert!(
        seen.bodies > 800 && seen.known * 3 > seen.bodies * 2,
        "{seen:?}"
    );
    assert!(seen.changed_known * 20 > seen.changed, "{seen:?}");
    assert!(seen.changed_valid * 2 < seen.changed, "{seen:?}");
}

/// A body of these bytes in a module of the text's.
fn body(wat: &str, body: &[u8]) -> (bool, bool) {
    let wasm = wat::parse_str(wat).expect("text");
    let module = Module::decode(&wasm, WasmFeatures::all(), false).expect("valid");
    let plain = Plain::new(&module, &WasmFeatures::all()).expect("all features are enabled");
    let known = plain.validate(&mut Scratch::default(), 0, body);
    let mut whole = wasm.clone();
    // The only function is last, of three bytes: its size, no locals, the end.
    assert_eq!(whole.split_off(wasm.len() - 3), [2, 0, 0x0b]);
    // The section's size is in front of the number of bodies.
    let at = whole.len() - 2;
    whole[at] = u8::try_from(body.len() + 2).expect("short");
    whole.push(body.len() as u8);
    whole.extend_from_slice(body);
    (
        known,
        Validator::new_with_features(WasmFeatures::all())
            .validate_all(&whole)
            .is_ok(),
    )
}

#[test]
fn numbers_are_read_as_the_full_validator_reads_them() {
    let module = "(module (memory 1) (func))";
    for body_of in [
        // The last byte of a constant repeats its sign.
        &[0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, 0x1a, 0x0b][..],
        &[0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b],
        &[0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x1a, 0x0b],
        &[0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x70, 0x1a, 0x0b],
        &[0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a, 0x0b],
        &[
            0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x1a, 0x0b,
        ],
        &[
            0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x1a, 0x0b,
        ],
        // An offset of 32 bits, and one of more.
        &[
            0, 0x41, 0, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b,
        ],
        &[
            0, 0x41, 0, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x1a, 0x0b,
        ],
        &[0, 0x41, 0, 0x28, 3, 0, 0x1a, 0x0b],
        // The same of an access that is not aligned so much, takes another operand, or takes none.
        &[
            0, 0x41, 0, 0x28, 3, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b,
        ],
        &[
            0, 0x42, 0, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b,
        ],
        &[0, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b],
        &[
            0, 0x41, 0, 0x41, 0, 0x36, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b,
        ],
        &[
            0, 0x41, 0, 0x42, 0, 0x36, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b,
        ],
        // A function's number in five bytes, one that is too large, and one of six bytes.
        &[0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b],
        &[0, 0x10, 0x81, 0x80, 0x80, 0x80, 0x00, 0x0b],
        &[0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10, 0x0b],
        &[0, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b],
        &[0, 0x10, 0x80, 0x80, 0x80, 0x80],
        // A block of a type by number, in one byte and in two; two bytes that are a negative number.
        &[0, 0x02, 0x00, 0x0b, 0x0b],
        &[0, 0x02, 0x80, 0x00, 0x0b, 0x0b],
        &[0, 0x02, 0x80, 0x40, 0x0b, 0x0b],
        // Something after the end; no end.
        &[0, 0x0b, 0x0b],
        &[0],
        &[],
        // A constant that is cut off.
        &[0, 0x43, 0, 0],
        // Locals: as many as there may be for a short body, none of a type.
        &[1, 0x80, 0x02, 0x7f, 0x0b],
        &[1, 0, 0x7a, 0x0b],
        &[2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x01, 0x7f, 0x0b],
    ] {
        let (known, valid) = body(module, body_of);
        assert_eq!(known, valid, "{body_of:02x?}");
    }
    // Valid, and not worth listing here.
    assert_eq!(body(module, &[1, 0x80, 0x08, 0x7f, 0x0b]), (false, true));
}

#[test]
fn exceptions_lead_to_labels_outside() {
    let module = "(module (type (func)) (tag (param i32)) (tag) (func))";
    for (text, expected) in [
        // `catch` with what the label takes, and without.
        (
            &[
                0, 0x02, 0x7f, 0x1f, 0x40, 1, 0, 0, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ][..],
            true,
        ),
        (
            &[
                0, 0x02, 0x7f, 0x1f, 0x40, 1, 0, 1, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            false,
        ),
        (
            &[
                0, 0x02, 0x7e, 0x1f, 0x40, 1, 0, 0, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            false,
        ),
        (
            &[
                0, 0x02, 0x7f, 0x1f, 0x40, 1, 0, 2, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            false,
        ),
        // Not the block's own label, which takes nothing.
        (
            &[
                0, 0x02, 0x7f, 0x1f, 0x40, 1, 2, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            false,
        ),
        (
            &[
                0, 0x02, 0x40, 0x1f, 0x7f, 1, 2, 0, 0x00, 0x0b, 0x1a, 0x0b, 0x0b,
            ],
            true,
        ),
        // `catch_all_ref`, thrown on; `catch_ref` without a payload.
        (
            &[
                0, 0x02, 0x69, 0x1f, 0x40, 1, 3, 0, 0x0b, 0x00, 0x0b, 0x0a, 0x0b,
            ],
            true,
        ),
        (
            &[
                0, 0x02, 0x69, 0x1f, 0x40, 1, 1, 1, 0, 0x0b, 0x00, 0x0b, 0x0a, 0x0b,
            ],
            true,
        ),
        (
            &[
                0, 0x02, 0x7f, 0x1f, 0x40, 1, 3, 0, 0x0b, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            false,
        ),
        (
            &[0, 0x02, 0x40, 0x1f, 0x40, 1, 4, 0, 0x0b, 0x0b, 0x0b],
            false,
        ),
        // `throw` takes the payload, `throw_ref` an exception.
        (&[0, 0x41, 0, 0x08, 0, 0x0b], true),
        (&[0, 0x08, 0, 0x0b], false),
        (&[0, 0x08, 1, 0x0b], true),
        (&[0, 0x08, 2, 0x0b], false),
        (&[0, 0x41, 0, 0x0a, 0x0b], false),
        (&[1, 1, 0x69, 0x20, 0, 0x0a, 0x0b], true),
        // A `select` without a type is of numbers.
        (
            &[1, 1, 0x69, 0x20, 0, 0x20, 0, 0x41, 0, 0x1b, 0x1a, 0x0b],
            false,
        ),
    ] {
        let (known, valid) = body(module, text);
        assert_eq!((known, valid), (expected, expected), "{text:02x?}");
    }
}

#[test]
fn code_that_cannot_be_reached_has_operands_of_any_type() {
    let module = "(module (func))";
    for (text, expected) in [
        (&[0, 0x00, 0x6a, 0x1a, 0x0b][..], true),
        (&[0, 0x00, 0x41, 0, 0x6a, 0x1a, 0x0b], true),
        (&[0, 0x00, 0x42, 0, 0x6a, 0x1a, 0x0b], false),
        (&[0, 0x6a, 0x1a, 0x0b], false),
        // Only until the block ends.
        (&[0, 0x02, 0x40, 0x00, 0x0b, 0x6a, 0x1a, 0x0b], false),
        (&[0, 0x02, 0x7f, 0x00, 0x0b, 0x1a, 0x0b], true),
        // What is there must be right, and no more than the results.
        (&[0, 0x02, 0x7f, 0x00, 0x42, 0, 0x0b, 0x1a, 0x0b], false),
        (
            &[0, 0x02, 0x7f, 0x00, 0x41, 0, 0x41, 0, 0x0b, 0x1a, 0x0b],
            false,
        ),
        // An `if` without an `else` gives back what it takes.
        (&[0, 0x41, 0, 0x04, 0x40, 0x0b, 0x0b], true),
        (&[0, 0x41, 0, 0x04, 0x7f, 0x41, 0, 0x0b, 0x1a, 0x0b], false),
        (
            &[
                0, 0x41, 0, 0x04, 0x7f, 0x41, 0, 0x05, 0x00, 0x0b, 0x1a, 0x0b,
            ],
            true,
        ),
    ] {
        assert_eq!(body(module, text), (expected, expected), "{text:02x?}");
    }
}

/// What the segments of a module are, by the full decoder: their offsets, where those are constants, and bytes.
fn segments(wasm: &[u8]) -> Vec<(Option<i32>, &[u8])> {
    let mut segments = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let wasmparser::Payload::DataSection(section) = payload.expect("well-formed") else {
            continue;
        };
        for data in section {
            let data = data.expect("valid");
            let offset = match data.kind {
                wasmparser::DataKind::Active { offset_expr, .. } => {
                    match offset_expr.get_operators_reader().read() {
                        Ok(wasmparser::Operator::I32Const { value }) => Some(value),
                        _ => None,
                    }
                }
                wasmparser::DataKind::Passive => None,
            };
            segments.push((offset, data.data));
        }
    }
    segments
}

#[test]
fn data_segments_are_read_as_the_full_validator_reads_them() {
    let text = r#"(module (memory 1)
        (data (i32.const 8) "abc") (data (i32.const -2147483648) "") (data (i32.const 70000) "and more"))"#;
    let mut wasm = wat::parse_str(text).expect("a module");
    let section = wasm.len() - 35;
    assert_eq!(wasm[section], 11, "the data section is the last one");
    let mut seen = [0; 2];
    for at in section..wasm.len() {
        let original = wasm[at];
        for byte in 0..=255 {
            wasm[at] = byte;
            let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(&wasm);
            let module = Module::decode(&wasm, WasmFeatures::all(), false);
            assert_eq!(module.is_ok(), valid.is_ok(), "{at}: {byte:#x}");
            seen[usize::from(valid.is_ok())] += 1;
            let Ok(module) = module else {
                continue;
            };
            let ours = module.datas().values().map(|data| {
                let offset = match &data.mode {
                    crate::SegmentMode::Active { offset, .. } => match offset.ops[..] {
                        [crate::ConstOp::I32Const(value)] => Some(value),
                        _ => None,
                    },
                    _ => None,
                };
                let bytes = data.range.start as usize..data.range.end as usize;
                (offset, &wasm[bytes])
            });
            assert_eq!(ours.collect::<Vec<_>>(), segments(&wasm), "{at}: {byte:#x}");
        }
        wasm[at] = original;
    }
    assert!(seen[0] > 1000 && seen[1] > 1000, "{seen:?}");
}
