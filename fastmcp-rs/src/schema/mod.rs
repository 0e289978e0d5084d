//! JSON Schemas: normalised to the form that an author would write by hand, and used to explain the faults of a call.
//!
//! A valid call passes no validator: its types and the constraints that the macro knows are the check. Only if they reject
//! a call, [`validate`] compares the arguments with the published schema, reports every problem at once, and corrects
//! values whose meaning is clear.
//!
//! The room knows JSON, but no component and no protocol. Look here for a keyword: its form in derived schemas
//! (`normalize.rs`) and in published ones (`publish.rs`), and its check (`constraints.rs`, `validate.rs`).

pub(crate) mod constraints;
pub(crate) mod duplicate_keys;
pub(crate) mod format;
pub(crate) mod generator;
pub(crate) mod jsonschema;
pub(crate) mod mcp_header;
pub(crate) mod normalize;
pub(crate) mod number;
pub(crate) mod place;
pub(crate) mod precision;
pub(crate) mod publish;
pub(crate) mod reference;
pub(crate) mod suggest;
pub(crate) mod validate;
