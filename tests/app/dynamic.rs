//! Dynamic components, and handles that add, remove and disable components, in every revision.

use std::time::{Duration, Instant};

use fastmcp_rs::content::{Annotations, Role};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{SubscriptionFilter, TestClient};
use fastmcp_rs::visibility::Selector;
use fastmcp_rs::{Icon, IconTheme};
use serde_json::{Map, Value, json};

use super::validated_client::validated;
use super::{run, shop};
use crate::support::{Folder, Revision, schema};

/// A tool that echoes its arguments as structured content.
fn echo(name: &str, schema: Value) -> DynamicTool {
    DynamicTool::new(name, schema, |arguments: Map<String, Value>, _ctx: Context| async move {
        Ok::<_, ToolError>(ToolResult::from(Value::from(arguments)))
    })
}

fn nothing(name: &str) -> DynamicTool {
    echo(name, json!({"type": "object"}))
}

async fn connect(app: App, revision: Revision) -> TestClient {
    validated(app.test_client(), revision).await.expect("the app is valid")
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

fn problems(app: App) -> String {
    app.check().unwrap_err().to_string()
}

#[test]
fn a_tool_can_be_a_schema_and_a_closure_in_every_revision() {
    // Members in an unusual order, and keywords that the library does not know.
    let given = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$anchor": "top",
        "required": ["kind"],
        "properties": {
            "size": {"$ref": "#/$defs/Size"},
            "kind": {"enum": ["box", "bag"]},
            "region": {"type": "string", "x-mcp-header": "Region"}
        },
        "if": {"properties": {"kind": {"const": "box"}}},
        "then": {"required": ["size"]},
        "else": {},
        "$defs": {"Size": {"type": "integer", "exclusiveMinimum": 0}},
        "x-mine": [1, {"b": 1, "a": 2}]
    });
    let pack = || {
        echo("pack", given.clone())
            .title("Pack")
            .description("Packs something.")
            .read_only(false)
            .destructive(false)
            .idempotent(true)
            .open_world(false)
            .tag("shipping")
            .icon(Icon::new("https://example.com/pack.png").mime_type("image/png").size("48x48").theme(IconTheme::Dark))
            .meta("com.example/cost", 3)
            .output_schema(json!({"type": "object", "required": ["kind"]}))
    };
    for revision in Revision::ALL {
        run(async {
            // The author's schema may have keywords that this revision does not name, which the checked client
            // takes for ours.
            let spoken = fastmcp_rs::Revision::parse(revision.name()).unwrap();
            let client = App::empty("x").add_tool(pack()).test_client().revision(spoken).await.unwrap();
            let tools = client.list_tools().await.unwrap();
            let mut result = json!({"tools": tools});
            if revision.is_modern() {
                result["resultType"] = "complete".into();
                result["ttlMs"] = 0.into();
                result["cacheScope"] = "private".into();
            }
            assert_eq!(schema::check(revision, "ListToolsResult", &result), Ok(()));
            let tool = &tools[0];
            assert_eq!(tool["inputSchema"].to_string(), given.to_string(), "as it was given, for {revision}");
            assert_eq!(tool["description"], "Packs something.");
            if revision >= Revision::V2025_03_26 {
                let hints = json!({"title": "Pack", "readOnlyHint": false, "destructiveHint": false,
                    "idempotentHint": true, "openWorldHint": false});
                assert_eq!(tool["annotations"], hints);
            }
            if revision >= Revision::V2025_06_18 {
                assert_eq!(tool["title"], "Pack");
                assert_eq!(tool["_meta"], json!({"com.example/cost": 3, "fastmcp": {"tags": ["shipping"]}}));
                assert_eq!(tool["outputSchema"], json!({"type": "object", "required": ["kind"]}));
            }
            if revision >= Revision::V2025_11_25 {
                let icon = json!({"src": "https://example.com/pack.png", "mimeType": "image/png",
                    "sizes": ["48x48"], "theme": "dark"});
                assert_eq!(tool["icons"], json!([icon]));
            }
            let reply = client.call("pack", json!({"kind": "bag", "size": 2})).await.unwrap();
            assert!(!reply.is_error());
            assert_eq!(serde_json::from_str::<Value>(&reply.text()).unwrap(), json!({"kind": "bag", "size": 2}));
            if revision >= Revision::V2025_06_18 {
                assert_eq!(reply.json()["structuredContent"], json!({"kind": "bag", "size": 2}));
            }
        });
    }
}

