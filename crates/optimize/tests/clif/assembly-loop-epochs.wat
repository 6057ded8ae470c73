;;! target x86_64
;;! assembly
;;! epochs
(module
  ;; A short loop is written twice, and only the second copy looks at the epoch.
  (memory 1)
  (func (param $at i32) (param $end i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.ne (local.get $at) (local.get $end))))
    (local.get $sum)))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   uninit  %rax
;;   xorl %eax, %eax
;;   movq 0x30(%rdi), %rcx
;;   movq 8(%rdi), %rdi
;;   jmp     label1
;; block1:
;;   movl %esi, %r8d
;;   movzbq (%rcx, %r8), %r8
;;   leal 1(%rsi), %r9d
;;   cmpl %edx, %r9d
;;   jz      label5; j label2
;; block2:
;;   movzbq (%rcx, %r9), %r9
;;   movq (%rdi), %r10
;;   movl (%r10), %r10d
;;   leal 2(%rsi), %esi
;;   leal (%rax, %r8), %eax
;;   leal (%rax, %r9), %eax
;;   cmpl %edx, %esi
;;   jnz     label3; j label4
;; block3:
;;   jmp     label1
;; block4:
;;   jmp     label6
;; block5:
;;   leal (%rax, %r8), %eax
;;   jmp     label6
;; block6:
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
