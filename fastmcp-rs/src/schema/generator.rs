//! The settings with which schemas are derived from types.

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};

/// Creates a generator that inlines all types; only a recursive type goes to `$defs`.
pub(crate) fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.meta_schema = None;
    settings.inline_subschemas = true;
    settings.contract = contract;
    settings.into_generator()
}
