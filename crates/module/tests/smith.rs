//! Whatever wasm-smith generates is decoded, unless it uses what is not implemented, and what is found in it fits together.

use arbitrary::Unstructured;
use meantime_module::*;
use wasm_smith::Config;

/// A few thousand bytes that look random and are the same every time.
fn entropy(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..8192).map(|_| next()).collect()
}

/// What one module looks like, to see that the generator reaches everything.
#[derive(Default, Debug)]
struct Seen {
    decoded: usize,
    images: usize,
    escaped: usize,
    unsupported: usize,
}

fn check(wasm: &[u8], seen: &mut Seen) {
    let module = match Module::decode(wasm, WasmFeatures::all(), true) {
        Ok(module) => module,
        Err(error) => {
            assert_eq!(error.kind(), ModuleErrorKind::Unsupported, "{error}");
            seen.unsupported += 1;
            return;
        }
    };
    seen.decoded += 1;
    seen.escaped += module.escaped().len();
    let counts = module.counts();
    assert_eq!(
        counts.func_imports as usize + module.bodies().len(),
        module.functions().len()
    );
    assert_eq!(module.table_inits().len(), counts.tables as usize);
    assert_eq!(module.memory_images().len(), counts.memories as usize);
    assert!(module.layout().size() > 0);
    for (memory, image) in module.memory_images().iter() {
        let Some(image) = image else { continue };
        seen.images += 1;
        let ty = &module.memories()[module.memory_index(memory)];
        assert!(image.start + image.len <= ty.min_bytes().unwrap());
        assert_eq!(image.bytes(wasm).len() as u64, image.len);
    }
    for (table, init) in module.table_inits().iter() {
        assert!(init.image.len() as u64 <= module.tables()[module.table_index(table)].min);
    }
    for export in module.exports() {
        assert_eq!(module.export(&export.name), Some(export.index));
    }
    let (extracted, data) = module.extract(wasm, &|_| true, Images::Pieces).unwrap();
    for (before, after) in module
        .memory_images()
        .values()
        .zip(extracted.memory_images().values())
    {
        if let (Some(before), Some(after)) = (before, after) {
            assert_eq!(before.bytes(wasm), after.bytes(&data));
        }
    }
    let bytes = postcard::to_stdvec(&module).unwrap();
    assert_eq!(postcard::from_bytes::<Module>(&bytes).unwrap(), module);
}

#[test]
fn generated_modules_are_decoded() {
    let mut seen = Seen::default();
    for seed in 0..600 {
        let bytes = entropy(seed);
        let mut u = Unstructured::new(&bytes);
        let config = Config {
            gc_enabled: seed % 3 == 0,
            custom_page_sizes_enabled: seed % 2 == 0,
            max_memories: 4,
            max_tables: 4,
            generate_custom_sections: true,
            min_data_segments: (seed % 4) as usize,
            min_memories: 1,
            disallow_traps: seed % 4 == 1,
            ..Config::default()
        };
        let Ok(module) = wasm_smith::Module::new(config, &mut u) else {
            continue;
        };
        check(&module.to_bytes(), &mut seen);
    }
    assert!(seen.decoded > 300, "{seen:?}");
    assert!(seen.images > 0 && seen.escaped > 0, "{seen:?}");
}

#[test]
fn changed_modules_never_panic() {
    let mut refused = 0;
    for seed in 0..60 {
        let bytes = entropy(seed);
        let Ok(module) = wasm_smith::Module::new(Config::default(), &mut Unstructured::new(&bytes))
        else {
            continue;
        };
        let wasm = module.to_bytes();
        for (i, change) in entropy(seed + 1000).chunks_exact(3).take(200).enumerate() {
            let mut changed = wasm.clone();
            let at = (usize::from(change[0]) << 8 | usize::from(change[1])) * 7 + i;
            let at = 8 + at % (wasm.len() - 8).max(1);
            if at < changed.len() {
                changed[at] = change[2];
            }
            refused += usize::from(Module::decode(&changed, WasmFeatures::all(), false).is_err());
        }
    }
    assert!(refused > 0);
}
