//! YAML as far as a kubeconfig takes it: no aliases, no tags, one document.

use serde_json::{Map, Value};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

/// No kubeconfig is nearly as long, or as deep.
const LONGEST: usize = 1 << 20;
const DEEPEST: usize = 32;

/// A collection that is not complete yet.
enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Table(Map<String, Value>, Option<String>),
}

/// The document as JSON; every scalar is text but for what is plainly empty,
/// true or false.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err("it is longer than a megabyte".to_owned());
    }
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let (event, mark) = parser.next_token().map_err(|error| error.to_string())?;
        let line = mark.line();
        let done = match event {
            Event::MappingStart(..) => {
                open.push(Open::Table(Map::new(), None));
                None
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(Open::List(items)) => Some(Value::Array(items)),
                Some(Open::Table(table, _)) => Some(Value::Object(table)),
                None => None,
            },
            Event::Scalar(text, style, ..) => Some(scalar(text, style)),
            Event::Alias(_) => return Err(format!("line {line}: an alias, which is not read")),
            Event::StreamEnd => return Ok(Value::Null),
            _ => None,
        };
        if open.len() > DEEPEST {
            return Err(format!("line {line}: too deep"));
        }
        let Some(value) = done else { continue };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Table(table, key)) => match (key.take(), value) {
                (Some(key), value) => drop(table.insert(key, value)),
                (None, Value::String(name)) => *key = Some(name),
                (None, other) => *key = Some(other.to_string()),
            },
        }
    }
}

fn scalar(text: String, style: TScalarStyle) -> Value {
    match (style, text.as_str()) {
        (TScalarStyle::Plain, "" | "~" | "null") => Value::Null,
        (TScalarStyle::Plain, "true") => Value::Bool(true),
        (TScalarStyle::Plain, "false") => Value::Bool(false),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_kubeconfig_is_made_of() {
        let text = "# mine\napiVersion: v1\nclusters:\n- name: a\n  cluster: {server: 'https://a:6443', \
                    insecure-skip-tls-verify: true}\nusers: []\nempty:\n";
        assert_eq!(
            read(text).unwrap(),
            json!({"apiVersion": "v1", "users": [], "empty": null, "clusters": [
                {"name": "a", "cluster": {"server": "https://a:6443",
                    "insecure-skip-tls-verify": true}}]})
        );
        assert_eq!(read("").unwrap(), Value::Null);
        // JSON is YAML, too.
        assert_eq!(
            read(r#"{"a": ["b", {}]}"#).unwrap(),
            json!({"a": ["b", {}]})
        );
    }

    #[test]
    fn what_could_blow_up_is_refused() {
        assert!(read("a: &x [1]\nb: *x\n").unwrap_err().contains("alias"));
        assert!(read(&"[".repeat(5000)).is_err());
        assert!(read(&"a: b\n".repeat(300_000)).is_err());
        assert!(read("a: [b").is_err());
        assert!(read("a: b: c").is_err());
    }
}
