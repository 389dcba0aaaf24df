//! The parsed file with the position of each key and value.

use std::mem;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

/// Leads from the top level to a key: `jbd`, `1`, `interval`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn table(name: &str) -> Self {
        Self::default().key(name)
    }

    pub(super) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    pub(super) fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    pub(super) fn parent(&self) -> Self {
        let end = self.0.len().saturating_sub(1);
        Self(self.0[..end].to_vec())
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The last key: `interval`.
    pub(super) fn name(&self) -> &str {
        self.keys().last().copied().unwrap_or_default()
    }

    /// The keys without indices: `jbd`, `interval`.
    pub(super) fn keys(&self) -> Vec<&str> {
        let keys = self.0.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        });
        keys.collect()
    }

    /// The path of a table as the file writes it: `[mqtt]`, `[[jbd]]`.
    pub(super) fn header(&self) -> String {
        let name = self.keys().join(".");
        match self.0.last() {
            Some(Step::Index(_)) => format!("[[{name}]]"),
            _ => format!("[{name}]"),
        }
    }

    /// The path as the name of an environment variable.
    pub(super) fn variable(&self) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => key.to_uppercase(),
            Step::Index(index) => index.to_string(),
        };
        let steps: Vec<_> = self.0.iter().map(step).collect();
        format!("TELEMETRY_{}", steps.join("__"))
    }
}

/// All tables, keys and values.
#[derive(Clone, Debug)]
pub(super) struct Tree<'i>(pub(super) DeTable<'i>);

impl<'i> Tree<'i> {
    pub(super) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(Deserializer::from(Spanned::new(0..0, self.0.clone())))
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Spanned<DeValue<'i>>> {
        let mut steps = path.0.iter();
        let Some(Step::Key(first)) = steps.next() else {
            return None;
        };
        steps.try_fold(self.0.get(first.as_str())?, |value, step| match step {
            Step::Key(key) => value.get_ref().get(key.as_str()),
            Step::Index(index) => value.get_ref().get(*index),
        })
    }

    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut Spanned<DeValue<'i>>> {
        let mut steps = path.0.iter();
        let Some(Step::Key(first)) = steps.next() else {
            return None;
        };
        steps.try_fold(self.0.get_mut(first.as_str())?, child_mut)
    }

    /// Where `path` is written, or else what is around it.
    pub(super) fn span(&self, path: &Path) -> Option<Range<usize>> {
        let mut path = path.clone();
        while !path.is_root() {
            if let Some(value) = self.get(&path) {
                return Some(value.span());
            }
            path = path.parent();
        }
        None
    }

    pub(super) fn remove(&mut self, path: &Path) {
        let parent = path.parent();
        match path.0.last() {
            Some(Step::Key(key)) if parent.is_root() => {
                self.0.remove(key.as_str());
            }
            Some(Step::Key(key)) => {
                if let Some(DeValue::Table(table)) = self.get_mut(&parent).map(Spanned::get_mut) {
                    table.remove(key.as_str());
                }
            }
            Some(Step::Index(index)) => {
                if let Some(DeValue::Array(array)) = self.get_mut(&parent).map(Spanned::get_mut) {
                    let kept = mem::replace(array, DeArray::new()).into_iter().enumerate();
                    *array = kept.filter(|(i, _)| i != index).map(|(_, v)| v).collect();
                }
            }
            None => {}
        }
    }

    /// The keys and values that are written exactly at `span`, outermost
    /// first. There are several for an environment variable, which stands for
    /// the tables that lead to it, too.
    pub(super) fn at(&self, span: &Range<usize>) -> Vec<Path> {
        let mut found = Vec::new();
        in_table(&self.0, &Path::default(), span, &mut found);
        found
    }
}

fn child_mut<'t, 'i>(
    value: &'t mut Spanned<DeValue<'i>>,
    step: &Step,
) -> Option<&'t mut Spanned<DeValue<'i>>> {
    match (value.get_mut(), step) {
        (DeValue::Table(table), Step::Key(key)) => table.get_mut(key.as_str()),
        (DeValue::Array(array), Step::Index(index)) => array.get_mut(*index),
        _ => None,
    }
}

fn in_table(table: &DeTable<'_>, path: &Path, span: &Range<usize>, found: &mut Vec<Path>) {
    for (key, value) in table {
        let path = path.clone().key(key.get_ref());
        if key.span() == *span || value.span() == *span {
            found.push(path.clone());
        }
        in_value(value.get_ref(), &path, span, found);
    }
}

fn in_value(value: &DeValue<'_>, path: &Path, span: &Range<usize>, found: &mut Vec<Path>) {
    match value {
        DeValue::Table(table) => in_table(table, path, span, found),
        DeValue::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                let path = path.clone().index(index);
                if item.span() == *span {
                    found.push(path.clone());
                }
                in_value(item.get_ref(), &path, span, found);
            }
        }
        _ => {}
    }
}
