//! Times of day, as people write them.

/// What a control of times takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// `off`, or a time: `06:30`.
    One,
    /// `off`, a span: `22:00-06:00`, or a begin without an end: `22:00-target`.
    Span,
}

/// What stands in place of an end.
pub const TARGET: &str = "target";

/// No time at all.
pub const OFF: &str = "off";

impl Times {
    /// What `text` means, with two digits everywhere.
    pub(super) fn parse(self, text: &str) -> Option<String> {
        let text = text.to_ascii_lowercase();
        if text == OFF {
            return Some(text);
        }
        let shown = |text: &str| time(text).map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
        match self {
            Self::One => shown(&text),
            Self::Span => {
                let (start, end) = text.split_once('-')?;
                let (start, end) = (start.trim(), end.trim());
                let until = match end {
                    TARGET => TARGET.to_owned(),
                    end => shown(end).filter(|_| time(start) != time(end))?,
                };
                Some(format!("{}-{until}", shown(start)?))
            }
        }
    }

    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::One => "`off` or a time such as `06:30`",
            Self::Span => "`off`, a span such as `22:00-06:00`, or `22:00-target`",
        }
    }

    /// A regular expression of what it takes, for programs that check it first.
    pub fn pattern(self) -> &'static str {
        match self {
            Self::One => "^(off|([01]?[0-9]|2[0-3]):[0-5][0-9])$",
            Self::Span => {
                "^(off|([01]?[0-9]|2[0-3]):[0-5][0-9]-(target|([01]?[0-9]|2[0-3]):[0-5][0-9]))$"
            }
        }
    }
}

/// Hour and minute of `6:30`.
pub fn time(text: &str) -> Option<(u8, u8)> {
    let (hour, minute) = text.split_once(':')?;
    let digits =
        |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|of| of.is_ascii_digit());
    let number = |text: &str| text.parse::<u8>().ok().filter(|_| digits(text));
    let (hour, minute) = (number(hour)?, number(minute).filter(|_| minute.len() == 2)?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        for (times, text, read) in [
            (Times::One, "OFF", Some("off")),
            (Times::One, "6:30", Some("06:30")),
            (Times::One, "23:59", Some("23:59")),
            (Times::One, "24:00", None),
            (Times::One, "6:3", None),
            (Times::One, "+6:30", None),
            (Times::One, "06:30:00", None),
            (Times::One, "", None),
            (Times::Span, "off", Some("off")),
            (Times::Span, "22:00-06:00", Some("22:00-06:00")),
            (Times::Span, "9:05 - 16:00", Some("09:05-16:00")),
            (Times::Span, "22:00-Target", Some("22:00-target")),
            (Times::Span, "22:00", None),
            (Times::Span, "22:00-22:00", None),
            (Times::Span, "target-22:00", None),
            (Times::Span, "22:00-06:00-07:00", None),
        ] {
            assert_eq!(times.parse(text).as_deref(), read, "{text}");
        }
    }
}
