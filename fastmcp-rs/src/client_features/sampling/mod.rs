//! Sampling: requests to the client's model.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>

mod messages;
mod result;

pub use messages::{SamplingContent, SamplingMessage, ToolResultContent, ToolUseContent};
pub use result::SamplingResult;
pub(crate) use result::read;
use serde_json::{Map, Value, json};

use super::{Capability, ClientRequestError, ClientRequestSpec};
use crate::protocol::{Feature, ProtocolMethod, Revision};

/// A request to the client's model: messages, and settings for the answer.
///
/// The client may change the request, show it to its user, and choose another model. Each request costs the user money
/// and time, so keep requests few and short. The protocol deprecates sampling since 2026-07-28: new servers should call
/// a model of their own.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#creating-messages>
///
/// # Example
///
/// ```
/// use fastmcp_rs::sampling::{ModelPreferences, SamplingMessage, SamplingRequest};
///
/// let short = SamplingRequest::new("What is the capital of France?").max_tokens(100);
///
/// let long = SamplingRequest::new("Is this review friendly? It says: …")
///     .message(SamplingMessage::assistant("Yes."))
///     .message(SamplingMessage::user("Why?"))
///     .system_prompt("You judge reviews of a shop. Answer in one sentence.")
///     .temperature(0.2)
///     .stop_sequence("\n\n")
///     .model_preferences(ModelPreferences::new().hint("haiku").speed(0.9));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a request is sent when `Context::sample` is awaited"]
pub struct SamplingRequest {
    messages: Vec<SamplingMessage>,
    system_prompt: Option<String>,
    max_tokens: u32,
    temperature: Option<f64>,
    stop_sequences: Vec<String>,
    model_preferences: Option<ModelPreferences>,
    tools: Vec<SamplingTool>,
    tool_choice: Option<ToolChoice>,
}

impl SamplingRequest {
    /// Creates a request of one message: a text or a block of the person, or any [`SamplingMessage`].
    ///
    /// The answer has at most 1,024 tokens, unless [`max_tokens`](Self::max_tokens) sets another limit.
    pub fn new(message: impl Into<SamplingMessage>) -> SamplingRequest {
        SamplingRequest {
            messages: vec![message.into()],
            system_prompt: None,
            max_tokens: 1024,
            temperature: None,
            stop_sequences: Vec::new(),
            model_preferences: None,
            tools: Vec::new(),
            tool_choice: None,
        }
    }

    /// Adds a message.
    pub fn message(mut self, message: impl Into<SamplingMessage>) -> SamplingRequest {
        self.messages.push(message.into());
        self
    }

    /// Adds messages, in their order.
    pub fn messages<M: Into<SamplingMessage>>(mut self, messages: impl IntoIterator<Item = M>) -> SamplingRequest {
        self.messages.extend(messages.into_iter().map(Into::into));
        self
    }

    /// Sets the system prompt. Without one the client decides.
    pub fn system_prompt(mut self, text: impl Into<String>) -> SamplingRequest {
        self.system_prompt = Some(text.into());
        self
    }

    /// Limits the answer to a number of tokens. Default: 1,024. With 0 the request fails with
    /// [`ClientRequestError::InvalidRequest`].
    pub fn max_tokens(mut self, tokens: u32) -> SamplingRequest {
        self.max_tokens = tokens;
        self
    }

    /// Sets the temperature of the model, from 0; the maximum depends on the model. Without one the client decides.
    /// With a negative or non-finite value the request fails with [`ClientRequestError::InvalidRequest`].
    pub fn temperature(mut self, temperature: f64) -> SamplingRequest {
        self.temperature = Some(temperature);
        self
    }

    /// Adds a text at which the answer ends.
    pub fn stop_sequence(mut self, text: impl Into<String>) -> SamplingRequest {
        self.stop_sequences.push(text.into());
        self
    }

    /// Sets preferences for the choice of the model.
    pub fn model_preferences(mut self, preferences: ModelPreferences) -> SamplingRequest {
        self.model_preferences = Some(preferences);
        self
    }

    /// Adds a tool that the model may call. Requires a client that declares `sampling.tools`. With two tools of the
    /// same name the request fails with [`ClientRequestError::InvalidRequest`].
    pub fn tool(mut self, tool: SamplingTool) -> SamplingRequest {
        self.tools.push(tool);
        self
    }

    /// Sets whether the model may, must or must not call tools. Requires a client that declares `sampling.tools`.
    pub fn tool_choice(mut self, choice: ToolChoice) -> SamplingRequest {
        self.tool_choice = Some(choice);
        self
    }

