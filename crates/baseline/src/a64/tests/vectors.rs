//! Vectors.

use super::*;
use crate::vector::{Lanes, VectorMachine, VectorOp};
use Lanes::{I8, I16, I32, I64};
use Size::{S32, S64, S128};

type M = A64;

/// Each operator's instructions, of v1, v2 and v3 to v0.
#[rustfmt::skip]
const OPERATIONS: [(u32, &str); 193] = [
    (0xe, "tbl v0.16b, {v1.16b}, v2.16b"),
    (0x13, "mov v0.4s, v1.s[0]"),
    (0x14, "mov v0.2d, v1.d[0]"),
    (0x23, "cmeq v0.16b, v1.16b, v2.16b"),
    (0x24, "cmeq v0.16b, v1.16b, v2.16b; mvn v0.16b, v0.16b"),
    (0x25, "cmgt v0.16b, v2.16b, v1.16b"),
    (0x26, "cmhi v0.16b, v2.16b, v1.16b"),
    (0x27, "cmgt v0.16b, v1.16b, v2.16b"),
    (0x28, "cmhi v0.16b, v1.16b, v2.16b"),
    (0x29, "cmge v0.16b, v2.16b, v1.16b"),
    (0x2a, "cmhs v0.16b, v2.16b, v1.16b"),
    (0x2b, "cmge v0.16b, v1.16b, v2.16b"),
    (0x2c, "cmhs v0.16b, v1.16b, v2.16b"),
    (0x2d, "cmeq v0.8h, v1.8h, v2.8h"),
    (0x2e, "cmeq v0.8h, v1.8h, v2.8h; mvn v0.16b, v0.16b"),
    (0x2f, "cmgt v0.8h, v2.8h, v1.8h"),
    (0x30, "cmhi v0.8h, v2.8h, v1.8h"),
    (0x31, "cmgt v0.8h, v1.8h, v2.8h"),
    (0x32, "cmhi v0.8h, v1.8h, v2.8h"),
    (0x33, "cmge v0.8h, v2.8h, v1.8h"),
    (0x34, "cmhs v0.8h, v2.8h, v1.8h"),
    (0x35, "cmge v0.8h, v1.8h, v2.8h"),
    (0x36, "cmhs v0.8h, v1.8h, v2.8h"),
    (0x37, "cmeq v0.4s, v1.4s, v2.4s"),
    (0x38, "cmeq v0.4s, v1.4s, v2.4s; mvn v0.16b, v0.16b"),
    (0x39, "cmgt v0.4s, v2.4s, v1.4s"),
    (0x3a, "cmhi v0.4s, v2.4s, v1.4s"),
    (0x3b, "cmgt v0.4s, v1.4s, v2.4s"),
    (0x3c, "cmhi v0.4s, v1.4s, v2.4s"),
    (0x3d, "cmge v0.4s, v2.4s, v1.4s"),
    (0x3e, "cmhs v0.4s, v2.4s, v1.4s"),
    (0x3f, "cmge v0.4s, v1.4s, v2.4s"),
    (0x40, "cmhs v0.4s, v1.4s, v2.4s"),
    (0x41, "fcmeq v0.4s, v1.4s, v2.4s"),
    (0x42, "fcmeq v0.4s, v1.4s, v2.4s; mvn v0.16b, v0.16b"),
    (0x43, "fcmgt v0.4s, v2.4s, v1.4s"),
    (0x44, "fcmgt v0.4s, v1.4s, v2.4s"),
    (0x45, "fcmge v0.4s, v2.4s, v1.4s"),
    (0x46, "fcmge v0.4s, v1.4s, v2.4s"),
    (0x47, "fcmeq v0.2d, v1.2d, v2.2d"),
    (0x48, "fcmeq v0.2d, v1.2d, v2.2d; mvn v0.16b, v0.16b"),
    (0x49, "fcmgt v0.2d, v2.2d, v1.2d"),
    (0x4a, "fcmgt v0.2d, v1.2d, v2.2d"),
    (0x4b, "fcmge v0.2d, v2.2d, v1.2d"),
    (0x4c, "fcmge v0.2d, v1.2d, v2.2d"),
    (0x4d, "mvn v0.16b, v1.16b"),
    (0x4e, "and v0.16b, v1.16b, v2.16b"),
    (0x4f, "bic v0.16b, v1.16b, v2.16b"),
    (0x50, "orr v0.16b, v1.16b, v2.16b"),
    (0x51, "eor v0.16b, v1.16b, v2.16b"),
    (0x52, "mov v31.16b, v3.16b; bsl v31.16b, v1.16b, v2.16b; mov v0.16b, v31.16b"),
    (0x5e, "fcvtn v0.2s, v1.2d"),
    (0x5f, "fcvtl v0.2d, v1.2s"),
    (0x60, "abs v0.16b, v1.16b"),
    (0x61, "neg v0.16b, v1.16b"),
    (0x62, "cnt v0.16b, v1.16b"),
    (0x65, "sqxtn v31.8b, v1.8h; sqxtn2 v31.16b, v2.8h; mov v0.16b, v31.16b"),
    (0x66, "sqxtun v31.8b, v1.8h; sqxtun2 v31.16b, v2.8h; mov v0.16b, v31.16b"),
    (0x67, "frintp v0.4s, v1.4s"),
    (0x68, "frintm v0.4s, v1.4s"),
    (0x69, "frintz v0.4s, v1.4s"),
    (0x6a, "frintn v0.4s, v1.4s"),
    (0x6e, "add v0.16b, v1.16b, v2.16b"),
    (0x6f, "sqadd v0.16b, v1.16b, v2.16b"),
    (0x70, "uqadd v0.16b, v1.16b, v2.16b"),
    (0x71, "sub v0.16b, v1.16b, v2.16b"),
    (0x72, "sqsub v0.16b, v1.16b, v2.16b"),
    (0x73, "uqsub v0.16b, v1.16b, v2.16b"),
    (0x74, "frintp v0.2d, v1.2d"),
    (0x75, "frintm v0.2d, v1.2d"),
    (0x76, "smin v0.16b, v1.16b, v2.16b"),
    (0x77, "umin v0.16b, v1.16b, v2.16b"),
    (0x78, "smax v0.16b, v1.16b, v2.16b"),
    (0x79, "umax v0.16b, v1.16b, v2.16b"),
    (0x7a, "frintz v0.2d, v1.2d"),
    (0x7b, "urhadd v0.16b, v1.16b, v2.16b"),
    (0x7c, "saddlp v0.8h, v1.16b"),
    (0x7d, "uaddlp v0.8h, v1.16b"),
    (0x7e, "saddlp v0.4s, v1.8h"),
    (0x7f, "uaddlp v0.4s, v1.8h"),
    (0x80, "abs v0.8h, v1.8h"),
    (0x81, "neg v0.8h, v1.8h"),
    (0x82, "sqrdmulh v0.8h, v1.8h, v2.8h"),
    (0x85, "sqxtn v31.4h, v1.4s; sqxtn2 v31.8h, v2.4s; mov v0.16b, v31.16b"),
    (0x86, "sqxtun v31.4h, v1.4s; sqxtun2 v31.8h, v2.4s; mov v0.16b, v31.16b"),
    (0x87, "sshll v0.8h, v1.8b, #0x0"),
    (0x88, "sshll2 v0.8h, v1.16b, #0x0"),
    (0x89, "ushll v0.8h, v1.8b, #0x0"),
    (0x8a, "ushll2 v0.8h, v1.16b, #0x0"),
    (0x8e, "add v0.8h, v1.8h, v2.8h"),
    (0x8f, "sqadd v0.8h, v1.8h, v2.8h"),
    (0x90, "uqadd v0.8h, v1.8h, v2.8h"),
    (0x91, "sub v0.8h, v1.8h, v2.8h"),
    (0x92, "sqsub v0.8h, v1.8h, v2.8h"),
    (0x93, "uqsub v0.8h, v1.8h, v2.8h"),
    (0x94, "frintn v0.2d, v1.2d"),
    (0x95, "mul v0.8h, v1.8h, v2.8h"),
    (0x96, "smin v0.8h, v1.8h, v2.8h"),
    (0x97, "umin v0.8h, v1.8h, v2.8h"),
    (0x98, "smax v0.8h, v1.8h, v2.8h"),
    (0x99, "umax v0.8h, v1.8h, v2.8h"),
    (0x9b, "urhadd v0.8h, v1.8h, v2.8h"),
    (0x9c, "smull v0.8h, v1.8b, v2.8b"),
    (0x9d, "smull2 v0.8h, v1.16b, v2.16b"),
    (0x9e, "umull v0.8h, v1.8b, v2.8b"),
    (0x9f, "umull2 v0.8h, v1.16b, v2.16b"),
    (0xa0, "abs v0.4s, v1.4s"),
    (0xa1, "neg v0.4s, v1.4s"),
    (0xa7, "sshll v0.4s, v1.4h, #0x0"),
    (0xa8, "sshll2 v0.4s, v1.8h, #0x0"),
    (0xa9, "ushll v0.4s, v1.4h, #0x0"),
    (0xaa, "ushll2 v0.4s, v1.8h, #0x0"),
    (0xae, "add v0.4s, v1.4s, v2.4s"),
    (0xb1, "sub v0.4s, v1.4s, v2.4s"),
    (0xb5, "mul v0.4s, v1.4s, v2.4s"),
    (0xb6, "smin v0.4s, v1.4s, v2.4s"),
    (0xb7, "umin v0.4s, v1.4s, v2.4s"),
    (0xb8, "smax v0.4s, v1.4s, v2.4s"),
    (0xb9, "umax v0.4s, v1.4s, v2.4s"),
    (0xba, "smull v31.4s, v1.4h, v2.4h; smull2 v30.4s, v1.8h, v2.8h; addp v0.4s, v31.4s, v30.4s"),
    (0xbc, "smull v0.4s, v1.4h, v2.4h"),
    (0xbd, "smull2 v0.4s, v1.8h, v2.8h"),
    (0xbe, "umull v0.4s, v1.4h, v2.4h"),
    (0xbf, "umull2 v0.4s, v1.8h, v2.8h"),
    (0xc0, "abs v0.2d, v1.2d"),
    (0xc1, "neg v0.2d, v1.2d"),
    (0xc7, "sshll v0.2d, v1.2s, #0x0"),
    (0xc8, "sshll2 v0.2d, v1.4s, #0x0"),
    (0xc9, "ushll v0.2d, v1.2s, #0x0"),
    (0xca, "ushll2 v0.2d, v1.4s, #0x0"),
    (0xce, "add v0.2d, v1.2d, v2.2d"),
    (0xd1, "sub v0.2d, v1.2d, v2.2d"),
    (0xd5, "mov x16, v1.d[0]; mov x17, v2.d[0]; mul x16, x16, x17; mov v31.d[0], x16; mov x16, v1.d[1]; mov x17, v2.d[1]; mul x16, x16, x17; mov v31.d[1], x16; mov v0.16b, v31.16b"),
    (0xd6, "cmeq v0.2d, v1.2d, v2.2d"),
    (0xd7, "cmeq v0.2d, v1.2d, v2.2d; mvn v0.16b, v0.16b"),
    (0xd8, "cmgt v0.2d, v2.2d, v1.2d"),
    (0xd9, "cmgt v0.2d, v1.2d, v2.2d"),
    (0xda, "cmge v0.2d, v2.2d, v1.2d"),
    (0xdb, "cmge v0.2d, v1.2d, v2.2d"),
    (0xdc, "smull v0.2d, v1.2s, v2.2s"),
    (0xdd, "smull2 v0.2d, v1.4s, v2.4s"),
    (0xde, "umull v0.2d, v1.2s, v2.2s"),
    (0xdf, "umull2 v0.2d, v1.4s, v2.4s"),
    (0xe0, "fabs v0.4s, v1.4s"),
    (0xe1, "fneg v0.4s, v1.4s"),
    (0xe3, "fsqrt v0.4s, v1.4s"),
    (0xe4, "fadd v0.4s, v1.4s, v2.4s"),
    (0xe5, "fsub v0.4s, v1.4s, v2.4s"),
    (0xe6, "fmul v0.4s, v1.4s, v2.4s"),
    (0xe7, "fdiv v0.4s, v1.4s, v2.4s"),
    (0xe8, "fmin v0.4s, v1.4s, v2.4s"),
    (0xe9, "fmax v0.4s, v1.4s, v2.4s"),
    (0xea, "fcmgt v31.4s, v1.4s, v2.4s; bsl v31.16b, v2.16b, v1.16b; mov v0.16b, v31.16b"),
    (0xeb, "fcmgt v31.4s, v2.4s, v1.4s; bsl v31.16b, v2.16b, v1.16b; mov v0.16b, v31.16b"),
    (0xec, "fabs v0.2d, v1.2d"),
    (0xed, "fneg v0.2d, v1.2d"),
    (0xef, "fsqrt v0.2d, v1.2d"),
    (0xf0, "fadd v0.2d, v1.2d, v2.2d"),
    (0xf1, "fsub v0.2d, v1.2d, v2.2d"),
    (0xf2, "fmul v0.2d, v1.2d, v2.2d"),
    (0xf3, "fdiv v0.2d, v1.2d, v2.2d"),
    (0xf4, "fmin v0.2d, v1.2d, v2.2d"),
    (0xf5, "fmax v0.2d, v1.2d, v2.2d"),
    (0xf6, "fcmgt v31.2d, v1.2d, v2.2d; bsl v31.16b, v2.16b, v1.16b; mov v0.16b, v31.16b"),
    (0xf7, "fcmgt v31.2d, v2.2d, v1.2d; bsl v31.16b, v2.16b, v1.16b; mov v0.16b, v31.16b"),
    (0xf8, "fcvtzs v0.4s, v1.4s"),
    (0xf9, "fcvtzu v0.4s, v1.4s"),
    (0xfa, "scvtf v0.4s, v1.4s"),
    (0xfb, "ucvtf v0.4s, v1.4s"),
    (0xfc, "fcvtzs v0.2d, v1.2d; sqxtn v0.2s, v0.2d"),
    (0xfd, "fcvtzu v0.2d, v1.2d; uqxtn v0.2s, v0.2d"),
    (0xfe, "sshll v0.2d, v1.2s, #0x0; scvtf v0.2d, v0.2d"),
    (0xff, "ushll v0.2d, v1.2s, #0x0; ucvtf v0.2d, v0.2d"),
    (0x100, "tbl v0.16b, {v1.16b}, v2.16b"),
    (0x101, "fcvtzs v0.4s, v1.4s"),
    (0x102, "fcvtzu v0.4s, v1.4s"),
    (0x103, "fcvtzs v0.2d, v1.2d; sqxtn v0.2s, v0.2d"),
    (0x104, "fcvtzu v0.2d, v1.2d; uqxtn v0.2s, v0.2d"),
    (0x105, "mov v31.16b, v3.16b; fmla v31.4s, v1.4s, v2.4s; mov v0.16b, v31.16b"),
    (0x106, "mov v31.16b, v3.16b; fmls v31.4s, v1.4s, v2.4s; mov v0.16b, v31.16b"),
    (0x107, "mov v31.16b, v3.16b; fmla v31.2d, v1.2d, v2.2d; mov v0.16b, v31.16b"),
    (0x108, "mov v31.16b, v3.16b; fmls v31.2d, v1.2d, v2.2d; mov v0.16b, v31.16b"),
    (0x109, "mov v31.16b, v3.16b; bsl v31.16b, v1.16b, v2.16b; mov v0.16b, v31.16b"),
    (0x10a, "mov v31.16b, v3.16b; bsl v31.16b, v1.16b, v2.16b; mov v0.16b, v31.16b"),
    (0x10b, "mov v31.16b, v3.16b; bsl v31.16b, v1.16b, v2.16b; mov v0.16b, v31.16b"),
    (0x10c, "mov v31.16b, v3.16b; bsl v31.16b, v1.16b, v2.16b; mov v0.16b, v31.16b"),
    (0x10d, "fmin v0.4s, v1.4s, v2.4s"),
    (0x10e, "fmax v0.4s, v1.4s, v2.4s"),
    (0x10f, "fmin v0.2d, v1.2d, v2.2d"),
    (0x110, "fmax v0.2d, v1.2d, v2.2d"),
    (0x111, "sqrdmulh v0.8h, v1.8h, v2.8h"),
    (0x112, "smull v31.8h, v1.8b, v2.8b; smull2 v30.8h, v1.16b, v2.16b; addp v0.8h, v31.8h, v30.8h"),
    (0x113, "smull v31.8h, v1.8b, v2.8b; smull2 v30.8h, v1.16b, v2.16b; saddlp v31.4s, v31.8h; saddlp v30.4s, v30.8h; addp v31.4s, v31.4s, v30.4s; add v0.4s, v31.4s, v3.4s"),
];

