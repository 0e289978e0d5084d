//! Elicitation: requests to the person at the client, as forms or as web pages to open.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>

use serde_json::{Map, Value, json};

use super::{Capability, ClientRequestError, ClientRequestSpec};
use crate::client_features::form::{self, Form};
use crate::client_features::form_schema::{FormSchema, is_uri};
use crate::protocol::{Feature, ProtocolMethod, Revision};
use crate::sealing;

/// The person's response to an elicitation.
///
/// Handle all three cases: a person who declines has said no, and a person who dismisses the request has said nothing.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#response-actions>
///
/// # Example
///
/// ```
/// use fastmcp_rs::elicitation::ElicitationResult;
///
/// let answer = ElicitationResult::Accepted("Ada");
/// assert_eq!(answer.accepted(), Some("Ada"));
/// assert_eq!(ElicitationResult::<String>::Declined.accepted(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the person may have declined"]
pub enum ElicitationResult<T> {
    /// The person answered, or agreed to open the page. Agreement does not cover the events on the page.
    Accepted(T),
    /// The person said no.
    Declined,
    /// The person dismissed the request.
    Cancelled,
}

impl<T> ElicitationResult<T> {
    /// Returns the answer, if the person gave one.
    pub fn accepted(self) -> Option<T> {
        match self {
            ElicitationResult::Accepted(answer) => Some(answer),
            ElicitationResult::Declined | ElicitationResult::Cancelled => None,
        }
    }

    /// Returns true if the person answered.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, ElicitationResult::Accepted(_))
    }
}

/// Returns the form that asks for a `T`.
///
/// # Errors
///
/// [`ClientRequestError::InvalidRequest`] if the type's schema was changed by hand so that a form cannot show it.
pub(crate) fn derive_form<T: Form>() -> Result<FormSchema, ClientRequestError> {
    form::schema::<T>().map_err(ClientRequestError::invalid_question)
}

/// Returns the form that a hand-written schema describes.
///
/// # Errors
///
/// [`ClientRequestError::InvalidRequest`] if the schema is outside of the subset that forms may use.
pub(crate) fn form_from_schema(schema: &Value) -> Result<FormSchema, ClientRequestError> {
    FormSchema::from_hand_written(schema).map_err(ClientRequestError::invalid_question)
}

/// Builds a request to fill in a form.
///
/// # Errors
///
/// [`ClientRequestError::Unsupported`] if the revision cannot express the form.
pub(crate) fn form_request(
    message: &str,
    form: &FormSchema,
    revision: Revision,
) -> Result<ClientRequestSpec, ClientRequestError> {
    let schema = form
        .for_revision(revision)
        .map_err(|reason| ClientRequestError::unsupported_because(Capability::Form, reason))?;
    let mut params = Map::new();
    if revision.has(Feature::ElicitationModes) {
        params.insert("mode".into(), "form".into());
    }
    params.insert("message".into(), message.into());
    params.insert("requestedSchema".into(), schema);
    Ok(ClientRequestSpec { method: ProtocolMethod::Elicit, params: params.into(), capability: Capability::Form })
}

/// Builds a request to open a web page.
///
/// # Errors
///
/// [`ClientRequestError::InvalidRequest`] if `url` is not an `https` or `http` URL.
pub(crate) fn url_request(
    message: &str,
    url: &str,
    revision: Revision,
) -> Result<ClientRequestSpec, ClientRequestError> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !is_uri(url) || !matches!(scheme.as_deref(), Some("https" | "http")) {
        return Err(ClientRequestError::invalid_question(
            "the URL of the page must begin with `https://` and must not contain spaces",
        ));
    }
    let mut params = json!({ "mode": "url", "message": message, "url": url });
    if revision.has(Feature::ElicitationIds) {
        let id = sealing::random_id().map_err(|error| ClientRequestError::invalid_question(error.to_string()))?;
        params["elicitationId"] = id.into();
    }
    Ok(ClientRequestSpec { method: ProtocolMethod::Elicit, params, capability: Capability::Url })
}

/// Reads the answer to a form that asks for a `T`.
///
/// # Errors
///
/// [`ClientRequestError::InvalidResponse`] if the answer does not fit the form or the type.
pub(crate) fn read<T: Form>(form: &FormSchema, result: &Value) -> Result<ElicitationResult<T>, ClientRequestError> {
    read_content(result, |content| form::read(form, content))
}

/// Reads the answer to a form with a hand-written schema.
///
/// # Errors
///
/// [`ClientRequestError::InvalidResponse`] if the answer does not fit the form.
pub(crate) fn read_schema_form(
    form: &FormSchema,
    result: &Value,
) -> Result<ElicitationResult<Map<String, Value>>, ClientRequestError> {
    read_content(result, |content| form.check(content))
}

/// Reads whether the person agreed to open a page.
///
/// # Errors
///
/// [`ClientRequestError::InvalidResponse`] if `action` is missing or unknown.
pub(crate) fn read_url(result: &Value) -> Result<ElicitationResult<()>, ClientRequestError> {
    read_action(result)
}

