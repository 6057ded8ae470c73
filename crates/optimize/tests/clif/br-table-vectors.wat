;;! target x86_64
(module
  (func (param i32 v128) (result v128)
    (block $a (result v128)
      (block $b (result v128)
        (br_table $a $b $a (i32x4.add (local.get 1) (local.get 1)) (local.get 0)))
      (i32x4.add (local.get 1)))))

;; function u0:0(i64 vmctx, i32, i8x16) -> i8x16 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i8x16):
;; @0022                               v3 = bitcast.i32x4 little v2
;; @0022                               v4 = bitcast.i32x4 little v2
;; @0022                               v5 = iadd v3, v4
;; @0027                               v7 = bitcast.i8x16 little v5
;; @0027                               br_table v1, block2, [block2, block4]
;;
;;                                 block2:
;; @0027                               jump block1(v7)
;;
;;                                 block4:
;; @0027                               jump block3(v7)
;;
;;                                 block3(v8: i8x16):
;; @002f                               v9 = bitcast.i32x4 little v8
;; @002f                               v10 = bitcast.i32x4 little v2
;; @002f                               v11 = iadd v9, v10
;; @0032                               v12 = bitcast.i8x16 little v11
;; @0032                               jump block1(v12)
;;
;;                                 block1(v6: i8x16):
;; @0033                               return v6
;; }
