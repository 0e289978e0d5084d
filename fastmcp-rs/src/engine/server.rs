//! A server that runs: the form of an app in which everything is fixed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::component::client_arguments::Ignored;
use crate::component::icon::Icon;
use crate::context::change_hub::{Hub, ListKind};
use crate::context::states::StateOwner;
use crate::json::encode;
use crate::outgoing::queue::Outbox;
use crate::protocol::Revision;
use crate::protocol::cache::CacheHints;
use crate::protocol::server_info::ServerInfo;
use crate::registry::{ListConfig, Live, Offers, Registry};
use crate::sealing::Sealer;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Metrics;
#[cfg(feature = "otel")]
use crate::telemetry::otel;
use crate::telemetry::span;
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
    pub(crate) ignored: Ignored,
    pub(crate) show_errors: bool,
    pub(crate) announce_server: bool,
    pub(crate) lists: ListConfig,
    /// The cache hints for the contents of resources.
    pub(crate) contents: CacheHints,
    /// The lifetime of `requestState`: the time in which a client may answer the questions of a round.
    pub(crate) answer_time: Duration,
    /// The maximum length of `requestState` in bytes.
    pub(crate) max_request_state: usize,
}

/// The timeout of the shutdown functions, for all of them together.
pub(crate) const TIME_TO_END: Duration = Duration::from_secs(10);

/// A shutdown function.
pub(crate) type Ending = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

pub(crate) struct Server {
    pub(crate) config: ServerConfig,
    pub(crate) components: Live,
    pub(crate) sealer: Sealer,
    pub(crate) changes: Arc<Hub>,
    states: Arc<StateOwner>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<Metrics>,
    /// The shutdown functions, in the order of registration; they run in reverse.
    endings: Mutex<Vec<Ending>>,
    /// The end of results for modern clients.
    pub(crate) server_info: Arc<ServerInfo>,
}

impl Server {
    pub(crate) fn new(
        config: ServerConfig,
        components: Live,
        sealer: Sealer,
        changes: Arc<Hub>,
        states: Arc<StateOwner>,
        endings: Vec<Ending>,
    ) -> Server {
        let info = config.announce_server.then(|| {
            // Icons may be large, and this text is in every result for modern clients; only the result of
            // `server/discover` has icons.
            let mut info = implementation(&config, Revision::V2026_07_28);
            info.remove("icons");
            Value::from(info)
        });
        let (endings, server_info) = (Mutex::new(endings), Arc::new(ServerInfo::new(info.as_ref())));
        Server {
            config,
            components,
            sealer,
            changes,
            states,
            #[cfg(feature = "metrics")]
            metrics: None,
            endings,
            server_info,
        }
    }

    /// Returns true if spans or metrics of requests are recorded.
    #[inline]
    pub(crate) fn is_observed(&self) -> bool {
        #[cfg(feature = "metrics")]
        if self.metrics.is_some() {
            return true;
        }
        span::is_wanted()
    }

