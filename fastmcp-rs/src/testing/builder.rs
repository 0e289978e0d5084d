//! The builder of a test client: its revision, its capabilities, the facts about its requests, and the scripts that answer the server.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::pin::Pin;

use serde_json::{Map, Value, json};

use super::client::TestClient;
use super::dispatcher::{Dispatcher, Observer, Origin};
use super::peer::{Caller, InProcessServer, TestServer};
use super::scripts::{ClientReply, ElicitationQuestion, SamplingQuestion, Scripts};
use crate::app::App;
use crate::auth::principal::Principal;
use crate::context::transport_facts::ClientAddr;
use crate::error::Error;
use crate::exec::runtime;
use crate::protocol::{Feature, LoggingLevel, ProtocolMethod, Revision};
use crate::util::sync::Mutex;

impl App {
    /// Creates a client of this app in the same process, for tests; `.await` connects it.
    ///
    /// By default it speaks revision 2026-07-28, declares no capabilities, and answers no requests of the server.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    /// use serde_json::json;
    ///
    /// /// Doubles a number.
    /// #[mcp::tool]
    /// fn double(number: i64) -> i64 {
    ///     number * 2
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = App::empty("numbers").tool::<double>().test_client().await?;
    /// assert_eq!(client.call("double", json!({"number": 21})).await?.text(), "42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn test_client(self) -> TestClientBuilder {
        TestClientBuilder::new(Box::new(move |caller| {
            Box::pin(async move {
                runtime::check_timers()?;
                let peer: Box<dyn TestServer> = Box::new(InProcessServer::new(self.start().await?, caller));
                Ok(peer)
            })
        }))
    }
}

type ConnectFuture = Pin<Box<dyn Future<Output = Result<Box<dyn TestServer>, Error>> + Send>>;
type ConnectFn = Box<dyn FnOnce(Caller) -> ConnectFuture + Send>;

/// A builder of a test client; `.await` connects it.
///
/// # Errors
///
/// Connecting fails if the app cannot be served as it is configured (see [`App::check`]), and outside of a tokio
/// runtime with timers, as `#[tokio::test]` makes, and a builder with `enable_all()`.
#[must_use = "a test client connects when it is awaited"]
pub struct TestClientBuilder {
    start: ConnectFn,
    caller: Caller,
    revision: Revision,
    capabilities: Map<String, Value>,
    client_info: Value,
    log_level: Option<LoggingLevel>,
    scripts: Scripts,
    observer: Option<Observer>,
}

impl TestClientBuilder {
    pub(super) fn new(start: ConnectFn) -> TestClientBuilder {
        TestClientBuilder {
            start,
            caller: Caller::default(),
            revision: Revision::LATEST,
            capabilities: Map::new(),
            client_info: json!({ "name": "fastmcp-rs test client", "version": env!("CARGO_PKG_VERSION") }),
            log_level: None,
            scripts: Scripts::default(),
            observer: None,
        }
    }

    /// Sets the revision that the client speaks. Default: 2026-07-28.
    ///
    /// With an earlier revision the client opens a session by `initialize`.
    pub fn revision(mut self, revision: Revision) -> TestClientBuilder {
        self.revision = revision;
        self
    }

    /// Connects as an authenticated principal, which handlers get from
    /// [`Context::principal`](crate::Context::principal). Default: no principal.
    pub fn principal(mut self, principal: Principal) -> TestClientBuilder {
        self.caller.principal = Some(principal);
        self
    }

    /// Adds an HTTP header to each request. Handlers read it if [`App::expose_headers`] has its name, as over HTTP.
    ///
    /// # Panics
    ///
    /// Panics if no header can have this name or this value.
    #[cfg(feature = "http")]
    pub fn header(mut self, name: &str, value: &str) -> TestClientBuilder {
        match (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.caller.headers.append(name, value),
            _ => panic!("{name:?}: {value:?} is not a header"),
        };
        self
    }

