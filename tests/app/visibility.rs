//! Visibility: a hidden component is reported as an unknown one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use fastmcp_rs::CacheScope;
use fastmcp_rs::middleware::Timing;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{RawClient, SubscriptionFilter, TestClient};
use fastmcp_rs::visibility::{Component, ComponentKind};
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support::Revision;

fn tool(name: &str) -> DynamicTool {
    DynamicTool::new(name, json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("done") })
}

fn resource(uri: &str) -> DynamicResource {
    DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("read") })
}

fn prompt(name: &str) -> DynamicPrompt {
    DynamicPrompt::new(name, |_, _| async { Ok::<_, ToolError>("got") }).argument("x", "")
}

fn candidates(_: CompletionRequest) -> Vec<String> {
    vec!["one".into()]
}

/// A prompt with suggestions.
#[mcp::prompt(tags = ["admin"])]
fn suggesting(#[arg(complete = candidates)] x: &str) -> String {
    x.to_owned()
}

/// Admins say so in each request.
fn is_admin(component: &Component<'_>, ctx: &Context) -> bool {
    !component.has_tag("admin") || ctx.meta().contains_key("com.example/admin")
}

fn app() -> App {
    App::empty("x")
        .cache_lists(Duration::from_secs(60), CacheScope::Public)
        .cache_resources(Duration::from_secs(30), CacheScope::Public)
        .add_tool(tool("alpha"))
        .add_tool(tool("delete").tag("admin"))
        .add_tool(tool("zeta"))
        .add_resource(resource("open://x"))
        .add_resource(resource("secret://x").tag("admin"))
        .add_resource(resource("secret://{y}/z").tag("admin"))
        .add_prompt(prompt("greet"))
        .add_prompt(prompt("grant").tag("admin"))
        .prompt::<suggesting>()
        .visible_if(is_admin)
}

async fn connect(app: App, revision: Revision) -> TestClient {
    validated(app.test_client(), revision).await.expect("the app is valid")
}

