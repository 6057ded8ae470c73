//! Loading a `.cwasm` file.
//!
//! The one idea: only the settings and the module's description are decoded; code, tables and data are found, checked to lie inside the
//! file, and used where they are. So loading takes time by the number of a module's items, not by the size of its code.

use crate::records::{FuncTable, TrampolineTable};
use crate::{ArtifactInfo, ArtifactView, Expect, Mismatch, format};
use meantime_module::{Module, SegmentMode};
use std::ops::Range;

/// Why a file cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ArtifactError {
    /// It is not an artifact; this is what it is.
    NotAnArtifact(&'static str),
    /// It was written in another version of the format.
    Format(u32),
    /// It was made for another host.
    Mismatch(Mismatch),
    /// It is damaged; this is the first thing that is wrong.
    Corrupt(&'static str),
}

impl std::fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ArtifactError::NotAnArtifact(what) => {
                write!(f, "this is {what}, not a compiled module")
            }
            ArtifactError::Format(found) => write!(
                f,
                "the compiled module has format {found}, and this version reads format {}: compile it again",
                format::FORMAT
            ),
            ArtifactError::Mismatch(mismatch) => mismatch.fmt(f),
            ArtifactError::Corrupt(problem) => {
                write!(f, "the compiled module is damaged: {problem}")
            }
        }
    }
}

impl std::error::Error for ArtifactError {}

impl From<Mismatch> for ArtifactError {
    fn from(mismatch: Mismatch) -> ArtifactError {
        ArtifactError::Mismatch(mismatch)
    }
}

type Result<T> = std::result::Result<T, ArtifactError>;

/// Where things lie in an artifact's bytes, and what of it was decoded. It does not hold the bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadedArtifact {
    info: ArtifactInfo,
    module: Module,
    len: usize,
    text: Range<usize>,
    funcs: Range<usize>,
    trampolines: Range<usize>,
    side: Range<usize>,
    data: Range<usize>,
}

impl LoadedArtifact {
    /// Finds and checks everything in the bytes of a `.cwasm` file.
    ///
    /// # Errors
    ///
    /// When it is not one, was made for another host than `expect` says, or is damaged.
    pub fn parse(bytes: &[u8], expect: &Expect) -> Result<LoadedArtifact> {
        let sections = Sections::find(bytes)?;
        let (info, checksum) = read_info(&bytes[sections.get(format::INFO)?])?;
        info.check(expect)?;
        Self::with_info(bytes, &sections, info, checksum)
    }

    /// As [`LoadedArtifact::parse`], but for whatever host: to look at the code, not to run it.
    ///
    /// # Errors
    ///
    /// When it is not an artifact, or is damaged.
    pub fn parse_any_host(bytes: &[u8]) -> Result<LoadedArtifact> {
        let sections = Sections::find(bytes)?;
        let (info, checksum) = read_info(&bytes[sections.get(format::INFO)?])?;
        Self::with_info(bytes, &sections, info, checksum)
    }

    fn with_info(
        bytes: &[u8],
        sections: &Sections,
        info: ArtifactInfo,
        checksum: u64,
    ) -> Result<LoadedArtifact> {
        let info_range = sections.get(format::INFO)?;
        let module_range = sections.get(format::MODULE)?;
        let text = sections.get(format::TEXT)?;
        let funcs = sections.get(format::FUNCS)?;
        let trampolines = sections.get(format::TRAMPOLINES)?;
        let side = sections.get(format::SIDE)?;
        let data = sections.get(format::DATA)?;
        let found = format::checksum(
            &[
                &bytes[info_range][format::INFO_HEADER..],
                &bytes[module_range.clone()],
                &bytes[funcs.clone()],
                &bytes[trampolines.clone()],
            ],
            &[text.len(), side.len(), data.len()],
        );
        if found != checksum {
            return Err(ArtifactError::Corrupt("its checksum is wrong"));
        }
        let (module, rest) = postcard::take_from_bytes::<Module>(&bytes[module_range])
            .map_err(|_| ArtifactError::Corrupt("its module cannot be decoded"))?;
        if !rest.is_empty() {
            return Err(ArtifactError::Corrupt("its module is too long"));
        }
        check_ranges(&module, data.len())?;
        let types = module.types().len();
        let table = FuncTable::check(
            &bytes[funcs.clone()],
            module.bodies().len(),
            types,
            text.len(),
            side.len(),
        )
        .map_err(ArtifactError::Corrupt)?;
        TrampolineTable::check(&bytes[trampolines.clone()], types, table.len())
            .map_err(ArtifactError::Corrupt)?;
        Ok(LoadedArtifact {
            info,
            module,
            len: bytes.len(),
            text,
            funcs,
            trampolines,
            side,
            data,
        })
    }

    /// The artifact, with the bytes that it was parsed from.
    ///
    /// # Panics
    ///
    /// When these are not as many bytes.
    pub fn view<'a>(&'a self, bytes: &'a [u8]) -> ArtifactView<'a> {
        assert_eq!(bytes.len(), self.len, "the bytes that were parsed");
        ArtifactView {
            info: &self.info,
            module: &self.module,
            text: &bytes[self.text.clone()],
            funcs: FuncTable::new(&bytes[self.funcs.clone()]),
            trampolines: TrampolineTable::new(&bytes[self.trampolines.clone()]),
            side: &bytes[self.side.clone()],
            data: &bytes[self.data.clone()],
        }
    }

    /// What it was made with.
    pub fn info(&self) -> &ArtifactInfo {
        &self.info
    }

