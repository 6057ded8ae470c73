;;! target x86_64
(module
  (memory i64 1)
  (memory $small i64 1 65536)
  ;; Few clamps: all are out of the way.
  (func (param i64) (result i32)
    (i32.add
      (i32.load (local.get 0))
      (i32.load (i64.add (local.get 0) (i64.const 8)))))
  ;; Many: those in the loop.
  (func (param i64 i64)
    (i64.store (local.get 0) (local.get 1))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (local.set 0 (i64.load (local.get 0)))
    (loop
      (br_if 0 (i64.ne (local.tee 0 (i64.load (local.get 0))) (local.get 1)))))
  ;; None: an index of more than 32 bits is outside.
  (func (param i64) (result i32)
    (i32.add
      (i32.load $small (local.get 0))
      (i32.load $small offset=8 (local.get 0)))))

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
;; @002c                               v2 = iconst.i64 0x0010_0000_0000
;;                                     v10 = iconst.i64 0x0080_0000
;;                                     v11 = iadd v1, v10  ; v10 = 0x0080_0000
;;                                     v12 = iconst.i64 0x0010_0100_0000
;;                                     v16 = ireduce.i32 v1
;;                                     v17 = uextend.i64 v16
;;                                     v18 = icmp ne v17, v1
;;                                     brif v18, block1, block2(v17)
;;
;;                                 block1 cold:
;; @002c                               v3 = icmp.i64 uge v11, v12  ; v12 = 0x0010_0100_0000
;; @002c                               v15 = select_spectre_guard.i64 v3, v12, v1  ; v12 = 0x0010_0100_0000
;;                                     jump block2(v15)
;;
;;                                 block2(v4: i64):
;; @002c                               v6 = iadd.i64 v5, v4
;; @002c                               v7 = load.i32 little region0 v6
;; @0031                               v8 = iconst.i64 8
;; @0033                               v9 = iadd.i64 v1, v8  ; v8 = 8
;; @0034                               v13 = load.i32 little region0 v6+8
;; @0037                               v14 = iadd v7, v13
;; @0038                               return v14
;; }
;;
;; function u0:1(i64 vmctx, i64, i64) tail {
;;     region0 = 16 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64, v2: i64):
;;                                     v54 -> v2
;;                                     v6 = load.i64 notrap aligned readonly can_move region1 v0+48
;; @003f                               v3 = iconst.i64 0x0010_0000_0000
;; @003f                               v4 = icmp uge v1, v3  ; v3 = 0x0010_0000_0000
;; @003f                               v5 = select_spectre_guard v4, v3, v1  ; v3 = 0x0010_0000_0000
;; @003f                               v7 = iadd v6, v5
;; @003f                               store little region0 v2, v7
;; @004b                               v8 = iconst.i64 0x0010_0000_0000
;; @004b                               v9 = icmp uge v2, v8  ; v8 = 0x0010_0000_0000
;; @004b                               v10 = select_spectre_guard v9, v8, v2  ; v8 = 0x0010_0000_0000
;; @004b                               v11 = iadd v6, v10
;; @004b                               v12 = load.i64 little region0 v11
;; @0052                               v13 = iconst.i64 0x0010_0000_0000
;; @0052                               v14 = icmp uge v12, v13  ; v13 = 0x0010_0000_0000
;; @0052                               v15 = select_spectre_guard v14, v13, v12  ; v13 = 0x0010_0000_0000
;; @0052                               v16 = iadd v6, v15
;; @0052                               v17 = load.i64 little region0 v16
;; @0059                               v18 = iconst.i64 0x0010_0000_0000
;; @0059                               v19 = icmp uge v17, v18  ; v18 = 0x0010_0000_0000
;; @0059                               v20 = select_spectre_guard v19, v18, v17  ; v18 = 0x0010_0000_0000
;; @0059                               v21 = iadd v6, v20
;; @0059                               v22 = load.i64 little region0 v21
;; @0060                               v23 = iconst.i64 0x0010_0000_0000
;; @0060                               v24 = icmp uge v22, v23  ; v23 = 0x0010_0000_0000
;; @0060                               v25 = select_spectre_guard v24, v23, v22  ; v23 = 0x0010_0000_0000
;; @0060                               v26 = iadd v6, v25
;; @0060                               v27 = load.i64 little region0 v26
;; @0067                               v28 = iconst.i64 0x0010_0000_0000
;; @0067                               v29 = icmp uge v27, v28  ; v28 = 0x0010_0000_0000
;; @0067                               v30 = select_spectre_guard v29, v28, v27  ; v28 = 0x0010_0000_0000
;; @0067                               v31 = iadd v6, v30
;; @0067                               v32 = load.i64 little region0 v31
;; @006e                               v33 = iconst.i64 0x0010_0000_0000
;; @006e                               v34 = icmp uge v32, v33  ; v33 = 0x0010_0000_0000
;; @006e                               v35 = select_spectre_guard v34, v33, v32  ; v33 = 0x0010_0000_0000
;; @006e                               v36 = iadd v6, v35
;; @006e                               v37 = load.i64 little region0 v36
;; @0075                               v38 = iconst.i64 0x0010_0000_0000
;; @0075                               v39 = icmp uge v37, v38  ; v38 = 0x0010_0000_0000
;; @0075                               v40 = select_spectre_guard v39, v38, v37  ; v38 = 0x0010_0000_0000
;; @0075                               v41 = iadd v6, v40
;; @0075                               v42 = load.i64 little region0 v41
;; @007c                               v43 = iconst.i64 0x0010_0000_0000
;; @007c                               v44 = icmp uge v42, v43  ; v43 = 0x0010_0000_0000
;; @007c                               v45 = select_spectre_guard v44, v43, v42  ; v43 = 0x0010_0000_0000
;; @007c                               v46 = iadd v6, v45
;; @007c                               v47 = load.i64 little region0 v46
;; @0081                               jump block1(v47)
;;
;;                                 block1(v48: i64):
;; @0085                               v49 = iconst.i64 0x0010_0000_0000
;;                                     v58 = ireduce.i32 v48
;;                                     v59 = uextend.i64 v58
;;                                     v60 = icmp ne v59, v48
;;                                     brif v60, block3, block4(v59)
;;
;;                                 block3 cold:
;; @0085                               v50 = icmp.i64 uge v48, v49  ; v49 = 0x0010_0000_0000
;; @0085                               v57 = select_spectre_guard.i64 v50, v49, v48  ; v49 = 0x0010_0000_0000
;;                                     jump block4(v57)
;;
;;                                 block4(v51: i64):
;; @0085                               v52 = iadd.i64 v6, v51
;; @0085                               v53 = load.i64 little region0 v52
;; @008c                               v55 = icmp ne v53, v54
;; @008c                               v56 = uextend.i32 v55
;; @008d                               brif v56, block1(v53), block2
;;
;;                                 block2:
;; @0090                               return
;; }
;;
;; function u0:2(i64 vmctx, i64) -> i32 tail {
;;     region0 = 17 "memory"
;;     region1 = 2 "descriptors"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+64
;; @0095                               v2 = ireduce.i32 v1
;; @0095                               v3 = uextend.i64 v2
;; @0095                               v4 = icmp ne v3, v1
;; @0095                               trapnz v4, heap_oob
;; @0095                               v6 = iadd v5, v3
;; @0095                               v7 = load.i32 little region0 v6
;; @009b                               v8 = load.i32 little region0 v6+8
;; @009f                               v9 = iadd v7, v8
;; @00a0                               return v9
;; }
