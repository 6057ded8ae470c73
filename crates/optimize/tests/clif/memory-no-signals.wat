;;! target x86_64
;;! no-signals
(module
  (memory i64 1)
  (func (param i64) (result i32)
    (i32.add (i32.load offset=4 (local.get 0)) (i32.load offset=100000000 (local.get 0)))))
