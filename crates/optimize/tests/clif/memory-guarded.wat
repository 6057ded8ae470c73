;;! target x86_64
(module
  (memory 1)
  (func (param i32) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load8_s offset=100000000 (local.get 0))))
  (func (result i64) (i64.load offset=8 (i32.const 1024)))
  (func (param i32 v128) (v128.store (local.get 0) (local.get 1))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @002b                               v2 = uextend.i64 v1
;; @002b                               v4 = iadd v3, v2
;; @002b                               v5 = load.i32 little region0 v4+4
;; @0030                               v6 = uextend.i64 v1
;; @0030                               v7 = load.i64 notrap aligned region1 v0+56
;; @0030                               v8 = iconst.i64 0x05f5_e101
;; @0030                               v9 = iadd v6, v8  ; v8 = 0x05f5_e101
;; @0030                               v10 = icmp ugt v9, v7
;; @0030                               v11 = iadd v3, v6
;; @0030                               v12 = iconst.i64 0x05f5_e100
;; @0030                               v13 = iadd v11, v12  ; v12 = 0x05f5_e100
;; @0030                               v14 = iconst.i64 0
;; @0030                               v15 = select_spectre_guard v10, v14, v13  ; v14 = 0
;; @0030                               v16 = sload8.i32 little region0 v15
;; @0036                               v17 = iadd v5, v16
;; @0037                               return v17
;; }
;;
;; function u0:1(i64 vmctx) -> i64 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @003a                               v1 = iconst.i32 1024
;; @003d                               v2 = iconst.i64 1024
;; @003d                               v4 = load.i64 little region0 v3+1032
;; @0040                               return v4
;; }
;;
;; function u0:2(i64 vmctx, i32, i8x16) tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i8x16):
;;                                     v4 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0047                               v3 = uextend.i64 v1
;; @0047                               v5 = iadd v4, v3
;; @0047                               store little region0 v2, v5
;; @004b                               return
;; }
