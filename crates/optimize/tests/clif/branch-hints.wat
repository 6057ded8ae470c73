;;! target x86_64
;;! no-signals
;;! branch-hints
(module
  (func (param i32) (result i32)
    (block
      (@metadata.code.branch_hint "\00") (br_if 0 (local.get 0))
      (@metadata.code.branch_hint "\01") (br_if 0 (i32.eqz (local.get 0)))
      (return (i32.const 1)))
    (@metadata.code.branch_hint "\00")
    (if (result i32) (local.get 0) (then (i32.const 2)) (else (i32.const 3)))
    (@metadata.code.branch_hint "\01")
    (if (param i32) (result i32) (local.get 0)
      (then (i32.add (i32.const 4)))
      (else (i32.add (i32.const 5))))))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 1 "store"
;;     sig0 = (i64, i32) system_v
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v13 -> v1
;;                                     v17 -> v1
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0043                               v3 = load.i64 notrap aligned region1 v2+8
;; @0043                               v4 = get_stack_pointer.i64
;; @0043                               v5 = icmp ult v4, v3
;; @0043                               brif v5, block1, block2
;;
;;                                 block1 cold:
;; @0043                               v6 = iconst.i32 1
;; @0043                               v7 = load.i64 notrap aligned readonly region0 v0+16
;; @0043                               v8 = load.i64 notrap aligned readonly region0 v7
;; @0043                               call_indirect sig0, v8(v0, v6)  ; v6 = 1
;; @0043                               trap user200
;;
;;                                 block2:
;; @0048                               brif.i32 v1, block5, block4
;;
;;                                 block5 cold:
;; @0048                               jump block3
;;
;;                                 block4:
;; @004c                               v9 = iconst.i32 0
;; @004c                               v10 = icmp.i32 eq v1, v9  ; v9 = 0
;; @004c                               v11 = uextend.i32 v10
;; @004d                               brif v11, block3, block6
;;
;;                                 block6 cold:
;; @004f                               v12 = iconst.i32 1
;; @0051                               return v12  ; v12 = 1
;;
;;                                 block3:
;; @0055                               brif.i32 v1, block7, block8
;;
;;                                 block7 cold:
;; @0057                               v14 = iconst.i32 2
;; @0059                               jump block9(v14)  ; v14 = 2
;;
;;                                 block8:
;; @005a                               v16 = iconst.i32 3
;; @005c                               jump block9(v16)  ; v16 = 3
;;
;;                                 block9(v15: i32):
;; @005f                               brif.i32 v1, block10, block11
;;
;;                                 block10:
;; @0061                               v18 = iconst.i32 4
;; @0063                               v19 = iadd.i32 v15, v18  ; v18 = 4
;; @0064                               jump block12(v19)
;;
;;                                 block11 cold:
;; @0065                               v21 = iconst.i32 5
;; @0067                               v22 = iadd.i32 v15, v21  ; v21 = 5
;; @0068                               jump block12(v22)
;;
;;                                 block12(v20: i32):
;; @0069                               return v20
;; }
