//! Schemas of forms: the subset of JSON Schema that elicitation allows, a flat object of strings, numbers, booleans and
//! choices.
//!
//! A schema is read into a model of that subset and written again for the revision of each client, because the
//! revisions differ. Keywords outside of the subset are dropped from a schema that was derived from a type, because the
//! type enforces them. In a hand-written schema they are rejected, because nothing would enforce them.

mod formats;
mod read;

use formats::has_format;
pub(crate) use formats::is_uri;
use read::SchemaReader;
use serde_json::{Map, Number, Value, json};

use crate::protocol::{Feature, Revision};
use crate::schema::{normalize, validate};

/// A form: its fields, and the schema that checks an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FormSchema {
    fields: Vec<Field>,
    /// The schema that checks an answer. It may contain constraints that clients cannot be sent.
    full: Value,
}

#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    title: Option<String>,
    description: Option<String>,
    default: Option<Value>,
    required: bool,
    kind: FieldKind,
    /// True if titles were written as `enumNames`, which every revision still supports.
    has_enum_names: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum FieldKind {
    Text { min: Option<u64>, max: Option<u64>, format: Option<String> },
    Number { integer: bool, min: Option<Number>, max: Option<Number> },
    Boolean,
    One(Vec<Choice>),
    Many { choices: Vec<Choice>, min: Option<u64>, max: Option<u64> },
}

#[derive(Debug, Clone, PartialEq)]
struct Choice {
    name: String,
    title: Option<String>,
}

impl FormSchema {
    /// Reads a schema that was derived from a type.
    ///
    /// # Errors
    ///
    /// Returns, for the author of the type, the field that a form cannot have.
    pub(crate) fn from_type_schema(raw: Value) -> Result<FormSchema, String> {
        let full = normalize::normalize_input(raw.clone());
        let fields = SchemaReader { strict: false }.object(&full, &raw)?;
        Ok(FormSchema { fields, full })
    }

    /// Reads a hand-written schema.
    ///
    /// # Errors
    ///
    /// Returns, for the author, the part outside of the subset, and the allowed parts.
    pub(crate) fn from_hand_written(schema: &Value) -> Result<FormSchema, String> {
        let fields = SchemaReader { strict: true }.object(schema, schema)?;
        let mut form = FormSchema { fields, full: Value::Null };
        form.full = form.object(Field::write_plain);
        Ok(form)
    }

    /// Returns the schema for clients of a revision.
    ///
    /// # Errors
    ///
    /// Returns the field that the revision does not support.
    pub(crate) fn for_revision(&self, revision: Revision) -> Result<Value, String> {
        let old = !revision.has(Feature::FormChoices);
        if let Some(field) = self.fields.iter().find(|field| old && matches!(field.kind, FieldKind::Many { .. })) {
            return Err(format!(
                "field `{}` allows several choices, which revision {revision} does not support",
                field.name
            ));
        }
        Ok(self.object(if old { Field::write_legacy } else { Field::write_newest }))
    }

    fn object(&self, write: impl Fn(&Field) -> Map<String, Value>) -> Value {
        let properties: Map<String, Value> =
            self.fields.iter().map(|field| (field.name.clone(), write(field).into())).collect();
        let required: Vec<&str> =
            self.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        let mut object = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object
    }

    /// Checks the content of an answer, and corrects values whose meaning is clear. Unknown members are removed.
    ///
    /// # Errors
    ///
    /// Returns every problem with its place.
    pub(crate) fn check(&self, content: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut content = content;
        content
            .retain(|name, value| self.fields.iter().any(|field| field.name == *name && !field.is_left_empty(value)));
        let mut value = Value::Object(content);
        let found = validate::validate_and_coerce(&self.full, &mut value, true);
        let Value::Object(content) = value else { return Err("must be an object".into()) };
        let mut problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        for field in &self.fields {
            if let (FieldKind::Text { format: Some(format), .. }, Some(Value::String(text))) =
                (&field.kind, content.get(&field.name))
            {
                if !has_format(format, text) {
                    problems.push(format!("`/{}`: expected a string in the format {format}", field.name));
                }
            }
        }
        if problems.is_empty() { Ok(content) } else { Err(problems.join("; ")) }
    }
}