#[test]
fn arguments_are_checked_against_the_schema_and_coerced() {
    let schema = json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1},
            "tags": {"type": "array", "items": {"type": "string"}},
            "ratio": {"type": "number", "exclusiveMaximum": 1}
        },
        "required": ["count"],
        "additionalProperties": false
    });
    run(async {
        let client = connect(App::empty("x").add_tool(echo("take", schema)), Revision::NEWEST).await;
        let refused = client.call("take", json!({"count": 0, "tags": "x", "ratio": 1, "cuont": 1})).await.unwrap();
        assert!(refused.is_error());
        let text = refused.text();
        assert!(text.starts_with("Invalid arguments for `take`:"), "{text}");
        for part in
            ["`/count`: expected an integer of at least 1", "`/tags`: expected a list", "less than 1", "`/cuont`"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let refused = client.call("take", json!({})).await.unwrap();
        assert!(refused.text().contains("`/count`: missing"), "{}", refused.text());
        let taken = client.call("take", json!({"count": "2", "tags": "[\"a\"]", "ratio": null})).await.unwrap();
        assert_eq!(taken.json()["structuredContent"], json!({"count": 2, "tags": ["a"]}));

        let many = client.call("take", json!({"count": 1, "tags": vec!["x"; 100_000]})).await.unwrap();
        assert!(many.is_error() && many.text().contains("too many values"), "{}", many.text());
    });
}

#[test]
fn a_duplicate_argument_of_a_dynamic_tool_is_refused() {
    run(async {
        let mut wire = App::empty("x").add_tool(nothing("take")).connect().await.unwrap();
        let request = Revision::NEWEST.request(1, "tools/call", json!({"name": "take", "arguments": {"a": 1}}));
        wire.send(request.replace(r#""a":1"#, r#""a":1,"a":2"#));
        let answer: Value = serde_json::from_str(&wire.receive().await).unwrap();
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("`a` is given twice"), "{text}");
    });
}

#[test]
fn a_result_that_breaks_its_own_schema_is_not_sent() {
    let wrong = |result: ToolResult| {
        DynamicTool::new("wrong", json!({"type": "object"}), move |_, _| {
            let result = result.clone();
            async move { Ok::<_, ToolError>(result) }
        })
        .output_schema(json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}))
    };
    run(async {
        for result in
            [ToolResult::from(json!({"n": "secret"})), ToolResult::from(json!({})), ToolResult::text("secret")]
        {
            let client = connect(App::empty("x").add_tool(wrong(result)), Revision::NEWEST).await;
            let reply = client.call("wrong", json!({})).await.unwrap();
            assert!(
                reply.is_error() && reply.text().contains("Changing the arguments will not help"),
                "{}",
                reply.text()
            );
            assert!(!reply.json().to_string().contains("secret"));
        }
        for (result, is_error) in [(ToolResult::from(json!({"n": 1})), false), (ToolResult::error("no"), true)] {
            let client = connect(App::empty("x").add_tool(wrong(result)), Revision::NEWEST).await;
            assert_eq!(client.call("wrong", json!({})).await.unwrap().is_error(), is_error);
        }
    });
}

#[test]
fn dynamic_tools_have_the_errors_panics_and_timeouts_of_other_tools() {
    #[derive(Debug)]
    struct Secret;
    impl std::fmt::Display for Secret {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("secret")
        }
    }
    impl std::error::Error for Secret {}
    let schema = || json!({"type": "object"});
    let app = App::empty("x")
        .add_tool(DynamicTool::new("told", schema(), |_, _| async { Err::<String, _>(ToolError::new("use another")) }))
        .add_tool(DynamicTool::new("masked", schema(), |_, _| async { Err::<String, _>(Secret) }))
        .add_tool(DynamicTool::new("panics", schema(), |arguments, _| async move {
            Ok::<_, ToolError>(arguments["missing"].to_string())
        }))
        .add_tool(
            DynamicTool::new("slow", schema(), |_, ctx: Context| async move {
                ctx.progress(1.0, 2.0, "half");
                std::future::pending::<()>().await;
                Ok::<_, ToolError>(())
            })
            .timeout(Duration::from_millis(20)),
        );
    run(async {
        let client = connect(app, Revision::NEWEST).await;
        assert_eq!(client.call("told", json!({})).await.unwrap().text(), "use another");
        for name in ["masked", "panics"] {
            let reply = client.call(name, json!({})).await.unwrap();
            assert!(
                reply.is_error() && reply.text().contains("Changing the arguments will not help"),
                "{}",
                reply.text()
            );
        }
        let reply = client.call("slow", json!({})).progress_token("p").await.unwrap();
        assert!(reply.text().contains("timed out"), "{}", reply.text());
        assert_eq!(client.notifications().len(), 1);
    });
}

