//! `.cwasm` files: what is written is read back, other tools can read it too, and damaged files are refused without a panic.

mod common;

use common::*;
use meantime_abi::*;
use meantime_compile::*;
use object::{Object, ObjectSection, ObjectSymbol};

#[test]
fn a_file_holds_all_that_the_artifact_in_memory_does() {
    for backend in [x86(), aarch64()] {
        let artifact = compile(EVERYTHING, &backend);
        let elf = artifact.to_elf().unwrap();
        let loaded = LoadedArtifact::parse(&elf, &Expect::of(&backend)).unwrap();
        let (a, b) = (artifact.view(), loaded.view(&elf));
        assert_eq!(a.info(), b.info());
        assert_eq!(a.text(), b.text());
        assert_eq!(a.side_tables(), b.side_tables());
        assert!(a.funcs().iter().eq(b.funcs().iter()));
        assert!(a.trampolines().eq(b.trampolines()));
        assert_eq!(a.module().exports(), b.module().exports());
        assert_eq!(a.module().bodies(), b.module().bodies());
        for (memory, _) in a.module().memory_images().iter() {
            assert_eq!(a.memory_image(memory), b.memory_image(memory));
        }
        for (data, _) in a.module().datas().iter() {
            assert_eq!(a.data_segment(data), b.data_segment(data));
        }
        assert_eq!(b.data_segment(DataIndex::from_u32(1)), b"passive");
        assert_eq!(b.data_segment(DataIndex::from_u32(2)), b"somewhere");
        assert_eq!(b.custom_section(".debug_info"), Some(&b"debugging"[..]));
    }
}

#[test]
fn code_and_images_start_at_pages() {
    for (backend, page) in [(x86(), 4096), (aarch64(), 65536)] {
        let elf = compile(EVERYTHING, &backend).to_elf().unwrap();
        let loaded = LoadedArtifact::parse_any_host(&elf).unwrap();
        assert_eq!(loaded.text_range().start % page, 0);
        assert_eq!(loaded.data_range().start % page, 0);
        let view = loaded.view(&elf);
        assert_eq!(&elf[loaded.text_range()], view.text());
        let memory = DefinedMemoryIndex::from_u32(0);
        let image = view.memory_image_range(memory).unwrap();
        assert_eq!((image.start % page, image.len()), (0, 65536));
        assert!(view.data()[image].starts_with(b"in an image\0"));
    }
}

#[test]
fn other_tools_see_an_object_with_symbols() {
    let artifact = compile(EVERYTHING, &x86());
    let elf = artifact.to_elf().unwrap();
    let file = object::read::elf::ElfFile64::<object::LittleEndian>::parse(&elf[..]).unwrap();
    assert_eq!(file.architecture(), object::Architecture::X86_64);
    let text = file.section_by_name(".text").unwrap();
    assert_eq!(text.data().unwrap(), artifact.view().text());
    let mut names = Vec::new();
    for symbol in file.symbols() {
        if symbol.kind() == object::SymbolKind::Text {
            let record = artifact.view().find(symbol.address() as u32).unwrap();
            assert_eq!(symbol.size(), record.code.len() as u64);
            names.push(symbol.name().unwrap().to_owned());
        }
    }
    let expected: Vec<_> = artifact.view().symbols().map(|s| s.name).collect();
    assert_eq!(names, expected);
    assert_eq!(names[0], "wasm[0]::function[1]::main");
    assert!(names.iter().any(|n| n.starts_with("wasm[0]::enter[")));
    assert!(names.iter().any(|n| n.starts_with("wasm[0]::host[")));
}

#[test]
fn names_that_would_confuse_are_shown_harmlessly() {
    let text = format!(
        r#"(module (func $"a\00b\n\1b[0m") (func $"{}") (func))"#,
        "é".repeat(5000)
    );
    let artifact = compile(&text, &x86());
    let names: Vec<_> = artifact.view().symbols().map(|s| s.name).collect();
    assert_eq!(names[0], "wasm[0]::function[0]::a?b??[0m");
    assert_eq!(names[1].chars().filter(|c| *c == 'é').count(), 1024);
    assert_eq!(names[2], "wasm[0]::function[2]");
    assert!(LoadedArtifact::parse(&artifact.to_elf().unwrap(), &expect()).is_ok());
}

