;;! target x86_64
;;! assembly
(module
  ;; A loop that does two at a time, and what is left after it: the counter stays in its register, and how often it turns is computed before it.
  (func (export "sum") (param $n i32) (param $at i32) (result i32)
    (local $sum i32) (local $i i32) (local $most i32)
    (local.set $most (i32.and (local.get $n) (i32.const -2)))
    (loop $more
      (local.set $sum (i32.add (local.get $sum) (local.get $at)))
      (local.set $sum (i32.mul (local.get $sum) (local.get $at)))
      (br_if $more
        (i32.ne
          (local.tee $i (i32.add (local.get $i) (i32.const 2)))
          (local.get $most))))
    (i32.add (local.get $sum) (i32.mul (local.get $i) (local.get $n)))))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   uninit  %rdi
;;   xorl %edi, %edi
;;   movq %rsi, %rax
;;   andl $0xfffffffe, %eax
;;   movq %rdi, %r8
;;   jmp     label1
;; block1:
;;   leal 2(%r8), %r8d
;;   leal (%rdi, %rdx), %edi
;;   imull %edx, %edi
;;   cmpl %eax, %r8d
;;   jnz     label2; j label3
;; block2:
;;   jmp     label1
;; block3:
;;   imull %esi, %r8d
;;   leal (%rdi, %r8), %eax
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
