//! Settings of an app.

use std::time::Duration;

use super::App;
use crate::component::icon::Icon;
use crate::protocol::CacheScope;
use crate::protocol::cache::CacheHints;
use crate::schema::publish::ResultContent;
use crate::sealing::SealingKey;

impl App {
    /// Sets the server's version. Default: the version of the crate whose `main` has
    /// [`#[mcp::main]`](macro@crate::mcp::main). With another `main`, such as one with `#[tokio::main]`, the version is
    /// unknown: a warning is logged at start, and clients get the version 0.0.0.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::App;
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").version(env!("CARGO_PKG_VERSION")).run_stdio().await
    /// }
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> App {
        self.config.version = version.into();
        self.version_is_set = true;
        self
    }

    /// Sets the server's name for people. Clients before 2025-06-18 do not get it.
    pub fn title(mut self, title: impl Into<String>) -> App {
        self.config.title = Some(title.into());
        self
    }

    /// Sets the description of the server, for people. Clients before 2025-11-25 do not get it.
    pub fn description(mut self, description: impl Into<String>) -> App {
        self.config.description = Some(description.into());
        self
    }

    /// Sets the URL of the server's website. Clients before 2025-11-25 do not get it.
    pub fn website_url(mut self, url: impl Into<String>) -> App {
        self.config.website_url = Some(url.into());
        self
    }

    /// Adds an icon of the server, for people. There may be several; clients before 2025-11-25 do not get them.
    ///
    /// Modern clients get them when they discover the server, and not with every response.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic#icons>
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::Icon;
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::empty("orders").icon(Icon::new("https://example.com/orders.png").size("48x48"));
    /// assert!(app.check().is_ok());
    /// ```
    pub fn icon(mut self, icon: Icon) -> App {
        self.config.icons.push(icon);
        self
    }

    /// Sets whether the schemas of all tools omit `additionalProperties: false`. Default: false.
    ///
    /// Some vendors' converters, among them that of google-genai, reject every tool whose schema contains it. Unknown
    /// arguments are still rejected.
    pub fn open_schemas(mut self, yes: bool) -> App {
        self.fixed.add("open_schemas");
        self.config.lists.style.closes_objects = !yes;
        self
    }

    /// Sets whether tools that return a number or a `bool` send it as structured content beside its text, with an
    /// output schema. Default: true, because some clients read the text as structured content, and reject it if it is
    /// not an object.
    ///
    /// Before 2026-07-28 the content is `{"result": 3}`, and so is the text. A tool's own `structured` takes
    /// precedence.
    pub fn structured_numbers(mut self, yes: bool) -> App {
        self.config.lists.style.structures_numbers = yes;
        self
    }

    /// Sets whether tools that return a text send it as structured content, too. Default: false, because every client
    /// shows a text unchanged, and several show a structured result in place of it.
    pub fn structured_texts(mut self, yes: bool) -> App {
        self.config.lists.style.structures_texts = yes;
        self
    }