#[test]
fn files_of_another_kind_are_named() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "an empty file"),
        (b"\0asm\x01\0\0\0", "WebAssembly that is not compiled"),
        (b"hello", "something else"),
        (
            &[b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 60]].concat(),
            "another kind of ELF file",
        ),
    ];
    for (bytes, message) in cases {
        let error = LoadedArtifact::parse(bytes, &expect()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(matches!(error, ArtifactError::NotAnArtifact(_)));
        assert_eq!(detect_precompiled(bytes), None);
    }
    let elf = compile("(module)", &x86()).to_elf().unwrap();
    assert_eq!(detect_precompiled(&elf), Some(Precompiled::Module));
}

#[test]
fn another_host_is_told_what_differs() {
    let elf = compile(EVERYTHING, &x86()).to_elf().unwrap();
    type Change = fn(&mut Expect);
    let cases: [(&str, Change); 4] = [
        ("version", |e| e.version = Some("0.0.1".to_owned())),
        ("target", |e| {
            e.triple = "aarch64-unknown-linux-gnu".parse().unwrap()
        }),
        ("has_avx", |e| e.settings[1].1 = "false".to_owned()),
        ("signals_based_traps", |e| {
            e.tunables.signals_based_traps = false
        }),
    ];
    for (what, change) in cases {
        let mut expect = expect();
        change(&mut expect);
        match LoadedArtifact::parse(&elf, &expect) {
            Err(ArtifactError::Mismatch(mismatch)) => assert_eq!(mismatch.what, what),
            other => panic!("{what}: {other:?}"),
        }
        assert!(LoadedArtifact::parse_any_host(&elf).is_ok());
    }
}

#[test]
fn another_format_is_told_from_damage() {
    let mut elf = compile("(module)", &x86()).to_elf().unwrap();
    let magic = elf.windows(8).position(|w| w == b"meantime").unwrap();
    elf[magic + 8] = 99;
    let error = LoadedArtifact::parse(&elf, &expect()).unwrap_err();
    assert_eq!(error, ArtifactError::Format(99));
    assert!(error.to_string().contains("compile it again"));
}

#[test]
fn truncated_files_are_refused() {
    let elf = compile(EVERYTHING, &x86()).to_elf().unwrap();
    let last = elf.len();
    for len in (0..last).filter(|len| *len < 2000 || len % 97 == 0 || *len > last - 2000) {
        assert!(
            LoadedArtifact::parse(&elf[..len], &expect()).is_err(),
            "{len} of {last}"
        );
    }
}

#[test]
fn changed_files_are_refused_or_can_be_looked_at() {
    let elf = compile(EVERYTHING, &x86()).to_elf().unwrap();
    let whole = look_at_all(LoadedArtifact::parse(&elf, &expect()).unwrap().view(&elf));
    assert!(whole > 1000);
    let mut refused = 0;
    for i in 0..elf.len() {
        // A memory's image is nothing but its bytes.
        let zeros_around = elf[i] == 0 && i > 64 && elf[i - 32..].iter().take(64).all(|b| *b == 0);
        if zeros_around && i % 101 != 0 {
            continue;
        }
        for bits in [0x01, 0x80, 0xff] {
            let mut changed = elf.clone();
            changed[i] ^= bits;
            match LoadedArtifact::parse_any_host(&changed) {
                Ok(loaded) => {
                    look_at_all(loaded.view(&changed));
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn a_large_module_loads_without_decoding_its_functions() {
    let mut text = String::from("(module ");
    for i in 0..20_000 {
        text += &format!("(func $a_function_with_some_name_{i} (export \"e{i}\"))");
    }
    let elf = compile(&(text + ")"), &x86()).to_elf().unwrap();
    let loaded = LoadedArtifact::parse(&elf, &expect()).unwrap();
    let view = loaded.view(&elf);
    assert_eq!(view.funcs().len(), 20_001);
    let last = view.func(DefinedFuncIndex::from_u32(19_999));
    assert_eq!(word(view.text(), last.code.start), 19_999);
    assert_eq!(
        view.module().func_name(FuncIndex::from_u32(777)),
        Some("a_function_with_some_name_777")
    );
}
