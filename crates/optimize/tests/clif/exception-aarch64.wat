;;! target aarch64
(module
  ;; A call in the scope of a handler has the platform's C convention, with two words before arguments and results; one whose arguments
  ;; are not all in registers has the one of all other calls.
  (tag $tag (param i32))
  (func $callee (param i32 f64) (result i64) (loop) (i64.const 1))
  (func $many (param i64 i64 i64 i64 i64 i64 i64 i64) (loop))
  (func (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $tag $caught)
        (drop (call $callee (local.get 0) (f64.const 1)))
        (call $many (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)))
      (i32.const 0))))

;; function u0:0(i64 vmctx, i32, f64) -> i64 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: f64):
;; @0035                               jump block1
;;
;;                                 block1:
;; @0038                               v3 = iconst.i64 1
;; @003a                               return v3  ; v3 = 1
;; }
;;
;; function u0:1(i64 vmctx, i64, i64, i64, i64, i64, i64, i64, i64) tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64, v6: i64, v7: i64, v8: i64):
;; @003d                               jump block1
;;
;;                                 block1:
;; @0040                               return
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     region0 = 64 "field"
;;     region1 = 0 "context"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i64, i64, i32, f64) -> i64, i64, i64 system_v
;;     sig1 = (i64 vmctx, i32, f64) -> i64 tail
;;     sig2 = (i64 vmctx, i64, i64, i64, i64, i64, i64, i64, i64) tail
;;     fn0 = colocated u0:0 sig0
;;     fn1 = colocated u0:1 sig2
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @004d                               v2 = f64const 0x1.0000000000000p0
;; @0056                               v3 = iconst.i64 0
;; @0056                               v4 = iconst.i64 0
;; @0056                               try_call fn0(v3, v4, v0, v1, v2), sig0, block2(ret2), [ context v0, tag0: block1(exn0) ]  ; v3 = 0, v4 = 0, v2 = 0x1.0000000000000p0
;;
;;                                 block2(v6: i64):
;; @0059                               v7 = iconst.i64 1
;; @005b                               v8 = iconst.i64 2
;; @005d                               v9 = iconst.i64 3
;; @005f                               v10 = iconst.i64 4
;; @0061                               v11 = iconst.i64 5
;; @0063                               v12 = iconst.i64 6
;; @0065                               v13 = iconst.i64 7
;; @0067                               v14 = iconst.i64 8
;; @0069                               try_call fn1(v0, v7, v8, v9, v10, v11, v12, v13, v14), sig2, block3, [ context v0, tag0: block1(exn0) ]  ; v7 = 1, v8 = 2, v9 = 3, v10 = 4, v11 = 5, v12 = 6, v13 = 7, v14 = 8
;;
;;                                 block3:
;; @006b                               jump block4
;;
;;                                 block1(v5: i64) cold:
;; @006b                               v15 = ireduce.i32 v5
;; @006b                               v16 = load.i64 notrap aligned readonly region1 v0+8
;; @006b                               v17 = load.i64 notrap aligned readonly region1 v16+48
;; @006b                               v18 = uextend.i64 v15
;; @006b                               v19 = iadd v17, v18
;; @006b                               v20 = load.i32 user18 little region0 v19+8
;; @006b                               jump block5(v20)
;;
;;                                 block4:
;; @006c                               v22 = iconst.i32 0
;; @006e                               jump block5(v22)  ; v22 = 0
;;
;;                                 block5(v21: i32):
;; @006f                               return v21
;; }
