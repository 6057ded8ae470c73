;;! target x86_64
(module
  (memory i64 1)
  ;; One clamp, made wider by the second access, for all three.
  (func (param i64) (result i32)
    (i32.add
      (i32.add (i32.load (local.get 0)) (i32.load (i64.add (local.get 0) (i64.const 8))))
      (i32.load (i64.add (local.get 0) (i64.const -8)))))
  ;; One clamp for each: what an offset leads beyond must trap even where another sum comes back inside.
  (func (param i64) (result i32)
    (i32.add (i32.load (i64.add (local.get 0) (i64.const -8))) (i32.load offset=8 (local.get 0))))
  ;; None: the indices are small.
  (func (param i32 i64) (result i32)
    (i32.add
      (i32.load (i64.extend_i32_u (local.get 0)))
      (i32.load (i64.and (local.get 1) (i64.const 0xffff))))))

;; function u0:0(i64 vmctx, i64) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0028                               v2 = iconst.i64 0x0010_0000_0000
;;                                     v10 = iconst.i64 0x0080_0000
;;                                     v11 = iadd v1, v10  ; v10 = 0x0080_0000
;;                                     v12 = iconst.i64 0x0010_0100_0000
;;                                     v20 = ireduce.i32 v1
;;                                     v21 = uextend.i64 v20
;;                                     v22 = icmp ne v21, v1
;;                                     brif v22, block1, block2(v21)
;;
;;                                 block1 cold:
;; @0028                               v3 = icmp.i64 uge v11, v12  ; v12 = 0x0010_0100_0000
;; @0028                               v19 = select_spectre_guard.i64 v3, v12, v1  ; v12 = 0x0010_0100_0000
;;                                     jump block2(v19)
;;
;;                                 block2(v4: i64):
;; @0028                               v6 = iadd.i64 v5, v4
;; @0028                               v7 = load.i32 little region0 v6
;; @002d                               v8 = iconst.i64 8
;; @002f                               v9 = iadd.i64 v1, v8  ; v8 = 8
;; @0030                               v13 = load.i32 little region0 v6+8
;; @0033                               v14 = iadd v7, v13
;; @0036                               v15 = iconst.i64 -8
;; @0038                               v16 = iadd.i64 v1, v15  ; v15 = -8
;; @0039                               v17 = load.i32 little region0 v6-8
;; @003c                               v18 = iadd v14, v17
;; @003d                               return v18
;; }
;;
;; function u0:1(i64 vmctx, i64) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v7 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0042                               v2 = iconst.i64 -8
;; @0044                               v3 = iadd v1, v2  ; v2 = -8
;; @0045                               v4 = iconst.i64 0x0010_0000_0000
;;                                     v21 = ireduce.i32 v3
;;                                     v22 = uextend.i64 v21
;;                                     v23 = icmp ne v22, v3
;;                                     brif v23, block3, block4(v22)
;;
;;                                 block3 cold:
;; @0045                               v5 = icmp.i64 uge v3, v4  ; v4 = 0x0010_0000_0000
;; @0045                               v20 = select_spectre_guard.i64 v5, v4, v3  ; v4 = 0x0010_0000_0000
;;                                     jump block4(v20)
;;
;;                                 block4(v6: i64):
;; @0045                               v8 = iadd.i64 v7, v6
;; @0045                               v9 = load.i32 little region0 v8
;; @004a                               v10 = iconst.i64 0x0010_0000_0000
;;                                     v17 = ireduce.i32 v1
;;                                     v18 = uextend.i64 v17
;;                                     v19 = icmp ne v18, v1
;;                                     brif v19, block1, block2(v18)
;;
;;                                 block1 cold:
;; @004a                               v11 = icmp.i64 uge v1, v10  ; v10 = 0x0010_0000_0000
;; @004a                               v16 = select_spectre_guard.i64 v11, v10, v1  ; v10 = 0x0010_0000_0000
;;                                     jump block2(v16)
;;
;;                                 block2(v12: i64):
;; @004a                               v13 = iadd.i64 v7, v12
;; @004a                               v14 = load.i32 little region0 v13+8
;; @004d                               v15 = iadd.i32 v9, v14
;; @004e                               return v15
;; }
;;
;; function u0:2(i64 vmctx, i32, i64) -> i32 tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i64):
;;                                     v4 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @0053                               v3 = uextend.i64 v1
;; @0054                               v5 = iadd v4, v3
;; @0054                               v6 = load.i32 little region0 v5
;; @0059                               v7 = iconst.i64 0xffff
;; @005d                               v8 = band v2, v7  ; v7 = 0xffff
;; @005e                               v9 = iadd v4, v8
;; @005e                               v10 = load.i32 little region0 v9
;; @0061                               v11 = iadd v6, v10
;; @0062                               return v11
;; }
