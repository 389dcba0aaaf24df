//! From what serde says to what a person can use.

use std::ops::Range;

use strsim::damerau_levenshtein;
use toml::Spanned;
use toml::de::{DeValue, Error};

use super::report::Problem;
use super::tree::{Path, Tree};
use super::{duration, schema, secret};

/// The entry of the tree that an error is about.
pub(super) fn subject(tree: &Tree<'_>, error: &Error) -> Option<Path> {
    let at = tree.at(&error.span()?);
    let message = error.message();
    // A variable stands for several entries at once; so does the header of the
    // first entry of a list.
    let is = |kind: fn(&DeValue<'_>) -> bool| {
        let matches = |path: &&Path| tree.get(path).is_some_and(|value| kind(value.get_ref()));
        at.iter().rfind(matches).cloned()
    };
    if message.starts_with("missing field") || message.starts_with("invalid type: map") {
        is(|value| value.is_table())
    } else if message.starts_with("invalid type: sequence") {
        is(|value| value.is_array())
    } else if schema::unknown_field(message).is_some() {
        let named = |path: &&Path| message.starts_with(&format!("unknown field `{}`", path.name()));
        at.iter().find(named).cloned()
    } else {
        at.last().cloned()
    }
}

/// The problem behind `error`, which is about `path`.
pub(super) fn explain(tree: &Tree<'_>, path: &Path, error: &Error, is_variable: bool) -> Problem {
    let message = error.message();
    let key = path.name();
    if let Some(known) = schema::unknown_field(message) {
        return unknown(tree, path, &known);
    }
    if let Some(known) = schema::unknown_variant(message) {
        let text = tree.get(path).and_then(|value| value.get_ref().as_str());
        let problem = Problem::error(match text {
            Some(text) => format!("`{key}` cannot be `{text}`"),
            None => format!("`{key}` cannot be this"),
        });
        let problem = problem.expected(one_of(&known, |name| format!("\"{name}\"")));
        return match text.and_then(|text| closest(text, &known)) {
            Some(name) => problem.help(format!("did you mean \"{name}\"?")),
            None => problem,
        };
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        let missing = missing.trim_matches('`');
        let problem = Problem::error(format!("`{missing}` is missing in `{}`", path.header()));
        return problem.help(match is_variable {
            true => format!("set {}", path.clone().key(missing).variable()),
            false => format!("add `{missing} = …` to it"),
        });
    }
    if message == secret::UNQUOTED {
        return Problem::error(format!("`{key}` {message}")).expected(secret::EXPECTED);
    }
    if message.contains("is not a duration") {
        let problem = Problem::error(format!("`{key}`: {message}")).expected(duration::EXPECTED);
        let number = tree
            .get(path)
            .and_then(|value| value.get_ref().as_integer());
        return match number {
            Some(number) if is_variable => problem.help(format!("for seconds write `{number}s`")),
            Some(number) => problem.help(format!("for seconds write `{key} = \"{number}s\"`")),
            None => problem,
        };
    }
    let out_of_range = message.strip_prefix("invalid value: ");
    if let Some((found, expected)) = out_of_range.and_then(|rest| rest.rsplit_once(", expected ")) {
        return Problem::error(format!("`{key}` is out of range: {found}"))
            .expected(type_name(expected));
    }
    let wrong = message.strip_prefix("invalid type: ");
    if let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        let found = match found {
            "map" => "table",
            "sequence" => "list",
            other => other,
        };
        return Problem::error(format!("`{key}` is of the wrong type: {found}"))
            .expected(type_name(expected));
    }
    Problem::error(format!("`{key}`: {message}"))
}

/// A table given in the form of a list, or the other way round.
pub(super) fn wrong_shape(name: &str, is_list: bool) -> Problem {
    if is_list {
        Problem::error(format!("`{name}` is a list, and this is a single table"))
            .expected(format!("`[[{name}]]`, once for each"))
    } else {
        Problem::error(format!(
            "there can be only one `{name}`, and this is a list"
        ))
        .expected(format!("`[{name}]`"))
    }
}

