;;! target x86_64
;;! no-signals
(module
  (memory i64 1)
  (func (param i64) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load offset=100000000 (local.get 0)))))

;; function u0:0(i64 vmctx, i64) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 16 "memory"
;;     region3 = 2 "descriptors"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @001d                               v3 = load.i64 notrap aligned region1 v2+8
;; @001d                               v4 = get_stack_pointer.i64
;; @001d                               v5 = icmp ult v4, v3
;; @001d                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @001d                               v6 = iconst.i32 1
;; @001d                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @001d                               v8 = load.i64 notrap aligned readonly region0 v7
;; @001d                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @001d                               trap user200
;;
;;                                 block2:
;; @0020                               v9 = load.i64 notrap aligned region3 v0+56
;; @0020                               v10 = iconst.i64 8
;; @0020                               v11 = isub v9, v10  ; v10 = 8
;; @0020                               v12 = icmp.i64 ugt v1, v11
;; @0020                               brif v12, block3, block4
;;
;;                                 block3 cold:
;; @0020                               v13 = iconst.i32 2
;; @0020                               v14 = load.i64 notrap aligned readonly region0 v0+16
;; @0020                               v15 = load.i64 notrap aligned readonly region0 v14
;; @0020                               call_indirect sig0, v15(v0, v13)  ; v13 = 2
;; @0020                               trap user200
;;
;;                                 block4:
;; @0020                               v16 = load.i64 notrap aligned region3 v0+48
;; @0020                               v17 = iadd v16, v1
;; @0020                               v18 = load.i32 notrap little region2 v17+4
;; @0025                               v19 = load.i64 notrap aligned region3 v0+56
;; @0025                               v20 = iconst.i64 0x05f5_e104
;; @0025                               v21, v22 = uadd_overflow.i64 v1, v20  ; v20 = 0x05f5_e104
;; @0025                               brif v22, block5, block6
;;
;;                                 block5 cold:
;; @0025                               v23 = iconst.i32 2
;; @0025                               v24 = load.i64 notrap aligned readonly region0 v0+16
;; @0025                               v25 = load.i64 notrap aligned readonly region0 v24
;; @0025                               call_indirect sig0, v25(v0, v23)  ; v23 = 2
;; @0025                               trap user200
;;
;;                                 block6:
;; @0025                               v26 = icmp.i64 ugt v21, v19
;; @0025                               brif v26, block7, block8
;;
;;                                 block7 cold:
;; @0025                               v27 = iconst.i32 2
;; @0025                               v28 = load.i64 notrap aligned readonly region0 v0+16
;; @0025                               v29 = load.i64 notrap aligned readonly region0 v28
;; @0025                               call_indirect sig0, v29(v0, v27)  ; v27 = 2
;; @0025                               trap user200
;;
;;                                 block8:
;; @0025                               v30 = load.i64 notrap aligned region3 v0+48
;; @0025                               v31 = iadd v30, v1
;; @0025                               v32 = load.i32 notrap little region2 v31+0x05f5_e100
;; @002b                               v33 = iadd.i32 v18, v32
;; @002c                               return v33
;; }
