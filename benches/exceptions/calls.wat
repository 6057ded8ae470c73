;; What the two programs in calls_guarded.wat and calls_plain.wat share: functions that could throw but never do, and the
;; loop that times `$work`. Each of the two defines `$work`, which calls those functions, with handlers around the calls and
;; without; what the first takes longer is what it costs to be ready for an exception.
;;
;; This is a list of module fields, for a line `(@include "FILE")` after the types of a program.

(@include "benches/include/bench.wat")

(tag $error (param i32 i64))

;; Never true, but only the program knows: numbers are taken modulo something smaller.
(func $refuse (param $value i64)
  (if (i64.ge_u (local.get $value) (i64.const 0xfffffffffff0))
    (then (throw $error (i32.const 1) (local.get $value)))))

(func $step (param $a i64) (param $i i32) (result i64)
  (local $j i32)
  (call $refuse (local.get $a))
  (loop $more
    (local.set $a
      (i64.add
        (i64.rotl (local.get $a) (i64.extend_i32_u (i32.and (local.get $i) (i32.const 31))))
        (i64.extend_i32_u (i32.xor (local.get $i) (local.get $j)))))
    (local.set $j (i32.add (local.get $j) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $j) (i32.const 3))))
  (i64.rem_u (local.get $a) (i64.const 0xffffffffffc5)))

(func $fold (param $a i64) (param $b i64) (result i64)
  (call $refuse (local.get $b))
  (i64.rem_u
    (i64.mul (i64.xor (local.get $a) (i64.shr_u (local.get $b) (i64.const 7))) (i64.const 0x100000001b3))
    (i64.const 0xffffffffffc5)))

(func (export "_start")
  (local $size i32) (local $i i32) (local $sum i64)
  (local.set $size (call $bench_size))
  (call $bench_begin)
  (block $done
    (loop $more
      (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $sum (call $bench_mix (local.get $sum) (call $work (i32.const 1000) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $more)))
  (call $bench_end (local.get $sum)))
