//! Showing the machine code in a `.cwasm` file.
//! Not loading it: nothing of the file is run or trusted, and it may be for another machine.
//!
//! Three steps, a file each: [`artifact`] finds functions in the file, [`disassemble`] makes instructions of their bytes,
//! [`print`] lays them out.

pub mod artifact;
pub mod disassemble;
pub mod print;
