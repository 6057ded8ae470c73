;;! target x86_64
;;! trampolines
(module
  (type (func (param i32 f64 v128 externref) (result i64 funcref)))
  (type (func)))

;; Enter: function u1:0(i64 vmctx, i64, i64) tail {
;;     region0 = 0 "values"
;;     sig0 = (i64 vmctx, i32, f64, i8x16, i32) -> i64, i64 tail
;;
;; block0(v0: i64, v1: i64, v2: i64):
;;     v3 = load.i32 notrap aligned little region0 v2
;;     v4 = load.f64 notrap aligned little region0 v2+16
;;     v5 = load.i8x16 notrap aligned little region0 v2+32
;;     v6 = load.i32 notrap aligned little region0 v2+48
;;     v7, v8 = call_indirect sig0, v1(v0, v3, v4, v5, v6)
;;     store notrap aligned little region0 v7, v2
;;     store notrap aligned little region0 v8, v2+16
;;     return
;; }
;;
;; Host: function u1:0(i64 vmctx, i32, f64, i8x16, i32) -> i64, i64 tail {
;;     ss0 = explicit_slot 72, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64, v1: i32, v2: f64, v3: i8x16, v4: i32):
;;     v5 = load.i64 notrap aligned region0 v0+8
;;     v6 = load.i64 notrap aligned region0 v5+16
;;     v7 = get_frame_pointer.i64
;;     store notrap aligned region0 v7, v5+24
;;     v8 = stack_addr.i64 ss0
;;     v9 = stack_addr.i64 ss0+64
;;     store notrap v6, v9
;;     store notrap aligned little region0 v1, v8
;;     store notrap aligned little region0 v2, v8+16
;;     store notrap aligned little region0 v3, v8+32
;;     store notrap aligned little region0 v4, v8+48
;;     v10 = iconst.i64 4
;;     v11 = load.i64 notrap aligned region0 v0+24
;;     v12 = call_indirect sig0, v11(v0, v6, v8, v10)  ; v10 = 4
;;     brif v12, block2, block1
;;
;; block1 cold:
;;     v13 = stack_addr.i64 ss0+64
;;     v14 = load.i64 notrap v13
;;     v15 = load.i64 notrap aligned region0 v14+16
;;     v16 = load.i64 notrap aligned region0 v15+8
;;     call_indirect sig1, v16(v14)
;;     trap user200
;;
;; block2:
;;     v17 = load.i64 notrap aligned little region0 v8
;;     v18 = load.i64 notrap aligned little region0 v8+16
;;     return v17, v18
;; }
;;
;; Enter: function u1:0(i64 vmctx, i64, i64) tail {
;;     region0 = 0 "values"
;;     sig0 = (i64 vmctx) tail
;;
;; block0(v0: i64, v1: i64, v2: i64):
;;     call_indirect sig0, v1(v0)
;;     return
;; }
;;
;; Host: function u1:0(i64 vmctx) tail {
;;     ss0 = explicit_slot 8, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64):
;;     v1 = load.i64 notrap aligned region0 v0+8
;;     v2 = load.i64 notrap aligned region0 v1+16
;;     v3 = get_frame_pointer.i64
;;     store notrap aligned region0 v3, v1+24
;;     v4 = stack_addr.i64 ss0
;;     v5 = stack_addr.i64 ss0
;;     store notrap v2, v5
;;     v6 = iconst.i64 0
;;     v7 = load.i64 notrap aligned region0 v0+24
;;     v8 = call_indirect sig0, v7(v0, v2, v4, v6)  ; v6 = 0
;;     brif v8, block2, block1
;;
;; block1 cold:
;;     v9 = stack_addr.i64 ss0
;;     v10 = load.i64 notrap v9
;;     v11 = load.i64 notrap aligned region0 v10+16
;;     v12 = load.i64 notrap aligned region0 v11+8
;;     call_indirect sig1, v12(v10)
;;     trap user200
;;
;; block2:
;;     return
;; }
