//! A module without the bytes that it was decoded from: what instantiating, and looking at it, still needs of them.
//!
//! The one idea: ranges of data segments, memory images and custom sections are moved to point into a new, smaller byte string. A
//! module can be extracted again from there. Ranges of bodies stay as they are: they are what offsets in backtraces count from.

use crate::module::*;
use std::ops::Range;

/// What becomes of memory images in [`Module::extract`].
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Images {
    /// They stay pieces.
    Pieces,
    /// Each becomes one piece that starts at a multiple of this, so that it can be mapped.
    Built {
        /// In bytes, a power of two.
        align: u32,
    },
}

/// The bytes that were kept.
struct Kept<'a> {
    source: &'a [u8],
    bytes: Vec<u8>,
}

impl Kept<'_> {
    /// Moves a range. None when all that is kept is beyond 4 GiB.
    fn keep(&mut self, range: &Range<u32>) -> Option<Range<u32>> {
        let source = self.source;
        self.push(&source[range.start as usize..range.end as usize])
    }

    fn push(&mut self, bytes: &[u8]) -> Option<Range<u32>> {
        let start = u32::try_from(self.bytes.len()).ok()?;
        let end = u32::try_from(self.bytes.len() + bytes.len()).ok()?;
        self.bytes.extend_from_slice(bytes);
        Some(start..end)
    }
}

impl Module {
    /// The module with only those bytes that are needed after compiling, and these bytes. `source` is what its ranges point into now.
    /// Of custom sections, those stay whose name `keep_custom` accepts.
    ///
    /// None when the bytes are beyond 4 GiB, which only images of several memories can be.
    ///
    /// # Panics
    ///
    /// When `source` is too short to be what the module's ranges point into.
    pub fn extract(
        &self,
        source: &[u8],
        keep_custom: &dyn Fn(&str) -> bool,
        images: Images,
    ) -> Option<(Module, Vec<u8>)> {
        let mut kept = Kept {
            source,
            bytes: Vec::new(),
        };
        let mut module = self.clone();
        for image in module.memory_images.values_mut().flatten() {
            match images {
                Images::Pieces => {
                    for (_, range) in &mut image.pieces {
                        *range = kept.keep(range)?;
                    }
                }
                Images::Built { align } => {
                    let start = kept.bytes.len().next_multiple_of(align as usize);
                    kept.bytes.resize(start, 0);
                    let range = kept.push(&image.bytes(source))?;
                    image.pieces = Box::new([(image.start, range)]);
                }
            }
        }
        for data in module.datas.values_mut() {
            data.range = match data.mode {
                SegmentMode::Active { in_image: true, .. } | SegmentMode::Declared => 0..0,
                _ => kept.keep(&data.range)?,
            };
        }
        module.custom_sections.retain(|s| keep_custom(&s.name));
        for section in &mut module.custom_sections {
            section.range = kept.keep(&section.range)?;
        }
        Some((module, kept.bytes))
    }
}
