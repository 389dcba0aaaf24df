//! A page about a device, for people.

pub(super) fn join(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

pub(super) fn of(part: &str, whole: &str) -> String {
    match (part, whole) {
        ("", whole) => whole.to_owned(),
        (part, "") => part.to_owned(),
        (part, whole) => format!("{part} of {whole}"),
    }
}

/// `4 h 21 min`
pub(super) fn duration(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return String::new();
    };
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Labels in one column, texts in another.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn title(&mut self, name: &str, about: &str) {
        match about.is_empty() {
            true => self.0.push_str(&format!("{name}\n")),
            false => self.0.push_str(&format!("{name} ({about})\n")),
        }
    }

    /// Nothing for an empty text: unknown.
    pub(super) fn row(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            let line = format!("  {label:<18}{text}");
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        assert_eq!(duration(Some(40.0)), "1 min");
        assert_eq!(duration(Some(15_660.0)), "4 h 21 min");
        assert_eq!(duration(None), "");
    }
}
