;;! target aarch64
;;! assembly
(module
  (import "" "" (func $import (param i32) (result i64)))
  (import "" "" (tag $other (param i32)))
  (tag $e (param i32 i64))
  (func $callee (param i32) (result i64)
    (if (i32.eqz (local.get 0)) (then (throw $e (local.get 0) (i64.const 3))))
    (call $import (local.get 0)))
  (func (param i32) (result i64) (local $x i64)
    (block $all
      (block $e (result i32 i64)
        (try_table (catch $e $e) (catch_all $all)
          (return (call $callee (local.get 0))))
        (unreachable))
      (local.set $x)
      (return (i64.add (i64.extend_i32_u) (local.get $x))))
    (i64.const -1))
  (func (param i32 exnref) (result i32 exnref)
    (block $other (result i32 exnref)
      (try_table (catch_ref $other $other)
        (drop (call $import (local.get 0)))
        (throw_ref (local.get 1)))
      (unreachable)))
  (func (param i32) (result i32)
    (block $e (result i32 i64)
      (try_table (catch $e $e) (throw $e (local.get 0) (i64.const 1)))
      (unreachable))
    (drop)))

;;   stp fp, lr, [sp, #-16]!
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   mov fp, sp
;;   ldr x16, [x2, #8]
;;   ldr x16, [x16, #8]
;;   add x16, x16, #48
;;   subs xzr, sp, x16, UXTX
;;   b.lo #trap=stk_ovf
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 32 }
;;   str x28, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 16, reg: p28i }
;;   stp x19, x20, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 0, reg: p19i }
;;   unwind SaveReg { clobber_offset: 8, reg: p20i }
;; block0:
;;   mov x28, x2
;;   cbz w3, label2 ; b label1
;; block1:
;;   mov x2, x28
;;   ldr x0, [x2, #8]
;;   str x2, [x0, #16]
;;   ldr x0, [x2, #48]
;;   ldr x2, [x2, #56]
;;   blr x0
;;   ldp x19, x20, [sp], #16
;;   ldr x28, [sp], #16
;;   ldp fp, lr, [sp], #16
;;   ret
;; block2:
;;   mov x2, x28
;;   mov x20, x3
;;   ldr x19, [x2, #8]
;;   ldr w1, [x19, #56]
;;   ldr w0, [x19, #60]
;;   add w2, w1, #24
;;   subs wzr, w2, w0
;;   b.ls label4 ; b label3
;; block4:
;;   add w0, w1, #24
;;   str w0, [x19, #56]
;;   mov x2, x28
;;   b label5
;; block3:
;;   mov x2, x28
;;   ldr x0, [x2, #16]
;;   ldr x4, [x0, #160]
;;   ldr x0, [x2, #24]
;;   ldr w1, [x0, #8]
;;   movz x2, #24
;;   movz w3, #0
;;   mov x0, x28
;;   blr x4
;;   mov x1, x0
;;   mov x2, x28
;;   b label5
;; block5:
;;   ldr x0, [x2, #24]
;;   ldr w3, [x0, #8]
;;   ldr x4, [x19, #48]
;;   add x0, x4, x1, UXTW
;;   str w3, [x4, w1, UXTW]
;;   ldr w3, [x2, #100]
;;   str w3, [x0, #4]
;;   mov x3, x20
;;   str w3, [x0, #8]
;;   movz x3, #3
;;   str x3, [x0, #16]
;;   ldr x0, [x2, #16]
;;   mov x28, x2
;;   ldr x2, [x0, #224]
;;   mov x0, x28
;;   blr x2
;;   udf #0xc11f
;;
;;   stp fp, lr, [sp, #-16]!
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   mov fp, sp
;;   ldr x16, [x2, #8]
;;   ldr x16, [x16, #8]
;;   add x16, x16, #32
;;   subs xzr, sp, x16, UXTX
;;   b.lo #trap=stk_ovf
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 16 }
;;   str x19, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 0, reg: p19i }
;; block0:
;;   cbz w3, label6 ; b label1
;; block1:
;;   ldr x0, [x2, #8]
;;   str x2, [x0, #16]
;;   ldr x4, [x2, #48]
;;   mov x19, x2
;;   movz x1, #0
;;   mov x0, x19
;;   ldr x2, [x0, #56]
;;   mov x0, x1
;;   blr x4; b MachLabel(2); catch [context p19i, tag1: MachLabel(5), default: MachLabel(3)]
;; block2:
;;   ldr x19, [sp], #16
;;   ldp fp, lr, [sp], #16
;;   ret
;; block4:
;;   movn x2, #0
;;   ldr x19, [sp], #16
;;   ldp fp, lr, [sp], #16
;;   ret
;; block6:
;;   movz x0, #3
;;   b label7
;; block7:
;;   add x2, x0, x3, UXTW
;;   ldr x19, [sp], #16
;;   ldp fp, lr, [sp], #16
;;   ret
;; block3:
;;   b label4
;; block5:
;;   ldr x1, [x19, #8]
;;   ldr x1, [x1, #48]
;;   add x0, x1, x0, UXTW
;;   ldr w3, [x0, #8]
;;   ldr x0, [x0, #16]
;;   b label7
;;
;;   stp fp, lr, [sp, #-16]!
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   mov fp, sp
;;   ldr x16, [x2, #8]
;;   ldr x16, [x16, #8]
;;   add x16, x16, #176
;;   subs xzr, sp, x16, UXTX
;;   b.lo #trap=stk_ovf
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 144 }
;;   stp x27, x28, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 128, reg: p27i }
;;   unwind SaveReg { clobber_offset: 136, reg: p28i }
;;   stp x25, x26, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 112, reg: p25i }
;;   unwind SaveReg { clobber_offset: 120, reg: p26i }
;;   stp x23, x24, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 96, reg: p23i }
;;   unwind SaveReg { clobber_offset: 104, reg: p24i }
;;   stp x21, x22, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 80, reg: p21i }
;;   unwind SaveReg { clobber_offset: 88, reg: p22i }
;;   stp x19, x20, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 64, reg: p19i }
;;   unwind SaveReg { clobber_offset: 72, reg: p20i }
;;   stp d14, d15, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 48, reg: p14f }
;;   unwind SaveReg { clobber_offset: 56, reg: p15f }
;;   stp d12, d13, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 32, reg: p12f }
;;   unwind SaveReg { clobber_offset: 40, reg: p13f }
;;   stp d10, d11, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 16, reg: p10f }
;;   unwind SaveReg { clobber_offset: 24, reg: p11f }
;;   stp d8, d9, [sp, #-16]!
;;   unwind SaveReg { clobber_offset: 0, reg: p8f }
;;   unwind SaveReg { clobber_offset: 8, reg: p9f }
;;   sub sp, sp, #16
;;   unwind StackAlloc { size: 16 }
;; block0:
;;   str x2, [sp, #8]
;;   str w4, [sp]
;;   ldr x0, [x2, #8]
;;   str x2, [x0, #16]
;;   ldr x4, [x2, #48]
;;   movz x1, #0
;;   ldr x2, [x2, #56]
;;   mov x0, x1
;;   blr x4; b MachLabel(2); catch [context stack0, tag0: MachLabel(1)]
;;   ; UserStackMap { by_type: [(types::I32, CompoundBitSet {0})], sp_to_sized_stack_slots: None }
;; block2:
;;   ldr w1, [sp]
;;   cbz w1, #trap=user14
;;   ldr x2, [sp, #8]
;;   ldr x0, [x2, #16]
;;   ldr x2, [x0, #224]
;;   ldr x0, [sp, #8]
;;   blr x2; b MachLabel(4); catch [context stack0, tag0: MachLabel(3)]
;; block6:
;;   add sp, sp, #16
;;   ldp d8, d9, [sp], #16
;;   ldp d10, d11, [sp], #16
;;   ldp d12, d13, [sp], #16
;;   ldp d14, d15, [sp], #16
;;   ldp x19, x20, [sp], #16
;;   ldp x21, x22, [sp], #16
;;   ldp x23, x24, [sp], #16
;;   ldp x25, x26, [sp], #16
;;   ldp x27, x28, [sp], #16
;;   ldp fp, lr, [sp], #16
;;   ret
;; block1:
;;   ldr x2, [sp, #8]
;;   mov x3, x0
;;   b label5
;; block3:
;;   ldr x2, [sp, #8]
;;   mov x3, x0
;;   b label5
;; block4:
;;   udf #0xc11f
;; block5:
;;   ldr x0, [x2, #8]
;;   ldr x0, [x0, #48]
;;   add x0, x0, x3, UXTW
;;   ldr w2, [x0, #8]
;;   b label6
;;
;;   stp fp, lr, [sp, #-16]!
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   mov fp, sp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   b label1
;; block1:
;;   mov x2, x3
;;   ldp fp, lr, [sp], #16
;;   ret
