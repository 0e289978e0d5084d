//! Descriptions of components, filled in by generated functions: schemas and requirements.

use schemars::generate::Contract;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::component::completion_request::Complete;
use crate::component::definition::{DefinitionText, Parameter};
use crate::component::extract::Requirements;
use crate::protocol::frame::without_position;
use crate::schema::generator::generator;
use crate::schema::publish::{self, FLAT, SchemaStyle};
use crate::schema::{constraints, mcp_header, normalize};

/// A component's description while it is being filled in.
#[doc(hidden)]
pub struct Description {
    generator: SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<Value>,
    output: Option<Value>,
    scalar: Option<ScalarSchema>,
    mime_type: Option<&'static str>,
    parameters: Vec<ArgumentInfo>,
    pub(crate) requirements: Requirements,
    pub(crate) needs_request: bool,
    /// Problems of the component, in messages for its author.
    problems: Vec<String>,
}

/// A component's schemas and requirements.
#[derive(Debug)]
pub(crate) struct ComponentInterface {
    pub(crate) input: Value,
    pub(crate) output: Option<Value>,
    /// The schema of single-value results. It is published if they are sent as structured content.
    pub(crate) scalar: Option<ScalarSchema>,
    /// The MIME type of a resource's values, if their type determines it.
    pub(crate) mime_type: Option<&'static str>,
    /// The parameters that come from the client, in order.
    pub(crate) parameters: Vec<ArgumentInfo>,
    pub(crate) requirements: Requirements,
    pub(crate) needs_request: bool,
    /// True if a value that was read may have had unknown members that were ignored: a type that flattens other types
    /// cannot detect unknown members.
    pub(crate) may_lose_members: bool,
    pub(crate) problems: Vec<String>,
}

/// The schema of results that are a single value.
#[derive(Debug)]
pub(crate) struct ScalarSchema {
    pub(crate) schema: Value,
    pub(crate) is_text: bool,
}

/// A parameter that comes from the client, in the form that a server stores.
#[derive(Debug)]
pub(crate) struct ArgumentInfo {
    pub(crate) name: DefinitionText,
    pub(crate) title: Option<DefinitionText>,
    pub(crate) description: DefinitionText,
    pub(crate) complete: Option<Complete>,
}

impl ComponentInterface {
    /// Creates the description of a component from its input schema, for a handler whose needs are unknown.
    pub(crate) fn for_dynamic(input: Value, problems: Vec<String>) -> ComponentInterface {
        ComponentInterface {
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

    /// Creates the description of a component whose generated function panicked.
    pub(crate) fn for_panic(text: &str) -> ComponentInterface {
        let problem = format!("its description panicked: {text}");
        ComponentInterface::for_dynamic(json!({ "type": "object" }), vec![problem])
    }
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

    // The next three functions are never inlined into code that is compiled once per type.
    #[inline(never)]
    pub(crate) fn argument(
        &mut self,
        parameter: &'static Parameter,
        schema: fn(&mut SchemaGenerator) -> Schema,
        required: bool,
    ) {
        let mut property = normalize::normalize_input(schema(&mut self.generator).to_value());
        if !required {
            normalize::without_null(&mut property);
        }
        let members = normalize::schema_members(&mut property);
        constraints::publish_constraints(&parameter.constraints, members, parameter.name, &mut self.problems);
        if let Some(name) = parameter.header {
            mcp_header::publish_mark(name, members, parameter.name, &mut self.problems);
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
        self.parameters.push(ArgumentInfo {
            name: parameter.name.into(),
            title: parameter.title.map(DefinitionText::from),
            description: parameter.description.into(),
            complete: parameter.complete,
        });
        self.properties.insert(parameter.name.into(), property);
        if required {
            self.required.push(parameter.name.into());
        }
    }

    /// Checks the default and the examples against the constraints of the parameter.
    fn check_preset(&mut self, parameter: &'static Parameter) {
        let check = |json| constraints::check_json(&parameter.constraints, parameter.header.is_some(), json);
        if let Some(Err(problem)) = parameter.default.map(check) {
            self.add_problem(parameter, format!("the default violates a constraint: {problem}"));
        }
        for example in parameter.examples {
            if let Err(problem) = check(example) {
                self.add_problem(parameter, format!("the example {example} violates a constraint: {problem}"));
            }
        }
    }

    #[inline(never)]
    pub(crate) fn report_unfit_default(&mut self, parameter: &'static Parameter, error: &serde_json::Error) {
        let default = parameter.default.unwrap_or_default();
        self.add_problem(
            parameter,
            format!("the default {default} does not fit the type: {}", without_position(error)),
        );
    }

    #[inline(never)]
    pub(crate) fn report_unfit_example(
        &mut self,
        parameter: &'static Parameter,
        example: &str,
        error: &serde_json::Error,
    ) {
        self.add_problem(
            parameter,
            format!("the example {example} does not fit the type: {}", without_position(error)),
        );
    }

    fn add_problem(&mut self, parameter: &'static Parameter, problem: String) {
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
        let mut schema = normalize::normalize_output(schema.to_value());
        add_definitions(&mut schema, generator, normalize::normalize_output);
        // Output schemas are not used for reading.
        self.output = Some(publish::publish_generated(&schema, SchemaStyle::default()));
    }

    pub(crate) fn scalar(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema, is_text: bool) {
        self.output(schema);
        self.scalar = self.output.take().map(|schema| ScalarSchema { schema, is_text });
    }

    pub(crate) fn into_interface(mut self) -> ComponentInterface {
        let mut input = Map::new();
        input.insert("type".into(), "object".into());
        input.insert("properties".into(), self.properties.into());
        if !self.required.is_empty() {
            input.insert("required".into(), self.required.into());
        }
        input.insert("additionalProperties".into(), false.into());
        let mut input = Value::Object(input);
        add_definitions(&mut input, self.generator, normalize::normalize_input);
        mcp_header::check_marks(&input, &mut self.problems);
        for (name, property) in input.get("properties").and_then(Value::as_object).into_iter().flatten() {
            constraints::check_inside(property, &format!("/{name}"), &mut self.problems);
        }
        ComponentInterface {
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

fn add_definitions(schema: &mut Value, mut generator: SchemaGenerator, normalize: fn(Value) -> Value) {
    let definitions = generator.take_definitions(false);
    if definitions.is_empty() {
        return;
    }
    let definitions: Map<String, Value> =
        definitions.into_iter().map(|(name, schema)| (name, normalize(schema))).collect();
    normalize::schema_members(schema).insert("$defs".into(), definitions.into());
}