#[test]
fn resources_can_be_closures_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let hints = Annotations::new().audience([Role::User]).priority(0.5).last_modified("2026-01-01T00:00:00Z");
            let plain = DynamicResource::new("config://app", |variables, _| async move {
                assert!(variables.is_empty());
                Ok::<_, ToolError>("verbose = true")
            });
            let plain = plain
                .name("config")
                .title("Settings")
                .description("The settings.")
                .mime_type("application/toml")
                .size(14)
                .annotations(hints);
            let rows = DynamicResource::new("tables://{table}/rows{?limit}", |variables, _ctx| async move {
                if variables["table"] != "orders" {
                    return Ok(None);
                }
                let text = format!("{} rows", variables.get("limit").map_or("all", String::as_str));
                Ok::<_, ToolError>(Some(text))
            });
            let app = App::empty("x").add_resource(plain).add_resource(rows.ttl(Duration::from_secs(300)));
            let client = connect(app, revision).await;
            let listed = client.list_resources().await.unwrap();
            let entry = &listed[0];
            assert_eq!((&entry["uri"], &entry["name"]), (&json!("config://app"), &json!("config")));
            assert_eq!((&entry["mimeType"], &entry["size"]), (&json!("application/toml"), &json!(14)));
            assert_eq!(entry["annotations"]["audience"], json!(["user"]));
            let templates = client.list_resource_templates().await.unwrap();
            assert_eq!(templates[0]["uriTemplate"], "tables://{table}/rows{?limit}");
            assert_eq!(templates[0]["name"], "tables://{table}/rows{?limit}");
            assert_eq!(templates[0]["mimeType"], "text/plain");

            let read = client.read("config://app").await.unwrap();
            assert_eq!(read.text(), "verbose = true");
            let read = client.read("tables://orders/rows?limit=3").await.unwrap();
            assert_eq!(read.text(), "3 rows");
            if revision.is_modern() {
                assert_eq!(read.json()["ttlMs"], 300_000);
                assert_eq!(read.json()["cacheScope"], "private");
                assert_eq!(client.read("config://app").await.unwrap().json()["ttlMs"], 0);
            }
            assert_eq!(client.read("tables://orders/rows").await.unwrap().text(), "all rows");
            let missing = if revision.is_modern() { -32602 } else { -32002 };
            assert_eq!(client.read("tables://x/rows").await.unwrap_err().code(), missing);
            assert_eq!(client.read("tables://..%2Fx/rows").await.unwrap_err().code(), missing, "it leads elsewhere");
        });
    }
}

#[test]
fn resources_can_be_files_in_every_revision() {
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.md"), "# A").unwrap();
    std::fs::write(path("b.bin"), b"\xff\xfe").unwrap();
    for revision in Revision::ALL {
        run(async {
            let app = App::empty("x")
                .add_resource(DynamicResource::from_file("files://a", path("a.md")))
                .add_resource(DynamicResource::from_file("files://b", path("b.bin")).name("bytes"))
                .add_resource(DynamicResource::from_file("files://c", path("missing.md")))
                .add_resource(DynamicResource::from_file("files://d", folder.path()));
            let client = connect(app, revision).await;
            let listed = client.list_resources().await.unwrap();
            assert_eq!((&listed[0]["name"], &listed[0]["mimeType"]), (&json!("a.md"), &json!("text/markdown")));
            assert_eq!((&listed[1]["name"], listed[1].get("mimeType")), (&json!("bytes"), None));

            let text = client.read("files://a").await.unwrap();
            let contents = json!([{"uri": "files://a", "mimeType": "text/markdown", "text": "# A"}]);
            assert_eq!(text.json()["contents"], contents);
            let bytes = client.read("files://b").await.unwrap();
            let contents = json!([{"uri": "files://b", "mimeType": "application/octet-stream", "blob": "//4="}]);
            assert_eq!(bytes.json()["contents"], contents);
            let missing = if revision.is_modern() { -32602 } else { -32002 };
            assert_eq!(client.read("files://c").await.unwrap_err().code(), missing);
            let unreadable = client.read("files://d").await.unwrap_err();
            assert_eq!(unreadable.code(), -32603);
            assert!(!unreadable.message().contains(folder.path().to_str().unwrap()), "{}", unreadable.message());
        });
    }
}

