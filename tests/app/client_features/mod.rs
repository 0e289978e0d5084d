//! Elicitation, sampling and roots: requests that handlers make to the client, in every revision.

mod elicitation_forms;
mod input_required;
mod request_schemas;
mod requests;
mod scripted_answers;
