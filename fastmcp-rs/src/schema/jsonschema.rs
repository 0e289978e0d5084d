//! Complete JSON Schema validation with the feature `schema-validation`, for hand-written schemas that use more
//! keywords than [`validate`](super::validate) supports.
//!
//! Without the feature every value passes.

use serde_json::Value;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct CompiledSchema {
    #[cfg(feature = "schema-validation")]
    validator: jsonschema::Validator,
}

/// The most problems that are reported.
#[cfg(feature = "schema-validation")]
const MAX_PROBLEMS: usize = 20;

#[cfg(feature = "schema-validation")]
impl CompiledSchema {
    /// Compiles a schema. All references must be local: nothing is fetched.
    pub(crate) fn compile(schema: &Value) -> Result<Option<CompiledSchema>, String> {
        let patterns = jsonschema::PatternOptions::regex();
        // The crate `regex` matches in linear time, whatever the text is.
        let validator = jsonschema::options().with_pattern_options(patterns).build(schema);
        validator.map(|validator| Some(CompiledSchema { validator })).map_err(|error| error.to_string())
    }

    /// Returns the problems of a value.
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
impl CompiledSchema {
    pub(crate) fn compile(_: &Value) -> Result<Option<CompiledSchema>, String> {
        Ok(None)
    }

    pub(crate) fn problems(&self, _: &Value) -> Vec<String> {
        Vec::new()
    }
}
