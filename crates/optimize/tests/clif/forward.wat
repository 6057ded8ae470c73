;;! target x86_64
(module
  (memory 1)
  (func (param i32 i64 i64) (result i64)
    (i64.store offset=8 (local.get 0) (local.get 1))
    (i64.store (local.get 0) (local.get 2))
    (i32.store8 (i32.add (local.get 0) (i32.const 16)) (i32.const 1))
    (i64.add (i64.load offset=8 (local.get 0)) (i64.load (local.get 0))))
  (func (param i32 i32 i32) (result i32)
    (i32.store (local.get 0) (local.get 2))
    (i32.store (local.get 1) (i32.const 5))
    (i32.load (local.get 0))))

;; function u0:0(i64 vmctx, i32, i64, i64) -> i64 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i64, v3: i64):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @002c                               v4 = uextend.i64 v1
;; @002c                               v6 = iadd v5, v4
;; @002c                               store little region0 v2, v6+8
;; @0033                               store little region0 v3, v6
;; @0038                               v7 = iconst.i32 16
;; @003a                               v8 = iadd v1, v7  ; v7 = 16
;; @003b                               v9 = iconst.i32 1
;; @003d                               v10 = uextend.i64 v8
;; @003d                               v11 = iadd v5, v10
;; @003d                               istore8 little region0 v9, v11  ; v9 = 1
;; @004a                               v12 = iadd v2, v3
;; @004b                               return v12
;; }
;;
;; function u0:1(i64 vmctx, i32, i32, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32, v3: i32):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0052                               v4 = uextend.i64 v1
;; @0052                               v6 = iadd v5, v4
;; @0052                               store little region0 v3, v6
;; @0057                               v7 = iconst.i32 5
;; @0059                               v8 = uextend.i64 v2
;; @0059                               v9 = iadd v5, v8
;; @0059                               store little region0 v7, v9  ; v7 = 5
;; @005e                               v10 = load.i32 little region0 v6
;; @0061                               return v10
;; }
