//! `tracing` events of a call that reach its client.
//!
//! A separate program, because the subscriber is global to the process, and changes the capabilities of every server.

use std::future::Future;
use std::sync::Once;
use std::time::Duration;

use fastmcp_rs::logging::{self, ClientLayer, Format, Options};
use fastmcp_rs::middleware::StructuredLogging;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use serde_json::{Value, json};
use support::{Revision, schema};
use tracing_subscriber::prelude::*;

// The official schemas; no process is started here.
#[allow(dead_code, unused_imports)]
#[path = "../support/mod.rs"]
mod support;

/// Knows nothing of its caller.
fn helper(step: u32) {
    tracing::info!(step, ratio = 0.5, ok = true, name = "n", debug = ?Some(1), "helping");
    tracing::debug!("details");
    tracing::trace!("more details");
}

/// Works here and there, without a context.
#[mcp::tool]
async fn work() -> String {
    helper(1);
    tokio::time::sleep(Duration::from_millis(2)).await;
    tracing::warn!("half way");
    tokio::spawn(async { tracing::error!("a task of its own") }).await.expect("it ends");
    "done".into()
}

/// Works on a thread of its own.
#[mcp::tool]
fn compute() -> String {
    tracing::error!(error = &std::io::Error::other("too hot") as &dyn std::error::Error, "computing");
    "computed".into()
}

/// Measures what cannot be measured.
#[mcp::tool]
async fn measure() {
    tracing::info!(low = f64::NEG_INFINITY, none = f64::NAN, some = 1.5, "measured");
}

/// Awaits on a thread of its own.
#[mcp::tool(blocking)]
async fn brood() -> String {
    tokio::time::sleep(Duration::from_millis(1)).await;
    tracing::info!("brooding");
    "brooded".into()
}

/// Fails with a secret.
#[mcp::tool]
async fn fail() -> Result<String, ToolError> {
    tracing::info!(target: "fastmcp_rs_like", "not ours");
    Err(std::io::Error::other("the password is hunter2").into())
}

/// Panics with a secret.
#[mcp::tool]
async fn fall() -> String {
    tracing::info!("falling");
    panic!("the password is hunter2")
}

/// Waits among others.
#[mcp::tool]
async fn mingle(name: String) -> String {
    for _ in 0..5 {
        tracing::info!(name, "mingling");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    name
}

/// Calls another tool.
#[mcp::tool]
async fn ask(ctx: &Context) -> Result<String, ToolError> {
    Ok(ctx.call_tool("compute", json!({})).await?.as_text())
}

/// Something to read.
#[mcp::resource("some://thing")]
async fn thing() -> &'static str {
    tracing::info!("read");
    "thing"
}

fn app() -> App {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let clients = ClientLayer::new().max_level(tracing::Level::DEBUG);
        logging::init_with(Options::new().format(Format::Json).to_clients(clients));
    });
    App::empty("chatty")
        .tool::<work>()
        .tool::<compute>()
        .tool::<measure>()
        .tool::<brood>()
        .tool::<fail>()
        .tool::<fall>()
        .tool::<mingle>()
        .tool::<ask>()
        .resource::<thing>()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

struct Client(RawClient, Revision);

impl Client {
    async fn connect(app: App, revision: Revision) -> Client {
        let mut client = Client(app.connect().await.expect("the app is valid"), revision);
        if !revision.is_modern() {
            client.0.send(revision.initialize(0));
            let answer = client.frame().await;
            assert_eq!(answer["result"]["capabilities"]["logging"], json!({}), "{answer}");
        }
        client
    }

    async fn frame(&mut self) -> Value {
        let frame: Value = serde_json::from_str(&self.0.receive().await).expect("a frame is JSON");
        if frame.get("method").is_some() {
            assert_eq!(schema::check_notification(self.1, &frame), Ok(()));
        }
        frame
    }

    /// Sends a request and returns the log messages before the response, and the response.
    async fn ask(&mut self, method: &str, params: Value, level: Option<&str>) -> (Vec<Value>, Value) {
        let meta = level.map_or(Value::Null, |level| json!({"io.modelcontextprotocol/logLevel": level}));
        self.0.send(self.1.request_with_meta(1, method, params, meta));
        let mut messages = Vec::new();
        loop {
            let mut frame = self.frame().await;
            if frame.get("method").is_none() {
                assert_eq!(schema::check_answer(self.1, method, &frame), Ok(()));
                return (messages, frame);
            }
            assert_eq!(frame["method"], "notifications/message");
            messages.push(frame["params"].take());
        }
    }

    async fn call(&mut self, tool: &str, level: Option<&str>) -> (Vec<Value>, Value) {
        self.ask("tools/call", json!({"name": tool, "arguments": {}}), level).await
    }
}

