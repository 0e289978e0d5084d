//! Dynamic tools: created while the server runs, from the operations that another service describes.
//!
//! ```sh
//! cargo run --example dynamic
//! ```

use fastmcp_rs::prelude::*;
use fastmcp_rs::visibility::Selector;
use serde_json::{Value, json};

/// An operation, as its service describes it.
#[mcp::model]
struct Operation {
    /// The name of the tool.
    name: String,
    /// The description of the tool.
    description: String,
    /// A JSON Schema of its arguments, with `"type": "object"`.
    schema: Value,
}

/// Installs an operation as a tool.
#[mcp::tool]
async fn install(operation: Operation, handle: AppHandle) -> Result<String, ToolError> {
    let Operation { name, description, schema } = operation;
    let called = name.clone();
    let tool = DynamicTool::new(&name, schema, move |arguments, _ctx| {
        // A real server would send this to the service.
        let call = json!({"operation": called, "arguments": arguments});
        async move { Ok::<_, ToolError>(ToolResult::from(call)) }
    });
    // The model reads the reason if the schema is invalid or the tool exists already.
    handle
        .add_tool(tool.description(description).tag("installed"))
        .map_err(|error| ToolError::new(error.to_string()))?;
    Ok(format!("{name} is installed"))
}

/// Removes an installed tool.
#[mcp::tool(destructive)]
async fn uninstall(name: &str, handle: AppHandle) -> Result<String, ToolError> {
    if !handle.remove_tool(name) {
        return Err(ToolError::new(format!("there is no tool `{name}`")));
    }
    Ok(format!("{name} is removed"))
}

/// Shows or hides all installed tools.
#[mcp::tool]
async fn maintenance(on: bool, handle: AppHandle) -> &'static str {
    let installed = Selector::tag("installed");
    if on {
        handle.disable(installed);
        "the installed tools are hidden"
    } else {
        handle.enable(installed);
        "the installed tools are visible"
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("plugins").run_stdio().await
}
