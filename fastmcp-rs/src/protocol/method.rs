//! The methods of the protocol.
//!
//! Their names are written once, in the table of this file. All other code uses [`ProtocolMethod`], and middleware uses
//! [`Method`], which has the operations that pass through layers.

/// The table of methods. It expands to a call of the macro `$with` with all methods and their names.
macro_rules! method_table {
    ($with:ident) => {
        $with! {
            requests {
                CallTool = "tools/call",
                ListTools = "tools/list",
                ReadResource = "resources/read",
                ListResources = "resources/list",
                ListResourceTemplates = "resources/templates/list",
                Subscribe = "resources/subscribe",
                Unsubscribe = "resources/unsubscribe",
                GetPrompt = "prompts/get",
                ListPrompts = "prompts/list",
                Complete = "completion/complete",
                Listen = "subscriptions/listen",
                Discover = "server/discover",
                Initialize = "initialize",
                Ping = "ping",
                SetLogLevel = "logging/setLevel",
            }
            client_requests {
                Elicit = "elicitation/create",
                CreateMessage = "sampling/createMessage",
                ListRoots = "roots/list",
            }
            notifications {
                Initialized = "notifications/initialized",
                Cancelled = "notifications/cancelled",
                Progress = "notifications/progress",
                LogMessage = "notifications/message",
                ToolsListChanged = "notifications/tools/list_changed",
                ResourcesListChanged = "notifications/resources/list_changed",
                PromptsListChanged = "notifications/prompts/list_changed",
                ResourceUpdated = "notifications/resources/updated",
                SubscriptionAcknowledged = "notifications/subscriptions/acknowledged",
            }
        }
    };
}
pub(crate) use method_table;

macro_rules! define_protocol_method {
    (
        requests { $($request:ident = $request_name:literal,)* }
        client_requests { $($client_request:ident = $client_request_name:literal,)* }
        notifications { $($notification:ident = $notification_name:literal,)* }
    ) => {
        /// A method of the protocol: a request of a client, a client request of the server, or a notification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum ProtocolMethod {
            // The requests come first, so their numbers are their positions in `REQUESTS`.
            $($request,)*
            $($client_request,)*
            $($notification,)*
        }

        impl ProtocolMethod {
            /// The methods of requests that clients send.
            pub(crate) const REQUESTS: &'static [ProtocolMethod] = &[$(ProtocolMethod::$request),*];

            /// Returns the name of the method on the wire.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(ProtocolMethod::$request => $request_name,)*
                    $(ProtocolMethod::$client_request => $client_request_name,)*
                    $(ProtocolMethod::$notification => $notification_name,)*
                }
            }

            /// Parses the name of a method; returns `None` if this library does not know it.
            pub(crate) fn parse(name: &str) -> Option<ProtocolMethod> {
                Some(match name {
                    $($request_name => ProtocolMethod::$request,)*
                    $($client_request_name => ProtocolMethod::$client_request,)*
                    $($notification_name => ProtocolMethod::$notification,)*
                    _ => return None,
                })
            }

            /// Returns the text of a notification up to its method: one constant, as it is written in one piece.
            pub(super) const fn notification_start(self) -> &'static str {
                match self {
                    $(ProtocolMethod::$notification => {
                        concat!(r#"{"jsonrpc":"2.0","method":""#, $notification_name, "\"")
                    })*
                    // Only notifications are written without an id.
                    _ => "",
                }
            }
        }
    };
}
method_table!(define_protocol_method);

impl ProtocolMethod {
    /// Returns true for the methods of requests that clients send.
    pub(crate) const fn is_request(self) -> bool {
        (self as usize) < ProtocolMethod::REQUESTS.len()
    }
}

/// The method of an operation: one of the requests that pass through layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Calls a tool: `tools/call`.
    CallTool,
    /// Reads a resource: `resources/read`.
    ReadResource,
    /// Gets a prompt: `prompts/get`.
    GetPrompt,
    /// Completes an argument of a prompt or a variable of a resource template: `completion/complete`.
    Complete,
    /// Lists the tools: `tools/list`.
    ListTools,
    /// Lists the resources: `resources/list`.
    ListResources,
    /// Lists the resource templates: `resources/templates/list`.
    ListResourceTemplates,
    /// Lists the prompts: `prompts/list`.
    ListPrompts,
    /// Describes the server and its capabilities: `server/discover`.
    Discover,
}

impl Method {
    /// Returns the method of the protocol.
    pub const fn as_str(self) -> &'static str {
        let method = match self {
            Method::CallTool => ProtocolMethod::CallTool,
            Method::ReadResource => ProtocolMethod::ReadResource,
            Method::GetPrompt => ProtocolMethod::GetPrompt,
            Method::Complete => ProtocolMethod::Complete,
            Method::ListTools => ProtocolMethod::ListTools,
            Method::ListResources => ProtocolMethod::ListResources,
            Method::ListResourceTemplates => ProtocolMethod::ListResourceTemplates,
            Method::ListPrompts => ProtocolMethod::ListPrompts,
            Method::Discover => ProtocolMethod::Discover,
        };
        method.as_str()
    }

    /// Returns true if the operation addresses one component: a tool, a resource, a prompt or a completion. The other
    /// kinds list components or describe the server.
    pub const fn has_component(self) -> bool {
        matches!(self, Method::CallTool | Method::ReadResource | Method::GetPrompt | Method::Complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_method() {
        for method in ProtocolMethod::REQUESTS {
            assert_eq!(ProtocolMethod::parse(method.as_str()), Some(*method));
            assert!(method.is_request());
        }
        assert_eq!(ProtocolMethod::parse("roots/list"), Some(ProtocolMethod::ListRoots));
        assert!(!ProtocolMethod::ListRoots.is_request() && !ProtocolMethod::Cancelled.is_request());
        assert_eq!(ProtocolMethod::parse("tools/Call"), None);
    }

    #[test]
    fn a_notification_starts_with_its_method() {
        let start = ProtocolMethod::Progress.notification_start();
        assert_eq!(start, r#"{"jsonrpc":"2.0","method":"notifications/progress""#);
    }
}
