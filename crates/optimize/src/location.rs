//! Positions in the module's bytes as Cranelift carries them through its passes: 32 bits per instruction.
//!
//! The one idea: outside of inlined code those bits are the offset itself. Inside, and for the rare offset that has the highest
//! bit set, they are that bit and an index into a list of pairs of inline frame and offset.

use cranelift_codegen::ir::SourceLoc;
use meantime_abi::InlineFrame;

const LISTED: u32 = 1 << 31;

/// A position: in which inlined call, and where in the module's bytes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Location {
    /// Index of the inline frame, or none in the function itself.
    pub(crate) inline: Option<u32>,
    /// The offset.
    pub(crate) offset: u32,
}

/// The positions of one function that do not encode themselves, and its inlined calls.
#[derive(Default)]
pub(crate) struct Locations {
    listed: Vec<Location>,
    inlined: Vec<InlineFrame>,
}

impl Locations {
    pub(crate) fn clear(&mut self) {
        self.listed.clear();
        self.inlined.clear();
    }

    /// The bits for a position.
    pub(crate) fn encode(&mut self, location: Location) -> SourceLoc {
        if location.inline.is_none() && location.offset < LISTED {
            return SourceLoc::new(location.offset);
        }
        if self.listed.last() != Some(&location) {
            self.listed.push(location);
        }
        // A function has far fewer instructions than 2^31.
        SourceLoc::new(LISTED | (self.listed.len() as u32 - 1))
    }

    /// The position for some bits.
    pub(crate) fn decode(&self, bits: SourceLoc) -> Option<Location> {
        if bits.is_default() {
            return None;
        }
        let bits = bits.bits();
        if bits & LISTED == 0 {
            return Some(Location {
                inline: None,
                offset: bits,
            });
        }
        self.listed.get((bits & !LISTED) as usize).copied()
    }

    /// Adds an inlined call and returns its index.
    pub(crate) fn inline(&mut self, frame: InlineFrame) -> u32 {
        self.inlined.push(frame);
        self.inlined.len() as u32 - 1
    }

    /// The inlined calls.
    pub(crate) fn inlined(&self) -> &[InlineFrame] {
        &self.inlined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_round_trip() {
        let mut locations = Locations::default();
        let all = [
            (None, 0),
            (None, 12345),
            (Some(0), 12345),
            (Some(3), 12346),
            (None, LISTED + 5),
            (None, u32::MAX - 1),
        ]
        .map(|(inline, offset)| Location { inline, offset });
        let bits = all.map(|l| locations.encode(l));
        for (location, bits) in all.into_iter().zip(bits) {
            assert_eq!(locations.decode(bits), Some(location));
        }
        assert_eq!(locations.decode(SourceLoc::default()), None);
    }
}
