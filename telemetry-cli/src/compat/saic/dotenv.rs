//! A file `.env` in the working directory, for variables that are not set.

/// Names and values of its lines. What is no assignment is left out.
pub fn parse(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(assignment).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    let value = value.trim();
    let quoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.split_once(quote))
        .map(|(inside, _)| inside);
    // A comment begins after a blank: passwords hold `#`.
    let value = quoted.unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim_end());
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_assignments_or_nothing() {
        let text = "# comment\nA=1\nexport B = two words # why\nC=\"x # y\" z\nD='it'\nE=a#b\nno\n=x\nA B=1\nF=\n";
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x # y"),
            ("D", "it"),
            ("E", "a#b"),
            ("F", ""),
        ];
        assert_eq!(parse(text), expected.map(own));
    }
}
