;;! target x86_64
;;! assembly
(module
  (memory 1)
  (func (param i32 i32) (result i32)
    (loop
      (i32.store offset=4 (local.get 0) (i32.load offset=8 (local.get 0)))
      (local.set 0 (i32.add (local.get 0) (i32.const 16)))
      (br_if 0 (i32.lt_u (local.get 0) (local.get 1))))
    (i32.load (local.get 0))))
