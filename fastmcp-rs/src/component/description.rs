//! What the generated function tells of its tool: the schemas, and what it requires.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::completion::Complete;
use super::inject::Requirements;
use super::tool::{Parameter, Text};
use crate::protocol::frame::without_position;
use crate::schema::publish::{self, FLAT, Style};
use crate::schema::{constraints, header, normal};

/// A tool's description while it is being filled in.
#[doc(hidden)]
pub struct Description {
    generator: SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<Value>,
    output: Option<Value>,
    scalar: Option<ScalarSchema>,
    mime_type: Option<&'static str>,
    parameters: Vec<Argument>,
    pub(crate) requirements: Requirements,
    pub(crate) needs_request: bool,
    /// What is wrong with the tool, in words for its author.
    problems: Vec<String>,
}

/// A component's schemas and requirements.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) input: Value,
    pub(crate) output: Option<Value>,
    /// The schema of its results, if each is a single value. It is published if they are sent as structured content.
    pub(crate) scalar: Option<ScalarSchema>,
    /// What a resource's values are, as far as their type tells.
    pub(crate) mime_type: Option<&'static str>,
    /// The parameters that come from the client, in their order.
    pub(crate) parameters: Vec<Argument>,
    pub(crate) requirements: Requirements,
    pub(crate) needs_request: bool,
    /// Whether a value that was read may hold members that nothing has read: what holds the members of others cannot
    /// tell them apart.
    pub(crate) may_lose_members: bool,
    pub(crate) problems: Vec<String>,
}

/// The schema of single values.
#[derive(Debug)]
pub(crate) struct ScalarSchema {
    pub(crate) schema: Value,
    pub(crate) is_text: bool,
}

/// A parameter that comes from the client, as a server keeps it.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Text,
    pub(crate) title: Option<Text>,
    pub(crate) description: Text,
    pub(crate) complete: Option<Complete>,
}

impl Described {
    /// What a component of this schema requires if nothing is known of its handler.
    pub(crate) fn dynamic(input: Value, problems: Vec<String>) -> Described {
        Described {
            input,
            output: None,
            scalar: None,
            mime_type: None,
            parameters: Vec::new(),
            requirements: Requirements::default(),
            needs_request: true,
            may_lose_members: false,
            problems,
        }
    }

    /// The generated function could not describe its component.
    pub(crate) fn panicked(text: &str) -> Described {
        let problem = format!("it cannot be described: {text}");
        Described::dynamic(json!({ "type": "object" }), vec![problem])
    }
}

/// Types are described in place; only a type that contains itself goes to `$defs`.
pub(super) fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    settings.contract = contract;
    settings.into_generator()
}

impl Description {
    pub(crate) fn new() -> Description {
        Description {
            generator: generator(Contract::Deserialize),
            properties: Map::new(),
            required: Vec::new(),
            output: None,
            scalar: None,
            mime_type: None,
            parameters: Vec::new(),
            requirements: Requirements::default(),
            needs_request: false,
            problems: Vec::new(),
        }
    }

    // The next three are never part of the code for one type, which is made anew for each.
    #[inline(never)]
    pub(crate) fn argument(
        &mut self,
        parameter: &'static Parameter,
        schema: fn(&mut SchemaGenerator) -> Schema,
        required: bool,
    ) {
        let mut property = normal::input(schema(&mut self.generator).to_value());
        if !required {
            normal::without_null(&mut property);
        }
        let members = normal::members(&mut property);
        constraints::publish(&parameter.constraints, members, parameter.name, &mut self.problems);
        if let Some(name) = parameter.header {
            header::publish(name, members, parameter.name, &mut self.problems);
        }
        if let Some(title) = parameter.title {
            members.insert("title".into(), title.into());
        }
        if !parameter.description.is_empty() {
            members.insert("description".into(), parameter.description.into());
        }
        if let Some(Ok(default)) = parameter.default.map(serde_json::from_str::<Value>) {
            members.insert("default".into(), default);
        }
        if !parameter.examples.is_empty() {
            let examples = parameter.examples.iter().filter_map(|text| serde_json::from_str(text).ok());
            members.insert("examples".into(), Value::Array(examples.collect()));
        }
        self.check_preset(parameter);
        self.parameters.push(Argument {
            name: parameter.name.into(),
            title: parameter.title.map(Text::from),
            description: parameter.description.into(),
            complete: parameter.complete,
        });
        self.properties.insert(parameter.name.into(), property);
        if required {
            self.required.push(parameter.name.into());
        }
    }

