//! What one request may see.
//!
//! An app may have a function that is asked before a component is shown. It is asked by lists and by everything
//! that names a component, so that a hidden one answers as one that is not there. Most apps have none, and then
//! nothing is made here.

use serde_json::{Map, Value};
use std::cell::OnceCell;
use std::sync::Arc;

use super::call::{CallFacts, caught};
use super::{Connection, Request};
use crate::context::{self, Context};
use crate::operator;
use crate::protocol::write::RpcError;
use crate::questions::{Channel, Questions};
use crate::registry::{Gate, Listed, PromptEntry, Registry, ResourceEntry, ToolEntry};
use crate::seal::State;

pub(super) struct Sight<'a> {
    registry: &'a Registry,
    asking: Asking<'a>,
    /// What the functions are told of the request, once one is asked.
    shown: OnceCell<Arc<context::Request>>,
}

/// Who asks.
enum Asking<'a> {
    Request(&'a Arc<Connection>, &'a Request<'a>, &'a CallFacts<'a>),
    /// Something that runs already.
    Running(&'a Context),
}

impl Connection {
    /// What a request may see.
    pub(super) fn sight<'a>(self: &'a Arc<Self>, request: &'a Request<'a>, facts: &'a CallFacts<'a>) -> Sight<'a> {
        let asking = Asking::Request(self, request, facts);
        Sight { registry: request.registry, asking, shown: OnceCell::new() }
    }
}

impl<'a> Sight<'a> {
    /// What the request may see that is being answered.
    pub(super) fn of(context: &'a Context, registry: &'a Registry) -> Sight<'a> {
        Sight { registry, asking: Asking::Running(context), shown: OnceCell::new() }
    }

    pub(super) fn registry(&self) -> &'a Registry {
        self.registry
    }

    fn context(&self, gate: &Gate) -> Context {
        let request = match self.asking {
            Asking::Running(context) => context.request.clone(),
            Asking::Request(connection, request, facts) => {
                let make = || {
                    let questions = Questions::new(Channel::None, State::default(), Map::new());
                    connection.request(request, facts, connection.server.config.timeout, questions)
                };
                Some(Arc::clone(self.shown.get_or_init(make)))
            }
        };
        Context::new(gate.shared(), request)
    }

    /// Whether a component is there for the one who asks.
    pub(super) fn sees<T: Listed>(&self, entry: &T) -> bool {
        let gates = &entry.handler().gates;
        gates.is_empty()
            || gates.iter().all(|gate| {
                let context = self.context(gate);
                let opens = caught(|| gate.opens(entry.kind(), entry.about(), entry.hints(), &context));
                // One that cannot be decided on is not shown.
                opens.unwrap_or_else(|panicked| {
                    let name = &gate.shared().name;
                    operator::error(format_args!("the app's `visible` panicked on `{name}`: {}", panicked.0));
                    false
                })
            })
    }

    /// The resource at a URI, and the values of its template's variables.
    pub(super) fn resource(&self, uri: &str) -> Option<(&'a ResourceEntry, Map<String, Value>)> {
        self.registry.resource(uri, |resource| self.sees(resource), |template| self.sees(template))
    }

    /// The prompt of a name, or an error that says that there is none.
    pub(super) fn prompt(&self, name: &str) -> Result<&'a PromptEntry, RpcError> {
        let registry = self.registry;
        registry.prompts.find(name).map(|prompt| &**prompt).filter(|prompt| self.sees(*prompt)).ok_or_else(|| {
            RpcError::invalid_params(unknown("prompt", name, registry.nearest_prompt(name, |other| self.sees(other))))
        })
    }

    /// The tool of a name, or an error that says that there is none.
    pub(super) fn tool(&self, name: &str) -> Result<&'a ToolEntry, RpcError> {
        let registry = self.registry;
        registry.tool(name).map(|tool| &**tool).filter(|tool| self.sees(*tool)).ok_or_else(|| {
            RpcError::invalid_params(unknown("tool", name, registry.nearest_tool(name, |other| self.sees(other))))
        })
    }
}

pub(super) fn unknown(noun: &str, name: &str, nearest: Option<&str>) -> String {
    // What comes from the peer is cut: an error is one short sentence.
    let shown: String = name.chars().take(128).collect();
    match nearest {
        Some(nearest) => format!("Unknown {noun}: {shown}; did you mean \"{nearest}\"?"),
        None => format!("Unknown {noun}: {shown}"),
    }
}