#[test]
fn a_modern_client_gets_its_log_level_before_the_response() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        let (_, discovered) = client.ask("server/discover", Value::Null, None).await;
        assert_eq!(discovered["result"]["capabilities"]["logging"], json!({}));
        assert_eq!(client.call("work", None).await.0, Vec::<Value>::new());
        let helping =
            json!({"message": "helping", "step": 1, "ratio": 0.5, "ok": true, "name": "n", "debug": "Some(1)"});
        let (messages, _) = client.call("work", Some("info")).await;
        let expected = [
            json!({"level": "info", "logger": "work", "data": helping}),
            json!({"level": "warning", "logger": "work", "data": "half way"}),
        ];
        assert_eq!(messages, expected);
        let levels = |messages: Vec<Value>| messages.iter().map(|m| m["level"].clone()).collect::<Vec<_>>();
        assert_eq!(levels(client.call("work", Some("debug")).await.0), ["info", "debug", "warning"]);
        assert_eq!(levels(client.call("work", Some("error")).await.0), [""; 0]);
        let (messages, _) = client.ask("resources/read", json!({"uri": "some://thing"}), Some("info")).await;
        assert_eq!(messages, [json!({"level": "info", "logger": "thing", "data": "read"})]);
    });
}

#[test]
fn an_earlier_client_sets_the_level_of_its_session() {
    for revision in Revision::LEGACY {
        run(async {
            let mut client = Client::connect(app(), revision).await;
            assert_eq!(client.call("work", None).await.0.len(), 2);
            client.ask("logging/setLevel", json!({"level": "warning"}), None).await;
            assert_eq!(client.call("work", None).await.0.len(), 1);
        });
    }
}

#[test]
fn events_of_blocking_threads_belong_to_their_call() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        for _ in 0..3 {
            let (messages, _) = client.call("compute", Some("info")).await;
            let data = json!({"message": "computing", "error": "too hot"});
            assert_eq!(messages, [json!({"level": "error", "logger": "compute", "data": data})]);
            let (messages, _) = client.call("brood", Some("info")).await;
            assert_eq!(messages, [json!({"level": "info", "logger": "brood", "data": "brooding"})]);
            assert_eq!(client.call("compute", None).await.0, Vec::<Value>::new());
        }
        let (messages, answer) = client.call("ask", Some("info")).await;
        assert_eq!(messages.len(), 1, "{answer}");
        assert_eq!(messages[0]["logger"], "compute", "it is the sibling that tells this");
    });
}

#[test]
fn a_non_finite_float_is_sent_as_text() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        let (messages, _) = client.call("measure", Some("info")).await;
        let data = json!({"message": "measured", "low": "-inf", "none": "NaN", "some": 1.5});
        assert_eq!(messages, [json!({"level": "info", "logger": "measure", "data": data})]);
    });
}

#[test]
fn events_for_the_operator_are_not_forwarded() {
    run(async {
        let mut client = Client::connect(app().layer(StructuredLogging::new()), Revision::NEWEST).await;
        let (messages, answer) = client.call("fail", Some("debug")).await;
        assert_eq!(messages, [json!({"level": "info", "logger": "fail", "data": "not ours"})]);
        assert!(!answer.to_string().contains("hunter2"));
        let (messages, answer) = client.call("fall", Some("debug")).await;
        assert_eq!(messages, [json!({"level": "info", "logger": "fall", "data": "falling"})]);
        assert!(!answer.to_string().contains("hunter2"));
    });
}

#[test]
fn calls_at_the_same_time_keep_their_events_apart() {
    run(async {
        let mut clients = Vec::new();
        for _ in 0..4 {
            clients.push(Client::connect(app(), Revision::NEWEST).await);
        }
        let mingling = clients.into_iter().enumerate().map(|(at, mut client)| {
            tokio::spawn(async move {
                let params = json!({"name": "mingle", "arguments": {"name": format!("client {at}")}});
                let (messages, _) = client.ask("tools/call", params, Some("info")).await;
                assert_eq!(messages.len(), 5);
                assert!(messages.iter().all(|message| message["data"]["name"] == format!("client {at}")));
            })
        });
        for task in mingling.collect::<Vec<_>>() {
            task.await.expect("each client gets its own events");
        }
    });
}

#[test]
fn only_configured_targets_are_forwarded() {
    run(async {
        let mut client = Client::connect(app(), Revision::NEWEST).await;
        // On this thread, instead of the process's subscriber.
        let named = ClientLayer::new().targets(["fastmcp_rs_like"]);
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(named));
        let (messages, _) = client.call("fail", Some("debug")).await;
        assert_eq!(messages.len(), 1);
        let (messages, _) = client.ask("resources/read", json!({"uri": "some://thing"}), Some("debug")).await;
        assert_eq!(messages, Vec::<Value>::new());
        drop(guard);
        assert_eq!(client.ask("resources/read", json!({"uri": "some://thing"}), Some("debug")).await.0.len(), 1);
    });
}
