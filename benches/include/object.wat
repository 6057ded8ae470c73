;; How a compiler for a language with classes lays them out with the GC proposal; what the programs in benches/gc share.
;;
;; Every object begins with its vtable, a struct of function references. A subclass's object is a subtype of its
;; superclass's, and so is its vtable. Methods take their receiver as the type of the class that declared them first, so an
;; override casts it to its own class. This is a list of types only; a program's own stand in one recursion group after it.

(rec
  (type $Object (sub (struct (field $vtable (ref $ObjectVtable)))))
  (type $ObjectVtable (sub (struct (field $hash (ref $HashMethod)))))
  (type $HashMethod (func (param (ref $Object)) (result i32))))