    /// Builds the request in the form of a revision.
    ///
    /// # Errors
    ///
    /// [`ClientRequestError::InvalidRequest`] if the author must change the request;
    /// [`ClientRequestError::Unsupported`] if the revision has no tools for models.
    pub(crate) fn request_spec(&self, revision: Revision) -> Result<ClientRequestSpec, ClientRequestError> {
        let with_tools = !self.tools.is_empty()
            || self.tool_choice.is_some()
            || self.messages.iter().any(SamplingMessage::has_tool_block);
        let capability = if with_tools { Capability::SamplingTools } else { Capability::Sampling };
        if with_tools && !revision.has(Feature::SamplingTools) {
            let reason = format!("revision {revision} does not support tools in `sampling/createMessage`");
            return Err(ClientRequestError::unsupported_because(capability, reason));
        }
        self.check().map_err(ClientRequestError::invalid_question)?;
        let mut params = Map::new();
        params.insert("messages".into(), messages::write(&self.messages, revision));
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                params.insert(key.into(), value);
            }
        };
        put("modelPreferences", self.model_preferences.as_ref().map(ModelPreferences::write));
        put("systemPrompt", self.system_prompt.clone().map(Value::from));
        put("maxTokens", Some(self.max_tokens.into()));
        put("temperature", self.temperature.map(Value::from));
        put("stopSequences", (!self.stop_sequences.is_empty()).then(|| self.stop_sequences.clone().into()));
        put("tools", (!self.tools.is_empty()).then(|| self.tools.iter().map(SamplingTool::write).collect()));
        put("toolChoice", self.tool_choice.map(|choice| json!({ "mode": choice.as_str() })));
        Ok(ClientRequestSpec { method: ProtocolMethod::CreateMessage, params: params.into(), capability })
    }

    fn check(&self) -> Result<(), String> {
        if self.max_tokens == 0 {
            return Err("`max_tokens` must be at least 1".into());
        }
        if self.temperature.is_some_and(|temperature| !temperature.is_finite() || temperature < 0.0) {
            return Err("`temperature` must be a number of at least 0".into());
        }
        for (at, tool) in self.tools.iter().enumerate() {
            if self.tools[..at].iter().any(|other| other.name == tool.name) {
                return Err(format!("two tools have the name `{}`", tool.name));
            }
            if tool.input_schema.get("type").is_none_or(|name| name != "object") {
                return Err(format!("the schema of the tool `{}` must have `\"type\": \"object\"`", tool.name));
            }
        }
        messages::check(&self.messages)
    }
}

/// Preferences for the choice of the model. The client decides, and may have none of the preferred models.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#model-preferences>
///
/// # Example
///
/// ```
/// use fastmcp_rs::sampling::ModelPreferences;
///
/// let preferences = ModelPreferences::new().hint("sonnet").hint("claude").intelligence(0.8).cost(0.3);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct ModelPreferences {
    hints: Vec<String>,
    cost: Option<f64>,
    speed: Option<f64>,
    intelligence: Option<f64>,
}

impl ModelPreferences {
    /// Creates empty preferences.
    pub fn new() -> ModelPreferences {
        ModelPreferences::default()
    }

    /// Adds a part of a model's name. Earlier hints take precedence.
    pub fn hint(mut self, name: impl Into<String>) -> ModelPreferences {
        self.hints.push(name.into());
        self
    }

    /// Sets the priority of a low price, from 0 to 1. Other values are clamped, and NaN is ignored.
    pub fn cost(mut self, priority: f64) -> ModelPreferences {
        self.cost = Some(priority.clamp(0.0, 1.0));
        self
    }

    /// Sets the priority of a quick answer, from 0 to 1. Other values are clamped, and NaN is ignored.
    pub fn speed(mut self, priority: f64) -> ModelPreferences {
        self.speed = Some(priority.clamp(0.0, 1.0));
        self
    }

    /// Sets the priority of an able model, from 0 to 1. Other values are clamped, and NaN is ignored.
    pub fn intelligence(mut self, priority: f64) -> ModelPreferences {
        self.intelligence = Some(priority.clamp(0.0, 1.0));
        self
    }

    fn write(&self) -> Value {
        let mut members = Map::new();
        if !self.hints.is_empty() {
            members.insert("hints".into(), self.hints.iter().map(|name| json!({ "name": name })).collect());
        }
        for (key, priority) in
            [("costPriority", self.cost), ("speedPriority", self.speed), ("intelligencePriority", self.intelligence)]
        {
            // A priority of NaN is left out.
            if let Some(priority) = priority.filter(|priority| priority.is_finite()) {
                members.insert(key.into(), priority.into());
            }
        }
        members.into()
    }
}

