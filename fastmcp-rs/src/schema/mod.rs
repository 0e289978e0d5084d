//! JSON Schemas: made as an author would write them by hand, and used to explain what is wrong with a
//! call.
//!
//! No validator stands on the path of a call: the types and the constraints that the macro knows are the
//! check. Only when they refuse, [`walk`] goes over the arguments with the published schema in hand, finds
//! every problem at once, and mends what a model plainly meant.

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
