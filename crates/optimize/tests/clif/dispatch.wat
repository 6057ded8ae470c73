;;! target x86_64
;;! epochs
(module
  (memory 1)
  (func (param $next i32) (param $x i32) (result i32)
    (block $out
      (loop $top
        (block $two
          (block $one
            (block $zero
              (br_table $zero $one $two $out (local.get $next)))
            ;; Ahead, to where no branch but the table's leads otherwise.
            (local.set $next (i32.const 2))
            (br $top))
          (local.set $x (i32.load (local.get $x)))
          (local.set $next (local.get $x))
          ;; To the table, as nobody knows.
          (br $top))
        (if (local.get $x)
          (then
            ;; Back, past the loop's start.
            (local.set $next (i32.const 1))
            (br $top)))
        ;; Out, by the default.
        (local.set $next (i32.const 9))
        (br $top)))
    (local.get $x)))

;; function u0:0(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 16 "memory"
;;     region3 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1
;;     sig0 = () preserve_all
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v12 = load.i64 notrap aligned readonly can_move region3 v0+48
;; @0021                               jump block1(v1, v2)
;;
;;                                 block1(v8: i32, v22: i32):
;;                                     v7 -> v8
;;                                     v15 -> v22
;;                                     v21 -> v22
;;                                     v24 -> v22
;;                                     v25 -> v22
;;                                     v23 -> v15
;; @0021                               v4 = load.i64 notrap aligned region1 v3+104
;; @0021                               v5 = icmp.i64 ne v3, v4
;; @0021                               brif v5, block2, block3
;;
;;                                 block2 cold:
;; @0021                               v6 = load.i64 notrap aligned region1 v3+104
;; @0021                               call_indirect sig0, v6()
;; @0021                               jump block3
;;
;;                                 block3:
;; @002b                               brif.i32 v8, block7, block4
;;
;;                                 block7 cold:
;; @002b                               br_table v8, block8, [block4, block5(v22), block6]
;;
;;                                 block4:
;; @0032                               v9 = iconst.i32 2
;; @0036                               jump block6
;;
;;                                 block5(v10: i32):
;; @003b                               v11 = uextend.i64 v10
;; @003b                               v13 = iadd.i64 v12, v11
;; @003b                               v14 = load.i32 little region2 v13
;; @0044                               jump block1(v14, v14)
;;
;;                                 block6:
;; @0049                               brif.i32 v15, block9, block10
;;
;;                                 block9:
;; @004b                               v16 = iconst.i32 1
;; @0021                               v17 = load.i64 notrap aligned region1 v3+104
;; @0021                               v18 = icmp.i64 ne v3, v17
;; @0021                               brif v18, block11, block12
;;
;;                                 block11 cold:
;; @0021                               v19 = load.i64 notrap aligned region1 v3+104
;; @0021                               call_indirect sig0, v19()
;; @0021                               jump block12
;;
;;                                 block12:
;; @0021                               jump block5(v15)
;;
;;                                 block10:
;; @0052                               v20 = iconst.i32 9
;; @0056                               jump block8
;;
;;                                 block8:
;; @005c                               return v22
;; }