impl Field {
    /// Returns true if the value is the empty text of an input that was left empty. Some clients send it for each such
    /// input, even for fields that are not texts.
    fn is_left_empty(&self, value: &Value) -> bool {
        let takes_empty = matches!(&self.kind, FieldKind::Text { min, format: None, .. } if min.unwrap_or(0) == 0);
        !self.required && !takes_empty && value.as_str() == Some("")
    }

    fn write_newest(&self) -> Map<String, Value> {
        if self.has_enum_names {
            return self.write(with_enum_names);
        }
        self.write(|choices, several| match (choices.iter().any(|choice| choice.title.is_some()), several) {
            (true, several) => {
                let titled = choices.iter().map(|choice| json!({ "const": choice.name, "title": choice.label() }));
                let titled: Vec<Value> = titled.collect();
                vec![(if several { "anyOf" } else { "oneOf" }, titled.into())]
            }
            (false, true) => vec![("type", "string".into()), ("enum", names(choices))],
            (false, false) => vec![("enum", names(choices))],
        })
    }

    /// Writes the field for revision 2025-06-18.
    fn write_legacy(&self) -> Map<String, Value> {
        let mut members = self.write(with_enum_names);
        if self.kind != FieldKind::Boolean {
            members.remove("default");
        }
        members
    }

    /// Writes the field without titles, for the check.
    fn write_plain(&self) -> Map<String, Value> {
        self.write(|choices, _| vec![("enum", names(choices))])
    }

    fn write(&self, choices: impl Fn(&[Choice], bool) -> Vec<(&'static str, Value)>) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(key.into(), value);
            }
        };
        let name = match &self.kind {
            FieldKind::Text { .. } | FieldKind::One(_) => "string",
            FieldKind::Number { integer: true, .. } => "integer",
            FieldKind::Number { integer: false, .. } => "number",
            FieldKind::Boolean => "boolean",
            FieldKind::Many { .. } => "array",
        };
        put("type", Some(name.into()));
        put("title", self.title.clone().map(Value::from));
        put("description", self.description.clone().map(Value::from));
        match &self.kind {
            FieldKind::Text { min, max, format } => {
                put("minLength", min.map(Value::from));
                put("maxLength", max.map(Value::from));
                put("format", format.clone().map(Value::from));
            }
            FieldKind::Number { min, max, .. } => {
                put("minimum", min.clone().map(Value::from));
                put("maximum", max.clone().map(Value::from));
            }
            FieldKind::Boolean => {}
            FieldKind::One(names) => {
                for (key, value) in choices(names, false) {
                    put(key, Some(value));
                }
            }
            FieldKind::Many { choices: names, min, max } => {
                put("minItems", min.map(Value::from));
                put("maxItems", max.map(Value::from));
                let items = choices(names, true).into_iter().map(|(key, value)| (key.to_owned(), value));
                put("items", Some(Value::Object(items.collect())));
            }
        }
        put("default", self.default.clone());
        members
    }
}

fn with_enum_names(choices: &[Choice], _: bool) -> Vec<(&'static str, Value)> {
    let mut keywords = vec![("enum", names(choices))];
    if choices.iter().any(|choice| choice.title.is_some()) {
        keywords.push(("enumNames", choices.iter().map(Choice::label).collect()));
    }
    keywords
}

