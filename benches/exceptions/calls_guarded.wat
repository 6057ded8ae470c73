;; Hot calls with handlers around them that are never used. The handlers read locals that the calls change, as `catch` and
;; `finally` blocks do.
(module
  (@include "benches/exceptions/calls.wat")

  (func $work (param $rounds i32) (param $i i32) (result i64)
    (local $a i64) (local $b i64) (local $c i64) (local $code i32)
    (loop $more
      (block $next
        (block $caught (result i32 i64)
          (try_table (catch $error $caught)
            (local.set $a (call $step (local.get $a) (local.get $i)))
            (local.set $b (call $step (local.get $b) (i32.add (local.get $i) (i32.const 5))))
            (local.set $c (call $fold (local.get $a) (local.get $b))))
          (block $caught_again (result i32 i64)
            (try_table (catch $error $caught_again)
              (local.set $a (call $fold (local.get $c) (local.get $a)))
              (local.set $b (call $step (local.get $c) (local.get $i))))
            (br $next)))
        ;; Either handler ends here.
        (local.set $c (i64.add (local.get $a)))
        (local.set $code)
        (local.set $a (i64.add (i64.extend_i32_u (local.get $code)) (local.get $b))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $more (local.get $rounds)))
    (i64.add (i64.add (local.get $a) (local.get $b)) (local.get $c)))
)
