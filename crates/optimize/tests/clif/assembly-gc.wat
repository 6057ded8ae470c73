;;! target x86_64
;;! assembly
(module
  (type $node (struct (field i32) (field (ref null $node))))
  (type $array (array (mut i32)))
  (func $build (param $n i32) (result (ref null $node)) (local $list (ref null $node))
    (loop $again
      (local.set $list (struct.new $node (local.get $n) (local.get $list)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $list))
  (func $sum (param $list (ref null $node)) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $list))))
      (br_if $again
        (i32.eqz (ref.is_null (local.tee $list (struct.get $node 1 (local.get $list)))))))
    (local.get $sum))
  (func $sum_array (param $array (ref $array)) (result i32) (local $sum i32) (local $i i32)
    (loop $again
      (local.set $sum
        (i32.add (local.get $sum) (array.get $array (local.get $array) (local.get $i))))
      (br_if $again
        (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (array.len (local.get $array)))))
    (local.get $sum)))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   movq 8(%rdi), %r10
;;   movq 8(%r10), %r10
;;   addq $0x50, %r10
;;   cmpq %rsp, %r10
;;   jnbe #trap=stk_ovf
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 48 }
;;   subq $0x40, %rsp
;;   movq %rbx, 0x10(%rsp)
;;   unwind SaveReg { clobber_offset: 0, reg: p3i }
;;   movq %r12, 0x18(%rsp)
;;   unwind SaveReg { clobber_offset: 8, reg: p12i }
;;   movq %r13, 0x20(%rsp)
;;   unwind SaveReg { clobber_offset: 16, reg: p13i }
;;   movq %r14, 0x28(%rsp)
;;   unwind SaveReg { clobber_offset: 24, reg: p14i }
;;   movq %r15, 0x30(%rsp)
;;   unwind SaveReg { clobber_offset: 32, reg: p15i }
;; block0:
;;   movq %rsi, %r15
;;   uninit  %rax
;;   xorl %eax, %eax
;;   movq 8(%rdi), %r13
;;   movq 0x18(%rdi), %rcx
;;   movl (%rcx), %ebx
;;   movq 0x30(%r13), %r12
;;   jmp     label1
;; block1:
;;   sequence_point
;;   movl %eax, <offset:1>+(%rsp)
;;   movl 0x38(%r13), %eax
;;   movl 0x3c(%r13), %edx
;;   leal 0x10(%rax), %ecx
;;   cmpl %edx, %ecx
;;   jbe     label3; j label2
;; block3:
;;   movq %rdi, %r14
;;   movl %ecx, 0x38(%r13)
;;   jmp     label4
;; block4:
;;   movl %eax, %ecx
;;   movl %ebx, (%r12, %rcx)
;;   movq %r15, %rsi
;;   movl %esi, 4(%r12, %rcx)
;;   movl <offset:1>+(%rsp), %edx
;;   movl %edx, 8(%r12, %rcx)
;;   subl $0x1, %esi
;;   testl %esi, %esi
;;   jnz     label5; j label6
;; block5:
;;   movq %r14, %rdi
;;   movq %rsi, %r15
;;   jmp     label1
;; block6:
;;   movq 0x10(%rsp), %rbx
;;   movq 0x18(%rsp), %r12
;;   movq 0x20(%rsp), %r13
;;   movq 0x28(%rsp), %r14
;;   movq 0x30(%rsp), %r15
;;   addq $0x40, %rsp
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
;; block2:
;;   movq %rdi, %r14
;;   movq 0x10(%r14), %rax
;;   movq 0xa0(%rax), %rax
;;   movl $0x10, %edx
;;   uninit  %rcx
;;   xorl %ecx, %ecx
;;   movq %rbx, %rsi
;;   call    *%rax
;;   ; UserStackMap { by_type: [(types::I32, CompoundBitSet {0})], sp_to_sized_stack_slots: None }
;;   jmp     label4
;;
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
;;   movl %esi, %edx
;;   movl 4(%rcx, %rdx), %edi
;;   movl 8(%rcx, %rdx), %esi
;;   leal (%rax, %rdi), %eax
;;   testl %esi, %esi
;;   jnz     label2; j label3
;; block2:
;;   jmp     label1
;; block3:
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
;;
;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   uninit  %rax
;;   xorl %eax, %eax
;;   movq 8(%rdi), %rcx
;;   movq 0x30(%rcx), %rcx
;;   movl %esi, %edx
;;   movq %rax, %r10
;;   jmp     label1
;; block1:
;;   movl 4(%rcx, %rdx), %edi
;;   cmpl %edi, %r10d
;;   jnb #trap=user15
;;   leal (%rsi, %r10, 4), %r8d
;;   movl 8(%rcx, %r8), %r8d
;;   leal 1(%r10), %r10d
;;   leal (%rax, %r8), %eax
;;   cmpl %edi, %r10d
;;   jb      label2; j label3
;; block2:
;;   jmp     label1
;; block3:
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
