;;! target x86_64
(module
  (type $f (func))
  (type $s (struct (field (mut (ref $f))) (field (mut funcref))))
  (func (param (ref $f)) (result (ref $s))
    (struct.new $s (local.get 0) (ref.null func)))
  (func (param (ref $s)) (call_ref $f (struct.get $s 0 (local.get 0))))
  (func (param (ref $s)) (result funcref) (struct.get $s 1 (local.get 0))))

;; function u0:0(i64 vmctx, i64) -> i32 tail {
;;     region0 = 3 "funcrefs"
;;     region1 = 0 "context"
;;     region2 = 7 "end of objects"
;;     region3 = 1 "store"
;;     region4 = 8 "headers"
;;     region5 = 64 "field"
;;     region6 = 65 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i64) -> i32 system_v
;;     sig1 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v15 = load.i64 notrap aligned readonly can_move region1 v0+24
;;                                     v17 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v29 = load.i64 notrap aligned readonly can_move region3 v17+48
;; @0034                               v2 = iconst.i64 0
;; @0036                               v4 = iconst.i32 0
;; @0036                               brif v1, block1, block3(v4)  ; v4 = 0
;;
;;                                 block1:
;; @0036                               v5 = load.i32 notrap aligned region0 v1+20
;; @0036                               brif v5, block3(v5), block2
;;
;;                                 block2 cold:
;; @0036                               v6 = load.i64 notrap aligned readonly region1 v0+16
;; @0036                               v7 = load.i64 notrap aligned readonly region1 v6+208
;; @0036                               v8 = call_indirect sig0, v7(v0, v1)
;; @0036                               jump block3(v8)
;;
;;                                 block3(v3: i32):
;; @0036                               v10 = iconst.i32 0
;; @0036                               brif.i64 v2, block4, block6(v10)  ; v2 = 0, v10 = 0
;;
;;                                 block4:
;; @0036                               v11 = load.i32 notrap aligned region0 v2+20  ; v2 = 0
;; @0036                               brif v11, block6(v11), block5
;;
;;                                 block5 cold:
;; @0036                               v12 = load.i64 notrap aligned readonly region1 v0+16
;; @0036                               v13 = load.i64 notrap aligned readonly region1 v12+208
;; @0036                               v14 = call_indirect sig0, v13(v0, v2)  ; v2 = 0
;; @0036                               jump block6(v14)
;;
;;                                 block6(v9: i32):
;; @0036                               v16 = load.i32 notrap aligned readonly can_move region1 v15+4
;; @0036                               v18 = load.i32 notrap aligned region2 v17+56
;; @0036                               v19 = load.i32 notrap aligned region3 v17+60
;; @0036                               v20 = iconst.i32 16
;; @0036                               v21 = iadd v18, v20  ; v20 = 16
;; @0036                               v22 = icmp ule v21, v19
;; @0036                               brif v22, block7, block8
;;
;;                                 block8 cold:
;; @0036                               v24 = iconst.i64 16
;; @0036                               v25 = iconst.i32 0
;; @0036                               v26 = load.i64 notrap aligned readonly region1 v0+16
;; @0036                               v27 = load.i64 notrap aligned readonly region1 v26+160
;; @0036                               v28 = call_indirect sig1, v27(v0, v16, v24, v25)  ; v24 = 16, v25 = 0
;; @0036                               jump block9(v28)
;;
;;                                 block7:
;; @0036                               store.i32 notrap aligned region2 v21, v17+56
;; @0036                               jump block9(v18)
;;
;;                                 block9(v23: i32):
;; @0036                               v30 = uextend.i64 v23
;; @0036                               v31 = iadd.i64 v29, v30
;; @0036                               store.i32 notrap little region4 v16, v31
;; @0036                               v32 = uextend.i64 v23
;; @0036                               v33 = iadd.i64 v29, v32
;; @0036                               store.i32 notrap little region5 v3, v33+4
;; @0036                               store.i32 notrap little region6 v9, v33+8
;; @0039                               return v23
;; }
;;
;; function u0:1(i64 vmctx, i32) tail {
;;     region0 = 64 "field"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 3 "funcrefs"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i32) -> i64 system_v
;;     sig1 = (i64 vmctx) tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v3 = load.i64 notrap aligned readonly can_move region2 v2+48
;;                                     v7 = load.i64 notrap aligned readonly can_move region1 v0+24
;; @003e                               v4 = uextend.i64 v1
;; @003e                               v5 = iadd v3, v4
;; @003e                               v6 = load.i32 user14 little region0 v5+4
;; @0042                               v8 = load.i32 notrap aligned readonly can_move region1 v7
;; @0042                               v10 = load.i32 notrap aligned region2 v2+84
;; @0042                               v11 = icmp ult v6, v10
;; @0042                               brif v11, block1, block2
;;
;;                                 block1:
;; @0042                               v12 = load.i64 notrap aligned region2 v2+72
;; @0042                               v13 = uextend.i64 v6
;; @0042                               v14 = iconst.i64 3
;; @0042                               v15 = ishl v13, v14  ; v14 = 3
;; @0042                               v16 = iadd v12, v15
;; @0042                               v17 = load.i64 notrap aligned region2 v16
;; @0042                               v18 = load.i32 user18 aligned readonly region3 v17+16
;; @0042                               v19 = icmp eq v18, v8
;; @0042                               brif v19, block3(v17), block2
;;
;;                                 block2 cold:
;; @0042                               v20 = load.i64 notrap aligned readonly region1 v0+16
;; @0042                               v21 = load.i64 notrap aligned readonly region1 v20+216
;; @0042                               v22 = call_indirect sig0, v21(v0, v6, v8)
;; @0042                               trapz v22, user18
;; @0042                               jump block3(v22)
;;
;;                                 block3(v9: i64):
;; @0042                               v23 = load.i64 notrap aligned readonly region3 v9
;; @0042                               v24 = load.i64 notrap aligned readonly region3 v9+8
;; @0042                               store.i64 notrap aligned region2 v0, v2+16
;; @0042                               call_indirect sig1, v23(v24)
;; @0044                               return
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i64 tail {
;;     region0 = 65 "field"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i32) -> i64 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v3 = load.i64 notrap aligned readonly can_move region2 v2+48
;; @0049                               v4 = uextend.i64 v1
;; @0049                               v5 = iadd v3, v4
;; @0049                               v6 = load.i32 user14 little region0 v5+8
;; @0049                               v8 = load.i32 notrap aligned region2 v2+84
;; @0049                               v9 = icmp ult v6, v8
;; @0049                               brif v9, block1, block2
;;
;;                                 block1:
;; @0049                               v10 = load.i64 notrap aligned region2 v2+72
;; @0049                               v11 = uextend.i64 v6
;; @0049                               v12 = iconst.i64 3
;; @0049                               v13 = ishl v11, v12  ; v12 = 3
;; @0049                               v14 = iadd v10, v13
;; @0049                               v15 = load.i64 notrap aligned region2 v14
;; @0049                               jump block3(v15)
;;
;;                                 block2 cold:
;; @0049                               v16 = iconst.i32 -1
;; @0049                               v17 = load.i64 notrap aligned readonly region1 v0+16
;; @0049                               v18 = load.i64 notrap aligned readonly region1 v17+216
;; @0049                               v19 = call_indirect sig0, v18(v0, v6, v16)  ; v16 = -1
;; @0049                               jump block3(v19)
;;
;;                                 block3(v7: i64):
;; @004d                               return v7
;; }