#[test]
fn operations() {
    let mut expected = OPERATIONS.iter();
    for (number, op) in (0..0x120).filter_map(|n| VectorOp::of(n).map(|op| (n, op))) {
        let actual = text(|b| M::vector_op(b, op, V0, [V1, V2, Fpr(3)], Fpr(4)));
        assert_eq!(Some(&(number, &*actual)), expected.next(), "{op:?}");
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn canonical_nans() {
    check(&[
        (
            |b| M::canonical_nans(b, S32, V0, V1),
            "fcmeq v31.4s, v0.4s, v0.4s; ldr q30, $+0x0; bsl v31.16b, v0.16b, v30.16b; mov v0.16b, v31.16b",
        ),
        (
            |b| M::canonical_nans(b, S64, V0, V1),
            "fcmeq v31.2d, v0.2d, v0.2d; ldr q30, $+0x0; bsl v31.16b, v0.16b, v30.16b; mov v0.16b, v31.16b",
        ),
    ]);
}

#[test]
fn lanes() {
    check(&[
        (|b| M::splat(b, I8, V0, Src::Reg(X1)), "dup v0.16b, w1"),
        (
            |b| M::splat(b, I16, V0, Src::Imm(5)),
            "mov w16, #0x5; dup v0.8h, w16",
        ),
        (
            |b| M::splat(b, I32, V0, Src::Frame(-8)),
            "ldur w16, [x29, #-0x8]; dup v0.4s, w16",
        ),
        (|b| M::splat(b, I64, V0, Src::Imm(0)), "dup v0.2d, xzr"),
        (
            |b| M::extract_lane(b, I8, true, X0, V1, 15),
            "smov w0, v1.b[15]",
        ),
        (
            |b| M::extract_lane(b, I8, false, X0, V1, 3),
            "umov w0, v1.b[3]",
        ),
        (
            |b| M::extract_lane(b, I16, true, X0, V1, 7),
            "smov w0, v1.h[7]",
        ),
        (
            |b| M::extract_lane(b, I16, false, X0, V1, 0),
            "umov w0, v1.h[0]",
        ),
        (
            |b| M::extract_lane(b, I32, false, X0, V1, 3),
            "mov w0, v1.s[3]",
        ),
        (
            |b| M::extract_lane(b, I64, false, X0, V1, 1),
            "mov x0, v1.d[1]",
        ),
        (
            |b| M::replace_lane(b, I8, V0, Src::Reg(X1), 15),
            "mov v0.b[15], w1",
        ),
        (
            |b| M::replace_lane(b, I16, V0, Src::Reg(X1), 7),
            "mov v0.h[7], w1",
        ),
        (
            |b| M::replace_lane(b, I32, V0, Src::Reg(X1), 3),
            "mov v0.s[3], w1",
        ),
        (
            |b| M::replace_lane(b, I64, V0, Src::Reg(X1), 1),
            "mov v0.d[1], x1",
        ),
        (
            |b| M::extract_float(b, S32, V0, V1, 3),
            "mov v0.4s, v1.s[3]",
        ),
        (
            |b| M::extract_float(b, S64, V0, V1, 1),
            "mov v0.2d, v1.d[1]",
        ),
        (
            |b| M::extract_float(b, S64, V0, V1, 0),
            "mov v0.16b, v1.16b",
        ),
        (
            |b| M::replace_float(b, S32, V0, V1, 3),
            "mov v0.s[3], v1.s[0]",
        ),
        (
            |b| M::replace_float(b, S64, V0, V1, 1),
            "mov v0.d[1], v1.d[0]",
        ),
    ]);
}

const EQ: Cond = Cond(0);
const NE: Cond = Cond(1);

#[test]
fn tests_of_lanes() {
    check(&[
        (
            |b| assert_eq!(M::any_true(b, V0), NE),
            "umaxv s31, v0.4s; mov w16, v31.s[0]; cmp w16, #0x0",
        ),
        (
            |b| assert_eq!(M::all_true(b, I8, V0), NE),
            "uminv b31, v0.16b; mov w16, v31.s[0]; cmp w16, #0x0",
        ),
        (
            |b| assert_eq!(M::all_true(b, I16, V0), NE),
            "uminv h31, v0.8h; mov w16, v31.s[0]; cmp w16, #0x0",
        ),
        (
            |b| assert_eq!(M::all_true(b, I32, V0), NE),
            "uminv s31, v0.4s; mov w16, v31.s[0]; cmp w16, #0x0",
        ),
        (
            |b| assert_eq!(M::all_true(b, I64, V0), EQ),
            "cmeq v31.2d, v0.2d, #0x0; umaxv s31, v31.4s; mov w16, v31.s[0]; cmp w16, #0x0",
        ),
        (
            |b| M::bitmask(b, I8, X0, V0),
            "cmlt v31.16b, v0.16b, #0x0; ldr q30, $+0x0; and v31.16b, v31.16b, v30.16b; ext v30.16b, v31.16b, v31.16b, #0x8; zip1 v31.16b, v31.16b, v30.16b; addv h31, v31.8h; umov w0, v31.h[0]",
        ),
        (
            |b| M::bitmask(b, I16, X0, V0),
            "cmlt v31.8h, v0.8h, #0x0; ldr q30, $+0x0; and v31.16b, v31.16b, v30.16b; addv h31, v31.8h; umov w0, v31.h[0]",
        ),
        (
            |b| M::bitmask(b, I32, X0, V0),
            "cmlt v31.4s, v0.4s, #0x0; ldr q30, $+0x0; and v31.16b, v31.16b, v30.16b; addv s31, v31.4s; mov w0, v31.s[0]",
        ),
        (
            |b| M::bitmask(b, I64, X0, V0),
            "ushr v31.2d, v0.2d, #0x3f; mov x16, v31.d[1]; mov x0, v31.d[0]; add w0, w0, w16, lsl #1",
        ),
    ]);
}

#[test]
fn shifts() {
    use ShiftOp::{Shl, ShrS, ShrU};
    check(&[
        (
            |b| M::vector_shift(b, Shl, I8, V0, V1, Src::Imm(9), V2),
            "shl v0.16b, v1.16b, #0x1",
        ),
        (
            |b| M::vector_shift(b, Shl, I64, V0, V1, Src::Imm(63), V2),
            "shl v0.2d, v1.2d, #0x3f",
        ),
        (
            |b| M::vector_shift(b, ShrS, I8, V0, V1, Src::Imm(7), V2),
            "sshr v0.16b, v1.16b, #0x7",
        ),
        (
            |b| M::vector_shift(b, ShrU, I16, V0, V1, Src::Imm(15), V2),
            "ushr v0.8h, v1.8h, #0xf",
        ),
        (
            |b| M::vector_shift(b, ShrU, I32, V0, V1, Src::Imm(32), V2),
            "mov v0.16b, v1.16b",
        ),
        (
            |b| M::vector_shift(b, ShrS, I64, V0, V1, Src::Imm(1), V2),
            "sshr v0.2d, v1.2d, #0x1",
        ),
        (
            |b| M::vector_shift(b, Shl, I8, V0, V1, Src::Reg(X1), V2),
            "and w16, w1, #0x7; dup v31.16b, w16; ushl v0.16b, v1.16b, v31.16b",
        ),
        (
            |b| M::vector_shift(b, ShrS, I16, V0, V1, Src::Reg(X1), V2),
            "and w16, w1, #0xf; neg x16, x16; dup v31.8h, w16; sshl v0.8h, v1.8h, v31.8h",
        ),
        (
            |b| M::vector_shift(b, ShrU, I64, V0, V1, Src::Frame(-8), V2),
            "ldur w16, [x29, #-0x8]; and w16, w16, #0x3f; neg x16, x16; dup v31.2d, x16; ushl v0.2d, v1.2d, v31.2d",
        ),
    ]);
}

#[test]
fn shuffles() {
    const LOW: [u8; 16] = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    const MIXED: [u8; 16] = [31, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    check(&[
        (
            |b| M::shuffle(b, LOW, V0, V1, V2),
            "ldr q31, $+0x0; tbl v0.16b, {v1.16b}, v31.16b",
        ),
        (
            |b| M::shuffle(b, LOW.map(|n| n + 16), V0, V1, V2),
            "ldr q31, $+0x0; tbl v0.16b, {v2.16b}, v31.16b",
        ),
        (
            |b| M::shuffle(b, MIXED, V0, V1, V1),
            "ldr q31, $+0x0; tbl v0.16b, {v1.16b}, v31.16b",
        ),
        (
            |b| M::shuffle(b, MIXED, V0, V0, V2),
            "mov v30.16b, v0.16b; mov v31.16b, v2.16b; ldr q0, $+0x0; tbl v0.16b, {v30.16b, v31.16b}, v0.16b",
        ),
    ]);
}

const AT: Address = Address {
    base: X0,
    index: Some(X1),
    disp: 16,
};

#[test]
fn accesses() {
    check(&[
        (
            |b| M::load_float(b, S128, V0, AT),
            "add x17, x0, x1; ldr q0, [x17, #0x10]",
        ),
        (
            |b| M::store_float(b, S128, AT, V0),
            "add x17, x0, x1; str q0, [x17, #0x10]",
        ),
        (
            |b| M::load_float(b, S128, V0, Address::new(X0, 8)),
            "ldur q0, [x0, #0x8]",
        ),
        (
            |b| M::move_float(b, S128, V0, FSrc::Frame(-24)),
            "ldur q0, [x29, #-0x18]",
        ),
        (
            |b| M::store_frame_float(b, S128, -4096, FSrc::Frame(-16)),
            "ldur q31, [x29, #-0x10]; sub x17, x29, #0x1, lsl #12; str q31, [x17]",
        ),
        (
            |b| M::store_arg_float(b, S128, 32, FSrc::Bits(0)),
            "movi d31, #0x0; str q31, [sp, #0x20]",
        ),
        (
            |b| M::load_extend(b, I8, true, V0, AT),
            "add x17, x0, x1; ldr d0, [x17, #0x10]; sshll v0.8h, v0.8b, #0x0",
        ),
        (
            |b| M::load_extend(b, I32, false, V0, AT),
            "add x17, x0, x1; ldr d0, [x17, #0x10]; ushll v0.2d, v0.2s, #0x0",
        ),
        (
            |b| M::load_splat(b, I8, V0, AT),
            "add x17, x0, x1; ldr b31, [x17, #0x10]; mov v0.16b, v31.b[0]",
        ),
        (
            |b| M::load_splat(b, I64, V0, Address::new(X0, 8)),
            "ldr d31, [x0, #0x8]; mov v0.2d, v31.d[0]",
        ),
        (
            |b| M::load_lane(b, I16, V0, AT, 7),
            "add x17, x0, x1; ldr h31, [x17, #0x10]; mov v0.h[7], v31.h[0]",
        ),
        (
            |b| M::load_lane(b, I32, V0, AT, 3),
            "add x17, x0, x1; ldr s31, [x17, #0x10]; mov v0.s[3], v31.s[0]",
        ),
        (
            |b| M::store_lane(b, I8, AT, V0, 15),
            "mov v31.16b, v0.b[15]; add x17, x0, x1; str b31, [x17, #0x10]",
        ),
        (
            |b| M::store_lane(b, I16, AT, V0, 0),
            "mov v31.8h, v0.h[0]; add x17, x0, x1; str h31, [x17, #0x10]",
        ),
        (
            |b| M::store_lane(b, I32, AT, V0, 3),
            "mov v31.4s, v0.s[3]; add x17, x0, x1; str s31, [x17, #0x10]",
        ),
        (
            |b| M::store_lane(b, I64, AT, V0, 1),
            "mov v31.2d, v0.d[1]; add x17, x0, x1; str d31, [x17, #0x10]",
        ),
    ]);
}

#[test]
fn constants() {
    let far = |low, high| {
        let mut b = Buffer::default();
        b.far = true;
        let number = b.constant_number(low, high);
        M::move_float(&mut b, S128, V0, FSrc::Constant(number));
        listing(b.code())
    };
    assert_eq!(
        far(1, 2),
        "mov w17, #0x1; fmov d0, x17; mov w17, #0x2; mov v0.d[1], x17"
    );
    check(&[
        (
            |b| M::move_float(b, S128, V0, FSrc::Bits(0)),
            "movi d0, #0x0",
        ),
        (
            |b| {
                let number = b.constant_number(1, 2);
                M::move_float(b, S128, V0, FSrc::Constant(number));
            },
            "ldr q0, $+0x0",
        ),
    ]);
}

#[test]
fn selections() {
    check(&[(
        |b| M::select_float(b, Cond(0), S128, V0, FSrc::Reg(V1)),
        "b.eq $+0x8; mov v0.16b, v1.16b",
    )]);
}
