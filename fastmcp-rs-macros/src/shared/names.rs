//! The rule for names of tools, and of prompts that are created at run time.

/// The maximum length of a tool's name, so that every client accepts it.
pub(crate) const MAX_NAME: usize = 128;

/// Returns true for a character that names of tools may have.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// Returns the mistake in the name of a component; `noun` is "tool" or "prompt".
///
/// The specification limits names of tools to 1 to 128 characters out of `A-Z a-z 0-9 _ . -`. Names of resources are not
/// limited.
pub(crate) fn find_name_problem(name: &str, noun: &str) -> Option<String> {
    let length = name.chars().count();
    if let Some(illegal) = name.chars().find(|character| !is_name_character(*character)) {
        Some(format!("a {noun}'s name may have only ASCII letters, digits, `_`, `-` and `.`, not {illegal:?}"))
    } else if length > MAX_NAME {
        Some(format!("a {noun}'s name may have at most {MAX_NAME} characters, not {length}"))
    } else {
        None
    }
}
