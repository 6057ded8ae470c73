;;! target x86_64
(module
  (type $a (sub (struct)))
  (type $b (sub $a (struct (field i32))))
  (type $c (sub final $b (struct (field i32))))
  (func (param anyref) (result i32) (ref.test (ref $b) (local.get 0)))
  (func (param anyref) (result (ref $c)) (ref.cast (ref $c) (local.get 0)))
  (func (param anyref) (result i32) (ref.test (ref null struct) (local.get 0)))
  (func (param anyref) (result i32) (ref.test (ref null eq) (local.get 0)))
  (func (param anyref) (result i31ref) (ref.cast i31ref (local.get 0)))
  (func (param (ref null $a)) (result i32)
    (block $no (result (ref null $a))
      (br_on_cast_fail $no (ref null $a) (ref $b) (local.get 0))
      (return (struct.get $b 0)))
    (drop)
    (i32.const -1)))

;; function u0:0(i64 vmctx, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v7 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v8 = load.i64 notrap aligned readonly can_move region2 v7+48
;;                                     v12 = load.i64 notrap aligned readonly can_move region1 v0+24
;; @0043                               v3 = iconst.i32 0
;; @0043                               v4 = iconst.i32 1
;; @0043                               brif v1, block2, block1(v3)  ; v3 = 0
;;
;;                                 block2:
;; @0043                               v5 = iconst.i32 3
;; @0043                               v6 = band.i32 v1, v5  ; v5 = 3
;; @0043                               brif v6, block1(v3), block3  ; v3 = 0
;;
;;                                 block3:
;; @0043                               v9 = uextend.i64 v1
;; @0043                               v10 = iadd.i64 v8, v9
;; @0043                               v11 = load.i32 user18 little region0 v10
;; @0043                               v13 = load.i32 notrap aligned readonly can_move region1 v12+4
;; @0043                               v14 = icmp eq v11, v13
;; @0043                               brif v14, block1(v4), block4  ; v4 = 1
;;
;;                                 block4:
;; @0043                               v15 = load.i32 notrap aligned region2 v7+80
;; @0043                               v16 = icmp.i32 ult v11, v15
;; @0043                               brif v16, block5, block1(v3)  ; v3 = 0
;;
;;                                 block5:
;; @0043                               v17 = load.i64 notrap aligned region2 v7+64
;; @0043                               v18 = uextend.i64 v11
;; @0043                               v19 = iconst.i64 5
;; @0043                               v20 = ishl v18, v19  ; v19 = 5
;; @0043                               v21 = iadd v17, v20
;; @0043                               v22 = load.i32 notrap aligned region2 v21+4
;; @0043                               v23 = icmp eq v22, v13
;; @0043                               brif v23, block1(v4), block1(v3)  ; v4 = 1, v3 = 0
;;
;;                                 block1(v2: i32):
;; @0046                               return v2
;; }
;;
;; function u0:1(i64 vmctx, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v4 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v5 = load.i64 notrap aligned readonly can_move region2 v4+48
;;                                     v9 = load.i64 notrap aligned readonly can_move region1 v0+24
;; @004b                               v2 = iconst.i32 3
;; @004b                               v3 = band v1, v2  ; v2 = 3
;; @004b                               brif v3, block2, block3
;;
;;                                 block3:
;; @004b                               v6 = uextend.i64 v1
;; @004b                               v7 = iadd.i64 v5, v6
;; @004b                               v8 = load.i32 user17 little region0 v7
;; @004b                               v10 = load.i32 notrap aligned readonly can_move region1 v9+8
;; @004b                               v11 = icmp eq v8, v10
;; @004b                               brif v11, block1, block2
;;
;;                                 block2 cold:
;; @004b                               trap user17
;;
;;                                 block1:
;; @004e                               return v1
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v7 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v8 = load.i64 notrap aligned readonly can_move region2 v7+48
;; @0053                               v3 = iconst.i32 0
;; @0053                               v4 = iconst.i32 1
;; @0053                               brif v1, block2, block1(v4)  ; v4 = 1
;;
;;                                 block2:
;; @0053                               v5 = iconst.i32 3
;; @0053                               v6 = band.i32 v1, v5  ; v5 = 3
;; @0053                               brif v6, block1(v3), block3  ; v3 = 0
;;
;;                                 block3:
;; @0053                               v9 = uextend.i64 v1
;; @0053                               v10 = iadd.i64 v8, v9
;; @0053                               v11 = load.i32 user18 little region0 v10
;; @0053                               v12 = load.i32 notrap aligned region2 v7+80
;; @0053                               v13 = icmp ult v11, v12
;; @0053                               brif v13, block4, block1(v3)  ; v3 = 0
;;
;;                                 block4:
;; @0053                               v14 = load.i64 notrap aligned region2 v7+64
;; @0053                               v15 = uextend.i64 v11
;; @0053                               v16 = iconst.i64 5
;; @0053                               v17 = ishl v15, v16  ; v16 = 5
;; @0053                               v18 = iadd v14, v17
;; @0053                               v19 = load.i32 notrap aligned region2 v18+28
;; @0053                               v20 = iconst.i32 1
;; @0053                               v21 = icmp eq v19, v20  ; v20 = 1
;; @0053                               brif v21, block1(v4), block1(v3)  ; v4 = 1, v3 = 0
;;
;;                                 block1(v2: i32):
;; @0056                               return v2
;; }
;;
;; function u0:3(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @005b                               v2 = iconst.i32 3
;; @005b                               v3 = band v1, v2  ; v2 = 3
;; @005b                               v4 = iconst.i32 2
;; @005b                               v5 = icmp ne v3, v4  ; v4 = 2
;; @005b                               v6 = uextend.i32 v5
;; @005e                               return v6
;; }
;;
;; function u0:4(i64 vmctx, i32) -> i32 tail {
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;; @0063                               v2 = iconst.i32 1
;; @0063                               v3 = band v1, v2  ; v2 = 1
;; @0063                               v4 = iconst.i32 0
;; @0063                               v5 = icmp ne v3, v4  ; v4 = 0
;; @0063                               v6 = iconst.i32 0
;; @0063                               v7 = icmp eq v1, v6  ; v6 = 0
;; @0063                               v8 = bor v5, v7
;; @0063                               trapz v8, user17
;; @0066                               return v1
;; }
;;
;; function u0:5(i64 vmctx, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 64 "field"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v4 = load.i64 notrap aligned readonly can_move region2 v3+48
;;                                     v8 = load.i64 notrap aligned readonly can_move region1 v0+24
;; @006e                               brif v1, block3, block1(v1)
;;
;;                                 block3:
;; @006e                               v5 = uextend.i64 v1
;; @006e                               v6 = iadd.i64 v4, v5
;; @006e                               v7 = load.i32 user18 little region0 v6
;; @006e                               v9 = load.i32 notrap aligned readonly can_move region1 v8+4
;; @006e                               v10 = icmp eq v7, v9
;; @006e                               brif v10, block2, block4
;;
;;                                 block4:
;; @006e                               v11 = load.i32 notrap aligned region2 v3+80
;; @006e                               v12 = icmp.i32 ult v7, v11
;; @006e                               brif v12, block5, block1(v1)
;;
;;                                 block5:
;; @006e                               v13 = load.i64 notrap aligned region2 v3+64
;; @006e                               v14 = uextend.i64 v7
;; @006e                               v15 = iconst.i64 5
;; @006e                               v16 = ishl v14, v15  ; v15 = 5
;; @006e                               v17 = iadd v13, v16
;; @006e                               v18 = load.i32 notrap aligned region2 v17+4
;; @006e                               v19 = icmp eq v18, v9
;; @006e                               brif v19, block2, block1(v1)
;;
;;                                 block2:
;; @0074                               v20 = uextend.i64 v1
;; @0074                               v21 = iadd.i64 v4, v20
;; @0074                               v22 = load.i32 user14 little region3 v21+4
;; @0078                               return v22
;;
;;                                 block1(v2: i32):
;; @007b                               v23 = iconst.i32 -1
;; @007d                               return v23  ; v23 = -1
;; }
