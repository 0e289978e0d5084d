//! The notifications that a subscription of the test client asks for.

use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

use crate::protocol::ProtocolMethod;
use crate::testing::reply::Notification;

/// The notifications that a subscription asks for; initially none.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>
///
/// # Example
///
/// ```
/// use fastmcp_rs::testing::SubscriptionFilter;
///
/// let filter = SubscriptionFilter::new().tools_list_changed(true).resource("orders://ORD-101");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a filter does nothing until it is passed to `TestClient::listen`"]
pub struct SubscriptionFilter {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) uris: Vec<String>,
}

impl SubscriptionFilter {
    /// Creates a filter that matches nothing.
    pub fn new() -> SubscriptionFilter {
        SubscriptionFilter::default()
    }

    /// Sets whether `notifications/tools/list_changed` are sent. Default: false.
    pub fn tools_list_changed(mut self, yes: bool) -> SubscriptionFilter {
        self.tools = yes;
        self
    }

    /// Sets whether `notifications/resources/list_changed` are sent. Default: false.
    pub fn resources_list_changed(mut self, yes: bool) -> SubscriptionFilter {
        self.resources = yes;
        self
    }

    /// Sets whether `notifications/prompts/list_changed` are sent. Default: false.
    pub fn prompts_list_changed(mut self, yes: bool) -> SubscriptionFilter {
        self.prompts = yes;
        self
    }

    /// Adds `notifications/resources/updated` for the resource at this URI.
    pub fn resource(mut self, uri: impl Into<String>) -> SubscriptionFilter {
        self.uris.push(uri.into());
        self
    }

    /// Returns the wire form.
    pub(crate) fn json(&self) -> Value {
        let mut filter = Map::new();
        let lists = [
            ("toolsListChanged", self.tools),
            ("resourcesListChanged", self.resources),
            ("promptsListChanged", self.prompts),
        ];
        for (name, is_wanted) in lists {
            if is_wanted {
                filter.insert(name.into(), true.into());
            }
        }
        if !self.uris.is_empty() {
            filter.insert("resourceSubscriptions".into(), self.uris.as_slice().into());
        }
        filter.into()
    }

    fn accepts(&self, notification: &Notification) -> bool {
        match ProtocolMethod::parse(&notification.method) {
            Some(ProtocolMethod::ToolsListChanged) => self.tools,
            Some(ProtocolMethod::ResourcesListChanged) => self.resources,
            Some(ProtocolMethod::PromptsListChanged) => self.prompts,
            // The notification may be about a part of the resource.
            Some(ProtocolMethod::ResourceUpdated) => {
                let uri = notification.params["uri"].as_str().unwrap_or_default();
                self.uris.iter().any(|wanted| {
                    uri.strip_prefix(wanted.as_str()).is_some_and(|rest| {
                        rest.is_empty() || wanted.ends_with('/') || rest.starts_with(['/', '?', '#'])
                    })
                })
            }
            _ => false,
        }
    }
}

/// A subscription that the link routes notifications to.
pub(crate) struct OpenSubscription {
    pub(crate) id: i64,
    pub(crate) filter: SubscriptionFilter,
    pub(crate) notifications: mpsc::UnboundedSender<Notification>,
    /// Taken by the acknowledgement, which is the first notification.
    pub(crate) acknowledge: Option<oneshot::Sender<Value>>,
}

impl OpenSubscription {
    pub(crate) fn accepts(&self, notification: &Notification) -> bool {
        self.filter.accepts(notification)
    }
}
