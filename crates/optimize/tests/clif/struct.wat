;;! target x86_64
(module
  (type $s (struct (field i32) (field (mut i64)) (field (mut i8)) (field (mut (ref null $s)))))
  (func (param i32 i64 (ref null $s)) (result (ref $s))
    (struct.new $s (local.get 0) (local.get 1) (i32.const 7) (local.get 2)))
  (func (result (ref $s)) (struct.new_default $s))
  (func (param (ref null $s)) (result i32 i64 i32 i32)
    (struct.get $s 0 (local.get 0))
    (struct.get $s 1 (local.get 0))
    (struct.get_s $s 2 (local.get 0))
    (struct.get_u $s 2 (local.get 0)))
  (func (param (ref null $s) (ref null $s)) (result (ref null $s))
    (struct.set $s 3 (local.get 0) (local.get 1))
    (struct.get $s 3 (local.get 0))))

;; function u0:0(i64 vmctx, i32, i64, i32) -> i32 tail {
;;     ss0 = explicit_slot 4, align = 4
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 64 "field"
;;     region5 = 65 "field"
;;     region6 = 66 "field"
;;     region7 = 67 "field"
;;     region8 = 80 "slot"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i64, v3: i32):
;;                                     v26 = stack_addr.i64 ss0
;;                                     store notrap aligned region8 v3, v26
;;                                     v5 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v7 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v19 = load.i64 notrap aligned readonly can_move region2 v7+48
;; @0046                               v4 = iconst.i32 7
;; @004a                               v6 = load.i32 notrap aligned readonly can_move region0 v5
;; @004a                               v8 = load.i32 notrap aligned region1 v7+56
;; @004a                               v9 = load.i32 notrap aligned region2 v7+60
;; @004a                               v10 = iconst.i32 24
;; @004a                               v11 = iadd v8, v10  ; v10 = 24
;; @004a                               v12 = icmp ule v11, v9
;; @004a                               brif v12, block1, block2
;;
;;                                 block2 cold:
;; @004a                               v14 = iconst.i64 24
;; @004a                               v15 = iconst.i32 0
;; @004a                               v16 = load.i64 notrap aligned readonly region0 v0+16
;; @004a                               v17 = load.i64 notrap aligned readonly region0 v16+160
;; @004a                               v18 = call_indirect sig0, v17(v0, v6, v14, v15), stack_map=[i32 @ ss0+0]  ; v14 = 24, v15 = 0
;; @004a                               jump block3(v18)
;;
;;                                 block1:
;; @004a                               store.i32 notrap aligned region1 v11, v7+56
;; @004a                               jump block3(v8)
;;
;;                                 block3(v13: i32):
;; @004a                               v20 = uextend.i64 v13
;; @004a                               v21 = iadd.i64 v19, v20
;; @004a                               store.i32 notrap little region3 v6, v21
;; @004a                               v22 = uextend.i64 v13
;; @004a                               v23 = iadd.i64 v19, v22
;; @004a                               store.i32 notrap little region4 v1, v23+4
;; @004a                               store.i64 notrap little region5 v2, v23+8
;; @004a                               istore8.i32 notrap little region6 v4, v23+16  ; v4 = 7
;;                                     v24 = stack_addr.i64 ss0
;;                                     v25 = load.i32 notrap aligned region8 v24
;; @004a                               store notrap little region7 v25, v23+20
;; @004d                               return v13
;; }
;;
;; function u0:1(i64 vmctx) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 64 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v1 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v15 = load.i64 notrap aligned readonly can_move region2 v3+48
;; @0050                               v2 = load.i32 notrap aligned readonly can_move region0 v1
;; @0050                               v4 = load.i32 notrap aligned region1 v3+56
;; @0050                               v5 = load.i32 notrap aligned region2 v3+60
;; @0050                               v6 = iconst.i32 24
;; @0050                               v7 = iadd v4, v6  ; v6 = 24
;; @0050                               v8 = icmp ule v7, v5
;; @0050                               brif v8, block1, block2
;;
;;                                 block2 cold:
;; @0050                               v10 = iconst.i64 24
;; @0050                               v11 = iconst.i32 0
;; @0050                               v12 = load.i64 notrap aligned readonly region0 v0+16
;; @0050                               v13 = load.i64 notrap aligned readonly region0 v12+160
;; @0050                               v14 = call_indirect sig0, v13(v0, v2, v10, v11)  ; v10 = 24, v11 = 0
;; @0050                               jump block3(v14)
;;
;;                                 block1:
;; @0050                               store.i32 notrap aligned region1 v7, v3+56
;; @0050                               jump block3(v4)
;;
;;                                 block3(v9: i32):
;; @0050                               v16 = uextend.i64 v9
;; @0050                               v17 = iadd.i64 v15, v16
;; @0050                               store.i32 notrap little region3 v2, v17
;; @0050                               v18 = iconst.i64 0
;; @0050                               v19 = uextend.i64 v9
;; @0050                               v20 = iadd.i64 v15, v19
;; @0050                               v21 = iconst.i32 0
;; @0050                               store notrap little region4 v21, v20+4  ; v21 = 0
;; @0050                               store notrap little region4 v18, v20+8  ; v18 = 0
;; @0050                               store notrap little region4 v18, v20+16  ; v18 = 0
;; @0053                               return v9
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32, i64, i32, i32 tail {
;;     region0 = 64 "field"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 65 "field"
;;     region4 = 66 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v3 = load.i64 notrap aligned readonly can_move region2 v2+48
;; @0058                               v4 = uextend.i64 v1
;; @0058                               v5 = iadd v3, v4
;; @0058                               v6 = load.i32 user14 little region0 v5+4
;; @005e                               v7 = uextend.i64 v1
;; @005e                               v8 = iadd v3, v7
;; @005e                               v9 = load.i64 user14 little region3 v8+8
;; @0064                               v10 = uextend.i64 v1
;; @0064                               v11 = iadd v3, v10
;; @0064                               v12 = sload8.i32 user14 little region4 v11+16
;; @006a                               v13 = uextend.i64 v1
;; @006a                               v14 = iadd v3, v13
;; @006a                               v15 = uload8.i32 user14 little region4 v14+16
;; @006e                               return v6, v9, v12, v15
;; }
;;
;; function u0:3(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 67 "field"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v4 = load.i64 notrap aligned readonly can_move region2 v3+48
;; @0075                               v5 = uextend.i64 v1
;; @0075                               v6 = iadd v4, v5
;; @0075                               store user14 little region0 v2, v6+20
;; @007b                               v7 = uextend.i64 v1
;; @007b                               v8 = iadd v4, v7
;; @007b                               v9 = load.i32 user14 little region0 v8+20
;; @007f                               return v9
;; }
