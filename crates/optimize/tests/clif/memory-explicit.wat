;;! target x86_64
;;! explicit
(module
  (memory 1)
  (func (param i32) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load offset=100000000 (local.get 0))))
  (func (result i64) (i64.load offset=8 (i32.const 1024))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0025                               v2 = uextend.i64 v1
;; @0025                               v3 = load.i64 notrap aligned region1 v0+56
;; @0025                               v4 = iconst.i64 8
;; @0025                               v5 = isub v3, v4  ; v4 = 8
;; @0025                               v6 = icmp ugt v2, v5
;; @0025                               v7 = load.i64 notrap aligned region1 v0+48
;; @0025                               v8 = iadd v7, v2
;; @0025                               v9 = iconst.i64 0
;; @0025                               v10 = select_spectre_guard v6, v9, v8  ; v9 = 0
;; @0025                               v11 = load.i32 little region0 v10+4
;; @002a                               v12 = uextend.i64 v1
;; @002a                               v13 = load.i64 notrap aligned region1 v0+56
;; @002a                               v14 = iconst.i64 0x05f5_e104
;; @002a                               v15 = iadd v12, v14  ; v14 = 0x05f5_e104
;; @002a                               v16 = icmp ugt v15, v13
;; @002a                               v17 = load.i64 notrap aligned region1 v0+48
;; @002a                               v18 = iadd v17, v12
;; @002a                               v19 = iconst.i64 0x05f5_e100
;; @002a                               v20 = iadd v18, v19  ; v19 = 0x05f5_e100
;; @002a                               v21 = iconst.i64 0
;; @002a                               v22 = select_spectre_guard v16, v21, v20  ; v21 = 0
;; @002a                               v23 = load.i32 little region0 v22
;; @0030                               v24 = iadd v11, v23
;; @0031                               return v24
;; }
;;
;; function u0:1(i64 vmctx) -> i64 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;; @0034                               v1 = iconst.i32 1024
;; @0037                               v2 = iconst.i64 1024
;; @0037                               v3 = load.i64 notrap aligned region1 v0+48
;; @0037                               v4 = load.i64 little region0 v3+1032
;; @003a                               return v4
;; }
