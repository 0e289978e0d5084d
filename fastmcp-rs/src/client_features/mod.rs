//! Requests to the client: elicitation, sampling and roots.
//!
//! The room has the wire form of each request in each revision, the reading of the results, and the requests of one
//! call, which are sent at once to a legacy client and as part of a result to a modern client. It knows no call: the
//! context gives it a sink for frames.

pub(crate) mod conversation;
pub(crate) mod elicitation;
mod error;
pub(crate) mod form;
pub(crate) mod form_schema;
pub(crate) mod pending_requests;
pub(crate) mod roots;
pub(crate) mod sampling;

pub use error::ClientRequestError;
use serde_json::{Map, Value};

use crate::protocol::{Feature, ProtocolMethod, Revision};
use crate::sealing;

/// A capability that a client needs to answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    /// Showing a form.
    Form,
    /// Letting the person open a web page.
    Url,
    /// Asking its model.
    Sampling,
    /// Asking its model, which may call the server's tools.
    SamplingTools,
    /// Listing its roots.
    Roots,
}

impl Capability {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Capability::Form => "elicitation.form",
            Capability::Url => "elicitation.url",
            Capability::Sampling => "sampling",
            Capability::SamplingTools => "sampling.tools",
            Capability::Roots => "roots",
        }
    }

    /// Returns true if a client of the given revision has this capability, given its declared `capabilities`. The value
    /// of a declared capability is an object.
    fn is_declared(self, capabilities: &Map<String, Value>, revision: Revision) -> bool {
        let object = |name: &str| capabilities.get(name).and_then(Value::as_object);
        let part = |name: &str, part: &str| object(name)?.get(part)?.as_object();
        match self {
            Capability::Form if !revision.has(Feature::Elicitation) => false,
            Capability::Form if !revision.has(Feature::ElicitationModes) => object("elicitation").is_some(),
            // Without modes a client means forms, because earlier revisions had nothing else.
            Capability::Form => object("elicitation")
                .is_some_and(|modes| modes.get("form").map_or(!modes.contains_key("url"), Value::is_object)),
            Capability::Url => revision.has(Feature::ElicitationModes) && part("elicitation", "url").is_some(),
            Capability::Sampling => object("sampling").is_some(),
            Capability::SamplingTools => revision.has(Feature::SamplingTools) && part("sampling", "tools").is_some(),
            Capability::Roots => object("roots").is_some(),
        }
    }
}

/// A request to the client, in the form of one revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClientRequestSpec {
    pub(crate) method: ProtocolMethod,
    /// A JSON object.
    pub(crate) params: Value,
    pub(crate) capability: Capability,
}

impl ClientRequestSpec {
    /// Returns an error if the client has not declared the needed capability.
    pub(crate) fn missing_capability(
        &self,
        capabilities: &Map<String, Value>,
        revision: Revision,
    ) -> Option<ClientRequestError> {
        let declared = self.capability.is_declared(capabilities, revision);
        (!declared).then(|| ClientRequestError::unsupported(self.capability))
    }

