//! The tools of the example that need nothing from the client.

use std::time::Duration;

use fastmcp_rs::prelude::*;
use serde_json::json;

/// One red pixel.
pub(crate) const PNG: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119, 83,
    222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 201, 254, 146, 239, 0, 0, 0, 0,
    73, 69, 78, 68, 174, 66, 96, 130,
];

/// Silence.
const WAV: &[u8] = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\0\0\0\0";

/// Returns a text.
#[mcp::tool]
async fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Returns an image.
#[mcp::tool]
async fn test_image_content() -> Image {
    Image::new(PNG, "image/png")
}

/// Returns audio.
#[mcp::tool]
async fn test_audio_content() -> Audio {
    Audio::new(WAV, "audio/wav")
}

/// Returns a resource.
#[mcp::tool]
async fn test_embedded_resource() -> EmbeddedResource {
    EmbeddedResource::text("test://embedded-resource", "This is an embedded resource content.").mime_type("text/plain")
}

/// Returns a text, an image and a resource.
#[mcp::tool]
async fn test_multiple_content_types() -> Vec<Content> {
    let resource = EmbeddedResource::text("test://mixed-content-resource", r#"{"test":"data","value":123}"#);
    vec![
        Content::text("Multiple content types test:"),
        Image::new(PNG, "image/png").into(),
        resource.mime_type("application/json").into(),
    ]
}

/// Always fails.
#[mcp::tool]
async fn test_error_handling() -> Result<String, ToolError> {
    Err(ToolError::new("This tool intentionally returns an error for testing"))
}

/// Reports its progress three times.
#[mcp::tool]
async fn test_tool_with_progress(ctx: &Context) -> &'static str {
    for done in [0.0, 50.0, 100.0] {
        ctx.progress(done, 100.0, None);
        // A little more than the minimum interval between two notifications, so that none is dropped.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    "Tool with progress completed"
}

/// Logs three messages while it runs.
#[mcp::tool]
async fn test_tool_with_logging(ctx: &Context) -> &'static str {
    for (step, message) in
        ["Tool execution started", "Tool processing data", "Tool execution completed"].iter().enumerate()
    {
        if step > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ctx.info(message);
    }
    "Tool with logging completed"
}

/// Logs a message, if the client wants any.
#[mcp::tool]
async fn test_logging_tool(ctx: &Context) -> &'static str {
    ctx.info("A message of test_logging_tool");
    "Logging tool completed"
}

/// Closes its stream, which the client can resume.
#[mcp::tool]
async fn test_reconnection(ctx: &Context) -> &'static str {
    ctx.close_stream();
    tokio::time::sleep(Duration::from_millis(100)).await;
    "Reconnection test completed"
}

/// Has a parameter that gateways may read from a header.
#[mcp::tool]
async fn test_header_parameter(
    /// A value that is sent in a header too.
    #[arg(header = "Value")]
    value: &str,
) -> String {
    format!("Received {value}")
}

/// Changes the list of tools, and changes it back.
#[mcp::tool]
async fn test_trigger_tool_change(handle: AppHandle) -> Result<&'static str, ToolError> {
    let tool = DynamicTool::new("test_dynamic_tool", json!({ "type": "object" }), |_, _| async {
        Ok::<_, ToolError>("This component existed briefly.")
    });
    handle.add_tool(tool.description("Exists briefly."))?;
    handle.remove_tool("test_dynamic_tool");
    Ok("Tool list changed")
}

/// Changes the list of prompts, and changes it back.
#[mcp::tool]
async fn test_trigger_prompt_change(handle: AppHandle) -> Result<&'static str, ToolError> {
    let prompt = DynamicPrompt::new("test_dynamic_prompt", |_, _| async {
        Ok::<_, ToolError>(vec![Message::user("This component existed briefly.")])
    });
    handle.add_prompt(prompt.description("Exists briefly."))?;
    handle.remove_prompt("test_dynamic_prompt");
    Ok("Prompt list changed")
}