#[test]
fn prompts_can_be_closures_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let prompt = DynamicPrompt::new("explain", |arguments, _| async move {
                let style = arguments.get("style").map_or("plain", String::as_str);
                let first = Message::user(format!("Explain {} in a {style} style.", arguments["topic"]));
                Ok::<_, ToolError>(vec![first, Message::assistant("Well.")])
            });
            let prompt = prompt.description("Explains.").argument("topic", "What.").optional_argument("style", "");
            let client = connect(App::empty("x").add_prompt(prompt), revision).await;
            let prompts = client.list_prompts().await.unwrap();
            let arguments = json!([{"name": "topic", "description": "What.", "required": true}, {"name": "style"}]);
            assert_eq!(prompts[0]["arguments"], arguments);
            let got = client.get_prompt("explain", json!({"topic": "1"})).await.unwrap();
            assert_eq!(got.messages().len(), 2);
            assert_eq!(got.messages()[0]["content"]["text"], "Explain 1 in a plain style.");
            let missing = client.get_prompt("explain", json!({"style": "odd"})).await.unwrap_err();
            assert_eq!(missing.code(), -32602);
            assert!(missing.message().contains("topic"), "{}", missing.message());
            let unknown = client.get_prompt("explain", json!({"topic": "x", "tpic": "y"})).await.unwrap_err();
            assert!(unknown.message().contains("`/tpic`"), "{}", unknown.message());
        });
    }
}

#[test]
fn an_unservable_component_is_an_error_with_its_fix() {
    for (schema, part) in [
        (json!(null), "`\"type\": \"object\"`"),
        (json!(true), "it is not an object"),
        (json!({}), "it has no `type`"),
        (json!({"type": "string"}), "its `type` is \"string\""),
        (json!({"type": ["object"]}), "its `type` is [\"object\"]"),
        (json!({"type": "object", "properties": []}), "`properties` of the input schema must be an object"),
        (json!({"type": "object", "required": ["a", 1]}), "`required` of the input schema must be a list of names"),
        (json!({"type": "object", "properties": {"a": {"items": {"x-mcp-header": "A"}}}}), "has no effect here"),
    ] {
        let text = problems(App::empty("x").add_tool(echo("t", schema)));
        assert!(text.contains("tool `t` (") && text.contains("dynamic.rs") && text.contains(part), "{part} in {text}");
    }
    for (name, part) in [("", "is empty"), ("a b", "' '"), ("é", "'é'"), (&"x".repeat(129), "at most 128")] {
        let text = problems(App::empty("x").add_tool(nothing(name)));
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = problems(App::empty("x").add_tool(nothing("t").output_schema(json!("x"))));
    assert!(text.contains("output schema must be a JSON object"), "{text}");
    let icon = Icon::new("file:///x.png").size("big");
    let text = problems(App::empty("x").add_tool(nothing("t").icon(icon)));
    assert!(text.contains("`https:`") && text.contains("`big` is not the size of an icon"), "{text}");
    let resource = |uri: &str| DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("x") });
    for (made, part) in [
        (resource("nowhere"), "has no scheme"),
        (resource("a://{x"), "is not closed"),
        (resource("a://{x}").size(3), "has no size"),
        (resource("a://{x}").allow_traversal("y"), "not a variable"),
    ] {
        let text = problems(App::empty("x").add_resource(made));
        assert!(text.contains(part), "{part} in {text}");
    }
    let prompt = DynamicPrompt::new("p", |_, _| async { Ok::<_, ToolError>("x") }).argument("a", "").argument("a", "");
    let text = problems(App::empty("x").add_prompt(prompt));
    assert!(text.contains("two arguments are named `a`"), "{text}");
}

