//! Mounted apps: namespaces, states, timeouts and middleware of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastmcp_rs::CacheScope;
use fastmcp_rs::middleware::{Layer, Next, Operation, OperationError, Response};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{SubscriptionFilter, TestClient};
use fastmcp_rs::visibility::Selector;
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support::Revision;

struct Owner(&'static str);

/// Tells whose app this is.
#[mcp::tool]
async fn owner(owner: State<Owner>, ctx: &Context) -> String {
    format!("{} as {}", owner.0, ctx.component_name())
}

/// The state of an order.
#[mcp::resource("orders://{id}/state{?verbose}")]
async fn order_state(id: &str, #[arg(default = false)] verbose: bool, owner: State<Owner>, ctx: &Context) -> String {
    ctx.notify_resource_updated("orders://1/state");
    format!("{}: {id} {verbose}", owner.0)
}

/// The version of the API.
#[mcp::resource("api:version")]
fn version() -> &'static str {
    "1"
}

fn topics(_: CompletionRequest) -> Vec<String> {
    vec!["refunds".into(), "returns".into()]
}

/// Reviews a topic.
#[mcp::prompt]
fn review(#[arg(complete = topics)] topic: &str) -> String {
    format!("Review {topic}.")
}

fn payments(owner_name: &'static str) -> App {
    App::empty("payments")
        .version("9.9.9")
        .state(Owner(owner_name))
        .tool::<owner>()
        .resource::<order_state>()
        .resource::<version>()
        .prompt::<review>()
}

fn tool(name: &str) -> DynamicTool {
    DynamicTool::new(name, json!({"type": "object"}), |_, ctx: Context| async move {
        Ok::<_, ToolError>(ctx.component_name().to_owned())
    })
}

fn resource(uri: &str) -> DynamicResource {
    DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("x") })
}

async fn connect(app: App, revision: Revision) -> TestClient {
    validated(app.test_client(), revision).await.expect("the app is valid")
}

fn column(list: &[Value], member: &str) -> Vec<String> {
    list.iter().map(|entry| entry[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_mounted_app_is_served_under_its_namespace_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let app = App::empty("shop")
                .version("1.2.3")
                .state(Owner("shop"))
                .tool::<owner>()
                .cache_lists(Duration::from_secs(5), CacheScope::Public)
                .mount("pay", payments("payments"))
                .mount("old.pay", payments("old"));
            let client = connect(app, revision).await;
            let tools = client.list_tools().await.unwrap();
            assert_eq!(column(&tools, "name"), ["old.pay_owner", "owner", "pay_owner"]);
            for (name, text) in [
                ("owner", "shop as owner"),
                ("pay_owner", "payments as pay_owner"),
                ("old.pay_owner", "old as old.pay_owner"),
            ] {
                assert_eq!(client.call(name, json!({})).await.unwrap().text(), text);
            }
            let templates = client.list_resource_templates().await.unwrap();
            let uris = ["orders://old.pay/{id}/state{?verbose}", "orders://pay/{id}/state{?verbose}"];
            assert_eq!(column(&templates, "uriTemplate"), uris);
            assert_eq!(column(&templates, "name"), ["order_state"; 2]);
            let resources = client.list_resources().await.unwrap();
            assert_eq!(column(&resources, "uri"), ["api:old.pay/version", "api:pay/version"]);
            assert_eq!(client.read("api:pay/version").await.unwrap().text(), "1");
            let read = client.read("orders://pay/7/state?verbose=true").await.unwrap();
            assert_eq!(read.text(), "payments: 7 true");
            assert_eq!(read.contents()[0]["uri"], "orders://pay/7/state?verbose=true");
            assert_eq!(client.read("orders://old.pay/7/state").await.unwrap().text(), "old: 7 false");
            client.read("orders://7/state").await.unwrap_err();
            let got = client.get_prompt("pay_review", json!({"topic": "x"})).await.unwrap();
            assert_eq!(got.text(), "Review x.");
            client.get_prompt("review", json!({"topic": "x"})).await.unwrap_err();
            if revision >= Revision::V2025_03_26 {
                let completed = client.complete_prompt("pay_review", "topic", "ret").await.unwrap();
                assert_eq!(completed.values()[0], "returns");
            }
            let refused = client.call("pay_owner", json!({"x": 1})).await.unwrap();
            assert!(refused.text().contains("Invalid arguments for `pay_owner`"), "{}", refused.text());
            if !revision.is_modern() {
                let server = &client.discover().await.unwrap()["serverInfo"];
                assert_eq!((&server["name"], &server["version"]), (&json!("shop"), &json!("1.2.3")));
            }
        });
    }
}

