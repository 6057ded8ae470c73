;; Virtual calls and field accesses: the operating-system scheduler of kernels/richards.c with a class for each kind of
;; task; the same size gives the same checksum. A task runs through its vtable and casts itself to its own class.
(module
  (@include "benches/include/object.wat")
  (rec
    (type $Packet (sub final $Object (struct
      (field $vtable (ref $ObjectVtable))
      (field $link (mut (ref null $Packet)))
      (field $id (mut i32))
      (field $kind i32)
      (field $index (mut i32))
      (field $data (ref $Data)))))
    (type $Data (array (mut i32)))

    (type $RunMethod (func (param (ref $Task)) (param (ref null $Packet)) (result (ref null $Task))))
    (type $TaskVtable (sub $ObjectVtable (struct (field $hash (ref $HashMethod)) (field $run (ref $RunMethod)))))
    (type $Task (sub $Object (struct
      (field $vtable (ref $TaskVtable))
      (field $next (ref null $Task))
      (field $id i32)
      (field $priority i32)
      (field $queue (mut (ref null $Packet)))
      (field $has_packet (mut i8))
      (field $waiting (mut i8))
      (field $held (mut i8)))))
    (type $Idle (sub final $Task (struct
      (field $vtable (ref $TaskVtable))
      (field $next (ref null $Task))
      (field $id i32)
      (field $priority i32)
      (field $queue (mut (ref null $Packet)))
      (field $has_packet (mut i8))
      (field $waiting (mut i8))
      (field $held (mut i8))
      (field $bits (mut i32))
      (field $left (mut i32)))))
    (type $Worker (sub final $Task (struct
      (field $vtable (ref $TaskVtable))
      (field $next (ref null $Task))
      (field $id i32)
      (field $priority i32)
      (field $queue (mut (ref null $Packet)))
      (field $has_packet (mut i8))
      (field $waiting (mut i8))
      (field $held (mut i8))
      (field $handler (mut i32))
      (field $letter (mut i32)))))
    (type $Handler (sub final $Task (struct
      (field $vtable (ref $TaskVtable))
      (field $next (ref null $Task))
      (field $id i32)
      (field $priority i32)
      (field $queue (mut (ref null $Packet)))
      (field $has_packet (mut i8))
      (field $waiting (mut i8))
      (field $held (mut i8))
      (field $work (mut (ref null $Packet)))
      (field $device (mut (ref null $Packet))))))
    (type $Device (sub final $Task (struct
      (field $vtable (ref $TaskVtable))
      (field $next (ref null $Task))
      (field $id i32)
      (field $priority i32)
      (field $queue (mut (ref null $Packet)))
      (field $has_packet (mut i8))
      (field $waiting (mut i8))
      (field $held (mut i8))
      (field $packet (mut (ref null $Packet))))))
    (type $Tasks (array (mut (ref null $Task)))))

  (@include "benches/include/bench.wat")

  (global $IDLE i32 (i32.const 0))
  (global $WORKER i32 (i32.const 1))
  (global $HANDLER_A i32 (i32.const 2))
  (global $HANDLER_B i32 (i32.const 3))
  (global $DEVICE_A i32 (i32.const 4))
  (global $DEVICE_B i32 (i32.const 5))
  (global $KIND_DEVICE i32 (i32.const 0))
  (global $KIND_WORK i32 (i32.const 1))
  (global $PAYLOAD i32 (i32.const 4))

  (global $packet_vtable (ref $ObjectVtable) (struct.new $ObjectVtable (ref.func $hash)))
  (global $idle_vtable (ref $TaskVtable) (struct.new $TaskVtable (ref.func $hash) (ref.func $run_idle)))
  (global $worker_vtable (ref $TaskVtable) (struct.new $TaskVtable (ref.func $hash) (ref.func $run_worker)))
  (global $handler_vtable (ref $TaskVtable) (struct.new $TaskVtable (ref.func $hash) (ref.func $run_handler)))
  (global $device_vtable (ref $TaskVtable) (struct.new $TaskVtable (ref.func $hash) (ref.func $run_device)))

  (global $tasks (ref $Tasks) (array.new_default $Tasks (i32.const 6)))
  (global $all (mut (ref null $Task)) (ref.null $Task))
  (global $current (mut (ref null $Task)) (ref.null $Task))
  (global $current_id (mut i32) (i32.const 0))
  (global $queued (mut i64) (i64.const 0))
  (global $holds (mut i64) (i64.const 0))

  (func $hash (type $HashMethod) (i32.const 0))

  ;; Puts `packet` at the end of `list`, and returns the list's new beginning.
  (func $append (param $packet (ref $Packet)) (param $list (ref null $Packet)) (result (ref $Packet))
    (local $last (ref $Packet))
    (struct.set $Packet $link (local.get $packet) (ref.null $Packet))
    (block $empty
      (local.set $last (br_on_null $empty (local.get $list)))
      (block $end
        (loop $more
          (local.set $last (br_on_null $end (struct.get $Packet $link (local.get $last))))
          (br $more)))
      (struct.set $Packet $link (local.get $last) (local.get $packet))
      (return (ref.as_non_null (local.get $list))))
    (local.get $packet))

  (func $hold_self (result (ref null $Task))
    (local $current (ref $Task))
    (local.set $current (ref.as_non_null (global.get $current)))
    (global.set $holds (i64.add (global.get $holds) (i64.const 1)))
    (struct.set $Task $held (local.get $current) (i32.const 1))
    (struct.get $Task $next (local.get $current)))

  (func $wait_self (result (ref null $Task))
    (struct.set $Task $waiting (ref.as_non_null (global.get $current)) (i32.const 1))
    (global.get $current))

  ;; Whichever of `task` and the current one goes first.
  (func $first (param $task (ref $Task)) (result (ref null $Task))
    (if (i32.gt_s
          (struct.get $Task $priority (local.get $task))
          (struct.get $Task $priority (global.get $current)))
      (then (return (local.get $task))))
    (global.get $current))

  (func $task_of (param $id i32) (result (ref $Task))
    (ref.as_non_null (array.get $Tasks (global.get $tasks) (local.get $id))))

  (func $release (param $id i32) (result (ref null $Task))
    (local $task (ref $Task))
    (local.set $task (call $task_of (local.get $id)))
    (struct.set $Task $held (local.get $task) (i32.const 0))
    (call $first (local.get $task)))

  (func $queue (param $packet (ref $Packet)) (result (ref null $Task))
    (local $task (ref $Task))
    (local.set $task (call $task_of (struct.get $Packet $id (local.get $packet))))
    (global.set $queued (i64.add (global.get $queued) (i64.const 1)))
    (struct.set $Packet $link (local.get $packet) (ref.null $Packet))
    (struct.set $Packet $id (local.get $packet) (global.get $current_id))
    (if (i32.eqz (ref.is_null (struct.get $Task $queue (local.get $task))))
      (then
        (drop (call $append (local.get $packet) (struct.get $Task $queue (local.get $task))))
        (return (global.get $current))))
    (struct.set $Task $queue (local.get $task) (local.get $packet))
    (struct.set $Task $has_packet (local.get $task) (i32.const 1))
    (call $first (local.get $task)))

  (func $run_idle (type $RunMethod) (param $task (ref $Task)) (param $packet (ref null $Packet)) (result (ref null $Task))
    (local $this (ref $Idle)) (local $bits i32)
    (local.set $this (ref.cast (ref $Idle) (local.get $task)))
    (struct.set $Idle $left (local.get $this) (i32.sub (struct.get $Idle $left (local.get $this)) (i32.const 1)))
    (if (i32.eqz (struct.get $Idle $left (local.get $this)))
      (then (return (call $hold_self))))
    (local.set $bits (struct.get $Idle $bits (local.get $this)))
    (if (i32.eqz (i32.and (local.get $bits) (i32.const 1)))
      (then
        (struct.set $Idle $bits (local.get $this) (i32.shr_u (local.get $bits) (i32.const 1)))
        (return (call $release (global.get $DEVICE_A)))))
    (struct.set $Idle $bits (local.get $this)
      (i32.xor (i32.shr_u (local.get $bits) (i32.const 1)) (i32.const 0xd008)))
    (call $release (global.get $DEVICE_B)))

  (func $run_worker (type $RunMethod) (param $task (ref $Task)) (param $packet (ref null $Packet)) (result (ref null $Task))
    (local $this (ref $Worker)) (local $work (ref $Packet)) (local $letter i32) (local $i i32)
    (local.set $this (ref.cast (ref $Worker) (local.get $task)))
    (block $nothing
      (local.set $work (br_on_null $nothing (local.get $packet)))
      (struct.set $Worker $handler (local.get $this)
        (select (global.get $HANDLER_B) (global.get $HANDLER_A)
          (i32.eq (struct.get $Worker $handler (local.get $this)) (global.get $HANDLER_A))))
      (struct.set $Packet $id (local.get $work) (struct.get $Worker $handler (local.get $this)))
      (struct.set $Packet $index (local.get $work) (i32.const 0))
      (loop $more
        (local.set $letter (struct.get $Worker $letter (local.get $this)))
        (local.set $letter
          (select (i32.const 1) (i32.add (local.get $letter) (i32.const 1)) (i32.eq (local.get $letter) (i32.const 26))))
        (struct.set $Worker $letter (local.get $this) (local.get $letter))
        (array.set $Data (struct.get $Packet $data (local.get $work)) (local.get $i)
          (i32.add (local.get $letter) (i32.const 64)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (global.get $PAYLOAD))))
      (return (call $queue (local.get $work))))
    (call $wait_self))

  (func $run_handler (type $RunMethod) (param $task (ref $Task)) (param $packet (ref null $Packet)) (result (ref null $Task))
    (local $this (ref $Handler)) (local $new (ref $Packet)) (local $work (ref $Packet)) (local $device (ref $Packet))
    (local $count i32)
    (local.set $this (ref.cast (ref $Handler) (local.get $task)))
    (block $none
      (local.set $new (br_on_null $none (local.get $packet)))
      (if (i32.eq (struct.get $Packet $kind (local.get $new)) (global.get $KIND_WORK))
        (then
          (struct.set $Handler $work (local.get $this)
            (call $append (local.get $new) (struct.get $Handler $work (local.get $this)))))
        (else
          (struct.set $Handler $device (local.get $this)
            (call $append (local.get $new) (struct.get $Handler $device (local.get $this)))))))
    (block $nothing
      (local.set $work (br_on_null $nothing (struct.get $Handler $work (local.get $this))))
      (local.set $count (struct.get $Packet $index (local.get $work)))
      (if (i32.ge_s (local.get $count) (global.get $PAYLOAD))
        (then
          (struct.set $Handler $work (local.get $this) (struct.get $Packet $link (local.get $work)))
          (return (call $queue (local.get $work)))))
      (local.set $device (br_on_null $nothing (struct.get $Handler $device (local.get $this))))
      (struct.set $Handler $device (local.get $this) (struct.get $Packet $link (local.get $device)))
      (struct.set $Packet $index (local.get $device)
        (array.get $Data (struct.get $Packet $data (local.get $work)) (local.get $count)))
      (struct.set $Packet $index (local.get $work) (i32.add (local.get $count) (i32.const 1)))
      (return (call $queue (local.get $device))))
    (call $wait_self))

  (func $run_device (type $RunMethod) (param $task (ref $Task)) (param $packet (ref null $Packet)) (result (ref null $Task))
    (local $this (ref $Device)) (local $old (ref $Packet))
    (local.set $this (ref.cast (ref $Device) (local.get $task)))
    (if (i32.eqz (ref.is_null (local.get $packet)))
      (then
        (struct.set $Device $packet (local.get $this) (local.get $packet))
        (return (call $hold_self))))
    (block $nothing
      (local.set $old (br_on_null $nothing (struct.get $Device $packet (local.get $this))))
      (struct.set $Device $packet (local.get $this) (ref.null $Packet))
      (return (call $queue (local.get $old))))
    (call $wait_self))

  (func $schedule
    (local $task (ref $Task)) (local $packet (ref null $Packet))
    (global.set $current (global.get $all))
    (block $done
      (loop $more
        (local.set $task (br_on_null $done (global.get $current)))
        (if (i32.or
              (struct.get_u $Task $held (local.get $task))
              (i32.and
                (i32.eqz (struct.get_u $Task $has_packet (local.get $task)))
                (struct.get_u $Task $waiting (local.get $task))))
          (then
            (global.set $current (struct.get $Task $next (local.get $task)))
            (br $more)))
        (global.set $current_id (struct.get $Task $id (local.get $task)))
        (local.set $packet (ref.null $Packet))
        (if (i32.and
              (struct.get_u $Task $has_packet (local.get $task))
              (struct.get_u $Task $waiting (local.get $task)))
          (then
            (local.set $packet (struct.get $Task $queue (local.get $task)))
            (struct.set $Task $queue (local.get $task) (struct.get $Packet $link (local.get $packet)))
            (struct.set $Task $waiting (local.get $task) (i32.const 0))
            (struct.set $Task $has_packet (local.get $task)
              (i32.eqz (ref.is_null (struct.get $Task $queue (local.get $task)))))))
        (global.set $current
          (call_ref $RunMethod (local.get $task) (local.get $packet)
            (struct.get $TaskVtable $run (struct.get $Task $vtable (local.get $task)))))
        (br $more))))

  (func $packet (param $link (ref null $Packet)) (param $id i32) (param $kind i32) (result (ref $Packet))
    (struct.new $Packet (global.get $packet_vtable) (local.get $link) (local.get $id) (local.get $kind) (i32.const 0)
      (array.new_default $Data (global.get $PAYLOAD))))

  (func $packets (param $count i32) (param $id i32) (param $kind i32) (result (ref null $Packet))
    (local $list (ref null $Packet))
    (loop $more
      (local.set $list (call $packet (local.get $list) (local.get $id) (local.get $kind)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $more (local.get $count)))
    (local.get $list))

  (func $add (param $task (ref $Task))
    (array.set $Tasks (global.get $tasks) (struct.get $Task $id (local.get $task)) (local.get $task))
    (global.set $all (local.get $task)))

  (func $round
    (global.set $all (ref.null $Task))
    (call $add
      (struct.new $Idle (global.get $idle_vtable) (global.get $all) (global.get $IDLE) (i32.const 0)
        (ref.null $Packet) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 10000)))
    (call $add
      (struct.new $Worker (global.get $worker_vtable) (global.get $all) (global.get $WORKER) (i32.const 1000)
        (call $packets (i32.const 2) (global.get $WORKER) (global.get $KIND_WORK))
        (i32.const 1) (i32.const 1) (i32.const 0)
        (global.get $HANDLER_A) (i32.const 0)))
    (call $add
      (struct.new $Handler (global.get $handler_vtable) (global.get $all) (global.get $HANDLER_A) (i32.const 2000)
        (call $packets (i32.const 3) (global.get $DEVICE_A) (global.get $KIND_DEVICE))
        (i32.const 1) (i32.const 1) (i32.const 0)
        (ref.null $Packet) (ref.null $Packet)))
    (call $add
      (struct.new $Handler (global.get $handler_vtable) (global.get $all) (global.get $HANDLER_B) (i32.const 3000)
        (call $packets (i32.const 3) (global.get $DEVICE_B) (global.get $KIND_DEVICE))
        (i32.const 1) (i32.const 1) (i32.const 0)
        (ref.null $Packet) (ref.null $Packet)))
    (call $add
      (struct.new $Device (global.get $device_vtable) (global.get $all) (global.get $DEVICE_A) (i32.const 4000)
        (ref.null $Packet) (i32.const 0) (i32.const 1) (i32.const 0)
        (ref.null $Packet)))
    (call $add
      (struct.new $Device (global.get $device_vtable) (global.get $all) (global.get $DEVICE_B) (i32.const 5000)
        (ref.null $Packet) (i32.const 0) (i32.const 1) (i32.const 0)
        (ref.null $Packet)))
    (call $schedule))

  (func (export "_start")
    (local $size i32) (local $i i32)
    (local.set $size (call $bench_size))
    (call $bench_begin)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
        (call $round)
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (call $bench_end
      (call $bench_mix (call $bench_mix (i64.const 0) (global.get $queued)) (global.get $holds))))
)