impl Choice {
    fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

fn names(choices: &[Choice]) -> Value {
    choices.iter().map(|choice| choice.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(properties: Value) -> Result<FormSchema, String> {
        FormSchema::from_hand_written(&json!({ "type": "object", "properties": properties }))
    }

    fn answer(form: &FormSchema, content: Value) -> Result<Value, String> {
        form.check(content.as_object().cloned().unwrap()).map(Value::Object)
    }

    #[test]
    fn a_custom_form_is_sent_unchanged() {
        let properties = json!({
            "name": { "type": "string", "title": "Name", "description": "Yours.", "minLength": 1, "maxLength": 9 },
            "mail": { "type": "string", "format": "email", "default": "a@b.example" },
            "age": { "type": "integer", "minimum": 0, "maximum": 150, "default": 3 },
            "share": { "type": "number", "minimum": 0.5 },
            "sure": { "type": "boolean", "default": true },
            "plan": { "type": "string", "enum": ["free", "paid"], "default": "free" },
            "size": { "type": "string", "oneOf": [{ "const": "s", "title": "Small" }, { "const": "l", "title": "Large" }] },
            "days": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "string", "enum": ["mo", "tu"] } },
            "tags": { "type": "array", "items": { "anyOf": [{ "const": "a", "title": "A" }] }, "default": ["a"] },
        });
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object", "properties": properties, "required": ["name", "age"],
        });
        let form = FormSchema::from_hand_written(&schema).unwrap();
        for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
            let sent = form.for_revision(revision).unwrap();
            assert_eq!(sent["properties"], properties);
            assert_eq!(sent["required"], schema["required"]);
        }
        form.for_revision(Revision::V2025_06_18).unwrap_err();
    }

    #[test]
    fn a_client_of_2025_06_18_gets_a_form_of_its_revision() {
        let written = form(json!({
            "mail": { "type": "string", "format": "email", "default": "a@b.example" },
            "sure": { "type": "boolean", "default": true },
            "plan": { "type": "string", "enum": ["free", "paid"], "enumNames": ["No money", "Money"] },
        }));
        let form = written.unwrap();
        assert_eq!(
            form.for_revision(Revision::V2025_06_18).unwrap()["properties"],
            json!({
                "mail": { "type": "string", "format": "email" },
                "sure": { "type": "boolean", "default": true },
                "plan": { "type": "string", "enum": ["free", "paid"], "enumNames": ["No money", "Money"] },
            })
        );
        // The author wrote `enumNames`, and every revision supports it.
        let plan = &form.for_revision(Revision::V2026_07_28).unwrap()["properties"]["plan"];
        assert_eq!((&plan["enumNames"], plan.get("oneOf")), (&json!(["No money", "Money"]), None));
    }

    #[test]
    fn schemas_that_forms_cannot_express_are_refused() {
        for (property, problem) in [
            (
                json!({ "type": "string", "pattern": "a" }),
                "`pattern` is not allowed in a form: a string can have `type`, `title`, `description`, `default`, `minLength`, `maxLength`, `format`",
            ),
            (json!({ "type": "string", "format": "uuid" }), "`format` must be"),
            (json!({ "type": "string", "format": 1 }), "`format` must be"),
            (json!({ "type": "string", "title": 1 }), "`title` must be a string"),
            (json!({ "type": "string", "minLength": -1 }), "`minLength` must be an integer"),
            (json!({ "type": "string", "minLength": 3, "maxLength": 2 }), "so no value is valid"),
            (json!({ "type": "integer", "exclusiveMinimum": 1 }), "`exclusiveMinimum` is not allowed"),
            (json!({ "type": "integer", "minimum": "1" }), "`minimum` must be a number"),
            (json!({ "type": "number", "minimum": 1.5, "maximum": 1 }), "so no value is valid"),
            (json!({ "type": "integer", "default": "three" }), "the default is invalid: `/`: expected an integer"),
            (json!({ "type": "string", "enum": ["a"], "default": "b" }), "the default is invalid"),
            (json!({ "type": "boolean", "enum": [true] }), "`enum` is not allowed in a form: a boolean can have"),
            (json!({ "type": "object", "properties": {} }), "a field of a form must be"),
            (json!({ "type": ["string", "null"] }), "a field of a form must be"),
            (json!({ "$ref": "#/$defs/a" }), "a field of a form must be"),
            (json!({}), "a field of a form must be"),
            (json!(true), "a field of a form must be"),
            (json!({ "type": "string", "enum": ["a", 1] }), "a field of a form must be"),
            (json!({ "type": "string", "enum": [] }), "the list of choices is empty"),
            (json!({ "type": "string", "enum": ["a", "a"] }), "the choice `a` occurs twice"),
            (
                json!({ "type": "string", "enum": ["a"], "minLength": 1 }),
                "`minLength` is not allowed in a form: a choice can have",
            ),
            (json!({ "type": "string", "enum": ["a"], "enumNames": [] }), "`enumNames` must be a list of titles"),
            (json!({ "type": "string", "enum": ["a"], "oneOf": [] }), "exclude each other"),
            (json!({ "type": "string", "oneOf": [{ "const": "a" }] }), "an entry of `oneOf` must be"),
            (json!({ "type": "string", "anyOf": [{ "const": "a", "title": "A" }] }), "`anyOf` is not allowed"),
            (json!({ "type": "array" }), "a field of a form must be"),
            (json!({ "type": "array", "items": { "type": "string" } }), "a field of a form must be"),
            (
                json!({ "type": "array", "items": { "enum": ["a"] }, "uniqueItems": true }),
                "`uniqueItems` is not allowed",
            ),
        ] {
            let found = form(json!({ "one": property })).unwrap_err();
            assert!(found.starts_with("field `one`: ") && found.contains(problem), "{property}: {found}");
        }
        for (schema, problem) in [
            (json!("object"), "a flat object"),
            (json!({ "properties": {} }), "a flat object"),
            (json!({ "type": "object" }), "a flat object"),
            (json!({ "type": "array", "properties": {} }), "a flat object"),
            (
                json!({ "type": "object", "properties": {}, "oneOf": [] }),
                "`oneOf` is not allowed in the schema of a form",
            ),
            (
                json!({ "type": "object", "properties": {}, "required": ["a"] }),
                "`required` contains \"a\", which is not a field",
            ),
            (json!({ "type": "object", "properties": {}, "required": "a" }), "`required` must be a list"),
        ] {
            let found = FormSchema::from_hand_written(&schema).unwrap_err();
            assert!(found.contains(problem), "{schema}: {found}");
        }
    }

    #[test]
    fn form_content_is_checked() {
        let schema = json!({
            "type": "object",
            "properties": {
                "age": { "type": "integer", "minimum": 0 },
                "plan": { "type": "string", "oneOf": [{ "const": "free", "title": "Free" }] },
                "days": { "type": "array", "maxItems": 1, "items": { "type": "string", "enum": ["mo", "tu"] } },
                "note": { "type": "string" },
            },
            "required": ["age"],
        });
        let form = FormSchema::from_hand_written(&schema).unwrap();
        let good = json!({ "age": 3, "plan": "free", "days": ["tu"], "note": "" });
        assert_eq!(answer(&form, good.clone()), Ok(good));
        let sloppy = json!({ "age": "3", "plan": "", "days": null, "more": {} });
        assert_eq!(answer(&form, sloppy), Ok(json!({ "age": 3 })));
        for (content, problem) in [
            (json!({}), "`/age`: missing; expected an integer of at least 0"),
            (json!({ "age": "" }), "`/age`: expected an integer of at least 0"),
            (json!({ "age": -1 }), "`/age`: expected an integer of at least 0, got -1"),
            (json!({ "age": 1, "plan": "paid" }), "`/plan`: expected"),
            (json!({ "age": 1, "days": ["mo", "tu"] }), "`/days`: must have at most 1 item"),
            (json!({ "age": 1, "note": [] }), "`/note`: expected a string"),
        ] {
            let found = answer(&form, content.clone()).unwrap_err();
            assert!(found.starts_with(problem), "{content}: {found}");
        }
    }

    #[test]
    fn formats_are_checked_loosely() {
        for (format, good, bad) in [
            ("email", &["a@b", "a.b+c@d.example", "ä@ö"][..], &["a", "@b", "a@", "a b@c"][..]),
            (
                "uri",
                &["https://a.example/b?c#d", "urn:isbn:1", "mailto:a@b"],
                &["a.example", ":a", "1a:b", "a:b c", "a:"],
            ),
            (
                "date",
                &["2026-07-28", "2024-02-29"],
                &["2026-7-28", "2026-13-01", "2026-00-01", "2026-01-32", "28.07.2026", "2026-07-281"],
            ),
            (
                "date-time",
                &["2026-07-28T10:00:00Z", "2026-07-28t10:00:00.5+02:00", "2026-07-28T10:00"],
                &["2026-07-28", "2026-07-28T", "2026-07-28Tnoon", "2026-07-2810:00", "2026-07-2ää10:00"],
            ),
        ] {
            let form = form(json!({ "one": { "type": "string", "format": format } })).unwrap();
            for text in good {
                assert!(answer(&form, json!({ "one": text })).is_ok(), "{format}: {text}");
            }
            for text in bad {
                let problem = answer(&form, json!({ "one": text })).unwrap_err();
                assert_eq!(problem, format!("`/one`: expected a string in the format {format}"), "{text}");
            }
        }
    }
}
