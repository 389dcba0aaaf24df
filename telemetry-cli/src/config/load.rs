//! From file and environment to a checked [`Config`].

use std::path::{Path as FilePath, PathBuf};
use std::{fs, io};

use toml::de::{DeTable, DeValue};

use super::check::Check;
use super::environment::{self, Environment};
use super::explain::{self, explain, subject};
use super::report::{Problem, Report, Source};
use super::secret::plain;
use super::tree::{Path, Tree};
use super::{Config, schema};
use crate::exit::{Code, Failure};

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where they come from, and what is not quite right with them.
    pub report: Report,
}

/// The file to use: `asked` (`-c`), else `$TELEMETRY_CONFIG`, else the first
/// that exists in the usual places.
pub fn find(asked: Option<&FilePath>, environment: &Environment) -> Result<PathBuf, Failure> {
    if let Some(path) = asked {
        return Ok(path.to_path_buf());
    }
    if let Some(path) = environment.get("TELEMETRY_CONFIG") {
        return Ok(path.into());
    }
    let user = environment
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(FilePath::new(environment.get("HOME")?).join(".config")));
    let mut places = vec![PathBuf::from(FILE_NAME)];
    places.extend(user.map(|directory| directory.join("telemetry").join(FILE_NAME)));
    places.push(FilePath::new("/etc/telemetry").join(FILE_NAME));
    if let Some(found) = places.iter().find(|place| place.exists()) {
        return Ok(found.clone());
    }
    let places: Vec<_> = places
        .iter()
        .map(|place| match place.parent() {
            Some(parent) if parent.as_os_str().is_empty() => format!("./{}", place.display()),
            _ => place.display().to_string(),
        })
        .collect();
    let message = format!(
        "there is no configuration; looked for {}",
        places.join(", ")
    );
    Err(Failure::new(Code::Configuration, message).hint(
        "start with `telemetry config sample > telemetry.toml`, or name a file with `-c FILE`",
    ))
}

/// Reads `file`, puts the environment over it, and checks the result.
pub fn load(file: &FilePath, environment: &Environment) -> Result<Loaded, Report> {
    let name = file.display().to_string();
    let fail = |problem| Report {
        file: name.clone(),
        problems: vec![problem],
    };
    let bytes = fs::read(file).map_err(|error| {
        let problem = Problem::error(format!("cannot read {name}: {}", plain(&error)));
        fail(match error.kind() {
            io::ErrorKind::NotFound => {
                problem.help(format!("start with `telemetry config sample > {name}`"))
            }
            _ => problem,
        })
    })?;
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let end = good.len();
            let problem = Problem::error("this is not text in UTF-8 from here on")
                .help("save it as UTF-8 in your editor");
            return Err(fail(problem.at(Source::new(good).place(&(end..end)))));
        }
    };
    let (config, problems) = parse(file, text, environment);
    let report = Report {
        file: name,
        problems,
    };
    match config {
        Some(config) if !report.has_errors() => Ok(Loaded { config, report }),
        _ => Err(report),
    }
}

/// The values, as far as they could be read, and all problems.
fn parse(file: &FilePath, text: &str, environment: &Environment) -> (Option<Config>, Vec<Problem>) {
    let mut source = Source::new(text);
    let mut problems = Vec::new();
    let mut tree = match DeTable::parse(text) {
        Ok(table) => Tree(table.into_inner()),
        Err(error) => {
            let (problem, span) = explain::syntax(&error);
            return (None, vec![problem.at(source.place(&span))]);
        }
    };
    environment::overlay(&mut tree, environment, &mut source, &mut problems);
    let mut removed = Vec::new();
    check_shapes(&mut tree, &source, &mut problems, &mut removed);
    let config = read(&mut tree, &source, &mut problems, &mut removed);
    if let Some(config) = &config {
        let mut check = Check {
            file,
            tree: &tree,
            source: &source,
            removed: &removed,
            problems,
        };
        check.run(config);
        problems = check.problems;
    }
    problems.sort_by(|one, other| one.place.cmp(&other.place));
    (config, problems)
}

/// `[jbd]` for `[[jbd]]`, and the other way round. Serde would accept a list
/// where a table is wanted, as its values in their order.
fn check_shapes(
    tree: &mut Tree<'_>,
    source: &Source<'_>,
    problems: &mut Vec<Problem>,
    removed: &mut Vec<Path>,
) {
    for name in schema::keys(&[]) {
        let path = Path::table(&name);
        let Some(value) = tree.get(&path) else {
            continue;
        };
        let is_list = schema::is_list(&name);
        let wrong = match value.get_ref() {
            DeValue::Table(_) => is_list,
            DeValue::Array(_) => !is_list,
            _ => false,
        };
        if wrong {
            let place = source.place(&value.span());
            problems.push(explain::wrong_shape(&name, is_list).at(place));
            tree.remove(&path);
            removed.push(path);
        }
    }
}

/// Reads what is in the tree. Serde stops at the first mistake; so it is taken
/// out of the tree, and the rest is read again, until all mistakes are found.
fn read(
    tree: &mut Tree<'_>,
    source: &Source<'_>,
    problems: &mut Vec<Problem>,
    removed: &mut Vec<Path>,
) -> Option<Config> {
    let mut reread: Vec<Path> = Vec::new();
    for _ in 0..MOST_MISTAKES {
        let error = match tree.deserialize() {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let Some(path) = subject(tree, &error) else {
            problems.push(Problem::error(error.message()));
            return None;
        };
        let span = error.span().unwrap_or_default();
        if source.is_variable(&span)
            && !reread.contains(&path)
            && let Some(value) = tree.get_mut(&path)
            && let Some(read) = environment::as_written(value)
        {
            *value = read;
            reread.push(path);
            continue;
        }
        // A key that was there, but wrong, is not missing as well.
        let is_missing = error.message().starts_with("missing field");
        let known = |gone: &Path| {
            gone.parent() == path && error.message().contains(&format!("`{}`", gone.name()))
        };
        if !(is_missing && removed.iter().any(known)) {
            let place = source.place(&span);
            problems.push(explain(tree, &path, &error, source.is_variable(&span)).at(place));
        }
        tree.remove(&path);
        removed.push(path);
    }
    None
}

const FILE_NAME: &str = "telemetry.toml";

/// Whoever makes this many mistakes reads no further.
const MOST_MISTAKES: usize = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::SAMPLE;
    use super::*;
    use crate::exit::Paint;

    fn all_switched_on() -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        };
        SAMPLE.lines().map(line).collect()
    }

    proptest! {
        /// Whatever is typed into the file: there is an answer, and if there
        /// are no values, there is a reason.
        #[test]
        fn any_text_gets_an_answer(edits in prop::collection::vec((any::<Index>(), "[\\PC\n\r\t\"'=\\[\\]]{0,4}"), 1..6)) {
            let mut text: Vec<char> = all_switched_on().chars().collect();
            for (at, insert) in edits {
                let start = at.index(text.len());
                let end = (start + 3).min(text.len());
                text.splice(start..end, insert.chars());
            }
            let text: String = text.into_iter().collect();
            let environment = [("TELEMETRY_JBD__0__LABEL".to_owned(), text.clone())];
            let (config, problems) = parse(FilePath::new("a"), &text, &environment.into_iter().collect());
            let report = Report { file: "a".to_owned(), problems };
            prop_assert!(config.is_some() || report.has_errors());
            prop_assert!(report.problems.is_empty() || !report.render(Paint::Ansi).is_empty());
        }
    }
}
