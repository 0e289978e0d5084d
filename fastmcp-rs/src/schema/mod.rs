//! JSON Schemas: normalised to the form that an author would write by hand, and used to explain the faults of a call.
//!
//! A valid call passes no validator: its types and the constraints that the macro knows are the check. Only if they
//! reject a call, [`walk`] compares the arguments with the published schema, reports every problem at once, and
//! corrects values whose meaning is clear.

pub(crate) mod constraints;
pub(crate) mod duplicates;
pub(crate) mod form;
pub(crate) mod format;
pub(crate) mod full;
pub(crate) mod given;
pub(crate) mod header;
pub(crate) mod lint;
pub(crate) mod normal;
pub(crate) mod place;
pub(crate) mod precision;
pub(crate) mod publish;
pub(crate) mod suggest;
pub(crate) mod walk;
