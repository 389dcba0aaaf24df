//! `telemetry login bmw`: opens a session at BMW, and checks the set-up.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;

use bimmer::cardata::device_flow::Pending;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use crate::cli::{LogArgs, LoginBmwArgs};
use crate::command::{locate_state_dir, prepare, print};
use crate::config::{Bmw, BmwApi, BmwRegion, Config};
use crate::exit::{Code, Failure};
use crate::source::bmw::diagnosis::{Extent, Finding, diagnose};
use crate::source::bmw::tokens::Tokens;
use crate::source::bmw::{BmwError, account};
use crate::state_dir::StateDir;

/// Pages of the library that the replaced service used; BMW's own captcha is
/// in them.
const CAPTCHA: &str = "https://bimmer-connected.readthedocs.io/en/stable/captcha";

/// `login bmw`
pub(super) async fn bmw(args: &LoginBmwArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare(log, args.config.file.as_deref())?;
    let mut bmw = choose(&config, args.account.as_deref())?;
    let directory = locate_state_dir(args.state_dir.state_dir.as_deref(), &config);
    let held = StateDir::holder(&directory).is_some();
    match bmw.api {
        BmwApi::MyBmw => mybmw(&mut bmw, args, &directory).await?,
        BmwApi::CarData => cardata(&bmw, &directory).await?,
    }
    // The gateway that runs has the stream, and makes the calls.
    let extent = Extent {
        spend_quota: true,
        try_stream: !held,
    };
    let findings = diagnose(&bmw, &directory, extent).await;
    show(&bmw, &findings, args.json)?;
    let first = findings
        .into_iter()
        .find_map(|finding| finding.result.err());
    first.map_or(Ok(()), |failure| Err(Failure::silent(failure.code)))
}

fn choose(config: &Config, wanted: Option<&str>) -> Result<Bmw, Failure> {
    let usage = |message: &str, hint: String| Failure::new(Code::Usage, message).hint(hint);
    let titles: Vec<_> = config.bmw.iter().map(Bmw::title).collect();
    let chosen = match (wanted, config.bmw.as_slice()) {
        (_, []) => {
            let hint = "`telemetry config sample` shows one: CarData takes a client id, MyBMW user \
                        and password";
            return Err(Failure::new(Code::Configuration, "there is no [[bmw]] table").hint(hint));
        }
        (None, [one]) => Some(one),
        (None, _) => {
            let hint = format!("choose one with `--account`: {}", titles.join(", "));
            return Err(usage("which of the accounts?", hint));
        }
        (Some(wanted), all) => all
            .iter()
            .find(|bmw| bmw.title().eq_ignore_ascii_case(wanted)),
    };
    let unknown = || {
        usage(
            "there is no such account",
            format!("there is: {}", titles.join(", ")),
        )
    };
    chosen.cloned().ok_or_else(unknown)
}

async fn mybmw(bmw: &mut Bmw, args: &LoginBmwArgs, directory: &Path) -> Result<(), Failure> {
    let failed = |error: BmwError| error.failure("");
    let is_china = bmw.region == BmwRegion::China;
    if !is_china {
        let token = match &args.captcha_token {
            Some(token) => token.to_string(),
            None => ask_for_captcha()?,
        };
        bmw.captcha_token = Some(token.into());
    }
    let tokens = Tokens::open(bmw, Some(directory)).map_err(failed)?;
    // Whatever was kept: a new login was asked for.
    bimmer::TokenStore::clear(&tokens)
        .await
        .map_err(|error| failed(error.into()))?;
    let client = account::mybmw(bmw, tokens, None).map_err(failed)?;
    // Its picture is solved here.
    let token = match is_china {
        true => client.china_login().await,
        false => client.token().await,
    };
    token.map_err(|error| failed(error.into()))?;
    bmw.captcha_token = None;
    Ok(())
}

fn ask_for_captcha() -> Result<String, Failure> {
    eprintln!(
        "Solve the captcha in a browser, and paste its token here at once: it is good once, for \
         some minutes.\n  North America      {CAPTCHA}/north_america.html\n  Rest of the world  \
         {CAPTCHA}/rest_of_world.html"
    );
    if std::io::stdin().is_terminal() {
        eprint!("Token: ");
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::new(Code::Internal, format!("cannot read stdin: {error}")))?;
    match line.trim() {
        "" => Err(Failure::new(Code::Login, "no captcha token")
            .hint("paste it, or give it with `--captcha-token TOKEN`")),
        token => Ok(token.to_owned()),
    }
}

/// Shows link, code and QR code, and waits for the user. Used by the drop-in,
/// too.
pub(in crate::command) async fn cardata(bmw: &Bmw, directory: &Path) -> Result<(), Failure> {
    let failed = |error: BmwError| error.failure("");
    let tokens = Tokens::open(bmw, Some(directory)).map_err(failed)?;
    let client = account::cardata(bmw, tokens, None).map_err(failed)?;
    let login = client.login(|pending| eprint!("{}", invitation(pending)));
    login.await.map_err(|error| failed(error.into()))?;
    eprintln!("Logged in.");
    Ok(())
}

fn invitation(pending: &Pending) -> String {
    let url = &pending.verification_url_complete;
    let code = QrCode::new(url.as_bytes()).map(|code| {
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build()
    });
    format!(
        "Open this link and log in as the main user of the car; the code is {}.\n{url}\n{}\nWaiting \
         until {} ...\n",
        pending.user_code,
        code.unwrap_or_default(),
        pending.expires_at.format("%H:%M UTC")
    )
}

fn show(bmw: &Bmw, findings: &[Finding], json: bool) -> Result<(), Failure> {
    if json {
        let checks: Vec<_> = findings
            .iter()
            .map(|finding| {
                let (message, hint) = match &finding.result {
                    Ok(message) => (message, None),
                    Err(failure) => (&failure.message, failure.hint.as_ref()),
                };
                json!({"component": finding.what, "ok": finding.result.is_ok(),
                    "message": message, "hint": hint})
            })
            .collect();
        let all = json!({"account": bmw.title(), "checks": checks});
        return print(&format!("{all}\n"));
    }
    let mut text = String::new();
    for finding in findings {
        match &finding.result {
            Ok(message) => text += &format!("ok    {}: {message}\n", finding.what),
            Err(failure) => {
                text += &format!("FAIL  {}: {}\n", finding.what, failure.message);
                if let Some(hint) = &failure.hint {
                    text += &format!("      do: {hint}\n");
                }
            }
        }
    }
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_has_to_be_clear() {
        let failure = choose(&Config::default(), None).unwrap_err();
        assert_eq!(failure.code, Code::Configuration);
        let named = |label: &str| Bmw {
            label: Some(label.to_owned()),
            ..Bmw::default()
        };
        let config = Config {
            bmw: vec![named("Ours"), named("Theirs")],
            ..Config::default()
        };
        let failure = choose(&config, None).unwrap_err();
        assert_eq!(
            failure.hint.as_deref(),
            Some("choose one with `--account`: Ours, Theirs")
        );
        assert_eq!(choose(&config, Some("theirs")).unwrap().title(), "Theirs");
        assert!(choose(&config, Some("other")).is_err());
    }
}
