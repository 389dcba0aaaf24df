//! Mistakes in `[mariadb]`.

use super::{check, mistakes};
use crate::call::Outcome;

#[test]
fn the_table_alone_will_do() {
    let outcome = check("[mariadb]\n[[jbd]]\nname = \"a\"\n")
        .env("TELEMETRY_MARIADB__PORT", "3307")
        .env("TELEMETRY_MARIADB__TLS", "required")
        .env("TELEMETRY_MARIADB__PASSWORD", "hunter2")
        .run();
    assert_eq!(outcome, Outcome::ok("telemetry.toml: ok, 1 device\n", ""));
}

#[test]
fn values_out_of_range() {
    mistakes(
        "
[mariadb]
host = \"tcp://db\"
port = 0
user = \"\"
batch = 9000
history = \"0s\"
tls = \"always\"
[[jbd]]
name = \"a\"
",
        "
error: `host` is not a host name
 --> telemetry.toml:2:8
  |
2 | host = \"tcp://db\"
  |        ^^^^^^^^^^
  = expected: a name or an address without port, such as \"db.example.org\"
  = help: the port has a key of its own: `port = 3306`

error: `port` is zero
 --> telemetry.toml:3:8
  |
3 | port = 0
  |        ^
  = expected: the server's port: 3306

error: `user` is empty
 --> telemetry.toml:4:8
  |
4 | user = \"\"
  |        ^^

error: `batch` is out of range
 --> telemetry.toml:5:9
  |
5 | batch = 9000
  |         ^^^^
  = expected: from 1 to 5000

error: `history` is zero
 --> telemetry.toml:6:11
  |
6 | history = \"0s\"
  |           ^^^^
  = expected: a time for which readings are kept, such as \"30d\"

error: `tls` cannot be `always`
 --> telemetry.toml:7:7
  |
7 | tls = \"always\"
  |       ^^^^^^^^
  = expected: \"disabled\", \"preferred\", \"required\", \"verify_ca\" or \"verify_identity\"
",
    );
}

/// Whoever names certificates must not get a connection without them.
#[test]
fn certificates_that_would_not_be_used() {
    let outcome = check(
        "[mariadb]\ntls = \"required\"\nca = \"ca.pem\"\nclient_cert = \"ca.pem\"\n\
         [[jbd]]\nname = \"a\"\n",
    )
    .file("ca.pem", "")
    .run();
    let expected = Outcome::mistakes(
        "
error: `ca` is not looked at with this `tls`
 --> telemetry.toml:3:6
  |
3 | ca = \"ca.pem\"
  |      ^^^^^^^^
  = help: leave `tls` out, or write `tls = \"verify_identity\"`

error: `client_cert` without `client_key`
 --> telemetry.toml:4:15
  |
4 | client_cert = \"ca.pem\"
  |               ^^^^^^^^
  = help: a client certificate needs both: add `client_key = \"…\"`
",
    );
    assert_eq!(outcome, expected);
    mistakes(
        "
[mariadb]
tls = \"verify_ca\"
[[jbd]]
name = \"a\"
",
        "
error: `tls = \"verify_ca\"` without `ca`
 --> telemetry.toml:2:7
  |
2 | tls = \"verify_ca\"
  |       ^^^^^^^^^^^
  = help: with the system's authorities alone, any public certificate would do: name the server's own authority, or write \"verify_identity\"
",
    );
}
