//! The objects of the service: path, interface, property, value.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbus::Path;
use dbus::arg::{PropMap, RefArg, Variant};

/// A property's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Path(String),
    Flag(bool),
    I16(i16),
    U16(u16),
    U32(u32),
    Bytes(Vec<u8>),
    /// Company number and data.
    Manufacturer(BTreeMap<u16, Vec<u8>>),
}

impl Value {
    pub(super) fn variant(&self) -> Variant<Box<dyn RefArg>> {
        Variant(match self.clone() {
            Self::Text(text) => Box::new(text),
            Self::Texts(texts) => Box::new(texts),
            Self::Path(path) => Box::new(Path::from(path)),
            Self::Flag(flag) => Box::new(flag),
            Self::I16(number) => Box::new(number),
            Self::U16(number) => Box::new(number),
            Self::U32(number) => Box::new(number),
            Self::Bytes(bytes) => Box::new(bytes),
            Self::Manufacturer(data) => {
                let data: HashMap<u16, Variant<Box<dyn RefArg>>> = data
                    .into_iter()
                    .map(|(company, data)| {
                        let data: Box<dyn RefArg> = Box::new(data);
                        (company, Variant(data))
                    })
                    .collect();
                Box::new(data)
            }
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

pub(super) type Properties = BTreeMap<&'static str, Value>;
pub(super) type Interfaces = BTreeMap<&'static str, Properties>;

/// All objects.
#[derive(Debug, Default)]
pub(super) struct Tree(pub(super) BTreeMap<String, Interfaces>);

impl Tree {
    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn get(&self, path: &str, interface: &str, property: &str) -> Option<&Value> {
        self.0.get(path)?.get(interface)?.get(property)
    }

    pub(super) fn set(&mut self, path: &str, interface: &str, property: &'static str, to: Value) {
        if let Some(properties) = self
            .0
            .get_mut(path)
            .and_then(|interfaces| interfaces.get_mut(interface))
        {
            properties.insert(property, to);
        }
    }

    /// Removes an object and everything below it.
    pub(super) fn remove(&mut self, path: &str) {
        let below = format!("{path}/");
        self.0
            .retain(|other, _| other != path && !other.starts_with(&below));
    }

    pub(super) fn managed(&self) -> HashMap<Path<'static>, HashMap<String, PropMap>> {
        self.0
            .iter()
            .map(|(path, of)| (Path::from(path.clone()), interfaces(of)))
            .collect()
    }

    /// What GATT discovery goes by: the names of the children.
    pub(super) fn introspect(&self, path: &str) -> String {
        let below = match path {
            "/" => "/".to_owned(),
            path => format!("{path}/"),
        };
        let children: BTreeSet<&str> = self
            .0
            .keys()
            .filter_map(|other| other.strip_prefix(&below)?.split('/').next())
            .filter(|name| !name.is_empty())
            .collect();
        let nodes: String = children
            .iter()
            .map(|name| format!("<node name=\"{name}\"/>"))
            .collect();
        format!("<node>{nodes}</node>")
    }
}

pub(super) fn interfaces(of: &Interfaces) -> HashMap<String, PropMap> {
    of.iter()
        .map(|(&name, properties)| (name.to_owned(), prop_map(properties)))
        .collect()
}

pub(super) fn prop_map(properties: &Properties) -> PropMap {
    properties
        .iter()
        .map(|(&name, value)| (name.to_owned(), value.variant()))
        .collect()
}