    /// Counts the bytes of an outbox in the metrics of this server, if these are enabled, and returns the outbox.
    pub(crate) fn measured(&self, outbox: Arc<Outbox>) -> Arc<Outbox> {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            outbox.measure(metrics.outboxes());
        }
        outbox
    }

    /// Returns true if there are shutdown functions.
    pub(crate) fn has_endings(&self) -> bool {
        !self.endings.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Does what is to be done at the end, once, when the last call has ended, and drops all components and states.
    pub(crate) async fn end(self: &Arc<Self>) {
        let endings = std::mem::take(&mut *self.endings.lock().unwrap_or_else(PoisonError::into_inner));
        if !endings.is_empty() {
            Self::do_endings(endings).await;
        }
        self.states.release(self.closing()).await;
        #[cfg(feature = "otel")]
        otel::flush().await;
    }

    async fn do_endings(endings: Vec<Ending>) {
        let work = async {
            for ending in endings.into_iter().rev() {
                // A shutdown function is user code and may panic; the others still run.
                if let Err(panicked) = catch_panic::run(ending).await {
                    operator_log::error(format_args!("`on_shutdown` panicked: {}", panicked.0));
                }
            }
        };
        if tokio::time::timeout(TIME_TO_END, work).await.is_err() {
            operator_log::warn(format_args!("`on_shutdown` took longer than {TIME_TO_END:?}, and was dropped"));
        }
        // The process may end now, and log lines that are not written would be lost with it.
        operator_log::flush(operator_log::LAST_LINES);
    }

    /// Begins to drop all components and states, without a runtime that may be held up. Returns `false` if that was begun
    /// before.
    #[cfg_attr(not(feature = "stdio"), allow(dead_code))]
    pub(crate) fn begin_release(self: &Arc<Self>) -> bool {
        self.states.begin_release(self.closing())
    }

    /// Drops the components: closures and layers may hold what has to be dropped, too.
    fn closing(self: &Arc<Self>) -> impl FnOnce() + Send + 'static {
        let server = Arc::clone(self);
        move || server.components.close()
    }

    /// Returns the capabilities of the server for a peer of a revision. The methods of all other features are answered
    /// with "method not found".
    fn capabilities(offers: &Offers, revision: Revision) -> Value {
        let mut capabilities = Map::new();
        let mut offer = |name: &str, is_offered: bool, options: &[(&str, bool)]| {
            if is_offered {
                let options = options.iter().filter(|(_, is_there)| *is_there);
                let options: Map<String, Value> = options.map(|(option, _)| ((*option).into(), true.into())).collect();
                capabilities.insert(name.into(), options.into());
            }
        };
        let list_changed = |kind| ("listChanged", offers.list_changes.contains(kind));
        // 2024-11-05 has the method, but no capability with that name.
        offer("completions", offers.completions && revision >= Revision::V2025_03_26, &[]);
        offer("logging", offers.logging, &[]);
        offer("prompts", offers.prompts, &[list_changed(ListKind::Prompts)]);
        offer("resources", offers.resources, &[("subscribe", true), list_changed(ListKind::Resources)]);
        offer("tools", offers.tools, &[list_changed(ListKind::Tools)]);
        capabilities.into()
    }

    /// Returns the result of `server/discover`, as JSON text.
    pub(crate) fn discovery<'a>(&self, registry: &'a Registry) -> &'a [u8] {
        registry.discovery.get_or_init(|| {
            let versions: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
            let mut out = br#"{"resultType":"complete","supportedVersions":"#.to_vec();
            let _ = encode::json(&mut out, &versions);
            out.extend_from_slice(br#","capabilities":"#);
            let _ = encode::json(&mut out, &Self::capabilities(&registry.offers, Revision::V2026_07_28));
            if let Some(instructions) = &self.config.instructions {
                out.extend_from_slice(br#","instructions":"#);
                encode::string(&mut out, instructions);
            }
            self.config.lists.cache.write(&mut out);
            if self.config.announce_server {
                let info = implementation(&self.config, Revision::V2026_07_28);
                out.extend_from_slice(br#","_meta":"#);
                let _ = encode::json(&mut out, &json!({ "io.modelcontextprotocol/serverInfo": info }));
            }
            out.push(b'}');
            out
        })
    }

    /// Returns the result of `initialize`.
    pub(crate) fn initialization(&self, offers: &Offers, revision: Revision) -> Value {
        let mut result = Map::new();
        result.insert("protocolVersion".into(), revision.as_str().into());
        result.insert("capabilities".into(), Self::capabilities(offers, revision));
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
    for (key, value, since) in [
        ("title", &config.title, Revision::V2025_06_18),
        ("description", &config.description, Revision::V2025_11_25),
        ("websiteUrl", &config.website_url, Revision::V2025_11_25),
    ] {
        if let (Some(value), true) = (value, revision >= since) {
            info.insert(key.into(), value.as_str().into());
        }
    }
    if !config.icons.is_empty() && revision >= Revision::V2025_11_25 {
        info.insert("icons".into(), config.icons.iter().map(Icon::to_json).collect());
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::change_hub::Lists;

    #[test]
    fn lists_that_may_change_are_declared() {
        let mut offers = Offers {
            tools: true,
            resources: true,
            prompts: false,
            completions: false,
            logging: false,
            list_changes: Lists::NONE,
        };
        for revision in Revision::ALL {
            offers.list_changes = Lists::NONE;
            let capabilities = Server::capabilities(&offers, *revision);
            assert_eq!(capabilities, json!({"resources": {"subscribe": true}, "tools": {}}), "{revision}");
            offers.list_changes = ListKind::ALL.into_iter().collect();
            let expected =
                json!({"resources": {"subscribe": true, "listChanged": true}, "tools": {"listChanged": true}});
            assert_eq!(Server::capabilities(&offers, *revision), expected, "{revision}");
        }
    }
}
