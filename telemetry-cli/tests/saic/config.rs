//! `[[saic]]`: what is wrong with it, and where.

use std::fs;

use crate::command;

/// What `config check` says about this configuration and these variables.
fn check(config: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().expect("a directory");
    fs::write(home.path().join("telemetry.toml"), config).expect("a file");
    let mut command = command(home.path(), &["config", "check"]);
    let output = command.envs(variables.iter().copied()).output();
    let output = output.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout) + &text(output.stderr),
    )
}

const ACCOUNT: &str = "[[saic]]\nuser = \"me@example.com\"\npassword = \"env:HOME\"\n";

#[test]
fn mistakes_are_explained() {
    for (keys, problem) in [
        ("region = \"uk\"", "`region` cannot be `uk`"),
        ("region = \"in\"", "cars in India are on another cloud"),
        ("region = \"india\"", "feature `india`"),
        ("polling = \"original\"", "`telemetry saic-mqtt-gateway`"),
        ("polling = \"sometimes\"", "`polling` cannot be `sometimes`"),
        (
            "base_url = \"gateway\"",
            "`base_url` is no address of the web",
        ),
        (
            "country_code = \"de\"",
            "`country_code` is not made of digits",
        ),
        (
            "time_zone = \"Europe/Atlantis\"",
            "there is no time zone `Europe/Atlantis`",
        ),
        ("interval = \"0s\"", "`interval` is zero"),
        ("live_calls_per_day = 0", "`live_calls_per_day` is zero"),
        ("[saic.vehicle.LSJ]", "`LSJ` is not a VIN"),
        (
            "[saic.allow]\nunlock = true",
            "unknown key `unlock` in `[saic.allow]`",
        ),
        (
            "[saic.vehicle.LSJDEMO0000000001]\n[saic.vehicle.lsjdemo0000000001]",
            "two devices have the VIN",
        ),
    ] {
        let (code, said) = check(&format!("{ACCOUNT}{keys}\n"), &[]);
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains(problem), "{keys}: {said}");
    }
    let phone = ACCOUNT.replace("me@example.com", "171 123456");
    let (code, said) = check(&phone, &[]);
    assert_eq!(code, Some(78), "{said}");
    assert!(
        said.contains("a phone number without `country_code`"),
        "{said}"
    );
    let twice = format!("{ACCOUNT}{ACCOUNT}");
    assert!(check(&twice, &[]).1.contains("two devices have the user"));
    assert_eq!(check(ACCOUNT, &[]).0, Some(0));
}

/// Variables are in capitals, and so are VINs as a rule.
#[test]
fn a_variable_reaches_a_vin_in_whatever_case() {
    let variable = "TELEMETRY_SAIC__0__VEHICLE__LSJDEMO0000000001__BATTERY_KWH";
    for vin in ["LSJDEMO0000000001", "lsjdemo0000000001"] {
        let config = format!("{ACCOUNT}[saic.vehicle.{vin}]\nbattery_kwh = 64.0\n");
        let (code, said) = check(&config, &[(variable, "77.5")]);
        assert_eq!(code, Some(0), "{said}");
        // It takes the place of the one in the file.
        let (code, said) = check(&config, &[(variable, "-1")]);
        assert_eq!(code, Some(78));
        assert!(said.contains("`battery_kwh` is out of range"), "{said}");
        assert!(said.contains(variable), "{said}");
    }
    let (code, said) = check(ACCOUNT, &[(variable, "77.5")]);
    assert_eq!(code, Some(0), "{said}");
}
