//! The whole of JSON Schema, by the feature `schema-validation`: for schemas that were given by hand, and say more
//! than [`walk`](super::walk) looks at.
//!
//! Without the feature there is nothing to check with, and everything passes.

use serde_json::Value;

/// A schema that was compiled once.
#[derive(Debug)]
pub(crate) struct Full {
    #[cfg(feature = "schema-validation")]
    validator: jsonschema::Validator,
}

/// The most problems that are told.
#[cfg(feature = "schema-validation")]
const MAX_PROBLEMS: usize = 20;

#[cfg(feature = "schema-validation")]
impl Full {
    /// Compiles a schema. What it refers to must be in it: nothing is fetched.
    pub(crate) fn compile(schema: &Value) -> Result<Option<Full>, String> {
        let patterns = jsonschema::PatternOptions::regex();
        // These take time in proportion to the text, whatever it holds.
        let validator = jsonschema::options().with_pattern_options(patterns).build(schema);
        validator.map(|validator| Some(Full { validator })).map_err(|error| error.to_string())
    }

    /// What is wrong with a value.
    pub(crate) fn problems(&self, value: &Value) -> Vec<String> {
        let errors = self.validator.iter_errors(value).take(MAX_PROBLEMS);
        let told = errors.map(|error| {
            let path = error.instance_path().to_string();
            let text: String = error.masked_with("the value").to_string().chars().take(500).collect();
            format!("`{}`: {text}", if path.is_empty() { "/" } else { &path })
        });
        told.collect()
    }
}

#[cfg(not(feature = "schema-validation"))]
impl Full {
    pub(crate) fn compile(_: &Value) -> Result<Option<Full>, String> {
        Ok(None)
    }

    pub(crate) fn problems(&self, _: &Value) -> Vec<String> {
        Vec::new()
    }
}
