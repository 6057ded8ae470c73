;;! target x86_64
;;! no-signals
(module
  (type $s (struct (field (mut i32))))
  (func (param (ref null $s)) (result i32) (struct.get $s 0 (local.get 0)))
  (func (param (ref null $s)) (struct.set $s 0 (local.get 0) (i32.const 1)))
  (func (param i31ref) (result i32) (i31.get_s (local.get 0))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 64 "field"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v12 = load.i64 notrap aligned readonly can_move region1 v2+48
;; @0029                               v3 = load.i64 notrap aligned region1 v2+8
;; @0029                               v4 = get_stack_pointer.i64
;; @0029                               v5 = icmp ult v4, v3
;; @0029                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @0029                               v6 = iconst.i32 1
;; @0029                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @0029                               v8 = load.i64 notrap aligned readonly region0 v7
;; @0029                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @0029                               trap user200
;;
;;                                 block2:
;; @002c                               brif.i32 v1, block4, block3
;;
;;                                 block3 cold:
;; @002c                               v9 = iconst.i32 14
;; @002c                               v10 = load.i64 notrap aligned readonly region0 v0+16
;; @002c                               v11 = load.i64 notrap aligned readonly region0 v10
;; @002c                               call_indirect sig0, v11(v0, v9)  ; v9 = 14
;; @002c                               trap user200
;;
;;                                 block4:
;; @002c                               v13 = uextend.i64 v1
;; @002c                               v14 = iadd.i64 v12, v13
;; @002c                               v15 = load.i32 notrap little region2 v14+4
;; @0030                               return v15
;; }
;;
;; function u0:1(i64 vmctx, i32) tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     region2 = 64 "field"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v13 = load.i64 notrap aligned readonly can_move region1 v2+48
;; @0032                               v3 = load.i64 notrap aligned region1 v2+8
;; @0032                               v4 = get_stack_pointer.i64
;; @0032                               v5 = icmp ult v4, v3
;; @0032                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @0032                               v6 = iconst.i32 1
;; @0032                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @0032                               v8 = load.i64 notrap aligned readonly region0 v7
;; @0032                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @0032                               trap user200
;;
;;                                 block2:
;; @0035                               v9 = iconst.i32 1
;; @0037                               brif.i32 v1, block4, block3
;;
;;                                 block3 cold:
;; @0037                               v10 = iconst.i32 14
;; @0037                               v11 = load.i64 notrap aligned readonly region0 v0+16
;; @0037                               v12 = load.i64 notrap aligned readonly region0 v11
;; @0037                               call_indirect sig0, v12(v0, v10)  ; v10 = 14
;; @0037                               trap user200
;;
;;                                 block4:
;; @0037                               v14 = uextend.i64 v1
;; @0037                               v15 = iadd.i64 v13, v14
;; @0037                               store.i32 notrap little region2 v9, v15+4  ; v9 = 1
;; @003b                               return
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @003d                               v3 = load.i64 notrap aligned region1 v2+8
;; @003d                               v4 = get_stack_pointer.i64
;; @003d                               v5 = icmp ult v4, v3
;; @003d                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @003d                               v6 = iconst.i32 1
;; @003d                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @003d                               v8 = load.i64 notrap aligned readonly region0 v7
;; @003d                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @003d                               trap user200
;;
;;                                 block2:
;; @0040                               brif.i32 v1, block4, block3
;;
;;                                 block3 cold:
;; @0040                               v9 = iconst.i32 14
;; @0040                               v10 = load.i64 notrap aligned readonly region0 v0+16
;; @0040                               v11 = load.i64 notrap aligned readonly region0 v10
;; @0040                               call_indirect sig0, v11(v0, v9)  ; v9 = 14
;; @0040                               trap user200
;;
;;                                 block4:
;; @0040                               v12 = iconst.i32 1
;; @0040                               v13 = sshr.i32 v1, v12  ; v12 = 1
;; @0042                               return v13
;; }
