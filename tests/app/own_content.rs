//! Structured content with a text of the author's, output schemas of composed results, and the parts that are sent.

use fastmcp_rs::content::ResultContent;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::TestClient;
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support::Revision;

#[mcp::model]
#[derive(Clone)]
struct Weather {
    celsius: f64,
    wind: u32,
}

fn weather() -> Weather {
    Weather { celsius: 21.5, wind: 12 }
}

/// Reports with a text.
#[mcp::tool]
async fn with_text() -> Structured<Weather> {
    Structured::new(weather()).text("21.5 °C, \"windy\"").meta("com.example/source", "x")
}

/// Reports a list with a text, which is wrapped for older clients.
#[mcp::tool]
fn list_with_text() -> Result<Structured<Vec<u16>>, ToolError> {
    Ok(Structured::new(vec![1, 2]).text("one and two"))
}

/// Reports with an image and a text.
#[mcp::tool]
async fn with_image() -> Structured<Weather> {
    Structured::new(weather()).content(Image::new([1], "image/png")).text("a chart")
}

/// Reports with a link alone.
#[mcp::tool]
async fn with_link() -> Structured<Weather> {
    Structured::new(weather()).content(ResourceLink::new("weather://bonn", "bonn"))
}

/// Reports without a text.
#[mcp::tool]
async fn without_text() -> Structured<Weather> {
    Structured::new(weather())
}

/// Reports perhaps.
#[mcp::tool]
async fn maybe(known: bool) -> Option<Structured<Weather>> {
    known.then(|| Structured::new(weather()).text("known"))
}

/// Borrows from the argument.
#[mcp::tool]
async fn borrowed(name: &str) -> Structured<Vec<&str>> {
    Structured::new(vec![name]).text(format!("only {name}"))
}

/// Returns no number.
#[mcp::tool]
async fn not_a_number() -> Structured<Vec<f64>> {
    Structured::new(vec![f64::NAN]).text("a number")
}

/// Composes its result.
#[mcp::tool(output_schema = Weather)]
async fn composed(kind: &str) -> Result<ToolResult, ToolError> {
    let result = ToolResult::text("21.5 °C").meta("com.example/source", "x");
    Ok(match kind {
        "fits" => result.structured(weather())?,
        "other" => result.structured(json!({"celsius": "warm", "wind": 12}))?,
        "missing" => result,
        _ => ToolResult::error("There is no weather."),
    })
}

/// Returns a plain value.
#[mcp::tool]
async fn plain() -> Weather {
    weather()
}

/// Returns a plain list.
#[mcp::tool]
async fn list() -> Vec<u16> {
    vec![1, 2]
}

/// Counts.
#[mcp::tool]
async fn count() -> u8 {
    3
}

/// Greets.
#[mcp::tool]
async fn greet() -> String {
    "hello".into()
}

/// Sends text alone.
#[mcp::tool(result_content = "text")]
async fn text_alone() -> Weather {
    weather()
}

/// Sends the value alone.
#[mcp::tool(result_content = "structured")]
async fn value_alone() -> Weather {
    weather()
}

/// Sends both.
#[mcp::tool(result_content = "both")]
async fn both() -> Weather {
    weather()
}

fn app() -> App {
    let schema = || json!({"type": "object"});
    let dynamic = DynamicTool::new("dynamic", schema(), |_, _| async {
        Ok::<_, ToolError>(Structured::new(weather()).text("dynamic text"))
    });
    let dynamic_value = DynamicTool::new("dynamic_value", schema(), |_, _| async {
        Ok::<_, ToolError>(ToolResult::from(json!({"a": 1})))
    })
    .output_schema(schema());
    let dynamic_text = DynamicTool::new("dynamic_text", schema(), |_, _| async { Ok::<_, ToolError>(7) })
        .result_content(ResultContent::Text);
    let app = App::empty("x").add_tool(dynamic).add_tool(dynamic_value).add_tool(dynamic_text);
    let app = app.tool::<with_text>().tool::<list_with_text>().tool::<with_image>().tool::<with_link>();
    let app = app.tool::<without_text>().tool::<maybe>().tool::<borrowed>().tool::<not_a_number>().tool::<composed>();
    let app = app.tool::<plain>().tool::<list>().tool::<count>().tool::<greet>();
    app.tool::<text_alone>().tool::<value_alone>().tool::<both>()
}

async fn connect(app: App, revision: Revision) -> TestClient {
    validated(app.test_client(), revision).await.expect("the app is valid")
}

/// Calls a tool and returns its result.
async fn call(client: &TestClient, tool: &str, arguments: Value) -> Value {
    client.call(tool, arguments).await.expect("it is answered").json().clone()
}

