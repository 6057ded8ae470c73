;;! target x86_64
;;! no-signals
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
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 16 "memory"
;;     region3 = 2 "descriptors"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v17 = load.i64 notrap aligned readonly can_move region3 v0+72
;; @0033                               v3 = load.i64 notrap aligned region1 v2+8
;; @0033                               v4 = get_stack_pointer.i64
;; @0033                               v5 = icmp ult v4, v3
;; @0033                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @0033                               v6 = iconst.i32 1
;; @0033                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @0033                               v8 = load.i64 notrap aligned readonly region0 v7
;; @0033                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @0033                               trap user200
;;
;;                                 block2:
;; @0036                               v9 = uextend.i64 v1
;; @0036                               v10 = load.i64 notrap aligned region3 v0+80
;; @0036                               v11 = iconst.i64 12
;; @0036                               v12 = isub v10, v11  ; v11 = 12
;; @0036                               v13 = icmp ugt v9, v12
;; @0036                               brif v13, block3, block4
;;
;;                                 block3 cold:
;; @0036                               v14 = iconst.i32 2
;; @0036                               v15 = load.i64 notrap aligned readonly region0 v0+16
;; @0036                               v16 = load.i64 notrap aligned readonly region0 v15
;; @0036                               call_indirect sig0, v16(v0, v14)  ; v14 = 2
;; @0036                               trap user200
;;
;;                                 block4:
;; @0036                               v18 = iadd.i64 v17, v9
;; @0036                               v19 = load.i32 notrap little region2 v18+8
;; @003b                               v20 = uextend.i64 v1
;; @003b                               v21 = iadd.i64 v17, v20
;; @003b                               v22 = load.i32 notrap little region2 v21+4
;; @003e                               v23 = iadd v19, v22
;; @0041                               v24 = uextend.i64 v1
;; @0041                               v25 = load.i64 notrap aligned region3 v0+80
;; @0041                               v26 = iconst.i64 16
;; @0041                               v27 = isub v25, v26  ; v26 = 16
;; @0041                               v28 = icmp ugt v24, v27
;; @0041                               brif v28, block5, block6
;;
;;                                 block5 cold:
;; @0041                               v29 = iconst.i32 2
;; @0041                               v30 = load.i64 notrap aligned readonly region0 v0+16
;; @0041                               v31 = load.i64 notrap aligned readonly region0 v30
;; @0041                               call_indirect sig0, v31(v0, v29)  ; v29 = 2
;; @0041                               trap user200
;;
;;                                 block6:
;; @0041                               v32 = iadd.i64 v17, v24
;; @0041                               v33 = load.i32 notrap little region2 v32+12
;; @0044                               v34 = iadd.i32 v23, v33
;; @0045                               return v34
;; }
;;
;; function u0:2(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 17 "memory"
;;     region3 = 2 "descriptors"
;;     sig0 = (i64, i32) system_v
;;     sig1 = (i64 vmctx) tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v25 -> v1
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v19 = load.i64 notrap aligned readonly can_move region3 v0+88
;;                                     v22 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v23 = load.i64 notrap aligned readonly can_move region0 v0+56
;; @0047                               v4 = load.i64 notrap aligned region1 v3+8
;; @0047                               v5 = get_stack_pointer.i64
;; @0047                               v6 = icmp ult v5, v4
;; @0047                               brif v6, block1, block2
;;
;;                                 block1 cold:
;; @0047                               v7 = iconst.i32 1
;; @0047                               v8 = load.i64 notrap aligned readonly region0 v0+16
;; @0047                               v9 = load.i64 notrap aligned readonly region0 v8
;; @0047                               call_indirect sig0, v9(v0, v7)  ; v7 = 1
;; @0047                               trap user200
;;
;;                                 block2:
;; @0047                               v10 = iconst.i32 0
;; @004c                               v11 = uextend.i64 v1
;; @004c                               v12 = load.i64 notrap aligned readonly can_move region3 v0+96
;; @004c                               v13 = iconst.i64 4
;; @004c                               v14 = isub v12, v13  ; v13 = 4
;; @004c                               v15 = icmp ugt v11, v14
;; @004c                               brif v15, block3, block4
;;
;;                                 block3 cold:
;; @004c                               v16 = iconst.i32 2
;; @004c                               v17 = load.i64 notrap aligned readonly region0 v0+16
;; @004c                               v18 = load.i64 notrap aligned readonly region0 v17
;; @004c                               call_indirect sig0, v18(v0, v16)  ; v16 = 2
;; @004c                               trap user200
;;
;;                                 block4:
;; @004c                               v20 = iadd.i64 v19, v11
;; @004c                               v21 = load.i32 notrap little region2 v20
;; @0052                               jump block5(v21, v2)
;;
;;                                 block5(v24: i32, v35: i32):
;; @0054                               store.i64 notrap aligned region1 v0, v3+16
;; @0054                               call_indirect.i64 sig1, v22(v23)
;; @005a                               v26 = uextend.i64 v25
;; @005a                               v27 = load.i64 notrap aligned readonly can_move region3 v0+96
;; @005a                               v28 = icmp uge v26, v27
;; @005a                               brif v28, block6, block7
;;
;;                                 block6 cold:
;; @005a                               v29 = iconst.i32 2
;; @005a                               v30 = load.i64 notrap aligned readonly region0 v0+16
;; @005a                               v31 = load.i64 notrap aligned readonly region0 v30
;; @005a                               call_indirect sig0, v31(v0, v29)  ; v29 = 2
;; @005a                               trap user200
;;
;;                                 block7:
;; @005a                               v32 = iadd.i64 v19, v26
;; @005a                               v33 = uload8.i32 notrap little region2 v32
;; @005e                               v34 = iadd.i32 v24, v33
;; @0063                               v36 = iconst.i32 1
;; @0065                               v37 = isub.i32 v35, v36  ; v36 = 1
;; @0068                               brif v37, block5(v34, v37), block8
;;
;;                                 block8:
;; @006d                               return v34
;; }
;;
;; function u0:3(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 17 "memory"
;;     region3 = 2 "descriptors"
;;     region4 = 16 "memory"
;;     sig0 = (i64, i32) system_v
;;     sig1 = (i64 vmctx) tail
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v21 -> v1
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v18 = load.i64 notrap aligned readonly can_move region3 v0+88
;;                                     v40 = load.i64 notrap aligned readonly can_move region3 v0+72
;;                                     v43 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v44 = load.i64 notrap aligned readonly can_move region0 v0+56
;; @006f                               v4 = load.i64 notrap aligned region1 v3+8
;; @006f                               v5 = get_stack_pointer.i64
;; @006f                               v6 = icmp ult v5, v4
;; @006f                               brif v6, block1, block2
;;
;;                                 block1 cold:
;; @006f                               v7 = iconst.i32 1
;; @006f                               v8 = load.i64 notrap aligned readonly region0 v0+16
;; @006f                               v9 = load.i64 notrap aligned readonly region0 v8
;; @006f                               call_indirect sig0, v9(v0, v7)  ; v7 = 1
;; @006f                               trap user200
;;
;;                                 block2:
;; @0072                               brif.i32 v2, block3, block7
;;
;;                                 block3:
;; @0076                               v10 = uextend.i64 v1
;; @0076                               v11 = load.i64 notrap aligned readonly can_move region3 v0+96
;; @0076                               v12 = iconst.i64 4
;; @0076                               v13 = isub v11, v12  ; v12 = 4
;; @0076                               v14 = icmp ugt v10, v13
;; @0076                               brif v14, block5, block6
;;
;;                                 block5 cold:
;; @0076                               v15 = iconst.i32 2
;; @0076                               v16 = load.i64 notrap aligned readonly region0 v0+16
;; @0076                               v17 = load.i64 notrap aligned readonly region0 v16
;; @0076                               call_indirect sig0, v17(v0, v15)  ; v15 = 2
;; @0076                               trap user200
;;
;;                                 block6:
;; @0076                               v19 = iadd.i64 v18, v10
;; @0076                               v20 = load.i32 notrap little region2 v19
;; @007b                               jump block7
;;
;;                                 block7:
;; @007e                               v22 = uextend.i64 v1
;; @007e                               v23 = load.i64 notrap aligned readonly can_move region3 v0+96
;; @007e                               v24 = iconst.i64 4
;; @007e                               v25 = isub v23, v24  ; v24 = 4
;; @007e                               v26 = icmp ugt v22, v25
;; @007e                               brif v26, block8, block9
;;
;;                                 block8 cold:
;; @007e                               v27 = iconst.i32 2
;; @007e                               v28 = load.i64 notrap aligned readonly region0 v0+16
;; @007e                               v29 = load.i64 notrap aligned readonly region0 v28
;; @007e                               call_indirect sig0, v29(v0, v27)  ; v27 = 2
;; @007e                               trap user200
;;
;;                                 block9:
;; @007e                               v30 = iadd.i64 v18, v22
;; @007e                               v31 = load.i32 notrap little region2 v30
;; @0085                               v32 = uextend.i64 v21
;; @0085                               v33 = load.i64 notrap aligned region3 v0+80
;; @0085                               v34 = iconst.i64 4
;; @0085                               v35 = isub v33, v34  ; v34 = 4
;; @0085                               v36 = icmp ugt v32, v35
;; @0085                               brif v36, block10, block11
;;
;;                                 block10 cold:
;; @0085                               v37 = iconst.i32 2
;; @0085                               v38 = load.i64 notrap aligned readonly region0 v0+16
;; @0085                               v39 = load.i64 notrap aligned readonly region0 v38
;; @0085                               call_indirect sig0, v39(v0, v37)  ; v37 = 2
;; @0085                               trap user200
;;
;;                                 block11:
;; @0085                               v41 = iadd.i64 v40, v32
;; @0085                               v42 = load.i32 notrap little region4 v41
;; @0089                               store.i64 notrap aligned region1 v0, v3+16
;; @0089                               call_indirect.i64 sig1, v43(v44)
;; @008d                               v45 = uextend.i64 v21
;; @008d                               v46 = iadd.i64 v40, v45
;; @008d                               v47 = load.i32 notrap little region4 v46
;; @0090                               return v47
;; }
