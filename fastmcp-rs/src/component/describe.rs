//! Descriptions of components, filled in by generated functions: schemas and requirements.

use schemars::generate::Contract;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::checks::problem::ProblemList;
use crate::checks::{components, mirrors, parameters};
use crate::component::completion_request::{Complete, CompletionUse};
use crate::component::definition::{DefinitionText, Parameter};
use crate::component::extract::Requirements;
use crate::component::flat_members::flat_schema;
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
    problems: ProblemList,
    /// The schema of other members, if a flattened type takes them.
    others: Option<Value>,
    /// True if members of a flattened type are known only together with those of other types.
    is_flat: bool,
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
    pub(crate) problems: ProblemList,
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
    pub(crate) fn for_dynamic(input: Value, problems: ProblemList) -> ComponentInterface {
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
    pub(crate) fn for_panic(text: &str, mut problems: ProblemList) -> ComponentInterface {
        components::report_panic(text, &mut problems);
        ComponentInterface::for_dynamic(json!({ "type": "object" }), problems)
    }
}

impl Description {
    /// Starts the description of a component whose problems are added to this list.
    pub(crate) fn new(problems: ProblemList) -> Description {
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
            problems,
            others: None,
            is_flat: false,
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
        let Parameter { name, constraints, header, default, examples, .. } = parameter;
        constraints::publish_constraints(constraints, members);
        parameters::check_constraints(name, constraints, members, &mut self.problems);
        if let Some(header) = header {
            mirrors::check_marked_parameter(name, members, &mut self.problems);
            mcp_header::publish_mark(header, members);
        }
        parameters::check_presets(name, constraints, header.is_some(), *default, examples, &mut self.problems);
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
        if let Some(complete) = parameter.complete {
            complete(CompletionUse::Require(&mut self.requirements));
        }
        self.parameters.push(ArgumentInfo {
            name: parameter.name.into(),
            title: parameter.title.map(DefinitionText::from),
            description: parameter.description.into(),
            complete: parameter.complete,
        });
        self.add_property(parameter.name.to_owned(), property);
        if required {
            self.required.push(parameter.name.into());
        }
    }

    /// Adds a property. The macro reports two parameters of one name, so a second property comes from a flattened type.
    fn add_property(&mut self, name: String, property: Value) {
        if self.properties.contains_key(&name) {
            parameters::report_collision(&name, &mut self.problems);
        }
        self.properties.insert(name, property);
    }

    /// Publishes a default that the program computed; `misfit` is the reason why its JSON cannot be read.
    #[inline(never)]
    pub(crate) fn computed_default(
        &mut self,
        parameter: &'static Parameter,
        json: &str,
        misfit: Option<serde_json::Error>,
    ) {
        let Parameter { name, constraints, header, .. } = parameter;
        if let Some(error) = misfit {
            return self.report_unfit(parameter, "default", json, &error);
        }
        parameters::check_presets(name, constraints, header.is_some(), Some(json), &[], &mut self.problems);
        let property = self.properties.get_mut(*name).map(normalize::schema_members);
        if let (Some(members), Ok(default)) = (property, serde_json::from_str(json)) {
            members.insert("default".into(), default);
        }
    }

    /// Merges the schema of a type with fields into the input schema.
    #[inline(never)]
    pub(crate) fn flatten(
        &mut self,
        parameter: &'static Parameter,
        schema: fn(&mut SchemaGenerator) -> Schema,
        takes_others: bool,
    ) {
        let mut schema = flat_schema(schema, &mut self.generator);
        let members = normalize::schema_members(&mut schema);
        if !parameters::check_flattened(parameter.name, members, &mut self.problems) {
            return;
        }
        if let Some(Value::Object(properties)) = members.remove("properties") {
            for (name, property) in properties {
                let text = |keyword: &str| property.get(keyword).and_then(Value::as_str).map(str::to_owned);
                self.parameters.push(ArgumentInfo {
                    name: name.clone().into(),
                    title: text("title").map(DefinitionText::from),
                    description: text("description").unwrap_or_default().into(),
                    complete: None,
                });
                self.add_property(name, property);
            }
        }
        if let Some(Value::Array(required)) = members.remove("required") {
            self.required.extend(required);
        }
        self.is_flat |= members.contains_key(FLAT);
        let others = members.remove("additionalProperties");
        if let Some(others) = others.filter(|others| takes_others && *others != Value::Bool(false)) {
            if self.others.is_some() {
                parameters::report_second_rest(parameter.name, &mut self.problems);
            }
            self.others = Some(others);
        }
    }

    #[inline(never)]
    pub(crate) fn report_unfit_default(&mut self, parameter: &'static Parameter, error: &serde_json::Error) {
        self.report_unfit(parameter, "default", parameter.default.unwrap_or_default(), error);
    }

    #[inline(never)]
    pub(crate) fn report_unfit_example(
        &mut self,
        parameter: &'static Parameter,
        example: &str,
        error: &serde_json::Error,
    ) {
        self.report_unfit(parameter, "example", example, error);
    }

    fn report_unfit(&mut self, parameter: &Parameter, kind: &str, json: &str, error: &serde_json::Error) {
        parameters::report_unfit(parameter.name, kind, json, &without_position(error), &mut self.problems);
    }

    pub(crate) fn mime_type(&mut self, mime_type: Option<&'static str>) {
        self.mime_type = mime_type;
    }

    pub(crate) fn output(&mut self, schema: fn(&mut SchemaGenerator) -> Schema) {
        self.output = Some(publish_output(schema));
    }

    pub(crate) fn scalar(&mut self, schema: fn(&mut SchemaGenerator) -> Schema, is_text: bool) {
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
        input.insert("additionalProperties".into(), self.others.unwrap_or(false.into()));
        if self.is_flat {
            input.insert(FLAT.into(), true.into());
        }
        let mut input = Value::Object(input);
        add_definitions(&mut input, self.generator, normalize::normalize_input);
        mirrors::check_marks(&input, &mut self.problems);
        parameters::check_fields(&input, &mut self.problems);
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

/// Returns the published schema of results of a type.
#[inline(never)]
pub(crate) fn publish_output(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = generator(Contract::Serialize);
    let mut schema = normalize::normalize_output(schema(&mut generator).to_value());
    add_definitions(&mut schema, generator, normalize::normalize_output);
    // Output schemas are not used for reading.
    publish::publish_generated(&schema, SchemaStyle::default())
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
