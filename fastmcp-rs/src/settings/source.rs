//! Reads settings from environment variables and from a TOML file, and collects all problems.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::secret;
use super::setting::{Setting, Value};
use super::table::SETTINGS;
use super::value::{Mistake, RawValue};
use super::{CONFIG, PREFIX};
use crate::checks::problem::Problem;
use crate::schema::suggest::find_nearest;

/// The suffix of a key whose value is the path of a file with a secret. In variables it is in capital letters.
const FILE_SUFFIX: &str = "_file";
/// The maximum size of a settings file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A setting that the operator has given.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) setting: &'static Setting,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The place where a value was given.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// The name of an environment variable.
    Variable(String),
    /// A line of a file.
    Key { key: String, file: PathBuf, line: usize },
}

impl Origin {
    fn problem(&self, mistake: Mistake) -> Problem {
        match self {
            Origin::Variable(name) => Problem::new(format!("`{name}`"), mistake.text, mistake.fix),
            Origin::Key { key, file, line } => {
                let problem = Problem::new(format!("`{key}`"), mistake.text, mistake.fix);
                problem.at(format!("{}:{line}", file.display()))
            }
        }
    }

    /// Returns a path that was given here: in a file, it is relative to the folder of the file.
    fn resolve(&self, path: &Path) -> PathBuf {
        match self {
            Origin::Variable(_) => path.to_path_buf(),
            Origin::Key { file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Variable(name) => write!(formatter, "`{name}`"),
            Origin::Key { key, file, line } => write!(formatter, "`{key}` ({}:{line})", file.display()),
        }
    }
}

/// The settings, problems and warnings that have been read so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) given: Vec<Given>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    /// Reads the variables with the prefix. Returns the path of the file that they name, if there is one.
    pub(super) fn read_variables(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) -> Option<PathBuf> {
        let prefixed = variables.filter_map(|(name, value)| {
            let name = name.to_str()?.to_owned();
            // Names of variables have no case on Windows.
            let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name };
            name.starts_with(PREFIX).then_some((name, value))
        });
        let mut variables: Vec<(String, OsString)> = prefixed.collect();
        variables.sort();
        let mut config = None;
        for (name, value) in variables {
            let origin = Origin::Variable(name.clone());
            let Some(value) = value.to_str().map(str::trim) else {
                let mistake = Mistake::new("its value is not UTF-8", "write it in UTF-8");
                self.problems.push(origin.problem(mistake));
                continue;
            };
            // Compose files and scripts pass on variables that are not set as empty ones.
            if value.is_empty() || is_service_link(&name, value) {
                continue;
            }
            if name == CONFIG {
                config = Some(PathBuf::from(value));
                continue;
            }
            let key = name[PREFIX.len()..].to_ascii_lowercase();
            self.read_value(&key, &RawValue::Variable(value.to_owned()), origin);
        }
        config
    }

    /// Reads a TOML file. If it is optional, it may be absent.
    pub(super) fn read_file(&mut self, path: &Path, is_optional: bool) {
        if is_optional && matches!(path.try_exists(), Ok(false)) {
            return;
        }
        let (text, is_exposed) = match secret::read_file(path, MAX_FILE) {
            Ok(read) => read,
            Err(Mistake { text, fix }) => {
                let subject = if is_optional { "the settings file".to_owned() } else { format!("`{CONFIG}`") };
                self.problems.push(Problem::new(subject, text, fix));
                return;
            }
        };
        let line_at = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let (table, errors) = DeTable::parse_recoverable(&text);
        if !errors.is_empty() {
            // The message does not quote the line, which may contain a key.
            self.problems.extend(errors.iter().map(|error| {
                let line = line_at(error.span().map_or(0, |span| span.start));
                let place = format!("{}:{line}", path.display());
                Problem::new("the settings file", format!("it is not TOML: {}", error.message()), "correct the line")
                    .at(place)
            }));
            return;
        }
        let mut entries: Vec<_> = table.into_inner().into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let (line, key) = (line_at(key.span().start), key.into_inner().into_owned());
            let is_key = SETTINGS.iter().any(|setting| setting.is_secret() && setting.name == key);
            if is_exposed && is_key {
                self.warnings.push(secret::exposure(path));
            }
            let origin = Origin::Key { key: key.clone(), file: path.to_path_buf(), line };
            self.read_value(&key, &raw_value(value.get_ref()), origin);
        }
    }

    /// Reads the value of a key, which may name a file with a secret.
    fn read_value(&mut self, key: &str, raw: &RawValue, origin: Origin) {
        let secret = key
            .strip_suffix(FILE_SUFFIX)
            .and_then(|name| SETTINGS.iter().find(|setting| setting.is_secret() && setting.name == name));
        let Some(setting) = secret.or_else(|| SETTINGS.iter().find(|setting| setting.name == key)) else {
            let mistake = unknown(key, &origin);
            self.problems.push(origin.problem(mistake));
            return;
        };
        let is_same_source =
            |other: &Origin| matches!(other, Origin::Variable(_)) == matches!(origin, Origin::Variable(_));
        if self.given.iter().any(|given| given.setting.name == setting.name && is_same_source(&given.origin)) {
            let text = format!("both it and the other form of `{}` are set", setting.name);
            self.problems.push(origin.problem(Mistake::new(text, "remove one of them")));
            return;
        }
        let value = if secret.is_some() { self.read_secret(raw, &origin) } else { setting.parse(raw) };
        match value {
            Ok(mut value) => {
                if let Value::Path(path) = &mut value {
                    *path = origin.resolve(path);
                }
                self.given.push(Given { setting, value, origin });
            }
            Err(mistake) => self.problems.push(origin.problem(mistake)),
        }
    }

    fn read_secret(&mut self, raw: &RawValue, origin: &Origin) -> Result<Value, Mistake> {
        let path = origin.resolve(Path::new(&raw.parse_path()?));
        let (keys, warning) = secret::read_keys(&path)?;
        self.warnings.extend(warning);
        Ok(Value::Keys(keys))
    }

    /// Returns what has been read, with variables before the file, or all problems.
    pub(super) fn finish(mut self) -> Result<(Vec<Given>, Vec<String>), Vec<Problem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        // Variables precede the file.
        self.given.sort_by_key(|given| !matches!(given.origin, Origin::Variable(_)));
        let mut kept: Vec<Given> = Vec::new();
        for given in self.given {
            if !kept.iter().any(|other| other.setting.name == given.setting.name) {
                kept.push(given);
            }
        }
        Ok((kept, self.warnings))
    }
}

