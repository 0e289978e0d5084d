//! The resources and prompts of the example.

use fastmcp_rs::prelude::*;

use crate::tools::PNG;

/// A text that never changes.
#[mcp::resource("test://static-text", name = "static_text", mime_type = "text/plain")]
async fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// An image that never changes.
#[mcp::resource("test://static-binary", name = "static_binary", mime_type = "image/png")]
async fn static_binary() -> &'static [u8] {
    PNG
}

/// A resource to subscribe to.
#[mcp::resource("test://watched-resource", name = "watched_resource", mime_type = "text/plain")]
async fn watched_resource() -> &'static str {
    "Clients can subscribe to this resource."
}

/// Data by its id.
#[mcp::resource("test://template/{id}/data", name = "template_data", mime_type = "application/json")]
async fn template_data(id: &str) -> String {
    format!(r#"{{"id":{id:?},"templateTest":true,"data":"Data for ID: {id}"}}"#)
}

/// A prompt without arguments.
#[mcp::prompt]
async fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

/// A prompt with two arguments.
#[mcp::prompt]
async fn test_prompt_with_arguments(
    /// The first argument.
    #[arg(complete = complete_argument)]
    arg1: &str,
    /// The second argument.
    arg2: &str,
) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

fn complete_argument(_: CompletionRequest) -> Vec<String> {
    ["testValue1", "testValue2", "paris"].map(String::from).to_vec()
}

/// A prompt that holds a resource.
#[mcp::prompt]
async fn test_prompt_with_embedded_resource(
    /// The URI of the resource.
    #[arg(rename = "resourceUri")]
    resource_uri: String,
) -> Vec<Message> {
    let resource = EmbeddedResource::text(resource_uri, "Embedded resource content for testing.");
    vec![Message::user(resource.mime_type("text/plain")), Message::user("Please process the embedded resource above.")]
}

/// A prompt that holds an image.
#[mcp::prompt]
async fn test_prompt_with_image() -> Vec<Message> {
    vec![Message::user(Image::new(PNG, "image/png")), Message::user("Please analyze the image above.")]
}
