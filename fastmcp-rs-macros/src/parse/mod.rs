//! Reads attributes and items into our own structs, without judging how they fit together.

mod arg;
mod block;
mod docs;
mod duration;
mod entry;
mod handler;
mod icon;
mod item;
mod json;
mod literal;
mod main;
mod model;
mod option_keys;
mod resource;
mod server;
mod template;
mod value;

pub(crate) use arg::{ArgOptions, Spanned};
pub(crate) use block::{BlockItem, ImplBlock};
pub(crate) use docs::{Description, read_doc_comments};
pub(crate) use entry::{Entry, entries};
pub(crate) use handler::{Flag, HandlerOptions, SpecificOptions, ToolOptions};
pub(crate) use icon::Icon;
pub(crate) use item::{FnItem, stays_on_parameter};
pub(crate) use literal::{JsonLiteral, LiteralKind, Number};
pub(crate) use main::MainOptions;
pub(crate) use model::ModelOptions;
pub(crate) use resource::ResourceOptions;
pub(crate) use server::ServerOptions;
pub(crate) use template::{Template, Variable};