#[test]
fn templates_that_differ_only_in_names_are_duplicates() {
    let resource = |uri: &str| DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("x") });
    let app = App::empty("x").add_resource(resource("a://{x}/b")).add_resource(resource("a://{y}/b"));
    let text = problems(app);
    assert!(text.contains("two resources are at `a://{y}/b`"), "{text}");
    assert_eq!(text.matches("dynamic.rs:").count(), 4, "where both were made and added, in {text}");
    App::empty("x").add_resource(resource("a://{x}")).add_resource(resource("a://{+x}")).check().unwrap();
}

fn reads(uri: &str) -> DynamicResource {
    DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("read") })
}

#[test]
fn dynamic_templates_refuse_path_traversal() {
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

mod defaults {
    use fastmcp_rs::prelude::*;

    #[mcp::model]
    pub struct Window {
        /// A rule that its default breaks, which only the type knows.
        #[arg(default = "wide")]
        pub size: Size,
    }

    // With `#[mcp::model]`, such a default is a compile error.
    #[derive(Debug, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
    pub enum Size {
        Small,
        Large,
    }

    /// Opens a window.
    #[mcp::tool]
    pub fn open(window: Window) -> String {
        format!("{:?}", window.size)
    }
}

#[test]
fn a_default_that_does_not_fit_is_a_problem_and_not_a_panic() {
    let text = problems(App::empty("x").tool::<defaults::open>().add_tool(nothing("")));
    assert!(text.contains("tool `open` ("), "{text}");
    assert!(text.contains("its description panicked: the default \"wide\" does not fit its field"), "{text}");
    assert!(text.contains("is empty"), "the other problems are reported too: {text}");
}

async fn listed(client: &TestClient) -> Vec<String> {
    names(&client.list_tools().await.unwrap()).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_handle_changes_the_components_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let app = App::empty("x");
            let handle = app.handle();
            handle.add_tool(nothing("before")).unwrap();
            let client = connect(app.state(shop::Stock(3)), revision).await;
            let capabilities = client.discover().await.unwrap()["capabilities"].take();
            for kind in ["tools", "resources", "prompts"] {
                assert_eq!(capabilities[kind]["listChanged"], true, "{kind} in {capabilities}");
            }
            assert!(client.list_resources().await.unwrap().is_empty(), "offered while there are none");
            assert!(client.list_prompts().await.unwrap().is_empty());

            handle.add_tool(nothing("c")).unwrap();
            handle.add_tool(nothing("a")).unwrap();
            handle.tool::<shop::stock_left>().unwrap();
            assert_eq!(listed(&client).await, ["a", "before", "c", "stock_left"]);
            assert!(client.call("stock_left", json!({})).await.unwrap().text().contains('3'));
            assert!(handle.remove_tool("c"));
            assert!(!handle.remove_tool("c"));
            assert_eq!(listed(&client).await, ["a", "before", "stock_left"]);
            let unknown = client.call("c", json!({})).await.unwrap_err();
            assert_eq!(unknown.code(), -32602);

            let resource = DynamicResource::new("a://{x}", |_, _| async { Ok::<_, ToolError>("x") });
            handle.add_resource(resource).unwrap();
            assert_eq!(client.read("a://1").await.unwrap().text(), "x");
            assert!(handle.remove_resource("a://{any_name}"));
            assert!(client.read("a://1").await.is_err());
            handle.add_prompt(DynamicPrompt::new("p", |_, _| async { Ok::<_, ToolError>("x") })).unwrap();
            assert_eq!(client.get_prompt("p", json!({})).await.unwrap().text(), "x");
            assert!(handle.remove_prompt("p"));
            assert!(client.get_prompt("p", json!({})).await.is_err());
        });
    }
}

#[test]
fn without_a_handle_list_changes_are_not_declared() {
    run(async {
        let client = connect(App::empty("x").add_tool(nothing("a")), Revision::NEWEST).await;
        let capabilities = client.discover().await.unwrap()["capabilities"].take();
        assert_eq!(capabilities["tools"], json!({}));
        assert!(capabilities.get("resources").is_none() && capabilities.get("prompts").is_none(), "{capabilities}");
    });
}

