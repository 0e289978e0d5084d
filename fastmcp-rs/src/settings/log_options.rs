//! The settings of log lines.

use std::sync::atomic::Ordering;

use super::setting::Value;
use super::source::Origin;
use super::{LOG_FORMAT, LOG_LEVEL, LOG_REQUESTS, Settings, no_effect};
use crate::telemetry::logging::{Format, Options};

impl Options {
    /// Takes the settings `log_level`, `log_format` and `log_requests` of the operator.
    ///
    /// An option that is set in code stays, in any order of calls, unless [`Settings::overriding`] names its setting.
    /// An app with [`App::settings`](crate::App::settings) sets up log lines itself, if the program has not.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::logging::{self, ClientLayer, Options};
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     let settings = Settings::load()?;
    ///     logging::init_with(Options::new().to_clients(ClientLayer::new()).settings(&settings));
    ///     App::new("orders").settings(settings).run().await
    /// }
    /// ```
    pub fn settings(mut self, settings: &Settings) -> Options {
        settings.logs_are_set_up.store(true, Ordering::Relaxed);
        for given in &settings.given {
            let name = given.setting.name;
            let is_overriding = settings.overriding.iter().any(|other| other == name);
            let warning = no_effect(&given.origin, name);
            match (name, &given.value) {
                (LOG_LEVEL, Value::Text(filter)) => {
                    self.set_filter(filter.clone(), matches!(given.origin, Origin::Variable(_)));
                }
                (LOG_FORMAT, Value::Choice(format)) => {
                    let format = match *format {
                        "plain" => Format::Plain,
                        "json" => Format::Json,
                        _ => Format::Auto,
                    };
                    self.format.set_by_operator(format, is_overriding, warning);
                }
                (LOG_REQUESTS, Value::Switch(show)) => {
                    self.requests.set_by_operator(*show, is_overriding, warning);
                }
                _ => {}
            }
        }
        self
    }
}

/// Does the same as [`Options::settings`], without options of the program.
impl From<&Settings> for Options {
    fn from(settings: &Settings) -> Options {
        Options::new().settings(settings)
    }
}
