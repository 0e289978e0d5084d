//! Reads the arguments of a call into the handler's parameters, corrects them if their meaning is clear, and explains
//! their problems otherwise.

use serde_json::Value;

use super::super::server::ServerConfig;
use crate::component::arguments::ArgumentError;
use crate::component::client_arguments::IgnoredArguments;
use crate::component::dynamic::DynamicHandler;
use crate::component::invocation::{BoxedCall, Invocation, InvocationResult};
use crate::context::Context;
use crate::registry::{Callable, ComponentHandler};
use crate::schema::jsonschema::CompiledSchema;
use crate::schema::{duplicate_keys, validate};

/// The maximum length of rejected arguments that are examined again: as a tree of values they take twenty times the
/// memory of their text.
const MAX_EXPLAINED: usize = 1 << 20;

/// Options for reading arguments.
#[derive(Clone, Copy)]
pub(crate) struct ArgumentPolicy<'a> {
    /// Whether strings may be converted to the types of their parameters.
    pub(crate) lenient: bool,
    /// The arguments that are ignored if the tool does not declare them.
    pub(crate) ignored: Option<&'a IgnoredArguments>,
    /// Whether the arguments come from the form of a prompt, where an empty field stands for an absent argument.
    pub(crate) is_prompt: bool,
}

impl ArgumentPolicy<'_> {
    /// Options for arguments that are all strings, and so are read leniently.
    pub(crate) const TEXTS: ArgumentPolicy<'static> = ArgumentPolicy { lenient: true, ignored: None, is_prompt: false };
    /// Options for the arguments of prompts.
    pub(crate) const PROMPT: ArgumentPolicy<'static> = ArgumentPolicy { is_prompt: true, ..ArgumentPolicy::TEXTS };

    /// Returns the options for the arguments of a server's tools.
    pub(crate) fn for_tools(config: &ServerConfig) -> ArgumentPolicy<'_> {
        ArgumentPolicy { lenient: !config.strict_arguments, ignored: Some(&config.ignored_arguments), is_prompt: false }
    }
}

/// Reads the arguments and creates the future, or returns the problems of the arguments.
pub(crate) fn invoke(
    handler: &ComponentHandler,
    arguments: &str,
    policy: ArgumentPolicy<'_>,
    context: &dyn Fn() -> Context,
) -> Result<BoxedCall, String> {
    let function = match &handler.invoke {
        Callable::Function(function) => *function,
        Callable::Closure { call, schema } => {
            return call_closure(handler, call, schema.as_ref(), arguments, policy, context);
        }
    };
    match function(Invocation::call(arguments, context())) {
        InvocationResult::Started(future) if handler.described.may_lose_members => {
            match find_lost_members(handler, arguments, policy) {
                problems if problems.is_empty() => Ok(future),
                problems => Err(explain_problems(handler, &problems)),
            }
        }
        InvocationResult::Started(future) => Ok(future),
        InvocationResult::Refused(error) => invoke_corrected(handler, function, arguments, &error, policy, context),
        InvocationResult::Described => Err("the handler could not be called".into()),
    }
}

/// Calls a handler with corrected arguments after its arguments were rejected, or returns all of their problems.
#[cold]
fn invoke_corrected(
    handler: &ComponentHandler,
    function: fn(Invocation<'_>) -> InvocationResult,
    arguments: &str,
    first: &ArgumentError,
    policy: ArgumentPolicy<'_>,
    context: &dyn Fn() -> Context,
) -> Result<BoxedCall, String> {
    let ignored = policy.ignored.filter(|_| arguments.len() <= MAX_EXPLAINED);
    if let Some(own) = ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name())) {
        return invoke(handler, &own, ArgumentPolicy { ignored: None, ..policy }, context);
    }
    let refused = |lines: &[String]| Err(explain_problems(handler, lines));
    if arguments.len() > MAX_EXPLAINED {
        return refused(&[describe_argument_error(first)]);
    }
    if let Some(name) = duplicate_keys::find_duplicate(arguments) {
        let name: String = name.chars().take(128).collect();
        return refused(&[format!("`{name}` is given twice")]);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else {
        return refused(&[describe_argument_error(first)]);
    };
    let input = &handler.described.input;
    let mut found = validate::explain_refusal(input, &mut value, policy.lenient, policy.is_prompt);
    if policy.is_prompt && found.problems.is_empty() && !found.is_coerced {
        // Only the type determines that it cannot be empty.
        found.is_coerced = validate::leave_out_empty(input, &mut value, first.argument.as_deref());
    }
    if !found.problems.is_empty() {
        return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    if !found.is_coerced {
        return refused(&[describe_argument_error(first)]);
    }
    // The corrected arguments are unambiguous, so the handler is called with them.
    match function(Invocation::call(&value.to_string(), context())) {
        InvocationResult::Started(future) => Ok(future),
        InvocationResult::Refused(error) => refused(&[describe_argument_error(&error)]),
        InvocationResult::Described => Err("the handler could not be called".into()),
    }
}

/// Calls a closure that was created at run time, with arguments that fit its schema; or returns their problems.
fn call_closure(
    handler: &ComponentHandler,
    call: &DynamicHandler,
    schema: Option<&CompiledSchema>,
    arguments: &str,
    policy: ArgumentPolicy<'_>,
    context: &dyn Fn() -> Context,
) -> Result<BoxedCall, String> {
    let own = policy.ignored.and_then(|names| names.strip(arguments, &handler.described.input, handler.name()));
    let arguments = own.as_deref().unwrap_or(arguments);
    let refused = |problems: &[String]| Err(explain_problems(handler, problems));
    if let Some(name) = duplicate_keys::find_duplicate(arguments) {
        let name: String = name.chars().take(128).collect();
        return refused(&[format!("`{name}` is given twice")]);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else {
        return refused(&["the arguments cannot be read: a number is out of range".into()]);
    };
    let found = validate::validate_and_coerce(&handler.described.input, &mut value, policy.lenient);
    if !found.problems.is_empty() {
        return refused(&found.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    if found.is_incomplete {
        return refused(&["the arguments have too many values to check: send fewer at a time".into()]);
    }
    let problems = schema.map(|schema| schema.problems(&value)).unwrap_or_default();
    match value {
        Value::Object(arguments) if problems.is_empty() => {
            call.call(arguments, context()).ok_or_else(|| "the handler could not be called".into())
        }
        _ => refused(&problems),
    }
}

fn describe_argument_error(error: &ArgumentError) -> String {
    match &error.argument {
        Some(argument) => format!("`/{argument}`: {}", error.message),
        None => error.message.clone(),
    }
}

fn explain_problems(handler: &ComponentHandler, problems: &[String]) -> String {
    let mut text = format!("Invalid arguments for `{}`:", handler.name());
    for problem in problems {
        text.push_str("\n- ");
        text.push_str(problem);
    }
    // In several clients, this text is the only sign by which a model can tell a rejected call from an executed one.
    text.push_str("\nNothing was done. Correct the arguments and call again.");
    text
}

/// Returns the unknown members of values whose types cannot detect them.
fn find_lost_members(handler: &ComponentHandler, arguments: &str, policy: ArgumentPolicy<'_>) -> Vec<String> {
    if arguments.len() > MAX_EXPLAINED {
        return Vec::new();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(arguments) else { return Vec::new() };
    let found = validate::explain_refusal(&handler.described.input, &mut value, policy.lenient, policy.is_prompt);
    found.problems.iter().filter(|problem| problem.is_unknown_member).map(ToString::to_string).collect()
}
