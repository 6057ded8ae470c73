;;! target x86_64
;;! assembly
(module
  ;; A loop that goes on where a reference is not null: what does not change in it is loaded before it, and what follows it is after it.
  (type $list (struct (field (ref null $list)) (field (mut i32))))
  (func (export "sum") (param $at (ref null $list)) (result i32)
    (local $sum i32) (local $node (ref $list))
    (block $end
      (loop $more
        (local.set $node (br_on_null $end (local.get $at)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $list 1 (local.get $node))))
        (local.set $at (struct.get $list 0 (local.get $node)))
        (br $more)))
    (local.get $sum)))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   uninit  %rax
;;   xorl %eax, %eax
;;   movq 8(%rdi), %rcx
;;   movq 0x30(%rcx), %rcx
;;   jmp     label1
;; block1:
;;   testl %esi, %esi
;;   jz      label3; j label2
;; block2:
;;   movl %esi, %edx
;;   movl 8(%rcx, %rdx), %edi
;;   movl 4(%rcx, %rdx), %esi
;;   leal (%rax, %rdi), %eax
;;   jmp     label1
;; block3:
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
