//! Reads a JSON Schema as a form.

use serde_json::{Map, Number, Value};

use super::formats::FORMATS;
use super::{Choice, Field, FieldKind};
use crate::schema::number::parse_number;
use crate::schema::validate;

/// Reads schemas into the model.
pub(super) struct SchemaReader {
    /// True if keywords outside of the subset are errors.
    pub(super) strict: bool,
}

impl SchemaReader {
    /// Reads the fields of a form. `raw` is the same schema before normalisation: it still has the documented names as
    /// separate alternatives.
    pub(super) fn object(&self, schema: &Value, raw: &Value) -> Result<Vec<Field>, String> {
        let flat = "the schema of a form must be a flat object, such as {\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}}}";
        let members = schema.as_object().ok_or_else(|| flat.to_owned())?;
        if members.get("type").is_some_and(|name| name != "object") || !members.contains_key("type") {
            return Err(flat.into());
        }
        if self.strict {
            // These keywords do not affect the fields, and are not sent.
            let ignored = ["$schema", "title", "description", "additionalProperties"];
            let known = |key: &&String| !["type", "properties", "required"].contains(&key.as_str());
            if let Some(key) = members.keys().filter(known).find(|key| !ignored.contains(&key.as_str())) {
                return Err(format!(
                    "`{key}` is not allowed in the schema of a form: use `type`, `properties` and `required`"
                ));
            }
        }
        let none = Map::new();
        let properties = match members.get("properties") {
            Some(Value::Object(properties)) => properties,
            None if !self.strict => &none,
            _ => return Err(flat.into()),
        };
        let required = self.required(members, properties)?;
        let mut fields = Vec::new();
        for (name, property) in properties {
            let raw = raw.get("properties").and_then(|properties| properties.get(name)).unwrap_or(property);
            let field = self.field(name, property, raw, required.contains(&name.as_str()));
            fields.push(field.map_err(|problem| format!("field `{name}`: {problem}"))?);
        }
        Ok(fields)
    }

    fn required<'a>(
        &self,
        members: &'a Map<String, Value>,
        properties: &Map<String, Value>,
    ) -> Result<Vec<&'a str>, String> {
        let names = match members.get("required") {
            None => return Ok(Vec::new()),
            Some(Value::Array(names)) => names,
            Some(_) => return Err("`required` must be a list of names of fields".into()),
        };
        let mut required = Vec::new();
        for name in names {
            match name.as_str().filter(|name| properties.contains_key(*name)) {
                Some(name) => required.push(name),
                None => return Err(format!("`required` contains {name}, which is not a field")),
            }
        }
        Ok(required)
    }

    fn field(&self, name: &str, property: &Value, raw: &Value, required: bool) -> Result<Field, String> {
        let members = property.as_object().ok_or_else(no_place)?;
        let kind = self.kind(members, raw)?;
        kind.check_bounds()?;
        let text = |key: &str| match members.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{key}` must be a string")),
        };
        let mut field = Field {
            name: name.to_owned(),
            title: text("title")?,
            description: text("description")?,
            default: None,
            required,
            kind,
            has_enum_names: members.contains_key("enumNames"),
        };
        if matches!(field.kind, FieldKind::One(_) | FieldKind::Many { .. }) {
            // The normalised schema puts the meanings of the names into the description; a form has them as titles.
            field.description = description_of(raw);
        }
        if let Some(default) = members.get("default") {
            let mut checked = default.clone();
            let found = validate::validate_and_coerce(&field.write_plain().into(), &mut checked, false);
            if let Some(problem) = found.problems.first() {
                return Err(format!("the default is invalid: {problem}"));
            }
            field.default = Some(checked);
        }
        Ok(field)
    }

    fn kind(&self, members: &Map<String, Value>, raw: &Value) -> Result<FieldKind, String> {
        let named = match members.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(_) => return Err(no_place()),
            None => None,
        };
        match named {
            Some("array") => {
                self.check_keywords(members, "a list of choices", &["items", "minItems", "maxItems"])?;
                let raw = items_of(raw).ok_or_else(no_place)?;
                if self.strict {
                    self.check_choice_keywords(raw, "anyOf")?;
                }
                let choices = choices_of(raw).ok_or_else(no_place)?;
                check_choices(&choices)?;
                Ok(FieldKind::Many { choices, min: count(members, "minItems")?, max: count(members, "maxItems")? })
            }
            Some("boolean") => {
                self.check_keywords(members, "a boolean", &[])?;
                Ok(FieldKind::Boolean)
            }
            Some(name @ ("integer" | "number")) => {
                self.check_keywords(members, "a number", &["minimum", "maximum"])?;
                let bound = |key: &str| match members.get(key) {
                    None => Ok(None),
                    Some(Value::Number(number)) => Ok(Some(number.clone())),
                    Some(_) => Err(format!("`{key}` must be a number")),
                };
                Ok(FieldKind::Number { integer: name == "integer", min: bound("minimum")?, max: bound("maximum")? })
            }
            Some("string") | None => match choices_of(raw) {
                Some(choices) => {
                    if self.strict {
                        self.check_choice_keywords(raw, "oneOf")?;
                    }
                    check_choices(&choices)?;
                    Ok(FieldKind::One(choices))
                }
                None if named.is_none() || ["enum", "oneOf", "anyOf"].iter().any(|key| members.contains_key(*key)) => {
                    Err(no_place())
                }
                None => {
                    self.check_keywords(members, "a string", &["minLength", "maxLength", "format"])?;
                    let format = members.get("format").and_then(Value::as_str);
                    if self.strict
                        && members.contains_key("format")
                        && !format.is_some_and(|format| FORMATS.contains(&format))
                    {
                        return Err("`format` must be \"email\", \"uri\", \"date\" or \"date-time\"".into());
                    }
                    let format = format.filter(|format| FORMATS.contains(format)).map(str::to_owned);
                    Ok(FieldKind::Text { min: count(members, "minLength")?, max: count(members, "maxLength")?, format })
                }
            },
            Some(_) => Err(no_place()),
        }
    }

    /// Rejects keywords that this kind of field does not have.
    fn check_keywords(&self, members: &Map<String, Value>, what: &str, own: &[&str]) -> Result<(), String> {
        if !self.strict {
            return Ok(());
        }
        let common = ["type", "title", "description", "default"];
        match members.keys().find(|key| !common.contains(&key.as_str()) && !own.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let known: Vec<String> = common.iter().chain(own).map(|key| format!("`{key}`")).collect();
                Err(format!("`{key}` is not allowed in a form: {what} can have {}", known.join(", ")))
            }
        }
    }

    /// Rejects keywords that a list of choices does not have, in a hand-written schema.
    fn check_choice_keywords(&self, schema: &Value, titled: &str) -> Result<(), String> {
        let Some(members) = schema.as_object() else { return Err(no_place()) };
        self.check_keywords(members, "a choice", &["enum", "enumNames", titled])?;
        if members.contains_key("enum") && members.contains_key(titled) {
            return Err(format!("`enum` and `{titled}` exclude each other: remove one of the two"));
        }
        if let Some(titles) = members.get("enumNames") {
            let (Some(Value::Array(names)), Some(titles)) = (members.get("enum"), titles.as_array()) else {
                return Err("`enumNames` must be a list of titles, one for each name in `enum`".into());
            };
            if titles.len() != names.len() || !titles.iter().all(Value::is_string) {
                return Err("`enumNames` must be a list of titles, one for each name in `enum`".into());
            }
        }
        for branch in members.get(titled).and_then(Value::as_array).into_iter().flatten() {
            let fits = branch.as_object().is_some_and(|branch| {
                branch.len() == 2 && ["const", "title"].iter().all(|key| branch.get(*key).is_some_and(Value::is_string))
            });
            if !fits {
                return Err(format!(
                    "an entry of `{titled}` must be {{\"const\": \"name\", \"title\": \"Text for people\"}}"
                ));
            }
        }
        Ok(())
    }
}

impl FieldKind {
    fn check_bounds(&self) -> Result<(), String> {
        let crossed = match self {
            FieldKind::Text { min: Some(min), max: Some(max), .. }
            | FieldKind::Many { min: Some(min), max: Some(max), .. } => min > max,
            FieldKind::Number { min: Some(min), max: Some(max), .. } => {
                let number = |number: &Number| parse_number(&Value::Number(number.clone()));
                matches!((number(min), number(max)), (Some(min), Some(max))
                    if crate::schema::constraints::check_range(min, None, Some(max)).is_err())
            }
            _ => false,
        };
        if crossed { Err("the lower bound is above the upper bound, so no value is valid".into()) } else { Ok(()) }
    }
}

fn no_place() -> String {
    "a field of a form must be a string, a number, a boolean, one of several names, or a list of these names".into()
}

fn count(members: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match members.get(key) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{key}` must be an integer of at least 0")),
    }
}

