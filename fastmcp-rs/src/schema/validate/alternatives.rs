//! Values that must fit one of several alternatives: `anyOf` and `oneOf`.
//!
//! A tag that all alternatives have selects one of them, and only the problems of that one are reported.

use serde_json::{Map, Value};

use super::describe::{describe_expected, excerpt, list_allowed, list_forms, quoted};
use super::{MAX_PROBLEMS, Strictness, ValidationReport, Validator, ValueProblem};
use crate::schema::suggest::find_nearest;

/// The bytes of a value that may be copied at the cost of one visit.
const COPIED_BYTES_PER_STEP: usize = 4 << 10;

impl<'a> Validator<'a> {
    /// Takes the first alternative that matches. If none matches, reports the problems of the closest one: the
    /// alternative whose tag matches, or else the alternative with the fewest problems.
    pub(super) fn validate_alternatives(&mut self, branches: &'a [Value], value: &mut Value) {
        if self.strictness == Strictness::Lenient {
            self.parse_embedded_json(branches, value);
        }
        match VariantTags::find(self, branches) {
            Some(VariantTags::Member(name, tagged)) => return self.validate_by_tag(name, &tagged, value),
            Some(VariantTags::Name { plain, tagged }) => return self.validate_by_name(&plain, &tagged, value),
            Some(VariantTags::Flat(tagged)) if self.by_member(&tagged, value) => return,
            _ => {}
        }
        // A value other than `null` is meant for one of the other alternatives.
        let is_null = |branch: &&Value| branch.get("type").is_some_and(|name| name == "null");
        let others: Vec<&'a Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
        if let ([only], false) = (others.as_slice(), value.is_null()) {
            return self.validate_value(only, value);
        }
        let mut closest: Option<(Likeness, Vec<ValueProblem>)> = None;
        let mut is_tie = false;
        for branch in branches {
            // A different tag excludes an alternative. Visiting it anyway would multiply the work at each level.
            if value.as_object().is_some_and(|object| has_other_tag(branch, object)) {
                continue;
            }
            self.steps = self.steps.saturating_sub(size_of_value(value) / COPIED_BYTES_PER_STEP);
            let mut candidate = value.clone();
            let mut validator = self.fork();
            validator.validate_value(branch, &mut candidate);
            self.steps = validator.steps;
            let ValidationReport { problems, is_coerced, .. } = validator.report;
            if problems.is_empty() {
                *value = candidate;
                self.report.is_coerced |= is_coerced;
                return;
            }
            let likeness = Likeness {
                is_tagged: has_matching_tag(branch, value),
                is_complete: problems.iter().all(|problem| problem.is_unknown_member),
                has_type: (value.is_object() || value.is_array())
                    && problems.iter().all(|problem| problem.path != self.path),
                problems: std::cmp::Reverse(problems.len()),
            };
            let order = closest.as_ref().map_or(std::cmp::Ordering::Greater, |(best, _)| likeness.cmp(best));
            is_tie = order.is_eq() || is_tie && order.is_lt();
            if order.is_gt() {
                closest = Some((likeness, problems));
            }
        }
        match closest {
            Some((likeness, problems)) if likeness.is_tagged || likeness.has_type && !is_tie => {
                self.report.problems.extend(problems);
                self.report.problems.truncate(MAX_PROBLEMS);
            }
            _ => {
                self.add_problem(format!("expected {}, got {}", list_forms(branches), excerpt(value)));
            }
        }
    }

    /// Unwraps an object or a list from a text, if no alternative allows a text.
    fn parse_embedded_json(&mut self, branches: &[Value], value: &mut Value) {
        let takes_text = |branch: &Value| {
            let names = branch.get("type").and_then(Value::as_str);
            branch.get("$ref").is_some()
                || names
                    .is_none_or(|name| name == "string" && only_text(branch).is_none() && branch.get("enum").is_none())
        };
        let Some(text) = value.as_str().filter(|_| !branches.iter().any(takes_text)) else { return };
        let inside = serde_json::from_str::<Value>(text.trim()).ok();
        if let Some(inside) = inside.filter(|inside| inside.is_object() || inside.is_array()) {
            *value = inside;
            self.report.is_coerced = true;
        }
    }

