;; The calls of calls_guarded.wat without handlers around them.
(module
  (@include "benches/exceptions/calls.wat")

  (func $work (param $rounds i32) (param $i i32) (result i64)
    (local $a i64) (local $b i64) (local $c i64)
    (loop $more
      (local.set $a (call $step (local.get $a) (local.get $i)))
      (local.set $b (call $step (local.get $b) (i32.add (local.get $i) (i32.const 5))))
      (local.set $c (call $fold (local.get $a) (local.get $b)))
      (local.set $a (call $fold (local.get $c) (local.get $a)))
      (local.set $b (call $step (local.get $c) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $more (local.get $rounds)))
    (i64.add (i64.add (local.get $a) (local.get $b)) (local.get $c)))
)