fn check_choices(choices: &[Choice]) -> Result<(), String> {
    if choices.is_empty() {
        return Err("the list of choices is empty".into());
    }
    for (at, choice) in choices.iter().enumerate() {
        if choices[..at].iter().any(|other| other.name == choice.name) {
            return Err(format!("the choice `{}` occurs twice", choice.name));
        }
    }
    Ok(())
}

/// Returns the names that a schema allows, or `None` if it allows other values too. `null` means no choice, and is
/// skipped.
fn choices_of(schema: &Value) -> Option<Vec<Choice>> {
    let members = schema.as_object()?;
    if let Some(name) = members.get("const") {
        let title = ["title", "description"].iter().find_map(|key| members.get(*key)?.as_str());
        return Some(vec![Choice { name: name.as_str()?.to_owned(), title: title.map(title_of) }]);
    }
    if let Some(Value::Array(allowed)) = members.get("enum") {
        let titles = members.get("enumNames").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let choices = allowed.iter().enumerate().filter(|(_, name)| !name.is_null()).map(|(at, name)| {
            let title = titles.get(at).and_then(Value::as_str).map(str::to_owned);
            Some(Choice { name: name.as_str()?.to_owned(), title })
        });
        return choices.collect();
    }
    let branches = ["oneOf", "anyOf"].iter().find_map(|key| members.get(*key)?.as_array())?;
    let mut choices = Vec::new();
    for branch in branches {
        if branch.get("type").is_none_or(|name| name != "null") {
            choices.extend(choices_of(branch)?);
        }
    }
    Some(choices)
}

/// Returns the first paragraph of a doc comment as the title of a name.
fn title_of(description: &str) -> String {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.strip_suffix('.') {
        Some(line) if !line.contains(". ") && !line.ends_with('.') => line.to_owned(),
        _ => line,
    }
}

/// Returns the schema of a list's items, even if the list may be `null`.
fn items_of(schema: &Value) -> Option<&Value> {
    let branches = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    schema.get("items").or_else(|| branches.filter_map(|branch| branch.get("items")).next())
}

/// Returns the description of a field, even if the field may be `null`.
fn description_of(schema: &Value) -> Option<String> {
    let of = |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
    of(schema).or_else(|| {
        let branches = schema.get("anyOf").and_then(Value::as_array)?;
        branches.iter().find(|branch| branch.get("const").is_none()).and_then(of)
    })
}
