//! The sample that `telemetry config sample` prints.

/// Every key with its meaning, its unit and its default.
pub const SAMPLE: &str = include_str!("sample.toml");

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::{Config, schema};
    use super::*;

    /// A key of the sample, or the head of a table.
    struct Line<'s> {
        text: &'s str,
        has_default: bool,
    }

    fn lines() -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let mut comment = String::new();
        for line in SAMPLE.lines() {
            // `# text` explains, `#key = value` can be switched on.
            if line.is_empty() {
                comment.clear();
            } else if line.starts_with("# ") {
                comment.push_str(line);
            } else {
                let has_default = !comment.contains("No default") && !comment.contains("Required");
                let text = line.strip_prefix('#').unwrap_or(line);
                lines.push(Line { text, has_default });
                comment.clear();
            }
        }
        lines
    }

    fn parse<'s>(lines: impl Iterator<Item = &'s Line<'s>>) -> Config {
        let text = lines.fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{}", line.text);
            text
        });
        toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn it_parses_as_it_is_and_with_every_key_switched_on() {
        let as_it_is: Config = toml::from_str(SAMPLE).unwrap();
        assert_eq!(format!("{as_it_is:?}"), format!("{:?}", Config::default()));
        parse(lines().iter());
    }

    #[test]
    fn it_holds_every_table_and_key() {
        let lines = lines();
        let keys = |head: &str| {
            let start = lines.iter().position(|line| line.text == head);
            let start = start.unwrap_or_else(|| panic!("{head} is missing"));
            lines[start + 1..]
                .iter()
                .map_while(|line| line.text.split_once(" = "))
                .map(|(key, _)| key.to_owned())
                .collect::<Vec<_>>()
        };
        for table in schema::keys(&[]) {
            let head = match schema::is_list(&table) {
                true => format!("[[{table}]]"),
                false => format!("[{table}]"),
            };
            let mut below = keys(&head);
            // Tables in it come last.
            for line in &lines {
                let name = line.text.strip_prefix(&format!("[{table}."));
                if let Some(name) = name.and_then(|rest| rest.strip_suffix(']')) {
                    // What stands behind a name of the user's own is no key.
                    let (key, _) = name.split_once('.').unwrap_or((name, ""));
                    below.push(key.to_owned());
                    let known = schema::keys(&[&table, name]);
                    assert_eq!(keys(line.text), known, "keys of {}", line.text);
                }
            }
            assert_eq!(below, schema::keys(&[&table]), "keys of {head}, in order");
        }
    }

    #[test]
    fn documented_defaults_are_the_real_ones() {
        let lines = lines();
        let is_head = |line: &&Line<'_>| line.text.starts_with('[');
        // One of `[[saic]]` is the user of [mariadb], too, where it is the default.
        let required = |line: &&Line<'_>| {
            ["url = ", "user = ", "password = "]
                .iter()
                .any(|key| line.text.starts_with(key))
        };
        let documented = parse(
            lines
                .iter()
                .filter(|line| is_head(line) || required(line) || line.has_default),
        );
        let real = parse(lines.iter().filter(|line| is_head(line) || required(line)));
        assert_eq!(format!("{documented:#?}"), format!("{real:#?}"));
        assert!(
            lines
                .iter()
                .filter(|line| line.has_default && !is_head(line))
                .count()
                > 10
        );
    }
}
