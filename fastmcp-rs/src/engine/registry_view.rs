//! The components that a request sees: those of the registry that are visible to it.
//!
//! A hidden component is answered like a missing one. `registry::visibility` decides about a component; most apps have
//! no visibility function, and then nothing is created here.
//!
//! The function is user code and may block. Until it has proved to be quick (`registry::VisibilityPace`), the thread that
//! reads does not call it: a request that needs it is handled on a thread of the pool for blocking functions
//! (`receive/offload.rs`), and a worker of the runtime lets other tasks run in the meantime (`block_in_place_if_possible`).

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::request::{CallerInfo, IncomingRequest};
use crate::client_features::conversation::{CallClientRequests, RequestChannel};
use crate::context::{self, ComponentEnv, Context};
use crate::exec::runtime::block_in_place_if_possible;
use crate::json::object::{Raw, string_value};
use crate::protocol::server_info::ServerInfo;
use crate::protocol::write::RpcError;
use crate::protocol::{Feature, Revision};
use crate::registry::{ComponentList, ListEntry, PromptEntry, Registry, ResourceEntry, TemplateEntry, ToolEntry};
use crate::sealing::RequestState;

/// A registry as one request sees it.
pub(crate) struct RegistryView<'a> {
    registry: &'a Registry,
    viewer: Viewer<'a>,
    /// The request in the form that the functions see, created when the first one is called.
    checked_request: OnceCell<Arc<context::CallRequest>>,
    /// The time that the functions took, if one was called.
    check_time: Cell<Option<Duration>>,
}

impl Drop for RegistryView<'_> {
    fn drop(&mut self) {
        if let (Some(check_time), Some(visibility_pace)) = (self.check_time.get(), &self.registry.visibility_pace) {
            visibility_pace.record(check_time);
        }
    }
}

/// The source of the request for which visibility is decided.
enum Viewer<'a> {
    Request(&'a IncomingRequest<'a>, &'a CallerInfo<'a>),
    /// A call that is already running.
    Running(&'a Context),
}

impl<'a> RegistryView<'a> {
    /// Returns the registry as a request sees it.
    pub(crate) fn for_request(request: &'a IncomingRequest<'a>, caller: &'a CallerInfo<'a>) -> RegistryView<'a> {
        let viewer = Viewer::Request(request, caller);
        RegistryView {
            registry: request.registry,
            viewer,
            checked_request: OnceCell::new(),
            check_time: Cell::new(None),
        }
    }

    /// Returns the registry as a request sees it that is already being answered.
    pub(crate) fn for_call(context: &'a Context, registry: &'a Registry) -> RegistryView<'a> {
        RegistryView {
            registry,
            viewer: Viewer::Running(context),
            checked_request: OnceCell::new(),
            check_time: Cell::new(None),
        }
    }

    pub(crate) fn registry(&self) -> &'a Registry {
        self.registry
    }

    /// Creates the context that a visibility function gets.
    fn context(&self, env: &Arc<ComponentEnv>) -> Context {
        let request = match self.viewer {
            Viewer::Running(context) => context.request.clone(),
            Viewer::Request(request, caller) => {
                let make = || {
                    let client_requests =
                        CallClientRequests::new(RequestChannel::None, RequestState::default(), Map::new());
                    request.for_context(caller, request.connection.server.config.timeout, client_requests)
                };
                Some(Arc::clone(self.checked_request.get_or_init(make)))
            }
        };
        Context::new(env, request)
    }

    /// Returns true if a component is visible to the request.
    fn is_visible<T: ListEntry>(&self, entry: &T) -> bool {
        let handler = entry.handler();
        if !handler.visibility.is_restricted() {
            return true;
        }
        let begin = Instant::now();
        let pace = self.registry.visibility_pace.as_deref();
        let is_visible =
            handler.visibility.allows((T::KIND, &handler.metadata, entry.hints()), pace, &|env| self.context(env));
        self.check_time.set(Some(self.check_time.get().unwrap_or_default() + begin.elapsed()));
        is_visible
    }

    /// Runs a search for visible components, so that other tasks continue in the meantime if it may be slow.
    #[inline]
    fn run_lookup<T>(&self, lookup: impl FnOnce() -> T) -> T {
        if self.registry.has_slow_visibility() { block_in_place_if_possible(lookup) } else { lookup() }
    }

    /// Returns the page of a list at a cursor, as the JSON text of a result.
    pub(crate) fn page<T: ListEntry>(
        &self,
        list: &ComponentList<T>,
        revision: Revision,
        cursor: Option<Raw<'_>>,
        server_info: &ServerInfo,
    ) -> Result<Arc<[u8]>, RpcError> {
        let invalid =
            || RpcError::invalid_params("Invalid params: `cursor` must be the `nextCursor` of an earlier page");
        let cursor = match cursor {
            // Some clients send `null` for an absent value.
            Some(raw) if raw.get() == "null" && revision.has(Feature::Sessions) => None,
            Some(raw) => Some(string_value(raw).ok_or_else(invalid)?),
            None => None,
        };
        let page = || list.page(revision, cursor.as_deref(), server_info, |entry| self.is_visible(entry));
        self.run_lookup(page).ok_or_else(invalid)
    }

    /// Returns the visible template with exactly this text.
    pub(crate) fn template(&self, text: &str) -> Option<&'a TemplateEntry> {
        let template = self.registry.templates.find(text)?;
        self.run_lookup(|| self.is_visible(&**template)).then_some(template)
    }

    /// Returns the visible resource at a URI, and the values of its template's variables.
    pub(crate) fn resource(&self, uri: &str) -> Option<(&'a ResourceEntry, Map<String, Value>)> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.resource(uri, |resource| self.is_visible(resource), |template| self.is_visible(template))
        })
    }

    /// Returns the visible prompt with a name, or the error that there is none.
    pub(crate) fn prompt(&self, name: &str) -> Result<&'a PromptEntry, RpcError> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.prompts.find(name).map(|prompt| &**prompt).filter(|prompt| self.is_visible(*prompt)).ok_or_else(
                || {
                    let nearest = registry.nearest_prompt(name, |other| self.is_visible(other));
                    RpcError::invalid_params(unknown_component_message("prompt", name, nearest))
                },
            )
        })
    }

    /// Returns the visible tool with a name, or the error that there is none.
    // Every call comes through here.
    #[inline]
    pub(crate) fn tool(&self, name: &str) -> Result<&'a ToolEntry, RpcError> {
        let registry = self.registry;
        self.run_lookup(|| {
            registry.tool(name).map(|tool| &**tool).filter(|tool| self.is_visible(*tool)).ok_or_else(|| {
                let nearest = registry.nearest_tool(name, |other| self.is_visible(other));
                RpcError::invalid_params(unknown_component_message("tool", name, nearest))
            })
        })
    }
}

pub(crate) fn unknown_component_message(noun: &str, name: &str, nearest: Option<&str>) -> String {
    // Text from the peer is truncated: an error is one short sentence.
    let shown: String = name.chars().take(128).collect();
    match nearest {
        Some(nearest) => format!("Unknown {noun}: {shown}; did you mean \"{nearest}\"?"),
        None => format!("Unknown {noun}: {shown}"),
    }
}
