//! What is told of an exception that a program does not catch.
//! Not the backtrace, which is in the call's error.

use super::invoke::Shown;
use meantime::{Error, Extern, Instance, Result, Store, Tag, ThrownException};

/// The error of a call into an instance, or of making one, with what is known of the exception that ended it, if one did.
pub fn described<T>(store: &mut Store<T>, instance: Option<&Instance>, error: Error) -> Error {
    if !error.is::<ThrownException>() {
        return error;
    }
    match describe(store, instance) {
        Ok(Some(description)) => error.context(description),
        _ => error,
    }
}

fn describe<T>(store: &mut Store<T>, instance: Option<&Instance>) -> Result<Option<String>> {
    let Some(exception) = store.take_pending_exception() else {
        return Ok(None);
    };
    let tag = exception.tag(&mut *store)?;
    let name = match instance.map(|instance| exported_name(store, instance, &tag)) {
        Some(Some(name)) => format!("the tag `{name}`"),
        Some(None) => "a tag that is not exported".to_string(),
        // There are no exports before the start function has returned.
        None => format!("a tag of {}", tag.ty(&*store).ty()),
    };
    let values: Vec<String> = exception
        .fields(&mut *store)?
        .map(|value| Shown(&value).to_string())
        .collect();
    Ok(Some(match values.is_empty() {
        true => format!("uncaught exception with {name}"),
        false => format!("uncaught exception with {name} and {}", values.join(", ")),
    }))
}

fn exported_name<T>(store: &mut Store<T>, instance: &Instance, tag: &Tag) -> Option<String> {
    let tags: Vec<(String, Tag)> = instance
        .exports(&mut *store)
        .filter_map(|export| {
            let name = export.name().to_string();
            match export.into_extern() {
                Extern::Tag(tag) => Some((name, tag)),
                _ => None,
            }
        })
        .collect();
    let same = |(_, exported): &(String, Tag)| Tag::eq(exported, tag, &*store);
    tags.into_iter().find(same).map(|(name, _)| name)
}