async fn names(client: &TestClient, method: &str, admin: bool) -> Vec<String> {
    let meta = if admin { json!({"_meta": {"com.example/admin": true}}) } else { json!({}) };
    let result = client.request(method, meta).await.unwrap();
    let list = ["tools", "resources", "resourceTemplates", "prompts"].iter().find_map(|key| result[key].as_array());
    list.unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

async fn check(app: App, revision: Revision) {
    let client = connect(app, revision).await;
    for (method, all, seen) in [
        ("tools/list", &["alpha", "delete", "zeta"] as &[&str], &["alpha", "zeta"] as &[&str]),
        ("resources/list", &["open://x", "secret://x"], &["open://x"]),
        ("resources/templates/list", &["secret://{y}/z"], &[]),
        ("prompts/list", &["grant", "greet", "suggesting"], &["greet"]),
    ] {
        assert_eq!(names(&client, method, true).await, all, "{method}");
        assert_eq!(names(&client, method, false).await, seen, "{method}");
        if revision.is_modern() {
            let result = client.request(method, json!({})).await.unwrap();
            assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(60_000), &json!("private")));
        }
    }
    let told = |failure: fastmcp_rs::testing::RequestError| (failure.code(), failure.message().to_owned());
    let admin = ("com.example/admin", true);
    assert_eq!(client.call("delete", json!({})).meta(admin.0, admin.1).await.unwrap().text(), "done");
    let hidden = told(client.call("delete", json!({})).await.unwrap_err());
    assert_eq!(hidden, (-32602, "Unknown tool: delete".into()));
    // Its properties must not be revealed either.
    let near = told(client.call("delet", json!({})).await.unwrap_err());
    assert_eq!(near, (-32602, "Unknown tool: delet".into()));
    let near = client.call("delet", json!({})).meta(admin.0, admin.1).await.unwrap_err();
    assert!(near.message().contains("did you mean \"delete\""), "{}", near.message());

    for uri in ["secret://x", "secret://1/z"] {
        assert_eq!(client.read(uri).meta(admin.0, admin.1).await.unwrap().text(), "read");
        let hidden = client.read(uri).await.unwrap_err();
        let unknown = client.read("secret://nothing").await.unwrap_err();
        assert_eq!((hidden.code(), hidden.message()), (unknown.code(), unknown.message()));
    }
    assert_eq!(client.get_prompt("grant", json!({"x": "1"})).meta(admin.0, admin.1).await.unwrap().text(), "got");
    let hidden = told(client.get_prompt("grant", json!({"x": "1"})).await.unwrap_err());
    assert_eq!(hidden, (-32602, "Unknown prompt: grant".into()));
    let completed = client.complete_prompt("suggesting", "x", "").meta(admin.0, admin.1).await.unwrap();
    assert_eq!(completed.values(), ["one"]);
    let hidden = told(client.complete_prompt("suggesting", "x", "").await.unwrap_err());
    assert_eq!(hidden, (-32602, "Unknown prompt: suggesting".into()));
    let template = client.complete_resource("secret://{y}/z", "y", "").meta(admin.0, admin.1).await.unwrap();
    assert!(template.values().is_empty());
    client.complete_resource("secret://{y}/z", "y", "").await.unwrap_err();
    if revision.is_modern() {
        let read = client.read("open://x").await.unwrap();
        assert_eq!((&read.json()["ttlMs"], &read.json()["cacheScope"]), (&json!(30_000), &json!("private")));
        let filter = SubscriptionFilter::new().resource("open://x").resource("secret://x").resource("secret://1/z");
        let subscription = client.listen(filter).await.unwrap();
        assert_eq!(subscription.acknowledged()["resourceSubscriptions"], json!(["open://x"]));
    } else {
        client.request("resources/subscribe", json!({"uri": "open://x"})).await.unwrap();
        let hidden = client.request("resources/subscribe", json!({"uri": "secret://x"})).await.unwrap_err();
        assert_eq!(hidden.message(), "Resource not found");
    }
}

#[test]
fn a_hidden_component_is_reported_as_unknown_in_every_revision() {
    for revision in Revision::ALL {
        run(check(app(), revision));
        // The same with middleware.
        run(check(app().layer(Timing::new()), revision));
    }
}

#[test]
fn pages_contain_only_visible_components() {
    run(async {
        let tools = |app: App, number: u32| {
            let made = tool(&format!("t{number:02}"));
            app.add_tool(if number.is_multiple_of(3) { made } else { made.tag("admin") })
        };
        let app = (0..20_u32).fold(App::empty("x").page_size(3), tools).visible_if(is_admin);
        let client = connect(app, Revision::NEWEST).await;
        let seen: Vec<Value> = client.list_tools().await.unwrap();
        let names: Vec<&str> = seen.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["t00", "t03", "t06", "t09", "t12", "t15", "t18"]);
        let first = client.request("tools/list", json!({})).await.unwrap();
        assert_eq!(first["tools"].as_array().map(Vec::len), Some(3));
        assert!(first["nextCursor"].is_string());
    });
}

#[test]
fn a_template_serves_the_uri_of_a_hidden_resource() {
    run(async {
        let app = App::empty("x")
            .add_resource(resource("a://b").tag("admin"))
            .add_resource(DynamicResource::new("a://{x}", |_, _| async { Ok::<_, ToolError>("template") }))
            .visible_if(is_admin);
        let client = connect(app, Revision::NEWEST).await;
        assert_eq!(client.read("a://b").await.unwrap().text(), "template");
        assert_eq!(client.read("a://b").meta("com.example/admin", true).await.unwrap().text(), "read");
    });
}

#[test]
fn a_visibility_function_that_panics_hides_the_component() {
    run(async {
        let app = App::empty("x").add_tool(tool("a")).add_tool(tool("b"));
        let client =
            connect(app.visible_if(|component, _| component.name() == "a" || panic!("on purpose")), Revision::NEWEST);
        let client = client.await;
        assert_eq!(names(&client, "tools/list", false).await, ["a"]);
        assert!(client.call("b", json!({})).await.is_err());
    });
}