    /// Visits the alternative that the value's tag names.
    fn validate_by_tag(&mut self, tag: &str, tagged: &[(&'a str, &'a Value)], value: &mut Value) {
        let allowed: Vec<Value> = tagged.iter().map(|(name, _)| Value::from(*name)).collect();
        let Some(members) = value.as_object() else {
            let text =
                format!("expected an object whose `{tag}` is {}, got {}", list_allowed(&allowed), excerpt(value));
            return self.add_problem(text);
        };
        let Some(given) = members.get(tag) else {
            let meant = find_nearest(tag, members.keys().map(String::as_str));
            let meant = meant.map(|meant| format!("; did you misspell it as `{meant}`?")).unwrap_or_default();
            return self.at_member(tag, |validator| {
                validator.add_problem(format!("missing; expected {}{meant}", list_allowed(&allowed)))
            });
        };
        match tagged.iter().find(|(name, _)| given == name) {
            Some((_, branch)) => self.validate_value(branch, value),
            None => self.at_member(tag, |validator| validator.report_unlisted(&allowed, given)),
        }
    }

    /// Visits the alternative that one of the value's members names. Returns false if several of them do.
    fn by_member(&mut self, tagged: &[(&'a str, &'a Value)], value: &mut Value) -> bool {
        let names: Vec<&str> = tagged.iter().map(|(name, _)| *name).collect();
        let Some(members) = value.as_object() else {
            let text = format!("expected an object with one of the members {}, got {}", quoted(&names), excerpt(value));
            self.add_problem(text);
            return true;
        };
        let mut named = tagged.iter().filter(|(name, _)| members.contains_key(*name)).map(|(_, branch)| *branch);
        match (named.next(), named.next()) {
            (None, _) => self.add_problem(format!("needs one of the members {}", quoted(&names))),
            (Some(branch), None) => self.validate_value(branch, value),
            (Some(_), Some(_)) => return false,
        }
        true
    }

    /// Visits the alternative that is named by the value or by its only member.
    fn validate_by_name(&mut self, plain: &[&'a str], tagged: &[(&'a str, &'a Value)], value: &mut Value) {
        let names = || plain.iter().copied().chain(tagged.iter().map(|(name, _)| *name));
        let allowed: Vec<Value> = names().map(Value::from).collect();
        match value {
            Value::String(text) if plain.contains(&text.as_str()) => {}
            Value::String(text) => match tagged.iter().find(|(name, _)| name == text) {
                Some((name, held)) => {
                    let held = held.as_object().map_or_else(|| "a value".into(), describe_expected);
                    let text = format!("expected an object with the member `{name}` ({held}), got {}", excerpt(value));
                    self.add_problem(text);
                }
                None => self.report_unlisted(&allowed, value),
            },
            Value::Object(members) if members.len() == 1 && members.keys().any(|key| plain.contains(&key.as_str())) => {
                // serde accepts this form of a unit variant too, with `null`.
                let Some((name, held)) = members.iter().next() else { return };
                let name = Value::from(name.as_str());
                if !held.is_null() {
                    self.add_problem(format!("expected only the string {name}, got {}", excerpt(value)));
                }
            }
            Value::Object(members) if members.len() == 1 => {
                let Some((key, held)) = members.iter_mut().next() else { return };
                if let Some((_, schema)) = tagged.iter().find(|(name, _)| name == key) {
                    return self.at_member(key, |validator| validator.validate_value(schema, held));
                }
                let meant =
                    find_nearest(key, names()).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                let text = format!("unknown variant; expected {}{meant}", list_allowed(&allowed));
                self.at_member(key, |validator| validator.add_problem(text));
            }
            other => {
                let text = format!(
                    "expected an object with one member, named {}, got {}",
                    list_allowed(&allowed),
                    excerpt(other)
                );
                self.add_problem(text);
            }
        }
    }
}

/// Returns about the number of bytes that a value takes in memory.
fn size_of_value(value: &Value) -> usize {
    let held = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size_of_value).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + size_of_value(member)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + held
}

/// The likeness of a value to an alternative that it does not fit.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    is_tagged: bool,
    /// True if the value fits, except for members that the alternative does not have.
    is_complete: bool,
    /// True if a list or an object is wrong inside only.
    has_type: bool,
    problems: std::cmp::Reverse<usize>,
}

