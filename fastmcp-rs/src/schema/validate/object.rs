//! Checks the members of an object: known, missing and unknown ones.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::alternatives::has_other_tag;
use super::describe::{describe_expected, quoted};
use super::{MAX_REFERENCES, Strictness, Validator, parse_limit};
use crate::schema::constraints::{check_length, check_text};
use crate::schema::publish;
use crate::schema::suggest::find_nearest;

impl<'a> Validator<'a> {
    pub(super) fn validate_object(&mut self, keywords: &'a Map<String, Value>, members: &mut Map<String, Value>) {
        let (min, max) = (parse_limit(keywords, "minProperties"), parse_limit(keywords, "maxProperties"));
        if let Err(problem) = check_length(members.len() as u64, min, max, "member") {
            self.add_problem(problem);
        }
        let none = Map::new();
        let properties: &Map<String, Value> = match keywords.get("properties") {
            Some(Value::Object(properties)) => properties,
            _ => &none,
        };
        let required: Vec<&str> = match keywords.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        let given = members.len();
        members.retain(|key, member| {
            if self.strictness == Strictness::Exact {
                return true;
            }
            // `null` counts as absent where it is not a valid value.
            let allows_null = properties.get(key).is_none_or(|schema| self.allows_null(schema, MAX_REFERENCES));
            allows_null || !member.is_null() || required.contains(&key.as_str())
        });
        self.report.is_coerced |= members.len() < given;
        if self.empty_is_nothing && self.path.is_empty() {
            let empty = members.iter().filter(|(key, member)| *member == "" && !required.contains(&key.as_str()));
            let cannot_be = |key: &&String| {
                let mut attempt = self.fork();
                let schema = keywords.get("properties").and_then(|properties| properties.get(*key));
                schema.into_iter().for_each(|schema| attempt.validate_value(schema, &mut Value::from("")));
                !attempt.report.problems.is_empty()
            };
            let left_out: Vec<String> = empty.map(|(key, _)| key).filter(cannot_be).cloned().collect();
            self.report.is_coerced |= !left_out.is_empty();
            members.retain(|key, _| !left_out.contains(key));
        }
        let is_flat = keywords.contains_key(publish::FLAT);
        let mut parts = Vec::new();
        if is_flat {
            self.parts(keywords, members, MAX_REFERENCES, &mut parts);
        }
        let mut unknown = Vec::new();
        for (key, member) in members.iter_mut() {
            // The look-up uses the schema itself, because the reference must outlive this call.
            let own = keywords.get("properties").and_then(|properties| properties.get(key));
            let fits = |(pattern, _): &(&String, &Value)| check_text(key, None, None, Some(pattern)).is_ok();
            let of_patterns = patterns.into_iter().flatten().filter(fits).map(|(_, schema)| schema);
            let mut is_known = false;
            let before = self.report.problems.len();
            for schema in own.into_iter().chain(of_patterns) {
                is_known = true;
                self.at_member(key, |validator| validator.validate_value(schema, member));
            }
            let is_null = member.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("null"));
            if is_null && !required.contains(&key.as_str()) {
                for problem in &mut self.report.problems[before..] {
                    problem.text.push_str("; omit it if it has no value");
                }
            }
            is_known |= parts.iter().any(|part| takes(part, key));
            match keywords.get("additionalProperties").filter(|_| !is_known) {
                Some(Value::Bool(false)) => unknown.push(key.clone()),
                Some(schema) => self.at_member(key, |validator| validator.validate_value(schema, member)),
                None if is_flat && !is_known => unknown.push(key.clone()),
                None => {}
            }
        }
        for name in required {
            if !members.contains_key(name) {
                let schema = properties.get(name).and_then(Value::as_object);
                let expected =
                    schema.map_or_else(String::new, |schema| format!("; expected {}", describe_expected(schema)));
                self.at_member(name, |validator| validator.add_problem(format!("missing{expected}")));
            }
        }
        let of_parts = parts.iter().filter_map(|part| part.get("properties")?.as_object());
        let known: Vec<&str> =
            std::iter::once(properties).chain(of_parts).flat_map(Map::keys).map(String::as_str).collect();
        for key in unknown {
            let given = |name: &&str| !members.contains_key(*name);
            let meant = find_nearest(&key, known.iter().copied().filter(given));
            let noun = if self.path.is_empty() { "argument" } else { "member" };
            let mut text = format!("unknown {noun}");
            let pattern = patterns.and_then(|patterns| patterns.keys().next());
            match (meant, known.as_slice(), pattern) {
                (Some(meant), ..) => _ = write!(text, "; did you mean `{meant}`?"),
                (None, [], Some(pattern)) => {
                    text = format!("the name of the {noun} must match the pattern `{pattern}`")
                }
                (None, [], None) => _ = write!(text, "; no {noun}s are allowed"),
                (None, [only], _) => _ = write!(text, "; the only valid one is `{only}`"),
                (None, known, _) => _ = write!(text, "; valid ones are {}", quoted(known)),
            }
            let before = self.report.problems.len();
            self.at_member(&key, |validator| validator.add_problem(text));
            self.report.problems[before..].iter_mut().for_each(|problem| problem.is_unknown_member = true);
        }
    }

    /// Collects the other schemas that an object must fit beside its own keywords. Alternatives that its tag excludes
    /// are left out, unless it excludes all of them.
    fn parts(
        &self,
        keywords: &'a Map<String, Value>,
        object: &Map<String, Value>,
        references: usize,
        parts: &mut Vec<&'a Value>,
    ) {
        let mut report: Vec<&'a Value> = Vec::new();
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let Some(Value::Array(schemas)) = keywords.get(keyword) else { continue };
            let fitting = || schemas.iter().filter(|schema| !has_other_tag(schema, object));
            match fitting().next() {
                Some(_) => report.extend(fitting()),
                None => report.extend(schemas),
            }
        }
        report.extend(keywords.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve_reference(name)));
        for part in report {
            parts.push(part);
            if let Some(keywords) = part.as_object().filter(|_| references > 0) {
                self.parts(keywords, object, references - 1, parts);
            }
        }
    }
}

/// Returns true if a schema allows a member of this name.
fn takes(schema: &Value, name: &str) -> bool {
    let Some(keywords) = schema.as_object() else { return *schema == Value::Bool(true) };
    let own = keywords.get("properties").and_then(Value::as_object);
    own.is_some_and(|own| own.contains_key(name))
        || keywords.get("additionalProperties").is_some_and(|rest| *rest != Value::Bool(false))
        || keywords.contains_key("patternProperties")
}
