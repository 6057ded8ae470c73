;;! target x86_64
;;! assembly
(module
  ;; A pointer that is loaded, used as an address, and returned: nothing extends it.
  (memory 1)
  (func (export "follow") (param $at i32) (result i32)
    (local $next i32)
    (local.set $next (i32.load (local.get $at)))
    (i32.store offset=8 (local.get $next) (i32.const 1))
    (i32.store offset=12 (i32.add (local.get $next) (local.get $at)) (i32.const 2))
    (local.get $next)))

;;   pushq %rbp
;;   unwind PushFrameRegs { offset_upward_to_caller_sp: 16 }
;;   movq %rsp, %rbp
;;   unwind DefineNewFrame { offset_upward_to_caller_sp: 16, offset_downward_to_clobbers: 0 }
;; block0:
;;   movq %rsi, %r8
;;   movq 0x30(%rdi), %rsi
;;   movl %r8d, %edi
;;   movl (%rsi, %rdi), %eax
;;   movl $0x1, 8(%rsi, %rax)
;;   leal (%rax, %r8), %edi
;;   movl $0x2, 0xc(%rsi, %rdi)
;;   movq %rbp, %rsp
;;   popq %rbp
;;   retq