    /// Attaches a value to each request, as a middleware in front of the server does. Handlers take it as
    /// [`Extension<T>`](crate::handler::Extension). A value of the same type is replaced.
    pub fn extension<T: Send + Sync + 'static>(mut self, value: T) -> TestClientBuilder {
        self.caller.extensions.insert(value);
        self
    }

    /// Sets the address of the client, which handlers get as [`ClientAddr`](crate::handler::ClientAddr). Default: no
    /// address.
    ///
    /// # Example
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use fastmcp_rs::App;
    ///
    /// let client = App::new("orders").test_client().client_addr(SocketAddr::from(([192, 0, 2, 1], 4711)));
    /// # let _ = client;
    /// ```
    pub fn client_addr(mut self, address: SocketAddr) -> TestClientBuilder {
        self.caller.client_addr = Some(ClientAddr::new((address.ip(), Some(address.port()))));
        self
    }

    /// Declares capabilities in their wire form: `json!({"sampling": {"tools": {}}})`.
    ///
    /// Scripts declare their capabilities by themselves; capabilities set here take precedence. A value other than an
    /// object declares nothing.
    pub fn capabilities(mut self, capabilities: Value) -> TestClientBuilder {
        if let Value::Object(capabilities) = capabilities {
            self.capabilities.extend(capabilities);
        }
        self
    }

    /// Sets the name and the version that the client reports. Default: `fastmcp-rs test client`, with the version of
    /// this crate.
    pub fn client_info(mut self, name: &str, version: &str) -> TestClientBuilder {
        self.client_info = json!({ "name": name, "version": version });
        self
    }

    /// Requests log messages of this level and above. By default there are none in 2026-07-28, and those of
    /// [`LoggingLevel::Info`] and above in a session.
    pub fn log_level(mut self, level: LoggingLevel) -> TestClientBuilder {
        self.log_level = Some(level);
        self
    }

    /// Answers elicitations by a script, and declares `elicitation` with both modes.
    ///
    /// The script may keep state, and may assert: a panic of the script fails the test.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    /// use fastmcp_rs::testing::ClientReply;
    /// use serde_json::json;
    ///
    /// let client = App::new("orders").test_client().on_elicitation(|question| {
    ///     assert!(question.message.contains("ORD-101"), "{}", question.message);
    ///     ClientReply::accept(json!({"confirm": true}))
    /// });
    /// ```
    pub fn on_elicitation<A: Into<ClientReply>>(
        mut self,
        mut script: impl FnMut(ElicitationQuestion) -> A + Send + 'static,
    ) -> TestClientBuilder {
        self.scripts.elicitation = Some(Mutex::new(Box::new(move |question| script(question).into())));
        self
    }

    /// Answers sampling requests by a script, and declares `sampling`.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    /// use fastmcp_rs::testing::ClientReply;
    ///
    /// let client = App::new("atlas").test_client().on_sampling(|question| {
    ///     assert_eq!(question.prompt(), "What is the capital of France?");
    ///     ClientReply::message("Paris")
    /// });
    /// ```
    pub fn on_sampling<A: Into<ClientReply>>(
        mut self,
        mut script: impl FnMut(SamplingQuestion) -> A + Send + 'static,
    ) -> TestClientBuilder {
        self.scripts.sampling = Some(Mutex::new(Box::new(move |question| script(question).into())));
        self
    }

    /// Sets the client's roots, as `file://` URIs, and declares `roots`.
    pub fn roots<U: Into<String>>(mut self, uris: impl IntoIterator<Item = U>) -> TestClientBuilder {
        self.scripts.roots = Some(uris.into_iter().map(Into::into).collect());
        self
    }

    /// Passes each frame to an observer, in the order in which frames are sent and received. A panic of the observer
    /// fails the test.
    #[doc(hidden)]
    pub fn observe(mut self, observer: impl FnMut(Origin, &str) + Send + 'static) -> TestClientBuilder {
        self.observer = Some(Box::new(observer));
        self
    }

    async fn connect(self) -> Result<TestClient, Error> {
        let TestClientBuilder { start, caller, revision, capabilities, client_info, log_level, scripts, observer } =
            self;
        let mut declared = scripts.capabilities(revision);
        declared.extend(capabilities);
        let declared = Value::from(declared);
        let mut envelope = Map::new();
        if revision.has(Feature::Stateless) {
            envelope.insert("io.modelcontextprotocol/protocolVersion".into(), revision.as_str().into());
            envelope.insert("io.modelcontextprotocol/clientCapabilities".into(), declared.clone());
            envelope.insert("io.modelcontextprotocol/clientInfo".into(), client_info.clone());
            if let Some(level) = log_level {
                envelope.insert("io.modelcontextprotocol/logLevel".into(), json!(level.as_str()));
            }
        }
        let dispatcher = Dispatcher::new(start(caller).await?, revision, declared.clone(), scripts, observer);
        let client = TestClient { dispatcher, envelope };
        if revision.has(Feature::Sessions) {
            let params = json!({
                "protocolVersion": revision.as_str(),
                "capabilities": declared,
                "clientInfo": client_info,
            });
            let result = client.request(ProtocolMethod::Initialize.as_str(), params).await.map_err(Error::other)?;
            let agreed = result["protocolVersion"].as_str().unwrap_or_default();
            if agreed != revision.as_str() {
                return Err(Error::other(format!(
                    "the client requested {revision}, and the server answered with {agreed:?}"
                )));
            }
            *client.dispatcher.initialization.lock() = result;
            client.notify(ProtocolMethod::Initialized.as_str(), Value::Null);
            if let Some(level) = log_level {
                let level = json!({ "level": level.as_str() });
                client.request(ProtocolMethod::SetLogLevel.as_str(), level).await.map_err(Error::other)?;
            }
        }
        Ok(client)
    }
}

impl IntoFuture for TestClientBuilder {
    type Output = Result<TestClient, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<TestClient, Error>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

impl std::fmt::Debug for TestClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TestClientBuilder").field("revision", &self.revision).finish_non_exhaustive()
    }
}
