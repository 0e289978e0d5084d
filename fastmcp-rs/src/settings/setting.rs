//! A setting: its name, the form of its value, and its effect on an app.

use std::path::PathBuf;
use std::time::Duration;

use super::secret;
use super::value::{Mistake, RawValue, list_choices};
use crate::checks::problem::Problem;
use crate::engine::ServerConfig;
use crate::sealing::SealingKey;
#[cfg(feature = "http")]
use crate::transport::http::HttpConfig;
#[cfg(feature = "stdio")]
use crate::transport::stdio::StdioConfig;

/// One setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// The feature of this crate that the setting needs.
    pub(super) feature: Option<&'static str>,
    pub(super) group: &'static str,
    pub(super) kind: Kind,
    /// The default as the operator reads it.
    pub(super) default: &'static str,
    /// The effect, as a phrase.
    pub(super) effect: &'static str,
}

/// The part of an app that settings change.
pub(crate) struct Target<'a> {
    pub(crate) server: &'a mut ServerConfig,
    pub(crate) sealing_keys: &'a mut Vec<SealingKey>,
    #[cfg(feature = "stdio")]
    pub(crate) stdio: &'a mut StdioConfig,
    #[cfg(feature = "http")]
    pub(crate) http: &'a mut HttpConfig,
    pub(crate) run: &'a mut RunSettings,
}

/// Settings that choose the transport and its address.
#[derive(Debug, Default)]
pub(crate) struct RunSettings {
    /// `stdio` or `http`.
    pub(crate) transport: Option<&'static str>,
    /// An address with a port, or `unix:` and a path.
    pub(crate) bind: Option<String>,
    #[cfg(feature = "tls")]
    pub(crate) tls: TlsFiles,
}

/// The settings of HTTPS.
#[cfg(feature = "tls")]
#[derive(Debug, Default)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) renewal_interval: Option<Duration>,
}

