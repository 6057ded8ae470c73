;;! target x86_64
(module
  (memory 1)
  (func (param i32) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load8_s offset=100000000 (local.get 0))))
  (func (result i64) (i64.load offset=8 (i32.const 1024)))
  (func (param i32 v128) (v128.store (local.get 0) (local.get 1))))