#[test]
fn a_handle_refuses_unservable_components() {
    run(async {
        let app = App::empty("x").add_tool(nothing("a"));
        let handle = app.handle();
        let text = handle.add_tool(nothing("a")).unwrap_err().to_string();
        assert!(text.contains("two tools are named `a`"), "{text}");
        // One helper created both, so the places where they were added distinguish them.
        let mut places: Vec<&str> = text.split("added at ").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        places.dedup();
        assert_eq!(places.len(), 2, "both places, in {text}");
        assert!(places.iter().all(|place| place.contains("dynamic.rs:")), "{text}");
        assert!(text.contains("`AppHandle::remove_tool`"), "{text}");
        let client = connect(app, Revision::NEWEST).await;
        let text = handle.add_tool(nothing("a")).unwrap_err().to_string();
        assert!(text.contains("two tools are named `a`"), "{text}");
        let text = handle.tool::<shop::stock_left>().unwrap_err().to_string();
        assert!(text.contains("Stock") && text.contains("`stock_left` needs"), "{text}");
        let text = handle.add_tool(echo("b", json!({}))).unwrap_err().to_string();
        assert!(text.contains("\"type\": \"object\""), "{text}");
        assert_eq!(listed(&client).await, ["a"], "nothing of it was added");
    });
}

#[test]
fn a_missing_state_of_a_dynamic_tool_is_reported_at_start() {
    let app = App::empty("x");
    app.handle().tool::<shop::stock_left>().unwrap();
    let text = problems(app);
    assert!(text.contains("Stock") && text.contains("`stock_left` needs"), "{text}");
}

#[test]
fn a_disabled_component_is_reported_as_unknown() {
    run(async {
        let resource = |uri: &str| DynamicResource::new(uri, |_, _| async { Ok::<_, ToolError>("x") });
        let prompt = |name: &str| DynamicPrompt::new(name, |_, _| async { Ok::<_, ToolError>("x") });
        let app = App::empty("x")
            .add_tool(nothing("lookup").tag("public"))
            .add_tool(nothing("delete_all").tag("admin"))
            .add_resource(resource("secret://x").tag("admin"))
            .add_resource(resource("secret://{y}/z").tag("admin"))
            .add_prompt(prompt("delete_most").tag("admin"));
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        handle.disable(Selector::tag("admin"));
        assert_eq!(listed(&client).await, ["lookup"]);
        assert!(client.list_resources().await.unwrap().is_empty());
        assert!(client.list_resource_templates().await.unwrap().is_empty());
        assert!(client.list_prompts().await.unwrap().is_empty());
        let hidden = client.call("delete_all", json!({})).await.unwrap_err();
        assert_eq!(hidden.message(), "Unknown tool: delete_all");
        assert_eq!(client.call("delete_al", json!({})).await.unwrap_err().message(), "Unknown tool: delete_al");
        assert_eq!(client.read("secret://x").await.unwrap_err().message(), "Resource not found");
        assert_eq!(client.read("secret://y/z").await.unwrap_err().message(), "Resource not found");
        assert_eq!(
            client.get_prompt("delete_most", json!({})).await.unwrap_err().message(),
            "Unknown prompt: delete_most"
        );

        // Rules apply to components that are added later, and the newest rule wins.
        handle.add_tool(nothing("drop").tag("admin")).unwrap();
        handle.add_tool(nothing("keep").tag("admin")).unwrap();
        handle.enable(Selector::tool("keep"));
        assert_eq!(listed(&client).await, ["keep", "lookup"]);
        handle.disable(Selector::tag("admin"));
        assert_eq!(listed(&client).await, ["lookup"]);
        handle.enable(Selector::tag("admin"));
        handle.disable(Selector::resource("secret://{other}/z"));
        assert_eq!(listed(&client).await, ["delete_all", "drop", "keep", "lookup"]);
        assert!(client.list_resource_templates().await.unwrap().is_empty());
        assert_eq!(client.list_resources().await.unwrap().len(), 1);
        // A disabled component keeps its name.
        handle.disable(Selector::tool("drop"));
        assert!(handle.add_tool(nothing("drop")).is_err());
        assert!(handle.remove_tool("drop"));
        handle.add_tool(nothing("drop")).unwrap();
        assert!(listed(&client).await.contains(&"drop".to_owned()), "its rule went with it");
    });
}

