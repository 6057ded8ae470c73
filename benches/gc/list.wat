;; Lists that come and go: boxed numbers of two kinds in linked lists that are built, reversed, mapped and filtered by
;; function objects, and folded by casts. Most die young; a few are kept for a while.
(module
  (@include "benches/include/object.wat")
  (rec
    (type $Int (sub final $Object (struct (field $vtable (ref $ObjectVtable)) (field $value i32))))
    (type $Real (sub final $Object (struct (field $vtable (ref $ObjectVtable)) (field $value f64))))
    (type $Cell (sub final $Object (struct
      (field $vtable (ref $ObjectVtable))
      (field $head (ref $Object))
      (field $tail (ref null $Cell)))))

    ;; A function of a language with generics takes and returns anything; truth is an i31 reference.
    (type $InvokeMethod (func (param (ref $Function)) (param (ref eq)) (result (ref eq))))
    (type $FunctionVtable (sub $ObjectVtable (struct
      (field $hash (ref $HashMethod)) (field $invoke (ref $InvokeMethod)))))
    (type $Function (sub $Object (struct (field $vtable (ref $FunctionVtable)))))
    (type $Add (sub final $Function (struct (field $vtable (ref $FunctionVtable)) (field $amount i32))))
    (type $Kept (array (mut (ref null $Cell)))))

  (@include "benches/include/bench.wat")

  (global $LENGTH i32 (i32.const 1000))
  (global $vtable (ref $ObjectVtable) (struct.new $ObjectVtable (ref.func $hash)))
  (global $add_vtable (ref $FunctionVtable) (struct.new $FunctionVtable (ref.func $hash) (ref.func $invoke_add)))
  (global $is_even_vtable (ref $FunctionVtable) (struct.new $FunctionVtable (ref.func $hash) (ref.func $invoke_is_even)))
  (global $is_even (ref $Function) (struct.new $Function (global.get $is_even_vtable)))
  ;; The 64 lists kept last, one of every sixteen.
  (global $kept (ref $Kept) (array.new_default $Kept (i32.const 64)))

  (func $hash (type $HashMethod) (i32.const 0))

  (func $int (param $value i32) (result (ref $Int))
    (struct.new $Int (global.get $vtable) (local.get $value)))

  (func $real (param $value f64) (result (ref $Real))
    (struct.new $Real (global.get $vtable) (local.get $value)))

  (func $cell (param $head (ref $Object)) (param $tail (ref null $Cell)) (result (ref $Cell))
    (struct.new $Cell (global.get $vtable) (local.get $head) (local.get $tail)))

  (func $invoke (param $function (ref $Function)) (param $argument (ref eq)) (result (ref eq))
    (return_call_ref $InvokeMethod (local.get $function) (local.get $argument)
      (struct.get $FunctionVtable $invoke (struct.get $Function $vtable (local.get $function)))))

  ;; Adds the captured amount to a number of either kind.
  (func $invoke_add (type $InvokeMethod) (param $function (ref $Function)) (param $argument (ref eq)) (result (ref eq))
    (local $amount i32)
    (local.set $amount (struct.get $Add $amount (ref.cast (ref $Add) (local.get $function))))
    (block $real (result (ref $Real))
      (return
        (call $int
          (i32.add (local.get $amount)
            (struct.get $Int $value
              (ref.cast (ref $Int) (br_on_cast $real (ref eq) (ref $Real) (local.get $argument))))))))
    (call $real (f64.add (struct.get $Real $value) (f64.convert_i32_s (local.get $amount)))))

  ;; Whether a number is even; every one with a fraction is.
  (func $invoke_is_even (type $InvokeMethod) (param $function (ref $Function)) (param $argument (ref eq)) (result (ref eq))
    (block $other (result (ref eq))
      (return
        (ref.i31
          (i32.and (i32.const 1)
            (i32.xor (i32.const 1)
              (struct.get $Int $value (br_on_cast_fail $other (ref eq) (ref $Int) (local.get $argument))))))))
    (drop)
    (ref.i31 (i32.const 1)))

  (func $build (param $seed i32) (result (ref null $Cell))
    (local $list (ref null $Cell)) (local $i i32)
    (loop $more
      (local.set $list
        (if (result (ref $Cell)) (i32.rem_u (local.get $i) (i32.const 3))
          (then (call $cell (call $int (i32.xor (local.get $i) (local.get $seed))) (local.get $list)))
          (else
            (call $cell (call $real (f64.mul (f64.convert_i32_u (local.get $i)) (f64.const 0.5))) (local.get $list)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (global.get $LENGTH))))
    (local.get $list))

  (func $reverse (param $list (ref null $Cell)) (result (ref null $Cell))
    (local $at (ref $Cell)) (local $reversed (ref null $Cell))
    (block $done
      (loop $more
        (local.set $at (br_on_null $done (local.get $list)))
        (local.set $reversed (call $cell (struct.get $Cell $head (local.get $at)) (local.get $reversed)))
        (local.set $list (struct.get $Cell $tail (local.get $at)))
        (br $more)))
    (local.get $reversed))

  ;; What `function` makes of each element, in the opposite order.
  (func $map (param $list (ref null $Cell)) (param $function (ref $Function)) (result (ref null $Cell))
    (local $at (ref $Cell)) (local $mapped (ref null $Cell))
    (block $done
      (loop $more
        (local.set $at (br_on_null $done (local.get $list)))
        (local.set $mapped
          (call $cell
            (ref.cast (ref $Object) (call $invoke (local.get $function) (struct.get $Cell $head (local.get $at))))
            (local.get $mapped)))
        (local.set $list (struct.get $Cell $tail (local.get $at)))
        (br $more)))
    (local.get $mapped))

  ;; The elements for which `function` is true, in the opposite order.
  (func $filter (param $list (ref null $Cell)) (param $function (ref $Function)) (result (ref null $Cell))
    (local $at (ref $Cell)) (local $filtered (ref null $Cell))
    (block $done
      (loop $more
        (local.set $at (br_on_null $done (local.get $list)))
        (if (i31.get_s
              (ref.cast (ref i31) (call $invoke (local.get $function) (struct.get $Cell $head (local.get $at)))))
          (then
            (local.set $filtered (call $cell (struct.get $Cell $head (local.get $at)) (local.get $filtered)))))
        (local.set $list (struct.get $Cell $tail (local.get $at)))
        (br $more)))
    (local.get $filtered))

  (func $fold (param $list (ref null $Cell)) (param $sum i64) (result i64)
    (local $at (ref $Cell)) (local $value i64)
    (block $done
      (loop $more
        (local.set $at (br_on_null $done (local.get $list)))
        (block $known
          (block $other (result (ref $Object))
            (local.set $value
              (i64.extend_i32_s
                (struct.get $Int $value
                  (br_on_cast_fail $other (ref $Object) (ref $Int) (struct.get $Cell $head (local.get $at))))))
            (br $known))
          (local.set $value (i64.reinterpret_f64 (struct.get $Real $value (ref.cast (ref $Real))))))
        (local.set $sum (call $bench_mix (local.get $sum) (local.get $value)))
        (local.set $list (struct.get $Cell $tail (local.get $at)))
        (br $more)))
    (local.get $sum))

  (func (export "_start")
    (local $size i32) (local $i i32) (local $sum i64) (local $list (ref null $Cell))
    (local.set $size (call $bench_size))
    (call $bench_begin)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (local.set $list (call $reverse (call $build (local.get $i))))
        (local.set $list (call $map (local.get $list) (struct.new $Add (global.get $add_vtable) (local.get $i))))
        (local.set $list (call $filter (local.get $list) (global.get $is_even)))
        (local.set $sum (call $fold (local.get $list) (local.get $sum)))
        (if (i32.eqz (i32.and (local.get $i) (i32.const 15)))
          (then
            (array.set $Kept (global.get $kept)
              (i32.and (i32.shr_u (local.get $i) (i32.const 4)) (i32.const 63))
              (local.get $list))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    ;; What was kept must have survived unchanged.
    (local.set $i (i32.const 0))
    (loop $more
      (local.set $sum (call $fold (array.get $Kept (global.get $kept) (local.get $i)) (local.get $sum)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (array.len (global.get $kept)))))
    (call $bench_end (local.get $sum)))
)
