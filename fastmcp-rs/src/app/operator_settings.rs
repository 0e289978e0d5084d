//! Applies the settings of the operator to an app, and serves on the transport that they choose.
//!
//! They are applied when the app starts, so that the order of the builder's calls has no effect.

use super::App;
use crate::error::Error;
use crate::settings::{RunSettings, Settings, Target};
use crate::util::operator_log;

/// The address of [`App::run`] on HTTP, if the operator sets none.
#[cfg(feature = "http")]
const DEFAULT_BIND: &str = "127.0.0.1:8000";

impl App {
    /// Applies the operator's settings when the app starts: to the app itself, its [`HttpConfig`](crate::HttpConfig)
    /// and, with the feature `logging`, the log lines, unless the program has installed a subscriber.
    ///
    /// A setting that the code of the program sets, before or after this call, stays as it is, and a warning says so,
    /// unless [`Settings::overriding`] names it. The settings of an app that is mounted in another app are ignored. A
    /// second call replaces the settings of the first.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     // Operators cannot unmask errors; everything else is theirs.
    ///     App::new("orders").show_errors(false).settings(Settings::load()?).run().await
    /// }
    /// ```
    pub fn settings(mut self, settings: Settings) -> App {
        self.settings = Some(settings);
        self.has_settings = true;
        self
    }

    /// Serves this app on the transport that the operator has chosen with the setting `transport`: like
    /// [`App::run_stdio`], or like `App::run_http` at the address of the setting `bind` (default: `127.0.0.1:8000`).
    ///
    /// Without `transport`, it is HTTP if `bind` is set or the program was built without the feature `stdio`, and
    /// standard input and output otherwise.
    ///
    /// # Errors
    ///
    /// Fails under the conditions of the method that it stands for, and if the program was built without the feature of
    /// the transport.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").settings(Settings::load()?).run().await
    /// }
    /// ```
    #[cfg(any(feature = "stdio", feature = "http"))]
    pub async fn run(mut self) -> Result<(), Error> {
        let run = self.take_settings(true)?;
        let is_http = match run.transport {
            Some(transport) => transport == "http",
            None => cfg!(not(feature = "stdio")) || run.bind.is_some(),
        };
        if is_http { self.run_http_at(run.bind).await } else { self.run_chosen_stdio().await }
    }

    #[cfg(feature = "stdio")]
    async fn run_chosen_stdio(self) -> Result<(), Error> {
        self.run_stdio().await
    }

    #[cfg(all(feature = "http", not(feature = "stdio")))]
    async fn run_chosen_stdio(self) -> Result<(), Error> {
        Err(missing_transport("stdio"))
    }

    /// Serves on HTTP at an address of the operator, which may be a Unix socket.
    #[cfg(feature = "http")]
    pub(super) async fn run_http_at(self, bind: Option<String>) -> Result<(), Error> {
        let bind = bind.as_deref().unwrap_or(DEFAULT_BIND);
        #[cfg(unix)]
        if let Some(path) = bind.strip_prefix("unix:") {
            return self.run_http_unix(path).await;
        }
        let listener = tokio::net::TcpListener::bind(bind).await;
        let failed = |error| Error::transport(format!("cannot bind the address `{bind}`"), error);
        self.run_http_on(listener.map_err(failed)?).await
    }

    #[cfg(all(feature = "stdio", not(feature = "http")))]
    async fn run_http_at(self, _bind: Option<String>) -> Result<(), Error> {
        Err(missing_transport("http"))
    }

    /// Returns true if the operator of this program can make settings.
    #[cfg(feature = "http")]
    pub(super) fn has_settings(&self) -> bool {
        self.has_settings
    }

    /// Applies the settings, if there are any and they have not been applied.
    pub(super) fn apply_settings(&mut self) -> Result<(), Error> {
        self.take_settings(false).map(drop)
    }

    /// Applies the settings as [`App::apply_settings`] does, and sets up log lines, for a method that serves the app.
    #[cfg(any(feature = "stdio", feature = "http"))]
    pub(super) fn apply_settings_to_serve(&mut self) -> Result<(), Error> {
        self.take_settings(true).map(drop)
    }

    /// Logs the warnings about settings. It waits for the caller to know that standard error is no stream of the protocol.
    pub(super) fn log_settings(&mut self) {
        for warning in std::mem::take(&mut self.setting_warnings) {
            operator_log::warn(format_args!("{warning}"));
        }
    }

    /// Applies settings, and returns the warnings about them.
    #[cfg(test)]
    pub(crate) fn warnings_of(self, settings: Settings) -> Vec<String> {
        let mut app = self.settings(settings);
        app.take_settings(false).unwrap();
        app.setting_warnings
    }

    /// Applies settings, and returns the whole configuration.
    #[cfg(all(
        test,
        feature = "http",
        feature = "stdio",
        feature = "tls",
        feature = "legacy-sse",
        feature = "logging",
        feature = "metrics"
    ))]
    pub(crate) fn configuration_with(self, settings: Settings) -> String {
        let mut app = self.settings(settings);
        app.take_settings(false).unwrap();
        format!("{:?} {:?} {:?}", app.config, app.stdio, app.http.config)
    }

    /// Applies the settings, and returns those that choose the transport and its address.
    pub(super) fn take_settings(&mut self, is_serving: bool) -> Result<RunSettings, Error> {
        let mut run = RunSettings::default();
        let Some(settings) = self.settings.take() else { return Ok(run) };
        if is_serving {
            self.setting_warnings.extend(settings.start_logging());
        }
        let is_fixed = |name: &str| self.fixed.contains(name);
        #[cfg(feature = "http")]
        let of_http = self.http.config.fixed.clone();
        #[cfg(feature = "http")]
        let is_fixed = |name: &str| is_fixed(name) || of_http.contains(name);
        let mut target = Target {
            server: &mut self.config,
            sealing_keys: &mut self.sealing_keys,
            #[cfg(feature = "stdio")]
            stdio: &mut self.stdio,
            #[cfg(feature = "http")]
            http: &mut self.http.config,
            run: &mut run,
        };
        self.setting_warnings.extend(settings.apply(&mut target, is_fixed).map_err(Error::configuration)?);
        Ok(run)
    }
}

/// Reports that this program has no such transport.
#[cfg(any(all(feature = "stdio", not(feature = "http")), all(feature = "http", not(feature = "stdio"))))]
fn missing_transport(feature: &'static str) -> Error {
    let text = format!("this program was built without the feature `{feature}` of fastmcp-rs");
    crate::checks::problem::Problem::new("`transport`", text, "remove the setting, or use a program with the feature")
        .into()
}
