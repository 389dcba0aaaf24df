//! Topic names and filters.

/// True if a message can be published on `topic`.
pub(super) fn is_name(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#', '\0'])
}

/// True if `filter` can be subscribed to: `+` and `#` fill a level, `#` only
/// the last one.
pub(super) fn is_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let wild = level.contains(['+', '#']);
        if wild && level.len() > 1 || level == "#" && levels.peek().is_some() {
            return false;
        }
    }
    true
}

/// True if `filter` covers `topic`. The client library's own test panics on
/// topics that start with a character beyond ASCII.
pub(super) fn matches(topic: &str, filter: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = topic.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true;
        }
        match names.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_cover_topics() {
        for (topic, filter) in [
            ("a/b/c", "a/b/c"),
            ("a/b/c", "a/+/c"),
            ("a/b/c", "#"),
            ("a/b", "a/b/#"),
            ("/a", "+/+"),
            ("/a", "/+"),
            ("a//c", "a/+/c"),
            ("über/x", "+/x"),
            ("$SYS/x", "$SYS/#"),
        ] {
            assert!(matches(topic, filter), "{topic} {filter}");
        }
        for (topic, filter) in [
            ("a/b/c", "a/b"),
            ("a/b", "a/b/+"),
            ("a/b", "a/b/c"),
            ("$SYS/x", "#"),
            ("$SYS/x", "+/x"),
            ("a/b", "A/b"),
        ] {
            assert!(!matches(topic, filter), "{topic} {filter}");
        }
    }

    #[test]
    fn wildcards_fill_a_level() {
        for filter in ["#", "+", "a/+/b", "a/#", "/", "a//b"] {
            assert!(is_filter(filter), "{filter}");
        }
        for filter in ["", "a#", "a/#/b", "a+", "+a/b", "a\0"] {
            assert!(!is_filter(filter), "{filter}");
        }
        assert!(is_name("a/b") && !is_name("a/+") && !is_name("a\0b") && !is_name(""));
    }
}
