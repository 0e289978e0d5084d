//! Structured results that are not objects, wrapped for clients of 2026-07-28 that accept only objects.

use fastmcp_rs::Revision;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::run;

#[mcp::model]
struct Sum {
    sum: i64,
}

/// Lists.
#[mcp::tool]
async fn list() -> Vec<Sum> {
    vec![Sum { sum: 3 }]
}

/// Finds nothing.
#[mcp::tool]
async fn none() -> Result<Option<Sum>, ToolError> {
    Ok(None)
}

/// Counts, from another thread.
#[mcp::tool]
fn count() -> u32 {
    3
}

/// Adds.
#[mcp::tool]
async fn add() -> Sum {
    Sum { sum: 3 }
}

/// Gives a list that it composes.
#[mcp::tool]
async fn composed() -> ToolResult {
    ToolResult::from(json!([1]))
}

/// Lists, whatever the app says.
#[mcp::tool(wrapped = false)]
async fn bare() -> Vec<Sum> {
    vec![Sum { sum: 3 }]
}

/// Lists inside of an object, whatever the app says.
#[mcp::tool(wrapped)]
async fn wrapped() -> Vec<Sum> {
    vec![Sum { sum: 3 }]
}

/// Reads what another tool gives.
#[mcp::tool]
async fn read(tool: &str, ctx: &Context) -> Result<String, ToolError> {
    let result = ctx.call_tool(tool, json!({})).await?;
    Ok(result.structured_content().map(Value::to_string).unwrap_or_default())
}

fn app() -> App {
    let dynamic = || {
        let schema = json!({"type": "object"});
        let tool = |name| {
            DynamicTool::new(name, schema.clone(), |_, _| async { Ok::<_, ToolError>(ToolResult::from(json!([1]))) })
        };
        [tool("dynamic").output_schema(json!({"type": "array"})), tool("dynamic_wrapped").wrapped(true)]
    };
    let app = App::empty("wrapped").tool::<list>().tool::<none>().tool::<count>().tool::<add>().tool::<composed>();
    let app = app.tool::<bare>().tool::<wrapped>().tool::<read>();
    dynamic().into_iter().fold(app, App::add_tool)
}

/// A tool's result, and its output schema.
fn call(app: App, revision: Revision, tool: &str, arguments: Value) -> (Value, Value) {
    run(async {
        let client = app.test_client().revision(revision).await.expect("the app is valid");
        let result = client.call(tool, arguments).await.expect("it is answered").json().clone();
        let tools = client.list_tools().await.expect("they are listed");
        let listed = tools.into_iter().find(|listed| listed["name"] == tool).expect("it is there");
        (result, listed["outputSchema"].clone())
    })
}

fn assert_is_wrapped(app: impl Fn() -> App, tool: &str, inside: &Value) {
    // As the clients of the revision before get it.
    let (old, old_schema) = call(app(), Revision::V2025_11_25, tool, json!({}));
    let (result, schema) = call(app(), Revision::V2026_07_28, tool, json!({}));
    let content = json!({ "result": inside });
    for result in [&old, &result] {
        assert_eq!(result["structuredContent"], content, "{tool}");
        assert_eq!(result["content"], json!([{"type": "text", "text": content.to_string()}]), "{tool}");
        assert_eq!(result["_meta"]["fastmcp"]["wrap_result"], true, "{tool}");
    }
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object(), "{result}");
    assert_eq!(schema, old_schema, "{tool}");
}

#[test]
fn non_objects_are_wrapped_in_every_revision_if_configured() {
    for (tool, inside) in [
        ("list", json!([{"sum": 3}])),
        ("none", json!(null)),
        ("count", json!(3)),
        ("composed", json!([1])),
        ("dynamic", json!([1])),
    ] {
        assert_is_wrapped(|| app().wrapped_results(true), tool, &inside);
    }
    assert_is_wrapped(app, "wrapped", &json!([{"sum": 3}]));
    assert_is_wrapped(app, "dynamic_wrapped", &json!([1]));
}

#[test]
fn objects_are_never_wrapped_and_other_results_only_if_configured() {
    let newest = Revision::V2026_07_28;
    let (sum, schema) = call(app().wrapped_results(true), newest, "add", json!({}));
    assert_eq!((&sum["structuredContent"], &schema["required"]), (&json!({"sum": 3}), &json!(["sum"])));
    let (listed, schema) = call(app().wrapped_results(true), newest, "bare", json!({}));
    assert_eq!((&listed["structuredContent"], &schema["type"]), (&json!([{"sum": 3}]), &json!("array")));
    for (tool, bare) in [("list", json!([{"sum": 3}])), ("none", json!(null)), ("dynamic", json!([1]))] {
        let (result, _) = call(app(), newest, tool, json!({}));
        assert_eq!(result.get("structuredContent"), Some(&bare), "{tool}");
        assert_eq!(result["_meta"].get("fastmcp"), None, "{tool}");
    }
}

#[test]
fn another_tool_gets_a_result_without_its_wrapper() {
    for tool in ["list", "wrapped"] {
        let (result, _) = call(app().wrapped_results(true), Revision::V2026_07_28, "read", json!({"tool": tool}));
        assert_eq!(result["content"][0]["text"], r#"[{"sum":3}]"#, "{tool}");
    }
}
