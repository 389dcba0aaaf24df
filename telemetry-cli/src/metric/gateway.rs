//! Metrics of the gateway itself, a device like others. Named parts are its
//! components: sources and sinks.

use super::{Metric, rows};

rows! {
    /// Version of this program.
    VERSION = Metric::text("version", "Version");
    /// When this process began.
    STARTED_AT = Metric::time("started_at", "Started").diagnostic();
    /// Successful polls since start.
    POLLS = Metric::count("polls", "Polls {}").named().diagnostic().hidden();
    /// Failed polls, restarts and lost connections since start.
    FAILURES = Metric::count("failures", "Failures {}").named().diagnostic();
    /// How long the last poll took.
    POLL_DURATION_S = Metric::gauge("poll_duration_s", "Poll duration {}", "s", 3, (0.0, 86_400.0)).class("duration").named().diagnostic().hidden().quiet();
    /// Journal entries that a sink has not taken yet.
    JOURNAL_BACKLOG = Metric::gauge("journal_backlog", "Journal backlog {}", "", 0, (0.0, 1e15)).named().diagnostic();
    /// Journal entries lost to its bounds since start.
    JOURNAL_DROPPED = Metric::count("journal_dropped", "Journal entries dropped").diagnostic();
    /// Events that slow sinks missed since start; they go on from the last
    /// known state.
    EVENTS_MISSED = Metric::count("events_missed", "Events missed").diagnostic().hidden();
    /// Values outside their believable range since start.
    IMPLAUSIBLE = Metric::count("implausible", "Implausible values").diagnostic();
    /// Readings that a database refused for themselves, since start; it keeps
    /// them aside with the reason.
    SET_ASIDE = Metric::count("set_aside", "Readings set aside {}").named().diagnostic();
    /// How each component is, in plain words.
    HEALTH = Metric::text("health", "Health {}").named();
    /// What failed last.
    LAST_ERROR = Metric::text("last_error", "Last error {}").named().hidden();
    /// When that was.
    LAST_ERROR_AT = Metric::time("last_error_at", "Last error {} at").named().diagnostic().hidden();
    /// Requests left before a daily limit.
    QUOTA_LEFT = Metric::gauge("quota_left", "Quota left {}", "", 0, (0.0, 1e9)).named().diagnostic();
}
