//! Untrusted texts in responses that a model or a person reads.

use std::fmt::{self, Display, Formatter, Write};

/// The maximum number of characters that are shown of a text.
const MAX_SHOWN: usize = 2000;

/// A text from the database, shown on one line.
///
/// A line break in a customer's note must not forge lines of a response, such as a status. Invisible characters, and
/// characters that reverse the direction of text, must not show a person a different text. So these characters are
/// escaped, as in `\n` and `\u{202e}`.
pub struct OneLine<'a>(pub &'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (position, character) in self.0.chars().enumerate() {
            match character {
                _ if position == MAX_SHOWN => return f.write_char('…'),
                character if is_hidden(character) => write!(f, "{}", character.escape_debug())?,
                character => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Returns true for control characters, line and paragraph separators, and invisible formatting characters, except the
/// joiners that some scripts and emoji need.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}
