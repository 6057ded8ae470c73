;;! target x86_64
;;! trampolines
(module
  (type (func (param i32 f64 v128 externref) (result i64 funcref)))
  (type (func)))
