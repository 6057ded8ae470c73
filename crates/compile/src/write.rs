//! Writing an artifact as a `.cwasm` file.

use crate::{Artifact, CompileError, format, link};
use meantime_module::Images;
use object::write::{Object, StandardSection, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};
use target_lexicon::Triple;

fn error(message: impl Into<String>) -> CompileError {
    CompileError {
        message: message.into(),
        unsupported: false,
        offset: None,
    }
}

impl Artifact {
    /// The bytes of a `.cwasm` file, an ELF object. Code and data start at multiples of the target's page size, and memory images are
    /// in it as they stand in memory, so that all of it can be mapped.
    ///
    /// # Errors
    ///
    /// When the target cannot be an ELF object's, or the images of all memories are beyond 4 GiB.
    pub fn to_elf(&self) -> Result<Vec<u8>, CompileError> {
        self.to_elf_with(&self.text)
    }

    /// The same of one whose code is elsewhere: see [`compile_module_into`](crate::compile_module_into).
    ///
    /// # Errors
    ///
    /// As [`Artifact::to_elf`].
    pub fn to_elf_with(&self, code: &[u8]) -> Result<Vec<u8>, CompileError> {
        let triple: Triple = self
            .info
            .triple
            .parse()
            .map_err(|_| error(format!("unknown target `{}`", self.info.triple)))?;
        let align = link::page_align(&triple);
        let extracted = self
            .module
            .extract(&self.data, &|_| true, Images::Built { align });
        let Some((module, data)) = extracted else {
            return Err(error("memory images of the module exceed 4 GiB"));
        };
        let encode = |what: &str, bytes: Result<Vec<u8>, postcard::Error>| {
            bytes.map_err(|e| error(format!("cannot encode the {what}: {e}")))
        };
        let info = encode("settings", postcard::to_stdvec(&self.info))?;
        let module_bytes = encode("module", postcard::to_stdvec(&module))?;
        let info = with_header(
            &info,
            format::checksum(
                &[&info, &module_bytes, &self.funcs, &self.trampolines],
                &[code.len(), self.side.len(), data.len()],
            ),
        );

        let mut elf = Object::new(
            BinaryFormat::Elf,
            architecture(&triple)?,
            Endianness::Little,
        );
        elf.flags = FileFlags::Elf {
            os_abi: format::ELF_OS_ABI,
            abi_version: 0,
            e_flags: format::ELF_FLAG_MODULE,
        };
        let text = elf.section_id(StandardSection::Text);
        elf.section_mut(text).set_data(code, u64::from(align));
        for symbol in self.view_with(code).symbols() {
            elf.add_symbol(Symbol {
                name: symbol.name.into_bytes(),
                value: u64::from(symbol.record.code.start),
                size: symbol.code.len() as u64,
                kind: SymbolKind::Text,
                scope: SymbolScope::Compilation,
                weak: false,
                section: SymbolSection::Section(text),
                flags: SymbolFlags::None,
            });
        }
        for (name, bytes, align) in [
            (format::INFO, &info, 8),
            (format::MODULE, &module_bytes, 1),
            (format::FUNCS, &self.funcs, 8),
            (format::TRAMPOLINES, &self.trampolines, 8),
            (format::SIDE, &self.side, 8),
            (format::DATA, &data, u64::from(align)),
        ] {
            let name = name.as_bytes().to_vec();
            let section = elf.add_section(Vec::new(), name, SectionKind::ReadOnlyData);
            elf.section_mut(section).set_data(bytes.as_slice(), align);
        }
        elf.write()
            .map_err(|e| error(format!("cannot write the artifact: {e}")))
    }
}

fn with_header(info: &[u8], checksum: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(format::INFO_HEADER + info.len());
    bytes.extend_from_slice(format::MAGIC);
    bytes.extend_from_slice(&format::FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(info);
    bytes
}

fn architecture(triple: &Triple) -> Result<Architecture, CompileError> {
    match triple.architecture {
        target_lexicon::Architecture::X86_64 => Ok(Architecture::X86_64),
        target_lexicon::Architecture::Aarch64(_) => Ok(Architecture::Aarch64),
        other => Err(error(format!("no artifacts for {other}"))),
    }
}
