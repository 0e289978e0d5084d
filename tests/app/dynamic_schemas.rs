//! What once went wrong with components that are made at run time, and with apps that change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::{DynamicResource, DynamicTool, Handle};
use serde_json::{Map, Value, json};

use super::run;

fn echo(name: &str, schema: Value) -> DynamicTool {
    DynamicTool::new(name, schema, |arguments: Map<String, Value>, _ctx: Context| async move {
        Ok::<_, ToolError>(ToolResult::from(Value::from(arguments)))
    })
}

fn nothing(name: &str) -> DynamicTool {
    echo(name, json!({"type": "object"}))
}

/// Comes back to the app when it ends, and counts that.
struct Guard(Handle, Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.remove_tool("of the guard");
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn guarded(name: &str, handle: &Handle, ended: &Arc<AtomicUsize>) -> DynamicTool {
    let guard = Guard(handle.clone(), Arc::clone(ended));
    DynamicTool::new(name, json!({"type": "object"}), move |_, _| {
        let _ = &guard;
        async { Ok::<_, ToolError>("done") }
    })
}

/// Runs something that must not wait for itself.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        work();
        let _ = tell.send(());
    });
    told.recv_timeout(Duration::from_secs(10)).expect("it waits for itself");
}

#[test]
fn what_a_removed_or_refused_component_drops_may_use_the_handle() {
    in_time(|| {
        let ended = Arc::new(AtomicUsize::new(0));
        let app = App::empty("x").mount("in", App::empty("y"));
        let handle = app.handle();
        handle.add_tool(guarded("a", &handle, &ended)).unwrap();
        handle.add_tool(guarded("a", &handle, &ended)).unwrap_err();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
        assert!(handle.remove_tool("a"));
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        // The same when it was served, so that the last one to hold it is what was served before.
        run(async {
            let client = app.test_client().await.unwrap();
            handle.add_tool(guarded("b", &handle, &ended)).unwrap();
            assert_eq!(client.call("b", json!({})).await.unwrap().text(), "done");
            assert!(handle.remove_tool("b"));
            assert!(client.list_tools().await.unwrap().is_empty());
            assert_eq!(ended.load(Ordering::Relaxed), 3);
        });
    });
}

#[test]
fn nothing_is_added_to_an_app_that_is_over() {
    run(async {
        let inner = App::empty("y");
        let (inside, app) = (inner.handle(), App::empty("x").mount("in", inner));
        let handle = app.handle();
        app.test_client().await.unwrap().close().await;
        let ended = Arc::new(AtomicUsize::new(0));
        for handle in [&handle, &inside] {
            let mut refused = handle.add_tool(guarded("a", handle, &ended));
            // What serves may end a little later than the client.
            for _ in 0..100 {
                if refused.is_err() {
                    break;
                }
                handle.remove_tool("a");
                tokio::time::sleep(Duration::from_millis(10)).await;
                refused = handle.add_tool(guarded("a", handle, &ended));
            }
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("its app is not served any more"), "{text}");
        }
        assert!(ended.load(Ordering::Relaxed) >= 2, "nobody keeps what was refused");
    });
}

#[test]
fn a_name_that_is_too_long_under_its_namespace_is_refused_while_states_are_made_too() {
    run(async {
        let inner = App::empty("y");
        let handle = inner.handle();
        let inner = inner.state_with(move || async move {
            let text = handle.add_tool(nothing(&"x".repeat(125))).unwrap_err().to_string();
            assert!(text.contains("129 characters under its namespace"), "{text}");
            handle.add_tool(nothing(&"x".repeat(124))).unwrap();
            Ok::<u8, std::io::Error>(1)
        });
        let client = App::empty("x").mount("pay", inner).test_client().await.unwrap();
        let tools = client.list_tools().await.unwrap();
        assert_eq!(tools.len(), 1);
        assert_eq!(tools[0]["name"].as_str().map(str::len), Some(128));
    });
}

fn result_of(schema: Value, result: Value) -> Result<Value, String> {
    let tool = DynamicTool::new("t", json!({"type": "object"}), move |_, _| {
        let result = result.clone();
        async move { Ok::<_, ToolError>(ToolResult::from(result)) }
    });
    run(async {
        let client = App::empty("x").add_tool(tool.output_schema(schema)).test_client().await.unwrap();
        let reply = client.call("t", json!({})).await.unwrap();
        if reply.is_error() { Err(reply.text()) } else { Ok(reply.json()["structuredContent"].clone()) }
    })
}

#[test]
fn results_are_held_to_their_schema_as_they_are_sent() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    result_of(schema.clone(), json!({"a": null})).expect_err("`null` is no string");
    assert_eq!(result_of(schema, json!({})), Ok(json!({})));
    let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}});
    assert_eq!(result_of(schema, json!({"a": null})), Ok(json!({"a": null})));
    // Also what comes late in a long one.
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    let mut long = vec![json!(1); 120_000];
    result_of(schema.clone(), long.clone().into()).unwrap();
    long.push(json!("x"));
    result_of(schema, long.into()).unwrap_err();
}

