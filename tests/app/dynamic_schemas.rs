//! Schemas of dynamic components: the keywords that are checked, and the schemas that are refused.

use fastmcp_rs::prelude::*;
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
fn results_are_checked_against_their_output_schema() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    result_of(schema.clone(), json!({"a": null})).expect_err("`null` is no string");
    assert_eq!(result_of(schema, json!({})), Ok(json!({})));
    let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}});
    assert_eq!(result_of(schema, json!({"a": null})), Ok(json!({"a": null})));
    // Even items late in a long list.
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
fn every_documented_keyword_is_checked() {
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
fn a_schema_that_would_check_nothing_is_refused() {
    let problem = |tool: DynamicTool| App::empty("x").add_tool(tool).check().unwrap_err().to_string();
    let text = problem(echo("t", json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/Nope"}}})));
    assert!(text.contains("`$ref` at `/properties/x` of the input schema refers to"), "{text}");
    let text = problem(nothing("t").output_schema(json!({"type": "objekt"})));
    assert!(text.contains("`type` of the output schema must be a type, not \"objekt\""), "{text}");
    let deep =
        (0..60).fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"x": inner}}));
    let text = problem(echo("t", deep));
    assert!(text.contains("more than 100 levels deep"), "{text}");
}
