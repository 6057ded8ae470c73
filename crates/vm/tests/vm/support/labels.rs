//! The labels that the guest's code defines, whatever the instruction set.

use meantime_abi::{HandlerKind, TagIndex, Trap};

macro_rules! labels {
    ($($name:ident)*) => {
        unsafe extern "C" {
            $(static $name: u8;)*
        }
    };
}

labels! {
    guest_add_one guest_unreachable guest_load guest_divide guest_recurse guest_call_import guest_grow guest_raise
    guest_call_call_import guest_hold_reference guest_try_tag guest_try_all guest_throw guest_load_object
    guest_enter guest_host guest_end
    guest_trap_unreachable guest_trap_load guest_trap_divide guest_trap_recurse guest_trap_load_object
    guest_return_recurse guest_return_call_import guest_return_grow guest_return_raise guest_return_call_call_import
    guest_return_hold_reference guest_return_try_tag guest_return_try_all guest_return_throw guest_return_enter
    guest_landing_try_tag guest_landing_try_all
}

/// Every function's start, in order, then the end.
pub fn starts() -> Vec<usize> {
    [
        &raw const guest_add_one,
        &raw const guest_unreachable,
        &raw const guest_load,
        &raw const guest_divide,
        &raw const guest_recurse,
        &raw const guest_call_import,
        &raw const guest_grow,
        &raw const guest_raise,
        &raw const guest_call_call_import,
        &raw const guest_hold_reference,
        &raw const guest_try_tag,
        &raw const guest_try_all,
        &raw const guest_throw,
        &raw const guest_load_object,
        &raw const guest_enter,
        &raw const guest_host,
        &raw const guest_end,
    ]
    .map(|label| label as usize)
    .to_vec()
}

/// Instructions that trap.
pub fn traps() -> Vec<(usize, Trap)> {
    vec![
        (
            &raw const guest_trap_unreachable as usize,
            Trap::UnreachableCodeReached,
        ),
        (&raw const guest_trap_load as usize, Trap::MemoryOutOfBounds),
        (
            &raw const guest_trap_divide as usize,
            Trap::IntegerDivisionByZero,
        ),
        (&raw const guest_trap_recurse as usize, Trap::StackOverflow),
        (
            &raw const guest_trap_load_object as usize,
            Trap::NullReference,
        ),
    ]
}

/// Where calls return to.
pub fn returns() -> Vec<usize> {
    [
        &raw const guest_return_recurse,
        &raw const guest_return_call_import,
        &raw const guest_return_grow,
        &raw const guest_return_raise,
        &raw const guest_return_call_call_import,
        &raw const guest_return_hold_reference,
        &raw const guest_return_try_tag,
        &raw const guest_return_try_all,
        &raw const guest_return_throw,
        &raw const guest_return_enter,
    ]
    .map(|label| label as usize)
    .to_vec()
}

/// Where `hold_reference` returns to, and how far below its frame pointer the reference is.
pub fn held_reference() -> (usize, u32) {
    (&raw const guest_return_hold_reference as usize, 8)
}

/// A handler: where its call returns to, what it catches, where it continues, how far below the frame pointer the stack pointer is there.
/// A context is eight bytes below the frame pointer.
pub fn handlers() -> [(usize, HandlerKind, usize, u32); 2] {
    let tag = HandlerKind::Tag(TagIndex::from_u32(0));
    [
        (
            &raw const guest_return_try_tag as usize,
            tag,
            &raw const guest_landing_try_tag as usize,
            16,
        ),
        (
            &raw const guest_return_try_all as usize,
            HandlerKind::All,
            &raw const guest_landing_try_all as usize,
            32,
        ),
    ]
}
