;;! target x86_64
(module
  ;; A function that calls itself is inlined in itself; a last call of what is inlined is a call like any other.
  (func $twice (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
  (func $last (param i32) (result i32) (return_call $other (call $twice (local.get 0))))
  (func $other (param i32) (result i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 0))
  (func (export "caller") (param i32) (result i32) (i32.add (call $last (local.get 0)) (i32.const 1)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (i32.lt_u (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (call $fib (i32.sub (local.get 0) (i32.const 1)))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0031                               v2 = iconst.i32 1
;; @0033                               v3 = ishl v1, v2  ; v2 = 1
;; @0034                               return v3
;; }
;;
;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     fn0 = colocated u0:2 sig0
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @80000001                           v2 = iconst.i32 1
;; @80000002                           v3 = ishl v1, v2  ; v2 = 1
;; @003b                               return_call fn0(v0, v3)
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0040                               jump block1(v1)
;;
;;                                 block1(v2: i32):
;; @0044                               v3 = iconst.i32 1
;; @0046                               v4 = isub v2, v3  ; v3 = 1
;; @0049                               brif v4, block1(v4), block2
;;
;;                                 block2:
;; @004e                               return v4
;; }
;;
;; function u0:3(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     fn0 = colocated u0:2 sig0
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @80000003                           v2 = iconst.i32 1
;; @80000004                           v3 = ishl v1, v2  ; v2 = 1
;; @0053                               v4 = call fn0(v0, v3)
;; @80000007                           jump block1(v4)
;;
;;                                 block1(v5: i32):
;; @0055                               v6 = iconst.i32 1
;; @0057                               v7 = iadd v5, v6  ; v6 = 1
;; @0058                               return v7
;; }
;;
;; function u0:4(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     fn0 = colocated u0:4 sig0
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @005d                               v2 = iconst.i32 2
;; @005f                               v3 = icmp ult v1, v2  ; v2 = 2
;; @005f                               v4 = uextend.i32 v3
;; @0060                               brif v4, block1, block2
;;
;;                                 block1:
;; @0064                               return v1
;;
;;                                 block2:
;; @0068                               v5 = iconst.i32 1
;; @006a                               v6 = isub.i32 v1, v5  ; v5 = 1
;; @80000001                           v7 = iconst.i32 2
;; @80000002                           v8 = icmp ult v6, v7  ; v7 = 2
;; @80000002                           v9 = uextend.i32 v8
;; @80000003                           brif v9, block3, block4
;;
;;                                 block3:
;; @80000005                           jump block5(v6)
;;
;;                                 block4:
;; @80000008                           v11 = iconst.i32 1
;; @80000009                           v12 = isub.i32 v6, v11  ; v11 = 1
;; @8000000c                           v13 = iconst.i32 2
;; @8000000d                           v14 = icmp ult v12, v13  ; v13 = 2
;; @8000000d                           v15 = uextend.i32 v14
;; @8000000e                           brif v15, block6, block7
;;
;;                                 block6:
;; @80000010                           jump block8(v12)
;;
;;                                 block7:
;; @80000013                           v17 = iconst.i32 1
;; @80000014                           v18 = isub.i32 v12, v17  ; v17 = 1
;; @80000015                           v19 = call fn0(v0, v18)
;; @80000016                           jump block8(v19)
;;
;;                                 block8(v16: i32):
;; @80000018                           jump block5(v16)
;;
;;                                 block5(v10: i32):
;; @006d                               return v10
;; }
