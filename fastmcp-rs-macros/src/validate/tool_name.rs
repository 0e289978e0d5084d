//! The rule for names of tools.
//!
//! The library has the same rule for tools that are created at run time (`fastmcp-rs/src/checks/names.rs`), and a test of
//! the workspace holds the two together.

const MAX_NAME: usize = 128;

/// Returns the mistake in the name of a tool.
///
/// The specification limits names of tools to 1 to 128 characters out of `A-Z a-z 0-9 _ . -`. Names of resources and
/// prompts are not limited.
pub(crate) fn find_tool_name_problem(name: &str) -> Option<String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let length = name.chars().count();
    if let Some(illegal) = name.chars().find(|c| !is_legal(*c)) {
        Some(format!("a tool's name may have only ASCII letters, digits, `_`, `-` and `.`, not {illegal:?}"))
    } else if length > MAX_NAME {
        Some(format!("a tool's name may have at most {MAX_NAME} characters, not {length}"))
    } else {
        None
    }
}
