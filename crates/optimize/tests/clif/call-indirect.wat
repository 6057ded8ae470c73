;;! target x86_64
(module
  (type $f (func (param i32) (result i32)))
  (type $open (sub (func (param i32))))
  (import "" "" (func $import (param i32)))
  (table $t 10 funcref)
  (table $typed 10 10 (ref null $f))
  (func (param i32) (result i32)
    (call_indirect $t (type $f) (local.get 0) (local.get 0)))
  (func (param i32)
    (call_indirect $t (type $open) (local.get 0) (local.get 0)))
  (func (param i32) (result i32)
    (return_call_indirect $typed (type $f) (local.get 0) (local.get 0)))
  (func (param (ref null $f)) (result i32)
    (call_ref $f (i32.const 1) (local.get 0)))
  (func (call $import (i32.const 1))))

;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     region0 = 2 "descriptors"
;;     region1 = 32 "table"
;;     region2 = 0 "context"
;;     region3 = 3 "funcrefs"
;;     region4 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64) -> i64 system_v
;;     sig1 = (i64 vmctx, i32) -> i32 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v22 = load.i64 notrap aligned readonly can_move region2 v0+24
;;                                     v27 = load.i64 notrap aligned readonly can_move region2 v0+8
;; @0042                               v2 = load.i64 notrap aligned region0 v0+80
;; @0042                               v3 = ireduce.i32 v2
;; @0042                               v4 = icmp uge v1, v3
;; @0042                               v5 = uextend.i64 v1
;; @0042                               v6 = load.i64 notrap aligned region0 v0+72
;; @0042                               v7 = iconst.i64 3
;; @0042                               v8 = ishl v5, v7  ; v7 = 3
;; @0042                               v9 = iadd v6, v8
;; @0042                               v10 = iconst.i64 0
;; @0042                               v11 = select_spectre_guard v4, v10, v9  ; v10 = 0
;; @0042                               v12 = load.i64 user4 aligned region1 v11
;; @0042                               v13 = iconst.i64 -2
;; @0042                               v14 = band v12, v13  ; v13 = -2
;; @0042                               brif v12, block2(v14), block1
;;
;;                                 block1 cold:
;; @0042                               v16 = uextend.i64 v1
;; @0042                               v17 = iconst.i32 0
;; @0042                               v18 = load.i64 notrap aligned readonly region2 v0+16
;; @0042                               v19 = load.i64 notrap aligned readonly region2 v18+72
;; @0042                               v20 = call_indirect sig0, v19(v0, v17, v16)  ; v17 = 0
;; @0042                               jump block2(v20)
;;
;;                                 block2(v15: i64):
;; @0042                               v21 = load.i32 user5 aligned readonly region3 v15+16
;; @0042                               v23 = load.i32 notrap aligned readonly can_move region2 v22
;; @0042                               v24 = icmp eq v21, v23
;; @0042                               trapz v24, user6
;; @0042                               v25 = load.i64 notrap aligned readonly region3 v15
;; @0042                               v26 = load.i64 notrap aligned readonly region3 v15+8
;; @0042                               store.i64 notrap aligned region4 v0, v27+16
;; @0042                               v28 = call_indirect sig1, v25(v26, v1)
;; @0045                               return v28
;; }
;;
;; function u0:2(i64 vmctx, i32) tail {
;;     region0 = 2 "descriptors"
;;     region1 = 32 "table"
;;     region2 = 0 "context"
;;     region3 = 3 "funcrefs"
;;     region4 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64) -> i64 system_v
;;     sig1 = (i64, i32, i32) -> i32 system_v
;;     sig2 = (i64 vmctx, i32) tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v22 = load.i64 notrap aligned readonly can_move region2 v0+24
;;                                     v30 = load.i64 notrap aligned readonly can_move region2 v0+8
;; @004c                               v2 = load.i64 notrap aligned region0 v0+80
;; @004c                               v3 = ireduce.i32 v2
;; @004c                               v4 = icmp uge v1, v3
;; @004c                               v5 = uextend.i64 v1
;; @004c                               v6 = load.i64 notrap aligned region0 v0+72
;; @004c                               v7 = iconst.i64 3
;; @004c                               v8 = ishl v5, v7  ; v7 = 3
;; @004c                               v9 = iadd v6, v8
;; @004c                               v10 = iconst.i64 0
;; @004c                               v11 = select_spectre_guard v4, v10, v9  ; v10 = 0
;; @004c                               v12 = load.i64 user4 aligned region1 v11
;; @004c                               v13 = iconst.i64 -2
;; @004c                               v14 = band v12, v13  ; v13 = -2
;; @004c                               brif v12, block2(v14), block1
;;
;;                                 block1 cold:
;; @004c                               v16 = uextend.i64 v1
;; @004c                               v17 = iconst.i32 0
;; @004c                               v18 = load.i64 notrap aligned readonly region2 v0+16
;; @004c                               v19 = load.i64 notrap aligned readonly region2 v18+72
;; @004c                               v20 = call_indirect sig0, v19(v0, v17, v16)  ; v17 = 0
;; @004c                               jump block2(v20)
;;
;;                                 block2(v15: i64):
;; @004c                               v21 = load.i32 user5 aligned readonly region3 v15+16
;; @004c                               v23 = load.i32 notrap aligned readonly can_move region2 v22+4
;; @004c                               v24 = icmp eq v21, v23
;; @004c                               brif v24, block4, block3
;;
;;                                 block3 cold:
;; @004c                               v25 = load.i64 notrap aligned readonly region2 v0+16
;; @004c                               v26 = load.i64 notrap aligned readonly region2 v25+128
;; @004c                               v27 = call_indirect sig1, v26(v0, v21, v23)
;; @004c                               trapz v27, user6
;; @004c                               jump block4
;;
;;                                 block4:
;; @004c                               v28 = load.i64 notrap aligned readonly region3 v15
;; @004c                               v29 = load.i64 notrap aligned readonly region3 v15+8
;; @004c                               store.i64 notrap aligned region4 v0, v30+16
;; @004c                               call_indirect sig2, v28(v29, v1)
;; @004f                               return
;; }
;;
;; function u0:3(i64 vmctx, i32) -> i32 tail {
;;     region0 = 2 "descriptors"
;;     region1 = 33 "table"
;;     region2 = 0 "context"
;;     region3 = 3 "funcrefs"
;;     region4 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64) -> i64 system_v
;;     sig1 = (i64 vmctx, i32) -> i32 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v23 = load.i64 notrap aligned readonly can_move region2 v0+8
;; @0056                               v2 = iconst.i64 10
;; @0056                               v3 = iconst.i32 10
;; @0056                               v4 = icmp uge v1, v3  ; v3 = 10
;; @0056                               v5 = uextend.i64 v1
;; @0056                               v6 = load.i64 notrap aligned readonly can_move region0 v0+88
;; @0056                               v7 = iconst.i64 3
;; @0056                               v8 = ishl v5, v7  ; v7 = 3
;; @0056                               v9 = iadd v6, v8
;; @0056                               v10 = iconst.i64 0
;; @0056                               v11 = select_spectre_guard v4, v10, v9  ; v10 = 0
;; @0056                               v12 = load.i64 user4 aligned region1 v11
;; @0056                               v13 = iconst.i64 -2
;; @0056                               v14 = band v12, v13  ; v13 = -2
;; @0056                               brif v12, block2(v14), block1
;;
;;                                 block1 cold:
;; @0056                               v16 = uextend.i64 v1
;; @0056                               v17 = iconst.i32 1
;; @0056                               v18 = load.i64 notrap aligned readonly region2 v0+16
;; @0056                               v19 = load.i64 notrap aligned readonly region2 v18+72
;; @0056                               v20 = call_indirect sig0, v19(v0, v17, v16)  ; v17 = 1
;; @0056                               jump block2(v20)
;;
;;                                 block2(v15: i64):
;; @0056                               v21 = load.i64 user5 aligned readonly region3 v15
;; @0056                               v22 = load.i64 notrap aligned readonly region3 v15+8
;; @0056                               store.i64 notrap aligned region4 v0, v23+16
;; @0056                               return_call_indirect sig1, v21(v22, v1)
;; }
;;
;; function u0:4(i64 vmctx, i64) -> i32 tail {
;;     region0 = 3 "funcrefs"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+8
;; @005c                               v2 = iconst.i32 1
;; @0060                               v3 = load.i64 user14 aligned readonly region0 v1
;; @0060                               v4 = load.i64 notrap aligned readonly region0 v1+8
;; @0060                               store notrap aligned region2 v0, v5+16
;; @0060                               v6 = call_indirect sig0, v3(v4, v2)  ; v2 = 1
;; @0062                               return v6
;; }
;;
;; function u0:5(i64 vmctx) tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+56
;;                                     v4 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0065                               v1 = iconst.i32 1
;; @0067                               store notrap aligned region1 v0, v4+16
;; @0067                               call_indirect sig0, v2(v3, v1)  ; v1 = 1
;; @0069                               return
;; }
