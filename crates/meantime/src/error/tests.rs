//! What an `Error` keeps, shows and gives back.

use super::*;
use std::fmt;

#[derive(Debug, PartialEq)]
struct Leaf(u32);

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf {}", self.0)
    }
}

impl std::error::Error for Leaf {}

#[derive(Debug)]
struct Branch(Leaf);

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("branch")
    }
}

impl std::error::Error for Branch {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn layered() -> Error {
    Error::new(Branch(Leaf(7)))
        .context("inner")
        .context(String::from("outer"))
}

fn messages(error: &Error) -> Vec<String> {
    error.chain().map(|e| e.to_string()).collect()
}

#[test]
fn chains_run_through_context_and_sources() {
    assert_eq!(messages(&layered()), ["outer", "inner", "branch", "leaf 7"]);
    assert_eq!(
        layered().root_cause().downcast_ref::<Leaf>(),
        Some(&Leaf(7))
    );
    assert_eq!(messages(&Error::msg(1)), ["1"]);
}

#[test]
fn display_and_debug() {
    let error = layered();
    assert_eq!(format!("{error}"), "outer");
    assert_eq!(format!("{error:#}"), "outer: inner: branch: leaf 7");
    let debug = format!("{error:?}");
    assert!(
        debug.starts_with("outer\n\nCaused by:\n    0: inner\n    1: branch\n    2: leaf 7\n"),
        "{debug}"
    );
    let one = format!("{:?}", Error::msg("low").context("high"));
    assert!(one.starts_with("high\n\nCaused by:\n    low\n"), "{one}");
    let none = format!("{:?}", Error::msg("alone"));
    assert!(none.starts_with("alone"), "{none}");
    assert!(!none.contains("Caused by"));
    let structure = format!("{:#?}", Error::new(Leaf(3)));
    assert!(structure.contains("Leaf("), "{structure}");
}

#[test]
fn every_layer_can_be_had_by_its_type() {
    let mut error = layered();
    assert!(error.is::<&str>() && error.is::<String>() && error.is::<Branch>());
    assert!(!error.is::<Leaf>(), "a source is not a layer");
    assert_eq!(error.downcast_ref::<&str>(), Some(&"inner"));
    error.downcast_mut::<Branch>().unwrap().0 = Leaf(8);
    error.downcast_mut::<String>().unwrap().push('!');
    assert!(error.downcast_mut::<Leaf>().is_none());
    assert_eq!(messages(&error), ["outer!", "inner", "branch", "leaf 8"]);
    let error = error.downcast::<Leaf>().unwrap_err();
    assert_eq!(error.downcast::<Branch>().unwrap().0, Leaf(8));
}

#[test]
fn the_outermost_of_equal_types_is_found() {
    let error = Error::msg("a").context("b").context("c");
    assert_eq!(error.downcast_ref::<&str>(), Some(&"c"));
    assert_eq!(error.downcast::<&str>().unwrap(), "c");
}

#[test]
fn boxes() {
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(Leaf(1));
    let error = Error::from_boxed(boxed);
    assert_eq!(error.to_string(), "leaf 1");
    assert!(error.is::<Box<dyn std::error::Error + Send + Sync>>());
    assert!(!error.is::<Leaf>());
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert!(boxed.is::<Leaf>());

    let boxed: Box<dyn std::error::Error> = layered().into();
    assert_eq!(boxed.to_string(), "outer");
    assert_eq!(boxed.source().unwrap().to_string(), "inner");
    assert!(Error::new(Leaf(2)).into_boxed_dyn_error().is::<Leaf>());
}

#[test]
fn the_question_mark_and_context() {
    fn parse(text: &str) -> Result<u32> {
        let value: u32 = text.parse()?;
        Ok(value)
    }
    assert!(parse("x").unwrap_err().is::<std::num::ParseIntError>());
    let error = parse("x")
        .context("first")
        .with_context(|| format!("{}nd", 2))
        .unwrap_err();
    assert_eq!(messages(&error)[..2], ["2nd", "first"]);
    let std_result: Result<(), Leaf> = Err(Leaf(1));
    assert!(std_result.context("c").unwrap_err().is::<Leaf>());
    let error = None::<u32>.context("nothing").unwrap_err();
    assert_eq!(messages(&error), ["nothing"]);
    assert!(error.is::<&str>());
    assert_eq!(Some(1).context("nothing").unwrap(), 1);
    let mut computed = false;
    let ok: Result<u32> = Ok(1);
    ok.with_context(|| {
        computed = true;
        ""
    })
    .unwrap();
    assert!(!computed);
}

#[test]
fn macros_choose_the_constructor() {
    let n = 3;
    assert_eq!(format_err!("n is {n}").to_string(), "n is 3");
    assert_eq!(format_err!("n is {}", n + 1).to_string(), "n is 4");
    assert!(format_err!("literal").is::<&str>());
    assert!(format_err!(Leaf(1)).is::<Leaf>());
    assert!(format_err!(Branch(Leaf(1))).source().is_some());
    assert!(format_err!(String::from("s")).is::<String>());

    fn checked(n: u32) -> Result<()> {
        ensure!(n != 1);
        ensure!(n != 2, "two");
        ensure!(&(n != 3), Leaf(n));
        bail!("{n}")
    }
    let message = |n| checked(n).unwrap_err().to_string();
    assert_eq!(message(1), "Condition failed: `n != 1`");
    assert_eq!(message(2), "two");
    assert!(checked(3).unwrap_err().is::<Leaf>());
    assert_eq!(message(4), "4");
}

#[test]
fn deref_and_as_ref_are_the_outermost_layer() {
    let error = layered();
    assert_eq!(error.source().unwrap().to_string(), "inner");
    let std: &dyn std::error::Error = error.as_ref();
    assert_eq!(std.to_string(), "outer");
}

#[test]
fn a_backtrace_survives_context() {
    let error = Error::from_layer(
        Box::new(super::layer::Message("m")),
        std::backtrace::Backtrace::force_capture(),
    )
    .context("c");
    assert_eq!(
        error.backtrace().status(),
        std::backtrace::BacktraceStatus::Captured
    );
    assert!(format!("{error:?}").contains("\nStack backtrace:\n"));
}

#[test]
fn long_chains_drop_and_print() {
    let error = (0..100).fold(Error::msg("root"), |e, i| e.context(i));
    assert_eq!(error.chain().count(), 101);
    assert_eq!(error.root_cause().to_string(), "root");
    drop(error);
}

#[cfg(feature = "anyhow")]
mod with_anyhow {
    use super::*;