    /// The module. Its ranges of data segments, images and custom sections point into [`ArtifactView::data`].
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Where the code lies in the file; starts at a multiple of the target's page size.
    pub fn text_range(&self) -> Range<usize> {
        self.text.clone()
    }

    /// Where [`ArtifactView::data`] lies in the file; starts at a multiple of the target's page size.
    pub fn data_range(&self) -> Range<usize> {
        self.data.clone()
    }
}

/// Reads `.meantime.info`: the settings and the checksum.
fn read_info(bytes: &[u8]) -> Result<(ArtifactInfo, u64)> {
    let Some((header, info)) = bytes.split_at_checked(format::INFO_HEADER) else {
        return Err(ArtifactError::Corrupt("its header is cut off"));
    };
    if !header.starts_with(format::MAGIC) {
        return Err(ArtifactError::NotAnArtifact("another kind of ELF file"));
    }
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if word(8) != format::FORMAT {
        return Err(ArtifactError::Format(word(8)));
    }
    let checksum = u64::from(word(16)) | u64::from(word(20)) << 32;
    let info = postcard::from_bytes(info)
        .map_err(|_| ArtifactError::Corrupt("its settings cannot be decoded"))?;
    Ok((info, checksum))
}

/// Checks that what the module's ranges point to is there.
fn check_ranges(module: &Module, data_len: usize) -> Result<()> {
    let inside = |range: &Range<u32>| range.start <= range.end && range.end as usize <= data_len;
    let datas = module.datas().values().all(|data| inside(&data.range));
    let customs = module.custom_sections().iter().all(|s| inside(&s.range));
    let images = module.memory_images().values().flatten().all(|image| {
        image.pieces.iter().all(|(at, range)| {
            let end = at.checked_add(range.len() as u64);
            let image_end = image.start.checked_add(image.len);
            inside(range)
                && *at >= image.start
                && matches!((end, image_end), (Some(a), Some(b)) if a <= b)
        })
    });
    let functions = module.bodies().len() + module.counts().func_imports as usize;
    let folded = module.elems().values().all(|elem| match &elem.mode {
        SegmentMode::Active { target, .. } => (target.as_u32() as usize) < module.tables().len(),
        _ => true,
    });
    if datas && customs && images && folded && functions == module.functions().len() {
        Ok(())
    } else {
        Err(ArtifactError::Corrupt(
            "its module refers to what is not there",
        ))
    }
}

/// The sections of an ELF file. Reads no more of ELF than our own files use.
struct Sections<'a> {
    named: Vec<(&'a [u8], Range<usize>)>,
}

impl<'a> Sections<'a> {
    fn find(bytes: &'a [u8]) -> Result<Sections<'a>> {
        if bytes.is_empty() {
            return Err(ArtifactError::NotAnArtifact("an empty file"));
        }
        if bytes.starts_with(b"\0asm") {
            return Err(ArtifactError::NotAnArtifact(
                "WebAssembly that is not compiled",
            ));
        }
        if !bytes.starts_with(b"\x7fELF") {
            return Err(ArtifactError::NotAnArtifact("something else"));
        }
        if bytes.len() < ELF_HEADER {
            return Err(ArtifactError::Corrupt("its ELF header is cut off"));
        }
        match format::detect_precompiled(bytes) {
            Some(format::Precompiled::Module) => {}
            Some(format::Precompiled::Component) => {
                return Err(ArtifactError::NotAnArtifact("a compiled component"));
            }
            None => return Err(ArtifactError::NotAnArtifact("another kind of ELF file")),
        }
        let damaged = ArtifactError::Corrupt("its sections lie outside of the file");
        Self::read(bytes).ok_or(damaged)
    }

    /// None when something lies outside of the file.
    fn read(bytes: &'a [u8]) -> Option<Sections<'a>> {
        const CLASS_64: u8 = 2;
        const LITTLE_ENDIAN: u8 = 1;
        if bytes[4] != CLASS_64 || bytes[5] != LITTLE_ENDIAN {
            return None;
        }
        let table = u64_at(bytes, 0x28)?;
        let entry_size = u16_at(bytes, 0x3a)?;
        let count = usize::from(u16_at(bytes, 0x3c)?);
        let names = usize::from(u16_at(bytes, 0x3e)?);
        let table = range(table, count as u64 * SECTION_HEADER as u64, bytes.len())?;
        if usize::from(entry_size) != SECTION_HEADER || names >= count {
            return None;
        }
        let headers = bytes[table].chunks_exact(SECTION_HEADER);
        let contents =
            |header: &[u8]| range(u64_at(header, 0x18)?, u64_at(header, 0x20)?, bytes.len());
        let strings = &bytes[contents(headers.clone().nth(names)?)?];
        let mut named = Vec::with_capacity(count);
        for header in headers.skip(1) {
            let name = strings.get(u32_at(header, 0)? as usize..)?;
            let end = name.iter().position(|b| *b == 0)?;
            named.push((&name[..end], contents(header)?));
        }
        Some(Sections { named })
    }

    fn get(&self, name: &'static str) -> Result<Range<usize>> {
        let found = self.named.iter().find(|(n, _)| *n == name.as_bytes());
        match found {
            Some((_, range)) => Ok(range.clone()),
            None => Err(ArtifactError::Corrupt("a section is missing")),
        }
    }
}

const ELF_HEADER: usize = 64;
const SECTION_HEADER: usize = 64;

fn range(start: u64, len: u64, bytes: usize) -> Option<Range<usize>> {
    let end = usize::try_from(start.checked_add(len)?).ok()?;
    (end <= bytes).then_some(start as usize..end)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
