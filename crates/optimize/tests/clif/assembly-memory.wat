;;! target x86_64
;;! assembly
(module
  (memory 1)
  (func (param i32 i32) (result i32)
    (loop
      (i32.store offset=4 (local.get 0) (i32.load offset=8 (local.get 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 16)))
      (br_if 0 (i32.lt_u (local.get 0) (local.get 1))))
    (i32.load (local.get 0))))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   movq 0x30(%rdi), %r9
;;   jmp     label1
;; block1:
;;   movl %esi, %r10d
;;   movl 8(%r9, %r10), %r11d
;;   movl %r11d, 4(%r9, %r10)
;;   leal 0x10(%rsi), %esi
;;   cmpl %edx, %esi
;;   jb      label2; j label3
;; block2:
;;   jmp     label1
;; block3:
;;   movl (%r9, %rsi), %eax
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
