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
;;     gv3 = load.i64 notrap aligned gv2+8
;;     stack_limit = gv3
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v5 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v10 = load.i64 notrap aligned readonly can_move region3 v0+48
;; @0021                               jump block1(v1, v2)
;;
;;                                 block1(v3: i32, v22: i32):
;;                                     v15 -> v22
;;                                     v23 -> v22
;;                                     v24 -> v22
;; @002b                               brif v3, block5, block2
;;
;;                                 block5 cold:
;; @002b                               br_table v3, block6, [block2, block3(v22), block4]
;;
;;                                 block2:
;; @0032                               v4 = iconst.i32 2
;; @0036                               v6 = atomic_load.i64 notrap aligned region1 v5
;; @0036                               v7 = load.i32 user11 v6
;; @0036                               jump block4
;;
;;                                 block3(v8: i32):
;; @003b                               v9 = uextend.i64 v8
;; @003b                               v11 = iadd.i64 v10, v9
;; @003b                               v12 = load.i32 little region2 v11
;; @0044                               v13 = atomic_load.i64 notrap aligned region1 v5
;; @0044                               v14 = load.i32 user11 v13
;; @0044                               jump block1(v12, v12)
;;
;;                                 block4:
;; @0049                               brif.i32 v15, block7, block8
;;
;;                                 block7:
;; @004b                               v16 = iconst.i32 1
;; @004f                               v17 = atomic_load.i64 notrap aligned region1 v5
;; @004f                               v18 = load.i32 user11 v17
;; @0021                               jump block3(v15)
;;
;;                                 block8:
;; @0052                               v19 = iconst.i32 9
;; @0056                               v20 = atomic_load.i64 notrap aligned region1 v5
;; @0056                               v21 = load.i32 user11 v20
;; @0056                               jump block6
;;
;;                                 block6:
;; @005c                               return v22
;; }
