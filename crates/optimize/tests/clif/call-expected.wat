;;! target x86_64
(module
  ;; Few functions of a type can be referred to: each is tested for and inlined.
  (type $op (func (param i32) (result i32)))
  (func $double (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func $negate (type $op) (i32.sub (i32.const 0) (local.get 0)))
  (elem declare func $double $negate)
  (func (param (ref $op) i32) (result i32) (call_ref $op (local.get 1) (local.get 0))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @002c                               v2 = iconst.i32 1
;; @002e                               v3 = ishl v1, v2  ; v2 = 1
;; @002f                               return v3
;; }
;;
;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0032                               v2 = iconst.i32 0
;; @0036                               v3 = isub v2, v1  ; v2 = 0
;; @0037                               return v3
;; }
;;
;; function u0:2(i64 vmctx, i64, i32) -> i32 tail {
;;     region0 = 3 "funcrefs"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64, v2: i32):
;;                                     v16 = load.i64 notrap aligned readonly can_move region1 v0+8
;; @003e                               v4 = iconst.i64 48
;; @003e                               v5 = iadd v0, v4  ; v4 = 48
;; @003e                               v6 = icmp eq v1, v5
;; @003e                               brif v6, block2, block3
;;
;;                                 block2:
;; @80000001                           v7 = iconst.i32 1
;; @80000002                           v8 = ishl.i32 v2, v7  ; v7 = 1
;; @003e                               jump block1(v8)
;;
;;                                 block3:
;; @003e                               v9 = iconst.i64 80
;; @003e                               v10 = iadd.i64 v0, v9  ; v9 = 80
;; @003e                               v11 = icmp.i64 eq v1, v10
;; @003e                               brif v11, block4, block5
;;
;;                                 block4:
;; @80000004                           v12 = iconst.i32 0
;; @80000006                           v13 = isub v12, v2  ; v12 = 0
;; @003e                               jump block1(v13)
;;
;;                                 block5 cold:
;; @003e                               v14 = load.i64 user14 aligned readonly region0 v1
;; @003e                               v15 = load.i64 notrap aligned readonly region0 v1+8
;; @003e                               store.i64 notrap aligned region2 v0, v16+16
;; @003e                               v17 = call_indirect sig0, v14(v15, v2)
;; @003e                               jump block1(v17)
;;
;;                                 block1(v3: i32):
;; @0040                               return v3
;; }
