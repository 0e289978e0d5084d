//! Everything at once: the server that the public conformance suite of the protocol tests.
//!
//! ```sh
//! cargo run --example everything                         # standard input and output
//! cargo run --example everything -- --http 127.0.0.1:8000   # http://127.0.0.1:8000/mcp (and /sse)
//! ```
//!
//! Several replicas behind one address need their number and a shared key:
//! `REPLICAS=2 SEALING_KEY=$(openssl rand -base64 32)`.
//!
//! The suite prescribes names, texts and behaviour, so do not use this as a model for your own server; use the other
//! examples.

mod data;
mod questions;
mod tools;

use fastmcp_rs::SealingKey;
use fastmcp_rs::prelude::*;
use serde_json::json;

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    let app = App::new("everything").title("Everything").instructions("Tools for the conformance suite.");
    let app = app.add_tool(schema_tool());
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--http", address] => with_replicas(app)?.run_http(address).await,
        _ => app.run_stdio().await,
    }
}

/// Configures the app for the number of replicas in the environment.
fn with_replicas(app: App) -> Result<App, fastmcp_rs::Error> {
    let replicas = match std::env::var("REPLICAS") {
        Ok(replicas) => replicas.parse().map_err(fastmcp_rs::Error::other)?,
        Err(_) => 1,
    };
    let app = app.http(HttpConfig::new().replicas(replicas).legacy_sse("/sse"));
    Ok(match std::env::var("SEALING_KEY") {
        Ok(key) => app.sealing_keys([SealingKey::from_base64(&key)?]),
        Err(_) => app,
    })
}

/// Builds a tool whose schema is written by hand, with keywords that no Rust type has.
fn schema_tool() -> DynamicTool {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
            }
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" }
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false
    });
    DynamicTool::new("json_schema_2020_12_tool", schema, |arguments, _| async move {
        Ok::<_, ToolError>(format!("Received {} arguments", arguments.len()))
    })
    .description("Has a schema with the keywords of JSON Schema 2020-12.")
}
