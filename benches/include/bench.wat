;; What every program of the suite in text format shares, as bench.h is for those in C: its size from the command line,
;; a clock around its work, a checksum that every engine must agree on, and a deterministic source of numbers.
;;
;; This is a list of module fields. A program takes them in with a line `(@include "FILE")` before any field of its own
;; that is not a type or an import; the build puts this text there. The program does its work in an exported `_start`.
;;
;; Memory is for WASI alone. Bytes 0 to 63 are results of calls and a vector to write, from 64 on is text to write, from
;; 1024 on are the addresses of arguments, from 8192 on their text.

(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

(memory (export "memory") 1)
(data (i32.const 128) "usage: program SIZE\n")
(data (i32.const 160) "checksum ")
(data (i32.const 192) "elapsed_ns ")
(data (i32.const 224) "0123456789abcdef")

(global $bench_started (mut i64) (i64.const 0))
(global $bench_state (mut i64) (i64.const 1))

;; The size of the work: the first argument. A program without one is misused, so it says so.
(func $bench_size (result i32)
  (local $at i32) (local $digit i32) (local $size i32)
  (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
  (if (i32.or (i32.lt_u (i32.load (i32.const 0)) (i32.const 2))
              (i32.or
                (i32.gt_u (i32.load (i32.const 0)) (i32.const 1024))
                (i32.gt_u (i32.load (i32.const 4)) (i32.const 32768))))
    (then
      (call $bench_write (i32.const 2) (i32.const 128) (i32.const 20))
      (call $proc_exit (i32.const 2))
      (unreachable)))
  (drop (call $args_get (i32.const 1024) (i32.const 8192)))
  (local.set $at (i32.load (i32.const 1028)))
  (block $done
    (loop $more
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (br_if $done (i32.gt_u (local.get $digit) (i32.const 9)))
      (local.set $size (i32.add (i32.mul (local.get $size) (i32.const 10)) (local.get $digit)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $more)))
  (local.get $size))

(func $bench_now (result i64)
  (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 8)))
  (i64.load (i32.const 8)))

(func $bench_begin
  (global.set $bench_started (call $bench_now)))

(func $bench_end (param $checksum i64)
  (local $elapsed i64) (local $at i32)
  (local.set $elapsed (i64.sub (call $bench_now) (global.get $bench_started)))
  ;; The checksum, in sixteen hexadecimal digits, from the last to the first.
  (memory.copy (i32.const 64) (i32.const 160) (i32.const 9))
  (i32.store8 (i32.const 89) (i32.const 10))
  (local.set $at (i32.const 88))
  (loop $more
    (i32.store8 (local.get $at) (i32.load8_u offset=224 (i32.wrap_i64 (i64.and (local.get $checksum) (i64.const 15)))))
    (local.set $checksum (i64.shr_u (local.get $checksum) (i64.const 4)))
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (br_if $more (i32.ge_u (local.get $at) (i32.const 73))))
  (call $bench_write (i32.const 1) (i32.const 64) (i32.const 26))
  ;; The time, in decimal digits, from the last to the first; before them the words.
  (i32.store8 (i32.const 127) (i32.const 10))
  (local.set $at (i32.const 127))
  (loop $more
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at) (i32.load8_u offset=224 (i32.wrap_i64 (i64.rem_u (local.get $elapsed) (i64.const 10)))))
    (local.set $elapsed (i64.div_u (local.get $elapsed) (i64.const 10)))
    (br_if $more (i64.ne (local.get $elapsed) (i64.const 0))))
  (local.set $at (i32.sub (local.get $at) (i32.const 11)))
  (memory.copy (local.get $at) (i32.const 192) (i32.const 11))
  (call $bench_write (i32.const 2) (local.get $at) (i32.sub (i32.const 128) (local.get $at))))

(func $bench_write (param $fd i32) (param $text i32) (param $len i32)
  (i32.store (i32.const 16) (local.get $text))
  (i32.store (i32.const 20) (local.get $len))
  (drop (call $fd_write (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 24))))

;; xorshift64*: the same numbers on every machine and every engine. A program may set $bench_state first, to any number
;; but zero.
(func $bench_random (result i64)
  (local $x i64)
  (local.set $x (global.get $bench_state))
  (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 12))))
  (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 25))))
  (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 27))))
  (global.set $bench_state (local.get $x))
  (i64.mul (local.get $x) (i64.const 0x2545f4914f6cdd1d)))

;; Folds a value into a checksum.
(func $bench_mix (param $sum i64) (param $value i64) (result i64)
  (i64.rotl (i64.mul (i64.xor (local.get $sum) (local.get $value)) (i64.const 0x100000001b3)) (i64.const 23)))