#[test]
fn mounted_apps_can_have_mounted_apps() {
    run(async {
        let inner = App::empty("inner").add_tool(tool("t")).add_resource(resource("a://{x}"));
        let middle = App::empty("middle").mount("in", inner).add_tool(tool("t"));
        let app = App::empty("outer").mount("mid", middle);
        assert_eq!(app.tool_names(), ["mid_in_t", "mid_t"]);
        let client = connect(app, Revision::NEWEST).await;
        assert_eq!(client.call("mid_in_t", json!({})).await.unwrap().text(), "mid_in_t");
        assert_eq!(client.read("a://mid/in/1").await.unwrap().text(), "x");
    });
}

#[test]
fn a_state_function_cannot_add_a_name_too_long_for_its_namespace() {
    run(async {
        let inner = App::empty("y");
        let handle = inner.handle();
        let inner = inner.state_with(move || async move {
            let text = handle.add_tool(tool(&"x".repeat(125))).unwrap_err().to_string();
            assert!(text.contains("129 characters with its namespace"), "{text}");
            handle.add_tool(tool(&"x".repeat(124))).unwrap();
            Ok::<u8, std::io::Error>(1)
        });
        let client = App::empty("x").mount("pay", inner).test_client().await.unwrap();
        let tools = client.list_tools().await.unwrap();
        assert_eq!(tools.len(), 1);
        assert_eq!(tools[0]["name"].as_str().map(str::len), Some(128));
    });
}

#[test]
fn an_app_declares_list_changes_if_a_mounted_app_has_a_handle() {
    run(async {
        let inner = App::empty("y");
        let _handle = inner.handle();
        let client = App::empty("x").mount("in", inner).test_client().await.unwrap();
        let offered = &client.discover().await.unwrap()["capabilities"];
        assert_eq!(offered["tools"]["listChanged"], true, "{offered}");
        assert_eq!(offered["prompts"]["listChanged"], true, "{offered}");
    });
}

#[test]
fn duplicates_across_mounts_are_refused_with_both_places() {
    let app = App::empty("x").add_tool(tool("pay_t")).mount("pay", App::empty("y").add_tool(tool("t")));
    let text = app.check().unwrap_err().to_string();
    assert!(text.contains("two tools are named `pay_t`"), "{text}");
    assert_eq!(text.matches("mounting.rs:").count(), 4, "where both were made and added, in {text}");
    let pay = || App::empty("y").add_resource(resource("a://{x}/y"));
    let text = App::empty("x").mount("pay", pay()).mount("pay", pay()).check().unwrap_err().to_string();
    assert!(text.contains("two resources are at `a://pay/{x}/y`"), "{text}");
    // A handle is refused too, on either side.
    let inner = App::empty("y");
    let (inside, app) = (inner.handle(), App::empty("x").add_tool(tool("pay_t")).mount("pay", inner));
    let text = inside.add_tool(tool("t")).unwrap_err().to_string();
    assert!(text.contains("two tools are named `pay_t`"), "{text}");
    inside.add_tool(tool("u")).unwrap();
    app.handle().add_tool(tool("pay_u")).unwrap_err();
}

#[test]
fn problems_of_a_mounted_app_are_reported() {
    for (namespace, part) in [
        ("", "without a name"),
        ("a b", "\"a b\" cannot be a namespace"),
        ("a/b", "\"a/b\" cannot be a namespace"),
        ("{x}", "cannot be a namespace"),
        ("_x", "must begin with an ASCII letter or digit"),
    ] {
        let text = App::empty("x").mount(namespace, App::empty("y")).check().unwrap_err().to_string();
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = App::empty("x").mount("pay", App::empty("y").tool::<owner>()).check().unwrap_err().to_string();
    assert!(text.contains("the app that is mounted as `pay`: it has no state of type"), "{text}");
    let text = App::empty("x").state(Owner("x")).mount("pay", App::empty("y").tool::<owner>()).check().unwrap_err();
    assert!(text.to_string().contains("Owner"), "the states of the outer app are not those of the inner: {text}");
    let name = "x".repeat(126);
    let text = App::empty("x").mount("pay", App::empty("y").add_tool(tool(&name))).check().unwrap_err().to_string();
    assert!(text.contains("130 characters with its namespace"), "{text}");
}

#[test]
fn a_tool_has_the_timeout_of_its_own_app() {
    let slow = |name: &str| {
        DynamicTool::new(name, json!({"type": "object"}), |_, _| async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            Ok::<_, ToolError>("done")
        })
    };
    run(async {
        let quick = App::empty("quick").timeout(Duration::from_millis(20)).add_tool(slow("slow"));
        let own = slow("own").timeout(Duration::from_secs(9));
        let client = connect(App::empty("x").add_tool(slow("slow")).mount("q", quick.add_tool(own)), Revision::NEWEST);
        let client = client.await;
        assert_eq!(client.call("slow", json!({})).await.unwrap().text(), "done");
        assert!(client.call("q_slow", json!({})).await.unwrap().text().contains("timed out after 20ms"));
        assert_eq!(client.call("q_own", json!({})).await.unwrap().text(), "done");
    });
}