#[test]
fn the_visibility_function_gets_the_facts_of_a_component() {
    run(async {
        let app = App::empty("x")
            .add_tool(tool("a").read_only(true).meta("com.example/level", 2))
            .add_tool(tool("b").destructive(true))
            .add_resource(resource("c://x").name("c"))
            .add_resource(resource("d://{x}").name("d"))
            .add_prompt(prompt("e"))
            .visible_if(|component, ctx| {
                match component.name() {
                    "a" => {
                        assert_eq!(component.kind(), ComponentKind::Tool);
                        assert_eq!(component.meta("com.example/level"), Some(&json!(2)));
                        assert!(component.is_read_only() && !component.is_destructive() && component.uri().is_none());
                        assert_eq!(component.tags().count(), 0);
                    }
                    "b" => assert!(!component.is_read_only() && component.is_destructive()),
                    "c" => assert_eq!((component.kind(), component.uri()), (ComponentKind::Resource, Some("c://x"))),
                    "d" => assert_eq!(component.kind(), ComponentKind::ResourceTemplate),
                    _ => assert_eq!(component.kind(), ComponentKind::Prompt),
                }
                ctx.client_info().name.as_deref() == Some("fastmcp-rs test client")
            });
        let client = connect(app, Revision::V2025_11_25).await;
        assert_eq!(names(&client, "tools/list", false).await, ["a", "b"]);
        assert_eq!(names(&client, "resources/list", false).await, ["c"]);
        assert_eq!(names(&client, "resources/templates/list", false).await, ["d"]);
        assert_eq!(names(&client, "prompts/list", false).await, ["e"]);
    });
}

#[test]
fn the_visibility_functions_of_both_apps_apply_to_mounted_components() {
    struct Secret(&'static str);
    run(async {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let inner = App::empty("y").state(Secret("inner")).add_tool(tool("a")).add_tool(tool("b")).visible_if(
            move |component, ctx| {
                counter.fetch_add(1, Ordering::Relaxed);
                assert_eq!(ctx.state::<Secret>().unwrap().0, "inner");
                component.name() != "a"
            },
        );
        let app = App::empty("x").state(Secret("outer")).add_tool(tool("a")).add_tool(tool("c")).mount("in", inner);
        let app = app.visible_if(|component, ctx| {
            assert_eq!(ctx.state::<Secret>().unwrap().0, "outer");
            !["c", "in_c"].contains(&component.name())
        });
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        assert_eq!(names(&client, "tools/list", false).await, ["a", "in_b"]);
        assert_eq!(asked.load(Ordering::Relaxed), 2, "it is not asked for what is not its own");
        assert!(client.call("in_a", json!({})).await.is_err());
        // The function applies to components that are added later.
        handle.remove_tool("c");
        handle.add_tool(tool("c")).unwrap();
        assert_eq!(names(&client, "tools/list", false).await, ["a", "in_b"]);
    });
}

#[test]
fn the_outer_app_hides_components_of_mounted_apps() {
    run(async {
        let innermost = App::empty("z").add_tool(tool("c")).add_tool(tool("d"));
        let inner = App::empty("y").add_tool(tool("a")).add_tool(tool("b")).add_resource(resource("s://x"));
        // It knows them by the names that clients know.
        let hidden = ["in_b", "in_deep_c", "s://in/x"];
        let app = App::empty("x").mount("in", inner.mount("deep", innermost)).visible_if(move |component, _| {
            !hidden.contains(&component.name()) && component.uri().is_none_or(|uri| !hidden.contains(&uri))
        });
        let client = app.test_client().await.unwrap();
        let tools = client.list_tools().await.unwrap();
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!(names, ["in_a", "in_deep_d"]);
        assert!(client.list_resources().await.unwrap().is_empty());
        client.call("in_a", json!({})).await.unwrap();
        for name in ["in_b", "in_deep_c"] {
            let refused = client.call(name, json!({})).await.unwrap_err();
            assert!(refused.message().starts_with(&format!("Unknown tool: {name}")), "{refused}");
        }
        client.read("s://in/x").await.unwrap_err();
    });
}

/// Calls another tool for the client.
#[mcp::tool]
async fn act_for(name: &str, ctx: &Context) -> Result<String, ToolError> {
    Ok(ctx.call_tool(name, json!({})).await?.as_text())
}

#[test]
fn nested_calls_have_the_visibility_of_their_client() {
    run(async {
        let client = connect(app().tool::<act_for>(), Revision::NEWEST).await;
        let arguments = || json!({"name": "delete"});
        let allowed = client.call("act_for", arguments()).meta("com.example/admin", true).await.unwrap();
        assert_eq!(allowed.text(), "done");
        let refused = client.call("act_for", arguments()).await.unwrap();
        assert_eq!(refused.text(), "Unknown tool: delete");
    });
}

/// Sends modern requests whose responses may come in any order.
struct Stream(RawClient);

impl Stream {
    async fn connect(app: App) -> Stream {
        Stream(app.connect().await.expect("the app is valid"))
    }

    fn send(&mut self, id: u64, method: &str, mut params: Value) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.0.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
    }

    async fn receive(&mut self) -> Value {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.0.receive()).await.expect("a frame");
        serde_json::from_str(&frame).unwrap()
    }
}

