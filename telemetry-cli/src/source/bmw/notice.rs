//! What a user is told about the stream of CarData.

use bimmer::cardata::stream::Notice;

/// What it means, and what to do.
pub fn words(notice: Notice) -> &'static str {
    match notice {
        Notice::SecondClient => {
            "another program reads the stream of this CarData account, and BMW allows one: the \
             two throw each other out. Stop the other one, or let it read what this gateway \
             publishes (`raw = true` in its [[bmw]] table)"
        }
        Notice::NotAllowed => {
            "BMW's broker does not accept this login, although it is valid: switch on CarData \
             Stream in the portal, wait a minute, then run `telemetry login bmw`"
        }
        _ => "the stream of this CarData account needs attention: run `telemetry check`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_to_do() {
        assert!(words(Notice::SecondClient).contains("Stop the other one"));
        assert!(words(Notice::NotAllowed).contains("run `telemetry login bmw`"));
    }
}
