;;! target x86_64
(module
  (import "" "" (func $import (param i32) (result i64)))
  (import "" "" (tag $other (param i32)))
  (tag $e (param i32 i64))
  (func $callee (param i32) (result i64)
    (if (i32.eqz (local.get 0)) (then (throw $e (local.get 0) (i64.const 3))))
    (call $import (local.get 0)))
  (func (param i32) (result i64) (local $x i64)
    (block $all
      (block $e (result i32 i64)
        (try_table (catch $e $e) (catch_all $all)
          (return (call $callee (local.get 0))))
        (unreachable))
      (local.set $x)
      (return (i64.add (i64.extend_i32_u) (local.get $x))))
    (i64.const -1))
  (func (param i32 exnref) (result i32 exnref)
    (block $other (result i32 exnref)
      (try_table (catch_ref $other $other)
        (drop (call $import (local.get 0)))
        (throw_ref (local.get 1)))
      (unreachable)))
  (func (param i32) (result i32)
    (block $e (result i32 i64)
      (try_table (catch $e $e) (throw $e (local.get 0) (i64.const 1)))
      (unreachable))
    (drop)))

;; function u0:1(i64 vmctx, i32) -> i64 tail {
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 64 "field"
;;     region5 = 65 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     sig1 = (i64, i32) system_v
;;     sig2 = (i64 vmctx, i32) -> i64 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v7 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v9 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v21 = load.i64 notrap aligned readonly can_move region2 v9+48
;;                                     v28 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v29 = load.i64 notrap aligned readonly can_move region0 v0+56
;; @004e                               v2 = iconst.i32 0
;; @004e                               v3 = icmp eq v1, v2  ; v2 = 0
;; @004e                               v4 = uextend.i32 v3
;; @004f                               brif v4, block1, block2
;;
;;                                 block1:
;; @0053                               v5 = iconst.i64 3
;; @0055                               v6 = load.i32 notrap aligned readonly can_move region0 v0+100
;; @0055                               v8 = load.i32 notrap aligned readonly can_move region0 v7+8
;; @0055                               v10 = load.i32 notrap aligned region1 v9+56
;; @0055                               v11 = load.i32 notrap aligned region2 v9+60
;; @0055                               v12 = iconst.i32 24
;; @0055                               v13 = iadd v10, v12  ; v12 = 24
;; @0055                               v14 = icmp ule v13, v11
;; @0055                               brif v14, block3, block4
;;
;;                                 block4 cold:
;; @0055                               v16 = iconst.i64 24
;; @0055                               v17 = iconst.i32 0
;; @0055                               v18 = load.i64 notrap aligned readonly region0 v0+16
;; @0055                               v19 = load.i64 notrap aligned readonly region0 v18+160
;; @0055                               v20 = call_indirect sig0, v19(v0, v8, v16, v17)  ; v16 = 24, v17 = 0
;; @0055                               jump block5(v20)
;;
;;                                 block3:
;; @0055                               store.i32 notrap aligned region1 v13, v9+56
;; @0055                               jump block5(v10)
;;
;;                                 block5(v15: i32):
;; @0055                               v22 = uextend.i64 v15
;; @0055                               v23 = iadd.i64 v21, v22
;; @0055                               store.i32 notrap little region3 v8, v23
;; @0055                               v24 = uextend.i64 v15
;; @0055                               v25 = iadd.i64 v21, v24
;; @0055                               store.i32 notrap little region3 v6, v25+4
;; @0055                               store.i32 notrap little region4 v1, v25+8
;; @0055                               store.i64 notrap little region5 v5, v25+16  ; v5 = 3
;; @0055                               v26 = load.i64 notrap aligned readonly region0 v0+16
;; @0055                               v27 = load.i64 notrap aligned readonly region0 v26+224
;; @0055                               call_indirect sig1, v27(v0, v15)
;; @0055                               trap user200
;;
;;                                 block2:
;; @005a                               store.i64 notrap aligned region2 v0, v9+16
;; @005a                               v30 = call_indirect.i64 sig2, v28(v29, v1)
;; @005c                               return v30
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i64 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 64 "field"
;;     region3 = 65 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32) -> i64 system_v
;;     sig1 = (i64 vmctx, i32) -> i64 tail
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v9 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v10 = load.i64 notrap aligned readonly can_move region0 v0+56
;;                                     v11 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @005e                               v2 = iconst.i64 0
;; @80000001                           v3 = iconst.i32 0
;; @80000001                           v4 = icmp eq v1, v3  ; v3 = 0
;; @80000001                           v5 = uextend.i32 v4
;; @80000002                           brif v5, block1, block2
;;
;;                                 block1:
;; @80000004                           v6 = iconst.i64 3
;; @80000005                           jump block3(v1, v6)  ; v6 = 3
;;
;;                                 block2:
;; @80000008                           store.i64 notrap aligned region1 v0, v11+16
;; @80000008                           try_call_indirect.i64 v9(v10, v1), sig0, block6(ret0), [ context v0, tag1: block4(exn0), default: block5(exn0) ]
;;
;;                                 block6(v14: i64):
;; @0071                               return v14
;;
;;                                 block4(v12: i64) cold:
;; @0072                               v15 = ireduce.i32 v12
;; @0072                               v16 = load.i64 notrap aligned readonly region0 v0+8
;; @0072                               v17 = load.i64 notrap aligned readonly region0 v16+48
;; @0072                               v18 = uextend.i64 v15
;; @0072                               v19 = iadd v17, v18
;; @0072                               v20 = load.i32 user18 little region2 v19+8
;; @0072                               v21 = load.i64 notrap aligned readonly region0 v0+8
;; @0072                               v22 = load.i64 notrap aligned readonly region0 v21+48
;; @0072                               v23 = uextend.i64 v15
;; @0072                               v24 = iadd v22, v23
;; @0072                               v25 = load.i64 user18 little region3 v24+16
;; @0072                               jump block3(v20, v25)
;;
;;                                 block5(v13: i64) cold:
;; @0072                               v26 = ireduce.i32 v13
;; @0072                               jump block7
;;
;;                                 block3(v7: i32, v8: i64):
;; @0077                               v27 = uextend.i64 v7
;; @007a                               v28 = iadd v27, v8
;; @007b                               return v28
;;
;;                                 block7:
;; @007d                               v29 = iconst.i64 -1
;; @007f                               return v29  ; v29 = -1
;; }
;;
;; function u0:3(i64 vmctx, i32, i32) -> i32, i32 tail {
;;     ss0 = explicit_slot 4, align = 4
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 64 "field"
;;     region3 = 80 "slot"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32) -> i64 system_v
;;     sig1 = (i64 vmctx, i32) -> i64 tail
;;     sig2 = (i64, i32) preserve_all
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v22 = stack_addr.i64 ss0
;;                                     store notrap aligned region3 v2, v22
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v4 = load.i64 notrap aligned readonly can_move region0 v0+56
;;                                     v5 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @008c                               store notrap aligned region1 v0, v5+16
;; @008c                               try_call_indirect v3(v4, v1), sig0, block2(ret0), [ context v0, tag0: block1(exn0) ], stack_map=[i32 @ ss0+0]
;;
;;                                 block2(v7: i64):
;;                                     v20 = stack_addr.i64 ss0
;;                                     v21 = load.i32 notrap aligned region3 v20
;; @0091                               trapz v21, user14
;; @0091                               v8 = load.i64 notrap aligned readonly region0 v0+16
;; @0091                               v9 = load.i64 notrap aligned readonly region0 v8+224
;;                                     v18 = stack_addr.i64 ss0
;;                                     v19 = load.i32 notrap aligned region3 v18
;; @0091                               try_call_indirect v9(v0, v19), sig2, block3, [ context v0, tag0: block1(exn0) ]
;;
;;                                 block3 cold:
;; @0091                               trap user200
;;
;;                                 block1(v6: i64) cold:
;; @0092                               v10 = ireduce.i32 v6
;; @0092                               v11 = load.i64 notrap aligned readonly region0 v0+8
;; @0092                               v12 = load.i64 notrap aligned readonly region0 v11+48
;; @0092                               v13 = uextend.i64 v10
;; @0092                               v14 = iadd v12, v13
;; @0092                               v15 = load.i32 user18 little region2 v14+8
;; @0092                               jump block4(v15, v10)
;;
;;                                 block4(v16: i32, v17: i32):
;; @0095                               return v16, v17
;; }
;;
;; function u0:4(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @00a2                               v2 = iconst.i64 1
;; @00a4                               jump block1(v1, v2)  ; v2 = 1
;;
;;                                 block1(v3: i32, v4: i64):
;; @00aa                               return v3
;; }