/// Returns the output schema of a tool, or `null`.
async fn schema(client: &TestClient, tool: &str) -> Value {
    let tools = client.list_tools().await.expect("they are listed");
    tools.iter().find(|listed| listed["name"] == tool).expect("it is there")["outputSchema"].clone()
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

fn value() -> Value {
    json!({"celsius": 21.5, "wind": 12})
}

fn value_text() -> Value {
    text(r#"{"celsius":21.5,"wind":12}"#)
}

/// The revisions that have structured content.
fn with_structure() -> impl Iterator<Item = Revision> {
    Revision::ALL.into_iter().filter(|revision| *revision >= Revision::V2025_06_18)
}

#[test]
fn a_text_of_the_authors_stands_beside_the_value_and_its_schema() {
    for revision in with_structure() {
        run(async {
            let client = connect(app(), revision).await;
            let result = call(&client, "with_text", json!({})).await;
            assert_eq!(result["structuredContent"], value());
            assert_eq!(result["content"], text("21.5 °C, \"windy\""));
            assert_eq!(result["_meta"]["com.example/source"], "x");
            assert_eq!(schema(&client, "with_text").await, schema(&client, "plain").await);
            let result = call(&client, "with_image", json!({})).await;
            assert_eq!(result["content"][0]["type"], "image");
            assert_eq!(result["content"][1]["text"], "a chart");
            assert_eq!(result["structuredContent"], value());
            let result = call(&client, "without_text", json!({})).await;
            assert_eq!((&result["content"], &result["structuredContent"]), (&value_text(), &value()));
            let result = call(&client, "with_link", json!({})).await;
            assert_eq!(result["content"][0]["type"], "resource_link");
            assert_eq!(result["content"][1], value_text()[0], "a link is no text of the author's");
            assert_eq!(result["content"].as_array().map(Vec::len), Some(2));
            let result = call(&client, "dynamic", json!({})).await;
            assert_eq!((&result["content"], &result["structuredContent"]), (&text("dynamic text"), &value()));
        });
    }
}

#[test]
fn clients_without_structured_content_get_the_authors_text() {
    for revision in Revision::ALL.into_iter().filter(|revision| *revision < Revision::V2025_06_18) {
        for content in [ResultContent::Both, ResultContent::Text, ResultContent::Structured] {
            run(async {
                let client = connect(app().result_content(content), revision).await;
                for (tool, expected) in [
                    ("with_text", text("21.5 °C, \"windy\"")),
                    ("list_with_text", text("one and two")),
                    ("without_text", value_text()),
                    ("plain", value_text()),
                    ("value_alone", value_text()),
                    ("dynamic_value", text(r#"{"a":1}"#)),
                ] {
                    let result = call(&client, tool, json!({})).await;
                    assert_eq!(result["content"], expected, "{tool}");
                    assert_eq!(result.get("structuredContent"), None);
                    assert_eq!(schema(&client, tool).await, Value::Null);
                }
            });
        }
    }
}

#[test]
fn lists_and_options_with_a_text_follow_the_rules_of_their_values() {
    for revision in with_structure() {
        run(async {
            let client = connect(app(), revision).await;
            let is_modern = revision == Revision::NEWEST;
            let wrapped = |value: Value| if is_modern { value } else { json!({ "result": value }) };
            let result = call(&client, "list_with_text", json!({})).await;
            assert_eq!(result["structuredContent"], wrapped(json!([1, 2])));
            assert_eq!(result["content"], text("one and two"));
            assert_eq!(result["_meta"]["fastmcp"]["wrap_result"].is_null(), is_modern);
            let result = call(&client, "borrowed", json!({"name": "Ada"})).await;
            assert_eq!(result["structuredContent"], wrapped(json!(["Ada"])));
            assert_eq!(result["content"], text("only Ada"));
            let result = call(&client, "maybe", json!({"known": true})).await;
            assert_eq!((&result["structuredContent"], &result["content"]), (&wrapped(value()), &text("known")));
            let result = call(&client, "maybe", json!({"known": false})).await;
            assert_eq!(result["structuredContent"], wrapped(json!(null)));
            let result = call(&client, "not_a_number", json!({})).await;
            assert_eq!(result["isError"], true);
        });
    }
}

#[test]
fn a_composed_result_has_a_published_schema_and_is_checked_against_it() {
    for revision in with_structure() {
        run(async {
            let client = connect(app(), revision).await;
            assert_eq!(schema(&client, "composed").await, schema(&client, "plain").await);
            let result = call(&client, "composed", json!({"kind": "fits"})).await;
            assert_eq!((&result["structuredContent"], &result["content"]), (&value(), &text("21.5 °C")));
            assert_eq!(result["_meta"]["com.example/source"], "x");
            for kind in ["other", "missing"] {
                let reply = client.call("composed", json!({ "kind": kind })).await.expect("it is answered");
                assert!(reply.is_error() && reply.text().starts_with("Internal error "), "{kind}: {}", reply.text());
            }
            let reply = client.call("composed", json!({"kind": "error"})).await.expect("it is answered");
            assert_eq!((reply.is_error(), reply.text().as_str()), (true, "There is no weather."));
        });
    }
    run(async {
        let client = connect(app().show_errors(true), Revision::NEWEST).await;
        let reply = client.call("composed", json!({"kind": "other"})).await.expect("it is answered");
        assert!(reply.text().contains("does not match the output schema: `/celsius`"), "{}", reply.text());
    });
}

#[test]
fn an_app_that_sends_text_alone_has_no_structured_content_and_no_output_schema() {
    for revision in Revision::ALL {
        run(async {
            let client = connect(app().result_content(ResultContent::Text), revision).await;
            for (tool, arguments, expected) in [
                ("plain", json!({}), value_text()),
                ("list", json!({}), text("[1,2]")),
                ("count", json!({}), text("3")),
                ("greet", json!({}), text("hello")),
                ("with_text", json!({}), text("21.5 °C, \"windy\"")),
                ("list_with_text", json!({}), text("one and two")),
                ("composed", json!({"kind": "fits"}), text("21.5 °C")),
                ("dynamic_value", json!({}), text(r#"{"a":1}"#)),
                ("dynamic_text", json!({}), text("7")),
                ("text_alone", json!({}), value_text()),
            ] {
                let result = call(&client, tool, arguments).await;
                assert_eq!(result["content"], expected, "{tool}");
                assert_eq!(result.get("structuredContent"), None, "{tool}");
                assert_eq!(schema(&client, tool).await, Value::Null, "{tool}");
            }
            let result = call(&client, "both", json!({})).await;
            let has_structure = revision >= Revision::V2025_06_18;
            assert_eq!(result.get("structuredContent").is_some(), has_structure, "the tool's own choice counts");
        });
    }
}

#[test]
fn an_app_that_sends_values_alone_leaves_their_texts_out_and_keeps_other_blocks() {
    for revision in with_structure() {
        run(async {
            let client = connect(app().result_content(ResultContent::Structured), revision).await;
            for (tool, arguments) in [
                ("plain", json!({})),
                ("list", json!({})),
                ("count", json!({})),
                ("with_text", json!({})),
                ("without_text", json!({})),
                ("composed", json!({"kind": "fits"})),
                ("dynamic_value", json!({})),
                ("dynamic", json!({})),
            ] {
                let result = call(&client, tool, arguments).await;
                assert_eq!(result["content"], json!([]), "{tool}");
                assert_ne!(result.get("structuredContent"), None, "{tool}");
            }
            let result = call(&client, "with_image", json!({})).await;
            assert_eq!(result["content"].as_array().map(Vec::len), Some(1));
            let result = call(&client, "with_link", json!({})).await;
            assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{result}");
            assert_eq!(call(&client, "greet", json!({})).await["content"], text("hello"), "it has no value");
            let result = call(&client, "composed", json!({"kind": "error"})).await;
            assert_eq!(result["content"], text("There is no weather."), "a failure is explained");
            assert_eq!(call(&client, "text_alone", json!({})).await["content"], value_text());
        });
    }
}

#[test]
fn a_tool_may_choose_the_parts_that_are_sent() {
    for revision in with_structure() {
        run(async {
            let client = connect(app(), revision).await;
            let result = call(&client, "text_alone", json!({})).await;
            assert_eq!((&result["content"], result.get("structuredContent")), (&value_text(), None));
            assert_eq!(schema(&client, "text_alone").await, Value::Null);
            let result = call(&client, "value_alone", json!({})).await;
            assert_eq!((&result["content"], &result["structuredContent"]), (&json!([]), &value()));
            assert_eq!(schema(&client, "value_alone").await, schema(&client, "plain").await);
            let result = call(&client, "dynamic_text", json!({})).await;
            assert_eq!((&result["content"], result.get("structuredContent")), (&text("7"), None));
        });
    }
}

/// Reads the value of a tool that sends text alone to clients.
#[mcp::tool]
async fn caller(ctx: &Context) -> Result<u64, ToolError> {
    let result = ctx.call_tool("text_alone", json!({})).await?;
    result.structured_content().and_then(|value| value["wind"].as_u64()).ok_or_else(|| ToolError::new("no value"))
}

#[test]
fn a_nested_call_gets_both_parts() {
    run(async {
        let client = connect(app().tool::<caller>(), Revision::NEWEST).await;
        assert_eq!(call(&client, "caller", json!({})).await["structuredContent"], 12);
    });
}