#[test]
fn handles_of_a_mounted_app_keep_working() {
    for revision in Revision::ALL {
        run(async {
            let inner = App::empty("y").state(Owner("inner")).add_tool(tool("a").tag("t"));
            let inside = inner.handle();
            let app = App::empty("x").mount("in", inner);
            let outside = app.handle();
            inside.add_tool(tool("b")).unwrap();
            let client = connect(app, revision).await;
            let mut subscription = None;
            if revision.is_modern() {
                let filter = SubscriptionFilter::new().tools_list_changed(true).resource("orders://in/1/state");
                inside.resource::<order_state>().unwrap();
                subscription = Some(client.listen(filter).await.unwrap());
            } else {
                inside.resource::<order_state>().unwrap();
            }
            inside.tool::<owner>().unwrap();
            if let Some(subscription) = &mut subscription {
                assert_eq!(subscription.next().await.unwrap().method, "notifications/tools/list_changed");
                // Both kinds of notification have the URI that clients know.
                client.read("orders://in/2/state").await.unwrap();
                assert_eq!(subscription.next().await.unwrap().params["uri"], "orders://in/1/state");
                inside.notify_resource_updated("orders://1/state");
                assert_eq!(subscription.next().await.unwrap().params["uri"], "orders://in/1/state");
            }
            let listed = async || column(&client.list_tools().await.unwrap(), "name");
            assert_eq!(listed().await, ["in_a", "in_b", "in_owner"]);
            assert_eq!(client.call("in_owner", json!({})).await.unwrap().text(), "inner as in_owner");
            // Both apps may disable; each knows a tool by its own name for it.
            outside.disable(Selector::tool("in_b"));
            assert_eq!(listed().await, ["in_a", "in_owner"]);
            inside.enable(Selector::tool("b"));
            assert_eq!(listed().await, ["in_a", "in_owner"], "the outer app has it disabled");
            inside.disable(Selector::tool("owner"));
            outside.enable(Selector::tool("in_owner"));
            assert_eq!(listed().await, ["in_a"]);
            outside.disable(Selector::tag("t"));
            assert!(listed().await.is_empty());
            assert!(outside.remove_tool("in_b") && inside.remove_tool("a") && !inside.remove_tool("in_owner"));
            outside.enable(Selector::tag("t"));
            inside.enable(Selector::tool("owner"));
            assert_eq!(listed().await, ["in_owner"]);
        });
    }
}

struct Count(Arc<AtomicUsize>);

impl Layer for Count {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        next.run(operation).await
    }
}

#[test]
fn the_middleware_of_both_apps_wraps_a_tool() {
    run(async {
        let (outer, inner) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mounted = App::empty("y").add_tool(tool("t")).layer(Count(Arc::clone(&inner)));
        let app = App::empty("x").add_tool(tool("t")).layer(Count(Arc::clone(&outer))).mount("in", mounted);
        let client = connect(app, Revision::NEWEST).await;
        client.call("t", json!({})).await.unwrap();
        assert_eq!((outer.load(Ordering::Relaxed), inner.load(Ordering::Relaxed)), (1, 0));
        client.call("in_t", json!({})).await.unwrap();
        assert_eq!((outer.load(Ordering::Relaxed), inner.load(Ordering::Relaxed)), (2, 1));
    });
}

/// Reads, gets and calls what is beside it, by the names that its own app has.
#[mcp::tool]
async fn ask_around(ctx: &Context) -> Result<String, ToolError> {
    let read = ctx.read_resource("orders://5/state").await?;
    let got = ctx.get_prompt("review", json!({"topic": "x"})).await?;
    let called = ctx.call_tool("owner", json!({})).await?;
    Ok(format!("{} {} {}", read[0].as_text().unwrap_or_default(), got.len(), called.as_text()))
}

#[test]
fn nested_calls_reach_the_components_of_the_handlers_own_app() {
    run(async {
        let inner = payments("inner").tool::<ask_around>();
        let app = App::empty("x").state(Owner("outer")).tool::<owner>().mount("a", App::empty("y").mount("b", inner));
        let client = connect(app, Revision::NEWEST).await;
        let text = client.call("a_b_ask_around", json!({})).await.unwrap().text();
        assert_eq!(text, "inner: 5 false 1 inner as a_b_owner");
    });
}