#[test]
fn clients_are_notified_only_of_changed_lists() {
    run(async {
        let app = App::empty("x").add_tool(nothing("a").tag("t"));
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        let filter =
            SubscriptionFilter::new().tools_list_changed(true).resources_list_changed(true).prompts_list_changed(true);
        let mut subscription = client.listen(filter).await.unwrap();
        handle.add_tool(nothing("b")).unwrap();
        let told = subscription.next().await.unwrap();
        assert_eq!(told.method, "notifications/tools/list_changed");
        let resource = DynamicResource::new("a://b", |_, _| async { Ok::<_, ToolError>("x") });
        handle.add_resource(resource.tag("t")).unwrap();
        assert_eq!(subscription.next().await.unwrap().method, "notifications/resources/list_changed");

        // None of these changes a list.
        handle.enable(Selector::tag("t"));
        handle.disable(Selector::tool("nobody"));
        handle.remove_tool("nobody");
        handle.disable(Selector::prompt("p"));
        handle.add_prompt(DynamicPrompt::new("p", |_, _| async { Ok::<_, ToolError>("x") })).unwrap();
        handle.remove_prompt("p");
        handle.add_tool(nothing("a")).unwrap_err();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(subscription.try_next().is_none());

        handle.disable(Selector::tag("t"));
        let mut methods = [subscription.next().await.unwrap().method, subscription.next().await.unwrap().method];
        methods.sort();
        assert_eq!(methods, ["notifications/resources/list_changed", "notifications/tools/list_changed"]);
        assert_eq!(listed(&client).await, ["b"], "who is told sees the change");

        handle.enable(Selector::tag("t"));
        let mut subscription = client.listen(SubscriptionFilter::new().resource("a://b")).await.unwrap();
        handle.notify_resource_updated("a://b");
        let told = subscription.next().await.unwrap();
        assert_eq!((told.method.as_str(), &told.params["uri"]), ("notifications/resources/updated", &json!("a://b")));
    });
}

#[test]
fn sessions_are_notified_without_a_subscription() {
    for revision in Revision::LEGACY {
        run(async {
            let app = App::empty("x");
            let handle = app.handle();
            let client = connect(app, revision).await;
            handle.add_tool(nothing("a")).unwrap();
            assert_eq!(client.next_notification().await.method, "notifications/tools/list_changed");
        });
    }
}

#[test]
fn a_running_call_continues_when_its_tool_is_removed() {
    run(async {
        let app = App::empty("x").add_tool(DynamicTool::new("slow", json!({"type": "object"}), |_, _| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok::<_, ToolError>("done")
        }));
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        let call = tokio::spawn(client.call("slow", json!({})).into_future());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(handle.remove_tool("slow"));
        assert!(client.call("slow", json!({})).await.is_err());
        assert_eq!(call.await.unwrap().unwrap().text(), "done");
    });
}

#[test]
fn a_handle_is_used_by_many_threads_at_once() {
    run(async {
        let app = App::empty("x");
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let handle = handle.clone();
                std::thread::spawn(move || {
                    // Each name is taken once, whichever thread comes first.
                    (0..50)
                        .filter(|tool| handle.add_tool(nothing(&format!("t{:02}", (tool + thread) % 50))).is_ok())
                        .count()
                })
            })
            .collect();
        let mut last = 0;
        while threads.iter().any(|thread| !thread.is_finished()) {
            let tools = listed(&client).await;
            assert!(tools.is_sorted() && tools.len() >= last);
            last = tools.len();
        }
        let added: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(added, 50);
        assert_eq!(listed(&client).await.len(), 50);
    });
}

#[test]
fn ten_thousand_tools_are_added_one_by_one() {
    run(async {
        let app = App::empty("x");
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        let start = Instant::now();
        for number in 0..10_000 {
            handle.add_tool(nothing(&format!("tool_{number:05}"))).unwrap();
        }
        handle.disable(Selector::tool("tool_00007"));
        let took = start.elapsed();
        // Tests are not optimised; a quadratic time would be minutes.
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(client.list_tools().await.unwrap().len(), 9_999);
        assert!(client.call("tool_09999", json!({})).await.is_ok());
        assert!(client.call("tool_00007", json!({})).await.is_err());
    });
}