/// Lets the function wait until the test allows it to go on.
#[derive(Clone, Default)]
struct Barrier(Arc<(Mutex<bool>, Condvar)>);

impl Barrier {
    fn wait(&self) {
        let (is_open, changed) = &*self.0;
        // If it blocks the test itself, the test fails and does not wait for ever.
        let limit = Duration::from_secs(10);
        drop(changed.wait_timeout_while(is_open.lock().unwrap(), limit, |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// An app whose function blocks until the barrier is open, for each of these requests.
fn blocked_app(barrier: &Barrier) -> App {
    let barrier = barrier.clone();
    let app = App::empty("x").add_tool(tool("a")).add_resource(resource("a://b")).add_prompt(prompt("p"));
    app.prompt::<suggesting>().tool::<act_for>().visible_if(move |_, _| {
        barrier.wait();
        true
    })
}

fn component_requests() -> Vec<(&'static str, Value)> {
    let completion =
        json!({"ref": {"type": "ref/prompt", "name": "suggesting"}, "argument": {"name": "x", "value": ""}});
    vec![
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("tools/call", json!({"name": "a", "arguments": {}})),
        ("tools/call", json!({"name": "act_for", "arguments": {"name": "a"}})),
        ("resources/read", json!({"uri": "a://b"})),
        ("prompts/get", json!({"name": "p", "arguments": {"x": "1"}})),
        ("completion/complete", completion),
        ("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": ["a://b"]}})),
    ]
}

#[test]
fn a_blocking_visibility_function_does_not_delay_other_requests() {
    run(async {
        for layered in [false, true] {
            let barrier = Barrier::default();
            let app = blocked_app(&barrier);
            let mut stream = Stream::connect(if layered { app.layer(Timing::new()) } else { app }).await;
            let requests = component_requests();
            for (id, (method, params)) in (0..).zip(requests.clone()) {
                stream.send(id, method, params);
            }
            stream.send(100, "server/discover", json!({}));
            assert_eq!(stream.receive().await["id"], 100, "all others wait for the function");
            // The id of a request that is being decided on is taken.
            stream.send(0, "tools/list", json!({}));
            let refused = stream.receive().await;
            assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(0), &json!(-32600)));
            barrier.open();
            let mut answered = Vec::new();
            for _ in &requests {
                let frame = stream.receive().await;
                assert!(frame.get("error").is_none(), "{frame}");
                // A subscription is acknowledged instead.
                answered.push(frame["id"].as_u64().unwrap_or(8));
            }
            answered.sort_unstable();
            assert_eq!(answered, (0..9).collect::<Vec<u64>>());
        }
    });
}

