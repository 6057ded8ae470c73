;;! target x86_64
;;! explicit
(module
  (import "" "f" (func $f))
  (memory 1)
  (memory $fixed 1 1)
  ;; The second access needs no check, the third reaches farther.
  (func (param i32) (result i32)
    (i32.add
      (i32.add (i32.load offset=8 (local.get 0)) (i32.load offset=4 (local.get 0)))
      (i32.load offset=12 (local.get 0))))
  ;; A memory that cannot grow has always the same base and length.
  (func (param i32 i32) (result i32)
    (local i32)
    (local.set 2 (i32.load $fixed (local.get 0)))
    (loop
      (call $f)
      (local.set 2 (i32.add (local.get 2) (i32.load8_u $fixed (local.get 0))))
      (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    (local.get 2))
  ;; What is checked in one arm is not after it; a memory that may have moved has another address.
  (func (param i32 i32) (result i32)
    (if (local.get 1)
      (then (drop (i32.load $fixed (local.get 0)))))
    (drop (i32.load $fixed (local.get 0)))
    (drop (i32.load (local.get 0)))
    (call $f)
    (i32.load (local.get 0))))

;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0036                               v2 = uextend.i64 v1
;; @0036                               v3 = load.i64 notrap aligned region1 v0+80
;; @0036                               v4 = iconst.i64 12
;; @0036                               v5 = isub v3, v4  ; v4 = 12
;; @0036                               v6 = icmp ugt v2, v5
;; @0036                               v7 = load.i64 notrap aligned region1 v0+72
;; @0036                               v8 = iadd v7, v2
;; @0036                               v9 = iconst.i64 0
;; @0036                               v10 = select_spectre_guard v6, v9, v8  ; v9 = 0
;; @0036                               v11 = load.i32 little region0 v10+8
;; @003b                               v12 = uextend.i64 v1
;; @003b                               v13 = load.i32 little region0 v10+4
;; @003e                               v14 = iadd v11, v13
;; @0041                               v15 = uextend.i64 v1
;; @0041                               v16 = load.i64 notrap aligned region1 v0+80
;; @0041                               v17 = iconst.i64 16
;; @0041                               v18 = isub v16, v17  ; v17 = 16
;; @0041                               v19 = icmp ugt v15, v18
;; @0041                               v20 = load.i64 notrap aligned region1 v0+72
;; @0041                               v21 = iadd v20, v15
;; @0041                               v22 = iconst.i64 0
;; @0041                               v23 = select_spectre_guard v19, v22, v21  ; v22 = 0
;; @0041                               v24 = load.i32 little region0 v23+12
;; @0044                               v25 = iadd v14, v24
;; @0045                               return v25
;; }
;;
;; function u0:2(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 17 "memory"
;;     region1 = 2 "descriptors"
;;     region2 = 0 "context"
;;     region3 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx) tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v18 -> v1
;;                                     v9 = load.i64 notrap aligned readonly can_move region1 v0+88
;;                                     v14 = load.i64 notrap aligned readonly can_move region2 v0+48
;;                                     v15 = load.i64 notrap aligned readonly can_move region2 v0+56
;;                                     v16 = load.i64 notrap aligned readonly can_move region2 v0+8
;; @0047                               v3 = iconst.i32 0
;; @004c                               v4 = uextend.i64 v1
;; @004c                               v5 = load.i64 notrap aligned readonly can_move region1 v0+96
;; @004c                               v6 = iconst.i64 4
;; @004c                               v7 = isub v5, v6  ; v6 = 4
;; @004c                               v8 = icmp ugt v4, v7
;; @004c                               v10 = iadd v9, v4
;; @004c                               v11 = iconst.i64 0
;; @004c                               v12 = select_spectre_guard v8, v11, v10  ; v11 = 0
;; @004c                               v13 = load.i32 little region0 v12
;; @0052                               jump block1(v13, v2)
;;
;;                                 block1(v17: i32, v27: i32):
;; @0054                               store.i64 notrap aligned region3 v0, v16+16
;; @0054                               call_indirect.i64 sig0, v14(v15)
;; @005a                               v19 = uextend.i64 v18
;; @005a                               v20 = load.i64 notrap aligned readonly can_move region1 v0+96
;; @005a                               v21 = icmp uge v19, v20
;; @005a                               v22 = iadd.i64 v9, v19
;; @005a                               v23 = iconst.i64 0
;; @005a                               v24 = select_spectre_guard v21, v23, v22  ; v23 = 0
;; @005a                               v25 = uload8.i32 little region0 v24
;; @005e                               v26 = iadd v17, v25
;; @0063                               v28 = iconst.i32 1
;; @0065                               v29 = isub v27, v28  ; v28 = 1
;; @0068                               brif v29, block1(v26, v29), block2
;;
;;                                 block2:
;; @006d                               return v26
;; }
;;
;; function u0:3(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 17 "memory"
;;     region1 = 2 "descriptors"
;;     region2 = 16 "memory"
;;     region3 = 0 "context"
;;     region4 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx) tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v13 -> v1
;;                                     v8 = load.i64 notrap aligned readonly can_move region1 v0+88
;;                                     v33 = load.i64 notrap aligned readonly can_move region3 v0+48
;;                                     v34 = load.i64 notrap aligned readonly can_move region3 v0+56
;;                                     v35 = load.i64 notrap aligned readonly can_move region3 v0+8
;; @0072                               brif v2, block1, block3
;;
;;                                 block1:
;; @0076                               v3 = uextend.i64 v1
;; @0076                               v4 = load.i64 notrap aligned readonly can_move region1 v0+96
;; @0076                               v5 = iconst.i64 4
;; @0076                               v6 = isub v4, v5  ; v5 = 4
;; @0076                               v7 = icmp ugt v3, v6
;; @0076                               v9 = iadd.i64 v8, v3
;; @0076                               v10 = iconst.i64 0
;; @0076                               v11 = select_spectre_guard v7, v10, v9  ; v10 = 0
;; @0076                               v12 = load.i32 little region0 v11
;; @007b                               jump block3
;;
;;                                 block3:
;; @007e                               v14 = uextend.i64 v1
;; @007e                               v15 = load.i64 notrap aligned readonly can_move region1 v0+96
;; @007e                               v16 = iconst.i64 4
;; @007e                               v17 = isub v15, v16  ; v16 = 4
;; @007e                               v18 = icmp ugt v14, v17
;; @007e                               v19 = iadd.i64 v8, v14
;; @007e                               v20 = iconst.i64 0
;; @007e                               v21 = select_spectre_guard v18, v20, v19  ; v20 = 0
;; @007e                               v22 = load.i32 little region0 v21
;; @0085                               v23 = uextend.i64 v13
;; @0085                               v24 = load.i64 notrap aligned region1 v0+80
;; @0085                               v25 = iconst.i64 4
;; @0085                               v26 = isub v24, v25  ; v25 = 4
;; @0085                               v27 = icmp ugt v23, v26
;; @0085                               v28 = load.i64 notrap aligned region1 v0+72
;; @0085                               v29 = iadd v28, v23
;; @0085                               v30 = iconst.i64 0
;; @0085                               v31 = select_spectre_guard v27, v30, v29  ; v30 = 0
;; @0085                               v32 = load.i32 little region2 v31
;; @0089                               store.i64 notrap aligned region4 v0, v35+16
;; @0089                               call_indirect.i64 sig0, v33(v34)
;; @008d                               v36 = uextend.i64 v13
;; @008d                               v37 = load.i64 notrap aligned region1 v0+80
;; @008d                               v38 = iconst.i64 4
;; @008d                               v39 = isub v37, v38  ; v38 = 4
;; @008d                               v40 = icmp ugt v36, v39
;; @008d                               v41 = load.i64 notrap aligned region1 v0+72
;; @008d                               v42 = iadd v41, v36
;; @008d                               v43 = iconst.i64 0
;; @008d                               v44 = select_spectre_guard v40, v43, v42  ; v43 = 0
;; @008d                               v45 = load.i32 little region2 v44
;; @0090                               return v45
;; }