    /// Whether the default and the examples keep to the constraints that stand beside them.
    fn check_preset(&mut self, parameter: &'static Parameter) {
        let check = |json| constraints::check_json(&parameter.constraints, parameter.header.is_some(), json);
        if let Some(Err(problem)) = parameter.default.map(check) {
            self.problem(parameter, format!("its default breaks its own rule: {problem}"));
        }
        for example in parameter.examples {
            if let Err(problem) = check(example) {
                self.problem(parameter, format!("its example {example} breaks its own rule: {problem}"));
            }
        }
    }

    #[inline(never)]
    pub(crate) fn preset_does_not_fit(&mut self, parameter: &'static Parameter, error: &serde_json::Error) {
        let default = parameter.default.unwrap_or_default();
        self.problem(parameter, format!("its default {default} does not fit its type: {}", without_position(error)));
    }

    #[inline(never)]
    pub(crate) fn example_does_not_fit(
        &mut self,
        parameter: &'static Parameter,
        example: &str,
        error: &serde_json::Error,
    ) {
        self.problem(parameter, format!("its example {example} does not fit its type: {}", without_position(error)));
    }

    fn problem(&mut self, parameter: &'static Parameter, problem: String) {
        self.problems.push(format!("parameter `{}`: {problem}", parameter.name));
    }

    pub(crate) fn mime_type(&mut self, mime_type: Option<&'static str>) {
        self.mime_type = mime_type;
    }

    pub(crate) fn output(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema) {
        let mut generator = generator(Contract::Serialize);
        let schema = schema(&mut generator);
        self.set_output(schema, generator);
    }

    #[inline(never)]
    fn set_output(&mut self, schema: Schema, generator: SchemaGenerator) {
        let mut schema = normal::output(schema.to_value());
        add_definitions(&mut schema, generator, normal::output);
        // Nothing is read by it here.
        self.output = Some(publish::own(&schema, Style::default()));
    }

    pub(crate) fn scalar(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema, is_text: bool) {
        self.output(schema);
        self.scalar = self.output.take().map(|schema| ScalarSchema { schema, is_text });
    }

    pub(crate) fn finish(mut self) -> Described {
        let mut input = Map::new();
        input.insert("type".into(), "object".into());
        input.insert("properties".into(), self.properties.into());
        if !self.required.is_empty() {
            input.insert("required".into(), self.required.into());
        }
        input.insert("additionalProperties".into(), false.into());
        let mut input = Value::Object(input);
        add_definitions(&mut input, self.generator, normal::input);
        header::check_elsewhere(&input, &mut self.problems);
        Described {
            may_lose_members: has_mark(&input, FLAT),
            input,
            output: self.output,
            scalar: self.scalar,
            mime_type: self.mime_type,
            parameters: self.parameters,
            requirements: self.requirements,
            needs_request: self.needs_request,
            problems: self.problems,
        }
    }
}

fn has_mark(value: &Value, mark: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key == mark || has_mark(value, mark)),
        Value::Array(items) => items.iter().any(|item| has_mark(item, mark)),
        _ => false,
    }
}

fn add_definitions(schema: &mut Value, mut generator: SchemaGenerator, normalise: fn(Value) -> Value) {
    let definitions = generator.take_definitions(false);
    if definitions.is_empty() {
        return;
    }
    let definitions: Map<String, Value> =
        definitions.into_iter().map(|(name, schema)| (name, normalise(schema))).collect();
    normal::members(schema).insert("$defs".into(), definitions.into());
}
