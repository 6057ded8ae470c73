;;! target x86_64
(module
  (memory 1)
  (func $isalnum (param i32) (result i32)
    (if (result i32) (i32.lt_u (i32.sub (local.get 0) (i32.const 48)) (i32.const 10))
      (then (return (i32.const 1)))
      (else (i32.lt_u (i32.sub (i32.or (local.get 0) (i32.const 32)) (i32.const 97)) (i32.const 26)))))
  (func $get (param i32) (result i32)
    (local.set 0 (i32.add (local.get 0) (i32.const 4)))
    (i32.load (local.get 0)))
  (func (export "caller") (param i32) (result i32)
    (i32.add (call $isalnum (i32.load8_u (local.get 0))) (call $get (call $get (local.get 0))))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @002e                               v2 = iconst.i32 48
;; @0030                               v3 = isub v1, v2  ; v2 = 48
;; @0031                               v4 = iconst.i32 10
;; @0033                               v5 = icmp ult v3, v4  ; v4 = 10
;; @0033                               v6 = uextend.i32 v5
;; @0034                               brif v6, block1, block2
;;
;;                                 block1:
;; @0036                               v7 = iconst.i32 1
;; @0038                               return v7  ; v7 = 1
;;
;;                                 block2:
;; @003c                               v8 = iconst.i32 32
;; @003e                               v9 = bor.i32 v1, v8  ; v8 = 32
;; @003f                               v10 = iconst.i32 97
;; @0042                               v11 = isub v9, v10  ; v10 = 97
;; @0043                               v12 = iconst.i32 26
;; @0045                               v13 = icmp ult v11, v12  ; v12 = 26
;; @0045                               v14 = uextend.i32 v13
;; @0047                               return v14
;; }
;;
;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @004c                               v2 = iconst.i32 4
;; @004e                               v3 = iadd v1, v2  ; v2 = 4
;; @0053                               v4 = uextend.i64 v3
;; @0053                               v6 = iadd v5, v4
;; @0053                               v7 = load.i32 little region0 v6
;; @0056                               return v7
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v20 -> v1
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @005b                               v2 = uextend.i64 v1
;; @005b                               v4 = iadd v3, v2
;; @005b                               v5 = uload8.i32 little region0 v4
;; @80000001                           v6 = iconst.i32 48
;; @80000002                           v7 = isub v5, v6  ; v6 = 48
;; @80000003                           v8 = iconst.i32 10
;; @80000004                           v9 = icmp ult v7, v8  ; v8 = 10
;; @80000004                           v10 = uextend.i32 v9
;; @80000005                           brif v10, block1, block2
;;
;;                                 block1:
;; @80000006                           v11 = iconst.i32 1
;; @80000007                           jump block3(v11)  ; v11 = 1
;;
;;                                 block2:
;; @8000000a                           v13 = iconst.i32 32
;; @8000000b                           v14 = bor.i32 v5, v13  ; v13 = 32
;; @8000000c                           v15 = iconst.i32 97
;; @8000000d                           v16 = isub v14, v15  ; v15 = 97
;; @8000000e                           v17 = iconst.i32 26
;; @8000000f                           v18 = icmp ult v16, v17  ; v17 = 26
;; @8000000f                           v19 = uextend.i32 v18
;; @80000011                           jump block3(v19)
;;
;;                                 block3(v12: i32):
;; @80000013                           v21 = iconst.i32 4
;; @80000014                           v22 = iadd.i32 v1, v21  ; v21 = 4
;; @80000017                           v23 = uextend.i64 v22
;; @80000017                           v24 = iadd.i64 v3, v23
;; @80000017                           v25 = load.i32 little region0 v24
;; @8000001a                           v26 = iconst.i32 4
;; @8000001b                           v27 = iadd v25, v26  ; v26 = 4
;; @8000001e                           v28 = uextend.i64 v27
;; @8000001e                           v29 = iadd.i64 v3, v28
;; @8000001e                           v30 = load.i32 little region0 v29
;; @0066                               v31 = iadd v12, v30
;; @0067                               return v31
;; }
