//! A server that runs: the form of an app in which everything is fixed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::component::client_arguments::IgnoredArguments;
use crate::component::icon::Icon;
use crate::context::change_hub::{ChangeHub, ListKind};
use crate::context::states::StateOwner;
#[cfg(feature = "http")]
use crate::context::transport_facts::ExposedHeaders;
use crate::json::encode;
use crate::outgoing::queue::OutgoingQueue;
use crate::protocol::cache::CacheHints;
use crate::protocol::server_info::ServerInfo;
use crate::protocol::{Feature, Revision};
use crate::registry::{ListConfig, Registry, RegistryCache, ServerCapabilities};
use crate::sealing::Sealer;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::{otel, span};
use crate::util::sync::Mutex;
use crate::util::{catch_panic, operator_log};

/// The author's description of a server, and the settings of its behaviour.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) website_url: Option<String>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) instructions: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) strict_arguments: bool,
    /// The arguments that are removed from calls of tools that do not declare them.
    pub(crate) ignored_arguments: IgnoredArguments,
    pub(crate) show_errors: bool,
    pub(crate) announce_server: bool,
    pub(crate) lists: ListConfig,
    /// The cache hints for the contents of resources.
    pub(crate) resource_cache: CacheHints,
    /// The lifetime of `requestState`: the time in which a client may send the results of a round.
    pub(crate) request_state_ttl: Duration,
    /// The maximum length of `requestState` in bytes.
    pub(crate) max_request_state: usize,
    /// The headers that handlers can read.
    #[cfg(feature = "http")]
    pub(crate) exposed_headers: ExposedHeaders,
}

/// The timeout of the shutdown functions, for all of them together.
pub(crate) const SHUTDOWN_TASKS_TIMEOUT: Duration = Duration::from_secs(10);

/// A shutdown function.
pub(crate) type ShutdownTask = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

pub(crate) struct Server {
    pub(crate) config: ServerConfig,
    pub(crate) registry: RegistryCache,
    pub(crate) sealer: Sealer,
    pub(crate) changes: Arc<ChangeHub>,
    states: Arc<StateOwner>,
    pub(crate) metrics: Option<Metrics>,
    /// The shutdown functions, in the order of registration; they run in reverse.
    shutdown_tasks: Mutex<Vec<ShutdownTask>>,
    /// The end of results for modern clients.
    pub(crate) server_info: Arc<ServerInfo>,
}

impl Server {
    pub(crate) fn new(
        config: ServerConfig,
        registry: RegistryCache,
        sealer: Sealer,
        changes: Arc<ChangeHub>,
        states: Arc<StateOwner>,
        shutdown_tasks: Vec<ShutdownTask>,
        metrics: Option<Metrics>,
    ) -> Server {
        if let Some(metrics) = &metrics {
            metrics.set_server(&config.name, &config.version);
        }
        let info = config.announce_server.then(|| {
            // Icons may be large, and this text is in every result for modern clients; only the result of
            // `server/discover` has icons. All stateless revisions get the text of the latest one.
            let mut info = implementation(&config, Revision::LATEST);
            info.remove("icons");
            Value::from(info)
        });
        let (shutdown_tasks, server_info) = (Mutex::new(shutdown_tasks), Arc::new(ServerInfo::new(info.as_ref())));
        Server { config, registry, sealer, changes, states, metrics, shutdown_tasks, server_info }
    }

    /// Returns true if spans or metrics of requests are recorded.
    #[inline]
    pub(crate) fn is_instrumented(&self) -> bool {
        self.metrics.is_some() || span::is_enabled()
    }

    /// Counts the bytes of a queue in the metrics of this server, if these are enabled, and returns the queue.
    pub(crate) fn measure_queue(&self, outgoing: Arc<OutgoingQueue>) -> Arc<OutgoingQueue> {
        if let Some(metrics) = &self.metrics {
            outgoing.add_to_gauge(metrics.queue_depth());
        }
        outgoing
    }

    /// Returns true if there are shutdown functions.
    #[cfg(any(feature = "stdio", feature = "testing"))]
    pub(crate) fn has_shutdown_tasks(&self) -> bool {
        !self.shutdown_tasks.lock().is_empty()
    }

    /// Runs the shutdown functions once, after the last call has ended, and drops all components and states.
    pub(crate) async fn run_shutdown_tasks(self: &Arc<Self>) {
        let shutdown_tasks = std::mem::take(&mut *self.shutdown_tasks.lock());
        if !shutdown_tasks.is_empty() {
            Self::run_tasks(shutdown_tasks).await;
        }
        self.states.release(self.closing()).await;
        otel::flush().await;
        // The process may end now, and log lines that are not written would be lost with it.
        operator_log::flush(operator_log::FINAL_FLUSH_TIMEOUT);
    }

    async fn run_tasks(shutdown_tasks: Vec<ShutdownTask>) {
        let work = async {
            for task in shutdown_tasks.into_iter().rev() {
                // A shutdown function is user code and may panic; the others still run.
                if let Err(panicked) = catch_panic::run_catching_async(task).await {
                    operator_log::error(format_args!("`on_shutdown` panicked: {}", panicked.0));
                }
            }
        };
        if tokio::time::timeout(SHUTDOWN_TASKS_TIMEOUT, work).await.is_err() {
            operator_log::warn(format_args!(
                "`on_shutdown` took longer than {SHUTDOWN_TASKS_TIMEOUT:?} and was cancelled"
            ));
        }
    }

