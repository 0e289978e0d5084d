//! Compares rejected arguments with the published schema.
//!
//! It reports every problem at once, each with its place, the expected and the actual value, so that a model can
//! correct all of them in its next call. It also corrects values whose meaning is clear: an integer written as `1.0`,
//! and a number, a list or an object inside of a string, which some models send.
//!
//! It supports the keywords of generated schemas, and a few that are common in hand-written ones; other keywords are
//! ignored. Tools created at run time are checked by it alone. A valid call of a generated tool never comes here.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::constraints::{check_length, check_range, check_text};
use super::number::{Number, parse_number};
use super::reference::resolve_reference;
use super::suggest::find_nearest;
use super::{format, publish};

/// The most problems that are reported; a model does not correct more at a time.
const MAX_PROBLEMS: usize = 20;
/// The most characters of a value that are shown.
const MAX_SHOWN: usize = 80;
/// The longest chain of references without data between them. A recursive schema ends where the data ends.
const MAX_REFERENCES: usize = 32;
/// The most values that are visited. Alternatives multiply, because each may visit a value again at each level, and
/// other calls wait meanwhile.
const MAX_STEPS: usize = 100_000;
/// The most values that are visited in a result, which is the author's own.
const MAX_OWN_STEPS: usize = 10_000_000;

/// The problem of one value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValueProblem {
    /// A JSON pointer.
    path: String,
    text: String,
    /// True if the problem is a member that the schema does not have.
    pub(crate) is_unknown_member: bool,
}

