;; A large live heap that changes all the time: a splay tree of 8000 nodes, each with a payload of some fifty objects, in
;; which a node comes and the next smaller one goes, over and over. Boxed numbers are i31 references in an array of
;; anything, and what a payload consists of is found out by casts.
(module
  (@include "benches/include/object.wat")
  (rec
    (type $Payload (sub $Object (struct (field $vtable (ref $ObjectVtable)))))
    (type $Branch (sub final $Payload (struct
      (field $vtable (ref $ObjectVtable))
      (field $left (ref $Payload))
      (field $right (ref $Payload)))))
    (type $Leaf (sub final $Payload (struct
      (field $vtable (ref $ObjectVtable))
      (field $values (ref $Values))
      (field $text (ref $Text)))))
    (type $Values (array (mut (ref null eq))))
    (type $Text (array (mut i8)))
    (type $Node (sub final $Object (struct
      (field $vtable (ref $ObjectVtable))
      (field $key f64)
      (field $payload (ref null $Payload))
      (field $left (mut (ref null $Node)))
      (field $right (mut (ref null $Node)))))))

  (@include "benches/include/bench.wat")

  (global $NODES i32 (i32.const 8000))
  (global $PAYLOAD_DEPTH i32 (i32.const 4))
  (global $TEXT_LENGTH i32 (i32.const 24))
  (global $vtable (ref $ObjectVtable) (struct.new $ObjectVtable (ref.func $hash)))
  (global $root (mut (ref null $Node)) (ref.null $Node))

  (func $hash (type $HashMethod) (i32.const 0))

  (func $payload (param $depth i32) (param $tag i32) (result (ref $Payload))
    (if (local.get $depth)
      (then
        (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
        (return
          (struct.new $Branch (global.get $vtable)
            (call $payload (local.get $depth) (local.get $tag))
            (call $payload (local.get $depth) (i32.add (local.get $tag) (i32.const 1)))))))
    (struct.new $Leaf (global.get $vtable) (call $values (local.get $tag)) (call $text (local.get $tag))))

  (func $values (param $tag i32) (result (ref $Values))
    (local $values (ref $Values)) (local $i i32)
    (local.set $values (array.new_default $Values (i32.const 10)))
    (loop $more
      (array.set $Values (local.get $values) (local.get $i) (ref.i31 (i32.add (local.get $tag) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (array.len (local.get $values)))))
    (local.get $values))

  (func $text (param $tag i32) (result (ref $Text))
    (local $text (ref $Text))
    (local.set $text (array.new $Text (i32.const 0x20) (global.get $TEXT_LENGTH)))
    (array.set $Text (local.get $text) (i32.rem_u (local.get $tag) (global.get $TEXT_LENGTH)) (local.get $tag))
    (local.get $text))

  ;; All that a payload holds, added up.
  (func $weigh (param $payload (ref null $Payload)) (result i64)
    (local $branch (ref $Branch)) (local $leaf (ref $Leaf)) (local $i i32) (local $sum i64)
    (block $other (result (ref null $Payload))
      (local.set $branch (br_on_cast_fail $other (ref null $Payload) (ref $Branch) (local.get $payload)))
      (return
        (i64.add
          (call $weigh (struct.get $Branch $left (local.get $branch)))
          (i64.rotl (call $weigh (struct.get $Branch $right (local.get $branch))) (i64.const 1)))))
    (local.set $leaf (ref.cast (ref $Leaf)))
    (loop $more
      (local.set $sum
        (i64.add (local.get $sum)
          (i64.extend_i32_u
            (i31.get_u
              (ref.cast (ref i31) (array.get $Values (struct.get $Leaf $values (local.get $leaf)) (local.get $i)))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (array.len (struct.get $Leaf $values (local.get $leaf))))))
    (local.set $i (i32.const 0))
    (loop $more
      (local.set $sum
        (i64.add (local.get $sum)
          (i64.extend_i32_u (array.get_u $Text (struct.get $Leaf $text (local.get $leaf)) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (array.len (struct.get $Leaf $text (local.get $leaf))))))
    (local.get $sum))

  (func $node (param $key f64) (param $payload (ref null $Payload)) (result (ref $Node))
    (struct.new $Node (global.get $vtable) (local.get $key) (local.get $payload) (ref.null $Node) (ref.null $Node)))

  ;; Makes the node with `key`, or the last one on the way to where it would be, the root: Sleator's top-down splaying. Two
  ;; trees grow at the edges of a node that is only scaffolding.
  (func $splay (param $key f64)
    (local $scaffold (ref $Node)) (local $left (ref $Node)) (local $right (ref $Node)) (local $at (ref $Node))
    (local $next (ref $Node))
    (local.set $scaffold (call $node (f64.const 0) (ref.null $Payload)))
    (local.set $left (local.get $scaffold))
    (local.set $right (local.get $scaffold))
    (block $empty
      (local.set $at (br_on_null $empty (global.get $root)))
      (block $found
        (loop $down
          (if (f64.lt (local.get $key) (struct.get $Node $key (local.get $at)))
            (then
              (local.set $next (br_on_null $found (struct.get $Node $left (local.get $at))))
              (if (f64.lt (local.get $key) (struct.get $Node $key (local.get $next)))
                (then
                  (struct.set $Node $left (local.get $at) (struct.get $Node $right (local.get $next)))
                  (struct.set $Node $right (local.get $next) (local.get $at))
                  (local.set $at (local.get $next))
                  (local.set $next (br_on_null $found (struct.get $Node $left (local.get $at))))))
              (struct.set $Node $left (local.get $right) (local.get $at))
              (local.set $right (local.get $at))
              (local.set $at (local.get $next))
              (br $down)))
          (if (f64.gt (local.get $key) (struct.get $Node $key (local.get $at)))
            (then
              (local.set $next (br_on_null $found (struct.get $Node $right (local.get $at))))
              (if (f64.gt (local.get $key) (struct.get $Node $key (local.get $next)))
                (then
                  (struct.set $Node $right (local.get $at) (struct.get $Node $left (local.get $next)))
                  (struct.set $Node $left (local.get $next) (local.get $at))
                  (local.set $at (local.get $next))
                  (local.set $next (br_on_null $found (struct.get $Node $right (local.get $at))))))
              (struct.set $Node $right (local.get $left) (local.get $at))
              (local.set $left (local.get $at))
              (local.set $at (local.get $next))
              (br $down)))))
      (struct.set $Node $right (local.get $left) (struct.get $Node $left (local.get $at)))
      (struct.set $Node $left (local.get $right) (struct.get $Node $right (local.get $at)))
      (struct.set $Node $left (local.get $at) (struct.get $Node $right (local.get $scaffold)))
      (struct.set $Node $right (local.get $at) (struct.get $Node $left (local.get $scaffold)))
      (global.set $root (local.get $at))))

  ;; Inserts a node under a new random key and returns the key.
  (func $insert (result f64)
    (local $key f64) (local $node (ref $Node)) (local $root (ref $Node))
    (loop $again
      (local.set $key (f64.convert_i64_u (i64.shr_u (call $bench_random) (i64.const 11))))
      (call $splay (local.get $key))
      (block $empty
        (local.set $root (br_on_null $empty (global.get $root)))
        (br_if $again (f64.eq (local.get $key) (struct.get $Node $key (local.get $root))))))
    (local.set $node
      (call $node (local.get $key)
        (call $payload (global.get $PAYLOAD_DEPTH)
          (i32.and (i32.trunc_f64_u (f64.div (local.get $key) (f64.const 8388608))) (i32.const 0xffff)))))
    (block $empty
      (local.set $root (br_on_null $empty (global.get $root)))
      (if (f64.gt (local.get $key) (struct.get $Node $key (local.get $root)))
        (then
          (struct.set $Node $left (local.get $node) (local.get $root))
          (struct.set $Node $right (local.get $node) (struct.get $Node $right (local.get $root)))
          (struct.set $Node $right (local.get $root) (ref.null $Node)))
        (else
          (struct.set $Node $right (local.get $node) (local.get $root))
          (struct.set $Node $left (local.get $node) (struct.get $Node $left (local.get $root)))
          (struct.set $Node $left (local.get $root) (ref.null $Node)))))
    (global.set $root (local.get $node))
    (local.get $key))

  ;; Removes the node with the greatest key below `key`, which is in the tree, or that one when it is the least; returns the
  ;; weight of what was removed.
  (func $remove_before (param $key f64) (result i64)
    (local $at (ref $Node)) (local $gone (ref $Node)) (local $right (ref null $Node))
    (call $splay (local.get $key))
    (block $least
      (local.set $at (br_on_null $least (struct.get $Node $left (ref.as_non_null (global.get $root)))))
      (block $rightmost
        (loop $more
          (local.set $at (br_on_null $rightmost (struct.get $Node $right (local.get $at))))
          (br $more)))
      (local.set $key (struct.get $Node $key (local.get $at))))
    (call $splay (local.get $key))
    (local.set $gone (ref.as_non_null (global.get $root)))
    (local.set $right (struct.get $Node $right (local.get $gone)))
    (global.set $root (struct.get $Node $left (local.get $gone)))
    (if (ref.is_null (global.get $root))
      (then (global.set $root (local.get $right)))
      (else
        ;; The greatest of what is left of it becomes the root and has nothing to its right.
        (call $splay (local.get $key))
        (struct.set $Node $right (ref.as_non_null (global.get $root)) (local.get $right))))
    (call $weigh (struct.get $Node $payload (local.get $gone))))

  ;; Folds a tree's keys in order into a checksum. The tree is as deep as it happens to be, some dozens.
  (func $fold (param $node (ref null $Node)) (param $sum i64) (result i64)
    (local $at (ref $Node))
    (block $done
      (local.set $at (br_on_null $done (local.get $node)))
      (local.set $sum (call $fold (struct.get $Node $left (local.get $at)) (local.get $sum)))
      (local.set $sum
        (call $bench_mix (local.get $sum) (i64.reinterpret_f64 (struct.get $Node $key (local.get $at)))))
      (local.set $sum (call $fold (struct.get $Node $right (local.get $at)) (local.get $sum))))
    (local.get $sum))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $sum i64)
    (local.set $size (call $bench_size))
    (global.set $bench_state (i64.const 9))
    (loop $more
      (drop (call $insert))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (global.get $NODES))))
    (local.set $i (i32.const 0))
    (call $bench_begin)
    (loop $more
      (local.set $sum (call $bench_mix (local.get $sum) (call $remove_before (call $insert))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (local.get $size))))
    (call $bench_end (call $fold (global.get $root) (local.get $sum))))
)