fn read_content<T>(
    result: &Value,
    read: impl FnOnce(Map<String, Value>) -> Result<T, String>,
) -> Result<ElicitationResult<T>, ClientRequestError> {
    match read_action(result)? {
        ElicitationResult::Accepted(()) => {
            let content = match result.get("content") {
                // The answer to a form that was left empty may have no content.
                None => Map::new(),
                Some(Value::Object(content)) => content.clone(),
                Some(_) => return Err(ClientRequestError::invalid_answer("`content` must be an object")),
            };
            read(content).map(ElicitationResult::Accepted).map_err(ClientRequestError::invalid_answer)
        }
        ElicitationResult::Declined => Ok(ElicitationResult::Declined),
        ElicitationResult::Cancelled => Ok(ElicitationResult::Cancelled),
    }
}

fn read_action(result: &Value) -> Result<ElicitationResult<()>, ClientRequestError> {
    match result.get("action").and_then(Value::as_str) {
        Some("accept") => Ok(ElicitationResult::Accepted(())),
        Some("decline") => Ok(ElicitationResult::Declined),
        Some("cancel") => Ok(ElicitationResult::Cancelled),
        _ => Err(ClientRequestError::invalid_answer("`action` must be \"accept\", \"decline\" or \"cancel\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Revision = Revision::V2026_07_28;

    #[test]
    fn elicitation_has_the_form_of_each_revision() {
        let by_type = derive_form::<bool>().unwrap();
        let schema =
            json!({ "type": "object", "properties": { "value": { "type": "boolean" } }, "required": ["value"] });
        for (revision, params) in [
            (Revision::V2025_06_18, json!({ "message": "Sure?", "requestedSchema": schema })),
            (Revision::V2025_11_25, json!({ "mode": "form", "message": "Sure?", "requestedSchema": schema })),
            (NEWEST, json!({ "mode": "form", "message": "Sure?", "requestedSchema": schema })),
        ] {
            let spec = form_request("Sure?", &by_type, revision).unwrap();
            assert_eq!((spec.method.as_str(), &spec.params), ("elicitation/create", &params));
        }
        let page = "https://shop.example/sign-in";
        let modern = url_request("Sign in", page, NEWEST).unwrap();
        assert_eq!(modern.params, json!({ "mode": "url", "message": "Sign in", "url": page }));
        let id = |spec: &ClientRequestSpec| spec.params["elicitationId"].as_str().map(str::to_owned);
        let first = url_request("Sign in", page, Revision::V2025_11_25).unwrap();
        let second = url_request("Sign in", page, Revision::V2025_11_25).unwrap();
        assert!(id(&first).is_some() && id(&first) != id(&second));
    }

    #[test]
    fn a_multiple_choice_needs_a_newer_client() {
        let several = json!({ "type": "array", "items": { "type": "string", "enum": ["a"] } });
        let several = form_from_schema(&json!({ "type": "object", "properties": { "some": several } })).unwrap();
        let error = form_request("Which?", &several, Revision::V2025_06_18).unwrap_err();
        assert!(matches!(error, ClientRequestError::Unsupported { capability: "elicitation.form", .. }), "{error}");
        assert!(error.to_string().contains("field `some` allows several choices"), "{error}");
    }

    #[test]
    fn only_http_urls_can_be_opened() {
        for bad in ["", "shop.example", "file:///etc/passwd", "javascript:alert(1)", "https://a b", "ftp://a"] {
            let error = url_request("Open", bad, NEWEST).unwrap_err();
            assert!(matches!(error, ClientRequestError::InvalidRequest { .. }), "{bad}: {error}");
        }
        url_request("Open", "HTTPS://shop.example/", NEWEST).unwrap();
    }

    #[test]
    fn every_action_is_parsed() {
        let one = derive_form::<u8>().unwrap();
        let read = |result: Value| read::<u8>(&one, &result);
        assert_eq!(read(json!({ "action": "accept", "content": { "value": 3 } })), Ok(ElicitationResult::Accepted(3)));
        assert_eq!(read(json!({ "action": "decline" })), Ok(ElicitationResult::Declined));
        assert_eq!(read(json!({ "action": "cancel", "content": { "value": 3 } })), Ok(ElicitationResult::Cancelled));
        for (result, reason) in [
            (json!({ "action": "accept" }), "`/value`: missing"),
            (json!({ "action": "accept", "content": { "value": 300 } }), "`/value`: expected an integer from 0 to 255"),
            (json!({ "action": "accept", "content": [3] }), "`content` must be an object"),
            (json!({ "action": "yes" }), "`action` must be"),
            (json!({ "value": 3 }), "`action` must be"),
            (json!(null), "`action` must be"),
        ] {
            let error = read(result).unwrap_err();
            let ClientRequestError::InvalidResponse { reason: found } = error else { panic!("{error}") };
            assert!(found.starts_with(reason), "{found}");
        }
        assert_eq!(read_url(&json!({ "action": "accept" })), Ok(ElicitationResult::Accepted(())));
    }

    #[test]
    fn a_custom_form_returns_the_fields_of_its_schema() {
        let by_hand =
            form_from_schema(&json!({ "type": "object", "properties": { "name": { "type": "string" } } })).unwrap();
        let answer = json!({ "action": "accept", "content": { "name": "Ada", "more": 1 } });
        let content = read_schema_form(&by_hand, &answer).unwrap().accepted().unwrap();
        assert_eq!(Value::from(content), json!({ "name": "Ada" }));
        let empty = read_schema_form(&by_hand, &json!({ "action": "accept" })).unwrap();
        assert_eq!(empty, ElicitationResult::Accepted(Map::new()));
        assert!(matches!(form_from_schema(&json!([])), Err(ClientRequestError::InvalidRequest { .. })));
    }
}
