;;! target aarch64
;;! assembly
(module
  (memory 1)
  (func (param i32 i32) (result i32)
    (loop
      (i32.store offset=4 (local.get 0) (i32.load offset=8 (local.get 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 16)))
      (br_if 0 (i32.lt_u (local.get 0) (local.get 1))))
    (i32.load (local.get 0))))

;;   stp fp, lr, [sp, #-16]!
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   mov fp, sp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   ldr x9, [x2, #48]
;;   b label1
;; block1:
;;   add x10, x9, x3, UXTW
;;   ldr w11, [x10, #8]
;;   str w11, [x10, #4]
;;   add w3, w3, #16
;;   subs wzr, w3, w4
;;   b.lo label2 ; b label3
;; block2:
;;   b label1
;; block3:
;;   ldr w2, [x9, w3, UXTW]
;;   ldp fp, lr, [sp], #16
;;   ret