/// A key, or a table, that nobody knows.
fn unknown(tree: &Tree<'_>, path: &Path, known: &[String]) -> Problem {
    let key = path.name();
    let parent = path.parent();
    let is_table = |value: &Spanned<DeValue<'_>>| value.get_ref().is_table();
    let shape = tree.get(path).map(|value| match value.get_ref() {
        DeValue::Table(_) => format!("`[{key}]`"),
        DeValue::Array(items) if items.iter().all(is_table) => format!("`[[{key}]]`"),
        _ => String::new(),
    });
    let shape = shape.unwrap_or_default();
    let at_top = parent.is_root();
    let problem = Problem::error(if !at_top {
        format!("unknown key `{key}` in `{}`", parent.header())
    } else if shape.is_empty() {
        format!("unknown key `{key}` above all tables")
    } else {
        format!("unknown table {shape}")
    });
    if at_top && PLANNED.contains(&key) {
        return problem
            .help("this version does not have it yet; remove it, or wait for one that has");
    }
    let problem = problem.expected(if at_top {
        one_of(known, |name| match schema::is_list(name) {
            true => format!("`[[{name}]]`"),
            false => format!("`[{name}]`"),
        })
    } else {
        one_of(known, |name| format!("`{name}`"))
    });
    if let Some(name) = closest(key, known) {
        return problem.help(match (at_top, schema::is_list(name)) {
            (false, _) => format!("did you mean `{name}`?"),
            (true, false) => format!("did you mean `[{name}]`?"),
            (true, true) => format!("did you mean `[[{name}]]`?"),
        });
    }
    let here = parent.keys();
    let tables = schema::keys(&[]);
    let elsewhere = tables.iter().find(|table| {
        here != [table.as_str()] && schema::keys(&[table]).iter().any(|known| known == key)
    });
    match elsewhere {
        Some(table) if schema::is_list(table) => {
            problem.help(format!("`{key}` belongs to `[[{table}]]`"))
        }
        Some(table) => problem.help(format!("`{key}` belongs to `[{table}]`")),
        None => problem,
    }
}

/// The one of `known` that was probably meant.
pub(super) fn closest<'k>(typed: &str, known: &'k [String]) -> Option<&'k str> {
    let typed = typed.to_lowercase().replace('-', "_");
    let near = known
        .iter()
        .map(|name| (damerau_levenshtein(&typed, name), name))
        .filter(|(distance, name)| *distance <= (typed.len().min(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    // `username`, `poll_interval`
    let contained = || {
        let long = |name: &&String| name.len() >= 4;
        known.iter().filter(long).find(|name| typed.contains(*name))
    };
    let name = near.map(|(_, name)| name).or_else(contained);
    name.map(String::as_str)
}

fn one_of(names: &[String], show: impl Fn(&str) -> String) -> String {
    let names: Vec<_> = names.iter().map(|name| show(name)).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [name] => name.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Rust's names of types in the words of TOML's users.
fn type_name(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "text in quotes",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

/// The start and end of a syntax error; at the end of the file there may be
/// nothing to point at.
pub(super) fn syntax(error: &Error) -> (Problem, Range<usize>) {
    let problem = Problem::error(format!("this is not TOML: {}", error.message()));
    (problem, error.span().unwrap_or(0..0))
}

/// Tables that later versions will have.
const PLANNED: &[&str] = &["abrp", "openwb", "osmand", "web"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_suggested_if_it_is_close() {
        let known: Vec<_> = ["user", "url", "interval", "topic_prefix"]
            .map(str::to_owned)
            .into();
        assert_eq!(closest("intervall", &known), Some("interval"));
        assert_eq!(closest("URL", &known), Some("url"));
        assert_eq!(closest("username", &known), Some("user"));
        assert_eq!(closest("topic-prefix", &known), Some("topic_prefix"));
        assert_eq!(closest("pasword", &known), None);
        assert_eq!(closest("x", &known), None);
        assert_eq!(closest("", &known), None);
    }
}