    #[test]
    fn there_and_back() {
        let anyhow_error = anyhow::Error::from(layered());
        assert_eq!(format!("{anyhow_error:#}"), "outer: inner: branch: leaf 7");
        assert!(anyhow_error.downcast_ref::<Branch>().is_some());
        assert_eq!(anyhow_error.downcast_ref::<&str>(), Some(&"inner"));

        let error = format_err!(anyhow_error);
        assert_eq!(format!("{error:#}"), "outer: inner: branch: leaf 7");
        assert!(error.is::<anyhow::Error>());
        // What it holds can be had, too, by every way, and under more context.
        let mut error = error.context(3);
        assert_eq!(error.downcast_ref::<&str>(), Some(&"inner"));
        error.downcast_mut::<Branch>().unwrap().0 = Leaf(9);
        assert_eq!(error.downcast_ref::<Branch>().unwrap().0, Leaf(9));
        let error = error.downcast::<u64>().unwrap_err();
        assert_eq!(error.downcast::<Branch>().unwrap().0, Leaf(9));

        let error = Error::from_anyhow(anyhow::Error::from(layered())).context(3);
        let anyhow_error = error.downcast::<anyhow::Error>().unwrap();
        let error = format_err!(anyhow_error);
        let anyhow_error = anyhow::Error::from(error);
        assert!(anyhow_error.downcast_ref::<Branch>().is_some());
    }

    #[test]
    fn results_convert() {
        let result: anyhow::Result<u32> = Err(anyhow::anyhow!("no"));
        assert_eq!(result.to_wasmtime_result().unwrap_err().to_string(), "no");
        let result: Result<u32> = Ok(1);
        assert_eq!(result.to_wasmtime_result().unwrap(), 1);
        let anyhow_error = anyhow::Error::from(None::<u32>.context("none").unwrap_err());
        assert_eq!(anyhow_error.to_string(), "none");
    }
}
