use std::time::Duration;

use serde_json::Value;

use crate::error::clipped;

/// What kind of refusal an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Too many calls within a short time (429).
    RateLimit,
    /// The calls of the day are used up (403 with the word quota).
    Quota,
    /// BMW lets only its own app through (403, `Blocked`).
    Blocked,
    /// The token is not accepted (401, 403).
    Auth,
    /// The server failed (5xx, 408).
    Server,
    /// Any other.
    Other,
}

/// The class of an answer that is no success, and its words.
#[must_use]
pub fn classify(status: u16, body: &str) -> (Class, String) {
    let class = match status {
        429 => Class::RateLimit,
        403 if body.to_ascii_lowercase().contains("quota") => Class::Quota,
        403 if body
            .trim()
            .trim_matches('"')
            .eq_ignore_ascii_case("blocked") =>
        {
            Class::Blocked
        }
        401 | 403 => Class::Auth,
        408 | 500.. => Class::Server,
        _ => Class::Other,
    };
    (class, words(status, body))
}

fn words(status: u16, body: &str) -> String {
    let document: Option<Value> = serde_json::from_str(body).ok();
    let member = |name: &str| document.as_ref()?.get(name)?.as_str();
    match (member("error"), member("error_description")) {
        (Some(error), Some(description)) => clipped(&format!("{error} - {description}")),
        (Some(error), None) => clipped(error),
        _ if body.trim().is_empty() => format!("HTTP {status} without a body"),
        _ => clipped(body),
    }
}

/// How long BMW asks to wait: `… in 15 seconds` or `… in 02:12:20` in the
/// member `message`. `None` if it does not say.
#[must_use]
pub fn quota_wait(body: &str) -> Option<Duration> {
    let document: Value = serde_json::from_str(body).ok()?;
    let message = document.get("message")?.as_str()?;
    let words = message
        .split_whitespace()
        .map(|word| word.trim_matches(['.', ',', ';']));
    let words: Vec<&str> = words.collect();
    if let Some(seconds) = words.iter().find_map(|word| clock_time(word)) {
        return Some(Duration::from_secs(seconds));
    }
    let unit = words.iter().position(|word| word.starts_with("second"))?;
    let count: u64 = words.get(unit.checked_sub(1)?)?.parse().ok()?;
    Some(Duration::from_secs(count.min(7 * 24 * 3600)))
}

/// Hours, minutes and seconds as seconds.
fn clock_time(word: &str) -> Option<u64> {
    let mut parts = word.splitn(3, ':');
    let hours = parts.next()?;
    let (minutes, seconds) = (parts.next()?, parts.next()?);
    if hours.len() > 3 || minutes.len() != 2 || seconds.len() != 2 {
        return None;
    }
    let number = |part: &str| part.parse::<u64>().ok();
    Some(number(hours)? * 3600 + number(minutes)? * 60 + number(seconds)?)
}