#[test]
fn a_request_cancelled_during_its_visibility_check_gets_no_response() {
    run(async {
        let barrier = Barrier::default();
        let mut stream = Stream::connect(blocked_app(&barrier)).await;
        stream.send(1, "tools/call", json!({"name": "a", "arguments": {}}));
        // Each of these asks the function. A subscription to changes of lists would not, and could begin before it is
        // cancelled.
        stream.send(2, "subscriptions/listen", json!({"notifications": {"resourceSubscriptions": ["a://b"]}}));
        stream.send(3, "tools/list", json!({}));
        stream.send(4, "resources/read", json!({"uri": "a://b"}));
        // This one gets an error after the function has run.
        let invalid =
            json!({"ref": {"type": "ref/prompt", "name": "suggesting"}, "argument": {"name": "y", "value": ""}});
        stream.send(5, "completion/complete", invalid);
        for id in 1..6 {
            let params = json!({"requestId": id});
            let frame = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
            stream.0.send(frame.to_string());
        }
        barrier.open();
        stream.send(1, "tools/call", json!({"name": "a", "arguments": {}}));
        let answer = stream.receive().await;
        assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(1), &json!("done")));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(stream.0.try_receive(), None);
    });
}

#[test]
fn visibility_checks_beyond_the_concurrency_limit_complete() {
    run(async {
        let barrier = Barrier::default();
        let mut stream = Stream::connect(blocked_app(&barrier)).await;
        for id in 0..600 {
            stream.send(id, "tools/call", json!({"name": "a", "arguments": {}}));
        }
        stream.send(1000, "server/discover", json!({}));
        assert_eq!(stream.receive().await["id"], 1000);
        barrier.open();
        let mut answered = Vec::new();
        for _ in 0..600 {
            let answer = stream.receive().await;
            assert_eq!(answer["result"]["content"][0]["text"], "done");
            answered.push(answer["id"].as_u64().unwrap());
        }
        answered.sort_unstable();
        assert_eq!(answered, (0..600).collect::<Vec<u64>>());
    });
}

#[test]
fn a_visibility_function_that_blocks_in_a_nested_call_does_not_delay_others() {
    // There is one worker.
    run(async {
        let (barrier, is_inside) = (Barrier::default(), Arc::new(AtomicBool::new(false)));
        let (waiting, inside) = (barrier.clone(), Arc::clone(&is_inside));
        let app = App::empty("x").add_tool(tool("a")).add_tool(tool("blocked")).tool::<act_for>().tool::<pause>();
        let app = app.visible_if(move |component, _| {
            if component.name() == "blocked" {
                inside.store(true, Ordering::SeqCst);
                waiting.wait();
            }
            true
        });
        let mut stream = Stream::connect(app).await;
        stream.send(1, "tools/call", json!({"name": "act_for", "arguments": {"name": "blocked"}}));
        while !is_inside.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stream.send(2, "tools/call", json!({"name": "pause", "arguments": {}}));
        assert_eq!(stream.receive().await["id"], 2);
        barrier.open();
        assert_eq!(stream.receive().await["id"], 1);
    });
}

/// Waits a moment.
#[mcp::tool]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

#[test]
fn a_visibility_function_that_panics_is_called_for_every_component() {
    run(async {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let app = (0..50).fold(App::empty("x"), |app, number| app.add_tool(tool(&format!("t{number}"))));
        let client = connect(
            app.visible_if(move |_, _| {
                counter.fetch_add(1, Ordering::Relaxed);
                panic!("on purpose")
            }),
            Revision::NEWEST,
        );
        let client = client.await;
        assert_eq!(names(&client, "tools/list", false).await, [""; 0]);
        assert_eq!(count.load(Ordering::Relaxed), 50, "each component is decided on");
    });
}
