//! Encodings, as a disassembler reads them.
