//! A value as it crosses between host and guest: 16 bytes, untyped.
//!
//! Trampolines read parameters from and write results to arrays of these. What a slot holds is known from the
//! function's type alone.

/// One parameter or result. Integers and floats are little-endian in the lowest bytes.
#[derive(Copy, Clone)]
#[repr(C, align(16))]
pub union ValRaw {
    i32: i32,
    i64: i64,
    f32: u32,
    f64: u64,
    v128: [u8; 16],
    funcref: *mut core::ffi::c_void,
    gc_ref: u32,
}

// SAFETY: a `ValRaw` is plain bits; a pointer in it is an opaque number until code that knows its store reads it.
#[allow(unsafe_code)]
unsafe impl Send for ValRaw {}
// SAFETY: as above; a shared `ValRaw` cannot be written.
#[allow(unsafe_code)]
unsafe impl Sync for ValRaw {}

macro_rules! accessors {
    ($($make:ident $set:ident $get:ident $field:ident $ty:ty;)*) => {
        impl ValRaw {
            $(
                /// A slot that holds this.
                pub fn $make(value: $ty) -> ValRaw {
                    let mut raw = ValRaw { v128: [0; 16] };
                    raw.$field = value;
                    raw
                }

                /// Puts this into the slot. Writes as many bytes as it has; those above stay as they were.
                #[inline]
                pub fn $set(&mut self, value: $ty) {
                    self.$field = value;
                }

                /// What the slot holds, read as this.
                #[allow(unsafe_code)]
                pub fn $get(&self) -> $ty {
                    // SAFETY: all 16 bytes are initialized in every value (the constructors start from zeros, and
                    // trampolines write into such), and every field is valid for any bits.
                    unsafe { self.$field }
                }
            )*
        }
    };
}

accessors! {
    i32 set_i32 get_i32 i32 i32;
    i64 set_i64 get_i64 i64 i64;
    f32 set_f32 get_f32 f32 u32;
    f64 set_f64 get_f64 f64 u64;
    v128_bytes set_v128_bytes get_v128_bytes v128 [u8; 16];
    funcref set_funcref get_funcref funcref *mut core::ffi::c_void;
    gc_ref set_gc_ref get_gc_ref gc_ref u32;
}

impl ValRaw {
    /// A slot of zeros: zero in every numeric type, null in every reference type.
    pub const ZERO: ValRaw = ValRaw { v128: [0; 16] };

    /// A slot that holds a vector.
    pub fn v128(value: u128) -> ValRaw {
        ValRaw::v128_bytes(value.to_le_bytes())
    }

    /// The vector that the slot holds.
    pub fn get_v128(&self) -> u128 {
        u128::from_le_bytes(self.get_v128_bytes())
    }

    /// A slot that holds an unsigned 32-bit integer.
    pub fn u32(value: u32) -> ValRaw {
        ValRaw::i32(value as i32)
    }

    /// The 32-bit integer that the slot holds.
    pub fn get_u32(&self) -> u32 {
        self.get_i32() as u32
    }

    /// A slot that holds an unsigned 64-bit integer.
    pub fn u64(value: u64) -> ValRaw {
        ValRaw::i64(value as i64)
    }

    /// The 64-bit integer that the slot holds.
    pub fn get_u64(&self) -> u64 {
        self.get_i64() as u64
    }
}

impl std::fmt::Debug for ValRaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ValRaw({:#x})", self.get_v128())
    }
}

const _: () = assert!(size_of::<ValRaw>() == 16 && align_of::<ValRaw>() == 16);
