//! Settings that operators make without a build: environment variables `FASTMCP_RS_…` and a TOML file.
//!
//! [`App::settings`](crate::App::settings) applies them to an app, its HTTP server and its log lines, and
//! [`App::run`](crate::App::run) serves on the transport and the address that they choose. The page "Settings" of the
//! book lists all of them.
//!
//! `table` has all settings, each a `setting`. `source` reads variables and the file, `value` and `duration` parse values, `secret` reads
//! keys, and `log_options` is for log lines.
//!
//! # Example
//!
//! ```no_run
//! use fastmcp_rs::prelude::*;
//!
//! #[mcp::main]
//! async fn main() -> Result<(), fastmcp_rs::Error> {
//!     App::new("orders").settings(Settings::load()?).run().await
//! }
//! ```

mod duration;
#[cfg(feature = "logging")]
mod log_options;
mod secret;
mod setting;
mod source;
mod table;
mod value;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use setting::{RunSettings, Target};
use source::{Given, Origin, Reader};
use table::SETTINGS;

use crate::checks::problem::Problem;
use crate::error::Error;
use crate::schema::suggest::find_nearest;

/// The beginning of the names of all variables. The Python framework reads `FASTMCP_…`, and child processes inherit
/// variables, so the prefix is another one.
const PREFIX: &str = "FASTMCP_RS_";
/// The variable that names the TOML file.
const CONFIG: &str = "FASTMCP_RS_CONFIG";

/// The names of the settings of log lines, which an app does not have.
const LOG_LEVEL: &str = "log_level";
const LOG_FORMAT: &str = "log_format";
const LOG_REQUESTS: &str = "log_requests";

/// The settings that an operator has made in environment variables `FASTMCP_RS_…` and a TOML file.
///
/// A setting has the name of the method that sets it in code: [`App::page_size`](crate::App::page_size) is `page_size`
/// in TOML, and `FASTMCP_RS_PAGE_SIZE` in the environment. The page "Settings" of the book lists the names, the accepted
/// values and the defaults, and [`Settings::reference`] returns the same tables.
///
/// # Precedence
///
/// 1. A value that the code of the program sets, in any order of calls: it stays, and a setting that has no effect for
///    this reason is logged as a warning. [`Settings::overriding`] names the settings that operators may change
///    nevertheless; the value in code is then their default.
/// 2. The environment variable. An empty variable counts as not set.
/// 3. The TOML file: the one that `FASTMCP_RS_CONFIG` names, or else that of [`Settings::load_with_file`]. No file in
///    the working directory is read by itself, because clients start servers in folders of strangers.
/// 4. The default.
///
/// # Mistakes
///
/// A variable `FASTMCP_RS_…` or a key of the file that does not exist, and a value that the setting does not accept, are
/// problems of one [configuration error](Error::is_configuration), all together: each names the variable, or the file,
/// the line and the key. The value is part of the message, except for secrets.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// # fn main() -> Result<(), fastmcp_rs::Error> {
/// // Usually `Settings::load()`.
/// let settings = Settings::from_variables([("FASTMCP_RS_PAGE_SIZE", "50"), ("FASTMCP_RS_TIMEOUT", "1m30s")])?;
/// let app = App::empty("orders").settings(settings);
/// # app.check()?;
///
/// let error = Settings::from_variables([("FASTMCP_RS_TIMEOUT", "90")]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`FASTMCP_RS_TIMEOUT`: `90` has no unit: write a whole number and a unit, as in `500ms`, `30s`, `2m`, `1h` or `1m30s`"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until they are passed to `App::settings`"]
pub struct Settings {
    given: Vec<Given>,
    overriding: Vec<String>,
    warnings: Vec<String>,
    /// True once log lines have been set up from these settings or a clone of them.
    logs_are_set_up: Arc<AtomicBool>,
}

impl Settings {
    /// Reads the environment variables of this process, and the TOML file that `FASTMCP_RS_CONFIG` names, if it is set.
    ///
    /// # Errors
    ///
    /// Returns a [configuration error](Error::is_configuration) with every variable and key that does not exist or has
    /// a value that cannot be used, and if the file cannot be read.
    pub fn load() -> Result<Settings, Error> {
        Settings::read(std::env::vars_os(), None)
    }

    /// Does the same as [`Settings::load`], with a file for the case that `FASTMCP_RS_CONFIG` is not set, such as
    /// `/etc/orders/settings.toml`. This file may be absent; the file of the variable must exist.
    ///
    /// # Errors
    ///
    /// Fails under the conditions of [`Settings::load`].
    pub fn load_with_file(default: impl AsRef<Path>) -> Result<Settings, Error> {
        Settings::read(std::env::vars_os(), Some(default.as_ref()))
    }

    /// Reads these variables instead of those of the process, for tests. The other variables are not read.
    ///
    /// # Errors
    ///
    /// Fails under the conditions of [`Settings::load`].
    pub fn from_variables<N: Into<OsString>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Settings, Error> {
        Settings::read(variables.into_iter().map(|(name, value)| (name.into(), value.into())), None)
    }

