//! Arguments that some clients add to calls, without a model having written them or a tool having declared them.

use serde_json::{Map, Value};

use crate::json::object;
use crate::json::reader::{JsonError, Members, Reader};

/// The names that are ignored in every call: additions of Gemini CLI and n8n.
const ALWAYS: [&str; 2] = ["wait_for_previous", CALL_ID];
/// The argument that identifies a call from n8n.
const CALL_ID: &str = "toolCallId";
/// The names that are ignored in calls from n8n. Other clients may send them on purpose.
const BESIDE_CALL_ID: [&str; 4] = ["sessionId", "action", "chatInput", "tool"];

/// The arguments that are ignored if a tool does not declare them.
#[derive(Clone, Debug, Default)]
pub(crate) struct IgnoredArguments {
    pub(crate) everything: bool,
    pub(crate) names: Vec<String>,
}

impl IgnoredArguments {
    /// Returns the arguments without those to be ignored, or `None` if there is nothing to remove.
    pub(crate) fn strip(&self, arguments: &str, schema: &Value, tool: &str) -> Option<String> {
        // A name may be spelled with escapes.
        let is_escaped = arguments.contains("\\u");
        let is_named = |name: &str| is_escaped || arguments.contains(name);
        if !self.everything && !ALWAYS.into_iter().any(is_named) && !self.names.iter().any(|name| is_named(name)) {
            return None;
        }
        let given = object::read_members::<MemberTexts<'_>>(arguments).ok()?.0;
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        // An open schema accepts arguments that it does not name.
        let everything = self.everything && schema.get("additionalProperties") == Some(&Value::Bool(false));
        let has_call_id = given.iter().any(|(name, _)| name == CALL_ID) && !properties.contains_key(CALL_ID);
        let is_ignored = |name: &str| {
            let is_listed = ALWAYS.contains(&name)
                || has_call_id && BESIDE_CALL_ID.contains(&name)
                || self.names.iter().any(|other| other == name);
            (everything || is_listed) && !properties.contains_key(name)
        };
        let (ignored, kept): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| is_ignored(name));
        if ignored.is_empty() {
            return None;
        }
        for (name, _) in &ignored {
            let name: String = name.chars().take(128).collect();
            tracing::debug!(target: "fastmcp_rs", "tool `{tool}`: the argument `{name}` is ignored, because the tool does not have it");
        }
        let kept: Vec<String> =
            kept.iter().map(|(name, text)| format!("{}:{text}", Value::from(name.as_str()))).collect();
        Some(format!("{{{}}}", kept.join(",")))
    }
}

/// The members of an object in their original order, including duplicates.
#[derive(Default)]
struct MemberTexts<'a>(Vec<(String, &'a str)>);

impl<'a> Members<'a> for MemberTexts<'a> {
    const KEYS: &'static [&'static str] = &[];

    fn take(&mut self, _: usize, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        reader.skip_value()
    }

    fn take_other(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        let value = reader.read_value()?;
        self.0.push((name.to_owned(), value.get()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_arguments_added_by_the_client_are_removed() {
        let schema = json!({"type": "object", "properties": {"n": {}, "tool": {}}, "additionalProperties": false});
        let strip = |text: &str| IgnoredArguments::default().strip(text, &schema, "t");
        assert_eq!(strip(r#"{"n":1}"#), None);
        assert_eq!(strip(r#"{"n": 1, "wait_for_previous": true}"#).unwrap(), r#"{"n":1}"#);
        assert_eq!(strip(r#"{"action":"x"}"#), None, "a word that others mean");
        assert_eq!(
            strip(r#"{"toolCallId":"1","action":"x","tool":"y","n":[1,{"toolCallId":2}]}"#).unwrap(),
            r#"{"tool":"y","n":[1,{"toolCallId":2}]}"#,
            "neither what is declared nor what is inside"
        );
        let all = IgnoredArguments { everything: true, names: Vec::new() };
        assert_eq!(all.strip(r#"{"x":1,"n":2,"n":3}"#, &schema, "t").unwrap(), r#"{"n":2,"n":3}"#);
        assert_eq!(all.strip(r#"{"x":1}"#, &json!({"type": "object"}), "t"), None, "an open schema takes all");
        let named = IgnoredArguments { everything: false, names: vec!["summary".into()] };
        assert_eq!(named.strip(r#"{"summary":1}"#, &schema, "t").unwrap(), "{}");
    }

    #[test]
    fn an_argument_is_ignored_in_every_spelling_of_its_name() {
        let ignored = IgnoredArguments::default();
        let schema = serde_json::json!({"properties": {"text": {"type": "string"}}});
        let stripped = ignored.strip(r#"{"text":"x","wait\u005ffor_previous":true}"#, &schema, "t");
        assert_eq!(stripped.as_deref(), Some(r#"{"text":"x"}"#));
    }
}
