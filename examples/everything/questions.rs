//! The tools of the example that send requests to the client, and a prompt that does.

use fastmcp_rs::prelude::*;
use serde_json::{Map, Value, json};

/// The name and address of a user.
#[mcp::model]
struct Contact {
    /// User's response
    username: String,
    /// User's email address
    email: String,
}

#[mcp::model]
struct Name {
    name: String,
}

#[mcp::model]
struct Color {
    color: String,
}

#[mcp::model]
struct Confirmed {
    ok: bool,
}

#[mcp::model]
struct Situation {
    context: String,
}

/// The status of a user.
#[mcp::model]
enum Status {
    #[serde(rename = "active")]
    Active,
    #[serde(rename = "inactive")]
    Inactive,
    #[serde(rename = "pending")]
    Pending,
}

/// A form in which every field has a default.
#[mcp::model]
struct Defaults {
    #[arg(default = "John Doe")]
    name: String,
    #[arg(default = 30)]
    age: i64,
    #[arg(default = 95.5)]
    score: f64,
    #[arg(default = "active")]
    status: Status,
    #[arg(default = true)]
    verified: bool,
}

/// Formats an answer as one text.
fn told<T: serde::Serialize>(answer: &ElicitationResult<T>) -> String {
    let (action, content) = match answer {
        ElicitationResult::Accepted(content) => ("accept", json!(content)),
        ElicitationResult::Declined => ("decline", json!({})),
        ElicitationResult::Cancelled => ("cancel", json!({})),
    };
    format!("action={action}, content={content}")
}

/// Lets the client's model answer a prompt.
#[mcp::tool]
async fn test_sampling(
    /// The prompt for the model.
    prompt: &str,
    ctx: &Context,
) -> Result<String, ToolError> {
    let answer = ctx.sample(SamplingRequest::new(prompt).max_tokens(100)).await?;
    Ok(format!("LLM response: {}", answer.text()))
}

/// Asks the person for a name and an address.
#[mcp::tool]
async fn test_elicitation(
    /// The message for the user.
    message: &str,
    ctx: &Context,
) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Contact>(message).await?;
    Ok(format!("User response: {}", told(&answer)))
}

/// Asks with a form in which every field has a default.
#[mcp::tool]
async fn test_elicitation_sep1034_defaults(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Defaults>("Please review and update the form fields with defaults").await?;
    Ok(format!("Elicitation completed: {}", told(&answer)))
}

/// Asks with a form that has every kind of choice.
#[mcp::tool]
async fn test_elicitation_sep1330_enums(ctx: &Context) -> Result<String, ToolError> {
    let titled = json!([
        { "const": "value1", "title": "First Option" },
        { "const": "value2", "title": "Second Option" },
        { "const": "value3", "title": "Third Option" }
    ]);
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"]
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } }
        }
    });
    let answer: ElicitationResult<Map<String, Value>> =
        ctx.elicit_form("Please select options from the enum fields", schema).await?;
    Ok(format!("Elicitation completed: {}", told(&answer)))
}

/// Needs a client with a model.
#[mcp::tool]
async fn test_missing_capability(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.sample(SamplingRequest::new("Say something.").max_tokens(100)).await?;
    Ok(answer.text())
}

/// Asks the person something, without a request of its own.
#[mcp::tool]
async fn test_streaming_elicitation(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Confirmed>("Please confirm").key("confirm").await?;
    Ok(told(&answer))
}

/// Asks for a name.
#[mcp::tool]
async fn test_input_required_result_elicitation(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Name>("What is your name?").key("user_name").await?;
    Ok(match answer.accepted() {
        Some(Name { name }) => format!("Hello, {name}!"),
        None => "Hello, stranger!".into(),
    })
}

/// Asks the client's model.
#[mcp::tool]
async fn test_input_required_result_sampling(ctx: &Context) -> Result<String, ToolError> {
    let question = SamplingRequest::new("What is the capital of France?").max_tokens(100);
    let answer = ctx.sample(question).key("capital_question").await?;
    Ok(format!("The model says: {}", answer.text()))
}

/// Asks for the client's roots.
#[mcp::tool]
async fn test_input_required_result_list_roots(ctx: &Context) -> Result<String, ToolError> {
    let roots = ctx.roots().key("client_roots").await?;
    let names: Vec<_> = roots.iter().map(|root| root.uri.as_str()).collect();
    Ok(format!("Roots: {}", names.join(", ")))
}

/// Asks for a confirmation, with a remembered state.
#[mcp::tool]
async fn test_input_required_result_request_state(ctx: &Context) -> Result<String, ToolError> {
    let state = ctx.remember("state", async { Ok::<_, ToolError>("state-ok".to_owned()) }).await?;
    let answer = ctx.elicit::<Confirmed>("Please confirm").key("confirm").await?;
    Ok(format!("{state}: {}", told(&answer)))
}

/// Sends three requests at once.
#[mcp::tool]
async fn test_input_required_result_multiple_inputs(ctx: &Context) -> Result<String, ToolError> {
    let (name, greeting, roots) = tokio::join!(
        ctx.elicit::<Name>("What is your name?").key("user_name"),
        ctx.sample(SamplingRequest::new("Generate a greeting").max_tokens(50)).key("greeting"),
        ctx.roots().key("client_roots"),
    );
    Ok(format!("{}; {}; {} roots", told(&name?), greeting?.text(), roots?.len()))
}

/// Sends two requests, one after the other.
#[mcp::tool]
async fn test_input_required_result_multi_round(ctx: &Context) -> Result<String, ToolError> {
    let name = ctx.elicit::<Name>("Step 1: What is your name?").key("step1").await?;
    let color = ctx.elicit::<Color>("Step 2: What is your favorite color?").key("step2").await?;
    Ok(format!("{}; {}", told(&name), told(&color)))
}

/// Asks for a confirmation, with a state that is sealed.
#[mcp::tool]
async fn test_input_required_result_tampered_state(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Confirmed>("Please confirm").key("confirm").await?;
    Ok(told(&answer))
}

/// Sends the requests that the client supports.
#[mcp::tool]
async fn test_input_required_result_capabilities(ctx: &Context) -> Result<String, ToolError> {
    let (name, answer) = tokio::join!(
        ctx.elicit::<Name>("What is your name?").key("user_name"),
        ctx.sample(SamplingRequest::new("Say hello.").max_tokens(50)).key("greeting"),
    );
    Ok(match (name, answer) {
        (Ok(name), _) => told(&name),
        (_, Ok(answer)) => answer.text(),
        (Err(error), _) => return Err(error.into()),
    })
}

/// A prompt that asks for its context.
#[mcp::prompt]
async fn test_input_required_result_prompt(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Situation>("What context should the prompt use?").key("user_context").await?;
    Ok(match answer.accepted() {
        Some(Situation { context }) => format!("Use this context: {context}"),
        None => "Use no context.".into(),
    })
}
