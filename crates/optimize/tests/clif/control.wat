;;! target x86_64
(module
  (func (param i32 i64) (result i64)
    (block (result i64)
      (block (result i64)
        (block (result i64)
          (br_table 0 1 2 1 (local.get 1) (local.get 0)))
        (i64.add (i64.const 1)))
      (i64.add (i64.const 2))))
  (func (param i32) (result i32)
    (if (local.get 0) (then (local.set 0 (i32.const 5))))
    (local.get 0))
  (func (param i32) (result i32)
    (local i32)
    (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))

;; function u0:0(i64 vmctx, i32, i64) -> i64 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i64):
;; @002b                               br_table v1, block4, [block3, block4, block6]
;;
;;                                 block3:
;; @002b                               jump block2(v2)
;;
;;                                 block4:
;; @002b                               jump block1(v2)
;;
;;                                 block6:
;; @002b                               jump block5(v2)
;;
;;                                 block2(v4: i64):
;; @0032                               v6 = iconst.i64 1
;; @0034                               v7 = iadd v4, v6  ; v6 = 1
;; @0035                               jump block1(v7)
;;
;;                                 block1(v3: i64):
;; @0036                               v8 = iconst.i64 2
;; @0038                               v9 = iadd v3, v8  ; v8 = 2
;; @0039                               jump block5(v9)
;;
;;                                 block5(v5: i64):
;; @003a                               return v5
;; }
;;
;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @003f                               brif v1, block1, block3(v1)
;;
;;                                 block1:
;; @0041                               v2 = iconst.i32 5
;; @0045                               jump block3(v2)  ; v2 = 5
;;
;;                                 block3(v3: i32):
;; @0048                               return v3
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @004a                               v2 = iconst.i32 0
;; @004d                               jump block1(v2, v1)  ; v2 = 0
;;
;;                                 block1(v3: i32, v4: i32):
;; @0053                               v5 = iadd v3, v4
;; @0058                               v6 = iconst.i32 1
;; @005a                               v7 = isub v4, v6  ; v6 = 1
;; @005d                               brif v7, block1(v5, v7), block2
;;
;;                                 block2:
;; @0062                               return v5
;; }