/// A tool that the client's model may call. The handler runs it, and sends another request with the result.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#sampling-with-tools>
///
/// # Example
///
/// ```
/// use fastmcp_rs::sampling::SamplingTool;
/// use serde_json::json;
///
/// let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
/// let weather = SamplingTool::new("get_weather", schema).description("The weather in a city now.");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SamplingTool {
    name: String,
    description: Option<String>,
    input_schema: Value,
}

impl SamplingTool {
    /// Creates a tool from its name and the JSON Schema of its arguments, which must be of type `object`.
    pub fn new(name: impl Into<String>, input_schema: impl Into<Value>) -> SamplingTool {
        SamplingTool { name: name.into(), description: None, input_schema: input_schema.into() }
    }

    /// Sets the description that the model reads.
    pub fn description(mut self, description: impl Into<String>) -> SamplingTool {
        self.description = Some(description.into());
        self
    }

    fn write(&self) -> Value {
        let mut members = Map::new();
        members.insert("name".into(), self.name.clone().into());
        if let Some(description) = &self.description {
            members.insert("description".into(), description.clone().into());
        }
        members.insert("inputSchema".into(), self.input_schema.clone());
        members.into()
    }
}

/// The choice whether the model may, must or must not call tools.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#sampling-with-tools>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model must call at least one tool.
    Required,
    /// The model must not call a tool.
    None,
}

impl ToolChoice {
    const fn as_str(self) -> &'static str {
        match self {
            ToolChoice::Auto => "auto",
            ToolChoice::Required => "required",
            ToolChoice::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Revision = Revision::V2026_07_28;

    #[test]
    fn a_sampling_request_has_every_message() {
        let plain = SamplingRequest::new("Hi").request_spec(Revision::V2024_11_05).unwrap();
        assert_eq!(
            (plain.method.as_str(), plain.params, plain.capability),
            (
                "sampling/createMessage",
                json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "Hi" } }], "maxTokens": 1024 }),
                Capability::Sampling
            )
        );
        let tool = SamplingTool::new("add", json!({ "type": "object" })).description("Adds.");
        let full = SamplingRequest::new("Hi")
            .messages([SamplingMessage::assistant("Hello"), SamplingMessage::user("Bye")])
            .system_prompt("Be brief.")
            .max_tokens(9)
            .temperature(0.5)
            .stop_sequence("END")
            .model_preferences(ModelPreferences::new().hint("a").cost(7.0).speed(f64::NAN).intelligence(0.5))
            .tool(tool)
            .tool_choice(ToolChoice::Required)
            .request_spec(NEWEST)
            .unwrap();
        assert_eq!(full.capability, Capability::SamplingTools);
        let mut params = full.params;
        assert_eq!(params["messages"].as_array_mut().unwrap().len(), 3);
        params["messages"] = Value::Null;
        assert_eq!(
            params,
            json!({
                "messages": null,
                "modelPreferences": {
                    "hints": [{ "name": "a" }], "costPriority": 1.0, "intelligencePriority": 0.5,
                },
                "systemPrompt": "Be brief.",
                "maxTokens": 9,
                "temperature": 0.5,
                "stopSequences": ["END"],
                "tools": [{ "name": "add", "description": "Adds.", "inputSchema": { "type": "object" } }],
                "toolChoice": { "mode": "required" },
            })
        );
    }

    #[test]
    fn invalid_sampling_requests_are_refused() {
        let tool = || SamplingTool::new("add", json!({ "type": "object" }));
        for (sampling, problem) in [
            (SamplingRequest::new("a").max_tokens(0), "`max_tokens`"),
            (SamplingRequest::new("a").temperature(f64::NAN), "`temperature`"),
            (SamplingRequest::new("a").temperature(-1.0), "`temperature`"),
            (SamplingRequest::new("a").tool(tool()).tool(tool()), "two tools have the name `add`"),
            (SamplingRequest::new("a").tool(SamplingTool::new("add", json!({}))), "the schema of the tool `add`"),
            (SamplingRequest::new(SamplingMessage::tool_results([])), "has no content"),
        ] {
            let error = sampling.request_spec(NEWEST).unwrap_err();
            assert!(
                matches!(&error, ClientRequestError::InvalidRequest { reason } if reason.contains(problem)),
                "{error}"
            );
        }
    }

    #[test]
    fn sampling_with_tools_needs_a_newer_client() {
        for sampling in [
            SamplingRequest::new("a").tool(SamplingTool::new("add", json!({ "type": "object" }))),
            SamplingRequest::new("a").tool_choice(ToolChoice::None),
        ] {
            let error = sampling.request_spec(Revision::V2025_06_18).unwrap_err();
            assert!(matches!(error, ClientRequestError::Unsupported { capability: "sampling.tools", .. }), "{error}");
            assert_eq!(sampling.request_spec(NEWEST).unwrap().capability, Capability::SamplingTools);
        }
    }
}