/// Sets a value of a target.
pub(super) type Apply<T> = fn(&mut Target<'_>, T);
/// Checks a text.
pub(super) type Check = fn(&str) -> Result<(), Problem>;

/// The form of a setting's value, and its effect.
pub(super) enum Kind {
    Switch(Apply<bool>),
    Count { least: usize, apply: Apply<usize> },
    Size { least: usize, most: usize, apply: Apply<usize> },
    Duration(Apply<Duration>),
    Text { form: &'static str, check: Check, apply: Apply<String> },
    List { form: &'static str, check: Check, apply: Apply<Vec<String>> },
    Choice { names: &'static [&'static str], apply: Apply<&'static str> },
    Mode(Apply<u32>),
    Path(Apply<PathBuf>),
    Keys,
}

/// The value of a setting, in the form of its kind.
#[derive(Clone)]
pub(super) enum Value {
    Switch(bool),
    Number(usize),
    Duration(Duration),
    Text(String),
    List(Vec<String>),
    Choice(&'static str),
    Mode(u32),
    Path(PathBuf),
    Keys(Vec<SealingKey>),
}

/// Secrets are not shown.
impl std::fmt::Debug for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Switch(value) => write!(formatter, "{value}"),
            Value::Number(value) => write!(formatter, "{value}"),
            Value::Duration(value) => write!(formatter, "{value:?}"),
            Value::Text(value) => write!(formatter, "{value:?}"),
            Value::List(value) => write!(formatter, "{value:?}"),
            Value::Choice(value) => write!(formatter, "{value:?}"),
            Value::Mode(value) => write!(formatter, "{value:o}"),
            Value::Path(value) => write!(formatter, "{value:?}"),
            Value::Keys(_) => formatter.write_str("***"),
        }
    }
}

impl Setting {
    /// Returns true for a setting that is also read from a file with the suffix `_file`, and never shown.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Keys)
    }

    /// Returns the name of the environment variable.
    pub(super) fn variable(&self) -> String {
        format!("{}{}", super::PREFIX, self.name.to_uppercase())
    }

    /// Parses a value, unless the program was built without the feature that it needs.
    pub(super) fn parse(&self, raw: &RawValue) -> Result<Value, Mistake> {
        if let Some(feature) = self.feature.filter(|feature| !is_built(feature)) {
            return Err(Mistake::new(
                format!("this program was built without the feature `{feature}` of fastmcp-rs"),
                "remove the setting, or use a program with the feature",
            ));
        }
        Ok(match &self.kind {
            Kind::Switch(_) => Value::Switch(raw.parse_switch()?),
            Kind::Count { least, .. } => Value::Number(raw.parse_count(*least)?),
            Kind::Size { least, most, .. } => Value::Number(raw.parse_size(*least, *most)?),
            Kind::Duration(_) => Value::Duration(raw.parse_duration()?),
            Kind::Text { check, .. } => Value::Text(raw.parse_text(*check)?),
            Kind::List { check, .. } => Value::List(raw.parse_list(*check)?),
            Kind::Choice { names, .. } => Value::Choice(raw.parse_choice(names)?),
            Kind::Mode(_) => Value::Mode(raw.parse_mode()?),
            Kind::Path(_) => Value::Path(raw.parse_path()?.into()),
            Kind::Keys => Value::Keys(secret::parse_keys(raw.split_list()?.iter().map(String::as_str))?),
        })
    }

    /// Sets the value in a target. A value of another kind, which [`Setting::parse`] never returns, changes nothing.
    pub(super) fn apply(&self, target: &mut Target<'_>, value: Value) {
        match (&self.kind, value) {
            (Kind::Switch(apply), Value::Switch(value)) => apply(target, value),
            (Kind::Count { apply, .. } | Kind::Size { apply, .. }, Value::Number(value)) => apply(target, value),
            (Kind::Duration(apply), Value::Duration(value)) => apply(target, value),
            (Kind::Text { apply, .. }, Value::Text(value)) => apply(target, value),
            (Kind::List { apply, .. }, Value::List(value)) => apply(target, value),
            (Kind::Choice { apply, .. }, Value::Choice(value)) => apply(target, value),
            (Kind::Mode(apply), Value::Mode(value)) => apply(target, value),
            (Kind::Path(apply), Value::Path(value)) => apply(target, value),
            (Kind::Keys, Value::Keys(keys)) => *target.sealing_keys = keys,
            _ => debug_assert!(false, "`{}` has a value of another kind", self.name),
        }
    }

    /// Returns the row of this setting in the reference table: key and variable, type, accepted values, default, effect.
    pub(super) fn row(&self) -> String {
        let (kind, accepted) = match &self.kind {
            Kind::Switch(_) => ("boolean", "`true`, `false`; in a variable also `1`, `0`".to_owned()),
            Kind::Count { least, .. } => ("integer", format!("from {least} on")),
            Kind::Size { least, most: usize::MAX, .. } => ("size", format!("from {} on", show_size(*least))),
            Kind::Size { least, most, .. } => ("size", format!("{} to {}", show_size(*least), show_size(*most))),
            Kind::Duration(_) => ("duration", "more than zero".to_owned()),
            Kind::Text { form, .. } => ("text", (*form).to_owned()),
            Kind::List { form, .. } => ("list", (*form).to_owned()),
            Kind::Choice { names, .. } => ("text", list_choices(names)),
            Kind::Mode(_) => ("text", "three octal digits".to_owned()),
            Kind::Path(_) => ("path", "a file".to_owned()),
            Kind::Keys => ("list, secret", "32 bytes in Base64 each; also `sealing_keys_file`".to_owned()),
        };
        let feature = self.feature.map(|feature| format!(" (feature `{feature}`)")).unwrap_or_default();
        let (name, variable) = (self.name, self.variable());
        format!("| `{name}`<br>`{variable}` | {kind} | {accepted} | {} | {}{feature} |", self.default, self.effect)
    }
}

fn show_size(bytes: usize) -> String {
    match bytes.trailing_zeros() {
        _ if bytes == 0 => "0 bytes".to_owned(),
        zeros if zeros >= 40 => format!("{} TiB", bytes >> 40),
        zeros if zeros >= 10 => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

/// The features that settings need, and whether this build of the crate has them.
const FEATURES: [(&str, bool); 6] = [
    ("stdio", cfg!(feature = "stdio")),
    ("http", cfg!(feature = "http")),
    ("tls", cfg!(feature = "tls")),
    ("legacy-sse", cfg!(feature = "legacy-sse")),
    ("logging", cfg!(feature = "logging")),
    ("metrics", cfg!(all(feature = "metrics", feature = "http"))),
];

/// Returns true if this build of the crate has a feature.
fn is_built(feature: &str) -> bool {
    FEATURES.contains(&(feature, true))
}
