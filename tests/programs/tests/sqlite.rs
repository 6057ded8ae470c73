//! SQLite, built from its amalgamation, keeps a database in a preopened folder and finds it again
//! in later processes.

use meantime_tests::{Outcome, Run, Scratch, wasm};
use std::fs;
use std::path::{Path, PathBuf};
use xtask::toolbox::guest::{Guest, Library, Source};
use xtask::toolbox::library::SQLITE;

const SHELL: Guest = Guest {
    name: "test_sqlite_shell",
    source: Source::Library(Library {
        driver: "tests/programs/guests/sqlite_shell.c",
        ..SQLITE
    }),
    flags: &[],
    wasm_flags: &[],
};

fn shell(program: &Path, scratch: &Scratch, args: &[&str]) -> Outcome {
    Run::new(&["--dir", &scratch.as_dir("/data")], program, args).outcome()
}

fn program() -> Option<PathBuf> {
    wasm(&SHELL)
}

#[test]
fn a_database_is_created_queried_and_reopened() {
    let Some(program) = program() else { return };
    let scratch = Scratch::new("sqlite");
    shell(
        &program,
        &scratch,
        &[
            "/data/shop.db",
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL)",
            "BEGIN",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO item SELECT i, printf('item %05d', i), i * 0.25 FROM n",
            "COMMIT",
            "CREATE INDEX item_name ON item(name)",
        ],
    )
    .ok();
    let file = fs::read(scratch.path().join("shop.db")).unwrap();
    assert!(
        file.starts_with(b"SQLite format 3\0"),
        "the database is not on the host's disk"
    );
    assert!(
        !scratch.path().join("shop.db-journal").exists(),
        "the journal of a committed transaction is left behind"
    );

    // Another process sees it; what it rolls back stays as it was.
    let outcome = shell(
        &program,
        &scratch,
        &[
            "/data/shop.db",
            "SELECT count(*), sum(price), min(name), max(name) FROM item",
            "SELECT id, price FROM item WHERE name = 'item 00042'",
            "BEGIN",
            "DELETE FROM item WHERE id > 10",
            "SELECT count(*) FROM item",
            "ROLLBACK",
            "SELECT count(*) FROM item",
            "UPDATE item SET price = NULL WHERE id = 7",
        ],
    );
    assert_eq!(
        outcome.ok(),
        "5000|3125625.0|item 00001|item 05000\n42|10.5\n10\n5000\n"
    );

    // And a third, from stdin.
    let outcome = Run::new(&["--dir", &scratch.as_dir("/data")], &program, &["/data/shop.db"])
        .stdin("SELECT price FROM item WHERE id IN (6, 7);\nDELETE FROM item WHERE id % 2;\nVACUUM;\nPRAGMA integrity_check;\nSELECT count(*) FROM item;\n")
        .outcome();
    assert_eq!(outcome.ok(), "1.5\nNULL\nok\n2500\n");
}

#[test]
fn an_error_in_sql_is_the_programs_own_failure() {
    let Some(program) = program() else { return };
    let outcome = shell(
        &program,
        &Scratch::new("sqlite"),
        &["/data/a.db", "SELECT * FROM nowhere"],
    );
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("no such table: nowhere"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn nothing_outside_the_preopened_folder_can_be_opened() {
    let Some(program) = program() else { return };
    let scratch = Scratch::new("sqlite");
    let inner = scratch.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for path in ["/data/../outside.db", "/outside.db", "outside.db"] {
        let dir = format!("{}::/data", inner.display());
        let outcome = Run::new(&["--dir", &dir], &program, &[path, "CREATE TABLE t(x)"]).outcome();
        assert_eq!(outcome.code, Some(1), "{path} could be opened");
        assert!(
            outcome.stderr.contains("unable to open database file"),
            "{}",
            outcome.stderr
        );
    }
    assert!(!scratch.path().join("outside.db").exists());
}
