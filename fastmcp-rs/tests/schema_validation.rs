//! Tools that are made at run time, checked against the whole of JSON Schema.

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

fn echo(schema: Value) -> DynamicTool {
    DynamicTool::new("echo", schema, |arguments, _| async move {
        Ok::<_, ToolError>(ToolResult::from(Value::from(arguments)))
    })
}

/// Calls with arguments, and gives the text of the refusal.
async fn refusal(tool: DynamicTool, arguments: Value) -> Option<String> {
    let client = App::empty("x").add_tool(tool).test_client().await.unwrap();
    let reply = client.call("echo", arguments).await.unwrap();
    reply.is_error().then(|| reply.text())
}

#[tokio::test]
async fn keywords_outside_the_built_in_validator_are_checked() {
    let schema = || {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "kind": {"enum": ["box", "bag"]},
                "ids": {"type": "array", "uniqueItems": true},
                "size": {"$ref": "#size"},
                "even": {"not": {"const": 3}}
            },
            "if": {"properties": {"kind": {"const": "box"}}, "required": ["kind"]},
            "then": {"required": ["size"]},
            "dependentRequired": {"even": ["kind"]},
            "$defs": {"Size": {"$anchor": "size", "type": "integer", "minimum": 1}}
        })
    };
    for good in [json!({}), json!({"kind": "bag"}), json!({"kind": "box", "size": 2, "ids": [1, 2], "even": 2})] {
        assert_eq!(refusal(echo(schema()), good.clone()).await, None, "{good}");
    }
    for (bad, parts) in [
        (json!({"kind": "box"}), &["Invalid arguments for `echo`:", "`/`:", "size"] as &[&str]),
        (json!({"ids": [1, 1]}), &["`/ids`:", "unique"]),
        (json!({"kind": "box", "size": 0}), &["`/size`:"]),
        (json!({"kind": "bag", "even": 3}), &["`/even`:"]),
        (json!({"even": 2}), &["kind"]),
        // The walk finds what it knows, in its own words.
        (json!({"kind": "bx"}), &["`/kind`: expected one of \"box\", \"bag\""]),
    ] {
        let text = refusal(echo(schema()), bad.clone()).await.unwrap_or_else(|| panic!("{bad} passes"));
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    // The corrected arguments are checked, not the original ones.
    let given = json!({"kind": "box", "size": "2", "ids": "[1]"});
    assert_eq!(refusal(echo(schema()), given).await, None);
    let text = refusal(echo(schema()), json!({"kind": "box", "size": "2", "ids": "[1, 1]"})).await.unwrap_or_default();
    assert!(text.contains("`/ids`:") && !text.contains("/size"), "{text}");
}

#[tokio::test]
async fn results_are_checked_with_the_full_validator() {
    let output = json!({"type": "object", "properties": {"ids": {"uniqueItems": true}}});
    let tool = || echo(json!({"type": "object"})).output_schema(output.clone());
    assert_eq!(refusal(tool(), json!({"ids": [1, 2]})).await, None);
    let text = refusal(tool(), json!({"ids": [1, 1]})).await.unwrap();
    assert!(text.contains("Changing the arguments will not help"), "{text}");
}

#[tokio::test]
async fn a_schema_that_cannot_be_checked_is_refused_at_start() {
    let unreadable = "the input schema is not a valid JSON Schema: ";
    for (property, problem) in [
        (json!({"$ref": "https://example.com/schema.json"}), unreadable),
        (json!({"$ref": "file:///etc/passwd"}), unreadable),
        (json!({"$ref": "#/$defs/Missing"}), "which does not exist"),
        (json!({"pattern": "("}), unreadable),
        (json!({"minimum": "x"}), "`minimum`"),
    ] {
        let schema = json!({"type": "object", "properties": {"a": property}});
        let error = App::empty("x").add_tool(echo(schema)).check().unwrap_err().to_string();
        assert!(error.contains(problem), "{problem} in {error}");
        assert!(error.contains("input schema"), "{error}");
    }
}

#[tokio::test]
async fn hostile_texts_are_matched_quickly() {
    let tool = echo(json!({"type": "object", "properties": {"a": {"not": {"pattern": "^(a+)+$"}}}}));
    let start = std::time::Instant::now();
    assert_eq!(refusal(tool, json!({"a": format!("{}b", "a".repeat(50_000))})).await, None);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
