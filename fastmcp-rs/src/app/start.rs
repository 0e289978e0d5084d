//! The checks of an app, and its start.

use std::sync::{Arc, OnceLock};

use super::App;
use crate::checks::names::check_server_name;
use crate::checks::problem::ProblemList;
use crate::checks::vendors::ToolWarnings;
use crate::engine;
use crate::error::Error;
#[cfg(feature = "testing")]
use crate::json::encode::ObjectWriter;
#[cfg(feature = "testing")]
use crate::protocol::Revision;
#[cfg(feature = "testing")]
use crate::registry::ToolEntry;
use crate::registry::{AppLayers, ListEntry, RegistryCache};
use crate::schema::precision;
use crate::schema::publish::SchemaStyle;
use crate::sealing::Sealer;

impl App {
    /// Runs the checks of the `run` methods without serving, for example in a unit test.
    ///
    /// # Errors
    ///
    /// Fails if two components have the same name or URI, a component requires a state that the app does not have, a
    /// default or an example does not fit its parameter, or a constraint does not fit its type. The error lists all
    /// problems.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Doubles a number.
    /// #[mcp::tool]
    /// fn double(number: i64) -> i64 {
    ///     number * 2
    /// }
    ///
    /// let error = App::empty("numbers").tool::<double>().tool::<double>().check().unwrap_err();
    /// assert!(error.to_string().contains("`double`"), "{error}");
    /// assert!(error.to_string().contains("registered twice"), "{error}");
    /// ```
    pub fn check(mut self) -> Result<(), Error> {
        self.apply_settings()?;
        self.validate()
    }

    /// Checks the app and the apps that are mounted in it.
    pub(crate) fn validate(&mut self) -> Result<(), Error> {
        let mut problems = Vec::new();
        check_server_name(&self.config.name, &mut problems);
        let mut icon_problems = ProblemList::new("icon of the server");
        self.config.icons.iter().for_each(|icon| icon.check(&mut icon_problems));
        problems.extend(icon_problems.into_problems());
        self.collect_problems(&[], &mut problems);
        problems.extend(self.tree.find_conflicts());
        if problems.is_empty() { Ok(()) } else { Err(Error::configuration(problems)) }
    }

    /// Lowers the limit of `requestState` to half of the longest message that a transport reads: it has to return in
    /// one message, with the arguments and the next answers.
    #[cfg(any(feature = "stdio", feature = "http"))]
    pub(super) fn fit_request_state(&mut self, max_message: usize) {
        self.config.max_request_state = self.config.max_request_state.min(max_message / 2);
    }

    /// Makes the states, and creates the server.
    pub(crate) async fn start(mut self) -> Result<engine::Server, Error> {
        self.apply_settings()?;
        self.log_settings();
        self.validate()?;
        if !self.version_is_set {
            self.config.version = PROGRAM_VERSION.get().copied().unwrap_or(UNKNOWN_VERSION).to_owned();
        }
        let counts = self.tree.component_counts();
        tracing::debug!(target: "fastmcp_rs", "tools, resources, prompts registered: {counts:?}");
        if counts == [0; 3] && !self.tree.is_dynamic() {
            crate::util::operator_log::warn(format_args!(
                "`{}` has no tools, resources or prompts: put `#[mcp::tool]` on a function; if they are in a library \
                 crate, add `use that_crate as _;`",
                self.config.name
            ));
        }
        let mut shutdown_tasks = Vec::new();
        let (changes, owner) = (Arc::clone(self.tree.changes()), Arc::clone(&self.state_owner));
        self.activate(Vec::new(), AppLayers::default(), Vec::new(), &changes, &owner, &mut shutdown_tasks).await?;
        let components = RegistryCache::new(Arc::clone(&self.tree), self.config.lists);
        warn_about_tools(&components, self.config.lists.style);
        let mut sealer = Sealer::new(&self.sealing_keys);
        sealer.set_max_text(self.config.max_request_state);
        let metrics = self.metrics.into_inner();
        Ok(engine::Server::new(self.config, components, sealer, changes, owner, shutdown_tasks, metrics))
    }

    /// Returns the app's tools as the newest revision lists them, even if other checks of the app fail: a lock file of
    /// the tools needs no state.
    #[cfg(feature = "testing")]
    pub(crate) fn listed_tools(self) -> Vec<serde_json::Value> {
        self.activate_without_states(Vec::new());
        let registry = RegistryCache::new(Arc::clone(&self.tree), self.config.lists).load();
        let style = self.config.lists.style;
        let json = |tool: &Arc<ToolEntry>| {
            let mut json = Vec::new();
            ObjectWriter::append(&mut json, |object| tool.write(object, Revision::LATEST, style));
            serde_json::from_slice(&json).unwrap_or_default()
        };
        registry.tools.entries().iter().map(json).collect()
    }

    /// Logs a warning if the version is unknown. Tests do not need a version.
    #[cfg(any(feature = "stdio", feature = "http"))]
    pub(super) fn warn_about_version(&self) {
        if !self.version_is_set && PROGRAM_VERSION.get().is_none() {
            crate::util::operator_log::warn(format_args!(
                "the version of `{}` is unknown, so clients see {UNKNOWN_VERSION}: put `#[mcp::main]` on `main`, or \
                 add `.version(env!(\"CARGO_PKG_VERSION\"))`",
                self.config.name
            ));
        }
    }
}

/// Logs warnings about schemas that some vendors reject or change, and about schemas that cannot be read.
fn warn_about_tools(components: &RegistryCache, style: SchemaStyle) {
    let is_arbitrary = precision::is_arbitrary();
    let mut warnings = ToolWarnings::default();
    for tool in components.load().tools.entries() {
        if is_arbitrary && precision::buffers_floats(&tool.handler.described.input) {
            warnings.report_buffered_floats(tool.key(), tool.handler.location);
        }
        tool.lint(style, &mut warnings);
    }
    for problem in warnings.into_problems() {
        crate::util::operator_log::warn(format_args!("{problem}"));
    }
}

/// The version of a server whose program does not set one.
const UNKNOWN_VERSION: &str = "0.0.0";

/// The program's version, set by `#[mcp::main]`.
pub(crate) static PROGRAM_VERSION: OnceLock<&'static str> = OnceLock::new();