    /// Sets whether clients of 2026-07-28 get structured results that are not objects (lists, numbers, `null` for
    /// `None`) inside `{"result": …}`, as clients of 2025-06-18 and 2025-11-25 always do. Default: false.
    ///
    /// Some proxies for 2026-07-28, among them FastMCP 4.1.7, reject unwrapped results of these kinds. The output
    /// schema, the text and the mark `_meta.fastmcp.wrap_result` are then those of the wrapped result. A tool's own
    /// `wrapped` takes precedence.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Lists the open orders.
    /// #[mcp::tool]
    /// fn open_orders() -> Vec<u32> {
    ///     vec![101, 102]
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = App::empty("orders").tool::<open_orders>().wrapped_results(true);
    /// let reply = app.test_client().await?.call("open_orders", ()).await?;
    /// assert_eq!(reply.text(), r#"{"result":[101,102]}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrapped_results(mut self, yes: bool) -> App {
        self.fixed.add("wrapped_results");
        self.config.lists.style.wraps_results = yes;
        self
    }

    /// Sets the parts of a structured result that are sent: the value, its text, or both. Default:
    /// [`ResultContent::Both`], because some clients show a model only the value, and others only the text.
    ///
    /// A tool's own `result_content` takes precedence. Both take precedence over [`App::structured_numbers`] and
    /// [`App::structured_texts`]. See [`ResultContent`].
    pub fn result_content(mut self, content: ResultContent) -> App {
        self.config.lists.style.result_content = content;
        self
    }

    /// Sets whether a tool's result with resource links and without a text gets a final text block that names the
    /// links: one line per link with its name, its URI and its description. Default: true, because several clients show
    /// a model only texts.
    ///
    /// A result that has a text is sent unchanged. A tool's own `link_text` takes precedence.
    pub fn link_texts(mut self, yes: bool) -> App {
        self.config.lists.style.describes_links = yes;
        self
    }

    /// Sets whether the descriptions of tools' arguments repeat limits and enum values, because several clients remove
    /// the schema keywords for them before a model sees the schema. Default: false.
    ///
    /// Limits are written in words, such as "Allowed: 1 to 10.", after the argument's own doc comment.
    pub fn describe_limits(mut self, yes: bool) -> App {
        self.fixed.add("describe_limits");
        self.config.lists.style.repeats_limits = yes;
        self
    }

    /// Sets whether arguments that a tool does not have are ignored, and their names logged at debug level. Default:
    /// false, which rejects the call.
    ///
    /// This applies to arguments themselves, not to the members inside of them, which are rejected unless their type
    /// has `#[mcp::model(allow_unknown_fields)]`. For a few names that a client adds to every call, use
    /// [`App::ignore_arguments`].
    pub fn ignore_unknown_arguments(mut self, yes: bool) -> App {
        self.fixed.add("ignore_unknown_arguments");
        self.config.ignored_arguments.everything = yes;
        self
    }

    /// Ignores arguments of these names in calls of tools that do not have them, in addition to those that are known to
    /// come from clients rather than from models.
    ///
    /// Always ignored are `wait_for_previous` (Gemini CLI) and `toolCallId` (n8n), and in a call with `toolCallId` also
    /// `sessionId`, `action`, `chatInput` and `tool`. Ignored arguments are logged at debug level.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// let app = App::new("orders").ignore_arguments(["security_risk", "summary"]);
    /// # let _ = app;
    /// ```
    pub fn ignore_arguments(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> App {
        self.config.ignored_arguments.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets instructions for a model on the use of the server as a whole. Clients may add them to the model's prompt.
    pub fn instructions(mut self, instructions: impl Into<String>) -> App {
        self.config.instructions = Some(instructions.into());
        self
    }

    /// Sets the time limit of a call, unless its tool sets `timeout = "…"`. Default: 60 seconds.
    ///
    /// A call that exceeds the limit is dropped, and its result tells the model so. A blocking tool cannot be dropped:
    /// the call is answered, and the tool's thread continues until the tool returns.
    pub fn timeout(mut self, timeout: Duration) -> App {
        self.fixed.add("timeout");
        self.config.timeout = timeout;
        self
    }

    /// Sets whether numbers, booleans, lists and objects that arrive inside a string are rejected. Default: false.
    ///
    /// Models sometimes write `"10"` for `10`; by default that is accepted where a string would be rejected. A whole
    /// number written as `1.0` is an integer in JSON Schema, and always accepted.
    pub fn strict_arguments(mut self, yes: bool) -> App {
        self.config.strict_arguments = yes;
        self
    }

    /// Sets whether the model reads the text of every error and panic, for development. Default: false.
    ///
    /// By default only the text of [`ToolError::new`](crate::ToolError::new) reaches the model: other texts may reveal
    /// paths, queries and host names.
    pub fn show_errors(mut self, yes: bool) -> App {
        self.fixed.add("show_errors");
        self.config.show_errors = yes;
        self
    }

    /// Sets whether the `_meta` of each modern response omits the server's name and version. Default: false.
    pub fn hide_server_info(mut self, yes: bool) -> App {
        self.fixed.add("hide_server_info");
        self.config.announce_server = !yes;
        self
    }

    /// Sets the time for which modern clients may cache lists, and the scope in which they may share them. Default: no
    /// caching. For the contents of resources, see [`App::cache_resources`].
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
    pub fn cache_lists(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.lists.cache = CacheHints { ttl, scope };
        self
    }

    /// Sets the time for which modern clients may cache the contents of resources, and the scope in which they may
    /// share them. Default: no caching.
    ///
    /// [`CacheScope::Public`] is a promise that the contents are the same for every reader.
    pub fn cache_resources(mut self, ttl: Duration, scope: CacheScope) -> App {
        self.config.resource_cache = CacheHints { ttl, scope };
        self
    }

    /// Sets the lifetime of the `requestState` that travels with client requests to a modern client: the time in which
    /// the client has to send their results with its next request. Default: 10 minutes.
    ///
    /// After this time the request state no longer opens, and the call must start again from the beginning.
    pub fn request_state_ttl(mut self, ttl: Duration) -> App {
        self.fixed.add("request_state_ttl");
        self.config.request_state_ttl = ttl;
        self
    }

    /// Sets the limit of the `requestState` that travels with client requests to a modern client, in bytes. Default:
    /// 512 KiB; at least 1 KiB.
    ///
    /// The request state contains the results so far, the values of
    /// [`Context::remember`](crate::Context::remember) and about 60 bytes per open request, sealed and encoded as
    /// Base64: 4 bytes for 3. It returns with the next request, so it is never longer than half of the longest message
    /// that the transport reads: [`App::max_line`], or [`HttpConfig::max_body`](crate::HttpConfig::max_body). A call
    /// that needs more ends with error -32603, which names this limit, and the log names the function.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    ///
    /// let app = App::empty("surveys").max_request_state(1 << 20);
    /// # assert!(app.check().is_ok());
    /// ```
    pub fn max_request_state(mut self, bytes: usize) -> App {
        self.fixed.add("max_request_state");
        self.config.max_request_state = bytes;
        self
    }

    /// Sets the keys that seal the request state of modern clients, and on HTTP the sessions of older clients. By
    /// default, each process makes its own key for request state, and sessions end with their process.
    ///
    /// With keys that outlive the process, for example from its environment, a client's `Mcp-Session-Id` contains its
    /// session, so that any process with the key restores it, even after a restart. The page on HTTP lists the restored
    /// parts, and [`HttpConfig::session_lifetime`](crate::HttpConfig::session_lifetime) limits the time.
    ///
    /// The first key seals, and all keys open. To replace a key, put the new key behind the old key in every process,
    /// then in front of it, and remove the old key when the [`App::request_state_ttl`] and the lifetime of sessions are
    /// over. Processes that serve the same clients need the same keys and the same name in [`App::new`]: a server with
    /// another name opens nothing, even with the same key.
    pub fn sealing_keys(mut self, keys: impl IntoIterator<Item = SealingKey>) -> App {
        self.fixed.add("sealing_keys");
        self.sealing_keys = keys.into_iter().collect();
        self
    }

    /// Sets the maximum number of entries per page of a list. Default: 1,000; minimum: 1.
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>
    pub fn page_size(mut self, entries: usize) -> App {
        self.fixed.add("page_size");
        self.config.lists.page_size = entries.max(1);
        self
    }
}
