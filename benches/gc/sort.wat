;; References moved between arrays, and a comparator called through its vtable for each comparison: merge sort, stable, as
;; a library of a language with generics has it. Records are sorted by a key with a fraction, then by one with many ties.
(module
  (@include "benches/include/object.wat")
  (rec
    (type $Record (sub final $Object (struct
      (field $vtable (ref $ObjectVtable))
      (field $id i32)
      (field $group i32)
      (field $key f64))))
    (type $Objects (array (mut (ref null $Object))))

    (type $CompareMethod (func (param (ref $Comparator)) (param (ref null $Object)) (param (ref null $Object)) (result i32)))
    (type $ComparatorVtable (sub $ObjectVtable (struct
      (field $hash (ref $HashMethod)) (field $compare (ref $CompareMethod)))))
    (type $Comparator (sub $Object (struct (field $vtable (ref $ComparatorVtable))))))

  (@include "benches/include/bench.wat")

  (global $record_vtable (ref $ObjectVtable) (struct.new $ObjectVtable (ref.func $hash)))
  (global $by_key (ref $Comparator)
    (struct.new $Comparator (struct.new $ComparatorVtable (ref.func $hash) (ref.func $compare_keys))))
  (global $by_group (ref $Comparator)
    (struct.new $Comparator (struct.new $ComparatorVtable (ref.func $hash) (ref.func $compare_groups))))

  (func $hash (type $HashMethod) (i32.const 0))

  (func $compare_keys (type $CompareMethod)
    (param $this (ref $Comparator)) (param $a (ref null $Object)) (param $b (ref null $Object)) (result i32)
    (local $x f64) (local $y f64)
    (local.set $x (struct.get $Record $key (ref.cast (ref $Record) (local.get $a))))
    (local.set $y (struct.get $Record $key (ref.cast (ref $Record) (local.get $b))))
    (i32.sub (f64.gt (local.get $x) (local.get $y)) (f64.lt (local.get $x) (local.get $y))))

  (func $compare_groups (type $CompareMethod)
    (param $this (ref $Comparator)) (param $a (ref null $Object)) (param $b (ref null $Object)) (result i32)
    (i32.sub
      (struct.get $Record $group (ref.cast (ref $Record) (local.get $a)))
      (struct.get $Record $group (ref.cast (ref $Record) (local.get $b)))))

  ;; Whether the first of two objects has to stand after the second.
  (func $after (param $by (ref $Comparator)) (param $a (ref null $Object)) (param $b (ref null $Object)) (result i32)
    (i32.gt_s
      (call_ref $CompareMethod (local.get $by) (local.get $a) (local.get $b)
        (struct.get $ComparatorVtable $compare (struct.get $Comparator $vtable (local.get $by))))
      (i32.const 0)))

  ;; Sorts what `from` and `to` both hold between `low` and `high`; the result is in `to`.
  (func $merge_sort (param $from (ref $Objects)) (param $to (ref $Objects)) (param $low i32) (param $high i32)
    (param $by (ref $Comparator))
    (local $middle i32) (local $left i32) (local $right i32) (local $at i32) (local $take_left i32)
    (if (i32.lt_u (i32.sub (local.get $high) (local.get $low)) (i32.const 7))
      (then
        (call $insertion_sort (local.get $to) (local.get $low) (local.get $high) (local.get $by))
        (return)))
    (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
    (call $merge_sort (local.get $to) (local.get $from) (local.get $low) (local.get $middle) (local.get $by))
    (call $merge_sort (local.get $to) (local.get $from) (local.get $middle) (local.get $high) (local.get $by))
    ;; Two halves that are in order already are only copied.
    (if (i32.eqz
          (call $after (local.get $by)
            (array.get $Objects (local.get $from) (i32.sub (local.get $middle) (i32.const 1)))
            (array.get $Objects (local.get $from) (local.get $middle))))
      (then
        (array.copy $Objects $Objects (local.get $to) (local.get $low) (local.get $from) (local.get $low)
          (i32.sub (local.get $high) (local.get $low)))
        (return)))
    (local.set $left (local.get $low))
    (local.set $right (local.get $middle))
    (local.set $at (local.get $low))
    (loop $more
      (local.set $take_left (i32.ge_u (local.get $right) (local.get $high)))
      (if (i32.and (i32.eqz (local.get $take_left)) (i32.lt_u (local.get $left) (local.get $middle)))
        (then
          (local.set $take_left
            (i32.eqz
              (call $after (local.get $by)
                (array.get $Objects (local.get $from) (local.get $left))
                (array.get $Objects (local.get $from) (local.get $right)))))))
      (if (local.get $take_left)
        (then
          (array.set $Objects (local.get $to) (local.get $at) (array.get $Objects (local.get $from) (local.get $left)))
          (local.set $left (i32.add (local.get $left) (i32.const 1))))
        (else
          (array.set $Objects (local.get $to) (local.get $at) (array.get $Objects (local.get $from) (local.get $right)))
          (local.set $right (i32.add (local.get $right) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $at) (local.get $high)))))

  (func $insertion_sort (param $objects (ref $Objects)) (param $low i32) (param $high i32) (param $by (ref $Comparator))
    (local $i i32) (local $j i32) (local $object (ref null $Object))
    (local.set $i (i32.add (local.get $low) (i32.const 1)))
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $high)))
        (local.set $object (array.get $Objects (local.get $objects) (local.get $i)))
        (local.set $j (local.get $i))
        (block $placed
          (loop $down
            (br_if $placed (i32.le_u (local.get $j) (local.get $low)))
            (br_if $placed
              (i32.eqz
                (call $after (local.get $by)
                  (array.get $Objects (local.get $objects) (i32.sub (local.get $j) (i32.const 1)))
                  (local.get $object))))
            (array.set $Objects (local.get $objects) (local.get $j)
              (array.get $Objects (local.get $objects) (i32.sub (local.get $j) (i32.const 1))))
            (local.set $j (i32.sub (local.get $j) (i32.const 1)))
            (br $down)))
        (array.set $Objects (local.get $objects) (local.get $j) (local.get $object))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more))))

  (func $sort (param $objects (ref $Objects)) (param $by (ref $Comparator))
    (local $len i32) (local $copy (ref $Objects))
    (local.set $len (array.len (local.get $objects)))
    (local.set $copy (array.new_default $Objects (local.get $len)))
    (array.copy $Objects $Objects (local.get $copy) (i32.const 0) (local.get $objects) (i32.const 0) (local.get $len))
    (call $merge_sort (local.get $copy) (local.get $objects) (i32.const 0) (local.get $len) (local.get $by)))

  ;; Every record's id in order, with a trap where two neighbours are in the wrong order.
  (func $check (param $objects (ref $Objects)) (param $by (ref $Comparator)) (param $sum i64) (result i64)
    (local $i i32)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (array.len (local.get $objects))))
        (if (local.get $i)
          (then
            (if (call $after (local.get $by)
                  (array.get $Objects (local.get $objects) (i32.sub (local.get $i) (i32.const 1)))
                  (array.get $Objects (local.get $objects) (local.get $i)))
              (then (unreachable)))))
        (local.set $sum
          (call $bench_mix (local.get $sum)
            (i64.extend_i32_u
              (struct.get $Record $id
                (ref.cast (ref $Record) (array.get $Objects (local.get $objects) (local.get $i)))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (local.get $sum))

  (func $record (param $id i32) (result (ref $Record))
    (local $random i64)
    (local.set $random (call $bench_random))
    (struct.new $Record (global.get $record_vtable) (local.get $id)
      (i32.wrap_i64 (i64.rem_u (local.get $random) (i64.const 1000)))
      (f64.mul (f64.convert_i64_u (i64.shr_u (local.get $random) (i64.const 11))) (f64.const 0x1p-53))))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $sum i64) (local $objects (ref $Objects))
    (local.set $size (call $bench_size))
    (global.set $bench_state (i64.const 5))
    (local.set $objects (array.new_default $Objects (local.get $size)))
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (array.set $Objects (local.get $objects) (local.get $i) (call $record (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (call $bench_begin)
    (call $sort (local.get $objects) (global.get $by_key))
    (local.set $sum (call $check (local.get $objects) (global.get $by_key) (i64.const 0)))
    (call $sort (local.get $objects) (global.get $by_group))
    (call $bench_end (call $check (local.get $objects) (global.get $by_group) (local.get $sum))))
)