impl std::fmt::Display for ValueProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`: {}", if self.path.is_empty() { "/" } else { &self.path }, self.text)
    }
}

/// The result of a walk.
#[derive(Debug, Default)]
pub(crate) struct ValidationReport {
    pub(crate) problems: Vec<ValueProblem>,
    /// True if the value was corrected.
    pub(crate) is_coerced: bool,
    /// True if the value was too large to be visited completely.
    pub(crate) is_incomplete: bool,
}

/// Checks `value` against `schema`, and corrects it. With `lenient`, JSON inside of strings is unwrapped.
pub(crate) fn validate_and_coerce(schema: &Value, value: &mut Value, lenient: bool) -> ValidationReport {
    let strictness = if lenient { Strictness::Lenient } else { Strictness::Plain };
    Validator::new(schema, strictness, MAX_STEPS).run(schema, value)
}

/// Explains why a type has rejected arguments, and corrects them. Formats are checked too, because the type checks
/// them. With `empty_is_nothing`, an empty text counts as absent where it is not a valid value.
pub(crate) fn explain_refusal(
    schema: &Value,
    value: &mut Value,
    lenient: bool,
    empty_is_nothing: bool,
) -> ValidationReport {
    let strictness = if lenient { Strictness::Lenient } else { Strictness::Plain };
    let mut validator = Validator::new(schema, strictness, MAX_STEPS);
    validator.has_types = true;
    validator.empty_is_nothing = empty_is_nothing;
    validator.run(schema, value)
}

/// Removes an optional argument whose value is the empty text. Returns whether it did.
pub(crate) fn leave_out_empty(schema: &Value, value: &mut Value, argument: Option<&str>) -> bool {
    let (Some(name), Some(members)) = (argument, value.as_object_mut()) else { return false };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = required.is_some_and(|names| names.iter().any(|required| required == name));
    if is_required || members.get(name) != Some(&Value::from("")) {
        return false;
    }
    members.remove(name).is_some()
}

/// Checks `value` against `schema` exactly as a recipient would: `null` is a value like any other.
pub(crate) fn check_value(schema: &Value, value: &Value) -> ValidationReport {
    Validator::new(schema, Strictness::Exact, MAX_OWN_STEPS).run(schema, &mut value.clone())
}

/// The interpretation of values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// JSON inside of strings is unwrapped, and `null` counts as absent where it is not a valid value.
    Lenient,
    /// `null` counts as absent where it is not a valid value.
    Plain,
    /// Each value is taken as it is.
    Exact,
}

impl<'a> Validator<'a> {
    fn new(root: &'a Value, strictness: Strictness, steps: usize) -> Validator<'a> {
        Validator {
            root,
            strictness,
            report: ValidationReport::default(),
            path: String::new(),
            references: 0,
            steps,
            has_types: false,
            empty_is_nothing: false,
        }
    }

    fn run(self, schema: &'a Value, value: &mut Value) -> ValidationReport {
        let mut validator = self;
        validator.validate_value(schema, value);
        if validator.steps == 0 {
            // The unvisited part may be invalid, so the corrected value must not be used for a call.
            validator.report.is_coerced = false;
            validator.report.is_incomplete = true;
        }
        validator.report
    }
}

struct Validator<'a> {
    root: &'a Value,
    strictness: Strictness,
    report: ValidationReport,
    path: String,
    references: usize,
    /// The number of values that may still be visited.
    steps: usize,
    /// True if the schema belongs to types, which check formats, and false if it is hand-written.
    has_types: bool,
    empty_is_nothing: bool,
}

impl<'a> Validator<'a> {
    fn add_problem(&mut self, text: impl Into<String>) {
        if self.report.problems.len() < MAX_PROBLEMS {
            let (path, text) = (self.path.clone(), text.into());
            self.report.problems.push(ValueProblem { path, text, is_unknown_member: false });
        }
    }

    /// Returns another walker at the same place, whose findings can be discarded.
    fn fork(&self) -> Validator<'a> {
        Validator { report: ValidationReport::default(), path: self.path.clone(), ..*self }
    }

    /// Runs `work` with the path of the member `key`.
    fn at_member(&mut self, key: &str, work: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        work(self);
        self.path.truncate(length);
    }

    fn validate_value(&mut self, schema: &'a Value, value: &mut Value) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            return;
        }
        let Some(keywords) = schema.as_object() else {
            if *schema == Value::Bool(false) {
                self.add_problem(format!("no value is allowed here, got {}", excerpt(value)));
            }
            return;
        };
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve_reference(name))
        {
            if self.references < MAX_REFERENCES {
                self.references += 1;
                self.validate_value(target, value);
                self.references -= 1;
            }
        }
        if let Some(Value::Array(parts)) = keywords.get("allOf") {
            parts.iter().for_each(|part| self.validate_value(part, value));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = keywords.get(keyword) {
                self.validate_alternatives(branches, value);
            }
        }
        if let Some(allowed) = keywords.get("const") {
            if !is_equal(allowed, value) {
                self.add_problem(format!("expected {allowed}, got {}", excerpt(value)));
                return;
            }
        }
        if let Some(Value::Array(allowed)) = keywords.get("enum") {
            if !allowed.iter().any(|candidate| is_equal(candidate, value)) {
                self.report_unlisted(allowed, value);
                return;
            }
        }
        if !self.check_type(keywords, value) {
            return;
        }
        let references = std::mem::take(&mut self.references);
        match value {
            Value::Number(_) => self.validate_number(keywords, value),
            Value::String(text) if self.has_other_format(keywords, text) => {
                self.add_problem(format!("expected {}, got {}", describe_expected(keywords), excerpt(value)));
            }
            Value::String(text) => {
                let (min, max) = (parse_limit(keywords, "minLength"), parse_limit(keywords, "maxLength"));
                let pattern = keywords.get("pattern").and_then(Value::as_str);
                if let Err(problem) = check_text(text, min, max, pattern) {
                    self.add_problem(format!("{problem}; got {}", excerpt(value)));
                }
            }
            Value::Array(items) => self.validate_array(keywords, items),
            Value::Object(members) => self.validate_object(keywords, members),
            Value::Null | Value::Bool(_) => {}
        }
        self.references = references;
    }

    fn resolve_reference(&self, reference: &str) -> Option<&'a Value> {
        resolve_reference(self.root, reference)
    }

    /// Returns true if `null` may be a value of this schema.
    fn allows_null(&self, schema: &Value, references: usize) -> bool {
        let Some(keywords) = schema.as_object() else { return *schema != Value::Bool(false) };
        let is_null_type = |name: &Value| name == "null";
        let any = |branches: &Value| {
            branches
                .as_array()
                .is_none_or(|branches| branches.iter().any(|branch| self.allows_null(branch, references)))
        };
        keywords.iter().all(|(keyword, value)| match (keyword.as_str(), value) {
            ("type", Value::String(_)) => is_null_type(value),
            ("type", Value::Array(names)) => names.iter().any(is_null_type),
            ("enum", Value::Array(values)) => values.iter().any(Value::is_null),
            ("const", only) => only.is_null(),
            ("anyOf" | "oneOf", branches) => any(branches),
            ("allOf", Value::Array(parts)) => parts.iter().all(|part| self.allows_null(part, references)),
            ("$ref", Value::String(name)) if references > 0 => {
                self.resolve_reference(name).is_none_or(|target| self.allows_null(target, references - 1))
            }
            _ => true,
        })
    }

    /// Checks the JSON type, and corrects a value of another type if its meaning is clear.
    fn check_type(&mut self, keywords: &'a Map<String, Value>, value: &mut Value) -> bool {
        let types: Vec<&str> = match keywords.get("type") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        if types.iter().any(|name| is_type(name, value)) {
            return true;
        }
        if value.is_number() && keywords.get(format::UNPUBLISHED).is_some_and(|format| format == "decimal") {
            return true;
        }
        if coerce_integer(&types, value) {
            self.report.is_coerced = true;
            return true;
        }
        if let (Strictness::Lenient, Value::String(text)) = (self.strictness, &*value) {
            let inside = serde_json::from_str::<Value>(text.trim()).ok().filter(|inside| !inside.is_string());
            if let Some(mut inside) = inside {
                if types.iter().any(|name| is_type(name, &inside)) || coerce_integer(&types, &mut inside) {
                    *value = inside;
                    self.report.is_coerced = true;
                    return true;
                }
            }
        }
        self.add_problem(format!("expected {}, got {}", describe_expected(keywords), excerpt(value)));
        false
    }

    /// Returns true if a text cannot have the format that its type reads.
    fn has_other_format(&self, keywords: &Map<String, Value>, text: &str) -> bool {
        self.has_types
            && find_format(keywords).is_some_and(|format| match format {
                "decimal" => text.trim().parse::<f64>().is_err(),
                format => !format::may_match(format, text),
            })
    }

    fn validate_number(&mut self, keywords: &'a Map<String, Value>, value: &Value) {
        let bound = |keyword| keywords.get(keyword).and_then(parse_number);
        let Some(number) = parse_number(value) else { return };
        if check_range(number, bound("minimum"), bound("maximum")).is_err() {
            self.add_problem(format!("expected {}, got {value}", describe_expected(keywords)));
        }
        // Only hand-written schemas have these keywords.
        if let Some(low) = bound("exclusiveMinimum").filter(|low| number.cmp_to(*low).is_le()) {
            self.add_problem(format!("expected a number greater than {low}, got {value}"));
        }
        if let Some(high) = bound("exclusiveMaximum").filter(|high| number.cmp_to(*high).is_ge()) {
            self.add_problem(format!("expected a number less than {high}, got {value}"));
        }
        let float = |value: &Value| value.as_f64().unwrap_or_default();
        if let Some(step) = keywords.get("multipleOf").filter(|step| float(step) > 0.0) {
            let fits = match (number, parse_number(step)) {
                (Number::Integer(number), Some(Number::Integer(step))) => number % step == 0,
                _ => {
                    let times = float(value) / float(step);
                    // Decimal fractions such as 0.1 have no exact representation, so a small difference is accepted.
                    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
                }
            };
            if !fits {
                self.add_problem(format!("expected a multiple of {step}, got {value}"));
            }
        }
    }

    fn validate_array(&mut self, keywords: &'a Map<String, Value>, items: &mut [Value]) {
        let (min, max) = (parse_limit(keywords, "minItems"), parse_limit(keywords, "maxItems"));
        if let Err(problem) = check_length(items.len() as u64, min, max, "items") {
            self.add_problem(problem);
        }
        let first = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter_mut().enumerate() {
            if let Some(schema) = first.get(at).or_else(|| keywords.get("items")) {
                self.at_member(&at.to_string(), |validator| validator.validate_value(schema, item));
            }
        }
    }

    fn validate_object(&mut self, keywords: &'a Map<String, Value>, members: &mut Map<String, Value>) {
        let (min, max) = (parse_limit(keywords, "minProperties"), parse_limit(keywords, "maxProperties"));
        if let Err(problem) = check_length(members.len() as u64, min, max, "members") {
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

    fn report_unlisted(&mut self, allowed: &[Value], value: &Value) {
        let mut text = format!("expected {}, got {}", list_allowed(allowed), excerpt(value));
        if let Some(meant) =
            value.as_str().and_then(|given| find_nearest(given, allowed.iter().filter_map(Value::as_str)))
        {
            let _ = write!(text, "; did you mean \"{meant}\"?");
        }
        self.add_problem(text);
    }

    /// Takes the first alternative that matches. If none matches, reports the problems of the closest one: the
    /// alternative whose tag matches, or else the alternative with the fewest problems.
    fn validate_alternatives(&mut self, branches: &'a [Value], value: &mut Value) {
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
                let forms: Vec<String> =
                    branches.iter().map(|branch| branch.as_object().map_or("anything".into(), form)).collect();
                self.add_problem(format!("expected {}, got {}", forms.join(", or "), excerpt(value)));
            }
        }
    }
}

/// The likeness of a value to an alternative that it does not fit.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    is_tagged: bool,
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

impl<'a> Validator<'a> {
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

/// Returns the format of a text, published or not.
fn find_format(keywords: &Map<String, Value>) -> Option<&str> {
    keywords.get(format::UNPUBLISHED).or_else(|| keywords.get("format")).and_then(Value::as_str)
}

/// Returns true if a schema allows a member of this name.
fn takes(schema: &Value, name: &str) -> bool {
    let Some(keywords) = schema.as_object() else { return *schema == Value::Bool(true) };
    let own = keywords.get("properties").and_then(Value::as_object);
    own.is_some_and(|own| own.contains_key(name))
        || keywords.get("additionalProperties").is_some_and(|rest| *rest != Value::Bool(false))
        || keywords.contains_key("patternProperties")
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
fn has_other_tag(branch: &Value, object: &Map<String, Value>) -> bool {
    let Some(Value::Object(properties)) = branch.get("properties") else { return false };
    properties.iter().any(|(name, schema)| {
        let tag = schema.get("const").filter(|tag| tag.is_string());
        tag.is_some_and(|tag| object.get(name).is_some_and(|member| member.is_string() && member != tag))
    })
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Converts a float without a fraction to an integer. `1.0` is an integer in JSON Schema, but not in serde.
fn coerce_integer(types: &[&str], value: &mut Value) -> bool {
    let Some(float) = value.as_f64().filter(|float| types.contains(&"integer") && float.fract() == 0.0) else {
        return false;
    };
    // Beyond 2^53 a float does not identify one integer.
    if float.abs() > 9_007_199_254_740_992.0 {
        return false;
    }
    *value = Value::from(float as i64);
    true
}

/// Compares values as JSON Schema does: 1 and 1.0 are equal.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => match (parse_number(one), parse_number(other)) {
            (Some(one), Some(other)) => one.cmp_to(other).is_eq(),
            _ => one == other,
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_equal(one, other)))
        }
        _ => one == other,
    }
}

/// Reads a limit, which may be written as a float: `3.0`.
fn parse_limit(keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
    let limit = keywords.get(keyword)?;
    limit
        .as_u64()
        .or_else(|| limit.as_f64().filter(|limit| *limit >= 0.0 && limit.fract() == 0.0).map(|limit| limit as u64))
}

/// Describes the values that a schema allows.
fn describe_expected(keywords: &Map<String, Value>) -> String {
    if let Some(Value::Array(allowed)) = keywords.get("enum") {
        return list_allowed(allowed);
    }
    if let Some(only) = keywords.get("const") {
        return only.to_string();
    }
    let article = |name: &str| match name {
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    let mut text = match keywords.get("type") {
        Some(Value::String(only)) => article(only).to_owned(),
        Some(Value::Array(names)) => {
            let others: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
            let nullable = others.len() < names.len() && !others.is_empty();
            if nullable {
                let mut inner = keywords.clone();
                inner.insert("type".into(), others.into());
                return format!("{}, or null", describe_expected(&inner));
            }
            names.iter().filter_map(Value::as_str).map(article).collect::<Vec<_>>().join(" or ")
        }
        _ => "another value".into(),
    };
    let range = |low: Option<&Value>, high: Option<&Value>, unit: &str| match (low, high) {
        (Some(low), Some(high)) if low == high && !unit.is_empty() => {
            format!(" of {low}{}", if *low == 1 { unit.trim_end_matches('s') } else { unit })
        }
        (Some(low), Some(high)) => format!(" from {low} to {high}{unit}"),
        (Some(low), None) => format!(" of at least {low}{unit}"),
        (None, Some(high)) => format!(" of at most {high}{unit}"),
        (None, None) => String::new(),
    };
    text.push_str(&range(keywords.get("minimum"), keywords.get("maximum"), ""));
    text.push_str(&range(keywords.get("minLength"), keywords.get("maxLength"), " characters"));
    text.push_str(&range(keywords.get("minItems"), keywords.get("maxItems"), " items"));
    match find_format(keywords).map(|format| (format, format::describe_format(format))) {
        Some((_, Some(words))) => return words.to_owned(),
        Some((format, None)) => _ = write!(text, " in the format {format}"),
        None => {}
    }
    if let Some(Value::String(pattern)) = keywords.get("pattern") {
        let _ = write!(text, " that matches `{pattern}`");
    }
    text
}

/// Describes the values of one of several alternatives, an object by its required members.
fn form(keywords: &Map<String, Value>) -> String {
    let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
    match required.filter_map(Value::as_str).collect::<Vec<_>>().as_slice() {
        [] => describe_expected(keywords),
        required => format!("{} with {}", describe_expected(keywords), quoted(required)),
    }
}

fn list_allowed(allowed: &[Value]) -> String {
    let values: Vec<String> = allowed.iter().take(30).map(Value::to_string).collect();
    let more = if allowed.len() > values.len() { ", …" } else { "" };
    format!("one of {}{more}", values.join(", "))
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().take(30).map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Formats a value with its type, cut to a useful length.
pub(crate) fn excerpt(value: &Value) -> String {
    let (kind, text) = match value {
        Value::Null => return "null".into(),
        Value::Bool(_) => ("", value.to_string()),
        Value::Number(_) => ("", value.to_string()),
        Value::String(text) => {
            // The text is cut before it is escaped, so that no escape sequence is cut.
            let cut: String = text.chars().take(MAX_SHOWN).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            return format!("the string {}{more}", Value::String(cut));
        }
        Value::Array(_) => ("the list ", value.to_string()),
        Value::Object(_) => ("the object ", value.to_string()),
    };
    let cut: String = text.chars().take(MAX_SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{kind}{cut}{more}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "status": {"type": "string", "enum": ["SHIPPED", "PROCESSING"]},
                "limit": {"type": "integer", "minimum": 1, "maximum": 10},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                "item": {"$ref": "#/$defs/Item"},
                "code": {"type": "string", "pattern": "^A"}
            },
            "required": ["status"],
            "additionalProperties": false,
            "$defs": {"Item": {
                "type": "object",
                "properties": {"n": {"type": "number"}, "sub": {"$ref": "#/$defs/Item"}},
                "required": ["n"]
            }}
        })
    }

    fn told(mut value: Value, lenient: bool) -> Vec<String> {
        validate_and_coerce(&schema(), &mut value, lenient).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let value = json!({
            "status": "shiped", "limit": "ten", "tags": ["ok", "long", 3],
            "item": {"n": 1, "sub": {"n": "x"}}, "code": "B", "stauts": 1
        });
        assert_eq!(
            told(value, true),
            [
                r#"`/status`: expected one of "SHIPPED", "PROCESSING", got the string "shiped"; did you mean "SHIPPED"?"#,
                r#"`/limit`: expected an integer from 1 to 10, got the string "ten""#,
                r#"`/tags/1`: must have at most 3 characters, not 4; got the string "long""#,
                r#"`/tags/2`: expected a string of at most 3 characters, got 3"#,
                r#"`/item/sub/n`: expected a number, got the string "x""#,
                r#"`/code`: must match the pattern `^A`; got the string "B""#,
                r#"`/stauts`: unknown argument; valid ones are `status`, `limit`, `tags`, `item`, `code`"#,
            ]
        );
        assert_eq!(
            told(json!({"stats": "SHIPPED"}), true),
            [
                r#"`/status`: missing; expected one of "SHIPPED", "PROCESSING""#,
                r#"`/stats`: unknown argument; did you mean `status`?"#,
            ]
        );
    }

    #[test]
    fn json_inside_strings_is_parsed() {
        let mut value = json!({"status": "SHIPPED", "limit": " 3 ", "tags": "[\"a\"]", "item": "{\"n\": \"1.5\"}"});
        assert_eq!(validate_and_coerce(&schema(), &mut value.clone(), false).problems.len(), 3);
        assert!(validate_and_coerce(&schema(), &mut value, true).problems.is_empty());
        assert_eq!(value, json!({"status": "SHIPPED", "limit": 3, "tags": ["a"], "item": {"n": 1.5}}));
    }

    #[test]
    fn whole_floats_become_integers_and_null_becomes_absent() {
        let mut value = json!({"status": "SHIPPED", "limit": 3.0, "tags": null});
        assert!(validate_and_coerce(&schema(), &mut value, false).problems.is_empty());
        assert_eq!(value["limit"], json!(3));
        assert!(value["limit"].is_i64());
        assert_eq!(told(json!({"status": null}), true).len(), 1);
        assert_eq!(told(json!({"status": "SHIPPED", "limit": 3.5}), true).len(), 1);
    }

    #[test]
    fn the_alternative_with_the_matching_tag_is_explained() {
        let schema = json!({"oneOf": [
            {"type": "object", "properties": {"kind": {"const": "card"}, "number": {"type": "string"}}, "required": ["kind", "number"]},
            {"type": "object", "properties": {"kind": {"const": "cash"}}, "required": ["kind"]}
        ]});
        let problems = validate_and_coerce(&schema, &mut json!({"kind": "card", "number": 4}), true).problems;
        assert_eq!(problems[0].to_string(), "`/number`: expected a string, got 4");
        assert!(validate_and_coerce(&schema, &mut json!({"kind": "cash"}), true).problems.is_empty());
        let problems = validate_and_coerce(&schema, &mut json!(3), true).problems;
        assert_eq!(problems[0].to_string(), r#"`/`: expected an object whose `kind` is one of "card", "cash", got 3"#);
    }

    #[test]
    fn recursive_alternatives_are_explained_quickly_and_exactly() {
        let pair = |op: &str| json!({"type": "object", "properties": {"op": {"const": op}, "left": {"$ref": "#/$defs/E"}, "right": {"$ref": "#/$defs/E"}}, "required": ["op", "left", "right"]});
        let number = json!({"type": "object", "properties": {"op": {"const": "num"}, "value": {"type": "integer"}}, "required": ["op", "value"]});
        let schema =
            json!({"$defs": {"E": {"oneOf": [pair("add"), pair("mul"), pair("sub"), number]}}, "$ref": "#/$defs/E"});
        let mut value = json!({"op": "num", "value": "x"});
        for _ in 0..12 {
            value = json!({"op": "add", "left": {"op": "num", "value": 1}, "right": value});
        }
        let start = std::time::Instant::now();
        let problems = validate_and_coerce(&schema, &mut value, true).problems;
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().ends_with("/right/value`: expected an integer, got the string \"x\""));

        // Without tags no alternative can be skipped, and the steps run out.
        let branch =
            |_| json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a"]});
        let untagged = json!({"anyOf": (0..4).map(branch).collect::<Vec<_>>()});
        let mut value = json!(1);
        for _ in 0..25 {
            value = json!({"a": value});
        }
        let start = std::time::Instant::now();
        assert!(!validate_and_coerce(&untagged, &mut value, true).is_coerced);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }

    #[test]
    fn maps_with_patterns_are_checked() {
        let schema = json!({"type": "object", "patternProperties": {"^-?[0-9]+$": {"type": "number"}}, "additionalProperties": false});
        let mut value = json!({"1": "2.0"});
        let report = validate_and_coerce(&schema, &mut value, true);
        assert!(report.problems.is_empty() && report.is_coerced);
        assert_eq!(validate_and_coerce(&schema, &mut json!({"x": 1}), true).problems.len(), 1);
    }

    #[test]
    fn custom_schemas_are_checked() {
        let schema = json!({"type": "object", "properties": {
            "n": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "multipleOf": 0.1},
            "never": false,
            "maybe": {"$ref": "#/$defs/Maybe"},
            "one": {"enum": [1, null]},
        }, "$defs": {"Maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
        let told = |value: Value| -> Vec<String> {
            validate_and_coerce(&schema, &mut value.clone(), false).problems.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(json!({"n": 0.3})), [""; 0]);
        assert_eq!(told(json!({"n": 0})), ["`/n`: expected a number greater than 0, got 0"]);
        assert_eq!(told(json!({"n": 10})), ["`/n`: expected a number less than 10, got 10"]);
        assert_eq!(told(json!({"n": 0.25})), ["`/n`: expected a multiple of 0.1, got 0.25"]);
        assert_eq!(told(json!({"never": 1})), ["`/never`: no value is allowed here, got 1"]);
        let mut value = json!({"maybe": null, "one": null, "n": null});
        assert!(validate_and_coerce(&schema, &mut value, false).problems.is_empty());
        assert_eq!(value, json!({"maybe": null, "one": null}), "only what cannot be `null` is left out");
    }

    #[test]
    fn the_walk_over_a_large_value_stops_at_its_limit() {
        let schema = json!({"type": "array", "items": {"type": "integer"}});
        assert!(!validate_and_coerce(&schema, &mut json!(vec![0; 1000]), false).is_incomplete);
        assert!(validate_and_coerce(&schema, &mut json!(vec![0; 100_000]), false).is_incomplete);
    }

    #[test]
    fn a_self_referential_schema_terminates() {
        let schema = json!({"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"});
        assert!(validate_and_coerce(&schema, &mut json!(1), true).problems.is_empty());
    }
}
