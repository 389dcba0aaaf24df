//! What the tables of [`Config`] take, asked from its `Deserialize`: serde
//! lists the keys it knows when it meets one it does not know. So there is no
//! second list to keep in step.

use super::Config;

/// The keys of the table at `path`; the names of the tables if it is empty.
/// Nothing if there is no such table.
pub(super) fn keys(path: &[&str]) -> Vec<String> {
    let header = match path {
        [] => String::new(),
        [table, ..] if !keys(&[]).iter().any(|known| known == table) => return Vec::new(),
        [table] if is_list(table) => format!("[[{table}]]\n"),
        [table, ..] if is_list(table) => format!("[[{table}]]\n[{}]\n", path.join(".")),
        _ => format!("[{}]\n", path.join(".")),
    };
    match toml::from_str::<Config>(&format!("{header}'' = 0")) {
        Err(error) => unknown_field(error.message()).unwrap_or_default(),
        Ok(_) => Vec::new(),
    }
}

/// True if the table may be given several times: `[[jbd]]`.
pub(super) fn is_list(table: &str) -> bool {
    toml::from_str::<Config>(&format!("[{table}]"))
        .is_err_and(|error| error.message().ends_with("expected a sequence"))
}

/// The keys that a message about an unknown one offers instead, if it is such
/// a message.
pub(super) fn unknown_field(message: &str) -> Option<Vec<String>> {
    expected_names(message, "unknown field `")
}

/// The same for the values of an enum.
pub(super) fn unknown_variant(message: &str) -> Option<Vec<String>> {
    expected_names(message, "unknown variant `")
}

fn expected_names(message: &str, start: &str) -> Option<Vec<String>> {
    let rest = message.strip_prefix(start)?;
    // The key may hold anything, the names only identifiers: search from the end.
    let Some((_, names)) = rest.rsplit_once(", expected ") else {
        return Some(Vec::new());
    };
    let quoted = names.split('`').skip(1).step_by(2);
    Some(quoted.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_keys_are_known() {
        let tables = keys(&[]);
        assert!(tables.iter().any(|table| table == "mqtt"));
        assert!(keys(&["mqtt"]).iter().any(|key| key == "client_cert"));
        assert!(keys(&["jbd"]).iter().any(|key| key == "interval"));
        assert!(keys(&["nothing"]).is_empty());
        assert!(is_list("jbd"));
        assert!(!is_list("mqtt"));
        assert!(!is_list("gateway"));
    }
}
