//! Mistakes in `[mqtt]` and `[home_assistant]`.

use super::{check, mistakes};
use crate::call::Outcome;

#[test]
fn bad_broker_address() {
    for (url, shown, what) in [
        (
            "mqtt://broker",
            "mqtt://broker",
            "the scheme `mqtt` is unknown\n\
             @\
             \n  = expected: \"tcp://HOST:1883\", \"tls://HOST:8883\", \"ws://HOST:80/mqtt\" or \"wss://HOST:443/mqtt\"\
             \n  = help: write `tcp://`",
        ),
        (
            "broker:1883",
            "broker:1883",
            "`broker:1883` has no scheme\n\
             @\
             \n  = expected: \"tcp://HOST:1883\", \"tls://HOST:8883\", \"ws://HOST:80/mqtt\" or \"wss://HOST:443/mqtt\"\
             \n  = help: try \"tcp://broker:1883\"",
        ),
        (
            "tls://:8883",
            "tls://:8883",
            "there is no host name in it\n\
             @\
             \n  = expected: \"tcp://HOST:1883\", \"tls://HOST:8883\", \"ws://HOST:80/mqtt\" or \"wss://HOST:443/mqtt\"",
        ),
        (
            "tcp://me:hunter2@broker",
            "tcp://***@broker",
            "user name or password in the address\n\
             @\
             \n  = help: addresses appear in logs: use the keys `user` and `password`",
        ),
    ] {
        let carets = "^".repeat(shown.len() + 2);
        let place =
            format!(" --> telemetry.toml:4:7\n  |\n4 | url = \"{shown}\"\n  |       {carets}");
        mistakes(
            &format!("[[jbd]]\nname = \"a\"\n[mqtt]\nurl = \"{url}\"\n"),
            &format!("error: `url`: {}\n", what.replace('@', &place)),
        );
    }
}

#[test]
fn contradictions_in_mqtt() {
    let outcome = check(
        "[[jbd]]\nname = \"a\"\n[home_assistant]\nprefix = \"\"\n[mqtt]\n\
         url = \"tcp://broker\"\npassword = \"env:PW\"\nclient_key = \"key.pem\"\n\
         ca = \"nowhere.pem\"\ntopic_prefix = \"home/#\"\n",
    )
    .env("PW", "hunter2")
    .file("key.pem", "")
    .run();
    let expected = Outcome::mistakes(
        "
error: `prefix` is empty
 --> telemetry.toml:4:10
  |
4 | prefix = \"\"
  |          ^^
  = expected: levels separated by `/`, such as \"telemetry\" or \"home/telemetry\"

error: `password` without `user`
 --> telemetry.toml:7:12
  |
7 | password = \"env:PW\"
  |            ^^^^^^^^
  = help: MQTT has no password without a user name: add `user = \"…\"`

error: `client_key` without `client_cert`
 --> telemetry.toml:8:14
  |
8 | client_key = \"key.pem\"
  |              ^^^^^^^^^
  = help: a client certificate needs both: add `client_cert = \"…\"`

error: `client_key` without TLS
 --> telemetry.toml:8:14
  |
8 | client_key = \"key.pem\"
  |              ^^^^^^^^^
  = help: write `tls://` or `wss://` in `url` for an encrypted connection

error: `ca` without TLS
 --> telemetry.toml:9:6
  |
9 | ca = \"nowhere.pem\"
  |      ^^^^^^^^^^^^^
  = help: write `tls://` or `wss://` in `url` for an encrypted connection

error: `ca`: cannot read nowhere.pem: No such file or directory
 --> telemetry.toml:9:6
  |
9 | ca = \"nowhere.pem\"
  |      ^^^^^^^^^^^^^

error: `topic_prefix` holds a wildcard, `+` or `#`
  --> telemetry.toml:10:16
   |
10 | topic_prefix = \"home/#\"
   |                ^^^^^^^^
   = expected: levels separated by `/`, such as \"telemetry\" or \"home/telemetry\"
",
    );
    assert_eq!(outcome, expected);
}

#[test]
fn certificate_without_key_and_no_address() {
    mistakes(
        "
[mqtt]
client_cert = \"telemetry.toml\"
[[jbd]]
name = \"a\"
",
        "
error: `url` is missing in `[mqtt]`
 --> telemetry.toml:1:1
  |
1 | [mqtt]
  | ^^^^^^
  = help: add `url = …` to it
",
    );
    mistakes(
        "
[mqtt]
url = \"tls://broker\"
client_cert = \"telemetry.toml\"
[[jbd]]
name = \"a\"
",
        "
error: `client_cert` without `client_key`
 --> telemetry.toml:3:15
  |
3 | client_cert = \"telemetry.toml\"
  |               ^^^^^^^^^^^^^^^^
  = help: a client certificate needs both: add `client_key = \"…\"`
",
    );
}
