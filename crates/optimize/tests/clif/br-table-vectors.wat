;;! target x86_64
(module
  (func (param i32 v128) (result v128)
    (block $a (result v128)
      (block $b (result v128)
        (br_table $a $b $a (i32x4.add (local.get 1) (local.get 1)) (local.get 0)))
      (i32x4.add (local.get 1)))))
