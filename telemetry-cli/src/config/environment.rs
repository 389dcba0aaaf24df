//! Environment variables: `TELEMETRY_MQTT__PASSWORD` stands for `password` in
//! `[mqtt]`, `TELEMETRY_JBD__0__PASSWORD` for that of the first `[[jbd]]`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::{env, fmt};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::report::{Problem, Source};
use super::schema;
use super::tree::{Path, Tree};

/// The environment variables as they were when the process asked for them. An
/// empty variable counts as not set: that is how compose files write it.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process that are text.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        env::vars_os().filter_map(text).collect()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// With these for what is not set.
    #[must_use]
    pub fn or(mut self, others: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in Self::from_iter(others).0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let set = |(_, value): &(String, String)| !value.is_empty();
        Self(variables.into_iter().filter(set).collect())
    }
}

/// Names only: the values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Puts the variables into the tree, each as text. Whether text is what is
/// wanted there turns out later: see [`as_written`].
pub(super) fn overlay<'i>(
    tree: &mut Tree<'i>,
    environment: &'i Environment,
    source: &mut Source<'_>,
    problems: &mut Vec<Problem>,
) {
    let mut found: Vec<_> = environment
        .0
        .iter()
        .filter_map(|(name, value)| Some((segments(name)?, name, value)))
        .collect();
    // Second and tenth entry of a list in this order, not the other way round.
    found.sort_by_key(|(segments, ..)| {
        let sorted = |text: &String| (text.parse::<usize>().ok(), text.clone());
        segments.iter().map(sorted).collect::<Vec<_>>()
    });
    for (segments, name, value) in found {
        let span = source.add_variable(name);
        if segments.iter().any(String::is_empty) {
            let problem = Problem::error("a part of the name is empty")
                .expected("TELEMETRY_TABLE__KEY, or TELEMETRY_TABLE__NUMBER__KEY for a list");
            problems.push(problem.at(source.place(&span)));
            continue;
        }
        let value = Spanned::new(span.clone(), DeValue::String(Cow::Borrowed(value.as_str())));
        if let Err(problem) = set(&mut tree.0, &Path::default(), &segments, value) {
            problems.push(problem.at(source.place(&span)));
        }
    }
    for name in environment.0.keys() {
        if let Some(problem) = one_underscore_short(name) {
            let span = source.add_variable(name);
            problems.push(problem.at(source.place(&span)));
        }
    }
}

/// The value of a variable read as TOML, for keys that take something else
/// than text.
pub(super) fn as_written<'i>(value: &Spanned<DeValue<'i>>) -> Option<Spanned<DeValue<'i>>> {
    let DeValue::String(Cow::Borrowed(text)) = value.get_ref() else {
        return None;
    };
    let parsed = DeValue::parse(text).ok()?.into_inner();
    if parsed.is_str() || parsed.is_table() {
        return None;
    }
    Some(moved_to(parsed, &value.span()))
}

fn moved_to<'i>(value: DeValue<'i>, span: &Range<usize>) -> Spanned<DeValue<'i>> {
    let value = match value {
        DeValue::Array(items) => {
            let items = items.into_iter().map(Spanned::into_inner);
            DeValue::Array(items.map(|item| moved_to(item, span)).collect())
        }
        DeValue::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| {
                let key = Spanned::new(span.clone(), key.into_inner());
                (key, moved_to(value.into_inner(), span))
            });
            DeValue::Table(entries.collect())
        }
        other => other,
    };
    Spanned::new(span.clone(), value)
}

/// `["mqtt", "password"]`; nothing for a variable that names no key. One
/// underscore is not enough: Kubernetes sets `TELEMETRY_PORT` and the like for
/// a service called telemetry.
fn segments(name: &str) -> Option<Vec<String>> {
    let rest = name
        .strip_prefix(PREFIX)
        .filter(|rest| rest.contains("__"))?;
    Some(rest.to_lowercase().split("__").map(str::to_owned).collect())
}

