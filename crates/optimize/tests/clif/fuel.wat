;;! target x86_64
;;! fuel
;;! no-inlining
;;! trampolines
(module
  (import "" "host" (func $host (param i32)))
  (func $callee (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (param i32)
    (loop
      (local.set 0 (call $callee (local.get 0)))
      (br_if 0 (local.get 0)))
    (return_call $host (local.get 0))))

;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0028                               v2 = get_pinned_reg.i64
;; @0028                               v3 = iconst.i64 -1
;; @0028                               v4 = icmp sge v2, v3  ; v3 = -1
;; @0028                               trapnz v4, user12
;; @002b                               v5 = iconst.i32 1
;; @002d                               v6 = iadd v1, v5  ; v5 = 1
;; @002e                               v7 = iconst.i64 4
;; @002e                               v8 = iadd v2, v7  ; v7 = 4
;; @002e                               set_pinned_reg v8
;; @002e                               return v6
;; }
;;
;; function u0:2(i64 vmctx, i32) tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;     sig1 = (i64 vmctx, i32) tail
;;     fn0 = colocated u0:1 sig0
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v17 = load.i64 notrap aligned readonly can_move region0 v0+48
;;                                     v18 = load.i64 notrap aligned readonly can_move region0 v0+56
;;                                     v21 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0030                               v2 = get_pinned_reg.i64
;; @0030                               v3 = iconst.i64 -1
;; @0030                               v4 = icmp sge v2, v3  ; v3 = -1
;; @0030                               trapnz v4, user12
;; @0031                               v5 = iconst.i64 1
;; @0031                               v6 = iadd v2, v5  ; v5 = 1
;; @0031                               jump block1(v6, v1)
;;
;;                                 block1(v7: i64, v10: i32):
;; @0031                               set_pinned_reg v7
;; @0031                               v8 = iconst.i64 0
;; @0031                               v9 = icmp sge v7, v8  ; v8 = 0
;; @0031                               trapnz v9, user12
;; @0035                               v11 = iconst.i64 2
;; @0035                               v12 = iadd v7, v11  ; v11 = 2
;; @0035                               set_pinned_reg v12
;; @0035                               v13 = call fn0(v0, v10)
;; @0035                               v14 = get_pinned_reg.i64
;; @003b                               brif v13, block2, block3
;;
;;                                 block2:
;; @003b                               v15 = iconst.i64 3
;; @003b                               v16 = iadd.i64 v14, v15  ; v15 = 3
;; @003b                               jump block1(v16, v13)
;;
;;                                 block3:
;; @0040                               v19 = iconst.i64 5
;; @0040                               v20 = iadd.i64 v14, v19  ; v19 = 5
;; @0040                               set_pinned_reg v20
;; @0040                               store.i64 notrap aligned region1 v0, v21+16
;; @0040                               return_call_indirect.i64 sig1, v17(v18, v13)
;; }
;;
;; Enter: function u1:0(i64 vmctx, i64, i64) tail {
;;     region0 = 0 "values"
;;     sig0 = (i64 vmctx, i32) tail
;;
;; block0(v0: i64, v1: i64, v2: i64):
;;     v3 = load.i32 notrap aligned little region0 v2
;;     v4 = load.i64 notrap aligned region0 v0+8
;;     v5 = load.i64 notrap aligned region0 v4+104
;;     set_pinned_reg v5
;;     call_indirect sig0, v1(v0, v3)
;;     v6 = get_pinned_reg.i64
;;     store notrap aligned region0 v6, v4+104
;;     return
;; }
;;
;; Host: function u1:0(i64 vmctx, i32) tail {
;;     ss0 = explicit_slot 24, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64, v1: i32):
;;     v2 = load.i64 notrap aligned region0 v0+8
;;     v3 = load.i64 notrap aligned region0 v2+16
;;     v4 = get_frame_pointer.i64
;;     store notrap aligned region0 v4, v2+24
;;     v5 = get_pinned_reg.i64
;;     store notrap aligned region0 v5, v2+104
;;     v6 = stack_addr.i64 ss0
;;     v7 = stack_addr.i64 ss0+16
;;     store notrap v3, v7
;;     store notrap aligned little region0 v1, v6
;;     v8 = iconst.i64 1
;;     v9 = load.i64 notrap aligned region0 v0+24
;;     v10 = call_indirect sig0, v9(v0, v3, v6, v8)  ; v8 = 1
;;     v11 = stack_addr.i64 ss0+16
;;     v12 = load.i64 notrap v11
;;     v13 = load.i64 notrap aligned region0 v12+8
;;     v14 = load.i64 notrap aligned region0 v13+104
;;     set_pinned_reg v14
;;     brif v10, block2, block1
;;
;; block1 cold:
;;     v15 = stack_addr.i64 ss0+16
;;     v16 = load.i64 notrap v15
;;     v17 = load.i64 notrap aligned region0 v16+16
;;     v18 = load.i64 notrap aligned region0 v17+8
;;     call_indirect sig1, v18(v16)
;;     trap user200
;;
;; block2:
;;     return
;; }
;;
;; Enter: function u1:0(i64 vmctx, i64, i64) tail {
;;     region0 = 0 "values"
;;     sig0 = (i64 vmctx, i32) -> i32 tail
;;
;; block0(v0: i64, v1: i64, v2: i64):
;;     v3 = load.i32 notrap aligned little region0 v2
;;     v4 = load.i64 notrap aligned region0 v0+8
;;     v5 = load.i64 notrap aligned region0 v4+104
;;     set_pinned_reg v5
;;     v6 = call_indirect sig0, v1(v0, v3)
;;     v7 = get_pinned_reg.i64
;;     store notrap aligned region0 v7, v4+104
;;     store notrap aligned little region0 v6, v2
;;     return
;; }
;;
;; Host: function u1:0(i64 vmctx, i32) -> i32 tail {
;;     ss0 = explicit_slot 24, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64, v1: i32):
;;     v2 = load.i64 notrap aligned region0 v0+8
;;     v3 = load.i64 notrap aligned region0 v2+16
;;     v4 = get_frame_pointer.i64
;;     store notrap aligned region0 v4, v2+24
;;     v5 = get_pinned_reg.i64
;;     store notrap aligned region0 v5, v2+104
;;     v6 = stack_addr.i64 ss0
;;     v7 = stack_addr.i64 ss0+16
;;     store notrap v3, v7
;;     store notrap aligned little region0 v1, v6
;;     v8 = iconst.i64 1
;;     v9 = load.i64 notrap aligned region0 v0+24
;;     v10 = call_indirect sig0, v9(v0, v3, v6, v8)  ; v8 = 1
;;     v11 = stack_addr.i64 ss0+16
;;     v12 = load.i64 notrap v11
;;     v13 = load.i64 notrap aligned region0 v12+8
;;     v14 = load.i64 notrap aligned region0 v13+104
;;     set_pinned_reg v14
;;     brif v10, block2, block1
;;
;; block1 cold:
;;     v15 = stack_addr.i64 ss0+16
;;     v16 = load.i64 notrap v15
;;     v17 = load.i64 notrap aligned region0 v16+16
;;     v18 = load.i64 notrap aligned region0 v17+8
;;     call_indirect sig1, v18(v16)
;;     trap user200
;;
;; block2:
;;     v19 = load.i32 notrap aligned little region0 v6
;;     return v19
;; }
