;;! target x86_64
;;! assembly
(module
  ;; A loop with a call: what one block of it loads is not loaded again in the next.
  (import "" "step" (func $step))
  (global $flags (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  (func (export "run")
    (loop $more
      (if (i32.lt_u (global.get $flags) (i32.const 9))
        (then (global.set $count (global.get $flags))))
      (call $step)
      (br_if $more (global.get $count)))))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   movq 8(%rdi), %r10
;;   movq 8(%r10), %r10
;;   addq $0x30, %r10
;;   cmpq %rsp, %r10
;;   jnbe #trap=stk_ovf
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 32 }
;;   subq $0x20, %rsp
;;   movq %r12, (%rsp)
;;   unwind SaveReg { clobber_offset: 0, reg: p12i }
;;   movq %r13, 8(%rsp)
;;   unwind SaveReg { clobber_offset: 8, reg: p13i }
;;   movq %r14, 0x10(%rsp)
;;   unwind SaveReg { clobber_offset: 16, reg: p14i }
;;   movq %r15, 0x18(%rsp)
;;   unwind SaveReg { clobber_offset: 24, reg: p15i }
;; block0:
;;   movq 8(%rdi), %r12
;;   movq 0x30(%rdi), %r13
;;   movq 0x38(%rdi), %r14
;;   jmp     label1
;; block1:
;;   sequence_point
;;   movq %rdi, %r15
;;   movl 0x50(%r15), %r8d
;;   cmpl $0x9, %r8d
;;   jb      label3; j label2
;; block2:
;;   jmp     label4
;; block3:
;;   movl %r8d, 0x60(%r15)
;;   jmp     label4
;; block4:
;;   movq %r15, 0x10(%r12)
;;   movq %r14, %rdi
;;   call    *%r13
;;   movl 0x60(%r15), %eax
;;   testl %eax, %eax
;;   jnz     label5; j label6
;; block5:
;;   movq %r15, %rdi
;;   jmp     label1
;; block6:
;;   movq (%rsp), %r12
;;   movq 8(%rsp), %r13
;;   movq 0x10(%rsp), %r14
;;   movq 0x18(%rsp), %r15
;;   addq $0x20, %rsp
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
