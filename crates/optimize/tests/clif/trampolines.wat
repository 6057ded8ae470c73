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
;;     ss0 = explicit_slot 64, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64, v1: i32, v2: f64, v3: i8x16, v4: i32):
;;     v5 = load.i64 notrap aligned region0 v0+8
;;     v6 = load.i64 notrap aligned region0 v5+8
;;     v7 = get_frame_pointer.i64
;;     store notrap aligned region0 v7, v5+16
;;     v8 = stack_addr.i64 ss0
;;     store notrap aligned little region0 v1, v8
;;     store notrap aligned little region0 v2, v8+16
;;     store notrap aligned little region0 v3, v8+32
;;     store notrap aligned little region0 v4, v8+48
;;     v9 = iconst.i64 4
;;     v10 = load.i64 notrap aligned region0 v0+24
;;     v11 = call_indirect sig0, v10(v0, v6, v8, v9)  ; v9 = 4
;;     brif v11, block2, block1
;;
;; block1 cold:
;;     v12 = load.i64 notrap aligned region0 v0+16
;;     v13 = load.i64 notrap aligned region0 v12+8
;;     call_indirect sig1, v13(v6)
;;     trap user200
;;
;; block2:
;;     v14 = load.i64 notrap aligned little region0 v8
;;     v15 = load.i64 notrap aligned little region0 v8+16
;;     return v14, v15
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
;;     ss0 = explicit_slot 16, align = 16
;;     region0 = 0 "values"
;;     sig0 = (i64, i64, i64, i64) -> i8 system_v
;;     sig1 = (i64) system_v
;;
;; block0(v0: i64):
;;     v1 = load.i64 notrap aligned region0 v0+8
;;     v2 = load.i64 notrap aligned region0 v1+8
;;     v3 = get_frame_pointer.i64
;;     store notrap aligned region0 v3, v1+16
;;     v4 = stack_addr.i64 ss0
;;     v5 = iconst.i64 0
;;     v6 = load.i64 notrap aligned region0 v0+24
;;     v7 = call_indirect sig0, v6(v0, v2, v4, v5)  ; v5 = 0
;;     brif v7, block2, block1
;;
;; block1 cold:
;;     v8 = load.i64 notrap aligned region0 v0+16
;;     v9 = load.i64 notrap aligned region0 v8+8
;;     call_indirect sig1, v9(v2)
;;     trap user200
;;
;; block2:
;;     return
;; }
