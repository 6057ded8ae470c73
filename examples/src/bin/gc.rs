//! Structures and arrays: a guest keeps a tree that the host fills and reads.
//!
//! The one idea: the host holds objects by roots. A `Rooted` ends with its scope; as long as it lives, the collector keeps the object
//! and tells the root where it moved.

use meantime::*;

const TREE: &str = r#"(module
    (type $tree (struct
        (field $key i32)
        (field $left (mut (ref null $tree)))
        (field $right (mut (ref null $tree)))))

    ;; Inserts a key and gives the tree back, which is a new one if it was empty.
    (func $insert (export "insert") (param $tree (ref null $tree)) (param $key i32) (result (ref $tree))
        (local $here (ref $tree))
        (if (ref.is_null (local.get $tree))
            (then (return
                (struct.new $tree (local.get $key) (ref.null $tree) (ref.null $tree)))))
        (local.set $here (ref.as_non_null (local.get $tree)))
        (if (i32.lt_s (local.get $key) (struct.get $tree $key (local.get $here)))
            (then (struct.set $tree $left (local.get $here)
                (call $insert (struct.get $tree $left (local.get $here)) (local.get $key))))
            (else (struct.set $tree $right (local.get $here)
                (call $insert (struct.get $tree $right (local.get $here)) (local.get $key)))))
        (local.get $here)))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TREE)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let insert = instance.get_typed_func::<(Option<Rooted<StructRef>>, i32), Rooted<StructRef>>(
        &mut store, "insert",
    )?;

    let mut tree = None;
    for key in [5, 2, 8, 1, 9, 3] {
        tree = Some(insert.call(&mut store, (tree, key))?);
    }
    store.gc(None)?;

    // The host walks the tree by its fields.
    let mut keys = Vec::new();
    walk(&mut store, tree, &mut keys)?;
    println!("{keys:?}");
    assert_eq!(keys, [1, 2, 3, 5, 8, 9]);
    Ok(())
}

fn walk(store: &mut Store<()>, tree: Option<Rooted<StructRef>>, keys: &mut Vec<i32>) -> Result<()> {
    let Some(tree) = tree else {
        return Ok(());
    };
    // What is rooted while this scope lasts is let go of with it.
    let mut scope = RootScope::new(&mut *store);
    let mut child = |index| -> Result<Option<OwnedRooted<StructRef>>> {
        let child = tree.field(&mut scope, index)?;
        match child.unwrap_any_ref() {
            Some(any) => Ok(Some(
                any.unwrap_struct(&scope)?.to_owned_rooted(&mut scope)?,
            )),
            None => Ok(None),
        }
    };
    let (left, right) = (child(1)?, child(2)?);
    let key = tree.field(&mut scope, 0)?.unwrap_i32();
    drop(scope);
    let rooted = |store: &mut Store<()>, root: Option<OwnedRooted<StructRef>>| {
        root.map(|root| root.to_rooted(store))
    };
    let left = rooted(store, left);
    walk(store, left, keys)?;
    keys.push(key);
    let right = rooted(store, right);
    walk(store, right, keys)
}
