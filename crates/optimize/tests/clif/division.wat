;;! target x86_64
;;! no-signals
(module
  (func (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 10)))
  (func (param f64) (result i32) (i32.trunc_f64_s (local.get 0))))

;; function u0:0(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0025                               v4 = load.i64 notrap aligned region1 v3+8
;; @0025                               v5 = get_stack_pointer.i64
;; @0025                               v6 = icmp ult v5, v4
;; @0025                               brif v6, block1, block2
;;
;;                                 block1 cold:
;; @0025                               v7 = iconst.i32 1
;; @0025                               v8 = load.i64 notrap aligned readonly region0 v0+16
;; @0025                               v9 = load.i64 notrap aligned readonly region0 v8
;; @0025                               call_indirect sig0, v9(v0, v7)  ; v7 = 1
;; @0025                               trap user200
;;
;;                                 block2:
;; @002a                               brif.i32 v2, block4, block3
;;
;;                                 block3 cold:
;; @002a                               v10 = iconst.i32 8
;; @002a                               v11 = load.i64 notrap aligned readonly region0 v0+16
;; @002a                               v12 = load.i64 notrap aligned readonly region0 v11
;; @002a                               call_indirect sig0, v12(v0, v10)  ; v10 = 8
;; @002a                               trap user200
;;
;;                                 block4:
;; @002a                               v13 = iconst.i32 -2147483648
;; @002a                               v14 = icmp.i32 eq v1, v13  ; v13 = -2147483648
;; @002a                               v15 = iconst.i32 -1
;; @002a                               v16 = icmp.i32 eq v2, v15  ; v15 = -1
;; @002a                               v17 = band v14, v16
;; @002a                               brif v17, block5, block6
;;
;;                                 block5 cold:
;; @002a                               v18 = iconst.i32 7
;; @002a                               v19 = load.i64 notrap aligned readonly region0 v0+16
;; @002a                               v20 = load.i64 notrap aligned readonly region0 v19
;; @002a                               call_indirect sig0, v20(v0, v18)  ; v18 = 7
;; @002a                               trap user200
;;
;;                                 block6:
;; @002a                               v21 = sdiv.i32 v1, v2
;; @002b                               return v21
;; }
;;
;; function u0:1(i64 vmctx, i64) -> i64 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @002d                               v3 = load.i64 notrap aligned region1 v2+8
;; @002d                               v4 = get_stack_pointer.i64
;; @002d                               v5 = icmp ult v4, v3
;; @002d                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @002d                               v6 = iconst.i32 1
;; @002d                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @002d                               v8 = load.i64 notrap aligned readonly region0 v7
;; @002d                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @002d                               trap user200
;;
;;                                 block2:
;; @0030                               v9 = iconst.i64 10
;; @0032                               v10 = urem.i64 v1, v9  ; v9 = 10
;; @0033                               return v10
;; }
;;
;; function u0:2(i64 vmctx, f64) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: f64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0035                               v3 = load.i64 notrap aligned region1 v2+8
;; @0035                               v4 = get_stack_pointer.i64
;; @0035                               v5 = icmp ult v4, v3
;; @0035                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @0035                               v6 = iconst.i32 1
;; @0035                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @0035                               v8 = load.i64 notrap aligned readonly region0 v7
;; @0035                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @0035                               trap user200
;;
;;                                 block2:
;; @0038                               v9 = fcmp.f64 uno v1, v1
;; @0038                               brif v9, block3, block4
;;
;;                                 block3 cold:
;; @0038                               v10 = iconst.i32 9
;; @0038                               v11 = load.i64 notrap aligned readonly region0 v0+16
;; @0038                               v12 = load.i64 notrap aligned readonly region0 v11
;; @0038                               call_indirect sig0, v12(v0, v10)  ; v10 = 9
;; @0038                               trap user200
;;
;;                                 block4:
;; @0038                               v13 = f64const -0x1.0000000200000p31
;; @0038                               v14 = f64const 0x1.0000000000000p31
;; @0038                               v15 = fcmp.f64 le v1, v13  ; v13 = -0x1.0000000200000p31
;; @0038                               v16 = fcmp.f64 ge v1, v14  ; v14 = 0x1.0000000000000p31
;; @0038                               v17 = bor v15, v16
;; @0038                               brif v17, block5, block6
;;
;;                                 block5 cold:
;; @0038                               v18 = iconst.i32 7
;; @0038                               v19 = load.i64 notrap aligned readonly region0 v0+16
;; @0038                               v20 = load.i64 notrap aligned readonly region0 v19
;; @0038                               call_indirect sig0, v20(v0, v18)  ; v18 = 7
;; @0038                               trap user200
;;
;;                                 block6:
;; @0038                               v21 = fcvt_to_sint_sat.i32 v1
;; @0039                               return v21
;; }