    /// Begins to drop all components and states, without a runtime that may be held up. Returns `false` if that was begun
    /// before.
    #[cfg(feature = "stdio")]
    pub(crate) fn begin_release(self: &Arc<Self>) -> bool {
        self.states.begin_release(self.closing())
    }

    /// Drops the components: their closures and layers may hold data of the author.
    fn closing(self: &Arc<Self>) -> impl FnOnce() + Send + 'static {
        let server = Arc::clone(self);
        move || server.registry.close()
    }

    /// Returns the capabilities of the server for a peer of a revision. The methods of all other features do not exist
    /// for it.
    fn capabilities(available: &ServerCapabilities, revision: Revision) -> Value {
        let mut capabilities = Map::new();
        let mut offer = |name: &str, is_offered: bool, options: &[(&str, bool)]| {
            if is_offered {
                let options = options.iter().filter(|(_, is_there)| *is_there);
                let options: Map<String, Value> = options.map(|(option, _)| ((*option).into(), true.into())).collect();
                capabilities.insert(name.into(), options.into());
            }
        };
        let list_changed = |kind| ("listChanged", available.list_changes.contains(kind));
        // 2024-11-05 has the method, but no capability with that name.
        offer("completions", available.completions && revision.has(Feature::CompletionCapability), &[]);
        offer("logging", available.logging, &[]);
        offer("prompts", available.prompts, &[list_changed(ListKind::Prompts)]);
        offer("resources", available.resources, &[("subscribe", true), list_changed(ListKind::Resources)]);
        offer("tools", available.tools, &[list_changed(ListKind::Tools)]);
        capabilities.into()
    }

    /// Returns the result of `server/discover`, as JSON text.
    pub(crate) fn discovery_result<'a>(&self, registry: &'a Registry, revision: Revision) -> &'a [u8] {
        registry.discovery_results.get(revision).get_or_init(|| {
            let versions: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
            let mut out = br#"{"resultType":"complete","supportedVersions":"#.to_vec();
            let _ = encode::write_json(&mut out, &versions);
            out.extend_from_slice(br#","capabilities":"#);
            let _ = encode::write_json(&mut out, &Self::capabilities(&registry.capabilities, revision));
            if let Some(instructions) = &self.config.instructions {
                out.extend_from_slice(br#","instructions":"#);
                encode::write_string(&mut out, instructions);
            }
            self.config.lists.cache.write(&mut out);
            if self.config.announce_server {
                let info = implementation(&self.config, revision);
                out.extend_from_slice(br#","_meta":"#);
                let _ = encode::write_json(&mut out, &json!({ "io.modelcontextprotocol/serverInfo": info }));
            }
            out.push(b'}');
            out
        })
    }

    /// Returns the result of `initialize`.
    pub(crate) fn initialize_result(&self, available: &ServerCapabilities, revision: Revision) -> Value {
        let mut result = Map::new();
        result.insert("protocolVersion".into(), revision.as_str().into());
        result.insert("capabilities".into(), Self::capabilities(available, revision));
        result.insert("serverInfo".into(), implementation(&self.config, revision).into());
        if let Some(instructions) = &self.config.instructions {
            result.insert("instructions".into(), instructions.as_str().into());
        }
        result.into()
    }
}

/// Returns the server's description of itself, as far as the revision has members for it.
fn implementation(config: &ServerConfig, revision: Revision) -> Map<String, Value> {
    let mut info = Map::new();
    info.insert("name".into(), config.name.as_str().into());
    info.insert("version".into(), config.version.as_str().into());
    for (key, value, feature) in [
        ("title", &config.title, Feature::Titles),
        ("description", &config.description, Feature::ServerDescription),
        ("websiteUrl", &config.website_url, Feature::ServerDescription),
    ] {
        if let (Some(value), true) = (value, revision.has(feature)) {
            info.insert(key.into(), value.as_str().into());
        }
    }
    if !config.icons.is_empty() && revision.has(Feature::Icons) {
        info.insert("icons".into(), config.icons.iter().map(Icon::to_json).collect());
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::change_hub::ListSet;

    #[test]
    fn lists_that_may_change_are_declared() {
        let mut available = ServerCapabilities {
            tools: true,
            resources: true,
            prompts: false,
            completions: false,
            logging: false,
            list_changes: ListSet::NONE,
        };
        for revision in Revision::ALL {
            available.list_changes = ListSet::NONE;
            let capabilities = Server::capabilities(&available, *revision);
            assert_eq!(capabilities, json!({"resources": {"subscribe": true}, "tools": {}}), "{revision}");
            available.list_changes = ListKind::ALL.into_iter().collect();
            let expected =
                json!({"resources": {"subscribe": true, "listChanged": true}, "tools": {"listChanged": true}});
            assert_eq!(Server::capabilities(&available, *revision), expected, "{revision}");
        }
    }
}