/// The tags that distinguish alternatives.
enum VariantTags<'a> {
    /// The value of a member.
    Member(&'a str, Vec<(&'a str, &'a Value)>),
    /// The name of the only member; a unit variant is a text.
    Name { plain: Vec<&'a str>, tagged: Vec<(&'a str, &'a Value)> },
    /// The name of one of the members.
    Flat(Vec<(&'a str, &'a Value)>),
}

impl<'a> VariantTags<'a> {
    fn find(validator: &Validator<'a>, branches: &'a [Value]) -> Option<VariantTags<'a>> {
        let resolved = |branch: &'a Value| match branch.get("$ref").and_then(Value::as_str) {
            Some(name) => validator.resolve_reference(name),
            None => Some(branch),
        };
        let branches: Vec<&'a Value> = branches.iter().map(resolved).collect::<Option<_>>()?;
        if branches.len() < 2 {
            return None;
        }
        VariantTags::member(&branches).or_else(|| VariantTags::name(&branches)).or_else(|| VariantTags::flat(&branches))
    }

    fn member(branches: &[&'a Value]) -> Option<VariantTags<'a>> {
        let tag = |branch: &'a Value, name: &str| -> Option<&'a str> {
            branch.get("required")?.as_array()?.iter().find(|required| *required == name)?;
            only_text(branch.get("properties")?.get(name)?)
        };
        let names = branches.first()?.get("properties")?.as_object()?.keys();
        let tags = names.map(|name| {
            let tagged = branches.iter().map(|branch| Some((tag(branch, name)?, *branch)));
            Some(VariantTags::Member(name, tagged.collect::<Option<_>>()?))
        });
        tags.flatten().next()
    }

    fn name(branches: &[&'a Value]) -> Option<VariantTags<'a>> {
        let (mut plain, mut tagged) = (Vec::new(), Vec::new());
        for branch in branches {
            if let Some(name) = only_text(branch) {
                plain.push(name);
            } else if let Some(Value::Array(names)) = branch.get("enum") {
                plain.extend(names.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?);
            } else {
                let is_closed = branch.get("additionalProperties") == Some(&Value::Bool(false));
                tagged.push(only_member(branch).filter(|_| is_closed)?);
            }
        }
        (!tagged.is_empty()).then_some(VariantTags::Name { plain, tagged })
    }

    fn flat(branches: &[&'a Value]) -> Option<VariantTags<'a>> {
        let named = |branch: &&'a Value| Some((only_member(branch)?.0, *branch));
        let tagged: Vec<(&str, &Value)> = branches.iter().map(named).collect::<Option<_>>()?;
        let mut names: Vec<&str> = tagged.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        (names.len() == tagged.len()).then_some(VariantTags::Flat(tagged))
    }
}

/// Returns the only member that an object has, if it is required.
fn only_member(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema.get("properties")?.as_object()?;
    let (name, held) = properties.iter().next().filter(|_| properties.len() == 1)?;
    let is_required = schema.get("required") == Some(&Value::from([name.as_str()].as_slice()));
    is_required.then_some((name, held))
}

/// Returns the only text that a schema allows.
fn only_text(schema: &Value) -> Option<&str> {
    match schema.get("enum") {
        Some(Value::Array(values)) if values.len() == 1 => values.first()?.as_str(),
        _ => schema.get("const")?.as_str(),
    }
}

/// Returns true if a member of the value marks it as this alternative.
fn has_matching_tag(branch: &Value, value: &Value) -> bool {
    let (Some(Value::Object(properties)), Some(members)) = (branch.get("properties"), value.as_object()) else {
        return false;
    };
    properties.iter().any(|(name, schema)| {
        members.get(name).is_some_and(|member| schema.get("const") == Some(member))
            // The tag of a variant with content is the member's name itself.
            || (properties.len() == 1 && members.contains_key(name))
    })
}

/// Returns true if a member of the object marks it as another alternative.
pub(super) fn has_other_tag(branch: &Value, object: &Map<String, Value>) -> bool {
    let Some(Value::Object(properties)) = branch.get("properties") else { return false };
    properties.iter().any(|(name, schema)| {
        let tag = schema.get("const").filter(|tag| tag.is_string());
        tag.is_some_and(|tag| object.get(name).is_some_and(|member| member.is_string() && member != tag))
    })
}
