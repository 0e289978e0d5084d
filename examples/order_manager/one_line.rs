//! Texts of others, in answers that a model or a person reads.

use std::fmt::{self, Display, Formatter, Write};

/// The most characters of a text that are shown.
const MAX_SHOWN: usize = 2000;

/// A text of the database as a part of one line.
///
/// A customer who has a line break in a note must not write lines of an answer, such as a status. Nor may characters
/// that are invisible, or that turn the direction of text around, show a person something other than what is there. So
/// these are escaped, as in `\n` and `\u{202e}`.
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

/// Control characters, line and paragraph separators, and those that format text without being seen, except the joiners
/// that some scripts and emoji are spelled with.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}