/// Uses a handle in its destructor, or panics there.
struct Comeback {
    handle: fastmcp_rs::AppHandle,
    panics: bool,
}

impl Drop for Comeback {
    fn drop(&mut self) {
        self.handle.remove_tool("other");
        assert!(!self.panics, "on purpose");
    }
}

#[test]
fn the_destructor_of_a_tool_may_use_the_handle_or_panic() {
    run(async {
        let app = App::empty("x");
        let handle = app.handle();
        let held = |name: &str, panics: bool| {
            let comeback = Comeback { handle: handle.clone(), panics };
            DynamicTool::new(name, json!({"type": "object"}), move |_, _| {
                let comeback = &comeback;
                let panics = comeback.panics;
                async move { Ok::<_, ToolError>(panics) }
            })
        };
        let client = connect(app, Revision::NEWEST).await;
        for panics in [false, true] {
            handle.add_tool(nothing("other")).unwrap();
            handle.add_tool(held("held", panics)).unwrap();
            assert_eq!(client.call("held", json!({})).await.unwrap().text(), panics.to_string());
            // A refused component is dropped at once.
            handle.add_tool(held("held", panics)).unwrap_err();
            assert_eq!(listed(&client).await, ["held"]);
            assert!(handle.remove_tool("held"));
            assert!(listed(&client).await.is_empty());
        }
    });
}

#[test]
fn a_rule_for_a_removed_component_does_not_apply_to_its_successor() {
    run(async {
        let inner = App::empty("y").add_tool(nothing("a"));
        let inner_handle = inner.handle();
        let app = App::empty("x").add_tool(nothing("a")).mount("in", inner);
        let handle = app.handle();
        let client = connect(app, Revision::NEWEST).await;
        let listed = async || names(&client.list_tools().await.unwrap()).join(" ");

        // By the app's own handle, by that of the mounted app, and by the outer one for the mounted app's component,
        // whichever of them has the rule.
        for (key, rule, remover, adder, name) in [
            ("a", (&handle, "a"), (&handle, "a"), &handle, "a"),
            ("in_a", (&handle, "in_a"), (&handle, "in_a"), &inner_handle, "a"),
            ("in_a", (&inner_handle, "a"), (&handle, "in_a"), &inner_handle, "a"),
            ("in_a", (&handle, "in_a"), (&inner_handle, "a"), &inner_handle, "a"),
            ("in_a", (&inner_handle, "a"), (&inner_handle, "a"), &inner_handle, "a"),
        ] {
            assert_eq!(listed().await, "a in_a");
            rule.0.disable(Selector::tool(rule.1));
            assert!(!listed().await.split(' ').any(|name| name == key), "{key}");
            assert!(remover.0.remove_tool(remover.1));
            adder.add_tool(nothing(name)).unwrap();
            assert_eq!(listed().await, "a in_a", "{key}");
        }

        // A rule for a tag concerns what is added later, and one that enables a component ends with it, too.
        handle.disable(Selector::tag("t"));
        handle.add_tool(nothing("b").tag("t")).unwrap();
        handle.enable(Selector::tool("b"));
        assert_eq!(listed().await, "a b in_a");
        handle.remove_tool("b");
        handle.add_tool(nothing("b").tag("t")).unwrap();
        assert_eq!(listed().await, "a in_a");

        // Templates and resources, prompts: the rule of another list stays.
        let template = || DynamicResource::new("a://{x}", |_, _| async { Ok::<_, ToolError>("x") });
        let prompt = || DynamicPrompt::new("p", |_, _| async { Ok::<_, ToolError>("x") });
        handle.disable(Selector::prompt("p"));
        handle.add_prompt(prompt()).unwrap();
        handle.add_resource(template()).unwrap();
        handle.disable(Selector::resource("a://{other}"));
        assert!(client.read("a://1").await.is_err());
        assert!(handle.remove_resource("a://{x}"));
        handle.add_resource(template()).unwrap();
        assert_eq!(client.read("a://1").await.unwrap().text(), "x");
        assert!(client.get_prompt("p", json!({})).await.is_err(), "a rule may come before its component");
        assert!(handle.remove_prompt("p"));
        handle.add_prompt(prompt()).unwrap();
        assert_eq!(client.get_prompt("p", json!({})).await.unwrap().text(), "x");
    });
}
