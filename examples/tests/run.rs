//! Every example runs to its end; each checks its own results.

use std::process::Command;

macro_rules! examples {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let output = Command::new(env!(concat!("CARGO_BIN_EXE_", stringify!($name))))
                .output()
                .expect("the example was built");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    )*};
}

examples! {
    epochs exceptions externref fuel gc gcd hello host_state interrupt limits linking memory multi serialize tables threads traps wasi
}