/// Returns true for a variable that Kubernetes and Docker set in each container beside a service with the name
/// `fastmcp-rs` or `fastmcp-rs-…`, such as `FASTMCP_RS_SERVICE_HOST` and `FASTMCP_RS_PORT_8000_TCP_ADDR`. No operator
/// wrote it, so it is no mistake.
fn is_service_link(name: &str, value: &str) -> bool {
    let has_port = |(_, rest): (&str, &str)| rest.starts_with(|letter: char| letter.is_ascii_digit());
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT") && value.contains("://")
        || name.split_once("_PORT_").is_some_and(has_port)
}

/// Reports a key that no setting has.
fn unknown(key: &str, origin: &Origin) -> Mistake {
    let given = key.to_ascii_lowercase();
    let given = given.strip_prefix(&PREFIX.to_ascii_lowercase()).unwrap_or(&given);
    let secrets = SETTINGS.iter().filter(|setting| setting.is_secret());
    let secrets: Vec<String> = secrets.map(|setting| format!("{}{FILE_SUFFIX}", setting.name)).collect();
    let names = SETTINGS.iter().map(|setting| setting.name).chain(secrets.iter().map(String::as_str));
    let is_variable = matches!(origin, Origin::Variable(_));
    let config = is_variable.then_some("config");
    // One setting has both.
    let is_address = matches!(given, "host" | "port" | "address" | "addr" | "listen");
    let nearest = if is_address { Some("bind") } else { find_nearest(given, names.chain(config)) };
    let fix = match nearest {
        Some(name) if is_variable => format!("did you mean `{PREFIX}{}`?", name.to_uppercase()),
        Some(name) => format!("did you mean `{name}`?"),
        None => "remove it; the reference page \"Settings\" lists all settings".to_owned(),
    };
    Mistake::new("there is no such setting", fix)
}

/// Converts a value of TOML.
fn raw_value(value: &DeValue<'_>) -> RawValue {
    match value {
        DeValue::String(text) => RawValue::Text(text.to_string()),
        DeValue::Integer(number) => RawValue::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Boolean(value) => RawValue::Boolean(*value),
        DeValue::Array(entries) => {
            let texts = entries.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned));
            texts
                .collect::<Option<_>>()
                .map_or(RawValue::Other("an array with other values than strings"), RawValue::List)
        }
        DeValue::Float(_) => RawValue::Other("a number with a fraction"),
        DeValue::Datetime(_) => RawValue::Other("a date"),
        DeValue::Table(_) => RawValue::Other("a table"),
    }
}
