;;! target x86_64
(module
  (memory i64 1)
  (func (param i64) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load8_s offset=8 (local.get 0))))
  (func (param i64) (result i64) (i64.load offset=100000000 (local.get 0)))
  (func (result i64) (i64.load offset=8 (i64.const 1024))))

;; function u0:0(i64 vmctx, i64) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @002b                               v2 = iconst.i64 0x0010_0000_0000
;;                                     v11 = ireduce.i32 v1
;;                                     v12 = uextend.i64 v11
;;                                     v13 = icmp ne v12, v1
;;                                     brif v13, block1, block2(v12)
;;
;;                                 block1 cold:
;; @002b                               v3 = icmp.i64 uge v1, v2  ; v2 = 0x0010_0000_0000
;; @002b                               v10 = select_spectre_guard.i64 v3, v2, v1  ; v2 = 0x0010_0000_0000
;;                                     jump block2(v10)
;;
;;                                 block2(v4: i64):
;; @002b                               v6 = iadd.i64 v5, v4
;; @002b                               v7 = load.i32 little region0 v6+4
;; @0030                               v8 = sload8.i32 little region0 v6+8
;; @0033                               v9 = iadd v7, v8
;; @0034                               return v9
;; }
;;
;; function u0:1(i64 vmctx, i64) -> i64 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v6 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0039                               v2 = load.i64 notrap aligned region1 v0+56
;; @0039                               v3 = iconst.i64 0x05f5_e108
;; @0039                               v4 = uadd_overflow_trap v1, v3, heap_oob  ; v3 = 0x05f5_e108
;; @0039                               v5 = icmp ugt v4, v2
;; @0039                               v7 = iadd v6, v1
;; @0039                               v8 = iconst.i64 0x05f5_e100
;; @0039                               v9 = iadd v7, v8  ; v8 = 0x05f5_e100
;; @0039                               v10 = iconst.i64 0
;; @0039                               v11 = select_spectre_guard v5, v10, v9  ; v10 = 0
;; @0039                               v12 = load.i64 little region0 v11
;; @003f                               return v12
;; }
;;
;; function u0:2(i64 vmctx) -> i64 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0042                               v1 = iconst.i64 1024
;; @0045                               v3 = load.i64 little region0 v2+1032
;; @0048                               return v3
;; }