/// `TELEMETRY_MQTT_PASSWORD` does nothing, and whoever set it should know.
fn one_underscore_short(name: &str) -> Option<Problem> {
    let rest = name
        .strip_prefix(PREFIX)
        .filter(|rest| !rest.contains("__"))?;
    let rest = rest.to_lowercase();
    for table in schema::keys(&[]) {
        let Some(key) = rest
            .strip_prefix(&table)
            .and_then(|rest| rest.strip_prefix('_'))
        else {
            continue;
        };
        if schema::keys(&[&table]).iter().any(|known| known == key) {
            let path = Path::table(&table);
            let path = if schema::is_list(&table) {
                path.index(0)
            } else {
                path
            };
            return Some(
                Problem::warning(format!("{name} has no effect")).help(format!(
                    "two underscores lead into a table: `{}`",
                    path.key(key).variable()
                )),
            );
        }
    }
    None
}

fn set<'i>(
    table: &mut DeTable<'i>,
    path: &Path,
    segments: &[String],
    value: Spanned<DeValue<'i>>,
) -> Result<(), Box<Problem>> {
    let Some((first, rest)) = segments.split_first() else {
        return Ok(());
    };
    // Variables are lower-cased, and a VIN in the file is not.
    let written = table.iter().map(|(key, _)| key.get_ref().to_string());
    let first = &written
        .into_iter()
        .find(|key| key.eq_ignore_ascii_case(first))
        .unwrap_or_else(|| first.clone());
    let path = path.clone().key(first);
    let span = value.span();
    let Some(next) = rest.first() else {
        // Not `insert` alone, which would keep the old key and its position.
        table.remove(first.as_str());
        table.insert(Spanned::new(span, Cow::Owned(first.clone())), value);
        return Ok(());
    };
    let is_index = next.bytes().all(|byte| byte.is_ascii_digit());
    let entry = table
        .entry(Spanned::new(span.clone(), Cow::Owned(first.clone())))
        .or_insert_with(|| {
            let empty = if is_index {
                DeValue::Array(DeArray::new())
            } else {
                DeValue::Table(DeTable::new())
            };
            Spanned::new(span.clone(), empty)
        });
    match entry.get_mut() {
        DeValue::Table(table) => set(table, &path, rest, value),
        DeValue::Array(array) => set_in_list(array, &path, rest, value),
        _ => refuse(
            Problem::error(format!("`{first}` is a value, there is nothing below it"))
                .help(format!("set `{}`", path.variable())),
        ),
    }
}

fn set_in_list<'i>(
    array: &mut DeArray<'i>,
    path: &Path,
    segments: &[String],
    value: Spanned<DeValue<'i>>,
) -> Result<(), Box<Problem>> {
    let name = path.name();
    let span = value.span();
    let Some((Ok(index), [key, ..])) = segments
        .split_first()
        .map(|(index, rest)| (index.parse::<usize>(), rest))
    else {
        let key = segments
            .iter()
            .find(|segment| segment.parse::<usize>().is_err());
        let key = key.map_or("KEY", |key| key.as_str());
        return refuse(Problem::error(format!("`{name}` is a list")).help(format!(
            "number and key are wanted: `{}` is for the first `[[{name}]]`",
            path.clone().index(0).key(key).variable()
        )));
    };
    let length = array.len();
    if index == length {
        array.push(Spanned::new(span, DeValue::Table(DeTable::new())));
    }
    match array.get_mut(index).map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => {
            set(table, &path.clone().index(index), &segments[1..], value)
        }
        Some(_) => refuse(Problem::error(format!("`{name}` holds values, not tables"))),
        None => refuse(
            Problem::error(format!("there is no `[[{name}]]` with the number {index}")).help(
                format!(
                    "they count from 0: `{}` is the next free one",
                    path.clone().index(length).key(key).variable()
                ),
            ),
        ),
    }
}

fn refuse(problem: Problem) -> Result<(), Box<Problem>> {
    Err(Box::new(problem))
}

const PREFIX: &str = "TELEMETRY_";