    /// Returns a digest of the method and the parameters, including message and schema. The order of members does not
    /// matter, because a hand-written schema may come from an unordered map.
    pub(crate) fn digest(&self) -> String {
        sealing::digest(&[self.method.as_str().as_bytes(), &sealing::digest_of_json(&self.params.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_need_a_declared_capability() {
        use Capability::{Form, Roots, Sampling, SamplingTools, Url};
        const V2024_11_05: Revision = Revision::V2024_11_05;
        const V2025_03_26: Revision = Revision::V2025_03_26;
        const V2025_06_18: Revision = Revision::V2025_06_18;
        const V2025_11_25: Revision = Revision::V2025_11_25;
        const V2026_07_28: Revision = Revision::V2026_07_28;
        for (capabilities, revision, has) in [
            (json!({}), V2026_07_28, &[][..]),
            (json!({ "elicitation": {} }), V2026_07_28, &[Form]),
            (json!({ "elicitation": {} }), V2025_11_25, &[Form]),
            (json!({ "elicitation": {} }), V2025_06_18, &[Form]),
            (json!({ "elicitation": {} }), V2025_03_26, &[]),
            (json!({ "elicitation": { "form": {} } }), V2026_07_28, &[Form]),
            (json!({ "elicitation": { "url": {} } }), V2026_07_28, &[Url]),
            (json!({ "elicitation": { "url": {} } }), V2025_06_18, &[Form]),
            (json!({ "elicitation": { "form": {}, "url": {} } }), V2025_11_25, &[Form, Url]),
            (json!({ "elicitation": true, "sampling": [], "roots": null }), V2026_07_28, &[]),
            (json!({ "elicitation": { "form": true, "url": 1 } }), V2026_07_28, &[]),
            (json!({ "sampling": {}, "roots": {} }), V2024_11_05, &[Sampling, Roots]),
            (json!({ "sampling": { "tools": {} } }), V2025_11_25, &[Sampling, SamplingTools]),
            (json!({ "sampling": { "tools": {} } }), V2025_06_18, &[Sampling]),
            (json!({ "sampling": { "context": {} } }), V2026_07_28, &[Sampling]),
        ] {
            for capability in [Form, Url, Sampling, SamplingTools, Roots] {
                let spec = ClientRequestSpec { method: ProtocolMethod::Elicit, params: json!({}), capability };
                let missing = spec.missing_capability(capabilities.as_object().unwrap(), revision);
                assert_eq!(missing.is_none(), has.contains(&capability), "{capabilities} {revision} {capability:?}");
            }
        }
    }

    /// Renders requests of every kind for each revision. The workspace's tests check their file against the official
    /// schemas; `FASTMCP_UPDATE_SNAPSHOTS=1` writes it again.
    #[test]
    fn requests_match_the_recorded_ones() {
        let mut lines = Vec::new();
        for revision in Revision::ALL.iter().rev().copied() {
            for spec in examples(revision) {
                let spec =
                    json!({ "revision": revision.as_str(), "method": spec.method.as_str(), "params": spec.params });
                lines.push(spec.to_string());
            }
        }
        let text = format!("[\n{}\n]\n", lines.join(",\n"));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/questions.json");
        if std::env::var_os("FASTMCP_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }

    fn examples(revision: Revision) -> Vec<ClientRequestSpec> {
        use sampling::{
            ModelPreferences, SamplingMessage, SamplingRequest, SamplingTool, ToolChoice, ToolResultContent,
            ToolUseContent,
        };
        let mut specs = vec![roots::request_spec()];
        let media = SamplingMessage::user("Hi")
            .and(crate::content::Image::new([1], "image/png"))
            .and(crate::content::Audio::new([1], "audio/wav"));
        let full = SamplingRequest::new(media)
            .message(SamplingMessage::assistant("Hello"))
            .system_prompt("Be brief.")
            .max_tokens(100)
            .temperature(0.5)
            .stop_sequence("END")
            .model_preferences(ModelPreferences::new().hint("sonnet").cost(0.1).speed(0.2).intelligence(0.9));
        specs.push(full.request_spec(revision).unwrap());
        if revision.has(Feature::Elicitation) {
            let hand = |name: &str, property: Value| {
                let schema = json!({ "type": "object", "properties": { name: property }, "required": [name] });
                elicitation::form_request("Please", &elicitation::form_from_schema(&schema).unwrap(), revision)
            };
            let titled = json!([{ "const": "a", "title": "A" }, { "const": "b", "title": "B" }]);
            for (name, property) in [
                ("text", json!({ "type": "string", "title": "T", "description": "D", "minLength": 1, "maxLength": 9 })),
                ("mail", json!({ "type": "string", "format": "email", "default": "a@b.example" })),
                ("page", json!({ "type": "string", "format": "uri" })),
                ("day", json!({ "type": "string", "format": "date" })),
                ("moment", json!({ "type": "string", "format": "date-time" })),
                ("age", json!({ "type": "integer", "minimum": 0, "maximum": 150, "default": 3 })),
                ("share", json!({ "type": "number", "minimum": 0.5, "maximum": 1.5, "default": 1.0 })),
                ("sure", json!({ "type": "boolean", "default": true })),
                ("plan", json!({ "type": "string", "enum": ["free", "paid"], "default": "free" })),
                ("size", json!({ "type": "string", "oneOf": titled, "default": "a" })),
            ] {
                specs.push(hand(name, property).unwrap());
            }
            if revision.has(Feature::FormChoices) {
                let names = json!({ "type": "string", "enum": ["mo", "tu"] });
                let days = json!({ "type": "array", "items": names, "minItems": 1, "maxItems": 2, "default": ["mo"] });
                specs.push(hand("days", days).unwrap());
                specs.push(hand("tags", json!({ "type": "array", "items": { "anyOf": titled } })).unwrap());
            }
        }
        if revision.has(Feature::ElicitationModes) {
            let mut page =
                elicitation::url_request("Sign in", "https://shop.example/sign-in?order=1", revision).unwrap();
            if let Some(id) = page.params.get_mut("elicitationId") {
                *id = "random".into();
            }
            specs.push(page);
            let schema = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
            let input = Map::from_iter([("a".to_owned(), json!(1))]);
            let result = ToolResultContent::new("1", "2").structured(Map::new()).is_error(true);
            let tools = SamplingRequest::new("Add")
                .message(SamplingMessage::assistant("Well").and(ToolUseContent::new("1", "add", input)))
                .message(SamplingMessage::tool_results([result]))
                .tool(SamplingTool::new("add", schema).description("Adds."))
                .tool_choice(ToolChoice::Auto);
            specs.push(tools.request_spec(revision).unwrap());
        }
        specs
    }

    #[test]
    fn different_requests_have_different_digests() {
        let spec = |method, params| ClientRequestSpec { method, params, capability: Capability::Form }.digest();
        let (form, roots) = (ProtocolMethod::Elicit, ProtocolMethod::ListRoots);
        let first = spec(form, json!({ "b": 1 }));
        assert_eq!(first, spec(form, json!({ "b": 1 })));
        assert_ne!(first, spec(form, json!({ "b": 2 })));
        assert_eq!(spec(form, json!({ "b": 1, "c": 2 })), spec(form, json!({ "c": 2, "b": 1 })));
        assert_ne!(first, spec(roots, json!({ "b": 1 })));
    }
}
