;; Throwing as a way to say no: every second call of a small parser fails with an exception that its caller catches, with
;; a code and a position as payload. What throws is two to five calls away from what catches.
(module
  (type $Error (func (param i32 i64)))

  (@include "benches/include/bench.wat")

  (tag $error (type $Error))

  ;; The value of a digit; there are no digits from ten on.
  (func $digit (param $byte i32) (param $at i64) (result i32)
    (if (i32.gt_u (local.get $byte) (i32.const 9))
      (then (throw $error (local.get $byte) (local.get $at))))
    (local.get $byte))

  ;; A number of up to four digits, the bytes of `text` from byte `i` on.
  (func $number (param $text i32) (param $at i64) (param $i i32) (result i32)
    (local $digit i32)
    (if (i32.ge_u (local.get $i) (i32.const 4))
      (then (return (i32.const 0))))
    (local.set $digit
      (call $digit
        (i32.and (i32.shr_u (local.get $text) (i32.shl (local.get $i) (i32.const 3))) (i32.const 255))
        (i64.add (local.get $at) (i64.extend_i32_u (local.get $i)))))
    (i32.add
      (i32.mul (i32.const 10)
        (call $number (local.get $text) (local.get $at) (i32.add (local.get $i) (i32.const 1))))
      (local.get $digit)))

  (func $parse (param $text i32) (param $at i64) (result i64)
    (local $code i32)
    (block $failed (result i32 i64)
      (return
        (i64.extend_i32_u
          (try_table (result i32) (catch $error $failed)
            (call $number (local.get $text) (local.get $at) (i32.const 0))))))
    (local.set $at)
    (local.set $code)
    (i64.xor (local.get $at) (i64.shl (i64.extend_i32_u (local.get $code)) (i64.const 40))))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $text i32) (local $sum i64)
    (local.set $size (call $bench_size))
    (global.set $bench_state (i64.const 3))
    (call $bench_begin)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $text (i32.and (i32.wrap_i64 (call $bench_random)) (i32.const 0x07070707)))
        (if (i32.and (local.get $i) (i32.const 1))
          (then
            (local.set $text
              (i32.or (local.get $text)
                (i32.shl (i32.const 0x40) (i32.and (i32.shl (local.get $i) (i32.const 2)) (i32.const 24)))))))
        (local.set $sum
          (call $bench_mix (local.get $sum) (call $parse (local.get $text) (i64.extend_i32_u (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (call $bench_end (local.get $sum)))
)