fn refused(schema: Value, arguments: Value) -> Option<String> {
    run(async {
        let client = App::empty("x").add_tool(echo("t", schema)).test_client().await.unwrap();
        let reply = client.call("t", arguments).await.unwrap();
        reply.is_error().then(|| reply.text())
    })
}

#[test]
fn every_keyword_that_is_promised_is_looked_at() {
    let with = |schema: Value| json!({"type": "object", "properties": {"x": schema}});
    for (schema, fits, fits_not) in [
        (with(json!({"type": "string", "enum": ["a", "bb"], "minLength": 2})), json!({"x": "bb"}), json!({"x": "a"})),
        (with(json!({"const": 1, "type": "string"})), json!({}), json!({"x": 1})),
        (with(json!({"enum": [[1.0, {"a": 2.0}]]})), json!({"x": [1, {"a": 2}]}), json!({"x": [1, {"a": 3}]})),
        (
            with(json!({"exclusiveMinimum": 9_007_199_254_740_992_u64})),
            json!({"x": 9_007_199_254_740_993_u64}),
            json!({"x": 9_007_199_254_740_992_u64}),
        ),
        (
            with(json!({"multipleOf": 2})),
            json!({"x": 9_007_199_254_740_994_u64}),
            json!({"x": 9_007_199_254_740_993_u64}),
        ),
        (with(json!({"type": "string", "maxLength": 2.0})), json!({"x": "ab"}), json!({"x": "abc"})),
        (
            json!({"type": "object", "properties": {"x": {"type": "string"}}, "patternProperties": {"^x": {"maxLength": 2}}}),
            json!({"x": "ab"}),
            json!({"x": "abc"}),
        ),
        (
            json!({"type": "object", "patternProperties": {"^x": {"maxLength": 2}, "a$": {"pattern": "^b"}}, "additionalProperties": false}),
            json!({"xa": "b"}),
            json!({"xa": "c"}),
        ),
        (
            json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/My%20Type"}}, "$defs": {"My Type": {"type": "string"}}}),
            json!({"x": "a"}),
            json!({"x": 1}),
        ),
        (
            json!({"type": "object", "properties": {"x": {"$ref": "#mine"}}, "$defs": {"Mine": {"$anchor": "mine", "type": "string"}}}),
            json!({"x": "a"}),
            json!({"x": 1}),
        ),
    ] {
        assert_eq!(refused(schema.clone(), fits), None, "{schema}");
        let told = refused(schema.clone(), fits_not).unwrap_or_default();
        assert!(told.contains("Invalid arguments"), "{schema}: {told}");
    }
}

#[test]
fn a_schema_that_checks_nothing_by_mistake_is_refused() {
    let problem = |tool: DynamicTool| App::empty("x").add_tool(tool).check().unwrap_err().to_string();
    let text = problem(echo("t", json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/Nope"}}})));
    assert!(text.contains("`$ref` at `/properties/x` of its input schema leads nowhere"), "{text}");
    let text = problem(nothing("t").output_schema(json!({"type": "objekt"})));
    assert!(text.contains("`type` of its output schema is \"objekt\""), "{text}");
    let deep =
        (0..60).fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"x": inner}}));
    let text = problem(echo("t", deep));
    assert!(text.contains("more than 100 levels deep"), "{text}");
}

fn reads(uri: &str) -> DynamicResource {
    DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("read") })
}

#[test]
fn the_outer_app_hides_what_stands_in_an_inner_one() {
    run(async {
        let innermost = App::empty("z").add_tool(nothing("c")).add_tool(nothing("d"));
        let inner = App::empty("y").add_tool(nothing("a")).add_tool(nothing("b")).add_resource(reads("s://x"));
        // It knows them by the names that clients know.
        let hidden = ["in_b", "in_deep_c", "s://in/x"];
        let app = App::empty("x").mount("in", inner.mount("deep", innermost)).visible(move |component, _| {
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

#[test]
fn an_app_says_that_lists_change_if_only_an_inner_one_has_a_handle() {
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
fn values_in_templates_of_closures_lead_nowhere_else() {
    run(async {
        let free = reads("free://{+path}").allow_traversal("path");
        let client =
            App::empty("x").add_resource(reads("kept://{+path}")).add_resource(free).test_client().await.unwrap();
        client.read("kept://a/b").await.unwrap();
        for path in ["../b", "a/%2e%2e/b", "/etc/passwd", "a%00"] {
            client.read(&format!("kept://{path}")).await.expect_err(path);
            client.read(&format!("free://{path}")).await.unwrap();
        }
    });
}

#[test]
fn tags_need_their_place_in_the_meta() {
    let text = App::empty("x").add_tool(nothing("t").tag("a").meta("fastmcp", 1)).check().unwrap_err().to_string();
    assert!(text.contains("`fastmcp` of its `_meta` must be an object"), "{text}");
}
