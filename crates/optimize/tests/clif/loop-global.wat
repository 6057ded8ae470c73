;;! target x86_64
(module
  (type $task (struct (field $next (ref null $task)) (field $done (mut i32))))
  (global $current (mut (ref null $task)) (ref.null $task))
  ;; The loop's start takes what the end of each turn has stored.
  (func $walk (result i32) (local $task (ref $task)) (local $count i32)
    (block $end
      (loop $more
        (local.set $task (br_on_null $end (global.get $current)))
        (local.set $count (i32.add (local.get $count) (struct.get $task $done (local.get $task))))
        (global.set $current (struct.get $task $next (local.get $task)))
        (br $more)))
    (local.get $count)))

;; function u0:0(i64 vmctx) -> i32 tail {
;;     region0 = 48 "global"
;;     region1 = 65 "field"
;;     region2 = 0 "context"
;;     region3 = 1 "store"
;;     region4 = 64 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v6 = load.i64 notrap aligned readonly can_move region2 v0+8
;;                                     v7 = load.i64 notrap aligned readonly can_move region3 v6+48
;; @0027                               v1 = iconst.i32 0
;; @0027                               v2 = iconst.i32 0
;; @002f                               v3 = load.i32 notrap aligned little region0 v0+48
;; @002f                               jump block1(v3, v2)  ; v2 = 0
;;
;;                                 block1(v4: i32, v5: i32):
;; @0033                               brif v4, block3, block2
;;
;;                                 block3:
;; @003b                               v8 = uextend.i64 v4
;; @003b                               v9 = iadd.i64 v7, v8
;; @003b                               v10 = load.i32 user14 little region1 v9+8
;; @003f                               v11 = iadd.i32 v5, v10
;; @0044                               v12 = uextend.i64 v4
;; @0044                               v13 = iadd.i64 v7, v12
;; @0044                               v14 = load.i32 user14 little region4 v13+4
;; @0048                               store notrap aligned little region0 v14, v0+48
;; @004a                               v15 = load.i32 notrap aligned little region0 v0+48
;; @004a                               jump block1(v15, v11)
;;
;;                                 block2:
;; @0050                               return v5
;; }