    fn read(
        variables: impl Iterator<Item = (OsString, OsString)>,
        default_file: Option<&Path>,
    ) -> Result<Settings, Error> {
        let mut reader = Reader::default();
        match (reader.read_variables(variables), default_file) {
            (Some(file), _) => reader.read_file(&file, false),
            (None, Some(file)) => reader.read_file(file, true),
            (None, None) => {}
        }
        let (given, warnings) = reader.finish().map_err(Error::configuration)?;
        Ok(Settings { given, overriding: Vec::new(), warnings, logs_are_set_up: Arc::default() })
    }

    /// Allows operators to change these settings even if the code of the program sets them. Further calls add names.
    ///
    /// The value in code is then the default. A name that no setting has is an error when the app starts.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     // `FASTMCP_RS_BIND` replaces the address, and `FASTMCP_RS_MAX_BODY` the limit.
    ///     let settings = Settings::load()?.overriding(["bind", "max_body"]);
    ///     let config = HttpConfig::new().max_body(1 << 20);
    ///     App::new("orders").http(config).settings(settings).run_http("127.0.0.1:8000").await
    /// }
    /// ```
    pub fn overriding<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Settings {
        self.overriding.extend(names.into_iter().map(Into::into));
        self
    }

    /// Returns the tables of all settings in Markdown, as the page "Settings" of the book has them.
    pub fn reference() -> String {
        let mut text = String::new();
        let mut group = "";
        for setting in SETTINGS {
            if setting.group != group {
                group = setting.group;
                let gap = if text.is_empty() { "" } else { "\n" };
                text.push_str(&format!(
                    "{gap}### {group}\n\n| key, variable | type | accepted | default | effect |\n|---|---|---|---|---|\n"
                ));
            }
            text.push_str(&setting.row());
            text.push('\n');
        }
        text
    }

    /// Applies the settings to a target, except those that code has fixed. Returns the warnings, or the problems.
    pub(crate) fn apply(
        self,
        target: &mut Target<'_>,
        is_fixed: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Vec<Problem>> {
        let problems: Vec<Problem> = self.overriding.iter().filter_map(|name| check_overriding(name)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut warnings = self.warnings;
        for Given { setting, value, origin } in self.given {
            let is_overriding = self.overriding.iter().any(|name| name == setting.name);
            if is_fixed(setting.name) && !is_overriding {
                warnings.push(no_effect(&origin, setting.name));
            } else {
                setting.apply(target, value);
            }
        }
        #[cfg(feature = "tls")]
        apply_tls(target)?;
        Ok(warnings)
    }

    /// Sets up log lines, unless the program has done so. Returns a warning if settings of log lines have no effect.
    pub(crate) fn start_logging(&self) -> Option<String> {
        #[cfg(feature = "logging")]
        if !tracing::dispatcher::has_been_set() {
            crate::telemetry::logging::init_with(self);
            return None;
        }
        let names = [LOG_LEVEL, LOG_FORMAT, LOG_REQUESTS];
        let given = self.given.iter().find(|given| names.contains(&given.setting.name))?;
        let is_used = self.logs_are_set_up.load(Ordering::Relaxed);
        (!is_used).then(|| format!("{} has no effect: the program sets up its log lines itself", given.origin))
    }
}

/// The warning about a setting that the code of the program fixes.
fn no_effect(origin: &Origin, name: &str) -> String {
    format!("{origin} has no effect: the code of this program fixes `{name}`")
}

/// Reports a name of [`Settings::overriding`] that cannot be there.
fn check_overriding(name: &str) -> Option<Problem> {
    let subject = "`Settings::overriding`";
    if name == "transport" {
        let text = "`transport` cannot be overridden, because the program calls the method of one transport";
        return Some(Problem::new(subject, text, "call `App::run`, and remove the name"));
    }
    if SETTINGS.iter().any(|setting| setting.name == name) {
        return None;
    }
    let fix = match find_nearest(name, SETTINGS.iter().map(|setting| setting.name)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "remove it".to_owned(),
    };
    Some(Problem::new(subject, format!("there is no setting `{name}`"), fix))
}

/// Sets the certificate, if there is one with its key.
#[cfg(feature = "tls")]
fn apply_tls(target: &mut Target<'_>) -> Result<(), Vec<Problem>> {
    let files = &mut target.run.tls;
    let tls = match (files.certificate.take(), files.key.take()) {
        (Some(certificate), Some(key)) => crate::transport::http::Tls::from_pem_files(certificate, key),
        (None, None) if files.renewal_interval.is_none() => return Ok(()),
        _ => {
            let text = "HTTPS needs both a certificate and its key";
            return Err(vec![Problem::new("`tls_certificate` and `tls_key`", text, "set both settings, or neither")]);
        }
    };
    target.http.tls = Some(match files.renewal_interval {
        Some(interval) => tls.renewal_interval(interval),
        None => tls,
    });
    Ok(())
}

/// Shows the values, without secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.given.iter().map(|given| (given.setting.name, &given.value));
        formatter.debug_map().entries(entries).finish()
    }
}

#[cfg(test)]
mod tests;
