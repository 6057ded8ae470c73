;;! target x86_64
(module
  (type $a (array (mut i32)))
  (type $b (array (mut i8)))
  (data $d "abcd")
  (func (param (ref null $a) i32) (result i32) (array.get $a (local.get 0) (local.get 1)))
  (func (param (ref null $a) i32 i32) (array.set $a (local.get 0) (local.get 1) (local.get 2)))
  (func (param i32) (result (ref $b)) (array.new $b (i32.const 1) (local.get 0)))
  (func (param i32) (result (ref $a)) (array.new_fixed $a 2 (local.get 0) (i32.const 5)))
  (func (param (ref null $a) i32 i32 i32)
    (array.fill $a (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (result (ref $b)) (array.new_data $b $d (i32.const 0) (i32.const 4)))
  (func (param i32) (result (ref $a)) (array.new_default $a (local.get 0)))
  (func (result (ref $a)) (array.new_default $a (i32.const 5)))
  (func (param arrayref) (result i32) (array.len (local.get 0))))

;; function u0:0(i64 vmctx, i32, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32):
;;                                     v3 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v4 = load.i64 notrap aligned readonly can_move region2 v3+48
;; @005a                               v5 = uextend.i64 v1
;; @005a                               v6 = iadd v4, v5
;; @005a                               v7 = load.i32 user14 little region0 v6+4
;; @005a                               v8 = icmp uge v2, v7
;; @005a                               trapnz v8, user15
;; @005a                               v9 = iconst.i32 2
;; @005a                               v10 = ishl v2, v9  ; v9 = 2
;; @005a                               v11 = iadd v1, v10
;; @005a                               v12 = uextend.i64 v11
;; @005a                               v13 = iadd v4, v12
;; @005a                               v14 = load.i32 user18 little region3 v13+8
;; @005d                               return v14
;; }
;;
;; function u0:1(i64 vmctx, i32, i32, i32) tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32, v3: i32):
;;                                     v4 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v5 = load.i64 notrap aligned readonly can_move region2 v4+48
;; @0066                               v6 = uextend.i64 v1
;; @0066                               v7 = iadd v5, v6
;; @0066                               v8 = load.i32 user14 little region0 v7+4
;; @0066                               v9 = icmp uge v2, v8
;; @0066                               trapnz v9, user15
;; @0066                               v10 = iconst.i32 2
;; @0066                               v11 = ishl v2, v10  ; v10 = 2
;; @0066                               v12 = iadd v1, v11
;; @0066                               v13 = uextend.i64 v12
;; @0066                               v14 = iadd v5, v13
;; @0066                               store user18 little region3 v3, v14+8
;; @0069                               return
;; }
;;
;; function u0:2(i64 vmctx, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v10 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v12 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v24 = load.i64 notrap aligned readonly can_move region2 v12+48
;; @006c                               v2 = iconst.i32 1
;; @0070                               v3 = uextend.i64 v1
;; @0070                               v4 = iconst.i64 0
;; @0070                               v5 = ishl v3, v4  ; v4 = 0
;; @0070                               v6 = iconst.i64 15
;; @0070                               v7 = iadd v5, v6  ; v6 = 15
;; @0070                               v8 = iconst.i64 -8
;; @0070                               v9 = band v7, v8  ; v8 = -8
;; @0070                               v11 = load.i32 notrap aligned readonly can_move region0 v10+4
;; @0070                               v13 = load.i32 notrap aligned region1 v12+56
;; @0070                               v14 = load.i32 notrap aligned region2 v12+60
;; @0070                               v15 = isub v14, v13
;; @0070                               v16 = uextend.i64 v15
;; @0070                               v17 = icmp uge v16, v9
;; @0070                               v18 = ireduce.i32 v9
;; @0070                               v19 = iadd v13, v18
;; @0070                               brif v17, block1, block2
;;
;;                                 block2 cold:
;; @0070                               v21 = load.i64 notrap aligned readonly region0 v0+16
;; @0070                               v22 = load.i64 notrap aligned readonly region0 v21+160
;; @0070                               v23 = call_indirect sig0, v22(v0, v11, v9, v1)
;; @0070                               jump block3(v23)
;;
;;                                 block1:
;; @0070                               store.i32 notrap aligned region1 v19, v12+56
;; @0070                               jump block3(v13)
;;
;;                                 block3(v20: i32):
;; @0070                               v25 = uextend.i64 v20
;; @0070                               v26 = iadd.i64 v24, v25
;; @0070                               v27 = uextend.i64 v11
;; @0070                               v28 = uextend.i64 v1
;; @0070                               v29 = iconst.i64 32
;; @0070                               v30 = ishl v28, v29  ; v29 = 32
;; @0070                               v31 = bor v27, v30
;; @0070                               store notrap little region3 v31, v26
;; @0070                               v32 = uextend.i64 v2  ; v2 = 1
;; @0070                               v33 = iconst.i64 255
;; @0070                               v34 = band v32, v33  ; v33 = 255
;; @0070                               v35 = iconst.i64 0x0101_0101_0101_0101
;; @0070                               v36 = imul v34, v35  ; v35 = 0x0101_0101_0101_0101
;; @0070                               v37 = uextend.i64 v20
;; @0070                               v38 = iadd.i64 v24, v37
;; @0070                               v39 = iadd v38, v9
;; @0070                               v40 = iconst.i64 8
;; @0070                               v41 = iadd v38, v40  ; v40 = 8
;; @0070                               v43 = icmp ne v41, v39
;; @0070                               brif v43, block4(v41), block5
;;
;;                                 block4(v42: i64):
;; @0070                               store.i64 notrap little region4 v36, v42
;; @0070                               v44 = iconst.i64 8
;; @0070                               v45 = iadd v42, v44  ; v44 = 8
;; @0070                               v46 = icmp ne v45, v39
;; @0070                               brif v46, block4(v45), block5
;;
;;                                 block5:
;; @0073                               return v20
;; }
;;
;; function u0:3(i64 vmctx, i32) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v4 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v6 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v17 = load.i64 notrap aligned readonly can_move region2 v6+48
;; @0078                               v2 = iconst.i32 5
;; @007a                               v3 = iconst.i32 2
;; @007a                               v5 = load.i32 notrap aligned readonly can_move region0 v4
;; @007a                               v7 = load.i32 notrap aligned region1 v6+56
;; @007a                               v8 = load.i32 notrap aligned region2 v6+60
;; @007a                               v9 = iconst.i32 16
;; @007a                               v10 = iadd v7, v9  ; v9 = 16
;; @007a                               v11 = icmp ule v10, v8
;; @007a                               brif v11, block1, block2
;;
;;                                 block2 cold:
;; @007a                               v13 = iconst.i64 16
;; @007a                               v14 = load.i64 notrap aligned readonly region0 v0+16
;; @007a                               v15 = load.i64 notrap aligned readonly region0 v14+160
;; @007a                               v16 = call_indirect sig0, v15(v0, v5, v13, v3)  ; v13 = 16, v3 = 2
;; @007a                               jump block3(v16)
;;
;;                                 block1:
;; @007a                               store.i32 notrap aligned region1 v10, v6+56
;; @007a                               jump block3(v7)
;;
;;                                 block3(v12: i32):
;; @007a                               v18 = uextend.i64 v12
;; @007a                               v19 = iadd.i64 v17, v18
;; @007a                               v20 = uextend.i64 v5
;; @007a                               v21 = uextend.i64 v3  ; v3 = 2
;; @007a                               v22 = iconst.i64 32
;; @007a                               v23 = ishl v21, v22  ; v22 = 32
;; @007a                               v24 = bor v20, v23
;; @007a                               store notrap little region3 v24, v19
;; @007a                               v25 = uextend.i64 v12
;; @007a                               v26 = iadd.i64 v17, v25
;; @007a                               store.i32 notrap little region4 v1, v26+8
;; @007a                               store.i32 notrap little region4 v2, v26+12  ; v2 = 5
;; @007e                               return v12
;; }
;;
;; function u0:4(i64 vmctx, i32, i32, i32, i32) tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     region3 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32, v2: i32, v3: i32, v4: i32):
;;                                     v5 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v6 = load.i64 notrap aligned readonly can_move region2 v5+48
;; @0089                               v7 = uextend.i64 v1
;; @0089                               v8 = iadd v6, v7
;; @0089                               v9 = load.i32 user14 little region0 v8+4
;; @0089                               v10 = uextend.i64 v2
;; @0089                               v11 = uextend.i64 v4
;; @0089                               v12 = uextend.i64 v9
;; @0089                               v13 = iadd v10, v11
;; @0089                               v14 = icmp ugt v13, v12
;; @0089                               trapnz v14, user15
;; @0089                               v15 = iconst.i32 2
;; @0089                               v16 = ishl v2, v15  ; v15 = 2
;; @0089                               v17 = iadd v1, v16
;; @0089                               v18 = iadd v2, v4
;; @0089                               v19 = iconst.i32 2
;; @0089                               v20 = ishl v18, v19  ; v19 = 2
;; @0089                               v21 = iadd v1, v20
;; @0089                               v23 = icmp ne v17, v21
;; @0089                               brif v23, block1(v17), block2
;;
;;                                 block1(v22: i32):
;; @0089                               v24 = uextend.i64 v22
;; @0089                               v25 = iadd.i64 v6, v24
;; @0089                               store.i32 user18 little region3 v3, v25+8
;; @0089                               v26 = iconst.i32 4
;; @0089                               v27 = iadd v22, v26  ; v26 = 4
;; @0089                               v28 = icmp ne v27, v21
;; @0089                               brif v28, block1(v27), block2
;;
;;                                 block2:
;; @008c                               return
;; }
;;
;; function u0:5(i64 vmctx) -> i32 tail {
;;     region0 = 0 "context"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i32, i32, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v3 = load.i64 notrap aligned readonly can_move region0 v0+24
;; @008f                               v1 = iconst.i32 0
;; @0091                               v2 = iconst.i32 4
;; @0093                               v4 = load.i32 notrap aligned readonly can_move region0 v3+4
;; @0093                               v5 = iconst.i32 0
;; @0093                               v6 = load.i64 notrap aligned readonly region0 v0+16
;; @0093                               v7 = load.i64 notrap aligned readonly region0 v6+168
;; @0093                               v8 = call_indirect sig0, v7(v0, v4, v5, v1, v2)  ; v5 = 0, v1 = 0, v2 = 4
;; @0097                               return v8
;; }
;;
;; function u0:6(i64 vmctx, i32) -> i32 tail {
;;     ss0 = explicit_slot 4, align = 4
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 9 "elements"
;;     region5 = 80 "slot"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     sig1 = (i64, i64, i32, i64) system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v9 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v11 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v23 = load.i64 notrap aligned readonly can_move region2 v11+48
;; @009c                               v2 = uextend.i64 v1
;; @009c                               v3 = iconst.i64 2
;; @009c                               v4 = ishl v2, v3  ; v3 = 2
;; @009c                               v5 = iconst.i64 15
;; @009c                               v6 = iadd v4, v5  ; v5 = 15
;; @009c                               v7 = iconst.i64 -8
;; @009c                               v8 = band v6, v7  ; v7 = -8
;; @009c                               v10 = load.i32 notrap aligned readonly can_move region0 v9
;; @009c                               v12 = load.i32 notrap aligned region1 v11+56
;; @009c                               v13 = load.i32 notrap aligned region2 v11+60
;; @009c                               v14 = isub v13, v12
;; @009c                               v15 = uextend.i64 v14
;; @009c                               v16 = icmp uge v15, v8
;; @009c                               v17 = ireduce.i32 v8
;; @009c                               v18 = iadd v12, v17
;; @009c                               brif v16, block1, block2
;;
;;                                 block2 cold:
;; @009c                               v20 = load.i64 notrap aligned readonly region0 v0+16
;; @009c                               v21 = load.i64 notrap aligned readonly region0 v20+160
;; @009c                               v22 = call_indirect sig0, v21(v0, v10, v8, v1)
;; @009c                               jump block3(v22)
;;
;;                                 block1:
;; @009c                               store.i32 notrap aligned region1 v18, v11+56
;; @009c                               jump block3(v12)
;;
;;                                 block3(v19: i32):
;;                                     v60 = stack_addr.i64 ss0
;;                                     store notrap aligned region5 v19, v60
;;                                     v58 = stack_addr.i64 ss0
;;                                     v59 = load.i32 notrap aligned region5 v58
;; @009c                               v24 = uextend.i64 v59
;; @009c                               v25 = iadd.i64 v23, v24
;; @009c                               v26 = uextend.i64 v10
;; @009c                               v27 = uextend.i64 v1
;; @009c                               v28 = iconst.i64 32
;; @009c                               v29 = ishl v27, v28  ; v28 = 32
;; @009c                               v30 = bor v26, v29
;; @009c                               store notrap little region3 v30, v25
;; @009c                               v31 = iconst.i64 256
;; @009c                               v32 = icmp.i64 ugt v8, v31  ; v31 = 256
;; @009c                               brif v32, block4, block5
;;
;;                                 block4:
;;                                     v54 = stack_addr.i64 ss0
;;                                     v55 = load.i32 notrap aligned region5 v54
;; @009c                               v33 = uextend.i64 v55
;; @009c                               v34 = iadd.i64 v23, v33
;; @009c                               v35 = iconst.i64 8
;; @009c                               v36 = iadd v34, v35  ; v35 = 8
;; @009c                               v37 = isub.i64 v8, v35  ; v35 = 8
;; @009c                               v38 = iconst.i32 0
;; @009c                               v39 = load.i64 notrap aligned readonly region0 v0+16
;; @009c                               v40 = load.i64 notrap aligned readonly region0 v39+48
;; @009c                               call_indirect sig1, v40(v0, v36, v38, v37), stack_map=[i32 @ ss0+0]  ; v38 = 0
;; @009c                               jump block6
;;
;;                                 block5:
;; @009c                               v41 = iconst.i64 0
;;                                     v56 = stack_addr.i64 ss0
;;                                     v57 = load.i32 notrap aligned region5 v56
;; @009c                               v42 = uextend.i64 v57
;; @009c                               v43 = iadd.i64 v23, v42
;; @009c                               v44 = iadd v43, v8
;; @009c                               v45 = iconst.i64 8
;; @009c                               v46 = iadd v43, v45  ; v45 = 8
;; @009c                               v48 = icmp ne v46, v44
;; @009c                               brif v48, block7(v46), block8
;;
;;                                 block7(v47: i64):
;; @009c                               store.i64 notrap little region4 v41, v47  ; v41 = 0
;; @009c                               v49 = iconst.i64 8
;; @009c                               v50 = iadd v47, v49  ; v49 = 8
;; @009c                               v51 = icmp ne v50, v44
;; @009c                               brif v51, block7(v50), block8
;;
;;                                 block8:
;; @009c                               jump block6
;;
;;                                 block6:
;;                                     v52 = stack_addr.i64 ss0
;;                                     v53 = load.i32 notrap aligned region5 v52
;; @009f                               return v53
;; }
;;
;; function u0:7(i64 vmctx) -> i32 tail {
;;     region0 = 0 "context"
;;     region1 = 7 "end of objects"
;;     region2 = 1 "store"
;;     region3 = 8 "headers"
;;     region4 = 9 "elements"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     sig0 = (i64, i32, i64, i32) -> i32 system_v
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64):
;;                                     v2 = load.i64 notrap aligned readonly can_move region0 v0+24
;;                                     v4 = load.i64 notrap aligned readonly can_move region0 v0+8
;;                                     v15 = load.i64 notrap aligned readonly can_move region2 v4+48
;; @00a2                               v1 = iconst.i32 5
;; @00a4                               v3 = load.i32 notrap aligned readonly can_move region0 v2
;; @00a4                               v5 = load.i32 notrap aligned region1 v4+56
;; @00a4                               v6 = load.i32 notrap aligned region2 v4+60
;; @00a4                               v7 = iconst.i32 32
;; @00a4                               v8 = iadd v5, v7  ; v7 = 32
;; @00a4                               v9 = icmp ule v8, v6
;; @00a4                               brif v9, block1, block2
;;
;;                                 block2 cold:
;; @00a4                               v11 = iconst.i64 32
;; @00a4                               v12 = load.i64 notrap aligned readonly region0 v0+16
;; @00a4                               v13 = load.i64 notrap aligned readonly region0 v12+160
;; @00a4                               v14 = call_indirect sig0, v13(v0, v3, v11, v1)  ; v11 = 32, v1 = 5
;; @00a4                               jump block3(v14)
;;
;;                                 block1:
;; @00a4                               store.i32 notrap aligned region1 v8, v4+56
;; @00a4                               jump block3(v5)
;;
;;                                 block3(v10: i32):
;; @00a4                               v16 = uextend.i64 v10
;; @00a4                               v17 = iadd.i64 v15, v16
;; @00a4                               v18 = uextend.i64 v3
;; @00a4                               v19 = uextend.i64 v1  ; v1 = 5
;; @00a4                               v20 = iconst.i64 32
;; @00a4                               v21 = ishl v19, v20  ; v20 = 32
;; @00a4                               v22 = bor v18, v21
;; @00a4                               store notrap little region3 v22, v17
;; @00a4                               v23 = iconst.i64 0
;; @00a4                               v24 = uextend.i64 v10
;; @00a4                               v25 = iadd.i64 v15, v24
;; @00a4                               store notrap little region4 v23, v25+8  ; v23 = 0
;; @00a4                               store notrap little region4 v23, v25+16  ; v23 = 0
;; @00a4                               store notrap little region4 v23, v25+24  ; v23 = 0
;; @00a7                               return v10
;; }
;;
;; function u0:8(i64 vmctx, i32) -> i32 tail {
;;     region0 = 8 "headers"
;;     region1 = 0 "context"
;;     region2 = 1 "store"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned gv0+8
;;     gv2 = load.i64 notrap aligned gv1+8
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i32):
;;                                     v2 = load.i64 notrap aligned readonly can_move region1 v0+8
;;                                     v3 = load.i64 notrap aligned readonly can_move region2 v2+48
;; @00ac                               v4 = uextend.i64 v1
;; @00ac                               v5 = iadd v3, v4
;; @00ac                               v6 = load.i32 user14 little region0 v5+4
;; @00ae                               return v6
;; }
