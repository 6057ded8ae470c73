;; Throwing far: an exception passes up to a hundred calls on its way to the one that catches it. Every fourth of them
;; has a handler for another tag, which must be passed by, and every sixteenth one that cleans up and throws on.
(module
  (type $Found (func (param i32 i64)))
  (type $Other (func (param i32)))

  (@include "benches/include/bench.wat")

  (tag $found (type $Found))
  (tag $other (type $Other))
  ;; How many clean-ups ran.
  (global $cleaned (mut i64) (i64.const 0))

  (func $descend (param $depth i32) (param $sum i64) (result i64)
    (if (i32.eqz (local.get $depth))
      (then (throw $found (i32.wrap_i64 (local.get $sum)) (local.get $sum))))
    (if (i32.eqz (i32.and (local.get $depth) (i32.const 15)))
      (then (return (call $descend_and_clean (local.get $depth) (local.get $sum)))))
    (if (i32.eqz (i32.and (local.get $depth) (i32.const 3)))
      (then (return (call $descend_past (local.get $depth) (local.get $sum)))))
    ;; The addition keeps this from being a tail call.
    (i64.add
      (call $descend
        (i32.sub (local.get $depth) (i32.const 1))
        (call $bench_mix (local.get $sum) (i64.extend_i32_u (local.get $depth))))
      (i64.const 1)))

  (func $descend_past (param $depth i32) (param $sum i64) (result i64)
    (block $caught (result i32)
      (return
        (i64.add (local.get $sum)
          (try_table (result i64) (catch $other $caught)
            (call $descend (i32.sub (local.get $depth) (i32.const 1)) (local.get $sum))))))
    (i64.extend_i32_u))

  (func $descend_and_clean (param $depth i32) (param $sum i64) (result i64)
    (block $caught (result exnref)
      (return
        (i64.add (local.get $sum)
          (try_table (result i64) (catch_all_ref $caught)
            (call $descend (i32.sub (local.get $depth) (i32.const 1)) (local.get $sum))))))
    (global.set $cleaned (i64.add (global.get $cleaned) (i64.const 1)))
    (throw_ref))

  (func $search (param $depth i32) (param $sum i64) (result i64)
    (local $found i64)
    (block $caught (result i32 i64)
      (return
        (try_table (result i64) (catch $found $caught)
          (call $descend (local.get $depth) (local.get $sum)))))
    (local.set $found)
    (i64.add (i64.extend_i32_u) (local.get $found)))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $sum i64)
    (local.set $size (call $bench_size))
    (call $bench_begin)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $sum
          (call $bench_mix
            (call $search (i32.rem_u (local.get $i) (i32.const 101)) (local.get $sum))
            (global.get $cleaned)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (call $bench_end (local.get $sum)))
)
