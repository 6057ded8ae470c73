;; Allocation of small objects: builds and drops many complete binary trees, as kernels/binary_trees.c does with malloc;
;; the same size gives the same checksum.
(module
  (@include "benches/include/object.wat")
  (type $Node (sub final $Object (struct
    (field $vtable (ref $ObjectVtable))
    (field $left (ref null $Node))
    (field $right (ref null $Node)))))

  (@include "benches/include/bench.wat")

  (global $node_vtable (ref $ObjectVtable) (struct.new $ObjectVtable (ref.func $hash)))

  (func $hash (type $HashMethod) (i32.const 0))

  (func $build (param $depth i32) (result (ref $Node))
    (if (i32.eqz (local.get $depth))
      (then (return (struct.new $Node (global.get $node_vtable) (ref.null $Node) (ref.null $Node)))))
    (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
    (struct.new $Node (global.get $node_vtable) (call $build (local.get $depth)) (call $build (local.get $depth))))

  (func $count (param $node (ref $Node)) (result i32)
    (local $left (ref null $Node))
    (local.set $left (struct.get $Node $left (local.get $node)))
    (if (ref.is_null (local.get $left))
      (then (return (i32.const 1))))
    (i32.add
      (i32.add (i32.const 1) (call $count (ref.as_non_null (local.get $left))))
      (call $count (ref.as_non_null (struct.get $Node $right (local.get $node))))))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $sum i64) (local $kept (ref null $Node))
    (local.set $size (call $bench_size))
    (call $bench_begin)
    (local.set $kept (call $build (i32.const 16)))
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $sum
          (call $bench_mix (local.get $sum)
            (i64.extend_i32_u
              (call $count (call $build (i32.add (i32.const 4) (i32.rem_u (local.get $i) (i32.const 11))))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (local.set $sum
      (call $bench_mix (local.get $sum) (i64.extend_i32_u (call $count (ref.as_non_null (local.get $kept))))))
    (call $bench_end (local.get $sum)))
)
